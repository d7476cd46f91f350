"""What the outbox has to say, for those who pass it on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from .models import BlockRow, EventRow, OutboxRow


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One row of the outbox, with what the event said."""

    id: int
    order_id: str
    name: str  # of the event
    block_number: int
    block_hash: str
    log_index: int
    transaction_hash: str
    timestamp: int  # Unix seconds of the block
    fields: dict[str, Any]  # of the event as JSON, but for the order's id
    order: dict[str, Any] | None  # how the order stood after it: state, outcome, fault, revision, deadline
    retracts: int | None  # the id of the row that no longer holds
    retracted_by: int | None  # the id of the row that says so of this one
    created_ms: int  # Unix milliseconds of the mirror's clock

    def payload(self) -> dict[str, Any]:
        """All that a receiver needs, as JSON."""
        document = {
            "event": self.name,
            "order_id": self.order_id,
            "fields": {"order_id": self.order_id, **self.fields},
            "order": self.order,
            "transaction_hash": self.transaction_hash,
            "timestamp": self.timestamp,
        }
        return document if self.retracts is None else {**document, "retracts": self.retracts}


def read_news(session: Session, contract_id: int, *, after: int = 0, limit: int = 1_000) -> list[News]:
    """The rows with larger ids than `after`, in their order, at most `limit`."""
    query = _query(contract_id).where(OutboxRow.id > after).order_by(OutboxRow.id).limit(limit)
    return [_news(row, *said) for row, *said in session.execute(query)]


def read_news_of(session: Session, contract_id: int, ids: Iterable[int]) -> dict[int, News]:
    """The rows with these ids, as far as there are any, by id."""
    query = _query(contract_id).where(OutboxRow.id.in_(list(ids)))
    return {row.id: _news(row, *said) for row, *said in session.execute(query)}


def _query(contract_id: int) -> Select[Any]:
    event_of = (
        (EventRow.contract_id == OutboxRow.contract_id)
        & (EventRow.block_number == OutboxRow.block_number)
        & (EventRow.log_index == OutboxRow.log_index)
    )
    block_of = (BlockRow.contract_id == OutboxRow.contract_id) & (BlockRow.number == OutboxRow.block_number)
    return (
        select(OutboxRow, EventRow.transaction_hash, EventRow.fields, BlockRow.hash, BlockRow.timestamp)
        .outerjoin(EventRow, event_of)
        .outerjoin(BlockRow, block_of)
        .where(OutboxRow.contract_id == contract_id)
    )


def _news(row: OutboxRow, *said: Any) -> News:
    if row.withdrawn is None:
        transaction_hash, fields, block_hash, timestamp = said
    else:
        gone = row.withdrawn
        transaction_hash, fields = gone["transaction_hash"], gone["fields"]
        block_hash, timestamp = gone["block_hash"], gone["timestamp"]
    return News(
        id=row.id,
        order_id=row.order_id,
        name=row.name,
        block_number=row.block_number,
        block_hash=block_hash,
        log_index=row.log_index,
        transaction_hash=transaction_hash,
        timestamp=timestamp,
        fields=fields,
        order=_standing(row),
        retracts=row.retracts,
        retracted_by=row.retracted_by,
        created_ms=row.created_ms,
    )


def _standing(row: OutboxRow) -> dict[str, Any] | None:
    if row.state is None or row.outcome is None or row.fault is None:
        return None
    return {
        "state": row.state.label,
        "outcome": row.outcome.label,
        "fault": row.fault.label,
        "revision": row.revision,
        "deadline": row.deadline,
    }
