"""An order is nothing but the fold of its events.

``fold`` also checks what it is told twice: that the event can follow, by the table of the lifecycle and its clock, and
that the amounts in it are those of ``shares``. So a log that was lost, doubled or made up does not pass unseen.
"""

from collections.abc import Mapping
from dataclasses import replace

from kameng_escrow.errors import EscrowError

from . import shares
from .endings import ending, is_allowed
from .events import (
    Event,
    Logged,
    MediationFeeCredited,
    OrderAccepted,
    OrderClosed,
    OrderDelivered,
    OrderDisputed,
    OrderEvent,
    OrderOpened,
    OrderRecommitted,
    OrderRevised,
    OrderRuled,
)
from .lifecycle import Move, Row, ending_of, is_time, mediator_now, row_of
from .order import Order, OrderTerms, Shares
from .policy import Policy
from .shares import Closing
from .states import Fault, Outcome, State


class BrokenHistory(EscrowError):
    """An event that can't follow what came before: a log is missing, doubled, or not this contract's."""

    code = "broken_history"

    def __init__(self, order_id: str, state: State, event: OrderEvent, reason: str) -> None:
        name = type(event).__name__
        super().__init__(
            f"{name} can't follow in the history of order {order_id}, which is {state.label}: {reason}. "
            "A log is missing: ask another node. Where a mirror says so, it may have been missing before: "
            "`kameng reconcile --repair` reads everything anew."
        )
        self.order_id = order_id
        self.state = state
        self.event = event
        self.reason = reason


class WrongShares(EscrowError):
    """An event's amounts are not those that the rules give: the node lies, or these rules are not its contract's."""

    code = "wrong_shares"

    def __init__(self, order_id: str, event: OrderEvent, expected: object) -> None:
        super().__init__(
            f"The amounts of {event} are not those of the rules, {expected}: ask another node, and check that the "
            "contract is the one that this package was made for."
        )
        self.order_id = order_id
        self.event = event
        self.expected = expected


def fold(order: Order | None, logged: Logged, policies: Mapping[str, Policy]) -> Order:
    """The order after one more of its events.

    Args:
        order: as the events before made it; None before the first.
        logged: an event of this order, the next in the chain's order.
        policies: by policy id; read at the opening only.

    Raises:
        BrokenHistory: the event can't follow.
        WrongShares: its amounts are not those of the rules.
        TypeError: it is no event of an order.
    """
    return apply(order, logged.event, logged.timestamp, policies)


def apply(order: Order | None, event: Event, timestamp: int, policies: Mapping[str, Policy]) -> Order:
    """As ``fold``, for an event that need not be in a log yet. `timestamp`: Unix seconds of the block."""
    if not isinstance(event, OrderEvent):
        raise TypeError(f"{type(event).__name__} is no event of an order")
    if order is None:
        order = Order(id=event.order_id, state=State.Nothing, revision=0)
    if event.order_id != order.id:
        raise _broken(order, event, f"it is of order {event.order_id}")
    ruled = order.awarded is not None or order.mediation_fee
    if ruled and not isinstance(event, MediationFeeCredited | OrderClosed):
        raise _broken(order, event, "a ruling or concession was under way, and only the end can follow")
    match event:
        case OrderOpened():
            return _opened(order, event, timestamp, policies)
        case OrderAccepted():
            return _accepted(order, event, timestamp)
        case OrderDelivered():
            return _delivered(order, event, timestamp)
        case OrderDisputed():
            return _disputed(order, event, timestamp)
        case OrderRecommitted():
            _check_move(order, event, timestamp, Move.Recommit)
            return replace(order, revision=_next_revision(order, event), commitment=event.commitment)
        case OrderRevised():
            _check_move(order, event, timestamp, Move.Revise)
            return replace(order, revision=_next_revision(order, event))
        case OrderRuled():
            return _ruled(order, event, timestamp)
        case MediationFeeCredited():
            return _fee_credited(order, event, timestamp)
        case OrderClosed():
            return _closed(order, event, timestamp)


def _opened(order: Order, event: OrderOpened, timestamp: int, policies: Mapping[str, Policy]) -> Order:
    terms = event.terms
    policy = policies.get(terms.policy_id)
    if policy is None:
        raise _broken(order, event, f"its policy {terms.policy_id} is not registered")
    move = Move.Open if event.state is State.Opened else Move.OpenWithOffer
    row = _check_move(replace(order, terms=terms), event, timestamp, move)
    if row.to is not event.state:
        raise _broken(order, event, f"no order opens as {event.state.label}")
    accepted = event.state is State.Accepted
    return replace(
        order,
        state=event.state,
        terms=terms,
        policy=policy,
        payer=event.payer,
        opened_at=timestamp,
        accepted_at=timestamp if accepted else None,
        deadline=timestamp + (policy.deliver_window if accepted else policy.accept_window),
    )


def _accepted(order: Order, event: OrderAccepted, timestamp: int) -> Order:
    _check_move(order, event, timestamp, Move.Accept)
    deadline = timestamp + _policy(order).deliver_window
    return replace(order, state=State.Accepted, accepted_at=timestamp, deadline=deadline)


