"""Which orders go into one transaction: neighbours that the contract pays in one transfer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eth_utils.crypto import keccak

from kameng_escrow.domain.states import State
from kameng_escrow.store import Due


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Orders for one transaction."""

    orders: tuple[Due, ...]
    extra_gas: int = 0  # beyond the estimate: what mined otherwise than it was simulated gets more

    @property
    def order_ids(self) -> tuple[str, ...]:
        return tuple(due.order_id for due in self.orders)

    def halves(self) -> "tuple[Batch, Batch]":
        """Two batches with half of the orders and of the extra gas each."""
        middle = len(self.orders) // 2
        extra = self.extra_gas // 2
        return (
            Batch(orders=self.orders[:middle], extra_gas=extra),
            Batch(orders=self.orders[middle:], extra_gas=extra),
        )


def receiver(due: Due) -> str:
    """Who gets most of it: the seller where the inspection ran out, else the buyer."""
    return due.terms.pay_to if due.state is State.Delivered else due.terms.refund_to


def neighbours(orders: Iterable[Due]) -> list[Due]:
    """Sorted so that the contract merges payouts, fees and bonds."""
    return sorted(
        orders,
        key=lambda due: (due.terms.token, receiver(due), due.terms.policy_id, due.terms.seller, due.order_id),
    )


def batches(orders: Sequence[Due], failures: dict[str, int], *, size: int, spare_gas: int) -> list[Batch]:
    """Orders that never failed in batches of `size`; those that did among their like, in batches half as large with
    each failure, down to one order. Where one order spoils a batch, the others get rid of it in a few rounds.

    Args:
        orders: in the order in which they should be settled.
        failures: how often each has failed; those missing never did.
        size: of the largest batch.
        spare_gas: what each order that failed gets beyond the estimate.
    """
    made: list[Batch] = []
    for count in sorted({failures.get(due.order_id, 0) for due in orders}):
        alike = neighbours(due for due in orders if failures.get(due.order_id, 0) == count)
        step = max(1, size >> count)
        for start in range(0, len(alike), step):
            part = tuple(alike[start : start + step])
            made.append(Batch(orders=part, extra_gas=spare_gas * len(part) if count else 0))
    return made


def rotated(made: list[Batch], account: str) -> list[Batch]:
    """Begun at another place by each account, so that keepers that work at once work on different orders."""
    if not made:
        return made
    start = int.from_bytes(keccak(text=account)[:8]) % len(made)
    return made[start:] + made[:start]


def patience_ms(account: str, chain_time: int, spread_seconds: float) -> int:
    """How many milliseconds an account waits before it acts on what has come due, so that keepers that don't know each
    other come one after the other. Every five minutes the turns change. Between zero and the spread.
    """
    turn = chain_time // 300
    return int.from_bytes(keccak(text=f"{account}/{turn}")[:8]) % (int(spread_seconds * 1000) + 1)
