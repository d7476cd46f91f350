"""What the mirror tells the rest of the world, written with the rows that it is about."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kameng_escrow.domain.events import Logged
from kameng_escrow.domain.states import Fault, Outcome, State
from kameng_escrow.store.event_json import stored_fields
from kameng_escrow.store.models import OutboxRow

from .records import Record

COLUMNS = (
    *("contract_id", "order_id", "name", "block_number", "log_index"),
    *("created_ms", "state", "outcome", "fault", "revision", "deadline"),
)
_STATES, _OUTCOMES, _FAULTS = (tuple(member.label for member in word) for word in (State, Outcome, Fault))


def entry(contract_id: int, name: str, order: Record, now_ms: int) -> tuple[Any, ...]:
    """The values of COLUMNS for the row of an order's event. `order`: as the event left it."""
    return (
        contract_id,
        order.id,
        name,
        *order.last,
        now_ms,
        _STATES[order.state],
        _OUTCOMES[order.outcome],
        _FAULTS[order.fault],
        order.revision,
        order.deadline,
    )


def retract(
    session: Session, contract_id: int, fork: int, gone: Sequence[Logged], orders: Mapping[str, Record]
) -> None:
    """Adds a retraction of every entry above block `fork` that still stands, the last first.

    Args:
        gone: the events above the fork.
        orders: those that are left of the orders concerned, as they stand now.
    """
    said = {(logged.block_number, logged.log_index): logged for logged in gone}
    entries = (
        select(OutboxRow)
        .where(OutboxRow.contract_id == contract_id, OutboxRow.retracts.is_(None), OutboxRow.retracted_by.is_(None))
        .order_by(OutboxRow.id.desc())
    )
    # Standing entries are in the chain's order, so that all above the fork come after the last one that is not.
    below = session.scalar(entries.where(OutboxRow.block_number <= fork).limit(1).with_only_columns(OutboxRow.id))
    standing = session.scalars(entries.where(OutboxRow.id > (below or 0))).all()
    for row in standing:
        order = orders.get(row.order_id)
        row.withdrawn = _withdrawn(said[row.block_number, row.log_index])
        retraction = OutboxRow(
            contract_id=contract_id,
            order_id=row.order_id,
            name=row.name,
            block_number=row.block_number,
            log_index=row.log_index,
            retracts=row.id,
            created_ms=now_ms(),
            withdrawn=row.withdrawn,
        )
        if order is not None:
            for name in ("state", "outcome", "fault", "revision", "deadline"):
                setattr(retraction, name, getattr(order, name))
        session.add(retraction)
        session.flush()  # gives it its id, in this order
        row.retracted_by = retraction.id
    session.flush()


def now_ms() -> int:
    """Unix milliseconds of our clock."""
    return time.time_ns() // 1_000_000


def _withdrawn(logged: Logged) -> dict[str, Any]:
    """What was said in the event's row and its block's, which go."""
    return {
        "block_hash": logged.block_hash,
        "transaction_hash": logged.transaction_hash,
        "timestamp": logged.timestamp,
        "fields": stored_fields(logged.event),
    }
