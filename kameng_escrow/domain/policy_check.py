"""Whom a policy tempts, and whom it harms: what its platform should know before registering it for ever.

The contract's bounds keep a policy possible; this tells whether it is wise. Bonds are judged by what each move pays
(``incentives.py``). In the world as stated no lie may pay, or it is a danger. From SMALL_PRICE up, where sums are worth
a fight, none should pay in the strained world either. With a fee of 0.5 % that gives, for 20 to 500 yuan, a seller's
bond of 18 to 25 % and a dispute bond of 12 to 19 % at least; from 3 to 20 yuan 8 % and 3 % are enough. What is too high
harms the honest instead. The windows, the silence share and the mediation fee are what keeps the stated world true:
buyers who can look in time, mediators who have the time and a reason to rule, and are replaced if they don't.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from .incentives import STATED, STRAINED, Incentives
from .policy import (
    LARGE_PRICE,
    MAX_BPS,
    NO_CANCEL,
    SMALL_PRICE,
    ZERO_ADDRESS,
    Policy,
    recommended_policy,
)
from .policy_warnings import PolicyWarning, Severity, warning
from .shares import BPS

HIGHEST_SELLER_BOND = 3_000  # bps, likewise the other shares
HIGHEST_DISPUTE_BOND = 2_000
LEAST_DISPUTE_BOND = 1_000
LEAST_SILENCE_SHARE, HIGHEST_SILENCE_SHARE = 3_000, 5_000
LEAST_MEDIATION_FEE, HIGHEST_MEDIATION_FEE = 100, 500
HIGHEST_PLATFORM_FEE = 100
SHORTEST_ACTION, LONGEST_ACTION = 10 * 60, 60 * 60  # seconds, likewise the other windows
SHORTEST_INSPECT = SHORTEST_NEGOTIATE = 24 * 60 * 60
SHORTEST_MEDIATE = 48 * 60 * 60
LONGEST_LOCK = 14 * 24 * 60 * 60

WINDOWS = ("accept_window", "deliver_window", "inspect_window", "negotiate_window", "mediate_window")


def check_policy(
    policy: Policy, price: int, *, instant: bool = True, deposit_addresses: bool = False
) -> list[PolicyWarning]:
    """What is unwise about `policy`, the worst first. Expects it within the contract's bounds (`validate_policy`).

    `price`: of a typical order, in fen (1/100 yuan); at least 1. `instant`: the codes are in stock.
    `deposit_addresses`: its orders may be paid by plain transfer. What `recommended_policy` gives for the same order,
    up to LARGE_PRICE, has no warnings, but for the notice that deposit addresses bring along.

    Raises:
        ValueError: the price is not positive.
    """
    if price < 1:
        raise ValueError(f"a typical price of {price} fen says nothing: give one of at least 1")
    check = _Check(policy, price, instant=instant, deposit_addresses=deposit_addresses)
    return sorted(check.warnings(), key=lambda found: -found.severity)


class _Check:
    """One policy under one use."""

    def __init__(self, policy: Policy, price: int, *, instant: bool, deposit_addresses: bool) -> None:
        self.policy = policy
        self.price = price
        self.instant = instant
        self.deposit_addresses = deposit_addresses
        self.better = recommended_policy(
            platform=policy.platform,
            fee_receiver=policy.fee_receiver,
            mediator=policy.mediator,
            backup_mediator=policy.backup_mediator,
            price=price,
            instant=instant,
            deposit_addresses=deposit_addresses,
        )
        self.stated = Incentives(policy, price, STATED)
        self.strained = Incentives(policy, price, STRAINED)

    def warnings(self) -> Iterator[PolicyWarning]:
        if self.policy.mediator == ZERO_ADDRESS:
            yield self._without_mediator()
        else:
            yield from self._mediators()
            yield from self._silence()
            yield from self._price()
            yield from self._seller_bond()
            yield from self._dispute_bond()
            yield from self._mediation_fee()
        yield from self._harm_to_the_honest()
        yield from self._platform_fee()
        yield from self._cancelling()
        yield from self._windows_to_act()
        yield from self._windows_to_talk()

    # ----------------------------------------------------------------------------------------------------- mediation

    def _without_mediator(self) -> PolicyWarning:
        gains = {
            "dispute": _per_100(self.stated.gain_of_false_dispute),
            "garbage": _per_100(self.stated.gain_of_garbage),
        }
        return self._warn("no_mediator", Severity.Danger, "mediator", gains)

    def _mediators(self) -> Iterator[PolicyWarning]:
        policy = self.policy
        if policy.backup_mediator == ZERO_ADDRESS:
            yield self._warn("no_backup", Severity.Caution, "backup_mediator", self._on_silence())
        for field in ("mediator", "backup_mediator"):
            if policy.platform_fee_bps and getattr(policy, field) in (policy.platform, policy.fee_receiver):
                shown = {"fee": _percent(policy.platform_fee_bps)}
                yield self._warn("mediator_earns_by_ruling", Severity.Caution, field, shown)

    def _silence(self) -> Iterator[PolicyWarning]:
        field, share = "silence_share_bps", self.policy.silence_share_bps
        if share < LEAST_SILENCE_SHARE:
            yield self._warn("silence_share_low", Severity.Caution, field, self._on_silence())
        if share > HIGHEST_SILENCE_SHARE:
            yield self._warn("silence_share_high", Severity.Caution, field, self._on_silence())

    def _price(self) -> Iterator[PolicyWarning]:
        policy = self.policy
        if not self.worth_disputing:
            least = 1 + _least(LARGE_PRICE, lambda price: Incentives(policy, price + 1).gain_of_an_honest_claim > 0)
            yield self._warn("not_worth_disputing", Severity.Danger, "price", recommended=least)
        if self.price > LARGE_PRICE:
            pot = self.stated.pot * self.price / 100
            fee = Fraction(policy.mediation_fee_bps, BPS) * self.price / 100
            shown = {"pot": _decimal(pot), "fee": _decimal(fee)}
            yield self._warn("price_high", Severity.Notice, "price", shown, recommended=LARGE_PRICE)

    def _mediation_fee(self) -> Iterator[PolicyWarning]:
        field, fee = "mediation_fee_bps", self.policy.mediation_fee_bps
        if fee < LEAST_MEDIATION_FEE and not self.deposit_addresses:
            yield self._warn("mediation_fee_low", Severity.Caution, field, {"fee": _percent(fee)})
        if fee > HIGHEST_MEDIATION_FEE:
            yield self._warn("mediation_fee_high", Severity.Caution, field, {"fee": _percent(fee), **_margins()})

    # --------------------------------------------------------------------------------------------------- temptations

    def _seller_bond(self) -> Iterator[PolicyWarning]:
        field = "seller_bond_bps"
        if not self.worth_disputing:
            return  # no bond helps where nobody disputes
        if self.policy.seller_bond_bps == 0:
            shown = {"gain": _per_100(self.stated.gain_of_garbage)}
            yield self._warn("seller_unbonded", Severity.Danger, field, shown)
            return
        if shown := self._tempted(self.stated, field, _garbage):
            yield self._warn("seller_bond_low", Severity.Danger, field, shown)
        elif self.price >= SMALL_PRICE and (shown := self._tempted(self.strained, field, _garbage)):
            yield self._warn("seller_bond_thin", Severity.Caution, field, shown)
        if shown := self._tempted(self.stated, field, _stubbornness):
            yield self._warn("stubbornness_pays", Severity.Caution, field, shown)

    def _dispute_bond(self) -> Iterator[PolicyWarning]:
        field, bond = "dispute_bond_bps", self.policy.dispute_bond_bps
        shown = self._tempted(self.stated, field, _false_dispute)
        if self.deposit_addresses:
            if bond:
                yield self._warn("deposit_dispute_bond", Severity.Danger, field)
            elif shown:
                yield self._warn("deposit_false_disputes", Severity.Notice, field, shown)
            return
        if shown:
            yield self._warn("dispute_bond_low", Severity.Danger, field, shown)
        elif self.price >= SMALL_PRICE and (shown := self._tempted(self.strained, field, _false_dispute)):
            severity = Severity.Caution if bond < LEAST_DISPUTE_BOND else Severity.Notice
            yield self._warn("dispute_bond_thin", severity, field, shown)
        if bond > self.policy.seller_bond_bps:
            fee = self.policy.mediation_fee_bps
            shown = {"buyer": _percent(self.policy.seller_bond_bps - fee), "seller": _percent(bond - fee)}
            least = min(self.better.dispute_bond_bps, self.policy.seller_bond_bps)
            yield self._warn("unequal_bonds", Severity.Notice, field, shown, recommended=least)

    # ----------------------------------------------------------------------------------------------------- the honest

    def _harm_to_the_honest(self) -> Iterator[PolicyWarning]:
        policy = self.policy
        if policy.seller_bond_bps > HIGHEST_SELLER_BOND:
            shown = {"late": _per_100(self._late), **_margins()}
            yield self._warn("seller_bond_high", Severity.Caution, "seller_bond_bps", shown)
        if policy.dispute_bond_bps > HIGHEST_DISPUTE_BOND and not self.deposit_addresses:
            shown = {"doubt": _per_100(self.stated.break_even_doubt), "bond": _percent(policy.dispute_bond_bps)}
            yield self._warn("dispute_bond_high", Severity.Caution, "dispute_bond_bps", shown)

    def _platform_fee(self) -> Iterator[PolicyWarning]:
        field, fee = "platform_fee_bps", Fraction(self.policy.platform_fee_bps, BPS)
        shown = {"fee": _per_100(fee), "late": _per_100(self._late), **_margins()}
        if self.policy.platform_fee_bps > HIGHEST_PLATFORM_FEE:
            severity = Severity.Danger if fee >= STATED.low_margin else Severity.Caution
            yield self._warn("platform_fee_high", severity, field, shown)
        elif fee + self._late > STATED.low_margin:
            left = max(0, int((STATED.low_margin - self._late) * BPS))
            yield self._warn("margins_eaten", Severity.Caution, field, shown, recommended=left)

    def _cancelling(self) -> Iterator[PolicyWarning]:
        field, fee = "cancel_fee_bps", self.policy.cancel_fee_bps
        half_bond, high = self.policy.seller_bond_bps // 2, int(STATED.high_margin * BPS)
        shown = {"fee": _percent(fee), "seller": _percent(half_bond), **_margins()}
        if fee == NO_CANCEL:
            return
        if self.instant:
            yield self._warn("cancellable_instant_codes", Severity.Caution, field, shown)
        elif fee < high:
            yield self._warn("cancel_fee_low", Severity.Notice, field, shown)
        elif fee > max(high, half_bond):
            yield self._warn("cancel_fee_high", Severity.Notice, field, shown)

    # -------------------------------------------------------------------------------------------------------- windows

    def _windows_to_act(self) -> Iterator[PolicyWarning]:
        bond = self.policy.seller_bond_bps
        for field in ("accept_window", "deliver_window"):
            seconds = getattr(self.policy, field)
            shown = {
                "minutes": str(seconds // 60),
                "wanted": str(getattr(self.better, field) // 60),
                "bond": _percent(bond),
                "half": _percent(bond // 2),
            }
            if seconds < SHORTEST_ACTION:
                yield self._warn(f"{field}_short", Severity.Caution, field, shown)
            if seconds > LONGEST_ACTION and self.instant:
                yield self._warn(f"{field}_long", Severity.Notice, field, shown)

    def _windows_to_talk(self) -> Iterator[PolicyWarning]:
        policy = self.policy
        shortest = {"inspect_window": SHORTEST_INSPECT, "negotiate_window": SHORTEST_NEGOTIATE}
        if policy.mediator != ZERO_ADDRESS:
            shortest["mediate_window"] = SHORTEST_MEDIATE
        for field, least in shortest.items():
            seconds = getattr(policy, field)
            if seconds < least:
                shown = {
                    "hours": _hours(seconds),
                    "half": _hours(seconds // 2),
                    "wanted": _hours(getattr(self.better, field)),
                    "attention": _per_100(self.stated.break_even_attention),
                }
                yield self._warn(f"{field}_short", Severity.Caution, field, shown)
        locked = sum(getattr(policy, field) for field in WINDOWS)
        if locked > LONGEST_LOCK:
            longest = max(WINDOWS, key=lambda field: int(getattr(policy, field)))
            yield self._warn("money_locked_long", Severity.Notice, longest, {"days": str(locked // 86_400)})

    # ------------------------------------------------------------------------------------------------------- helpers

    @property
    def worth_disputing(self) -> bool:
        """Whether an honest buyer with bad codes would bother."""
        return self.stated.gain_of_an_honest_claim > 0

    @property
    def _late(self) -> Fraction:
        """What being late costs an honest seller on average, at worst."""
        return STATED.seller_late * Fraction(self.policy.seller_bond_bps, BPS)

    def _on_silence(self) -> dict[str, str]:
        """What the policy's split gives a liar when nobody rules."""
        share = self.policy.silence_share_bps
        return {"buyer": _percent(share), "seller": _percent(BPS - share)}

    def _tempted(self, incentives: Incentives, field: str, gain_of: Callable[[Incentives], Fraction]) -> dict[str, str]:
        """How much a lie pays, and the least of the bond `field` at which it does not; empty if it does not pay."""
        gain = gain_of(incentives)
        if gain <= 0:
            return {}

        def deters(bond: int) -> bool:
            changed = (
                replace(self.policy, seller_bond_bps=bond)
                if field == "seller_bond_bps"
                else replace(self.policy, dispute_bond_bps=bond)
            )
            return gain_of(replace(incentives, policy=changed)) <= 0

        return {"gain": _per_100(gain), "least": _percent(_least(MAX_BPS, deters))}

    def _warn(
        self,
        code: str,
        severity: Severity,
        field: str,
        shown: Mapping[str, str] | None = None,
        *,
        recommended: int | None = None,
    ) -> PolicyWarning:
        """With what `recommended_policy` has for the field, unless something else is recommended."""
        better = getattr(self.better, field, None)
        if recommended is None and isinstance(better, int):
            recommended = better
        # bps in per cent, fen in yuan
        text = {} if recommended is None else {"recommended": _percent(recommended)}
        return warning(code, severity, field, recommended, {**text, **(shown or {})})


def _garbage(incentives: Incentives) -> Fraction:
    return incentives.gain_of_garbage


def _stubbornness(incentives: Incentives) -> Fraction:
    return incentives.gain_of_stubbornness


def _false_dispute(incentives: Incentives) -> Fraction:
    return incentives.gain_of_false_dispute


def _least(limit: int, enough: Callable[[int], bool]) -> int:
    """The least number up to `limit` that is enough, if more is never less so; `limit` if none is."""
    low, high = 0, limit
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def _margins() -> dict[str, str]:
    return {"low": _per_100(STATED.low_margin), "high": _per_100(STATED.high_margin)}


def _decimal(value: Fraction) -> str:
    """To two places, halves to even."""
    cents = round(value * 100)
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _per_100(part: Fraction) -> str:
    return _decimal(part * 100)


def _percent(bps: int) -> str:
    return _decimal(Fraction(bps, 100))


def _hours(seconds: int) -> str:
    return _decimal(Fraction(seconds, 3_600)).removesuffix(".00")
