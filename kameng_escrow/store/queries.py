"""What may be asked of a store."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from eth_utils.address import is_address, to_checksum_address
from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from kameng_escrow.domain.events import Logged
from kameng_escrow.domain.shares import held_in
from kameng_escrow.domain.states import Fault, Outcome, State

from .errors import InvalidCursor, UnknownContract, UnknownOrder
from .loading import load_policies
from .models import (
    BalanceKind,
    BalanceRow,
    ChainRow,
    CheckpointRow,
    ClockRow,
    ContractRow,
    OrderRow,
    PolicyRow,
    running,
)
from .order_lists import ListQuery, list_orders
from .order_reads import SeenOrders
from .order_rows import restore_order, restore_policy
from .store import Store
from .values import (
    ContractInfo,
    Due,
    Marks,
    MirroredOrder,
    MirroredPolicy,
    Page,
    Position,
    SeenOrder,
    SeenPage,
    Snapshot,
    Standing,
    Statistics,
)

LARGEST_PAGE = 1_000

_CURSOR = re.compile(r"(\d{1,18})-(\d{1,9})")
_Word = TypeVar("_Word", State, Outcome, Fault)
_Item = TypeVar("_Item")


def contracts(store: Store) -> list[ContractInfo]:
    """The contracts that a store mirrors, by chain id and address. Raises what `Store.reading` raises."""
    with store.reading() as session:
        found = session.scalars(select(ContractRow).order_by(ContractRow.chain_id, ContractRow.address))
        return [_info(session, contract) for contract in found]


class Book:
    """One contract's orders and accounts as mirrored in a store. Reads only.

    Every method reads at one moment, and raises what `Store.reading` raises.
    """

    def __init__(self, store: Store, chain_id: int, address: str) -> None:
        """The book of the contract at `address`.

        Raises:
            UnknownContract: the store mirrors no such contract.
            SchemaMissing, SchemaTooOld, SchemaTooNew: the store is not of this package's version.
        """
        store.check_schema()
        self._store = store
        self.address = wanted = to_checksum_address(address)
        with store.reading() as session:
            found = session.scalar(select(ContractRow.id).filter_by(chain_id=chain_id, address=wanted))
        if found is None:
            raise UnknownContract(
                f"The store at {store.where} has nothing of contract {wanted} on chain {chain_id}: "
                "run `kameng mirror --once` for it."
            )
        self._id = found
        self._orders = SeenOrders(found)

    def info(self) -> ContractInfo:
        """The contract, with the mirror's marks as they are now."""
        with self._store.reading() as session:
            return _info(session, session.get_one(ContractRow, self._id))

    def marks(self) -> Marks:
        """How far the mirror has come."""
        return self._store.glance(self._orders.marks)

    def order(self, order_id: str) -> MirroredOrder:
        """An order. Raises `UnknownOrder`."""
        return self.seen(order_id, "").mirrored

    def seen(self, order_id: str, account: str) -> SeenOrder:
        """An order as an account (checksummed) sees it. Raises `UnknownOrder`."""
        found = self._store.glance(lambda reader: self._orders.one(reader, order_id.lower(), account))
        if found is None:
            raise self._unknown(order_id)
        return found

    def orders(
        self,
        *,
        states: Collection[State] | None = None,
        party: str | None = None,
        due_before: int | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Orders, newest first.

        Args:
            states: only in one of these states.
            party: only with this account as buyer or seller.
            due_before: only with a clock that runs out before this Unix second.
            limit: at most so many, 1 … 1,000.
            cursor: of the page before. Orders opened meanwhile don't shift the pages.

        Raises:
            InvalidCursor: no page gave it out.
            ValueError: the limit is out of range, or the party no address.
        """
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"a page has 1 to {LARGEST_PAGE} orders, not {limit}")
        query = self._all_orders()
        place: tuple[InstrumentedAttribute[int], ...] = (OrderRow.first_block, OrderRow.first_log_index)
        state = OrderRow.state
        if due_before is not None or (states is not None and all(state.is_open for state in states)):
            query = query.join(ClockRow, running())
            place, state = (ClockRow.first_block, ClockRow.first_log_index), ClockRow.state
        if states is not None:
            query = query.where(state.in_(states))
        if party is not None:
            query = query.where(_is_party(party))
        if due_before is not None:
            query = query.where(ClockRow.deadline < due_before)
        if cursor is not None:
            query = query.where(tuple_(*place) < tuple_(*_parse_cursor(cursor)))
        query = query.order_by(*(column.desc() for column in place))
        with self._store.reading() as session:
            rows = session.scalars(query.limit(limit + 1)).all()
            orders = self._restore(session, rows[:limit])
        more = len(rows) > limit
        return Page(orders=tuple(orders), cursor=_cursor(rows[limit - 1]) if more else None)

    def listed(self, query: ListQuery) -> SeenPage:
        """Somebody's orders in every capacity asked for, page by page. Raises `InvalidCursor`."""
        return self._store.glance(lambda reader: list_orders(reader, self._id, self._orders, query))

    def history(self, order_id: str) -> list[Logged]:
        """The order's events, oldest first. Raises `UnknownOrder`."""
        found = self._store.glance(lambda reader: self._orders.history(reader, order_id.lower()))
        if not found:
            raise self._unknown(order_id)
        return found

    def history_of(self, order: MirroredOrder) -> list[Logged]:
        """The events of an order that was just read. Raises `UnknownOrder`: it is gone meanwhile."""
        return self._store.glance(lambda reader: self._orders.history_of(reader, order)) or self.history(order.order.id)

    def due(self, at: int, *, limit: int | None = None) -> list[Due]:
        """Open orders whose clock has run out by the Unix second `at`, the most overdue first."""
        query = (
            self._all_orders()
            .join(ClockRow, running())
            .where(ClockRow.contract_id == self._id, ClockRow.deadline <= at)
            .order_by(ClockRow.deadline, ClockRow.first_block, ClockRow.first_log_index)
        )
        with self._store.reading() as session:
            orders = self._restore(session, session.scalars(query.limit(limit)).all())
        return [
            Due(order_id=order.id, terms=order.terms, state=order.state, due_at=order.deadline)
            for order in (mirrored.order for mirrored in orders)
            if order.terms is not None and order.deadline is not None
        ]

    def statistics(self) -> Statistics:
        """How many orders stand where."""
        kinds = (OrderRow.state, OrderRow.outcome, OrderRow.fault)
        query = select(*kinds, func.count()).where(OrderRow.contract_id == self._id).group_by(*kinds)
        with self._store.reading() as session:
            rows = session.execute(query).all()
        closed = [row for row in rows if row[0] is State.Closed]
        return Statistics(
            states=_count((row[0], row[3]) for row in rows),
            outcomes=_count((row[1], row[3]) for row in closed),
            faults=_count((row[2], row[3]) for row in closed),
        )

    def policy(self, policy_id: str) -> MirroredPolicy | None:
        """A policy; None where none was registered under that id."""
        with self._store.reading() as session:
            row = session.get(PolicyRow, (self._id, policy_id.lower()))
            return None if row is None else _mirrored_policy(row)

    def policies(self, *, platform: str | None = None) -> list[MirroredPolicy]:
        """The policies (of a platform), by id."""
        query = select(PolicyRow).filter_by(contract_id=self._id).order_by(PolicyRow.policy_id)
        if platform is not None:
            query = query.filter_by(platform=to_checksum_address(platform))
        with self._store.reading() as session:
            return [_mirrored_policy(row) for row in session.scalars(query)]

    def snapshot(self, *, open_only: bool = False) -> Snapshot:
        """All that the contract keeps, at one block.

        Beside `balances` it has the bonds of every seller and the fees of every policy with an order, also at zero.

        Args:
            open_only: only the standings of open orders; closed ones never move again.
        """
        columns = (
            OrderRow.order_id,
            OrderRow.state,
            OrderRow.outcome,
            OrderRow.fault,
            func.coalesce(OrderRow.deadline, OrderRow.closed_at, 0),
            OrderRow.disputed_units,
            OrderRow.revision,
        )
        query = select(*columns).where(OrderRow.contract_id == self._id).order_by(OrderRow.order_id)
        if open_only:
            query = query.join(ClockRow, running()).where(ClockRow.contract_id == self._id)
        names = tuple(field.name for field in fields(Standing))
        with self._store.reading() as session:
            marks = _marks(session.get_one(CheckpointRow, self._id))
            rows: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in session.execute(query)]
            balances = dict.fromkeys(_expected_balances(session, self._id), 0) | _balances(session, self._id)
            owed = _held(session, self._id)
            for (_, _, token), amount in balances.items():
                owed[token] = owed.get(token, 0) + amount
            standings = tuple(Standing(**row) for row in rows)
            return Snapshot(marks=marks, standings=standings, balances=balances, owed=owed)

    def bond(self, seller: str, token: str) -> int:
        """A seller's bond balance that is not locked in orders, in base units."""
        return self._balance(BalanceKind.Bond, to_checksum_address(seller), token)

    def credit(self, account: str, token: str) -> int:
        """What an account is owed because a payment to it failed, or as a mediator, in base units."""
        return self._balance(BalanceKind.Credit, to_checksum_address(account), token)

    def fees(self, policy_id: str, token: str) -> int:
        """What a policy's platform has earned and not claimed, in base units."""
        return self._balance(BalanceKind.Fee, policy_id.lower(), token)

    def balances(self) -> dict[tuple[BalanceKind, str, str], int]:
        """All bonds, credits and fees that are not zero, by kind, holder and token."""
        with self._store.reading() as session:
            return _balances(session, self._id)

    def _balance(self, kind: BalanceKind, holder: str, token: str) -> int:
        with self._store.reading() as session:
            row = session.get(BalanceRow, (self._id, kind, holder, to_checksum_address(token)))
            return 0 if row is None else row.amount

    def _all_orders(self) -> Select[OrderRow]:
        return select(OrderRow).where(OrderRow.contract_id == self._id)

    def _restore(self, session: Session, rows: Sequence[OrderRow]) -> list[MirroredOrder]:
        policies = load_policies(session, self._id, {row.policy_id for row in rows if row.policy_id})
        final = session.scalar(select(CheckpointRow.final_number).filter_by(contract_id=self._id)) or 0
        return [
            MirroredOrder(
                order=restore_order(row, policies),
                first=Position(block_number=row.first_block, log_index=row.first_log_index),
                last=Position(block_number=row.last_block, log_index=row.last_log_index),
                final=row.last_block <= final,
            )
            for row in rows
        ]

    def _unknown(self, order_id: str) -> UnknownOrder:
        return UnknownOrder(
            f"The store has no order {order_id}: check the id, or run `kameng mirror --once` if it is new.",
            order_id=order_id,
        )


