"""What will be ordered, when and by whom, the planted attacks among it. No policy changes it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import exp
from statistics import NormalDist
from typing import TypeVar

from .cast import Buyer, Cast, Mediator, Seller
from .draws import Draws
from .parameters import AttackKind, BuyerKind, Parameters
from .people import Lean
from .rhythm import HOUR, Weather

T = TypeVar("T")
_LEAST_MARKET = 2_000  # orders, from which on every kind of attack is there
_ROUND_FEN = 50  # cards cost round sums
_FACES = 8  # packs that a category has, from the small to the large
_BUSIEST = 12  # one in so many shops: an attack on a shop of two orders a day is seen by nobody


@dataclass(slots=True, kw_only=True)
class Attack:
    """Something planted, and what of it came to be."""

    kind: str  # one of ATTACKS
    number: int  # among those of its kind
    since: int  # Unix seconds
    until: int
    actors: tuple[str, ...]  # addresses: of who does it; of a category's failure none
    category: str = ""  # of a category's failure
    lean: Lean | None = None  # of a biased mediator
    order_numbers: list[int] = field(default_factory=list)  # the orders that it touched

    @property
    def name(self) -> str:
        """What tells it from the others."""
        return f"{self.kind} {self.number}"

    def holds(self, at: int) -> bool:
        """Whether it goes on at that Unix second."""
        return self.since <= at < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """An order that somebody means to place."""

    at: int  # Unix seconds
    luck: Draws
    buyer: Buyer
    category: str
    units: int
    price_fen: int  # of all units together
    face: int  # which of the category's usual packs
    seller: Seller | None = None  # None: whoever the platform shows
    number: int = 0  # among all, by time
    late: bool = False  # the payment was late already
    attack: Attack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is meant to happen."""

    cast: Cast  # with the accounts that attacks bring
    placements: tuple[Placement, ...]  # by time
    attacks: tuple[Attack, ...]


