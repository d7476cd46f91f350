"""Rows from events: what a contract's orders, policies, grants and balances are after some more of its events."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from kameng_escrow.domain.event_values import Values, event_of
from kameng_escrow.domain.events import (
    Event,
    OperatorSet,
    OrderEvent,
    PayToRegistered,
    PolicyRegistered,
    PolicyRetired,
    PolicyReviewed,
)
from kameng_escrow.domain.policy import Policy
from kameng_escrow.store import BalanceKind
from kameng_escrow.store.bulk import Packed, bulk_of
from kameng_escrow.store.bulk import Values as BulkValues
from kameng_escrow.store.loading import load_orders, load_policies, parts
from kameng_escrow.store.models import BalanceRow, OperatorRow, OrderRow, PayToRow, PolicyRow
from kameng_escrow.store.order_rows import (
    CLOCK,
    CLOCK_KEY,
    COURSE,
    DISPUTE,
    OPENING,
    UNDISPUTED,
    clock_key,
    course_values,
    dispute_values,
    opening_values,
    policy_columns,
    restore_order,
    undisputed_values,
)

from .balances import Agreed, Key, movements
from .errors import BrokenEvents
from .memory import Memory
from .records import OPENED, POLICY_ID, Position, Record, new_record

Columns = dict[str, Any]
Told = tuple[str, Values]  # an event's name and values

Names = tuple[str, ...]
Rows = list[tuple[Any, ...]]

ORDER_EVENTS = frozenset(event.__name__ for event in get_args(OrderEvent))
_FIRST = ("first_block", "first_log_index")
_BY_ID = ("contract_id", "order_id")
_BY_PLACE = ("contract_id", *_FIRST)  # next to each other, for orders of the same time: ids are all over their index
_LAST = ("last_block", "last_log_index")


@dataclass(frozen=True, slots=True)
class Missing:
    """What has to be read before events can be folded, by id."""

    orders: Set[str]
    policies: Set[str]
    changed_policies: Set[str]  # whose rows say what they are changed from


class Folding:
    """Takes events one by one, in the chain's order, and in the end writes the rows they make.

    First `recall` and `load` what there was before; then `add`; then `arrange` the rows, and `write` them. Only `load`
    and `write` touch the store.
    """

    def __init__(self, contract_id: int, memory: Memory | None = None) -> None:
        self._contract_id = contract_id
        self._memory = memory or Memory()
        self.orders: dict[str, Record] = {}  # those that the events are about
        self._gone: set[str] = set()  # orders with rows that no event is left of
        self._policies: dict[str, Policy] = dict(self._memory.policies)
        self._fates: dict[
            str, tuple[int, bool]
        ] = {}  # of policies that the events change: review_by, and whether retired
        self._new_policies: dict[str, Columns] = {}
        self._changed_policies: dict[str, Columns] = {}
        self._pay_to: dict[str, Columns] = {}
        self._operators: dict[tuple[str, str, str, str], Columns] = {}
        self._deltas: dict[Key, int] = defaultdict(int)
        self._stopped: Rows = []  # keys of clocks that are there and run no more
        self._new_rows: list[tuple[str, Names, Packed]] = []  # table, columns and rows
        self._changed_rows: list[tuple[str, Names, Names, Packed]] = []  # table, keys, columns and rows
        self._gone_rows: list[tuple[str, Names, Packed]] = []  # table, and keys
        self._block = 0

    def recall(self, events: Iterable[Told], *, opening: bool = False) -> Missing:
        """Has what memory knows of the orders and policies that these events are about; returns what is missing.

        Args:
            opening: whether an order that is opened is taken for one that was never heard of. Hardly ever had a seller
                revised it before: then its row is there, and `write` fails with SQLAlchemy's IntegrityError.
        """
        wanted: dict[str, bool] = {}  # by order id: whether it begins with its opening
        policies, changed = set(), set()
        for name, values in events:
            if name in ORDER_EVENTS:
                wanted.setdefault(values[0], name == OPENED)
                if name == OPENED:
                    policies.add(values[1][POLICY_ID])
            elif name in ("PolicyReviewed", "PolicyRetired"):
                changed.add(values[0])
        remembered = self._memory.orders
        self.orders |= {order_id: remembered[order_id] for order_id in wanted.keys() & remembered.keys()}
        orders = {
            order_id for order_id, fresh in wanted.items() if order_id not in self.orders and not (opening and fresh)
        }
        return Missing(orders, policies - self._policies.keys(), changed)

    def load(self, session: Session, missing: Missing) -> None:
        """Reads the rows of what is missing, as far as there are any."""
        rows = load_orders(session, self._contract_id, missing.orders)
        policies = missing.policies | {row.policy_id for row in rows if row.policy_id}
        self._policies |= load_policies(session, self._contract_id, policies - self._policies.keys())
        for row in rows:
            self.orders[row.order_id] = Record.of(
                restore_order(row, self._policies),
                first=(row.first_block, row.first_log_index),
                last=(row.last_block, row.last_log_index),
                known=True,
            )
        for policy_id in missing.changed_policies:
            if (known := session.get(PolicyRow, (self._contract_id, policy_id))) is not None:
                self._fates[policy_id] = known.review_by, known.retired

    def add(self, name: str, values: Values, place: Position, now: int, *, money: bool = True) -> Record | None:
        """Folds one event in; returns its order, None for events of no order.

        Args:
            name, values: the event (`domain.event_values`).
            place: where it is.
            now: its block's timestamp, Unix seconds.
            money: whether it moves balances too; it does not when it did so before.

        Raises:
            BrokenHistory, WrongShares: the event can't follow (`kameng_escrow.domain.fold`).
            BrokenEvents: a policy is told of that was never registered.
        """
        self._block = place[0]
        record = None
        if name in ORDER_EVENTS:
            order_id = values[0]
            record = self.orders.get(order_id)
            if record is None:
                record = self.orders[order_id] = new_record(order_id, place)
                if order_id in self._gone:
                    self._gone.remove(order_id)
                    record.known = record.reopened = True
            record.advance(name, values, place, now, self._policies)
        else:
            self._register(event_of(name, values))
        if money:
            self.move(name, values, record)
        return record

    def move(self, name: str, values: Values, order: Agreed | None, *, back: bool = False) -> None:
        """Lets an event move balances; `back`: undoes what it moved."""
        for key, amount in movements(name, values, order):
            self._deltas[key] += -amount if back else amount

    def forget(self, order_ids: Collection[str]) -> dict[str, Record]:
        """Begins these orders from nothing, and returns what they were."""
        forgotten = {order_id: self.orders.pop(order_id) for order_id in order_ids if order_id in self.orders}
        self._gone |= {order_id for order_id, record in forgotten.items() if record.known}
        self._stopped += [
            clock_key(self._contract_id, record.clocked, record.first)
            for record in forgotten.values()
            if record.clocked is not None
        ]
        return forgotten

    def arrange(self, values: BulkValues) -> None:
        """Makes the orders' rows, so that `write` has only to hand them over. The last to be done with events.

        Most orders are new, or go on from their opening, and never see a dispute: they are the least to write.
        """
        contract_id, undisputed = self._contract_id, undisputed_values(values)
        groups: dict[tuple[bool, bool], Rows] = defaultdict(list)  # whether going on, and disputed
        anew, clocks = [], []
        for order_id, record in self.orders.items():
            course = (*record.last, *course_values(record, values))
            disputed = record.disputed_at is not None
            if record.clocked is not None:
                self._stopped.append(clock_key(contract_id, record.clocked, record.first))
            if record.deadline is not None:
                clocks.append((*clock_key(contract_id, record.state, record.first), record.deadline))
            if record.known and not record.reopened:
                row = (contract_id, *record.first, *course)
                groups[True, disputed].append((*row, *dispute_values(record, values)) if disputed else row)
                continue
            row = (contract_id, order_id, *course, *record.first, *opening_values(record, values))
            if record.known:
                anew.append((*row, *dispute_values(record, values)))
            else:
                groups[False, disputed].append((*row, *(dispute_values(record, values) if disputed else undisputed)))
        moving, opening = (*_LAST, *COURSE), (*_LAST, *COURSE, *_FIRST, *OPENING)
        self._new_rows = [
            ("orders", (*_BY_ID, *opening, *UNDISPUTED), values.pack(groups[False, False])),
            ("orders", (*_BY_ID, *opening, *DISPUTE), values.pack(groups[False, True])),
            ("clocks", CLOCK, values.pack(clocks)),
        ]
        self._changed_rows = [
            ("orders", _BY_PLACE, moving, values.pack(groups[True, False])),
            ("orders", _BY_PLACE, (*moving, *DISPUTE), values.pack(groups[True, True])),
            ("orders", _BY_ID, (*opening, *DISPUTE), values.pack(anew)),
        ]
        self._gone_rows = [("clocks", CLOCK_KEY, values.pack(self._stopped))]

    def remember(self, block_hash: str) -> None:
        """Leaves what it knows to whoever folds the blocks after this one."""
        self._memory.policies = self._policies
        for record in self.orders.values():
            record.written()
        self._memory.moved(block_hash, self.orders)

    def write(self, session: Session) -> None:
        """Brings the rows to what the events made of them. Raises `BrokenEvents` where a balance would be negative."""
        self._insert(session, PolicyRow, self._new_policies.values())
        self._update(session, PolicyRow, self._changed_policies.values())
        self._write_orders(session)
        self._write_grants(session)
        self._write_balances(session)

    def _register(self, event: Event) -> None:
        match event:
            case PolicyRegistered():
                self._policies[event.policy_id] = event.policy
                self._new_policies[event.policy_id] = {
                    "policy_id": event.policy_id,
                    **policy_columns(event.policy),
                    "review_by": event.review_by,
                    "retired": False,
                }
            case PolicyReviewed():
                self._change_policy(event.policy_id, review_by=event.review_by)
            case PolicyRetired():
                self._change_policy(event.policy_id, retired=True)
            case PayToRegistered():
                self._pay_to[event.seller] = {"seller": event.seller, "pay_to": event.pay_to}
            case OperatorSet():
                key = (event.seller, event.operator, event.token, event.policy_id)
                self._operators[key] = {
                    "seller": event.seller,
                    "operator": event.operator,
                    "token": event.token,
                    "policy_id": event.policy_id,
                    "rights": event.rights,
                    "expiry": event.expiry,
                    "max_price": event.max_price,
                }

    def _change_policy(self, policy_id: str, **columns: Any) -> None:
        if policy_id in self._new_policies:
            self._new_policies[policy_id] |= columns
            return
        if policy_id not in self._changed_policies:
            if policy_id not in self._fates:
                raise BrokenEvents(
                    f"Policy {policy_id}, which was never registered, is reviewed or retired", self._block
                )
            review_by, retired = self._fates[policy_id]
            self._changed_policies[policy_id] = {"policy_id": policy_id, "review_by": review_by, "retired": retired}
        self._changed_policies[policy_id] |= columns

    def _write_orders(self, session: Session) -> None:
        bulk = bulk_of(session)
        for table, keys, rows in self._gone_rows:
            bulk.delete(table, keys, rows)
        for table, columns, rows in self._new_rows:
            bulk.insert(table, columns, rows)
        for table, keys, columns, rows in self._changed_rows:
            bulk.update(table, keys, columns, rows)
        for part in parts(sorted(self._gone)):
            session.execute(
                delete(OrderRow).where(OrderRow.contract_id == self._contract_id, OrderRow.order_id.in_(part))
            )

    def _write_grants(self, session: Session) -> None:
        for columns in self._pay_to.values():
            session.merge(PayToRow(contract_id=self._contract_id, **columns))
        for columns in self._operators.values():
            session.merge(OperatorRow(contract_id=self._contract_id, **columns))

    def _write_balances(self, session: Session) -> None:
        deltas = {key: delta for key, delta in self._deltas.items() if delta}
        known = self._load_balances(session, {holder for _, holder, _ in deltas})
        new, changed = [], []
        for key, delta in deltas.items():
            kind, holder, token = key
            amount = known.get(key, 0) + delta
            columns = {**_place(key), "amount": amount}
            if amount < 0:
                raise BrokenEvents(
                    f"More is taken from the {BalanceKind(kind).label.lower()} of {holder} in token {token} than was "
                    "put there",
                    self._block,
                )
            if key not in known:
                new.append(columns)
            elif amount:
                changed.append(columns)
            else:  # no row says the same, and says it of every account that never had anything
                session.execute(delete(BalanceRow).filter_by(contract_id=self._contract_id, **_place(key)))
        self._insert(session, BalanceRow, new)
        self._update(session, BalanceRow, changed)

    def _load_balances(self, session: Session, holders: Collection[str]) -> Mapping[Key, int]:
        columns = (BalanceRow.kind, BalanceRow.holder, BalanceRow.token, BalanceRow.amount)
        # Of every kind: named, so that the key is found by the holder, who comes after the kind in it.
        query = select(*columns).where(BalanceRow.contract_id == self._contract_id, BalanceRow.kind.in_(BalanceKind))
        return {
            (int(kind), holder, token): amount
            for part in parts(sorted(holders))
            for kind, holder, token, amount in session.execute(query.where(BalanceRow.holder.in_(part)))
        }

    def _insert(self, session: Session, table: Any, rows: Iterable[Columns]) -> None:
        if full := [{"contract_id": self._contract_id, **row} for row in rows]:
            session.execute(insert(table), full)

    def _update(self, session: Session, table: Any, rows: Iterable[Columns]) -> None:
        if full := [{"contract_id": self._contract_id, **row} for row in rows]:
            session.execute(update(table), full)


def _place(key: Key) -> Columns:
    kind, holder, token = key
    return {"kind": BalanceKind(kind), "holder": holder, "token": token}
