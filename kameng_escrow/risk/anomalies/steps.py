"""What the detectors learn from: a contract's events about orders, one after the other, each with its order's facts."""

from dataclasses import dataclass

from kameng_escrow.domain.events import OrderEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """As much of an order as detectors look at. The times are of what happened up to the step; None: not yet."""

    order_id: str
    buyer: str
    refund_to: str
    seller: str
    pay_to: str
    payer: str
    token: str
    price: int  # base units of the token
    units: int
    platform: str  # which registered the policy
    category: str  # of the listing; where that is unknown, the policy's id
    title: str = ""  # of the listing; empty: unknown
    opened_at: int | None = None  # Unix seconds of the chain, likewise the others
    delivered_at: int | None = None
    disputed_at: int | None = None
    disputed_units: int = 0

    @property
    def sum_in_dispute(self) -> int:
        """The part of the price that is in dispute; base units."""
        return self.price - self.price * (self.units - self.disputed_units) // self.units


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A code of a delivery that was delivered in another order before."""

    unit: int  # of this delivery
    order_id: str  # the other
    seller: str | None  # likewise
    was_read: bool  # whether the other's buyer has had its codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An event, when it happened, and of which order. Steps come in the chain's order."""

    at: int  # Unix seconds of the block
    event: OrderEvent
    order: OrderFacts
    repeats: tuple[Repeat, ...] = ()  # of a delivery, as far as its fingerprints tell
