"""Orders as they are read most: one, or a page of somebody's, with what the reader was granted and the mirror's marks.

Each is one statement or a few on one connection (`glances`), and policies are kept once they were read: a policy never
changes, since its id is the hash of it.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, CompoundSelect, Integer, Select, bindparam, select

from kameng_escrow.domain.events import Logged
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.signed import OperatorGrant

from .event_json import from_stored, subject_of
from .glances import Prepared, Reader, Row
from .models import BlockRow, CheckpointRow, EventRow, OperatorRow, OrderRow, PolicyRow
from .order_rows import POLICY_COLUMNS, RESTORED, restore_order_values, restore_policy_values
from .values import Marks, MirroredOrder, Position, SeenOrder

CONTRACT: Final = bindparam("contract", type_=Integer)
READ: Final = (*RESTORED, "first_block", "first_log_index", "last_block", "last_log_index")
_KNOWN_POLICIES: Final = 10_000  # kept at most

_NO_ACCOUNT: Final = ""  # who was granted nothing


def seen(rows: Select[Any] | CompoundSelect[Any], order: Sequence[str] = (), descending: bool = False) -> Prepared:
    """A statement that reads what `SeenOrders.of` makes orders of.

    Args:
        rows: `select_orders` with its conditions, and order and limit where it has any, or several of them. Read
            first: an index has them in their order, and no join may have the database go about it otherwise.
        order: the columns of that order, and whether it is descending.
    """
    orders = rows.subquery("o")
    column = orders.c
    granted = (
        (OperatorRow.contract_id == CheckpointRow.contract_id)
        & (OperatorRow.seller == column.seller)
        & (OperatorRow.operator == bindparam("account", type_=OperatorRow.operator.type))
        & (OperatorRow.token == column.token)
        & (OperatorRow.policy_id == column.policy_id)
    )
    query = (
        select(
            *(column[name] for name in READ),
            OperatorRow.rights,
            OperatorRow.expiry,
            OperatorRow.max_price,
            CheckpointRow.seen_number,
            CheckpointRow.seen_hash,
            CheckpointRow.seen_at,
            CheckpointRow.final_number,
        )
        .select_from(orders)
        .join(CheckpointRow, CheckpointRow.contract_id == CONTRACT)
        .outerjoin(OperatorRow, granted)
    )
    return Prepared(query.order_by(*(column[name].desc() if descending else column[name] for name in order)))


def select_orders() -> Select[Any]:
    """All columns that are needed of a contract's orders."""
    columns = (getattr(OrderRow, name) for name in READ)
    return select(*columns).where(OrderRow.contract_id == CONTRACT)


@cache
def _one_order() -> Prepared:
    return seen(select_orders().where(OrderRow.order_id == bindparam("order", type_=OrderRow.order_id.type)))


@cache
def _marks() -> Prepared:
    mark = CheckpointRow
    columns = (mark.seen_number, mark.seen_hash, mark.seen_at, mark.final_number)
    return Prepared(select(*columns).where(mark.contract_id == CONTRACT))


@cache
def _place() -> Prepared:
    columns = (OrderRow.first_block, OrderRow.first_log_index)
    wanted = bindparam("order", type_=OrderRow.order_id.type)
    return Prepared(select(*columns).where(OrderRow.contract_id == CONTRACT, OrderRow.order_id == wanted))


@cache
def _history() -> Prepared:
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
    query = (
        select(*columns)
        .join(BlockRow, (BlockRow.contract_id == CONTRACT) & (BlockRow.number == EventRow.block_number))
        .where(
            EventRow.contract_id == CONTRACT,
            EventRow.order_block == bindparam("block", type_=BigInteger),
            EventRow.order_log_index == bindparam("index", type_=Integer),
        )
    )  # unsorted: SQLite would rather walk all events in that order than use the index of the order's
    return Prepared(query)


@cache
def _policy() -> Prepared:
    columns = (getattr(PolicyRow, name) for name in POLICY_COLUMNS)
    wanted = bindparam("policy", type_=PolicyRow.policy_id.type)
    return Prepared(select(*columns).where(PolicyRow.contract_id == CONTRACT, PolicyRow.policy_id == wanted))


class SeenOrders:
    """Reads one contract's orders."""

    def __init__(self, contract_id: int) -> None:
        self._contract = contract_id
        self._policies: dict[str, Policy] = {}

    def one(self, reader: Reader, order_id: str, account: str = _NO_ACCOUNT) -> SeenOrder | None:
        """An order as an account sees it; None where there is none of that id (in lowercase)."""
        rows = reader.all(_one_order(), contract=self._contract, order=order_id, account=account)
        return next(iter(self.of(reader, rows)), None)

    def of(self, reader: Reader, rows: Collection[Row]) -> list[SeenOrder]:
        """The orders of the rows that a statement of `seen` has read."""
        return [self._order(reader, row) for row in rows]

    def _order(self, reader: Reader, row: Row) -> SeenOrder:
        count = len(RESTORED)
        first_block, first_index, last_block, last_index, rights, expiry, max_price, *marks = row[count:]
        number, block_hash, at, final = marks
        order = restore_order_values(row[:count], lambda policy_id: self._policy(reader, policy_id))
        return SeenOrder(
            mirrored=MirroredOrder(
                order=order,
                first=Position(block_number=first_block, log_index=first_index),
                last=Position(block_number=last_block, log_index=last_index),
                final=last_block <= final,
            ),
            grant=None if rights is None else OperatorGrant(rights=rights, expiry=expiry, max_price=max_price),
            marks=Marks(seen=number, seen_hash=block_hash, seen_at=at, final=final),
        )

    def _policy(self, reader: Reader, policy_id: str) -> Policy:
        known = self._policies.get(policy_id)
        if known is None:
            row = reader.first(_policy(), contract=self._contract, policy=policy_id)
            if row is None:
                raise KeyError(policy_id)  # somebody has lost it: orders under it can't be told before a repair
            if len(self._policies) >= _KNOWN_POLICIES:
                self._policies.clear()
            known = self._policies[policy_id] = restore_policy_values(row)
        return known

    def marks(self, reader: Reader) -> Marks:
        """How far the mirror has come."""
        row = reader.first(_marks(), contract=self._contract)
        assert row is not None, "a contract has its checkpoint from the beginning"
        number, block_hash, at, final = row
        return Marks(seen=number, seen_hash=block_hash, seen_at=at, final=final)

    def history(self, reader: Reader, order_id: str) -> list[Logged]:
        """The order's events, oldest first; none where there is no such order."""
        with reader.one_moment():
            place = reader.first(_place(), contract=self._contract, order=order_id)
            return [] if place is None else self._events(reader, *place)

    def history_of(self, reader: Reader, order: MirroredOrder) -> list[Logged]:
        """The same of an order that was just read, by its place; none where a reorganisation has moved it meanwhile."""
        found = self._events(reader, order.first.block_number, order.first.log_index)
        return found if all(subject_of(logged.event) == order.order.id for logged in found) else []

    def _events(self, reader: Reader, block: int, index: int) -> list[Logged]:
        rows = reader.all(_history(), contract=self._contract, block=block, index=index)
        return sorted(_logged(rows), key=lambda logged: (logged.block_number, logged.log_index))


def _logged(rows: Iterable[Row]) -> Iterator[Logged]:
    for name, subject, fields, number, block_hash, timestamp, transaction_hash, log_index in rows:
        yield Logged(
            event=from_stored(name, subject, fields),
            block_number=number,
            block_hash=block_hash,
            timestamp=timestamp,
            transaction_hash=transaction_hash,
            log_index=log_index,
        )
