"""Lists of somebody's orders, page by page: as buyer, as seller, under a platform's or a mediator's policies.

Each capacity, and each policy, is a run of an index that is read no further than the page needs; the runs are merged
here. So a page costs the same among a million orders as among ten.
"""

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from kameng_escrow.domain.states import State

from .errors import InvalidCursor
from .models import OrderRow, PolicyRow

_CURSOR = re.compile(r"([a-z]+)((?:-\d{1,15}){2,3})")


class Capacity(StrEnum):
    """In what capacity somebody's orders are listed."""

    Buyer = "buyer"
    Seller = "seller"
    Platform = "platform"
    Mediator = "mediator"  # or backup; only orders that are or were in dispute


class Sorting(StrEnum):
    """In what order."""

    Newest = "newest"
    Oldest = "oldest"
    Deadline = "deadline"  # the next to run out first; open orders only


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """What is to be listed."""

    account: str  # checksummed
    capacities: frozenset[Capacity] = frozenset(Capacity)
    states: frozenset[State] | None = None  # None: all
    sorting: Sorting = Sorting.Newest
    limit: int = 50
    cursor: str | None = None  # of the page before


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A page."""

    rows: Sequence[OrderRow]
    cursor: str | None  # None: this was the last


def list_orders(session: Session, contract_id: int, query: ListQuery) -> Rows:
    """A page of somebody's orders.

    Raises:
        InvalidCursor: no page of this kind gave it out.
    """
    after = _parse(query)
    runs = [
        session.scalars(_ordered(select(OrderRow).where(OrderRow.contract_id == contract_id, run), query, after))
        for run in _runs(session, contract_id, query)
    ]
    merged = heapq.merge(*runs, key=_key(query.sorting))
    rows = list(islice(_once(merged), query.limit + 1))
    more = len(rows) > query.limit
    page = rows[: query.limit]
    return Rows(rows=page, cursor=_cursor(page[-1], query.sorting) if more else None)


def _runs(session: Session, contract_id: int, query: ListQuery) -> Iterable[ColumnElement[bool]]:
    """The conditions whose rows an index has in the page's order."""
    account = query.account
    if Capacity.Buyer in query.capacities:
        yield OrderRow.buyer == account
    if Capacity.Seller in query.capacities:
        yield OrderRow.seller == account
    policies = select(PolicyRow.policy_id).where(PolicyRow.contract_id == contract_id)
    if Capacity.Platform in query.capacities:
        for policy_id in session.scalars(policies.where(PolicyRow.platform == account)):
            yield OrderRow.policy_id == policy_id
    if Capacity.Mediator in query.capacities:
        mediates = or_(PolicyRow.mediator == account, PolicyRow.backup_mediator == account)
        for policy_id in session.scalars(policies.where(mediates)):
            yield (OrderRow.policy_id == policy_id) & OrderRow.disputed_at.is_not(None)


def _ordered(rows: Select[OrderRow], query: ListQuery, after: tuple[int, ...] | None) -> Select[OrderRow]:
    columns = _COLUMNS[query.sorting]
    if query.states is not None:
        rows = rows.where(OrderRow.state.in_(query.states))
    if query.sorting is Sorting.Deadline or (query.states and all(state.is_open for state in query.states)):
        rows = rows.where(OrderRow.deadline.is_not(None))  # which opens the indexes of open orders
    newest = query.sorting is Sorting.Newest
    if after is not None:
        place = tuple_(*columns)
        rows = rows.where(place < tuple_(*after) if newest else place > tuple_(*after))
    return rows.order_by(*(column.desc() if newest else column for column in columns)).limit(query.limit + 1)


_PLACE = (OrderRow.first_block, OrderRow.first_log_index)
_COLUMNS: dict[Sorting, tuple[InstrumentedAttribute[Any], ...]] = {
    Sorting.Newest: _PLACE,
    Sorting.Oldest: _PLACE,
    Sorting.Deadline: (OrderRow.deadline, *_PLACE),
}


def _place(row: OrderRow, sorting: Sorting) -> tuple[int, ...]:
    return tuple(getattr(row, column.key) for column in _COLUMNS[sorting])


def _key(sorting: Sorting) -> Callable[[OrderRow], tuple[int, ...]]:
    sign = -1 if sorting is Sorting.Newest else 1
    return lambda row: tuple(sign * part for part in _place(row, sorting))


def _once(rows: Iterable[OrderRow]) -> Iterator[OrderRow]:
    """Without those that somebody has in several capacities: they come next to each other."""
    last = None
    for row in rows:
        if row.order_id != last:
            yield row
        last = row.order_id


def _cursor(row: OrderRow, sorting: Sorting) -> str:
    return "-".join((sorting.value, *map(str, _place(row, sorting))))


def _parse(query: ListQuery) -> tuple[int, ...] | None:
    if query.cursor is None:
        return None
    match = _CURSOR.fullmatch(query.cursor)
    numbers = () if match is None else tuple(map(int, match[2].split("-")[1:]))
    if match is None or match[1] != query.sorting or len(numbers) != len(_COLUMNS[query.sorting]):
        raise InvalidCursor(f"{query.cursor!r} is no cursor of a page: take the one that the page before gave.")
    return numbers
