"""Lists of somebody's orders, page by page: as buyer, as seller, under a platform's or a mediator's policies.

Each capacity, and each policy, is a run of an index that is read no further than the page needs; the runs are merged
here. So a page costs the same among a million orders as among ten.
"""

import heapq
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, bindparam, literal_column, or_, select, tuple_
from sqlalchemy.ext.compiler import compiles

from kameng_escrow.domain.states import State

from .errors import InvalidCursor
from .glances import Prepared, Reader
from .models import ClockRow, OrderRow, PolicyRow, running
from .order_reads import CONTRACT, LIMIT, SeenOrders, seen, select_orders
from .types import labels, one_of
from .values import SeenOrder, SeenPage

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


@dataclass(frozen=True, slots=True)
class Run:
    """Somebody's orders in one capacity, which an index has in the page's order."""

    column: str  # of `OrderRow`
    value: str
    disputed: bool = False  # only those that are or were in dispute


def list_orders(reader: Reader, contract_id: int, orders: SeenOrders, query: ListQuery) -> SeenPage:
    """A page of somebody's orders, all as at one moment.

    Raises:
        InvalidCursor: no page of this kind gave it out.
    """
    after = _parse(query)
    values: dict[str, Any] = {"contract": contract_id, "account": query.account, "limit": query.limit + 1}
    values |= {f"after{index}": number for index, number in enumerate(after or ())}
    with reader.one_moment():
        runs = []
        for run in _runs(reader, contract_id, query):
            statement = _statement(run.column, run.disputed, query.states, query.sorting, after is not None)
            runs.append(orders.of(reader, reader.all(statement, value=run.value, **values)))
    merged = heapq.merge(*runs, key=_key(query.sorting)) if len(runs) != 1 else runs[0]
    found = list(islice(_once(merged), query.limit + 1))
    more = len(found) > query.limit
    page = found[: query.limit]
    return SeenPage(orders=tuple(page), cursor=_cursor(page[-1], query.sorting) if more else None)


@cache
def _policies() -> Prepared:
    account = bindparam("account", type_=PolicyRow.platform.type)
    mediates = or_(PolicyRow.mediator == account, PolicyRow.backup_mediator == account)
    concerned = or_(PolicyRow.platform == account, mediates)
    columns = (PolicyRow.policy_id, PolicyRow.platform, PolicyRow.mediator, PolicyRow.backup_mediator)
    return Prepared(select(*columns).where(PolicyRow.contract_id == CONTRACT, concerned))


def _runs(reader: Reader, contract_id: int, query: ListQuery) -> Iterator[Run]:
    account = query.account
    if Capacity.Buyer in query.capacities:
        yield Run("buyer", account)
    if Capacity.Seller in query.capacities:
        yield Run("seller", account)
    if query.capacities.isdisjoint((Capacity.Platform, Capacity.Mediator)):
        return
    for policy_id, platform, *mediators in reader.all(_policies(), contract=contract_id, account=account):
        if Capacity.Platform in query.capacities and platform == account:
            yield Run("policy_id", policy_id)
        elif Capacity.Mediator in query.capacities and account in mediators:
            yield Run("policy_id", policy_id, disputed=True)


class _NoIndex(ColumnElement[Any]):
    """A column by which no index is to be chosen. PostgreSQL knows how many rows each has, and chooses well; SQLite
    would rather walk through all orders of a policy than through the few of any that are open, or were disputed.
    """

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column
        self.type = column.type


@compiles(_NoIndex)
def _plain(element: _NoIndex, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.column, **options))


@compiles(_NoIndex, "sqlite")
def _with_plus(element: _NoIndex, compiler: Any, **options: Any) -> str:
    return f"+{compiler.process(element.column, **options)}"  # as its documentation has it


@cache
def _statement(
    column: str, disputed: bool, states: frozenset[State] | None, sorting: Sorting, further: bool
) -> Prepared:
    attribute = getattr(OrderRow, column)
    many = column == "policy_id"  # a platform's orders may be most of all
    owned = _NoIndex(attribute) if many and sorting is Sorting.Deadline else attribute
    rows = select_orders().where(owned == bindparam("value", type_=attribute.type))
    if disputed:
        rows = rows.where(OrderRow.disputed_at.is_not(None))
    table: type[OrderRow | ClockRow] = OrderRow
    if sorting is Sorting.Deadline or (states and all(state.is_open for state in states)):
        rows, table = rows.join(ClockRow, running()), ClockRow  # which has only open orders
    if states is not None:
        # Written out, since they are few words of ours: a parameter for each could not be prepared once.
        rows = rows.where(literal_column(one_of(f"{table.__tablename__}.state", labels(sorted(states)))))
    columns = [getattr(table if sorting is Sorting.Deadline else OrderRow, name) for name in _COLUMNS[sorting]]
    newest = sorting is Sorting.Newest
    if further:
        place = tuple_(*columns)
        after = tuple_(*(bindparam(f"after{index}", type_=one.type) for index, one in enumerate(columns)))
        rows = rows.where(place < after if newest else place > after)
    ordered = [_NoIndex(one) if many and disputed else one for one in columns]
    return seen(
        rows.order_by(*(one.desc() if newest else one for one in ordered)).limit(LIMIT), _COLUMNS[sorting], newest
    )


_PLACE = ("first_block", "first_log_index")
_COLUMNS: dict[Sorting, tuple[str, ...]] = {
    Sorting.Newest: _PLACE,
    Sorting.Oldest: _PLACE,
    Sorting.Deadline: ("deadline", *_PLACE),
}


def _place(one: SeenOrder, sorting: Sorting) -> tuple[int, ...]:
    first = one.mirrored.first
    place = (first.block_number, first.log_index)
    deadline = one.mirrored.order.deadline
    return (deadline, *place) if sorting is Sorting.Deadline and deadline is not None else place


def _key(sorting: Sorting) -> Callable[[SeenOrder], tuple[int, ...]]:
    sign = -1 if sorting is Sorting.Newest else 1
    return lambda one: tuple(sign * part for part in _place(one, sorting))


def _once(orders: Iterable[SeenOrder]) -> Iterator[SeenOrder]:
    """Without those that somebody has in several capacities: they come next to each other."""
    last = None
    for one in orders:
        if one.mirrored.order.id != last:
            yield one
        last = one.mirrored.order.id


def _cursor(one: SeenOrder, sorting: Sorting) -> str:
    return "-".join((sorting.value, *map(str, _place(one, sorting))))


def _parse(query: ListQuery) -> tuple[int, ...] | None:
    if query.cursor is None:
        return None
    match = _CURSOR.fullmatch(query.cursor)
    numbers = () if match is None else tuple(map(int, match[2].split("-")[1:]))
    if match is None or match[1] != query.sorting or len(numbers) != len(_COLUMNS[query.sorting]):
        raise InvalidCursor(f"{query.cursor!r} is no cursor of a page: take the one that the page before gave.")
    return numbers
