"""What a relayer tells Prometheus, a log, and whoever asks whether it is well."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from kameng_escrow.errors import EscrowError
from kameng_escrow.keeper.sender_metrics import SenderMetrics
from kameng_escrow.store.keeping import Intent


class RelayerMetrics(SenderMetrics):
    """One relayer's numbers, and its state of health.

    Args:
        registry: where they are offered; left out, one of their own.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__("relayer", "relaying", registry)
        self._accepted = self._gauge("accepted_relays", "Relays that wait to be sent")
        self._watched = self._gauge("watched_deposits", "Deposit addresses that are watched")

    def looked(
        self,
        *,
        block: int,
        balance: int,
        spent: int,
        budget: int | None,
        waiting: Sequence[Intent],
        conditions: Sequence[EscrowError],
        accepted: int,
        watched: int,
    ) -> None:
        """What a look showed."""
        self._accepted.set(accepted)
        self._watched.set(watched)
        self._looked(block, balance, spent, budget, waiting, conditions)
