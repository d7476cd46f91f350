"""What may happen to an order next: by the clock, and by whom."""

from dataclasses import dataclass

from .endings import ending, is_allowed, timeout
from .lifecycle import (
    LIFECYCLE,
    Move,
    Row,
    Who,
    half_time,
    is_time,
    mediator_now,
    time_of,
)
from .order import Order
from .policy import ZERO_ADDRESS
from .shares import Closing, held
from .states import Right, State


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAction:
    """What the clock will do with an order if nobody acts before."""

    state: State
    due_at: int | None  # Unix seconds from which anyone may settle; None: never, the order is not open
    due: bool  # whether that is now
    closing: Closing | None  # what settling pays; None where due_at is


@dataclass(frozen=True, slots=True, kw_only=True)
class Possibility:
    """Something that somebody may do with an order now."""

    move: Move
    who: Who  # in what capacity; Parties: this one and the other together
    until: int | None  # possible before this Unix second; None: as long as the order is in this state
    ends: bool  # whether it closes the order
    closing: Closing | None  # what it pays; None where it doesn't end the order, or pays what is yet to be named
    right: Right | None  # what an operator needs for it


def next_action(order: Order, now: int) -> NextAction:
    """What the clock will do at or after the Unix second `now`, when, and what that pays to whom."""
    if not order.state.is_open or order.deadline is None:
        return NextAction(state=order.state, due_at=None, due=False, closing=None)
    return NextAction(state=order.state, due_at=order.deadline, due=now >= order.deadline, closing=timeout(order))


def roles_now(order: Order, account: str, now: int) -> frozenset[Who]:
    """In what capacities an account may act on an open order at the Unix second `now`. Anyone is among them always;
    Operator never is, since grants are the seller's and not the order's.
    """
    terms, policy = order.terms, order.policy
    roles = {Who.Anyone}
    if terms is None or policy is None:
        return frozenset(roles)
    if account == terms.buyer:
        roles |= {Who.Buyer, Who.Parties}
    if account == terms.seller:
        roles |= {Who.Seller, Who.Parties}
    if not _is_party(order, account):
        if account == policy.platform:
            roles.add(Who.Platform)
        if account == mediator_now(order, now):
            roles.add(Who.Mediator)
    return frozenset(roles)


def possible(order: Order, actor: str | Who, now: int) -> list[Possibility]:
    """What an account, or whoever has a role, may do with an open order at the Unix second `now`, in the table's order.

    An order that is not open has none: what can be done before the opening is about terms, not about an order. A
    buyer or seller finds `agree` among theirs; it needs both.
    """
    if not order.state.is_open:
        return []
    roles = _roles_of(order, actor, now) if isinstance(actor, Who) else roles_now(order, actor, now)
    return [
        Possibility(
            move=row.move,
            who=who,
            until=_until(row, order, now),
            ends=row.ends,
            closing=_closing(row, who, order),
            right=row.right if who is Who.Operator else None,
        )
        for row in LIFECYCLE
        if order.state in row.states and is_time(row, order, now) and is_allowed(order, row.outcome)
        for who in row.who
        if who in roles
    ]


def _roles_of(order: Order, who: Who, now: int) -> frozenset[Who]:
    """The role itself and what comes with it, less what a conflict of interest forbids."""
    platform = None if order.policy is None else order.policy.platform
    holders = {Who.Platform: platform, Who.Mediator: mediator_now(order, now)}
    if _is_party(order, holders.get(who)):
        return frozenset()
    return frozenset({who, Who.Parties} if who in (Who.Buyer, Who.Seller) else {who})


def _is_party(order: Order, account: str | None) -> bool:
    return order.terms is not None and account in (order.terms.buyer, order.terms.seller)


def _until(row: Row, order: Order, now: int) -> int | None:
    """When the chance ends: by the row's clock, or for the mediator with the own half of the window."""
    _, end = time_of(row, order)
    half, policy = half_time(order), order.policy
    shared = policy is not None and policy.backup_mediator != ZERO_ADDRESS
    return half if row.move is Move.Rule and shared and half is not None and now < half else end


def _closing(row: Row, who: Who, order: Order) -> Closing | None:
    if not row.ends or row.move in (Move.Rule, Move.Agree):
        return None
    gives_in = row.move is Move.Concede and who is not Who.Buyer
    return ending(order, row.outcome, held(order).amount if gives_in else 0)
