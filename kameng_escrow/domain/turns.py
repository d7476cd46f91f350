"""Whose turn it is: for whom the clock of an order runs, and until when."""

from dataclasses import dataclass

from .actions import possible
from .lifecycle import LIFECYCLE, Move, Who, half_time, mediator_now, negotiation_end
from .order import Order
from .states import State

# The moves that a clock waits for: those that bring an order on, a replacement, a ruling. What ends an order otherwise
# may be done in between, and what is always possible (to agree, to revise) is nobody's turn.
_AWAITED = {
    row.move for row in LIFECYCLE if State.Nothing not in row.states and row.to is not None and not row.ends
} | {Move.Recommit, Move.Rule}
_ASIDE = {Move.Agree, Move.Revise}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Somebody's time to act."""

    who: Who  # Seller, Buyer or Mediator
    account: str
    state: State
    start: int  # Unix seconds
    until: int  # likewise; from then on it is another's turn, or anyone may settle
    moves: tuple[Move, ...]  # what the account may do then, in the table's order


def turn_at(order: Order, now: int) -> Turn | None:
    """Whose turn it is at the Unix second `now`; None: nobody's, since the order is not open or its time is over."""
    return next((turn for turn in turns(order) if turn.start <= now < turn.until), None)


def turns(order: Order) -> list[Turn]:
    """Whose turn it is from when until when, as long as the order stays in its state; empty unless it is open."""
    if not order.state.is_open or order.deadline is None or order.terms is None:
        return []
    starts = [mark for mark in (entered_at(order), negotiation_end(order), half_time(order)) if mark is not None]
    found: list[Turn] = []
    for start in starts:
        turn = _turn(order, start)
        if turn is not None and not (found and (found[-1].account, found[-1].until) == (turn.account, turn.until)):
            found.append(turn)
    return found


def entered_at(order: Order) -> int | None:
    """When the order came into its state, Unix seconds; None unless it is open."""
    return {
        State.Opened: order.opened_at,
        State.Accepted: order.accepted_at,
        State.Delivered: order.delivered_at,
        State.Disputed: order.disputed_at,
    }.get(order.state)


def _turn(order: Order, start: int) -> Turn | None:
    assert order.terms is not None
    accounts = {
        Who.Seller: order.terms.seller,
        Who.Buyer: order.terms.buyer,
        Who.Mediator: mediator_now(order, start),
    }
    for who, account in accounts.items():
        open_to = [one for one in possible(order, who, start) if one.move not in _ASIDE]
        awaited = next((one for one in open_to if one.move in _AWAITED and one.who is who), None)
        if awaited is not None and awaited.until is not None and account is not None:
            return Turn(
                who=who,
                account=account,
                state=order.state,
                start=start,
                until=awaited.until,
                moves=tuple(one.move for one in open_to),
            )
    return None
