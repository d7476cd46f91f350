"""Who sits in an order's room, and who may not judge it."""

from enum import StrEnum

from .labels import Label
from .order import Order
from .policy import ZERO_ADDRESS


class Seat(StrEnum):
    """In what capacity somebody speaks in an order's room."""

    Buyer = "buyer"
    Seller = "seller"
    Mediator = "mediator"
    Backup = "backup_mediator"
    Platform = "platform"

    @property
    def is_party(self) -> bool:
        """Whether it is one of the two whose money it is."""
        return self in (Seat.Buyer, Seat.Seller)

    @property
    def mediates(self) -> bool:
        """Whether it is one of the two who may rule."""
        return self in (Seat.Mediator, Seat.Backup)


SEAT_LABELS: dict[Seat, Label] = {
    Seat.Buyer: Label("buyer", "买家"),
    Seat.Seller: Label("seller", "卖家"),
    Seat.Mediator: Label("mediator", "仲裁员"),
    Seat.Backup: Label("backup mediator", "候补仲裁员"),
    Seat.Platform: Label("platform", "平台"),
}


class Conflict(StrEnum):
    """Why a mediator may not judge an order. The contract refuses the first; the others are the service's to refuse.

    Each stands in the order's own terms, or is the mediator's or its platform's doing. What a party can do alone when
    the dispute has begun is none of them: with that it would choose who judges.
    """

    Party = "party"  # is the buyer or the seller
    Receiver = "receiver"  # the order's money goes to the mediator's address
    Payer = "payer"  # paid for the order
    Declared = "declared"  # said so, or the platform did


CONFLICT_LABELS: dict[Conflict, Label] = {
    Conflict.Party: Label("is the order's buyer or seller", "本人是订单的买家或卖家"),
    Conflict.Receiver: Label("the order's money goes to this address", "订单的钱会付到这个地址"),
    Conflict.Payer: Label("paid for the order", "本人为订单付了款"),
    Conflict.Declared: Label("a conflict of interest was declared", "已申报利益冲突"),
}


class Tie(StrEnum):
    """What the seller put on the chain about a mediator, without asking it. Shown, and it bars nobody."""

    Receiver = "receiver"  # the seller registered the mediator's address as its payTo
    Operator = "operator"  # the seller granted the mediator an operator's rights


TIE_LABELS: dict[Tie, Label] = {
    Tie.Receiver: Label("the seller registered this address to receive its money", "卖家把这个地址登记为收款地址"),
    Tie.Operator: Label("the seller named this address as an operator", "卖家把这个地址设为代理操作员"),
}


def seats_of(order: Order, account: str) -> tuple[Seat, ...]:
    """The seats that an account has in the order's room, the one that it speaks from first.

    Mediators come in with the dispute, and have no seat in an order whose party they are. Nobody has one before the
    opening, since terms name the seats.
    """
    terms, policy = order.terms, order.policy
    if terms is None or policy is None or account == ZERO_ADDRESS:
        return ()
    holders = {Seat.Buyer: terms.buyer, Seat.Seller: terms.seller}
    if order.disputed_at is not None and account not in holders.values():
        holders |= {Seat.Mediator: policy.mediator, Seat.Backup: policy.backup_mediator}
    holders[Seat.Platform] = policy.platform
    return tuple(seat for seat, holder in holders.items() if holder == account)


def conflict_of(order: Order, mediator: str) -> Conflict | None:
    """Why the mediator may not judge the order, as far as the order itself says."""
    terms = order.terms
    if terms is None:
        return None
    if mediator in (terms.buyer, terms.seller):
        return Conflict.Party
    if mediator in (terms.refund_to, terms.pay_to):
        return Conflict.Receiver
    if mediator == order.payer:
        return Conflict.Payer
    return None
