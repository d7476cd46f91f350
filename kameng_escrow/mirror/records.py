"""Orders in the making: the fold of `kameng_escrow.domain.fold`, in place and at a chain's speed.

A mirror that catches up folds every event there ever was. What nearly all orders go through (opened, accepted,
delivered, ended by hand or by the clock) is folded here with the same rules spelled out; all else, and whatever does
not fit those rules, goes to `fold`, which folds or refuses it. Tests hold the two together on random histories.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any, Self

from kameng_escrow.domain.event_values import Values, event_of
from kameng_escrow.domain.fold import apply
from kameng_escrow.domain.order import Order, OrderTerms, Shares
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.shares import BPS
from kameng_escrow.domain.states import Fault, Outcome, State

Position = tuple[int, int]  # block number, log index

_FIELDS = tuple(field.name for field in fields(Order))
_PARTS: dict[str, type[Any]] = {"terms": OrderTerms, "undisputed": Shares, "shares": Shares}
_parts_of = {name: attrgetter(*(field.name for field in fields(kind))) for name, kind in _PARTS.items()}
_TERMS = [field.name for field in fields(OrderTerms)]
SELLER, TOKEN, PRICE, POLICY_ID, OPEN_BY = map(_TERMS.index, ("seller", "token", "price", "policy_id", "open_by"))


class Record:
    """An order as its events so far have made it. The attributes are those of `Order`, and change as events come; terms
    and shares are tuples of their values.
    """

    __slots__ = (*_FIELDS, "clocked", "first", "known", "last", "reopened")

    id: str
    state: State
    revision: int
    terms: Values | None
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
    undisputed: Values | None
    outcome: Outcome
    fault: Fault
    shares: Values | None

    disputed_at: int | None
    disputed_units: int
    evidence: str | None
    grounds: str | None
    mediator: str | None

    first: Position  # of its first event
    last: Position  # of its last event
    known: bool  # whether the store has a row of it
    reopened: bool  # whether that row may say something else of the opening, or nothing yet
    clocked: State | None  # the state by which the store has its clock; None: it has none

    @classmethod
    def of(cls, order: Order, first: Position, last: Position, *, known: bool) -> Self:
        """The record of an order as it stands."""
        record = cls()
        record.take(order)
        record.first, record.last, record.known, record.reopened = first, last, known, False
        record.clocked = record.state if known and record.deadline is not None else None
        return record

    def written(self) -> None:
        """From now on the store has it as it stands."""
        self.known, self.reopened = True, False
        self.clocked = None if self.deadline is None else self.state

    def take(self, order: Order) -> None:
        """Becomes what the order is."""
        for name in _FIELDS:
            value = getattr(order, name)
            setattr(self, name, _parts_of[name](value) if name in _PARTS and value is not None else value)

    def order(self) -> Order:
        """The order as it stands."""
        found = {name: getattr(self, name) for name in _FIELDS}
        for name, kind in _PARTS.items():
            if (values := found[name]) is not None:
                found[name] = kind(**dict(zip((field.name for field in fields(kind)), values, strict=True)))
        return Order(**found)

    def advance(self, name: str, values: Values, place: Position, now: int, policies: Mapping[str, Policy]) -> None:
        """Folds in the next of its events.

        Args:
            name, values: the event (`domain.event_values`).
            place: where it is.
            now: its block's timestamp, Unix seconds.
            policies: by id; read at the opening only.

        Raises:
            BrokenHistory, WrongShares: as `fold`; the record is as before.
        """
        step = _STEPS.get(name)
        if step is None or not step(self, values, now, policies):
            self.take(apply(self.order(), event_of(name, values), now, policies))
        if name == OPENED:
            self.reopened = self.known
        self.last = place


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
    record.clocked = None
    return record


# Each step folds the event in and says so, or leaves the record alone.


def _opened(record: Record, values: Values, now: int, policies: Mapping[str, Policy]) -> bool:
    _, terms, payer, state = values
    policy = policies.get(terms[POLICY_ID])
    if policy is None or record.state is not State.Nothing or now > terms[OPEN_BY]:
        return False
    if state == State.Accepted:
        record.state = State.Accepted
        record.accepted_at = now
        record.deadline = now + policy.deliver_window
    elif state == State.Opened:
        record.state = State.Opened
        record.deadline = now + policy.accept_window
    else:
        return False
    record.terms = terms
    record.policy = policy
    record.payer = payer
    record.opened_at = now
    return True


def _accepted(record: Record, _: Values, now: int, __: object) -> bool:
    if record.state is not State.Opened or record.policy is None or record.deadline is None or now >= record.deadline:
        return False
    record.state = State.Accepted
    record.accepted_at = now
    record.deadline = now + record.policy.deliver_window
    return True


def _delivered(record: Record, values: Values, now: int, _: object) -> bool:
    if record.state is not State.Accepted or record.policy is None or record.deadline is None or now >= record.deadline:
        return False
    record.state = State.Delivered
    record.delivered_at = now
    record.deadline = now + record.policy.inspect_window
    record.commitment = values[1]
    return True


def _closed(record: Record, values: Values, now: int, _: object) -> bool:
    terms, policy, deadline = record.terms, record.policy, record.deadline
    if terms is None or policy is None or deadline is None:
        return False
    price = terms[PRICE]
    outcome = _OUTCOMES[values[1]]
    match record.state, outcome:
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
    if values[2] != fault or values[3:] != due:
        return False
    record.state = State.Closed
    record.closed_at = now
    record.deadline = None
    record.outcome = outcome
    record.fault = fault
    record.shares = (*due, 0)
    return True


def _bond(price: int, policy: Policy) -> int:
    return price * policy.seller_bond_bps // BPS


def _earned(price: int, policy: Policy) -> tuple[int, int, int, int]:
    fee = price * policy.platform_fee_bps // BPS
    return 0, price - fee, fee, _bond(price, policy)


def _withdrawn(price: int, policy: Policy) -> tuple[int, int, int, int]:
    bond = _bond(price, policy)
    return price + bond - bond // 2, 0, 0, bond // 2


OPENED = "OrderOpened"
_OUTCOMES = tuple(Outcome)

_Step = Callable[[Record, Values, int, Mapping[str, Policy]], bool]
_STEPS: Mapping[str, _Step] = {
    OPENED: _opened,
    "OrderAccepted": _accepted,
    "OrderDelivered": _delivered,
    "OrderClosed": _closed,
}