def _info(session: Session, contract: ContractRow) -> ContractInfo:
    return ContractInfo(
        id=contract.id,
        chain_id=contract.chain_id,
        genesis_hash=session.get_one(ChainRow, contract.chain_id).genesis_hash,
        address=contract.address,
        first_block=contract.first_block,
        marks=_marks(session.get_one(CheckpointRow, contract.id)),
    )


def _marks(mark: CheckpointRow) -> Marks:
    return Marks(seen=mark.seen_number, seen_hash=mark.seen_hash, seen_at=mark.seen_at, final=mark.final_number)


def _balances(session: Session, contract_id: int) -> dict[tuple[BalanceKind, str, str], int]:
    query = select(BalanceRow).filter_by(contract_id=contract_id)
    return {(row.kind, row.holder, row.token): row.amount for row in session.scalars(query)}


def _held(session: Session, contract_id: int) -> dict[str, int]:
    """What open orders hold, by token."""
    policies = {row.policy_id: restore_policy(row) for row in session.scalars(_policies_of(contract_id))}
    columns = (OrderRow.state, OrderRow.token, OrderRow.policy_id, OrderRow.price, OrderRow.units)
    query = (
        select(*columns, OrderRow.disputed_units).join(ClockRow, running()).where(ClockRow.contract_id == contract_id)
    )
    totals: dict[str, int] = {}
    row: Any  # open orders have terms
    for row in session.execute(query):
        if (policy := policies.get(row.policy_id)) is None:
            continue  # somebody has lost it: what the order holds can't be told before a repair
        held = held_in(row.state, policy, price=row.price, units=row.units, disputed_units=row.disputed_units)
        totals[row.token] = totals.get(row.token, 0) + held.total
    return totals


