"""Orders in the making: the fold of `kameng_escrow.domain.fold`, in place and at a chain's speed.

A mirror that catches up folds every event there ever was. What nearly all orders go through (opened, accepted,
delivered, ended by hand or by the clock) is folded here with the same rules spelled out; all else, and whatever does
not fit those rules, goes to `fold`, which folds or refuses it. Tests hold the two together on random histories.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Self

from kameng_escrow.domain.events import Logged, OrderAccepted, OrderClosed, OrderDelivered, OrderOpened
from kameng_escrow.domain.fold import fold
from kameng_escrow.domain.order import Order, OrderTerms, Shares
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.shares import BPS
from kameng_escrow.domain.states import Fault, Outcome, State

Position = tuple[int, int]  # block number, log index

_FIELDS = tuple(field.name for field in fields(Order))


class Record:
    """An order as its events so far have made it. The attributes are those of `Order`, and change as events come."""

    __slots__ = (*_FIELDS, "first", "known", "last", "reopened")

    id: str
    state: State
    revision: int
    terms: OrderTerms | None
    policy: Policy | None
    payer: str | None
    opened_at: int | None
    accepted_at: int | None
    delivered_at: int | None
    closed_at: int | None
    deadline: int | None
    commitment: str | None
    awarded: int | None
    mediation_fee: int
    undisputed: Shares | None
    outcome: Outcome
    fault: Fault
    shares: Shares | None

    disputed_at: int | None
    disputed_units: int
    evidence: str | None
    grounds: str | None
    mediator: str | None

    first: Position  # of its first event
    last: Position  # of its last event
    known: bool  # whether the store has a row of it
    reopened: bool  # whether that row may say something else of the opening, or nothing yet

    @classmethod
    def of(cls, order: Order, first: Position, last: Position, *, known: bool) -> Self:
        """The record of an order as it stands."""
        record = cls()
        record.take(order)
        record.first, record.last, record.known, record.reopened = first, last, known, False
        return record

    def take(self, order: Order) -> None:
        """Becomes what the order is."""
        for name in _FIELDS:
            setattr(self, name, getattr(order, name))

    def order(self) -> Order:
        """The order as it stands."""
        return Order(**{name: getattr(self, name) for name in _FIELDS})

    def advance(self, logged: Logged, policies: Mapping[str, Policy]) -> None:
        """Folds in the next of its events.

        Raises:
            BrokenHistory, WrongShares: as `fold`; the record is as before.
        """
        event = logged.event
        step = _STEPS.get(type(event))
        if step is None or not step(self, event, logged.timestamp, policies):
            self.take(fold(self.order(), logged, policies))
        if type(event) is OrderOpened:
            self.reopened = self.known
        self.last = logged.block_number, logged.log_index


def new_record(order_id: str, first: Position) -> Record:
    """The record of an order that nothing is known of."""
    record = Record()
    record.id = order_id
    record.state = State.Nothing
    record.revision = record.disputed_units = record.mediation_fee = 0
    record.terms = record.policy = record.payer = record.deadline = record.commitment = None
    record.opened_at = record.accepted_at = record.delivered_at = record.disputed_at = record.closed_at = None
    record.evidence = record.grounds = record.mediator = record.awarded = record.undisputed = record.shares = None
    record.outcome = Outcome.Nothing
    record.fault = Fault.Nobody
    record.first = record.last = first
    record.known = record.reopened = False
    return record


# Each step folds the event in and says so, or leaves the record alone.


def _opened(record: Record, event: OrderOpened, now: int, policies: Mapping[str, Policy]) -> bool:
    terms = event.terms
    policy = policies.get(terms.policy_id)
    if policy is None or record.state is not State.Nothing or now > terms.open_by:
        return False
    if event.state is State.Accepted:
        record.accepted_at = now
        record.deadline = now + policy.deliver_window
    elif event.state is State.Opened:
        record.deadline = now + policy.accept_window
    else:
        return False
    record.state = event.state
    record.terms = terms
    record.policy = policy
    record.payer = event.payer
    record.opened_at = now
    return True


def _accepted(record: Record, _: OrderAccepted, now: int, __: object) -> bool:
    if record.state is not State.Opened or record.policy is None or record.deadline is None or now >= record.deadline:
        return False
    record.state = State.Accepted
    record.accepted_at = now
    record.deadline = now + record.policy.deliver_window
    return True


def _delivered(record: Record, event: OrderDelivered, now: int, _: object) -> bool:
    if record.state is not State.Accepted or record.policy is None or record.deadline is None or now >= record.deadline:
        return False
    record.state = State.Delivered
    record.delivered_at = now
    record.deadline = now + record.policy.inspect_window
    record.commitment = event.commitment
    return True


def _closed(record: Record, event: OrderClosed, now: int, _: object) -> bool:
    terms, policy, deadline = record.terms, record.policy, record.deadline
    if terms is None or policy is None or deadline is None:
        return False
    price = terms.price
    paid = event.to_buyer, event.to_seller, event.platform_fee, event.bond_returned
    match record.state, event.outcome:
        case ((State.Delivered | State.Accepted), Outcome.Confirmed):
            due, fault = _earned(price, policy), Fault.Nobody
        case State.Delivered, Outcome.Released if now >= deadline:
            due, fault = _earned(price, policy), Fault.Nobody
        case State.Delivered, Outcome.Refunded:
            due, fault = _withdrawn(price, policy), Fault.Seller
        case State.Accepted, Outcome.Declined if now < deadline:
            due, fault = _withdrawn(price, policy), Fault.Seller
        case State.Accepted, Outcome.Undelivered if now >= deadline:
            due, fault = (price + _bond(price, policy), 0, 0, 0), Fault.Seller
        case State.Opened, (Outcome.Cancelled | Outcome.Declined):
            due, fault = (price, 0, 0, 0), Fault.Nobody
        case State.Opened, Outcome.Expired if now >= deadline:
            due, fault = (price, 0, 0, 0), Fault.Nobody
        case _:
            return False
    if paid != due or event.fault is not fault:
        return False
    record.state = State.Closed
    record.closed_at = now
    record.deadline = None
    record.outcome = event.outcome
    record.fault = fault
    record.shares = Shares(to_buyer=due[0], to_seller=due[1], platform_fee=due[2], bond_returned=due[3])
    return True


def _bond(price: int, policy: Policy) -> int:
    return price * policy.seller_bond_bps // BPS


def _earned(price: int, policy: Policy) -> tuple[int, int, int, int]:
    fee = price * policy.platform_fee_bps // BPS
    return 0, price - fee, fee, _bond(price, policy)


def _withdrawn(price: int, policy: Policy) -> tuple[int, int, int, int]:
    bond = _bond(price, policy)
    return price + bond - bond // 2, 0, 0, bond // 2


_Step = Callable[[Record, Any, int, Mapping[str, Policy]], bool]
_STEPS: Mapping[type[Any], _Step] = {
    OrderOpened: _opened,
    OrderAccepted: _accepted,
    OrderDelivered: _delivered,
    OrderClosed: _closed,
}
