"""Buyers who dispute far more than the sellers that they buy from let one expect.

Each delivery is a chance to dispute. How often that is to be expected is the seller's own share of disputes, or the
platform's, whichever is higher: who buys from a bad seller disputes with good reason. What a buyer did beyond that is
told by a beta-binomial distribution, in which honest buyers differ.
"""

from dataclasses import dataclass, field
from math import ceil
from typing import Any, ClassVar, Final

from kameng_escrow.domain.events import OrderClosed, OrderDelivered, OrderDisputed
from kameng_escrow.domain.states import Fault

from .alarms import Finding, Kind, Role, Severity
from .bounded import Bounded
from .evidence import Share, keep, share_tail
from .steps import Step

LEAST: Final = 4  # disputes, below which nothing is said
SELLERS: Final = 2  # at least: a dispute of one buyer with one seller over and over is between the two
CHANCE: Final = 1e-4  # of so many disputes, below which it is told
STRENGTH: Final = 30.0  # how alike honest buyers are: as if each had been seen in so many orders
HALF_LIFE: Final = 90 * 24 * 3_600
PRIOR: Final = (0.05, 40.0)  # share of disputes, and how many orders that is worth, before any is known


@dataclass(slots=True)
class _Buyer:
    delivered: float = 0.0  # orders, older ones weighing less; likewise below
    expected: float = 0.0  # disputes
    disputed: float = 0.0
    against: float = 0.0  # ended with the fault on the buyer
    at: int = 0
    first: int = 0  # when the first dispute was
    orders: list[str] = field(default_factory=list)
    sellers: list[str] = field(default_factory=list)


class Disputers:
    """Serial disputers."""

    kind: ClassVar = Kind.Disputer

    def __init__(self) -> None:
        self._buyers = Bounded(4_000, _Buyer)
        self._sellers = Bounded(2_000, Share)
        self._all = Share()

    def learn(self, step: Step) -> list[Finding]:
        order, event = step.order, step.event
        if isinstance(event, OrderDelivered):
            buyer = self._buyer(order.buyer, step.at)
            buyer.delivered += 1
            buyer.expected += self._expected(order.seller, step.at)
            self._sellers.at(order.seller).misses += 1
            self._all.misses += 1
        elif isinstance(event, OrderDisputed):
            return self._disputed(step)
        elif isinstance(event, OrderClosed) and event.fault is Fault.Buyer and order.disputed_at is not None:
            self._buyer(order.buyer, step.at).against += 1
        return []

    def dump(self) -> Any:
        return [self._buyers.dump(), self._sellers.dump(), [self._all.hits, self._all.misses, self._all.at]]

    def load(self, state: Any) -> None:
        self._buyers.load(state[0])
        self._sellers.load(state[1])
        self._all = Share(*state[2])

    # ------------------------------------------------------------------------------------------------------- reckoning

    def _buyer(self, account: str, at: int) -> _Buyer:
        buyer = self._buyers.at(account)
        if at > buyer.at:
            left = 0.5 ** ((at - buyer.at) / HALF_LIFE) if buyer.at else 0.0
            buyer.delivered *= left
            buyer.expected *= left
            buyer.disputed *= left
            buyer.against *= left
            buyer.at = at
        return buyer

    def _expected(self, seller: str, at: int) -> float:
        """The share of a seller's deliveries that end in a dispute; at least the platform's."""
        self._all.age(at, HALF_LIFE)
        base, _ = self._all.expected(*PRIOR)
        share = self._sellers.at(seller)
        share.age(at, HALF_LIFE)
        mean, _ = share.expected(base, 20.0)
        return min(0.9, max(base, mean))

    def _disputed(self, step: Step) -> list[Finding]:
        order = step.order
        buyer = self._buyer(order.buyer, step.at)
        buyer.disputed += 1
        buyer.first = buyer.first or step.at
        keep(buyer.orders, order.order_id, 20)
        keep(buyer.sellers, order.seller, 20)
        for share in (self._sellers.at(order.seller), self._all):  # the delivery was no miss, then
            share.misses = max(0.0, share.misses - 1)
            share.hits += 1
        disputed, trials = int(buyer.disputed + 0.5), ceil(max(buyer.delivered, buyer.disputed))
        if disputed < LEAST or len(buyer.sellers) < SELLERS or buyer.delivered <= 0:
            return []
        mean = min(0.9, max(0.01, buyer.expected / buyer.delivered))
        chance = share_tail(disputed, trials, mean, STRENGTH)
        if chance > CHANCE:
            return []
        return [
            Finding(
                kind=self.kind,
                role=Role.Buyer,
                who=order.buyer,
                with_whom=tuple(buyer.sellers),
                since=buyer.first,
                at=step.at,
                severity=Severity.High if chance < CHANCE / 1_000 or buyer.against >= 3 else Severity.Medium,
                orders=tuple(buyer.orders),
                numbers={
                    "disputed": disputed,
                    "delivered": trials,
                    "expected": round(mean * trials, 2),
                    "sellers": len(buyer.sellers),
                    "found_at_fault": int(buyer.against + 0.5),
                    "chance": chance,
                },
            )
        ]
