"""One pass over what is due: the store says what may be, the chain what is, batches end it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kameng_escrow.client import EscrowClient
from kameng_escrow.client.results import Receipt
from kameng_escrow.domain.events import OrderClosed
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.store import Book, Due

from .batches import neighbours

BATCH = 50  # orders in one transaction: about a million gas


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlingReport:
    """What a pass did."""

    settled: tuple[OrderClosed, ...]
    skipped: tuple[str, ...]  # ids that the store thought due and the chain did not: settled, moved on, not yet due
    receipts: tuple[Receipt, ...] = field(default=())

    @property
    def gas_used(self) -> int:
        """Of all transactions together."""
        return sum(receipt.gas_used for receipt in self.receipts)


def settle_due(
    book: Book,
    client: EscrowClient,
    *,
    batch: int = BATCH,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SettlingReport:
    """Settles every order of the contract that is due, in transactions of up to `batch` orders, paid by the client's
    account. Sends nothing where nothing is due.

    Args:
        book: the contract's store; what it misses is not settled, what it has too much is skipped.
        client: of the same contract, with an account.
        batch: orders in one transaction.
        limit: at most so many orders, the most overdue first.
        progress: told (done, total) after each transaction.

    Raises:
        StoreError, NodeError, TransactionError, Refusal: orders settled before stay settled.
    """
    now = client.now()
    candidates = book.due(now, limit=limit)
    due, skipped = _confirmed(candidates, client, now, batch)
    due = neighbours(due)
    receipts: list[Receipt] = []
    settled: list[OrderClosed] = []
    for start in range(0, len(due), batch):
        part = due[start : start + batch]
        receipt = _settle(client, [row.terms for row in part])
        receipts.append(receipt)
        closed = [logged.event for logged in receipt.events if isinstance(logged.event, OrderClosed)]
        settled += closed
        missed = {row.order_id for row in part} - {event.order_id for event in closed}
        skipped += sorted(missed)  # somebody was faster
        if progress is not None:
            progress(start + len(part), len(due))
    return SettlingReport(settled=tuple(settled), skipped=tuple(skipped), receipts=tuple(receipts))


def _confirmed(candidates: Sequence[Due], client: EscrowClient, now: int, batch: int) -> tuple[list[Due], list[str]]:
    """The candidates that the chain, too, has as due; and the ids of the others."""
    due, skipped = [], []
    for start in range(0, len(candidates), batch):
        part = candidates[start : start + batch]
        statuses = client.statuses([row.order_id for row in part])
        for row, status in zip(part, statuses, strict=True):
            if status.state.is_open and status.deadline is not None and status.deadline <= now:
                due.append(row)
            else:
                skipped.append(row.order_id)
    return due, skipped


def _settle(client: EscrowClient, terms: list[OrderTerms]) -> Receipt:
    return client.settle(terms[0]) if len(terms) == 1 else client.settle_many(terms)
