"""The mirror's two transactions: blocks in, and blocks out. Each brings every row along, or none."""

from collections.abc import Sequence
from itertools import chain

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from kameng_escrow.domain.event_values import values_of
from kameng_escrow.domain.events import Event, Logged, OperatorSet, OrderEvent, PayToRegistered, PolicyEvent
from kameng_escrow.store.bell import ring
from kameng_escrow.store.bulk import bulk_of
from kameng_escrow.store.loading import load_events_above, load_order_events, load_other_events, parts
from kameng_escrow.store.models import (
    BlockRow,
    CheckpointRow,
    EventRow,
    OperatorRow,
    PayToRow,
    PolicyRow,
)

from . import outbox
from .folding import Folding, Told
from .prepare import EVENT_COLUMNS, Overtaken, Prepared
from .report import Reorg


def locked_checkpoint(session: Session, contract_id: int, number: int, block_hash: str) -> CheckpointRow:
    """The checkpoint, kept from other writers until the transaction ends. Raises `Overtaken` unless it is as given."""
    mark = session.get_one(CheckpointRow, contract_id, with_for_update=True)
    if (mark.seen_number, mark.seen_hash) != (number, block_hash):
        raise Overtaken
    return mark


def write_chunk(
    session: Session, contract_id: int, prepared: Prepared, *, parent_hash: str, final: int, window: int
) -> int:
    """Blocks, events, rows, outbox and checkpoint of a range that follows on what is there.

    Args:
        prepared: the range, folded on what was there. Its rows are gone afterwards: there are megabytes of them.
        final: the chain's last final block, as far as is known.
        window: how many blocks below the last one to remember, with events or without.

    Returns:
        The last final block from now on.

    Raises:
        Overtaken: something else is there by now.
        BrokenEvents: the events can't be.
        IntegrityError: one of the orders opened has a row. SQLAlchemy's; not where it was prepared with care.
    """
    mark = locked_checkpoint(session, contract_id, prepared.first - 1, parent_hash)
    ring(session)
    _insert_blocks(session, contract_id, prepared)
    bulk = bulk_of(session)
    bulk.insert("events", EVENT_COLUMNS, prepared.events)
    prepared.folding.write(session)
    bulk.insert("outbox", outbox.COLUMNS, prepared.entries)
    last = prepared.headers[prepared.last]
    mark.seen_number, mark.seen_hash, mark.seen_at = last.number, last.hash, last.timestamp
    move_final(mark, final)
    _forget_blocks(session, contract_id, range(prepared.first - 1 - window, last.number - window))
    return mark.final_number


def move_final(mark: CheckpointRow, final: int) -> None:
    """Moves the final mark up to `final`, never beyond what is seen and never down."""
    mark.final_number = max(mark.final_number, min(final, mark.seen_number))


def roll_back(session: Session, contract_id: int, seen: int, seen_hash: str, *, fork: int, final: int) -> Reorg:
    """Undoes every block above `fork`, which is one of those remembered.

    Orders, policies and grants are folded again from the events that stay; what the events that go had moved on
    balances is moved back.

    Args:
        seen, seen_hash: the last block as the checkpoint should have it.
        final: the chain's last final block, as far as is known. It counts where the mark was broken: otherwise a mark
            stays, since what was said to be final is still there.

    Raises:
        Overtaken: it has not.
    """
    mark = locked_checkpoint(session, contract_id, seen, seen_hash)
    ring(session)
    gone = load_events_above(session, contract_id, fork)
    order_ids = {logged.event.order_id for logged in gone if isinstance(logged.event, OrderEvent)}
    folding = Folding(contract_id)
    told = [_told(logged.event) for logged in gone]
    folding.load(session, folding.recall(told))
    before = folding.forget(order_ids)
    for name, values in told:
        folding.move(name, values, before.get(values[0]), back=True)
    session.execute(delete(EventRow).where(EventRow.contract_id == contract_id, EventRow.block_number > fork))
    others = load_other_events(session, contract_id, _clear_registers(session, contract_id, gone))
    for logged in chain(others, load_order_events(session, contract_id, order_ids)):
        place = logged.block_number, logged.log_index
        folding.add(*_told(logged.event), place, logged.timestamp, money=False)
    folding.arrange(bulk_of(session).values)
    folding.write(session)
    outbox.retract(session, contract_id, fork, gone, folding.orders)
    session.execute(delete(BlockRow).where(BlockRow.contract_id == contract_id, BlockRow.number > fork))
    last = session.get_one(BlockRow, (contract_id, fork))
    reorg = Reorg(
        fork=fork,
        depth=mark.seen_number - fork,
        events=len(gone),
        orders=len(order_ids),
        below_final=fork < mark.final_number,
    )
    mark.seen_number, mark.seen_hash, mark.seen_at = last.number, last.hash, last.timestamp
    if reorg.below_final:
        mark.final_number = max(0, min(final, fork))
    return reorg


def _told(event: Event) -> Told:
    return type(event).__name__, values_of(event)


def _insert_blocks(session: Session, contract_id: int, prepared: Prepared) -> None:
    session.execute(
        insert(BlockRow),
        [
            {
                "contract_id": contract_id,
                "number": header.number,
                "hash": header.hash,
                "parent_hash": header.parent_hash,
                "timestamp": header.timestamp,
                "has_events": header.number in prepared.busy,
            }
            for header in prepared.headers.values()
        ],
    )


def _forget_blocks(session: Session, contract_id: int, numbers: range) -> None:
    """Deletes the blocks without events that fall out of the window. Those below went with the ranges before, and are
    not looked at again: there is one for each block that ever had events.
    """
    session.execute(
        delete(BlockRow)
        .where(
            BlockRow.contract_id == contract_id,
            BlockRow.number >= numbers.start,
            BlockRow.number < numbers.stop,
            ~BlockRow.has_events,
        )
        .execution_options(synchronize_session=False)
    )


def _clear_registers(session: Session, contract_id: int, gone: Sequence[Logged]) -> set[str]:
    """Deletes the policies and grants that these events made or changed; returns whose they are."""
    policies = {logged.event.policy_id for logged in gone if isinstance(logged.event, PolicyEvent)}
    sellers = {logged.event.seller for logged in gone if isinstance(logged.event, PayToRegistered | OperatorSet)}
    for part in parts(sorted(policies)):
        session.execute(delete(PolicyRow).where(PolicyRow.contract_id == contract_id, PolicyRow.policy_id.in_(part)))
    for part in parts(sorted(sellers)):
        session.execute(delete(PayToRow).where(PayToRow.contract_id == contract_id, PayToRow.seller.in_(part)))
        session.execute(delete(OperatorRow).where(OperatorRow.contract_id == contract_id, OperatorRow.seller.in_(part)))
    return policies | sellers
