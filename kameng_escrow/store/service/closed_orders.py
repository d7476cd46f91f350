"""The orders that closed in a period, one after the other, however many there are, in the order of their opening.

That order is the one of an index, so that nothing is sorted and nothing is held in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session, aliased

from kameng_escrow.domain.events import OrderOpened
from kameng_escrow.domain.states import Fault, Outcome, State
from kameng_escrow.store.models import BlockRow, EventRow, OrderRow, PolicyRow

_AT_ONCE = 1_000  # rows on their way from the database


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose orders: of one party, of one platform, or of all."""

    party: str | None = None  # as buyer or seller
    platform: str | None = None  # under whose policies


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedOrder:
    """All of an order that its books say. Amounts in base units, with what was paid when a dispute began."""

    first: tuple[int, int]  # block and log index of its first event: the order of lists
    order_id: str
    listing: str
    policy_id: str
    platform: str
    buyer: str
    refund_to: str
    seller: str
    pay_to: str
    token: str
    units: int
    disputed_units: int
    outcome: Outcome
    fault: Fault
    price: int
    to_buyer: int
    to_seller: int
    platform_fee: int
    mediation_fee: int
    bond_returned: int
    opened_at: int  # Unix seconds
    closed_at: int
    opened_transaction: str
    closed_transaction: str
    closed_block: int
    closed_block_hash: str


def closed_orders(session: Session, contract_id: int, scope: Scope, *, since: int, until: int) -> Iterator[ClosedOrder]:
    """Orders that closed at since ≤ t < until (Unix seconds). Read while the session lives."""
    for row in merge(*(_stream(session, query) for query in _queries(contract_id, scope, since, until)), key=_place):
        yield _order(row)


def count_closed(session: Session, contract_id: int, scope: Scope, *, since: int, until: int) -> int:
    """How many those are."""
    return sum(
        session.scalar(select(func.count()).select_from(OrderRow).where(*condition)) or 0
        for condition in _conditions(contract_id, scope, since, until)
    )


def closed_by_id(session: Session, contract_id: int, order_id: str) -> ClosedOrder | None:
    """An order that closed, whenever that was; None: there is none."""
    wanted = (OrderRow.contract_id == contract_id, OrderRow.order_id == order_id, OrderRow.state == State.Closed)
    found = session.execute(_select().where(*wanted)).first()
    return None if found is None else _order(found)


def in_scope(order: ClosedOrder, scope: Scope, *, since: int, until: int) -> bool:
    """Whether `closed_orders` would have it."""
    return (
        since <= order.closed_at < until
        and scope.party in (None, order.buyer, order.seller)
        and scope.platform in (None, order.platform)
    )


def _queries(contract_id: int, scope: Scope, since: int, until: int) -> list[Select[Any]]:
    ordered = _select().order_by(OrderRow.first_block, OrderRow.first_log_index)
    return [ordered.where(*condition) for condition in _conditions(contract_id, scope, since, until)]


def _conditions(contract_id: int, scope: Scope, since: int, until: int) -> list[tuple[ColumnElement[bool], ...]]:
    """One for each index that is to be walked along. Nobody is buyer and seller of an order."""
    common: tuple[ColumnElement[bool], ...] = (
        OrderRow.contract_id == contract_id,
        OrderRow.state == State.Closed,
        OrderRow.closed_at >= since,
        OrderRow.closed_at < until,
    )
    if scope.platform is not None:
        policies = select(PolicyRow.policy_id).where(
            PolicyRow.contract_id == contract_id, PolicyRow.platform == scope.platform
        )
        common = (*common, OrderRow.policy_id.in_(policies))
    if scope.party is None:
        return [common]
    return [(*common, role == scope.party) for role in (OrderRow.buyer, OrderRow.seller)]


def _stream(session: Session, query: Select[Any]) -> Iterator[Any]:
    yield from session.execute(query.execution_options(yield_per=_AT_ONCE))


def _place(row: Any) -> tuple[int, int]:
    return row.first_block, row.first_log_index


_PLAIN = (
    *("order_id", "listing", "policy_id", "buyer", "refund_to", "seller", "pay_to", "token", "units"),
    *("disputed_units", "outcome", "fault", "price", "opened_at", "closed_at"),
)
_SHARES = ("to_buyer", "to_seller", "platform_fee", "mediation_fee", "bond_returned")


def _select() -> Select[Any]:
    opening, closing = aliased(EventRow), aliased(EventRow)
    columns = (
        *(getattr(OrderRow, name) for name in (*_PLAIN, "first_block", "first_log_index")),
        *(getattr(OrderRow, f"{part}_{name}") for part in ("shares", "undisputed") for name in _SHARES),
        PolicyRow.platform,
        opening.transaction_hash.label("opened_transaction"),
        closing.transaction_hash.label("closed_transaction"),
        OrderRow.last_block.label("closed_block"),
        BlockRow.hash.label("closed_block_hash"),
    )
    query: Select[Any] = select(*columns)
    return (
        query.join(PolicyRow, _both(PolicyRow, policy_id=OrderRow.policy_id))
        .join(opening, _both(opening, order_block=OrderRow.first_block, order_log_index=OrderRow.first_log_index))
        .join(closing, _both(closing, block_number=OrderRow.last_block, log_index=OrderRow.last_log_index))
        .join(BlockRow, _both(BlockRow, number=OrderRow.last_block))
        .where(opening.name == OrderOpened.__name__)
    )


def _both(model: Any, **columns: Any) -> ColumnElement[bool]:
    """That a row is of the order's contract, and has these values."""
    return and_(
        model.contract_id == OrderRow.contract_id, *(getattr(model, name) == value for name, value in columns.items())
    )


def _order(row: Any) -> ClosedOrder:
    paid = {name: getattr(row, f"shares_{name}") + (getattr(row, f"undisputed_{name}") or 0) for name in _SHARES}
    return ClosedOrder(
        first=(row.first_block, row.first_log_index),
        platform=row.platform,
        opened_transaction=row.opened_transaction,
        closed_transaction=row.closed_transaction,
        closed_block=row.closed_block,
        closed_block_hash=row.closed_block_hash,
        **{name: getattr(row, name) for name in _PLAIN},
        **paid,
    )
