"""What a market came to, in numbers: endings, faults, time to money, money frozen, gas, and who suffered.

Money is in fen (1/100 yuan) here, rounded down once for each order, so that coins and tokens can be added up.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kameng_escrow.domain.events import OrderEvent
from kameng_escrow.domain.fold import fold
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.shares import bps, held
from kameng_escrow.domain.states import State

from .result import MarketRun, Truth

_POINTS = 200  # at which the money in escrow is looked at
_MATTERS = 100  # a loss is counted from a hundredth of the price on


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How long money takes from the payment to its receiver, seconds."""

    orders: int
    median: int
    ninth_decile: int
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Suffering:
    """What a kind of people lost that was theirs, and gained that was not."""

    kind: str  # "buyer patient", "seller prompt", …
    orders: int
    harmed: int  # orders in which it lost at least a hundredth of the price
    lost_fen: int
    gained_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GasUse:
    """What a function of the contract took."""

    function: str
    transactions: int
    orders: int  # that it did something to
    gas: int
    cost_gwei: int  # at the prices of the market's weather


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All of it."""

    orders: int
    lost_payments: int
    outcomes: Mapping[str, int]
    faults: Mapping[str, int]
    by_group: Mapping[str, Mapping[str, Mapping[str, float]]]  # platform or category → name → what → share of orders
    to_seller: Waiting
    to_buyer: Waiting
    frozen: Sequence[tuple[int, int, int]]  # Unix second; fen of prices and of bonds in escrow then
    frozen_most_fen: int
    suffering: Sequence[Suffering]
    gas: Sequence[GasUse]
    gas_per_order: int  # zero where gas costs nothing
    refusals: Mapping[str, int]
    conserved: bool
    mirror_equals_chain: bool | None
    settled_by_keeper: int

    def to_json(self) -> dict[str, Any]:
        """For machines: amounts as strings of fen."""
        return {
            "orders": self.orders,
            "lost_payments": self.lost_payments,
            "outcomes": dict(self.outcomes),
            "faults": dict(self.faults),
            "by_group": {
                group: {name: dict(row) for name, row in rows.items()} for group, rows in self.by_group.items()
            },
            "seconds_to_money": {
                side: {"orders": one.orders, "median": one.median, "p90": one.ninth_decile, "max": one.longest}
                for side, one in (("seller", self.to_seller), ("buyer", self.to_buyer))
            },
            "frozen_most_fen": str(self.frozen_most_fen),
            "suffering": [
                {
                    "kind": one.kind,
                    "orders": one.orders,
                    "harmed": one.harmed,
                    "lost_fen": str(one.lost_fen),
                    "gained_fen": str(one.gained_fen),
                }
                for one in self.suffering
            ],
            "gas": [
                {
                    "function": one.function,
                    "transactions": one.transactions,
                    "orders": one.orders,
                    "gas": one.gas,
                    "cost_gwei": one.cost_gwei,
                }
                for one in self.gas
            ],
            "gas_per_order": self.gas_per_order,
            "refusals": dict(self.refusals),
            "conserved": self.conserved,
            "mirror_equals_chain": self.mirror_equals_chain,
            "settled_by_keeper": self.settled_by_keeper,
        }


def figures_of(market: MarketRun) -> Figures:
    """The figures of a market that is over."""
    orders = list(market.orders.values())
    frozen = _frozen(market)
    gas = _gas(market)
    return Figures(
        orders=len(orders),
        lost_payments=market.lost_payments,
        outcomes=dict(market.outcomes.most_common()),
        faults=dict(market.faults.most_common()),
        by_group={
            "platform": _shares(market, lambda truth: truth.platform),
            "category": _shares(market, lambda truth: truth.category),
        },
        to_seller=_waiting(one for one in orders if one.shares and one.shares.to_seller),
        to_buyer=_waiting(one for one in orders if one.shares and one.shares.to_buyer),
        frozen=frozen,
        frozen_most_fen=max((prices + bonds for _, prices, bonds in frozen), default=0),
        suffering=_suffering(market),
        gas=gas,
        gas_per_order=sum(one.gas for one in gas) // max(len(orders), 1),
        refusals=dict(Counter(market.refusals).most_common()),
        conserved=all(market.closing.conserved.values()),
        mirror_equals_chain=market.closing.mirror_equals_chain,
        settled_by_keeper=market.closing.settled_by_keeper,
    )


# ------------------------------------------------------------------------------------------------------------- endings


def _shares(market: MarketRun, group_of: Any) -> dict[str, dict[str, float]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for order_id, order in market.orders.items():
        row = counts[group_of(market.truths[order_id])]
        row["orders"] += 1
        row[order.outcome.label] += 1
        row["disputed"] += order.disputed_at is not None
    return {
        name: {"orders": row["orders"]} | {what: row[what] / row["orders"] for what in row if what != "orders"}
        for name, row in sorted(counts.items())
    }


def _waiting(orders: Iterable[Order]) -> Waiting:
    took = sorted(one.closed_at - one.opened_at for one in orders if one.closed_at and one.opened_at)
    if not took:
        return Waiting(orders=0, median=0, ninth_decile=0, longest=0)
    return Waiting(
        orders=len(took), median=took[len(took) // 2], ninth_decile=took[len(took) * 9 // 10], longest=took[-1]
    )


# --------------------------------------------------------------------------------------------------------- frozen money


def _frozen(market: MarketRun) -> list[tuple[int, int, int]]:
    """What the escrow held at evenly spaced moments: prices with dispute bonds, and sellers' bonds in orders."""
    changes: list[tuple[int, int, int]] = []
    orders: dict[str, Order] = {}
    before: dict[str, tuple[int, int]] = {}
    for logged in market.events:
        if not isinstance(logged.event, OrderEvent):
            continue
        name = logged.event.order_id
        order = orders[name] = fold(orders.get(name), logged, market.policies)
        if order.terms is None:
            continue
        now = held(order)
        prices = market.cast.money.fen(now.amount + now.dispute_bond, order.terms.token)
        bonds = market.cast.money.fen(now.seller_bond, order.terms.token)
        was = before.get(name, (0, 0))
        before[name] = (prices, bonds)
        changes.append((logged.timestamp, prices - was[0], bonds - was[1]))
    if not changes:
        return []
    first, last = changes[0][0], changes[-1][0]
    points = []
    prices = bonds = place = 0
    for number in range(_POINTS + 1):
        at = first + (last - first) * number // _POINTS
        while place < len(changes) and changes[place][0] <= at:
            prices, bonds, place = prices + changes[place][1], bonds + changes[place][2], place + 1
        points.append((at, prices, bonds))
    return points


