"""Events, policies and rows of a contract as they are stored, for whoever has a session; in pieces that a statement has
room for.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from kameng_escrow.domain.events import Logged
from kameng_escrow.domain.policy import Policy

from .event_json import from_stored
from .models import BlockRow, EventRow, OrderRow, PolicyRow
from .order_rows import restore_policy

_Item = TypeVar("_Item")


def load_order_events(session: Session, contract_id: int, order_ids: Collection[str]) -> list[Logged]:
    """Every event of these orders, in the chain's order."""
    query = _event_query(contract_id).join(
        OrderRow,
        (OrderRow.contract_id == EventRow.contract_id)
        & (OrderRow.first_block == EventRow.order_block)
        & (OrderRow.first_log_index == EventRow.order_log_index),
    )
    return _events(session, (query.where(OrderRow.order_id.in_(part)) for part in parts(sorted(order_ids))))


def load_other_events(session: Session, contract_id: int, subjects: Collection[str]) -> list[Logged]:
    """Every event about these policies and accounts, in the chain's order; none of orders."""
    query = _event_query(contract_id).where(EventRow.order_block.is_(None))
    return _events(session, (query.where(EventRow.subject.in_(part)) for part in parts(sorted(subjects))))


def load_events_above(session: Session, contract_id: int, block: int) -> list[Logged]:
    """Every event of the blocks above this one, in the chain's order."""
    return _events(session, [_event_query(contract_id).where(EventRow.block_number > block)])


def _event_query(contract_id: int) -> Select[Any]:
    columns = (
        EventRow.name,
        EventRow.subject,
        EventRow.fields,
        EventRow.block_number,
        BlockRow.hash,
        BlockRow.timestamp,
        EventRow.transaction_hash,
        EventRow.log_index,
    )
    of_block = (BlockRow.contract_id == EventRow.contract_id) & (BlockRow.number == EventRow.block_number)
    return select(*columns).join(BlockRow, of_block).where(EventRow.contract_id == contract_id)


def _events(session: Session, queries: Iterable[Select[Any]]) -> list[Logged]:
    found = [
        Logged(
            event=from_stored(name, subject, fields),
            block_number=number,
            block_hash=block_hash,
            timestamp=timestamp,
            transaction_hash=transaction_hash,
            log_index=log_index,
        )
        for query in queries
        for name, subject, fields, number, block_hash, timestamp, transaction_hash, log_index in session.execute(query)
    ]
    return sorted(found, key=lambda logged: (logged.block_number, logged.log_index))


def load_policies(session: Session, contract_id: int, policy_ids: Collection[str]) -> dict[str, Policy]:
    """Those of the policies that are registered, by id."""
    query = select(PolicyRow).where(PolicyRow.contract_id == contract_id)
    return {
        row.policy_id: restore_policy(row)
        for part in parts(sorted(policy_ids))
        for row in session.scalars(query.where(PolicyRow.policy_id.in_(part)))
    }


def load_orders(session: Session, contract_id: int, order_ids: Collection[str]) -> list[Any]:
    """The rows of those of the orders that are known."""
    query = select(*OrderRow.__table__.columns).where(OrderRow.contract_id == contract_id)
    return [
        row for part in parts(sorted(order_ids)) for row in session.execute(query.where(OrderRow.order_id.in_(part)))
    ]


def parts(items: Sequence[_Item], size: int = 500) -> Iterable[Sequence[_Item]]:
    """In pieces that a statement has room for: SQLite takes 32,766 parameters, older ones 999."""
    return (items[start : start + size] for start in range(0, len(items), size))
