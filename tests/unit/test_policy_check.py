"""Every warning has a policy that triggers it, and the recommended policies trigger none."""

from dataclasses import replace
from string import Formatter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.domain.policy import (
    LARGE_PRICE,
    NO_CANCEL,
    ZERO_ADDRESS,
    Policy,
    recommended_policy,
    validate_policy,
)
from kameng_escrow.domain.policy_check import check_policy
from kameng_escrow.domain.policy_warnings import WARNINGS, PolicyWarning, Severity
from tests.unit.made import ADDRESSES

HOUR = 60 * 60
DAY = 24 * HOUR
YUAN = 100  # fen
PRICE = 100 * YUAN
PEOPLE = {
    "platform": ADDRESSES[4],
    "mediator": ADDRESSES[5],
    "backup_mediator": ADDRESSES[6],
    "fee_receiver": ADDRESSES[7],
}
INSTANT: dict[str, Any] = {}
MANUAL: dict[str, Any] = {"instant": False}
DEPOSIT: dict[str, Any] = {"deposit_addresses": True}
D, C, N = Severity.Danger, Severity.Caution, Severity.Notice

# The warning, its severity, what is changed about the recommended policy, the typical price, the use.
TRIGGERS: list[tuple[str, Severity, dict[str, Any], int, dict[str, Any]]] = [
    ("no_mediator", D, {"mediator": ZERO_ADDRESS, "backup_mediator": ZERO_ADDRESS}, PRICE, INSTANT),
    ("no_backup", C, {"backup_mediator": ZERO_ADDRESS}, PRICE, INSTANT),
    ("mediator_earns_by_ruling", C, {"mediator": ADDRESSES[4]}, PRICE, INSTANT),
    ("mediator_earns_by_ruling", C, {"backup_mediator": ADDRESSES[7]}, PRICE, INSTANT),
    ("seller_unbonded", D, {"seller_bond_bps": 0, "mediation_fee_bps": 0}, PRICE, INSTANT),
    ("seller_bond_low", D, {"seller_bond_bps": 1_000}, PRICE, INSTANT),
    ("seller_bond_thin", C, {"seller_bond_bps": 2_000}, PRICE, INSTANT),
    ("seller_bond_high", C, {"seller_bond_bps": 3_500}, PRICE, INSTANT),
    ("stubbornness_pays", C, {"seller_bond_bps": 1_500}, PRICE, INSTANT),
    ("dispute_bond_low", D, {"dispute_bond_bps": 500}, PRICE, INSTANT),
    ("dispute_bond_thin", C, {"dispute_bond_bps": 900}, PRICE, INSTANT),
    ("dispute_bond_thin", N, {"dispute_bond_bps": 1_500}, PRICE, INSTANT),
    ("dispute_bond_high", C, {"dispute_bond_bps": 2_500}, PRICE, INSTANT),
    ("deposit_dispute_bond", D, {"dispute_bond_bps": 1_000}, PRICE, DEPOSIT),
    ("deposit_false_disputes", N, {}, PRICE, DEPOSIT),
    ("unequal_bonds", N, {"seller_bond_bps": 1_900}, PRICE, INSTANT),
    ("not_worth_disputing", D, {}, YUAN // 2, INSTANT),
    ("price_high", N, {}, 501 * YUAN, INSTANT),
    ("silence_share_low", C, {"silence_share_bps": 2_999}, PRICE, INSTANT),
    ("silence_share_high", C, {"silence_share_bps": 5_001}, PRICE, INSTANT),
    ("mediation_fee_low", C, {"mediation_fee_bps": 0}, PRICE, INSTANT),
    ("mediation_fee_high", C, {"mediation_fee_bps": 501}, PRICE, INSTANT),
    ("platform_fee_high", C, {"platform_fee_bps": 101}, PRICE, INSTANT),
    ("platform_fee_high", D, {"platform_fee_bps": 200}, PRICE, INSTANT),
    ("margins_eaten", C, {"platform_fee_bps": 76}, PRICE, INSTANT),
    ("cancellable_instant_codes", C, {"cancel_fee_bps": 5_000}, PRICE, INSTANT),
    ("cancel_fee_low", N, {"cancel_fee_bps": 499}, PRICE, MANUAL),
    ("cancel_fee_high", N, {"cancel_fee_bps": 1_251}, PRICE, MANUAL),
    ("accept_window_short", C, {"accept_window": 10 * 60 - 1}, PRICE, MANUAL),
    ("accept_window_long", N, {"accept_window": HOUR + 1}, PRICE, INSTANT),
    ("deliver_window_short", C, {"deliver_window": 10 * 60 - 1}, PRICE, MANUAL),
    ("deliver_window_long", N, {"deliver_window": HOUR + 1}, PRICE, INSTANT),
    ("inspect_window_short", C, {"inspect_window": DAY - 1}, PRICE, INSTANT),
    ("negotiate_window_short", C, {"negotiate_window": DAY - 1}, PRICE, INSTANT),
    ("mediate_window_short", C, {"mediate_window": 2 * DAY - 1}, PRICE, INSTANT),
    ("money_locked_long", N, {"inspect_window": 11 * DAY}, PRICE, INSTANT),
]
# As far from a warning as the last line is near it.
HARMLESS: list[tuple[dict[str, Any], int, dict[str, Any]]] = [
    ({"seller_bond_bps": 3_000}, PRICE, INSTANT),
    ({"seller_bond_bps": 3_000}, 500 * YUAN, INSTANT),
    ({"seller_bond_bps": 1_000, "dispute_bond_bps": 1_000}, 19 * YUAN, INSTANT),
    ({"silence_share_bps": 3_000}, 20 * YUAN, INSTANT),
    ({"silence_share_bps": 5_000}, 20 * YUAN, INSTANT),
    ({"mediation_fee_bps": 100}, 20 * YUAN, INSTANT),
    ({"mediation_fee_bps": 500}, PRICE, INSTANT),
    ({"platform_fee_bps": 75}, PRICE, INSTANT),
    ({"platform_fee_bps": 0}, PRICE, INSTANT),
    ({"platform_fee_bps": 0, "mediator": ADDRESSES[4]}, PRICE, INSTANT),
    ({"cancel_fee_bps": 1_250}, PRICE, MANUAL),
    ({"cancel_fee_bps": NO_CANCEL}, PRICE, MANUAL),
    ({"accept_window": 10 * 60, "deliver_window": 10 * 60}, PRICE, INSTANT),
    ({"accept_window": HOUR, "deliver_window": HOUR}, PRICE, INSTANT),
    ({"accept_window": DAY, "deliver_window": DAY}, PRICE, MANUAL),
    ({"inspect_window": 7 * DAY, "negotiate_window": 3 * DAY, "mediate_window": 3 * DAY}, PRICE, INSTANT),
]


def policy_for(price: int, use: dict[str, Any], **changes: Any) -> Policy:
    return replace(recommended_policy(price=price, **PEOPLE, **use), **changes)


def warned(policy: Policy, price: int, use: dict[str, Any]) -> dict[str, PolicyWarning]:
    return {warning.code: warning for warning in check_policy(policy, price, **use)}


# --------------------------------------------------------------------------------------------- what is recommended


@pytest.mark.parametrize("use", [INSTANT, MANUAL], ids=["instant", "manual"])
@given(st.integers(YUAN, LARGE_PRICE))
def test_recommended_policies_trigger_nothing(use: dict[str, Any], price: int) -> None:
    assert check_policy(policy_for(price, use), price, **use) == []


@given(st.integers(YUAN, LARGE_PRICE))
def test_recommended_policies_for_deposit_addresses_bring_one_notice(price: int) -> None:
    assert set(warned(policy_for(price, DEPOSIT), price, DEPOSIT)) <= {"deposit_false_disputes"}


@pytest.mark.parametrize("use", [INSTANT, MANUAL, DEPOSIT], ids=["instant", "manual", "deposit"])
@pytest.mark.parametrize("price", [1, 19_99, 20_00, 500_00, 10**9])
def test_recommended_policies_can_be_registered(price: int, use: dict[str, Any]) -> None:
    validate_policy(policy_for(price, use), ADDRESSES[9], 0, DAY)


# ------------------------------------------------------------------------------------------------- what is warned about


def test_every_warning_is_triggered() -> None:
    assert {trigger[0] for trigger in TRIGGERS} == set(WARNINGS)


@pytest.mark.parametrize(
    ("code", "severity", "changes", "price", "use"),
    TRIGGERS,
    ids=[f"{code}-{severity.name}" for code, severity, *_ in TRIGGERS],
)
def test_a_warning_is_triggered(
    code: str, severity: Severity, changes: dict[str, Any], price: int, use: dict[str, Any]
) -> None:
    policy = policy_for(price, use, **changes)
    found = warned(policy, price, use)[code]
    assert found.severity is severity
    for sentence, end in ((found.message, "."), (found.message_zh, "。")):
        assert sentence.endswith(end)
        assert "{" not in sentence
    assert any("一" <= letter <= "鿿" for letter in found.message_zh)
    # It is about something that can be changed, and says to what.
    if found.field == "price":
        assert found.recommended
    else:
        assert hasattr(policy, found.field)
        assert (found.recommended is None) == isinstance(getattr(policy, found.field), str)


@pytest.mark.parametrize(("changes", "price", "use"), HARMLESS)
def test_what_is_just_within_triggers_nothing(changes: dict[str, Any], price: int, use: dict[str, Any]) -> None:
    assert check_policy(policy_for(price, use, **changes), price, **use) == []


def test_the_worst_comes_first() -> None:
    policy = policy_for(PRICE, INSTANT, seller_bond_bps=1_000, silence_share_bps=0, inspect_window=40 * DAY)
    severities = [warning.severity for warning in check_policy(policy, PRICE)]
    assert severities == sorted(severities, reverse=True)
    assert set(severities) == {D, C, N}


def test_warnings_say_what_lying_gains_per_hundred_yuan() -> None:
    """Worked out by hand: a dispute bond of 5 %, the rest as recommended.

    Pot 1 + 0.05 + 0.25 − 0.03 = 1.27. A liar wins it with 0.95 · 0.05, gets 0.4 + 0.05 with 0.05, and has paid 0.05 and
    a yuan of effort in a hundred: 0.060325 + 0.0225 − 0.05 − 0.01 = 0.022825.
    """
    found = warned(policy_for(PRICE, INSTANT, dispute_bond_bps=500), PRICE, INSTANT)["dispute_bond_low"]
    assert "gains 2.28 of every 100 yuan" in found.message
    # 0.9025 · x = 0.0475 · 1.22 + 0.05 · 0.4 − 0.01
    assert "a dispute bond of 7.53 %" in found.message
    assert "2.28" in found.message_zh
    assert (found.field, found.recommended) == ("dispute_bond_bps", 2_000)


def test_without_a_mediator_both_lies_pay() -> None:
    """The buyer gets the split for nothing. The seller is paid by 5 % and keeps 60 % from the others, at no cost."""
    changes = {"mediator": ZERO_ADDRESS, "backup_mediator": ZERO_ADDRESS, "mediate_window": 0, "mediation_fee_bps": 0}
    found = warned(policy_for(PRICE, INSTANT, **changes), PRICE, INSTANT)
    assert set(found) == {"no_mediator"}
    assert "gains 40.00 by disputing" in found["no_mediator"].message
    # 0.05 · 0.995 + 0.95 · 0.6 − (0.02 − 0.005) = 0.60475
    assert "gains 60.48 by delivering" in found["no_mediator"].message


def test_a_price_at_which_disputing_pays_is_told() -> None:
    found = warned(policy_for(10, INSTANT), 10, INSTANT)["not_worth_disputing"]
    assert found.recommended is not None
    policy = policy_for(10, INSTANT)
    assert "not_worth_disputing" not in warned(policy, found.recommended, INSTANT)
    assert "not_worth_disputing" in warned(policy, found.recommended - 1, INSTANT)


def test_a_typical_price_is_positive() -> None:
    with pytest.raises(ValueError, match="give one of at least 1"):
        check_policy(policy_for(PRICE, INSTANT), 0)


def test_sentences_in_both_languages_use_what_they_are_given() -> None:
    for code, label in WARNINGS.items():
        english, chinese = ({name for _, name, _, _ in Formatter().parse(text) if name} for text in label)
        assert english == chinese, code


# ------------------------------------------------------------------------------------------------------ it leads out


@st.composite
def valid_policies(draw: st.DrawFn) -> Policy:
    bonds = draw(st.integers(0, 5_000)), draw(st.integers(0, 5_000))
    return policy_for(
        PRICE,
        INSTANT,
        accept_window=draw(st.integers(300, 90 * DAY)),
        deliver_window=draw(st.integers(300, 90 * DAY)),
        inspect_window=draw(st.integers(HOUR, 90 * DAY)),
        negotiate_window=draw(st.integers(HOUR, 90 * DAY)),
        mediate_window=draw(st.integers(DAY, 90 * DAY)),
        platform_fee_bps=draw(st.integers(0, 1_000)),
        cancel_fee_bps=draw(st.integers(0, 5_000) | st.just(NO_CANCEL)),
        seller_bond_bps=bonds[0],
        dispute_bond_bps=bonds[1],
        mediation_fee_bps=draw(st.integers(0, min(bonds))),
        silence_share_bps=draw(st.integers(0, 10_000)),
    )


@settings(max_examples=60, deadline=None)
@given(valid_policies(), st.integers(2 * YUAN, LARGE_PRICE), st.sampled_from([INSTANT, MANUAL]))
def test_following_the_recommendations_ends_the_warnings(policy: Policy, price: int, use: dict[str, Any]) -> None:
    for _ in range(12):
        found = check_policy(policy, price, **use)
        if not found:
            return
        changes: dict[str, Any] = {warning.field: warning.recommended for warning in found}
        policy = replace(policy, **changes)
    raise AssertionError(f"{[warning.code for warning in found]} stay")
