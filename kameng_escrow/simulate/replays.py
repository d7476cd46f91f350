"""A policy replayed: what it does to both sides, and by how much that differs from another, the same luck given."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from statistics import fmean

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.shares import bps
from kameng_escrow.domain.states import Outcome

from .cast import Money
from .figures import balance_of
from .market import run
from .parameters import Parameters, Weights
from .result import MarketRun, Truth
from .twin_venue import TwinVenue

NUMBERS = (
    "accept_window",
    "deliver_window",
    "inspect_window",
    "negotiate_window",
    "mediate_window",
    "platform_fee_bps",
    "cancel_fee_bps",
    "seller_bond_bps",
    "dispute_bond_bps",
    "mediation_fee_bps",
    "silence_share_bps",
)
_RESAMPLES = 2_000
_CONFIDENCE = 0.95
_IN_VAIN = (Outcome.Expired, Outcome.Cancelled, Outcome.Declined, Outcome.Intervened, Outcome.Undelivered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What a policy came to in one replay: means over its orders."""

    failed: float  # of the orders, came to nothing
    harm_fen: float  # that honest people lost in an order
    refund_hours: float  # until buyers who are refunded have their money
    paid_hours: float  # until sellers who are paid have theirs
    frozen_fen_days: float  # of sellers' money and bonds, in an order
    mediated: float  # of the orders, reached the mediator
    cost_fen: float  # all of it weighed, in an order


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate and the interval that holds it with 95 % confidence."""

    mean: float
    low: float
    high: float

    @property
    def sure(self) -> bool:
        """Whether its sign is."""
        return self.low > 0 or self.high < 0


def replay(parameters: Parameters, policy: Policy, *, orders: int, seed: int) -> MarketRun:
    """A fitted market under the policy's numbers."""

    def changed(platform: str, category: str, usual: Policy) -> Policy:
        del platform, category
        return replace(usual, **{name: getattr(policy, name) for name in NUMBERS})

    return run(parameters, orders=orders, seed=seed, venue=TwinVenue(), change=changed)


def measure(market: MarketRun, weights: Weights) -> Measures:
    """What the market came to."""
    money = market.cast.money
    pairs = [(order, market.truths[name]) for name, order in market.orders.items()]
    prices = [money.fen(order.terms.price, order.terms.token) for order, _ in pairs if order.terms]
    failed = [order.outcome in _IN_VAIN for order, _ in pairs]
    harm = [_harm(order, truth, money) for order, truth in pairs]
    frozen = [_frozen(order, money) for order, _ in pairs]
    mediated = [order.outcome in (Outcome.Ruled, Outcome.Defaulted) for order, _ in pairs]
    costs = [
        lost + weights.failure * price * vain + weights.frozen_day * held + weights.mediation_fen * fought
        for price, vain, lost, held, fought in zip(prices, failed, harm, frozen, mediated, strict=True)
    ]
    return Measures(
        failed=_mean(failed),
        harm_fen=_mean(harm),
        refund_hours=_mean([_hours(order) for order, _ in pairs if order.shares and order.shares.to_buyer]),
        paid_hours=_mean([_hours(order) for order, _ in pairs if order.shares and order.shares.to_seller]),
        frozen_fen_days=_mean(frozen),
        mediated=_mean(mediated),
        cost_fen=_mean(costs),
    )


def compared(before: Sequence[Measures], after: Sequence[Measures], seed: int) -> dict[str, Interval]:
    """By how much each measure differs, replay by replay, with what resampling the replays makes of it."""
    return {
        field.name: interval(
            [getattr(new, field.name) - getattr(old, field.name) for old, new in zip(before, after, strict=True)], seed
        )
        for field in fields(Measures)
    }


def interval(differences: Sequence[float], seed: int) -> Interval:
    """The mean of paired differences, with its bootstrap interval: the same for the same seed."""
    luck = random.Random(seed)
    means = sorted(fmean(luck.choices(differences, k=len(differences))) for _ in range(_RESAMPLES))
    cut = int(_RESAMPLES * (1 - _CONFIDENCE) / 2)
    return Interval(mean=fmean(differences), low=means[cut], high=means[-cut - 1])


def _harm(order: Order, truth: Truth, money: Money) -> int:
    """What those lost who had done nothing wrong, in fen. A late seller has not; one with bad codes, or who sold what
    it did not have, has; so has a buyer who disputed good codes."""
    assert order.terms is not None  # it was opened
    buyer, seller = balance_of(order, truth)
    honest_seller = truth.bad_units == 0 and truth.in_stock
    honest_buyer = order.disputed_at is None or truth.bad_units > 0
    lost = max(0, -buyer) * honest_buyer + max(0, -seller) * honest_seller
    return money.fen(lost, order.terms.token)


def _frozen(order: Order, money: Money) -> float:
    """Fen times days of what is the seller's or will be: the price and the bond, from the acceptance to the end."""
    if order.accepted_at is None or order.closed_at is None or order.terms is None or order.policy is None:
        return 0.0
    held = order.terms.price + bps(order.terms.price, order.policy.seller_bond_bps)
    return money.fen(held, order.terms.token) * (order.closed_at - order.accepted_at) / 86_400


def _hours(order: Order) -> float:
    assert order.closed_at is not None  # it is over
    assert order.opened_at is not None
    return (order.closed_at - order.opened_at) / 3_600


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 0.0
