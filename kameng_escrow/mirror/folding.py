"""Rows from events: what a contract's orders, policies, grants and balances are after some more of its events."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from kameng_escrow.domain.events import (
    Event,
    Logged,
    OperatorSet,
    OrderEvent,
    OrderOpened,
    PayToRegistered,
    PolicyRegistered,
    PolicyRetired,
    PolicyReviewed,
)
from kameng_escrow.domain.fold import fold
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import Policy
from kameng_escrow.store.models import BalanceRow, OperatorRow, OrderRow, PayToRow, PolicyRow
from kameng_escrow.store.order_rows import order_columns, policy_columns, restore_order
from kameng_escrow.store.queries import load_orders, load_policies, parts

from .balances import Key, movements
from .errors import BrokenEvents

Columns = dict[str, Any]


@dataclass(slots=True)
class FoldedOrder:
    """An order, and where its first and last events are."""

    order: Order
    first: tuple[int, int]  # block number, log index
    last: tuple[int, int]


class Folding:
    """Takes events one by one, in the chain's order, and in the end writes the rows they make.

    Nothing is written before `write`; what is needed of the rows before is read by `load`.
    """

    def __init__(self, session: Session, contract_id: int) -> None:
        self._session = session
        self._contract_id = contract_id
        self.orders: dict[str, FoldedOrder] = {}
        self._policies: dict[str, Policy] = {}
        self._stored_orders: set[str] = set()
        self._new_policies: dict[str, Columns] = {}
        self._changed_policies: dict[str, Columns] = {}
        self._pay_to: dict[str, Columns] = {}
        self._operators: dict[tuple[str, str, str, str], Columns] = {}
        self._deltas: dict[Key, int] = defaultdict(int)
        self._block = 0

    def load(self, events: Iterable[Event]) -> None:
        """Reads the orders that these events are about, and the policies they need."""
        events = list(events)
        rows = load_orders(
            self._session, self._contract_id, {event.order_id for event in events if isinstance(event, OrderEvent)}
        )
        wanted = {row.policy_id for row in rows if row.policy_id}
        wanted |= {event.terms.policy_id for event in events if isinstance(event, OrderOpened)}
        self._policies |= load_policies(self._session, self._contract_id, wanted)
        for row in rows:
            self._stored_orders.add(row.order_id)
            self.orders[row.order_id] = FoldedOrder(
                order=restore_order(row, self._policies),
                first=(row.first_block, row.first_log_index),
                last=(row.last_block, row.last_log_index),
            )

    def add(self, logged: Logged, *, money: bool = True) -> Order | None:
        """Folds one event in; returns its order, None for events of no order.

        Args:
            money: whether it moves balances too; it does not when it did so before.

        Raises:
            BrokenHistory, WrongShares: the event can't follow (`kameng_escrow.domain.fold`).
            BrokenEvents: a policy is told of that was never registered.
        """
        event = logged.event
        self._block = logged.block_number
        order = None
        if isinstance(event, OrderEvent):
            order = self._fold(event.order_id, logged)
        else:
            self._register(event)
        if money:
            self.move(event, order)
        return order

    def move(self, event: Event, order: Order | None, *, back: bool = False) -> None:
        """Lets an event move balances; `back`: undoes what it moved."""
        for movement in movements(event, order):
            self._deltas[movement.key] += -movement.amount if back else movement.amount

    def forget(self, order_ids: Collection[str]) -> dict[str, Order]:
        """Begins these orders from nothing, and returns what they were."""
        return {order_id: self.orders.pop(order_id).order for order_id in order_ids if order_id in self.orders}

    def write(self) -> None:
        """Brings the rows to what the events made of them. Raises `BrokenEvents` where a balance would be negative."""
        self._write_policies()
        self._write_orders()
        self._write_grants()
        self._write_balances()

    def _fold(self, order_id: str, logged: Logged) -> Order:
        place = (logged.block_number, logged.log_index)
        known = self.orders.get(order_id)
        order = fold(known.order if known else None, logged, self._policies)
        self.orders[order_id] = FoldedOrder(order=order, first=known.first if known else place, last=place)
        return order

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
            known = self._session.get(PolicyRow, (self._contract_id, policy_id))
            if known is None:
                raise BrokenEvents(
                    f"Policy {policy_id}, which was never registered, is reviewed or retired", self._block
                )
            self._changed_policies[policy_id] = {
                "policy_id": policy_id,
                "review_by": known.review_by,
                "retired": known.retired,
            }
        self._changed_policies[policy_id] |= columns

    def _write_policies(self) -> None:
        self._insert(PolicyRow, self._new_policies.values())
        self._update(PolicyRow, self._changed_policies.values())

    def _write_orders(self) -> None:
        columns = {
            order_id: {
                **order_columns(folded.order),
                "first_block": folded.first[0],
                "first_log_index": folded.first[1],
                "last_block": folded.last[0],
                "last_log_index": folded.last[1],
            }
            for order_id, folded in self.orders.items()
        }
        self._update(OrderRow, [row for order_id, row in columns.items() if order_id in self._stored_orders])
        self._insert(OrderRow, [row for order_id, row in columns.items() if order_id not in self._stored_orders])
        gone = sorted(self._stored_orders - columns.keys())
        for part in parts(gone):
            self._session.execute(
                delete(OrderRow).where(OrderRow.contract_id == self._contract_id, OrderRow.order_id.in_(part))
            )

    def _write_grants(self) -> None:
        for columns in self._pay_to.values():
            self._session.merge(PayToRow(contract_id=self._contract_id, **columns))
        for columns in self._operators.values():
            self._session.merge(OperatorRow(contract_id=self._contract_id, **columns))

    def _write_balances(self) -> None:
        deltas = {key: delta for key, delta in self._deltas.items() if delta}
        known = self._load_balances({holder for _, holder, _ in deltas})
        new, changed = [], []
        for key, delta in deltas.items():
            kind, holder, token = key
            amount = known.get(key, 0) + delta
            columns = {**_place(key), "amount": amount}
            if amount < 0:
                raise BrokenEvents(
                    f"More is taken from the {kind.label.lower()} of {holder} in token {token} than was put there",
                    self._block,
                )
            if key not in known:
                new.append(columns)
            elif amount:
                changed.append(columns)
            else:  # no row says the same, and says it of every account that never had anything
                self._session.execute(delete(BalanceRow).filter_by(contract_id=self._contract_id, **_place(key)))
        self._insert(BalanceRow, new)
        self._update(BalanceRow, changed)

    def _load_balances(self, holders: Collection[str]) -> Mapping[Key, int]:
        query = select(BalanceRow).where(BalanceRow.contract_id == self._contract_id)
        return {
            (row.kind, row.holder, row.token): row.amount
            for part in parts(sorted(holders))
            for row in self._session.scalars(query.where(BalanceRow.holder.in_(part)))
        }

    def _insert(self, table: Any, rows: Iterable[Columns]) -> None:
        if full := [{"contract_id": self._contract_id, **row} for row in rows]:
            self._session.execute(insert(table), full)

    def _update(self, table: Any, rows: Iterable[Columns]) -> None:
        if full := [{"contract_id": self._contract_id, **row} for row in rows]:
            self._session.execute(update(table), full)


def _place(key: Key) -> Columns:
    kind, holder, token = key
    return {"kind": kind, "holder": holder, "token": token}
