"""What came of a market: everything that the chain says, and what no chain can."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from kameng_escrow.domain.events import Logged, OrderEvent
from kameng_escrow.domain.fold import fold
from kameng_escrow.domain.order import Order, OrderTerms
from kameng_escrow.domain.policy import Policy

from .cast import Cast
from .parameters import Parameters
from .plan import Attack
from .rhythm import Weather
from .venue import Closing


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What really was with an order. Only `placed_at`, `category`, `platform` and `listing` could anybody know then."""

    number: int  # from 0, in the order of opening
    order_id: str
    placed_at: int  # Unix seconds; when the buyer set out to pay
    category: str
    platform: str
    listing: str  # of which offer of the seller it is
    buyer_kind: str
    seller_kind: str
    in_stock: bool
    bad_units: int  # delivered ones that never worked
    dies_at: int | None  # Unix seconds; when the codes were recalled
    attack: str | None  # the name of the attack that placed it
    fingerprint: str  # of its code: the same for codes sold again


@dataclass(frozen=True, kw_only=True)
class MarketRun:
    """A market that is over."""

    parameters: Parameters
    seed: int
    venue: str
    cast: Cast
    weather: Weather
    terms: Mapping[str, OrderTerms]  # by order id, in the order of opening
    policies: Mapping[str, Policy]  # by policy id
    truths: Mapping[str, Truth]  # by order id
    attacks: tuple[Attack, ...]
    closing: Closing
    lost_payments: int  # orders that were never opened
    refusals: Mapping[str, int]  # what the contract refused, by name
    ended: int  # Unix seconds; when the last order closed

    @property
    def events(self) -> tuple[Logged, ...]:
        """What the escrow logged, in the chain's order: what the mirror records."""
        return self.closing.events

    @cached_property
    def orders(self) -> dict[str, Order]:
        """Every order as its events tell it, by id."""
        orders: dict[str, Order] = {}
        for logged in self.events:
            if isinstance(logged.event, OrderEvent):
                name = logged.event.order_id
                orders[name] = fold(orders.get(name), logged, self.policies)
        return orders

    @property
    def outcomes(self) -> Counter[str]:
        """How many orders ended how, by the outcome's label."""
        return Counter(order.outcome.label for order in self.orders.values())

    @property
    def faults(self) -> Counter[str]:
        """Whose fault the endings were, by the fault's label."""
        return Counter(order.fault.label for order in self.orders.values())
