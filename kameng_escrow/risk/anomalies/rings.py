"""Accounts that trade among themselves: to look busy, to be well thought of, or to move money.

Only deliveries count, in which both sides took part: anyone may open an order that names others. Four patterns:

- one purse: the buyer's money goes back to where the seller's goes, or one is the other, or pays for it;
- a round: A sells to B, B to C, C to A (up to four), far more than by chance among what each of them buys;
- one hand: many of a seller's buyers have their money go back to one address, far more than that address has among the
  platform's other orders (an exchange or a custodian has many buyers, of all sellers);
- a closed circle: several buyers who buy from nobody but one seller, again and again, and confirm within minutes; far
  more than such loyal buyers are usual on the platform.

Whoever wants to frame a seller may name its address as his refund address, so a purse counts from the second delivery
and says "one purse", not who is behind it.
"""

from dataclasses import dataclass, field
from math import prod
from typing import Any, ClassVar, Final

from kameng_escrow.domain.events import OrderClosed, OrderDelivered
from kameng_escrow.domain.states import Outcome

from .alarms import Finding, Kind, Role, Severity
from .bounded import Bounded
from .evidence import binomial_tail, keep
from .steps import OrderFacts, Step

PRIVATE: Final = 4  # accounts that may share an address that is still taken for one person's
LONGEST: Final = 4  # trades in a round
BY_CHANCE: Final = 1e-8  # of as many deliveries in a round, to be told
EACH_BY_CHANCE: Final = 1e-3  # and of those of each two in it
LOOKED_AT: Final = 64  # accounts that are looked at in search of one
MONTH: Final = 30 * 24 * 3_600  # after which a trade says nothing any more
ONE_HAND: Final = (4, 1e-5)  # buyers with one address, and the chance of so many with one seller, to be told
PUBLIC: Final = 40  # buyers with one address, from which it is a custodian's: nothing is made of it
SHOWN: Final = 10  # of them that are kept with a seller, and their orders
SELLERS_EACH: Final = 2.0  # that a buyer has in the mean, to be on the safe side
CIRCLE: Final = (3, 2e-4)  # such buyers of one seller, and the chance of so many, to be told
OFTEN: Final = 4  # deliveries that make a buyer one to be counted
QUICK: Final = 0.75  # of them confirmed at once, of a buyer in a circle
LOYAL: Final = (0.05, 20.0)  # share of such buyers, and how many buyers that is worth, before any is known
AT_ONCE: Final = 900  # seconds from delivery to confirmation


@dataclass(slots=True)
class _Account:
    """What an account bought, and of which addresses it made use."""

    bought: dict[str, list[Any]] = field(default_factory=dict)  # seller → [deliveries, first, last, order]
    confirmed: int = 0  # deliveries
    at_once: int = 0  # of these
    counted: bool = False  # among those who buy often
    captive: bool = False  # among those of a closed circle
    total: float = 0.0  # deliveries to it, older ones weighing less
    at: int = 0  # when the total was brought up to date
    purses: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Purse:
    """An address that money goes to."""

    accounts: list[str] = field(default_factory=list)  # that use it; PRIVATE + 1 of them: it is no one person's
    buyers: list[str] = field(default_factory=list)  # whose money goes to it, by first digits; at most PUBLIC
    sellers: dict[str, list[Any]] = field(default_factory=dict)  # of whom → [deliveries, first, buyers, orders]


@dataclass(slots=True)
class _Seller:
    sold: int = 0
    self_trades: int = 0  # deliveries to its own purse
    first: int = 0
    orders: list[str] = field(default_factory=list)
    often: int = 0  # its buyers who buy often
    captives: list[list[Any]] = field(default_factory=list)  # [buyer, first, last, order]: of a closed circle


