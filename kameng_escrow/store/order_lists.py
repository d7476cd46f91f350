"""Lists of somebody's orders, page by page: as buyer, as seller, under a platform's or a mediator's policies.

Each capacity, and each policy, is a run of an index that is read no further than the page needs; the runs are merged
here. So a page costs the same among a million orders as among ten.
"""

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Final

from sqlalchemy import Boolean, ColumnElement, Select, bindparam, literal_column, or_, select, tuple_, union_all
from sqlalchemy.ext.compiler import compiles

from kameng_escrow.domain.states import State

from .errors import InvalidCursor
from .glances import Prepared, Reader, Row
from .models import ClockRow, OrderRow, PolicyRow, running
from .order_reads import CONTRACT, READ, SeenOrders, seen, select_orders
from .types import labels, one_of
from .values import SeenOrder, SeenPage

_CURSOR = re.compile(r"([a-z]+)((?:-\d{1,15}){2,3})")
_TOGETHER: Final = 8  # runs that a statement reads; who has more policies has several statements
_STATEMENTS: Final = 512  # kept compiled
_SIZES: Final = (21, 51, 101, 201)  # orders of a run that are read at most: of usual pages, and one more
_ID: Final = READ.index("order_id")
_CLOSED: Final = frozenset({State.Closed})
_OPEN: Final = sorted((state for state in State if state.is_open), key=lambda state: state is not State.Delivered)


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
    """A page of somebody's orders, all as at one moment: of few runs they are one statement's.

    Raises:
        InvalidCursor: no page of this kind gave it out.
    """
    after = _parse(query)
    values: dict[str, Any] = {"contract": contract_id, "account": query.account}
    values |= {f"after{index}": number for index, number in enumerate(after or ())}
    runs = list(_runs(reader, contract_id, query))
    groups = [runs[first : first + _TOGETHER] for first in range(0, len(runs), _TOGETHER)]
    with reader.one_moment() if len(groups) > 1 else nullcontext():
        read = [_read(reader, group, query, values, after is not None) for group in groups]
    merged = read[0] if len(read) == 1 else heapq.merge(*read, key=_key(query.sorting))
    rows = list(islice(_once(merged), query.limit + 1))
    page = orders.of(reader, rows[: query.limit])
    more = len(rows) > query.limit
    return SeenPage(orders=tuple(page), cursor=_cursor(page[-1], query.sorting) if more else None)


def _read(reader: Reader, runs: Sequence[Run], query: ListQuery, values: Mapping[str, Any], further: bool) -> list[Row]:
    kinds = tuple((run.column, run.disputed) for run in runs)
    whose = {f"value{index}": run.value for index, run in enumerate(runs)}
    most = next((size for size in _SIZES if size > query.limit), query.limit + 1)
    return reader.all(_statement(kinds, query.states, query.sorting, further, most), **values, **whose)


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


class _IsClosed(ColumnElement[bool]):
    """Whether an order under a policy is closed. SQLite is told so by `clocks`, which has those that are not: the rows
    of a large platform's newest, thousands, would be read just for that, and the index has the rest. PostgreSQL reads
    them faster than it looks for each in `clocks`.
    """

    inherit_cache = True
    type = Boolean()


@compiles(_IsClosed)
def _by_its_row(element: _IsClosed, compiler: Any, **options: Any) -> str:  # noqa: ARG001
    return one_of(f"{OrderRow.__tablename__}.state", labels(_CLOSED))


@compiles(_IsClosed, "sqlite")
def _by_its_clock(element: _IsClosed, compiler: Any, **options: Any) -> str:  # noqa: ARG001
    key = "contract_id", "first_block", "first_log_index"
    place = " AND ".join(f"running.{name} = {OrderRow.__tablename__}.{name}" for name in key)
    return " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {ClockRow.__tablename__} AS running WHERE running.state = '{label}' AND {place})"
        for label in labels(_OPEN)  # one by one: of a list of words SQLite makes a table each time
    )