def _delivered(order: Order, event: OrderDelivered, timestamp: int) -> Order:
    _check_move(order, event, timestamp, Move.Deliver)
    return replace(
        order,
        state=State.Delivered,
        delivered_at=timestamp,
        deadline=timestamp + _policy(order).inspect_window,
        commitment=event.commitment,
    )


def _disputed(order: Order, event: OrderDisputed, timestamp: int) -> Order:
    _check_move(order, event, timestamp, Move.Dispute)
    terms, policy = _terms(order), _policy(order)
    if not 0 < event.units <= terms.units:
        raise _broken(order, event, f"{event.units} of {terms.units} units can't be disputed")
    after = replace(
        order,
        state=State.Disputed,
        disputed_at=timestamp,
        deadline=timestamp + policy.negotiate_window + policy.mediate_window,
        disputed_units=event.units,
        evidence=event.evidence,
        undisputed=Shares(
            to_buyer=0,
            to_seller=event.to_seller,
            platform_fee=event.platform_fee,
            bond_returned=event.bond_returned,
        ),
    )
    paid = shares.undisputed(policy, price=terms.price, units=terms.units, disputed_units=event.units)
    dispute_bond = shares.held(after).dispute_bond
    if (after.undisputed, event.dispute_bond) != (paid, dispute_bond):
        raise WrongShares(order.id, event, (paid, dispute_bond))
    return after


def _ruled(order: Order, event: OrderRuled, timestamp: int) -> Order:
    _check_move(order, event, timestamp, Move.Rule)
    _check_mediator(order, event, timestamp, event.mediator)
    if not 0 <= event.to_buyer <= shares.held(order).amount:
        raise WrongShares(order.id, event, shares.held(order))
    return replace(order, mediator=event.mediator, awarded=event.to_buyer, grounds=event.grounds)


def _fee_credited(order: Order, event: MediationFeeCredited, timestamp: int) -> Order:
    _check_move(order, event, timestamp, Move.Concede)
    _check_mediator(order, event, timestamp, event.mediator)
    if order.mediation_fee:
        raise _broken(order, event, "the fee was credited before")
    expected = shares.bps(shares.held(order).amount, _policy(order).mediation_fee_bps)
    if not event.fee or event.fee != expected:
        raise WrongShares(order.id, event, expected)
    return replace(order, mediator=event.mediator, mediation_fee=event.fee)


def _closed(order: Order, event: OrderClosed, timestamp: int) -> Order:
    row = ending_of(order.state, event.outcome)
    if row is None or not is_allowed(order, event.outcome):
        raise _broken(order, event, f"it can't end as {event.outcome.label}")
    _check_time(order, event, timestamp, row)
    if (order.awarded is not None) != (event.outcome is Outcome.Ruled):
        raise _broken(order, event, "a ruling and its end belong together")
    expected = ending(order, event.outcome, _to_buyer(order, event))
    if order.mediation_fee != expected.shares.mediation_fee:
        raise _broken(order, event, f"the mediator was credited {order.mediation_fee} before")
    paid = Shares(
        to_buyer=event.to_buyer,
        to_seller=event.to_seller,
        platform_fee=event.platform_fee,
        bond_returned=event.bond_returned,
        mediation_fee=order.mediation_fee,
    )
    if Closing(outcome=event.outcome, fault=event.fault, shares=paid) != expected:
        raise WrongShares(order.id, event, expected)
    return replace(
        order,
        state=State.Closed,
        closed_at=timestamp,
        deadline=None,
        outcome=event.outcome,
        fault=event.fault,
        shares=paid,
    )


def _to_buyer(order: Order, event: OrderClosed) -> int:
    """What the buyer was awarded of what is held, where the row leaves that open."""
    held = shares.held(order)
    match event.outcome:
        case Outcome.Ruled:
            return order.awarded or 0
        case Outcome.Conceded:
            return held.amount if event.fault is Fault.Seller else 0
        case Outcome.Agreed:
            return min(max(event.to_buyer - held.dispute_bond, 0), held.amount)
    return 0


def _next_revision(order: Order, event: OrderRevised | OrderRecommitted) -> int:
    if event.revision != order.revision + 1:
        raise _broken(order, event, f"revision {event.revision} does not follow {order.revision}")
    return event.revision


def _check_move(order: Order, event: OrderEvent, timestamp: int, move: Move) -> Row:
    row = row_of(move, order.state)
    if row is None:
        raise _broken(order, event, f"{move.value} is not possible there")
    _check_time(order, event, timestamp, row)
    return row


def _check_time(order: Order, event: OrderEvent, timestamp: int, row: Row) -> None:
    if not is_time(row, order, timestamp):
        raise _broken(order, event, f"at {timestamp} it was not the time for {row.move.value} ({row.clock.value})")


def _check_mediator(order: Order, event: OrderEvent, timestamp: int, mediator: str) -> None:
    if mediator != mediator_now(order, timestamp):
        raise _broken(order, event, f"{mediator} was not the mediator at {timestamp}")


def _terms(order: Order) -> OrderTerms:
    assert order.terms is not None  # every order beyond State.Nothing has them
    return order.terms


def _policy(order: Order) -> Policy:
    assert order.policy is not None  # it comes with the terms
    return order.policy


def _broken(order: Order, event: OrderEvent, reason: str) -> BrokenHistory:
    return BrokenHistory(order.id, order.state, event, reason)
