"""What is due, and what is coming due, of one contract: as much of the orders as it takes to settle them."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_

from kameng_escrow.domain.order import OrderTerms

from .journal_models import IntentOrderRow, IntentRow, TroubleRow
from .keeping import LONGEST_WAIT_MS, Stage
from .models import CheckpointRow, ClockRow, OrderRow, running
from .store import Store
from .values import Due

_TERMS = tuple(field.name for field in fields(OrderTerms))
_COLUMNS = (
    OrderRow.order_id,
    OrderRow.state,
    OrderRow.deadline,
    *(getattr(OrderRow, name) for name in _TERMS),
)
_PLACE = (ClockRow.deadline, ClockRow.first_block, ClockRow.first_log_index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How much is due."""

    orders: int
    oldest: int | None  # the deadline that ran out first, Unix seconds; None: nothing is due


class Agenda:
    """One contract's deadlines. Reads only; raises what `Store.reading` raises."""

    def __init__(self, store: Store, contract_id: int) -> None:
        self._store = store
        self._id = contract_id

    def due(self, at: int, *, now_ms: int | None, page: int) -> Iterator[list[Due]]:
        """Open orders whose clock has run out by the chain's second `at`, the most overdue first, in pages.

        Left out are orders that an intent of any account in this store is under way with, those that it has ended in a
        block which the mirror has not come to, and those in trouble that are not to be tried (again) at `now_ms`; with
        None for it, nothing is left out. Each page is read when it is asked for.
        """
        query = (
            self._clocks()
            .add_columns(ClockRow.first_block, ClockRow.first_log_index)
            .where(ClockRow.deadline <= at)
            .where(*(() if now_ms is None else (~self._under_way(), ~self._in_trouble(now_ms))))
            .limit(page)
        )
        after: tuple[int, int, int] | None = None
        while True:
            with self._store.reading() as session:
                rows = session.execute(query if after is None else query.where(tuple_(*_PLACE) > tuple_(*after))).all()
            if rows:
                yield [_due(row[: len(_COLUMNS)]) for row in rows]
            if len(rows) < page:
                return
            after = (rows[-1].deadline, rows[-1].first_block, rows[-1].first_log_index)

    def coming(self, after: int, *, limit: int) -> list[Due]:
        """The orders whose clocks run out next after the chain's second `after`."""
        query = self._clocks().where(ClockRow.deadline > after).limit(limit)
        with self._store.reading() as session:
            return [_due(tuple(row)) for row in session.execute(query)]

    def terms(self, order_ids: list[str]) -> dict[str, Due]:
        """These orders, by id, as far as the mirror knows them and they are open."""
        query = select(*_COLUMNS).where(
            OrderRow.contract_id == self._id, OrderRow.order_id.in_(order_ids), OrderRow.deadline.is_not(None)
        )
        with self._store.reading() as session:
            return {row.order_id: _due(tuple(row)) for row in session.execute(query)}

    def backlog(self, at: int) -> Backlog:
        """How many orders' clocks have run out by the chain's second `at`, those under way and in trouble too."""
        query = select(func.count(), func.min(ClockRow.deadline)).where(
            ClockRow.contract_id == self._id, ClockRow.deadline <= at
        )
        with self._store.reading() as session:
            orders, oldest = session.execute(query).one()
        return Backlog(orders=orders, oldest=oldest)

    def _clocks(self) -> Select[Any]:
        """The open orders, the next to run out first."""
        return select(*_COLUMNS).join(ClockRow, running()).where(ClockRow.contract_id == self._id).order_by(*_PLACE)

    def _under_way(self) -> ColumnElement[bool]:
        seen = select(CheckpointRow.seen_number).where(CheckpointRow.contract_id == self._id).scalar_subquery()
        return exists().where(
            IntentOrderRow.order_id == OrderRow.order_id,
            IntentOrderRow.intent_id == IntentRow.id,
            IntentRow.contract_id == self._id,
            or_(
                IntentRow.stage == Stage.Live,
                # What it has ended, and the mirror does not know yet. Once it does, the mirror is right.
                and_(IntentOrderRow.closed, or_(IntentRow.stage == Stage.Mined, IntentRow.mined_block > seen)),
            ),
        )

    def _in_trouble(self, now_ms: int) -> ColumnElement[bool]:
        return exists().where(
            TroubleRow.contract_id == self._id,
            TroubleRow.order_id == OrderRow.order_id,
            # What lies further ahead than anybody waits was written before the clock was set back.
            or_(TroubleRow.next_try_ms.is_(None), TroubleRow.next_try_ms.between(now_ms + 1, now_ms + LONGEST_WAIT_MS)),
        )


def _due(row: tuple[Any, ...]) -> Due:
    order_id, state, deadline, *terms = row
    return Due(
        order_id=order_id,
        terms=OrderTerms(**dict(zip(_TERMS, terms, strict=True))),
        state=state,
        due_at=deadline,
    )
