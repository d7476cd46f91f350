"""Who is in the market: buyers, sellers, platforms with their policies, mediators; and who they really are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.policy import NO_CANCEL, ZERO_ADDRESS, Policy, recommended_policy, validate_policy
from kameng_escrow.domain.refusal_base import Refusal
from kameng_escrow.domain.typed_data import policy_id

from .draws import Draws
from .errors import BadParameter
from .parameters import SECONDS_OF_A_DAY, BuyerKind, MediatorKind, Parameters, PlatformKind, SellerKind

FEWEST_BUYERS = 6
_ANY_ESCROW = "0x" + "22" * 20  # a policy is checked before there is a contract
FEWEST_SELLERS = 5
_GOLDEN = 0.6180339887498949  # steps of it fill the unit interval evenly: small casts have every kind in proportion


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Somebody who buys."""

    name: str
    address: str
    kind: str
    habits: BuyerKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """Somebody who sells one category of goods on one platform."""

    name: str
    address: str
    kind: str
    habits: SellerKind
    platform: str
    category: str
    token: str
    machine: bool  # a program answers, day and night
    weight: float  # how much of the orders it gets
    markup: float  # times the usual price
    capital: int  # base units of its token, put up for bonds at the start
    gone_from: int | None  # the Unix second from which it does nothing any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Mediator:
    """Somebody who rules."""

    name: str
    address: str
    kind: str
    habits: MediatorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A platform, its policies by category, and who mediates there."""

    name: str
    address: str
    habits: PlatformKind
    mediator: Mediator | None
    backup: Mediator | None
    policies: Mapping[str, Policy]
    policy_ids: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """The coins of the market and how much of each a fen is."""

    token: str  # the stable token
    token_per_fen: int = 10_000  # six decimals, one token a yuan
    native_per_fen: int = 5 * 10**11  # wei; 20,000 yuan a coin

    def amount(self, fen: int, token: str) -> int:
        """Base units of the token for a sum in fen."""
        return fen * (self.native_per_fen if token == NATIVE else self.token_per_fen)

    def fen(self, amount: int, token: str) -> int:
        """A sum in fen, rounded down, of base units of the token."""
        return amount // (self.native_per_fen if token == NATIVE else self.token_per_fen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Everybody."""

    buyers: tuple[Buyer, ...]
    sellers: tuple[Seller, ...]
    platforms: Mapping[str, Platform]
    money: Money
    address_of: Callable[[str], str]  # whoever else may come

    @property
    def kinds(self) -> dict[str, str]:
        """The true kind of everybody, by address: `buyer patient`, `seller vanishing`, …"""
        people: dict[str, str] = {}
        for role, members in (("buyer", self.buyers), ("seller", self.sellers), ("mediator", self.mediators)):
            people |= {member.address: f"{role} {member.kind}" for member in members}
        return people | {one.address: f"platform {one.name}" for one in self.platforms.values()}

    @property
    def mediators(self) -> tuple[Mediator, ...]:
        """Every mediator, in no platform's order."""
        seats = (seat for one in self.platforms.values() for seat in (one.mediator, one.backup))
        return tuple(seat for seat in seats if seat is not None)

    @property
    def policies(self) -> dict[str, Policy]:
        """Every policy by its id."""
        return {
            platform.policy_ids[category]: policy
            for platform in self.platforms.values()
            for category, policy in platform.policies.items()
        }


PolicyFor = Callable[[str, str, Policy], Policy]  # platform, category and its policy there → the one to have instead


