"""What a worker that sends transactions tells Prometheus, a log, and whoever asks whether it is well.

Labels take few values: kinds of outcome, codes of our errors.
"""

import logging
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from kameng_escrow.errors import EscrowError
from kameng_escrow.store.keeping import Intent
from kameng_escrow.telemetry import Health

from .report import News, NewsKind

_STALE = 60.0  # seconds without a look at the chain after which a worker is not ready
_HUNG = 600.0  # seconds without any sign of life after which it should be started anew

_OUTCOMES = {
    NewsKind.Sent: "sent",
    NewsKind.Filled: "filled",
    NewsKind.Raised: "raised",
    NewsKind.Withdrawn: "withdrawn",
    NewsKind.Mined: "mined",
    NewsKind.Undone: "undone",
    NewsKind.Final: "final",
    NewsKind.Reverted: "reverted",
    NewsKind.Displaced: "displaced",
}


class SenderMetrics:
    """The numbers of a worker of one account, and its state of health.

    Args:
        worker: "keeper" or "relayer": how its metrics and its log are called.
        work: what it does, as a gerund.
        registry: where they are offered; left out, one of their own.
    """

    def __init__(self, worker: str, work: str, registry: CollectorRegistry | None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        self._worker = worker
        self._log = logging.getLogger(f"kameng_escrow.{worker}")
        self._transactions = self._counter(
            "transactions", "What became of transactions; one counts under each step that it comes to", "step"
        )
        self._troubles = self._counter("troubles", f"Looks that something kept from {work}, by code", "code")
        self._cost = self._counter("cost_wei", "Wei paid for mined transactions")
        self._leader = self._gauge("leader", f"Whether this process is the account's {worker}")
        self._in_flight = self._gauge("in_flight", "Transactions that wait to be mined")
        self._balance = self._gauge("balance_wei", "The account's balance")
        self._spent = self._gauge("spent_wei", "Spent in 24 hours, with the most that what waits may cost")
        self._budget = self._gauge("budget_wei", "What may be spent in 24 hours; NaN: without limit")
        self._block = self._gauge("block", "The chain's latest block at the last look")
        for step in _OUTCOMES.values():
            self._transactions.labels(step)
        self._sign = time.monotonic()  # of life
        self._look: float | None = None  # the last that went well
        self._leads: bool | None = None
        self._conditions: tuple[str, ...] = ()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"kameng_{self._worker}_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"kameng_{self._worker}_{name}", text, registry=self.registry)

    def news(self, news: News) -> None:
        """Counts something that happened."""
        step = _OUTCOMES.get(news.kind)
        if step is not None:
            self._transactions.labels(step).inc()
        intent = news.intent
        told = {} if intent is None else {"nonce": intent.nonce, "transaction_hash": intent.last.hash}
        level, words = (logging.INFO, step or "") if news.error is None else (logging.WARNING, news.error.message)
        self._log.log(level, words, extra=told | ({"orders": len(intent.order_ids)} if intent else {}))
        inclusion = news.intent.inclusion if news.intent is not None else None
        if inclusion is not None and news.kind in (NewsKind.Mined, NewsKind.Reverted):
            self._cost.inc(inclusion.cost)

    def trouble(self, error: EscrowError) -> None:
        """Counts a look that something kept from its work."""
        self._sign = time.monotonic()
        self._troubles.labels(error.code).inc()
        if error.code not in self._conditions:
            self._log.warning(error.message, extra={"code": error.code})
            self._conditions = (*self._conditions, error.code)

    def leading(self, is_leader: bool) -> None:
        """Whether this process has the place."""
        self._sign = time.monotonic()
        self._leader.set(int(is_leader))
        if is_leader != self._leads:
            self._log.info("leading" if is_leader else "standing by")
        self._leads = is_leader

    def _looked(
        self,
        block: int,
        balance: int,
        spent: int,
        budget: int | None,
        waiting: Sequence[Intent],
        conditions: Sequence[EscrowError],
    ) -> None:
        self._block.set(block)
        self._balance.set(balance)
        self._spent.set(spent)
        self._budget.set(float("nan") if budget is None else budget)
        self._in_flight.set(sum(intent.inclusion is None for intent in waiting))
        self._look = time.monotonic()
        for error in conditions:
            self.trouble(error)
        self._conditions = tuple(error.code for error in conditions)

    # ----------------------------------------------------------------------------------------------------------- health

    def alive(self) -> Health:
        """Whether the process gets on with its work, if only with waiting."""
        silent = time.monotonic() - self._sign
        return Health(silent < _HUNG, {"seconds_since_last_sign": round(silent, 1)})

    def ready(self) -> Health:
        """Whether the work gets done: the chain was looked at a moment ago, and nothing stood in the way.

        A process that stands by is ready to take over, and says so.
        """
        since = None if self._look is None else time.monotonic() - self._look
        details: dict[str, object] = {"leader": bool(self._leads), "conditions": list(self._conditions)}
        if self._leads is False:
            return Health(True, details)
        details["seconds_since_look"] = None if since is None else round(since, 1)
        return Health(since is not None and since < _STALE and not self._conditions, details)