# ---------------------------------------------------------------------------------------------------------------- gas


def _gas(market: MarketRun) -> list[GasUse]:
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for spent in market.closing.gas:
        row = found[spent.function]
        row[0] += 1
        row[1] += spent.orders
        row[2] += spent.gas
        row[3] += round(spent.gas * market.weather.gas_gwei(spent.at))
    rows = [
        GasUse(function=name, transactions=one[0], orders=one[1], gas=one[2], cost_gwei=one[3])
        for name, one in found.items()
    ]
    return sorted(rows, key=lambda one: -one.gas)


# -------------------------------------------------------------------------------------------------------- who suffered


def _suffering(market: MarketRun) -> list[Suffering]:
    rows: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for order_id, order in market.orders.items():
        if order.terms is None:
            continue
        truth = market.truths[order_id]
        token, price = order.terms.token, order.terms.price
        for kind, amount in zip(
            (f"buyer {truth.buyer_kind}", f"seller {truth.seller_kind}"), balance_of(order, truth), strict=True
        ):
            row = rows[kind]
            row[0] += 1
            if amount * _MATTERS <= -price:
                row[1] += 1
                row[2] += market.cast.money.fen(-amount, token)
            elif amount * _MATTERS >= price:
                row[3] += market.cast.money.fen(amount, token)
    return [
        Suffering(kind=kind, orders=row[0], harmed=row[1], lost_fen=row[2], gained_fen=row[3])
        for kind, row in sorted(rows.items(), key=lambda item: -item[1][2])
    ]


def balance_of(order: Order, truth: Truth) -> tuple[int, int]:
    """What buyer and seller have after an order more than before, base units, in goods and money together.

    Working codes are worth the price to who gets them and cost the price to who gives them; the platform's and the
    mediator's fees are nobody's loss here.
    """
    assert order.terms is not None  # asked of orders that were opened
    price, units, paid = order.terms.price, order.terms.units, order.shares
    if paid is None or order.state is not State.Closed:
        return 0, 0
    good = units - truth.bad_units if order.delivered_at is not None else 0
    if truth.dies_at is not None and truth.dies_at <= (order.closed_at or 0):
        good = 0
    if order.revision:  # other codes were sent, and they worked
        good = units
    goods = price * good // units
    early = order.undisputed
    dispute_bond = seller_bond = 0
    if order.policy is not None:
        seller_bond = bps(price, order.policy.seller_bond_bps) if order.accepted_at is not None else 0
        if order.disputed_at is not None:
            in_dispute = price - price * (units - order.disputed_units) // units
            dispute_bond = bps(in_dispute, order.policy.dispute_bond_bps)
    to_seller = paid.to_seller + (early.to_seller + early.platform_fee if early else 0) + paid.platform_fee
    bond_back = paid.bond_returned + (early.bond_returned if early else 0)
    buyer = goods + paid.to_buyer - price - dispute_bond
    seller = to_seller + bond_back - seller_bond - goods
    return buyer, seller
