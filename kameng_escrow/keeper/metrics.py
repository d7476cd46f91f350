"""What a keeper tells Prometheus, a log, and whoever asks whether it is well."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Backlog
from kameng_escrow.store.keeping import Intent

from .report import News, NewsKind
from .sender_metrics import SenderMetrics


class KeeperMetrics(SenderMetrics):
    """One keeper's numbers, and its state of health.

    Args:
        registry: where they are offered; left out, one of their own.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__("keeper", "settling", registry)
        self._settled = self._counter("settled", "Orders that were settled")
        self._due = self._gauge("due_orders", "Orders whose clock has run out and that the mirror has as open")
        self._oldest = self._gauge("oldest_due_seconds", "For how long the longest has been due, by the chain's clock")
        self._given_up = self._gauge("given_up_orders", "Orders that are left to a person")

    def news(self, news: News) -> None:
        """Counts something that happened."""
        super().news(news)
        inclusion = news.intent.inclusion if news.intent is not None else None
        if inclusion is not None and news.kind in (NewsKind.Mined, NewsKind.Reverted):
            self._settled.inc(len(inclusion.closed))

    def looked(
        self,
        *,
        block: int,
        chain_time: int,
        balance: int,
        spent: int,
        budget: int | None,
        waiting: Sequence[Intent],
        backlog: Backlog,
        given_up: int,
        conditions: Sequence[EscrowError],
    ) -> None:
        """What a look showed."""
        self._due.set(backlog.orders)
        self._oldest.set(0 if backlog.oldest is None else max(0, chain_time - backlog.oldest))
        self._given_up.set(given_up)
        self._looked(block, balance, spent, budget, waiting, conditions)
