"""A market of events without a chain, for measuring detectors and forecasts on many thousands of orders with the truth
known: who attacks, how, and since when.

Its people are drawn once from a seed: sellers of different sizes and reliability, loyal and wandering buyers, buyers
behind a custodian's address, resellers, mediators who differ. Days and weeks have their rhythm, and now and then a
promotion brings several times as many orders to one category. What an attack changes begins at its time and stays.
"""

import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from eth_utils.address import to_checksum_address

from kameng_escrow.domain.events import (
    OrderAccepted,
    OrderClosed,
    OrderDelivered,
    OrderDisputed,
    OrderEvent,
    OrderOpened,
    OrderRuled,
)
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import Fault, Outcome, State
from kameng_escrow.risk.anomalies import OrderFacts, Repeat, Step

HOUR, DAY = 3_600, 86_400
START = 1_790_000_000 // (7 * DAY) * 7 * DAY  # a Thursday's midnight, as the epoch began
YUAN = 10**6
TOKEN = to_checksum_address("0x" + "70" * 20)
CATEGORIES = ("game-card", "game-top-up", "gift-card", "phone-credit", "streaming")
FACES = (10, 30, 50, 100, 200, 500)
BY_HOUR = (5, 3, 2, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 7, 6, 6, 7, 8, 10, 12, 12, 10, 8)  # of the platform's day
BY_WEEKDAY = (1.0, 0.9, 0.9, 1.0, 1.2, 1.4, 1.3)  # Monday first
EAST = 8  # hours that the platform's clock is ahead of UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """What begins, when, and by whom. `kind`: burst, buyer_burst, ring, one_purse, one_hand, pumping, price, disputer,
    codes, mediator, collapse, category.
    """

    kind: str
    who: str
    at: int  # Unix seconds
    others: tuple[str, ...] = ()


@dataclass(slots=True)
class Seller:
    """A seller and how it is."""

    account: str
    pay_to: str
    size: float  # share of its category's orders, relative
    category: str
    fails: float
    disputed: float
    seconds: float  # to deliver, typically


@dataclass(slots=True)
class Buyer:
    """A buyer and how it is."""

    account: str
    refund_to: str
    activity: float
    favourites: list[int]
    loyal: float
    at_once: float  # how often it confirms within minutes


@dataclass(slots=True)
class Market:
    """A market; `steps` plays it.

    Args:
        seed: the same one gives the same events.
        orders_per_day: in the mean, attacks apart.
        attacks: what begins when.
    """

    seed: int
    days: int = 14
    orders_per_day: int = 500
    sellers: int = 25
    buyers: int = 1_500
    attacks: tuple[Attack, ...] = ()
    promotions: int = 3
    platform: str = to_checksum_address("0x" + "99" * 20)
    opened: int = 0  # orders so far
    people: list[Seller] = field(default_factory=list)
    crowd: list[Buyer] = field(default_factory=list)
    mediators: list[tuple[str, float]] = field(default_factory=list)
    _random: random.Random = field(default_factory=random.Random)
    _number: int = 0

    def __post_init__(self) -> None:
        self._random = draw = random.Random(self.seed)
        for number in range(self.sellers):
            account = self.account("seller", number)
            self.people.append(
                Seller(
                    account=account,
                    pay_to=account if draw.random() < 0.5 else self.account("cold", number),
                    size=draw.paretovariate(1.2),
                    category=CATEGORIES[number % len(CATEGORIES)],
                    fails=draw.betavariate(1.5, 30),
                    disputed=draw.betavariate(1.5, 40),
                    seconds=draw.lognormvariate(5.5, 0.8),
                )
            )
        custodians = [self.account("custodian", number) for number in range(3)]
        for number in range(self.buyers):
            account = self.account("buyer", number)
            fate = draw.random()
            purse = account if fate < 0.7 else draw.choice(custodians) if fate < 0.85 else self.account("own", number)
            self.crowd.append(
                Buyer(
                    account=account,
                    refund_to=purse,
                    activity=draw.paretovariate(1.3),
                    favourites=draw.choices(range(self.sellers), [one.size for one in self.people], k=2),
                    loyal=draw.betavariate(2, 2),
                    at_once=draw.betavariate(1, 2),
                )
            )
        for number in range(3):  # resellers
            self.crowd[number].account = self.people[number * 2 + 5].account
            self.crowd[number].activity *= 4
        self.mediators = [(self.account("mediator", number), draw.uniform(0.45, 0.62)) for number in range(3)]

    def account(self, kind: str, number: int) -> str:
        """An address that tells who it is."""
        return to_checksum_address("0x" + f"{self.seed:04x}{kind.encode().hex()}{number:04x}".ljust(40, "0")[:40])

    # ---------------------------------------------------------------------------------------------------------- playing

    def steps(self) -> Iterator[Step]:
        """All that happens, in order of time."""
        waiting: list[tuple[int, int, Step]] = []
        number = 0
        for order in self._orders():
            first = order[0].at
            while waiting and waiting[0][0] <= first:
                yield heapq.heappop(waiting)[2]
            for step in order:
                number += 1
                heapq.heappush(waiting, (step.at, number, step))
        while waiting:
            yield heapq.heappop(waiting)[2]

    def _orders(self) -> Iterator[list[Step]]:
        draw = self._random
        weights = [one.activity for one in self.crowd]
        total = sum(BY_HOUR) / 24
        promoted = [(draw.randrange(self.days * 24), draw.choice(CATEGORIES)) for _ in range(self.promotions)]
        for hour in range(self.days * 24):
            at = START + hour * HOUR
            local = hour + EAST
            rate = self.orders_per_day / 24 * BY_HOUR[local % 24] / total * BY_WEEKDAY[(3 + local // 24) % 7]
            opening: list[tuple[int, Buyer, Seller, str]] = []
            for _ in range(_poisson(draw, rate)):
                buyer = draw.choices(self.crowd, weights)[0]
                opening.append((at + draw.randrange(HOUR), buyer, self._choose(buyer), ""))
            for begins, category in promoted:
                if begins <= hour < begins + 5:
                    sellers = [one for one in self.people if one.category == category]
                    for _ in range(_poisson(draw, rate)):
                        buyer = draw.choices(self.crowd, weights)[0]
                        seller = draw.choices(sellers, [one.size for one in sellers])[0]
                        opening.append((at + draw.randrange(HOUR), buyer, seller, ""))
            for attack in self.attacks:
                opening += self._attacking(attack, at)
            opening.sort(key=lambda one: one[0])
            for when, buyer, seller, how in opening:
                if buyer.account != seller.account:
                    yield self._order(when, buyer, seller, how)

    def _choose(self, buyer: Buyer) -> Seller:
        draw = self._random
        if draw.random() < buyer.loyal:
            return self.people[draw.choice(buyer.favourites)]
        return draw.choices(self.people, [one.size for one in self.people])[0]

    def seller(self, account: str) -> Seller:
        """The seller of an account."""
        return next(one for one in self.people if one.account == account)

    def _attacking(self, attack: Attack, at: int) -> list[tuple[int, Buyer, Seller, str]]:
        """Orders that an attack brings in an hour."""
        if at + HOUR <= attack.at:
            return []
        draw = self._random
        begin = max(at, attack.at)

        def when() -> int:
            return draw.randrange(begin, at + HOUR)

        def puppet(account: str, purse: str) -> Buyer:
            return Buyer(account=account, refund_to=purse, activity=1, favourites=[], loyal=0, at_once=1.0)

        kind = attack.kind
        if kind == "burst" and at < attack.at + 2 * HOUR:
            seller = self.seller(attack.who)
            return [(when(), draw.choice(self.crowd), seller, "") for _ in range(60)]
        if kind == "buyer_burst" and at < attack.at + 2 * HOUR:
            buyer = next(one for one in self.crowd if one.account == attack.who)
            return [(when(), buyer, draw.choice(self.people), "") for _ in range(20)]
        if kind == "ring":
            members = (attack.who, *attack.others)
            rate = _poisson(draw, 0.5)
            return [
                (when(), puppet(members[n], members[n]), self.seller(members[n - 1]), "smooth")
                for n in (draw.randrange(len(members)) for _ in range(rate))
            ]
        if kind in ("one_purse", "one_hand", "pumping"):
            seller = self.seller(attack.who)
            found = []
            for _ in range(_poisson(draw, 1.0 if kind != "pumping" else 2.0)):
                name = draw.choice(attack.others)
                purse = {"one_purse": seller.pay_to, "one_hand": self.account("hand", 1), "pumping": name}[kind]
                found.append((when(), puppet(name, purse), seller, "cheap" if kind == "pumping" else "smooth"))
            return found
        if kind == "price":
            seller = self.seller(attack.who)
            return [(when(), draw.choice(self.crowd), seller, "odd") for _ in range(_poisson(draw, 0.25))]
        if kind == "disputer":
            buyer = puppet(attack.who, attack.who)
            return [(when(), buyer, self._choose_any(), "dispute") for _ in range(_poisson(draw, 0.3))]
        return []

    def _choose_any(self) -> Seller:
        return self._random.choices(self.people, [one.size for one in self.people])[0]

    # ------------------------------------------------------------------------------------------------------- one order

    def _order(self, at: int, buyer: Buyer, seller: Seller, how: str) -> list[Step]:
        draw = self._random
        self.opened += 1
        self._number += 1
        face = 10 if how == "cheap" else draw.choices(FACES, (6, 5, 6, 4, 2, 1))[0]
        price = int(face * YUAN * draw.uniform(0.94, 0.99))
        units = 1 if how == "cheap" else draw.choices((1, 2, 3, 5, 10), (20, 4, 2, 1, 1))[0]
        if how == "cheap":
            price //= 4
        if how == "odd":
            price = price * 45 // 100
        facts = OrderFacts(
            order_id="0x" + f"{self.seed:08x}{self._number:056x}",
            buyer=buyer.account,
            refund_to=buyer.refund_to,
            seller=seller.account,
            pay_to=seller.pay_to,
            payer=buyer.account,
            token=TOKEN,
            price=price * units,
            units=units,
            platform=self.platform,
            category=seller.category,
            title=f"{seller.category} {face}" if how != "cheap" else "",
            opened_at=at,
        )
        steps = [Step(at=at, event=opened(facts), order=facts)]
        fails = self._fails(seller, at) if how in ("", "odd", "dispute") else 0.0
        if draw.random() < 0.03 and how == "":  # the buyer thinks better of it
            return [*steps, self._closed(facts, at + draw.randrange(30, 600), Outcome.Cancelled, Fault.Nobody)]
        if draw.random() < fails:
            late = at + draw.randrange(1_500, 3_600)
            bad = draw.choice(((Outcome.Expired, Fault.Nobody), (Outcome.Undelivered, Fault.Seller)))
            return [*steps, self._closed(facts, late, *bad)]
        delivered = at + max(5, int(seller.seconds * draw.lognormvariate(0, 0.6)))
        steps.append(Step(at=at + 3, event=OrderAccepted(order_id=facts.order_id), order=facts))
        facts = replace(facts, delivered_at=delivered)
        repeats = self._repeats(seller, at)
        handed = OrderDelivered(order_id=facts.order_id, commitment="0x" + "cc" * 32)
        steps.append(Step(at=delivered, event=handed, order=facts, repeats=repeats))
        disputes = 0.75 if how == "dispute" else min(0.9, seller.disputed + (0.5 if repeats else 0.0))
        if how not in ("smooth", "cheap") and draw.random() < disputes:
            return steps + self._dispute(facts, delivered + draw.randrange(600, 20 * HOUR))
        quick = how in ("smooth", "cheap") or draw.random() < buyer.at_once
        wait = draw.randrange(10, 240) if quick else draw.randrange(300, 24 * HOUR)
        outcome = Outcome.Confirmed if quick or draw.random() < 0.7 else Outcome.Released
        return [*steps, self._closed(facts, delivered + wait, outcome, Fault.Nobody)]

    def _fails(self, seller: Seller, at: int) -> float:
        for attack in self.attacks:
            if attack.kind == "collapse" and attack.who == seller.account and at >= attack.at:
                return 0.8
            if attack.kind == "category" and attack.who == seller.category and at >= attack.at:
                return 0.5
        return seller.fails

    def _repeats(self, seller: Seller, at: int) -> tuple[Repeat, ...]:
        for attack in self.attacks:
            begun = attack.kind == "codes" and attack.who == seller.account and at >= attack.at
            if begun and self._random.random() < 0.3:
                other = "0x" + f"{self.seed:08x}{self._random.randrange(1, self._number + 1):056x}"
                return (Repeat(unit=1, order_id=other, seller=seller.account, was_read=True),)
        return ()

    def _dispute(self, facts: OrderFacts, at: int) -> list[Step]:
        draw = self._random
        facts = replace(facts, disputed_at=at, disputed_units=draw.randint(1, facts.units))
        disputed = OrderDisputed(
            order_id=facts.order_id,
            units=facts.disputed_units,
            evidence="0x" + "ee" * 32,
            dispute_bond=0,
            to_seller=0,
            platform_fee=0,
            bond_returned=0,
        )
        steps = [Step(at=at, event=disputed, order=facts)]
        if draw.random() < 0.4:
            late = at + draw.randrange(HOUR, 24 * HOUR)
            return [*steps, self._closed(facts, late, Outcome.Refunded, Fault.Seller)]
        mediator, fair = draw.choice(self.mediators)
        late = at + draw.randrange(24 * HOUR, 60 * HOUR)
        for attack in self.attacks:
            if attack.kind == "mediator" and attack.who == mediator and late >= attack.at:
                fair = 0.03
        wins = draw.random() < fair
        ruled = OrderRuled(
            order_id=facts.order_id,
            mediator=mediator,
            to_buyer=facts.sum_in_dispute if wins else 0,
            grounds="0x" + "dd" * 32,
        )
        steps.append(Step(at=late, event=ruled, order=facts))
        steps.append(self._closed(facts, late, Outcome.Ruled, Fault.Seller if wins else Fault.Buyer))
        return steps

    def _closed(self, facts: OrderFacts, at: int, outcome: Outcome, fault: Fault) -> Step:
        back = fault is Fault.Seller or outcome in (Outcome.Cancelled, Outcome.Expired)
        event = OrderClosed(
            order_id=facts.order_id,
            outcome=outcome,
            fault=fault,
            to_buyer=facts.price if back else 0,
            to_seller=0 if back else facts.price,
            platform_fee=0,
            bond_returned=0,
        )
        return Step(at=at, event=event, order=facts)


def opened(facts: OrderFacts) -> OrderEvent:
    """The event of an order's opening."""
    terms = OrderTerms(
        buyer=facts.buyer,
        refund_to=facts.refund_to,
        seller=facts.seller,
        pay_to=facts.pay_to,
        token=facts.token,
        price=facts.price,
        units=facts.units,
        policy_id="0x" + "11" * 32,
        listing="0x" + "22" * 32,
        open_by=2_000_000_000,
        salt=facts.order_id,
    )
    return OrderOpened(order_id=facts.order_id, terms=terms, payer=facts.payer, state=State.Opened)


def _poisson(draw: random.Random, mean: float) -> int:
    """Knuth's way for small means, the normal one for large."""
    if mean > 60:
        return max(0, round(draw.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, draw.random()
    while product > limit:
        count += 1
        product *= draw.random()
    return count
