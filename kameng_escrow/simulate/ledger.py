"""Does the money add up? By the events alone: what came in, what went out, and what is still owed."""

from collections import Counter
from collections.abc import Iterable, Mapping

from kameng_escrow.domain import shares
from kameng_escrow.domain.events import (
    BondFunded,
    BondWithdrawn,
    Credited,
    CreditPaid,
    FeesClaimed,
    Logged,
    MediationFeeCredited,
    OrderClosed,
    OrderDisputed,
    OrderEvent,
    OrderOpened,
)
from kameng_escrow.domain.fold import fold
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import Policy


def conserved(logged: Iterable[Logged], policies: Mapping[str, Policy], token: str, in_escrow: int) -> bool:
    """Whether the escrow has, of a token, what the events say that came in less what went out, and owes just that.

    Args:
        logged: everything that the contract logged, in its order.
        in_escrow: what the contract's balance of the token is, base units.

    Raises:
        BrokenHistory, WrongShares: an order's events contradict the rules.
    """
    orders: dict[str, Order] = {}
    came_in = went_out = 0
    owed: Counter[str] = Counter()  # bonds, credits and fees together
    for one in logged:
        event = one.event
        if isinstance(event, OrderEvent):
            before = orders.get(event.order_id)
            order = orders[event.order_id] = fold(before, one, policies)
            if order.terms is None or order.terms.token != token:
                continue
            match event:
                case OrderOpened():
                    came_in += order.terms.price
                    owed["bonds"] -= shares.held(order).seller_bond
                case OrderDisputed():
                    came_in += event.dispute_bond
                    went_out += event.to_seller
                    owed["bonds"] += event.bond_returned
                    owed["fees"] += event.platform_fee
                case MediationFeeCredited():
                    owed["credits"] += event.fee
                case OrderClosed():
                    went_out += event.to_buyer + event.to_seller
                    owed["bonds"] += event.bond_returned
                    owed["fees"] += event.platform_fee
                case _ if before is not None:  # an acceptance locks a bond
                    owed["bonds"] -= shares.held(order).seller_bond - shares.held(before).seller_bond
        elif getattr(event, "token", None) == token:
            match event:
                case BondFunded():
                    came_in += event.amount
                    owed["bonds"] += event.amount
                case BondWithdrawn():
                    went_out += event.amount
                    owed["bonds"] -= event.amount
                case Credited():  # what was to go out and could not
                    went_out -= event.amount
                    owed["credits"] += event.amount
                case CreditPaid():
                    went_out += event.amount
                    owed["credits"] -= event.amount
                case FeesClaimed():
                    went_out += event.amount
                    owed["fees"] -= event.amount
    held = sum(shares.held(order).total for order in orders.values() if order.terms and order.terms.token == token)
    return came_in - went_out == in_escrow == held + sum(owed.values())
