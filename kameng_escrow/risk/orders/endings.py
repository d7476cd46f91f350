"""The stages at which an order is looked at, and how it may end: the risks that compete."""

from enum import StrEnum

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.states import Fault, Outcome, State


class Stage(StrEnum):
    """What an order has just come to."""

    Opened = "opened"  # paid, waiting for its seller
    Accepted = "accepted"  # waiting for the codes
    Delivered = "delivered"  # waiting for the buyer
    Disputed = "disputed"


class Ending(StrEnum):
    """How an order went, for those who traded."""

    Well = "well"  # delivered and paid, or settled with nobody at fault
    Buyer = "buyer"  # the buyer cancelled, or was at fault
    Seller = "seller"  # not accepted, not delivered, or the seller at fault
    Dispute = "dispute"  # disputed; of an order that is: the parties did not settle it among themselves


BAD = (Ending.Buyer, Ending.Seller, Ending.Dispute)

_STAGES = {
    State.Opened: Stage.Opened,
    State.Accepted: Stage.Accepted,
    State.Delivered: Stage.Delivered,
    State.Disputed: Stage.Disputed,
}
_FAILED = frozenset({Outcome.Expired, Outcome.Declined, Outcome.Undelivered, Outcome.Refunded})
_UNSETTLED = frozenset({Outcome.Ruled, Outcome.Defaulted})


def stage_of(state: State) -> Stage | None:
    """The stage of a state; None where no order is under way."""
    return _STAGES.get(state)


def ending_of(order: Order, stage: Stage) -> Ending | None:
    """How a closed order ended, as seen from a stage; None where it is open, or its platform ended it.

    A dispute counts as such for those who looked before it, however it ended.
    """
    if order.state is not State.Closed or order.outcome is Outcome.Intervened:
        return None
    if order.disputed_at is not None and stage is not Stage.Disputed:
        return Ending.Dispute
    if stage is Stage.Disputed and order.outcome in _UNSETTLED:
        return Ending.Dispute
    if order.outcome in _FAILED or order.fault is Fault.Seller:
        return Ending.Seller
    if order.outcome is Outcome.Cancelled or order.fault is Fault.Buyer:
        return Ending.Buyer
    return Ending.Well
