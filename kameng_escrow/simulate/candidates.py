"""Policies that might serve better: one change at a time, within the contract's bounds and what makes honesty pay."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from kameng_escrow.domain.policy import NO_CANCEL, ZERO_ADDRESS, Policy
from kameng_escrow.domain.policy_check import (
    HIGHEST_DISPUTE_BOND,
    HIGHEST_SELLER_BOND,
    HIGHEST_SILENCE_SHARE,
    LEAST_DISPUTE_BOND,
    LEAST_SILENCE_SHARE,
    LONGEST_ACTION,
    SHORTEST_ACTION,
    SHORTEST_INSPECT,
    SHORTEST_MEDIATE,
    SHORTEST_NEGOTIATE,
    check_policy,
)
from kameng_escrow.domain.policy_warnings import Severity

DAY = 86_400

# What may be tried of each number: from what keeps honesty paying at the least to where it begins to harm.
_CHOICES: dict[str, tuple[int, ...]] = {
    "accept_window": (SHORTEST_ACTION, 20 * 60, 30 * 60, LONGEST_ACTION),
    "deliver_window": (SHORTEST_ACTION, 20 * 60, 30 * 60, LONGEST_ACTION),
    "inspect_window": (SHORTEST_INSPECT, 2 * DAY, 3 * DAY),
    "negotiate_window": (SHORTEST_NEGOTIATE, 2 * DAY),
    "mediate_window": (SHORTEST_MEDIATE, 4 * DAY),
    "seller_bond_bps": (1_000, 1_500, 2_000, 2_500, HIGHEST_SELLER_BOND),
    "dispute_bond_bps": (LEAST_DISPUTE_BOND, 1_500, HIGHEST_DISPUTE_BOND),
    "cancel_fee_bps": (0, 200, 500, NO_CANCEL),
    "silence_share_bps": (LEAST_SILENCE_SHARE, 4_000, HIGHEST_SILENCE_SHARE),
}
_MEDIATION = ("mediate_window", "dispute_bond_bps", "silence_share_bps", "negotiate_window")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One number of a policy, otherwise."""

    field: str
    before: int
    after: int

    def applied(self, policy: Policy) -> Policy:
        """The policy with it."""
        changed: dict[str, Any] = {self.field: self.after}
        return replace(policy, **changed)


def changes_of(policy: Policy, price_fen: int, *, instant: bool) -> Iterator[Change]:
    """Every single change worth trying: the neighbours of each number among the choices, if they bring no caution
    of the policy checker's that is not there already, at the price (fen) and for goods in stock, or not.

    The platform's fee is its own affair: nothing that the simulation knows speaks for another. The mediation fee stays,
    and bounds the bonds.
    """
    known = _cautions(policy, price_fen, instant)
    for field, choices in _CHOICES.items():
        if policy.mediator == ZERO_ADDRESS and field in _MEDIATION:
            continue
        now = getattr(policy, field)
        lower = [one for one in choices if one < now]
        higher = [one for one in choices if one > now]
        for after in (*lower[-1:], *higher[:2]):
            if field.endswith("_bond_bps") and after < policy.mediation_fee_bps:
                continue
            change = Change(field=field, before=now, after=after)
            if _cautions(change.applied(policy), price_fen, instant) <= known:
                yield change


def _cautions(policy: Policy, price_fen: int, instant: bool) -> set[str]:
    found = check_policy(policy, price_fen, instant=instant)
    return {one.code for one in found if one.severity >= Severity.Caution}
