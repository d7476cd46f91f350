"""What the mirror tells the rest of the world, written with the rows that it is about."""

import time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kameng_escrow.domain.events import Logged, OrderEvent
from kameng_escrow.domain.order import Order
from kameng_escrow.store.event_json import to_json
from kameng_escrow.store.models import OutboxRow


def entry(logged: Logged, event: OrderEvent, order: Order) -> dict[str, Any]:
    """The columns of an order event's row. `order`: as the event left it."""
    name = type(event).__name__
    return {
        "order_id": event.order_id,
        "name": name,
        "block_number": logged.block_number,
        "block_hash": logged.block_hash,
        "log_index": logged.log_index,
        "payload": {
            "event": name,
            "order_id": event.order_id,
            "fields": to_json(event),
            "order": _standing(order),
            "transaction_hash": logged.transaction_hash,
            "timestamp": logged.timestamp,
        },
        "created_ms": _now_ms(),
    }


def retract(session: Session, contract_id: int, fork: int, orders: dict[str, Order]) -> None:
    """Adds a retraction of every entry above block `fork` that still stands, the last first.

    Args:
        orders: those that are left of the orders concerned, as they stand now.
    """
    standing = session.scalars(
        select(OutboxRow)
        .where(OutboxRow.contract_id == contract_id, OutboxRow.block_number > fork)
        .where(OutboxRow.retracts.is_(None), OutboxRow.retracted_by.is_(None))
        .order_by(OutboxRow.id.desc())
    ).all()
    for row in standing:
        order = orders.get(row.order_id)
        retraction = OutboxRow(
            contract_id=contract_id,
            order_id=row.order_id,
            name=row.name,
            block_number=row.block_number,
            block_hash=row.block_hash,
            log_index=row.log_index,
            payload={**row.payload, "order": _standing(order) if order else None, "retracts": row.id},
            retracts=row.id,
            created_ms=_now_ms(),
        )
        session.add(retraction)
        session.flush()  # gives it its id, in this order
        row.retracted_by = retraction.id
    session.flush()


def _standing(order: Order) -> dict[str, Any]:
    """Where an order stands, for readers who will not look it up."""
    return {
        "state": order.state.label,
        "outcome": order.outcome.label,
        "fault": order.fault.label,
        "revision": order.revision,
        "deadline": order.deadline,
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
