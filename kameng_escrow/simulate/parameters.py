"""How people behave and what goes wrong, as `parameters.toml` says it; the reasons stand there, beside the numbers."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from kameng_escrow.domain.categories import check_category
from kameng_escrow.domain.refusal_base import Refusal

from .errors import BadParameter
from .reading import Count, Factor, Natural, Share, Within, merge, read

SECONDS_OF_A_DAY = 86_400
_KINDS_TOLERANCE = 1e-6  # shares of a kind are written with few places, and must still be all of it


@dataclass(frozen=True, slots=True)
class Delay:
    """How long somebody takes: log-normal."""

    median: Annotated[float, Within(0.01, 1_000_000)]  # minutes
    spread: Annotated[float, Within(0, 3)]  # the logarithm's standard deviation


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """The size and the grain of the market."""

    start: datetime  # the first second
    days: Annotated[float, Within(0.5, 330)]  # during which orders are placed; policies are reviewed within a year
    utc_offset_hours: Annotated[int, Within(-12, 14)]
    tick_seconds: Annotated[int, Within(12, 300)]  # everybody acts at multiples of it
    keeper_minutes: Annotated[int, Within(1, 1_440)]
    orders_per_buyer: Count
    orders_per_seller: Count
    native_share: Share
    popularity: Annotated[float, Within(0, 3)]
    banned_after: Count
    ruling_counts: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Orders by local hour and weekday, relative to each other, and when people are awake."""

    hours: tuple[Factor, ...]
    weekdays: tuple[Factor, ...]
    awake_from: Annotated[int, Within(0, 23)]
    awake_until: Annotated[int, Within(1, 24)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """Planned days of many orders."""

    every_days: Annotated[float, Within(0.5, 3_650)]
    hours: Annotated[float, Within(0.1, 1_000)]
    demand: Factor
    out_of_stock: Factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """Hours that nobody planned, in one category."""

    per_30_days: Factor
    hours: Annotated[float, Within(0.1, 1_000)]
    demand: Factor
    out_of_stock: Factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Something is down, from time to time."""

    per_30_days: Factor
    duration: Delay


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTrouble:
    """Payments that come late, or not at all."""

    late_share: Share
    late: Delay
    lost_share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class GasSpike(Outage):
    """The chain is dear."""

    factor: Factor
    waits: Share
    usual_gwei: Factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What goes wrong without anybody's will."""

    shop_outage: Outage
    payment: PaymentTrouble
    gas_spike: GasSpike
    node: Outage


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryKind:
    """What is sold, and for how much."""

    share: Share
    price_fen: Annotated[int, Within(10, 100_000_000)]  # of one unit; the median
    price_spread: Annotated[float, Within(0, 3)]
    several: Share
    most_units: Annotated[int, Within(1, 65_535)]
    instant: bool
    bad_factor: Factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Everybody:
    """What people of all kinds have in common."""

    fee_stops: Share
    all_bad: Share
    claims_all: Share
    sees_its_error: Share
    splits_difference: Share
    fills_up: Factor
    hurry_from: Annotated[float, Within(0.1, 100)]
    hurry: Share
    markup: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What advice weighs."""

    failure: Share
    frozen_day: Share
    mediation_fen: Natural


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerKind:
    """A kind of buyers. What each number means stands above the kinds in the file, likewise for the others."""

    share: Share
    look: Delay
    never_looks: Share
    confirms: Share
    patience: Delay
    waits: Delay
    regrets: Share
    regret: Delay
    notices: Share
    disputes_bad: Share
    false_tempted: Share
    false_untempted: Share
    takes_back: Share
    splits: Share
    concedes: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerKind:
    """A kind of sellers."""

    share: Share
    offers: Share
    machine: Share
    accept: Delay
    deliver: Delay
    slow_factor: Factor
    ignores: Share
    out_of_stock: Share
    oversells: Share
    finds_late: Share
    says_so: Share
    bad_tempted: Share
    bad_untempted: Share
    dies: Share
    death: Delay
    owns_up: Share
    refunds_bad: Share
    refunds_good: Share
    replaces: Share
    offers_split: Share
    answers: Delay
    concedes: Share
    capital_fen: Natural
    vanishes: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class MediatorKind:
    """A kind of mediators."""

    share: Share = 1.0
    right: Share
    silent: Share
    rules: Delay
    queue: Factor


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChanges:
    """What a platform's policies have otherwise than the recommended one. Windows in minutes; None: the same."""

    accept_window: Annotated[int, Within(5, 129_600)] | None = None
    deliver_window: Annotated[int, Within(5, 129_600)] | None = None
    inspect_window: Annotated[int, Within(60, 129_600)] | None = None
    negotiate_window: Annotated[int, Within(60, 129_600)] | None = None
    mediate_window: Annotated[int, Within(1_440, 129_600)] | None = None
    platform_fee_bps: Annotated[int, Within(0, 1_000)] | None = None
    cancel_fee_bps: Annotated[int, Within(-1, 5_000)] | None = None  # -1: no cancel once accepted
    seller_bond_bps: Annotated[int, Within(0, 5_000)] | None = None
    dispute_bond_bps: Annotated[int, Within(0, 5_000)] | None = None
    mediation_fee_bps: Annotated[int, Within(0, 5_000)] | None = None
    silence_share_bps: Annotated[int, Within(0, 10_000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformKind:
    """A platform and its house rules."""

    share: Share
    mediator: str  # a kind of mediators; empty: none, likewise below
    backup: str
    intervenes: Share
    checks: Delay
    policy: PolicyChanges = field(default_factory=PolicyChanges)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackKind:
    """Something planted, so that what finds it can be measured."""

    per_10000_orders: Factor
    at_least: Natural
    orders: Count = 1
    hours: Annotated[float, Within(0.1, 10_000)] = 1.0
    accounts: Count = 1
    factor: Factor = 1.0
    bad: Share = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Everything that decides how the market goes, apart from the seed and the number of orders."""

    market: Market
    rhythm: Rhythm
    promotion: Promotion
    shock: Shock
    trouble: Trouble
    everybody: Everybody
    advice: Weights
    categories: dict[str, CategoryKind]
    buyers: dict[str, BuyerKind]
    sellers: dict[str, SellerKind]
    mediators: dict[str, MediatorKind]
    platforms: dict[str, PlatformKind]
    attacks: dict[str, AttackKind]

    @property
    def start(self) -> int:
        """The first Unix second, a multiple of the tick."""
        tick = self.market.tick_seconds
        return int(self.market.start.timestamp()) // tick * tick

    @property
    def end(self) -> int:
        """The Unix second from which no more orders are placed."""
        return self.start + int(self.market.days * SECONDS_OF_A_DAY)


ATTACKS = (
    "ring",
    "velocity",
    "price-outlier",
    "serial-disputer",
    "code-reuse",
    "mediator-bias",
    "seller-failure",
    "category-failure",
)
_OPEN_ENDED = ("categories", "buyers", "sellers", "platforms")  # a file that names some of them names the shares of all


def parameters_text() -> str:
    """The file of parameters that comes with the package, reasons included."""
    return files(__package__).joinpath("parameters.toml").read_text("utf-8")


def load_parameters(path: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Parameters:
    """The parameters that come with the package, changed by a file and then by `overrides` (both name only changes).

    Raises:
        BadParameter: a name that there is not, or a value that no market can have; of a file that is no TOML, too.
        OSError: the file can't be read.
    """
    tables: dict[str, Any] = tomllib.loads(parameters_text())
    if path is not None:
        try:
            tables = merge(tables, tomllib.loads(path.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadParameter(path.name, str(error), "valid TOML", "有效的 TOML") from None
    read_in = read(Parameters, merge(tables, overrides or {}))
    _check(read_in)
    return read_in


def _check(parameters: Parameters) -> None:
    """What no single number shows."""
    for name in _OPEN_ENDED:
        total = sum(kind.share for kind in getattr(parameters, name).values())
        if abs(total - 1) > _KINDS_TOLERANCE:
            raise BadParameter(f"{name}.*.share", round(total, 6), "shares that sum to 1", "总和为 1")
    for name in parameters.categories:
        try:
            check_category(name, "category")
        except Refusal:
            raise BadParameter(f"categories.{name}", name, "a category", "一个品类") from None
    for name, length in (("hours", 24), ("weekdays", 7)):
        weights = getattr(parameters.rhythm, name)
        if len(weights) != length or not sum(weights):
            raise BadParameter(f"rhythm.{name}", list(weights), f"{length} weights", f" {length} 个权重")
    rhythm = parameters.rhythm
    if rhythm.awake_from >= rhythm.awake_until:
        raise BadParameter("rhythm.awake_until", rhythm.awake_until, "later than awake_from", "晚于 awake_from")
    for name, platform in parameters.platforms.items():
        for seat in ("mediator", "backup"):
            kind = getattr(platform, seat)
            if kind and kind not in parameters.mediators:
                choices = ", ".join(parameters.mediators)
                raise BadParameter(f"platforms.{name}.{seat}", kind, f"empty, or of {choices}", f"空，或 {choices}")
        if platform.backup and not platform.mediator:
            raise BadParameter(
                f"platforms.{name}.backup", platform.backup, "empty without a mediator", "空（无仲裁员）"
            )
    for name in parameters.attacks:
        if name not in ATTACKS:
            choices = ", ".join(ATTACKS)
            raise BadParameter(f"attacks.{name}", name, f"one of {choices}", f"其中之一：{choices}")
    payment = parameters.trouble.payment
    if payment.late_share + payment.lost_share > 1:
        raise BadParameter(
            "trouble.payment.lost_share", payment.lost_share, "at most 1 with late_share", "与 late_share 之和不超过 1"
        )