@lru_cache(_STATEMENTS)
def _statement(
    kinds: tuple[tuple[str, bool], ...], states: frozenset[State] | None, sorting: Sorting, further: bool, most: int
) -> Prepared:
    """Of each run the first orders, at most so many, all in the page's order. `kinds`: of the runs."""
    # Written out: where PostgreSQL can't see how few they are, it plans anew each time.
    limit: ColumnElement[int] = literal_column(str(most))
    runs = [_run(index, *kind, states, sorting, further).limit(limit) for index, kind in enumerate(kinds)]
    # A SELECT around each keeps its order and limit its own; SQLite takes neither within a UNION ALL otherwise.
    rows = (
        runs[0] if len(runs) == 1 else union_all(*(select(run.subquery(f"r{index}")) for index, run in enumerate(runs)))
    )
    return seen(rows, _COLUMNS[sorting], sorting is Sorting.Newest)


def _run(
    index: int, column: str, disputed: bool, states: frozenset[State] | None, sorting: Sorting, further: bool
) -> Select[Any]:
    attribute = getattr(OrderRow, column)
    many = column == "policy_id"  # a platform's orders may be most of all
    owned = _NoIndex(attribute) if many and sorting is Sorting.Deadline else attribute
    rows = select_orders().where(owned == bindparam(f"value{index}", type_=attribute.type))
    if disputed:
        rows = rows.where(OrderRow.disputed_at.is_not(None))
    table: type[OrderRow | ClockRow] = OrderRow
    if sorting is Sorting.Deadline or (states and all(state.is_open for state in states)):
        rows, table = rows.join(ClockRow, running()), ClockRow  # which has only open orders
        if not many and states is None:
            # Which says no more, and tells PostgreSQL how few they are: it would read through all clocks otherwise.
            rows = rows.where(literal_column(one_of(f"{OrderRow.__tablename__}.state", labels(_OPEN))))
    if many and states == _CLOSED:
        rows = rows.where(_IsClosed())
    elif states is not None:
        # Written out, since they are few words of ours: a parameter for each could not be prepared once.
        rows = rows.where(literal_column(one_of(f"{table.__tablename__}.state", labels(sorted(states)))))
    columns = [getattr(table if sorting is Sorting.Deadline else OrderRow, name) for name in _COLUMNS[sorting]]
    newest = sorting is Sorting.Newest
    if further:
        place = tuple_(*columns)
        after = tuple_(*(bindparam(f"after{number}", type_=one.type) for number, one in enumerate(columns)))
        rows = rows.where(place < after if newest else place > after)
    ordered = [_NoIndex(one) if many and disputed else one for one in columns]
    return rows.order_by(*(one.desc() if newest else one for one in ordered))


_PLACE = ("first_block", "first_log_index")
_COLUMNS: dict[Sorting, tuple[str, ...]] = {
    Sorting.Newest: _PLACE,
    Sorting.Oldest: _PLACE,
    Sorting.Deadline: ("deadline", *_PLACE),
}


def _key(sorting: Sorting) -> Callable[[Row], tuple[int, ...]]:
    """Where a row is in the order."""
    sign = -1 if sorting is Sorting.Newest else 1
    places = [READ.index(name) for name in _COLUMNS[sorting]]
    return lambda row: tuple([sign * row[place] for place in places])


def _once(rows: Iterable[Row]) -> Iterator[Row]:
    """Without those that somebody has in several capacities: they come next to each other."""
    last = None
    for row in rows:
        if row[_ID] != last:
            yield row
        last = row[_ID]


def _place(one: SeenOrder, sorting: Sorting) -> tuple[int, ...]:
    first = one.mirrored.first
    place = (first.block_number, first.log_index)
    deadline = one.mirrored.order.deadline
    return (deadline, *place) if sorting is Sorting.Deadline and deadline is not None else place


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