def make_cast(
    parameters: Parameters,
    *,
    orders: int,
    seed: int,
    address_of: Callable[[str], str],
    token: str,
    change: PolicyFor | None = None,
) -> Cast:
    """The people of a market of that many orders.

    `address_of` gives everybody an address by name; `token` is the stable token. `change` puts other policies in place
    of the parameters' own, everybody staying who they are.

    Raises:
        BadParameter: the parameters make a policy that no contract takes.
    """
    money = Money(token=token)
    platforms = {name: _platform(parameters, name, address_of, change) for name in parameters.platforms}
    buyers = max(FEWEST_BUYERS, -(-orders // parameters.market.orders_per_buyer))
    sellers = max(FEWEST_SELLERS, len(parameters.categories), -(-orders // parameters.market.orders_per_seller))
    return Cast(
        buyers=tuple(_buyer(parameters, seed, number, address_of) for number in range(buyers)),
        sellers=tuple(_seller(parameters, seed, number, address_of, money) for number in range(sellers)),
        platforms=platforms,
        money=money,
        address_of=address_of,
    )


def _buyer(parameters: Parameters, seed: int, number: int, address_of: Callable[[str], str]) -> Buyer:
    kind = _spread(parameters.buyers, seed, "buyer", number)
    name = f"buyer {number}"
    return Buyer(name=name, address=address_of(name), kind=kind, habits=parameters.buyers[kind])


def _seller(parameters: Parameters, seed: int, number: int, address_of: Callable[[str], str], money: Money) -> Seller:
    name = f"seller {number}"
    luck = Draws(seed, name)
    kind = _spread(parameters.sellers, seed, "seller", number)
    habits = parameters.sellers[kind]
    categories = tuple(parameters.categories)
    # The first few are one of each category, so that there is somebody to buy everything from.
    chosen = _spread(parameters.categories, seed, "goods", number)
    token = NATIVE if luck.happens(parameters.market.native_share, "token") else money.token
    length = parameters.end - parameters.start
    leaves = parameters.start + int(length * (0.15 + 0.75 * luck.uniform("leaves")))
    return Seller(
        name=name,
        address=address_of(name),
        kind=kind,
        habits=habits,
        platform=_spread(parameters.platforms, seed, "house", number),
        category=categories[number] if number < len(categories) else chosen,
        token=token,
        machine=luck.happens(habits.machine, "machine"),
        weight=(1 + luck.uniform("rank") * 20) ** -parameters.market.popularity,
        markup=1 + parameters.everybody.markup * (2 * luck.uniform("markup") - 1),
        capital=money.amount(habits.capital_fen, token),
        gone_from=leaves if luck.happens(habits.vanishes, "vanishes") else None,
    )


def _platform(
    parameters: Parameters, name: str, address_of: Callable[[str], str], change: PolicyFor | None
) -> Platform:
    habits = parameters.platforms[name]
    address = address_of(f"platform {name}")
    seats: dict[str, Mediator | None] = {}
    for seat, kind in (("mediator", habits.mediator), ("backup", habits.backup)):
        seated = f"{seat} of {name}"
        seats[seat] = (
            Mediator(name=seated, address=address_of(seated), kind=kind, habits=parameters.mediators[kind])
            if kind
            else None
        )
    policies = {}
    for place, (category, goods) in enumerate(parameters.categories.items()):
        usual = recommended_policy(
            platform=address,
            fee_receiver=address_of(f"purse of {name}"),
            mediator=seats["mediator"].address if seats["mediator"] else ZERO_ADDRESS,
            backup_mediator=seats["backup"].address if seats["backup"] else ZERO_ADDRESS,
            price=goods.price_fen,
            instant=goods.instant,
            # A second apart, so that categories with the same rules still have policies of their own.
            effective_from=parameters.start - SECONDS_OF_A_DAY + place,
        )
        policy = _changed(usual, habits)
        try:
            validate_policy(policy, _ANY_ESCROW, parameters.start, parameters.start)
        except Refusal as refusal:
            wrong = str(refusal)
            raise BadParameter(
                f"platforms.{name}.policy", wrong, "one that the contract takes", "合约接受的规则"
            ) from None
        policies[category] = policy if change is None else change(name, category, policy)
    return Platform(
        name=name,
        address=address,
        habits=habits,
        mediator=seats["mediator"],
        backup=seats["backup"],
        policies=policies,
        policy_ids={category: policy_id(policy) for category, policy in policies.items()},
    )


def _changed(policy: Policy, habits: PlatformKind) -> Policy:
    changes: dict[str, Any] = {}
    for field in fields(habits.policy):
        value = getattr(habits.policy, field.name)
        if value is not None:
            changes[field.name] = value * 60 if field.name.endswith("_window") else value
    if changes.get("cancel_fee_bps") == -1:
        changes["cancel_fee_bps"] = NO_CANCEL
    if policy.mediator == ZERO_ADDRESS:
        changes |= {"mediate_window": 0, "mediation_fee_bps": 0}
    return replace(policy, **changes)


class _Kind(Protocol):
    @property
    def share(self) -> float: ...


def _spread(kinds: Mapping[str, _Kind], seed: int, role: str, number: int) -> str:
    """A kind for the number, such that any first few of a role have the kinds about in proportion."""
    point = (Draws(seed, role).uniform("first") + number * _GOLDEN) % 1.0
    for name, kind in kinds.items():
        point -= kind.share
        if point < 0:
            return name
    return next(reversed(list(kinds)))