def make_plan(parameters: Parameters, cast: Cast, weather: Weather, *, orders: int, seed: int) -> Plan:
    """`orders` placements, of which the attacks' are a part."""
    attacks, cast = _attacks(parameters, cast, orders=orders, seed=seed)
    placements = [one for attack in attacks for one in _placed_by(parameters, cast, attack, seed)]
    placements = placements[: orders // 3]  # a small market is not made of attacks
    usual = _usual_buyers(cast)
    for number in range(orders - len(placements)):
        luck = Draws(seed, f"order {number}")
        at = weather.arrival(luck)
        buyer = cast.buyers[int(luck.uniform("buyer") ** 1.5 * usual)]
        placements.append(_placement(parameters, luck, at, buyer, weather.category(at, luck)))
    placements.sort(key=lambda one: one.at)
    numbered = tuple(replace(one, number=number) for number, one in enumerate(placements))
    return Plan(cast=cast, placements=numbered, attacks=tuple(attacks))


def _usual_buyers(cast: Cast) -> int:
    return sum(buyer.kind != "accomplice" for buyer in cast.buyers)


def _placement(parameters: Parameters, luck: Draws, at: int, buyer: Buyer, category: str) -> Placement:
    goods = parameters.categories[category]
    units = 1
    if luck.happens(goods.several, "several"):
        units = min(goods.most_units, 2 + int(luck.uniform("units") ** 2 * (goods.most_units - 1)))
    face = int(luck.uniform("face") * _FACES)
    unit = goods.price_fen * exp(goods.price_spread * NormalDist().inv_cdf((face + 0.5) / _FACES))
    unit_fen = max(_ROUND_FEN, round(unit / _ROUND_FEN) * _ROUND_FEN)
    return Placement(
        at=at, luck=luck, buyer=buyer, category=category, units=units, price_fen=unit_fen * units, face=face
    )


def _attacks(parameters: Parameters, cast: Cast, *, orders: int, seed: int) -> tuple[list[Attack], Cast]:
    attacks = []
    for kind, habits in parameters.attacks.items():
        count = int(habits.per_10000_orders * orders / 10_000 + Draws(seed, f"attacks {kind}").uniform("how many"))
        if orders >= _LEAST_MARKET:
            count = max(count, habits.at_least)
        for number in range(count):
            attack, cast = _attack(parameters, cast, kind, habits, number, seed)
            attacks.append(attack)
    return attacks, cast


def _attack(
    parameters: Parameters, cast: Cast, kind: str, habits: AttackKind, number: int, seed: int
) -> tuple[Attack, Cast]:
    luck = Draws(seed, f"attack {kind} {number}")
    length = int(habits.hours * HOUR)
    # Not in the first days, so that there is a time before it to compare with.
    room = max(parameters.end - parameters.start - length, 0)
    since = parameters.start + int(room * (0.2 + 0.8 * luck.uniform("since")))
    attack = Attack(kind=kind, number=number, since=since, until=since + length, actors=())
    match kind:
        case "ring":
            seller = _one(_sellers(cast, "prompt"), luck)
            own = tuple(
                Buyer(name=name, address=cast.address_of(name), kind="accomplice", habits=_most(parameters))
                for name in (f"ring {number} account {account}" for account in range(habits.accounts))
            )
            cast = replace(cast, buyers=cast.buyers + own)
            attack.actors = (seller.address, *(one.address for one in own))
        case "velocity" | "serial-disputer" | "price-outlier":
            crooks = [one for one in cast.buyers if one.kind == "fraudulent"]
            attack.actors = (_one(crooks or cast.buyers, luck).address,)
        case "code-reuse":
            attack.actors = (_one(_sellers(cast, "bad-codes"), luck).address,)
        case "mediator-bias":
            if ruling := _who_rule(cast):
                attack.actors = (_one(ruling, luck).address,)
            attack.lean = Lean.Seller if luck.happens(0.5, "lean") else Lean.Buyer
        case "seller-failure":
            busy = sorted(_sellers(cast, "prompt"), key=lambda one: -one.weight)
            attack.actors = (_one(busy[: max(1, len(busy) // _BUSIEST)], luck).address,)
        case "category-failure":
            attack.category = _one(tuple(parameters.categories), luck)
    return attack, cast


def _placed_by(parameters: Parameters, cast: Cast, attack: Attack, seed: int) -> list[Placement]:
    """The orders that are placed because of an attack: of a shop that fails, its regulars'. Failures of a category and
    biased mediators meet what is ordered anyway.
    """
    if attack.kind in ("mediator-bias", "category-failure"):
        return []
    habits = parameters.attacks[attack.kind]
    sellers = {one.address: one for one in cast.sellers}
    buyers = {one.address: one for one in cast.buyers}
    placements = []
    for number in range(habits.orders):
        luck = Draws(seed, f"attack {attack.name} order {number}")
        at = attack.since + int(luck.uniform("at") * (attack.until - attack.since))
        seller = sellers.get(attack.actors[0])
        members = [buyers[one] for one in attack.actors if one in buyers]
        buyer = _one(members or cast.buyers[: _usual_buyers(cast)], luck)
        category = seller.category if seller else _one(tuple(parameters.categories), luck)
        placed = _placement(parameters, luck, min(at, parameters.end - 1), buyer, category)
        price = max(1, int(placed.price_fen * habits.factor))
        placements.append(replace(placed, seller=seller, attack=attack, price_fen=price))
    return placements


def _who_rule(cast: Cast) -> Sequence[Mediator]:
    """The mediators whose half comes first: a backup hardly ever rules, and a bias that rules nothing is none."""
    first = {one.mediator.address: one.mediator for one in cast.platforms.values() if one.mediator is not None}
    return tuple(first.values())


def _sellers(cast: Cast, kind: str) -> Sequence[Seller]:
    return [one for one in cast.sellers if one.kind == kind] or cast.sellers


def _most(parameters: Parameters) -> BuyerKind:
    return next(iter(parameters.buyers.values()))


def _one(several: Sequence[T], luck: Draws) -> T:
    return several[int(luck.uniform("one") * len(several))]
