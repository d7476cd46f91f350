"""What each ending of an order pays: from the rows of the lifecycle to the sums of ``shares``."""

from . import shares
from .lifecycle import ending_of
from .order import Order
from .policy import NO_CANCEL
from .shares import Closing
from .states import Fault, Outcome, State


def ending(order: Order, outcome: Outcome, to_buyer: int = 0) -> Closing:
    """How `order` would end by `outcome`.

    Args:
        order: an open order.
        outcome: one that is possible in its state, by whatever clock.
        to_buyer: for Ruled, Conceded and Agreed what is awarded to the buyer of what is held: of the price, or of the
            sum in dispute once Disputed. Base units.

    Raises:
        ValueError: the order can't end so.
    """
    state, policy = order.state, order.policy
    if ending_of(state, outcome) is None or policy is None or not is_allowed(order, outcome):
        raise ValueError(f"order {order.id}, which is {state.label}, can't end as {outcome.label}")
    held = shares.held(order)
    match outcome:
        case Outcome.Expired | Outcome.Undelivered | Outcome.Released | Outcome.Defaulted:
            return shares.timeout(policy, state, held)
        case Outcome.Ruled | Outcome.Conceded:
            return shares.ruling(policy, held, to_buyer, outcome)
        case Outcome.Confirmed:
            return shares.split(policy, held, 0, outcome, Fault.Nobody)
        case Outcome.Agreed:
            return shares.split(policy, held, to_buyer, outcome, Fault.Nobody)
        case Outcome.Intervened:
            return shares.split(policy, held, held.amount, outcome, Fault.Platform)
        case Outcome.Cancelled if state is State.Accepted:
            return shares.cancelled(policy, held)
        case Outcome.Refunded:
            return shares.withdrawn(held, outcome)
        case Outcome.Declined if state is State.Accepted:
            return shares.withdrawn(held, outcome)
    return shares.split(policy, held, held.amount, outcome, Fault.Nobody)  # cancelled or declined before acceptance


def timeout(order: Order) -> Closing:
    """How the clock would end an open order if nobody acted.

    Raises:
        ValueError: the order is not open.
    """
    if order.policy is None:
        raise ValueError(f"no clock runs in {order.state.label}")
    return shares.timeout(order.policy, order.state, shares.held(order))


def is_allowed(order: Order, outcome: Outcome) -> bool:
    """Whether the order's policy allows an outcome that its state does: it may forbid cancelling once accepted."""
    forbidden = order.policy is not None and order.policy.cancel_fee_bps == NO_CANCEL
    return not (forbidden and order.state is State.Accepted and outcome is Outcome.Cancelled)