class Rings:
    """Self-dealing: the subject is the seller, who has the reputation of it."""

    kind: ClassVar = Kind.Ring

    def __init__(self) -> None:
        self._accounts = Bounded(4_000, _Account)
        self._purses = Bounded(2_000, _Purse)
        self._sellers = Bounded(1_000, _Seller)
        self._deliveries = 0
        self._often = 0  # buyers who buy often, of all sellers
        self._captives = 0  # of these, those of closed circles

    def learn(self, step: Step) -> list[Finding]:
        if isinstance(step.event, OrderDelivered):
            self._deliveries += 1
            self._write_down(step)
            found = [self._one_purse(step), self._round(step), self._one_hand(step)]
            return [one for one in found if one is not None]
        if isinstance(step.event, OrderClosed) and step.event.outcome is Outcome.Confirmed:
            circle = self._circle(step)
            return [] if circle is None else [circle]
        return []

    def dump(self) -> Any:
        return [
            self._accounts.dump(),
            self._purses.dump(),
            self._sellers.dump(),
            [self._deliveries, self._often, self._captives],
        ]

    def load(self, state: Any) -> None:
        self._accounts.load(state[0])
        self._purses.load(state[1])
        self._sellers.load(state[2])
        self._deliveries, self._often, self._captives = state[3]

    # ------------------------------------------------------------------------------------------------------ bookkeeping

    def _write_down(self, step: Step) -> None:
        order, at = step.order, step.at
        buyer = self._accounts.at(order.buyer)
        trades = buyer.bought.pop(order.seller, None)
        if trades is None or trades[2] <= at - MONTH:
            trades = [0, at, at, order.order_id]
        trades[0] += 1
        trades[2], trades[3] = at, order.order_id
        buyer.bought[order.seller] = trades
        buyer.total = buyer.total * 0.5 ** ((at - buyer.at) / MONTH) + 1
        buyer.at = at
        while len(buyer.bought) > 16:
            del buyer.bought[next(iter(buyer.bought))]
        self._uses(order.buyer, order.refund_to)
        self._uses(order.seller, order.pay_to)
        self._settle_purse(step)
        self._sellers.at(order.seller).sold += 1

    def _uses(self, account: str, purse: str) -> None:
        if purse == account:
            return
        keep(self._accounts.at(account).purses, purse, 4)
        users = self._purses.at(purse).accounts
        if account not in users and len(users) <= PRIVATE:
            users.append(account)

    def _settle_purse(self, step: Step) -> None:
        order = step.order
        if order.refund_to == order.buyer:
            return
        purse = self._purses.at(order.refund_to)
        if len(purse.buyers) < PUBLIC:
            keep(purse.buyers, order.buyer[:12], PUBLIC)
        mine = purse.sellers.pop(order.seller, None) or [0, step.at, [], []]
        mine[0] += 1
        keep(mine[2], order.buyer, SHOWN)
        keep(mine[3], order.order_id, SHOWN)
        purse.sellers[order.seller] = mine
        while len(purse.sellers) > 4:
            del purse.sellers[next(iter(purse.sellers))]

    def _private_users(self, purse: str) -> list[str]:
        known = self._purses.peek(purse)
        return known.accounts if known is not None and len(known.accounts) <= PRIVATE else []

    # -------------------------------------------------------------------------------------------------------- patterns

    def _one_purse(self, step: Step) -> Finding | None:
        order = step.order
        if not self._are_one(order):
            return None
        seller = self._sellers.at(order.seller)
        seller.self_trades += 1
        seller.first = seller.first or step.at
        keep(seller.orders, order.order_id, 20)
        if seller.self_trades < 2:
            return None
        return self._found(
            step,
            "one_purse",
            since=seller.first,
            severity=Severity.High if seller.self_trades >= 5 else Severity.Medium,
            orders=seller.orders,
            numbers={"deliveries": seller.self_trades, "of_its_deliveries": seller.sold},
            with_whom=(order.buyer,),
        )

    def _are_one(self, order: OrderFacts) -> bool:
        """Whether both sides' money goes to one purse, or one is the other's."""
        back, there = order.refund_to, order.pay_to
        if back == there:
            known = self._purses.peek(back)
            return known is None or len(known.accounts) <= PRIVATE
        return order.seller in (back, order.payer) or order.buyer == there

    def _round(self, step: Step) -> Finding | None:
        """The shortest way from the seller, as a buyer, back to the order's buyer."""
        order, since = step.order, step.at - MONTH
        start = (order.seller, *self._aliases(order.seller))
        goal = {order.buyer, *self._aliases(order.buyer)}
        if goal.intersection(start):
            return None  # one purse: told as that
        ways: list[tuple[str, tuple[str, ...]]] = [(one, (order.seller,)) for one in start]
        seen = set(start)
        for _ in range(LONGEST - 1):
            further: list[tuple[str, tuple[str, ...]]] = []
            for account, way in ways:
                known = self._accounts.peek(account)
                for seller, trades in () if known is None else known.bought.items():
                    if trades[2] <= since or seller in seen:
                        continue
                    if seller in goal:
                        return self._told_round(step, (*way, seller))
                    for one in (seller, *self._aliases(seller)):
                        seen.add(one)
                        further.append((one, (*way, seller)))
            ways = further[:LOOKED_AT]
            if not ways:
                break
        return None

    def _aliases(self, account: str) -> tuple[str, ...]:
        """Other accounts with the same private purses."""
        known = self._accounts.peek(account)
        if known is None or not known.purses:
            return ()
        return tuple(dict.fromkeys(u for purse in known.purses for u in self._private_users(purse) if u != account))

    def _told_round(self, step: Step, way: tuple[str, ...]) -> Finding | None:
        """`way` begins with the order's seller; each bought from the next, and the last is the order's buyer."""
        order = step.order
        pairs = [*((way[n], way[n + 1]) for n in range(len(way) - 1)), (order.buyer, order.seller)]
        trades = [self._trades(*pair) for pair in pairs]
        deliveries = sum(one[0] for one in trades)
        if deliveries < 2 * len(trades) or self._deliveries < 50:
            return None
        chances = [self._chance(buyer, seller, one[0]) for (buyer, seller), one in zip(pairs, trades, strict=True)]
        chance = prod(chances)
        if max(chances) > EACH_BY_CHANCE or chance > BY_CHANCE:  # a loyal buyer makes one of them unlikely, not all
            return None
        members = sorted({*way, order.buyer})
        return self._found(
            step,
            "round",
            who=members[0],  # the same round is the same alarm, whoever sold last
            since=min(one[1] for one in trades),
            severity=Severity.High if deliveries >= 4 * len(trades) else Severity.Medium,
            orders=[one[3] for one in trades if one[3]],
            numbers={"accounts": len(members), "deliveries": deliveries, "chance": chance},
            with_whom=tuple(members),
        )

    def _trades(self, buyer: str, seller: str) -> list[Any]:
        """[deliveries, first, last, order] of a buyer, or of an account with the same purse."""
        best: list[Any] = [0, 1 << 62, 0, ""]
        sellers = (seller, *self._aliases(seller))
        for one in (buyer, *self._aliases(buyer)):
            known = self._accounts.peek(one)
            for other in () if known is None else sellers:
                found = known.bought.get(other) if known is not None else None
                if found is not None and found[0] > best[0]:
                    best = found
        return best

    def _chance(self, buyer: str, seller: str, deliveries: int) -> float:
        """That a buyer with as many deliveries has so many of this seller, if it bought as others do."""
        accounts = (self._accounts.peek(one) for one in (buyer, *self._aliases(buyer)))
        total = max(deliveries, round(max((one.total for one in accounts if one is not None), default=0.0)))
        known = self._sellers.peek(seller)
        sold = 0 if known is None else known.sold
        share = (max(0, sold - deliveries) + 1) / (max(0, self._deliveries - deliveries) + 2)
        return binomial_tail(deliveries, total, min(0.99, max(0.01, share)))

    def _one_hand(self, step: Step) -> Finding | None:
        order = step.order
        if order.refund_to == order.buyer:
            return None
        purse = self._purses.at(order.refund_to)
        deliveries, since, buyers, orders = purse.sellers[order.seller]
        if not ONE_HAND[0] <= len(buyers) <= len(purse.buyers) < PUBLIC or self._deliveries < 50:
            return None
        sold = self._sellers.at(order.seller).sold
        share = max(0.005, SELLERS_EACH * (sold - deliveries + 1) / (self._deliveries - deliveries + 2))
        chance = binomial_tail(len(buyers), len(purse.buyers), min(0.99, share))
        if chance > ONE_HAND[1]:
            return None
        return self._found(
            step,
            "one_hand",
            since=since,
            severity=Severity.High if len(buyers) >= 6 else Severity.Medium,
            orders=orders,
            numbers={"deliveries": deliveries, "buyers": len(buyers), "address": order.refund_to, "chance": chance},
            with_whom=tuple(buyers),
        )

    def _circle(self, step: Step) -> Finding | None:
        """Buyers of nobody else, who come again and again and confirm at once."""
        order = step.order
        buyer = self._accounts.at(order.buyer)
        buyer.confirmed += 1
        buyer.at_once += step.at - (order.delivered_at or 0) <= AT_ONCE
        if buyer.confirmed < OFTEN:
            return None
        seller = self._sellers.at(order.seller)
        only = len(buyer.bought) == 1 and order.seller in buyer.bought
        if not buyer.counted:
            buyer.counted = True
            buyer.captive = only and buyer.at_once >= QUICK * buyer.confirmed
            self._often += 1
            self._captives += buyer.captive
            seller.often += 1
        if not buyer.captive or not only:
            return None
        seller.captives = [one for one in seller.captives if one[0] != order.buyer and one[2] > step.at - MONTH][-15:]
        first = buyer.bought[order.seller][1]
        seller.captives.append([order.buyer, first, step.at, order.order_id])
        count, often = len(seller.captives), max(seller.often, len(seller.captives))
        if count < CIRCLE[0]:
            return None
        share, strength = LOYAL
        others = (max(0, self._captives - count) + share * strength) / (max(0, self._often - often) + strength)
        chance = binomial_tail(count, often, min(0.9, max(0.02, others)))
        if chance > CIRCLE[1]:
            return None
        return self._found(
            step,
            "circle",
            since=min(one[1] for one in seller.captives),
            severity=Severity.Medium,
            orders=[one[3] for one in seller.captives],
            numbers={"buyers": count, "usual_share": round(others, 3), "chance": chance},
            with_whom=tuple(one[0] for one in seller.captives),
        )

    def _found(
        self,
        step: Step,
        pattern: str,
        *,
        since: int,
        severity: Severity,
        orders: list[str],
        numbers: dict[str, int | float | str],
        with_whom: tuple[str, ...],
        who: str | None = None,
    ) -> Finding:
        return Finding(
            kind=self.kind,
            role=Role.Seller,
            who=who or step.order.seller,
            about=pattern,
            with_whom=with_whom,
            since=since,
            at=step.at,
            severity=severity,
            orders=tuple(orders[-20:]),
            numbers={"pattern": pattern, **numbers},
        )