def _policies_of(contract_id: int) -> Select[PolicyRow]:
    return select(PolicyRow).where(PolicyRow.contract_id == contract_id)


def _expected_balances(session: Session, contract_id: int) -> list[tuple[BalanceKind, str, str]]:
    """Those that orders may have moved, whatever came of it."""
    kinds = ((BalanceKind.Bond, OrderRow.seller), (BalanceKind.Fee, OrderRow.policy_id))
    return [
        (kind, holder, token)
        for kind, column in kinds
        for holder, token in session.execute(
            select(column, OrderRow.token)
            .where(OrderRow.contract_id == contract_id)
            .distinct()
            .order_by(column, OrderRow.token)
        )
        if holder is not None and token is not None  # NULL together, before the opening
    ]


def _mirrored_policy(row: PolicyRow) -> MirroredPolicy:
    return MirroredPolicy(
        policy_id=row.policy_id, policy=restore_policy(row), review_by=row.review_by, retired=row.retired
    )


def _is_party(account: str) -> ColumnElement[bool]:
    if not is_address(account):
        raise ValueError(f"{account!r} is no address")
    wanted = to_checksum_address(account)
    return or_(OrderRow.buyer == wanted, OrderRow.seller == wanted)


def _count(pairs: Iterable[tuple[_Word, int]]) -> dict[_Word, int]:
    totals: dict[_Word, int] = {}
    for word, count in pairs:
        totals[word] = totals.get(word, 0) + count
    return dict(sorted(totals.items()))


def _cursor(row: OrderRow) -> str:
    return f"{row.first_block}-{row.first_log_index}"


def _parse_cursor(cursor: str) -> tuple[int, int]:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidCursor(f"{cursor!r} is no cursor of a page: take the one that the page before gave.")
    return int(match[1]), int(match[2])
