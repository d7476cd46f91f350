"""Policies: registered once, within bounds, reviewed and retired by their platform."""

from dataclasses import asdict, replace

import pytest

from kameng_escrow.domain.events import PolicyRegistered, PolicyRetired, PolicyReviewed
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.policy import NO_CANCEL
from kameng_escrow.domain.refusals import (
    InvalidAddress,
    PolicyExists,
    PolicyIsRetired,
    PolicyOutOfBounds,
    PolicyReviewOverdue,
    PolicyUnknown,
    Unauthorized,
)
from kameng_escrow.domain.states import PolicyField
from tests.contracts.harness.world import DAY, NO_MEDIATOR, POLICY, PRICE, reverts

MAX_WINDOW = 90 * DAY
MAX_REVIEW = 366 * DAY
PLAIN = replace(POLICY, mediation_fee_bps=0)  # so that bonds may be anything
UNKNOWN = "0x" + "77" * 32

# Every number, its least and its largest value, and what it is asked of.
BOUNDS = {
    PolicyField.AcceptWindow: ("accept_window", 300, MAX_WINDOW),
    PolicyField.DeliverWindow: ("deliver_window", 300, MAX_WINDOW),
    PolicyField.InspectWindow: ("inspect_window", 3_600, MAX_WINDOW),
    PolicyField.NegotiateWindow: ("negotiate_window", 3_600, MAX_WINDOW),
    PolicyField.MediateWindow: ("mediate_window", DAY, MAX_WINDOW),
    PolicyField.PlatformFee: ("platform_fee_bps", 0, 1_000),
    PolicyField.CancelFee: ("cancel_fee_bps", 0, 5_000),
    PolicyField.SellerBond: ("seller_bond_bps", 0, 5_000),
    PolicyField.DisputeBond: ("dispute_bond_bps", 0, 5_000),
    PolicyField.SilenceShare: ("silence_share_bps", 0, 10_000),
    PolicyField.EffectiveFrom: ("effective_from", 0, 2**32 - 1),
}
BELOW = [(field, least - 1) for field, (_, least, _) in BOUNDS.items() if least]
ABOVE = [(field, largest + 1) for field, (_, _, largest) in BOUNDS.items()]
WITHIN = [(field, value) for field, (_, least, largest) in BOUNDS.items() for value in (least, least + 1, largest)]
FAR = [(PolicyField.CancelFee, value) for value in (NO_CANCEL - 1, NO_CANCEL + 1, 10_000, 65_535)] + [
    (field, 0) for field, (_, least, _) in BOUNDS.items() if least
]


def register(world, policy, review_by=None, sender=None):
    review_by = world.evm.now if review_by is None else review_by
    return world.escrow.registerPolicy(policy, review_by, sender=sender or policy.platform)


# --------------------------------------------------------------------------------------------- registering: refusals


@pytest.mark.parametrize("name", ["seller", "mediator", "fee_receiver", "stranger"])
def test_register_policy_reverts_in_anothers_name(world, platform, name, request):
    other = request.getfixturevalue(name)
    with reverts(Unauthorized(other, platform)):
        register(world, POLICY, sender=other)


def test_register_policy_reverts_the_second_time(escrow, world, platform):
    register(world, POLICY)
    policy_id = world.policy_id(POLICY)
    for review_by in (world.evm.now, world.evm.now + 1):
        with reverts(PolicyExists(policy_id)):
            register(world, POLICY, review_by)
    escrow.retirePolicy(policy_id, sender=platform)
    with reverts(PolicyExists(policy_id)):
        register(world, POLICY)


@pytest.mark.parametrize(("field", "value"), BELOW + ABOVE + FAR)
def test_register_policy_reverts_for_a_number_out_of_bounds(world, field, value):
    name, least, largest = BOUNDS[field]
    with reverts(PolicyOutOfBounds(field, value, least, largest)):
        register(world, replace(PLAIN, **{name: value}))


@pytest.mark.parametrize("window", [1, DAY])
def test_register_policy_reverts_for_a_mediate_window_without_a_mediator(world, window):
    with reverts(PolicyOutOfBounds(PolicyField.MediateWindow, window, 0, 0)):
        register(world, replace(POLICY, **{**NO_MEDIATOR, "mediate_window": window}))


@pytest.mark.parametrize(
    ("seller_bond", "dispute_bond", "fee"), [(500, 300, 301), (300, 500, 301), (0, 500, 1), (500, 0, 1)]
)
def test_register_policy_reverts_for_a_mediation_fee_above_the_smaller_bond(world, seller_bond, dispute_bond, fee):
    policy = replace(POLICY, seller_bond_bps=seller_bond, dispute_bond_bps=dispute_bond, mediation_fee_bps=fee)
    with reverts(PolicyOutOfBounds(PolicyField.MediationFee, fee, 0, min(seller_bond, dispute_bond))):
        register(world, policy)


def test_register_policy_reverts_for_a_mediation_fee_without_a_mediator(world):
    with reverts(PolicyOutOfBounds(PolicyField.MediationFee, 1, 0, 0)):
        register(world, replace(POLICY, **{**NO_MEDIATOR, "mediation_fee_bps": 1}))


def test_register_policy_reverts_without_a_fee_receiver(escrow, world):
    for nobody in (NATIVE, escrow.address):
        with reverts(InvalidAddress(nobody)):
            register(world, replace(POLICY, fee_receiver=nobody))


@pytest.mark.parametrize("field", ["mediator", "backup_mediator"])
def test_register_policy_reverts_where_the_escrow_would_mediate(escrow, world, field):
    with reverts(InvalidAddress(escrow.address)):
        register(world, replace(POLICY, **{field: escrow.address}))


def test_register_policy_reverts_where_the_backup_is_the_mediator(world, mediator):
    with reverts(InvalidAddress(mediator)):
        register(world, replace(POLICY, backup_mediator=mediator))


def test_register_policy_reverts_for_a_backup_of_nobody(world, backup):
    with reverts(InvalidAddress(backup)):
        register(world, replace(POLICY, **{**NO_MEDIATOR, "backup_mediator": backup}))


@pytest.mark.parametrize("offset", [-1, -1_000_000, MAX_REVIEW + 1])
def test_register_policy_reverts_for_a_review_in_the_past_or_too_far_ahead(world, offset):
    now = world.evm.now
    with reverts(PolicyOutOfBounds(PolicyField.ReviewBy, now + offset, now, now + MAX_REVIEW)):
        register(world, POLICY, now + offset)


def test_register_policy_checks_its_guards_in_order(world, platform, stranger):
    """Everything is wrong at first; each step puts one thing right."""
    right = asdict(POLICY)
    wrong = replace(
        POLICY,
        **{name: largest + 1 for name, _, largest in BOUNDS.values()},
        mediation_fee_bps=5_001,
        fee_receiver=NATIVE,
    )
    now = world.evm.now
    with reverts(Unauthorized(stranger, platform)):
        register(world, wrong, 0, sender=stranger)
    for field, (name, least, largest) in BOUNDS.items():
        if field == PolicyField.SilenceShare:
            with reverts(PolicyOutOfBounds(PolicyField.MediationFee, 5_001, 0, 1_500)):
                register(world, wrong, 0)
            wrong = replace(wrong, mediation_fee_bps=right["mediation_fee_bps"])
        if field == PolicyField.EffectiveFrom:
            with reverts(InvalidAddress(NATIVE)):
                register(world, wrong, 0)
            wrong = replace(wrong, fee_receiver=right["fee_receiver"])
        with reverts(PolicyOutOfBounds(field, largest + 1, least, largest)):
            register(world, wrong, 0)
        wrong = replace(wrong, **{name: right[name]})
    with reverts(PolicyOutOfBounds(PolicyField.ReviewBy, 0, now, now + MAX_REVIEW)):
        register(world, wrong, 0)
    register(world, wrong)


# -------------------------------------------------------------------------------------------- registering: successes


@pytest.mark.parametrize(("field", "value"), WITHIN)
def test_register_policy_takes_and_keeps_every_number_within_bounds(world, lens, field, value):
    policy = replace(PLAIN, **{BOUNDS[field][0]: value})
    register(world, policy)
    assert lens.policyOf(world.policy_id(policy)) == (policy, world.evm.now, False)


def test_register_policy_keeps_all_the_largest_numbers_apart(world, lens):
    numbers = {name: largest for name, _, largest in BOUNDS.values()}
    policy = replace(POLICY, **numbers, mediation_fee_bps=5_000)
    review_by = world.evm.now + MAX_REVIEW
    register(world, policy, review_by)
    assert lens.policyOf(world.policy_id(policy)) == (policy, review_by, False)


def test_register_policy_takes_no_cancel(world, lens):
    policy = replace(POLICY, cancel_fee_bps=NO_CANCEL)
    register(world, policy)
    assert lens.policyOf(world.policy_id(policy)) == (policy, world.evm.now, False)


@pytest.mark.parametrize(("seller_bond", "dispute_bond"), [(500, 300), (300, 500), (0, 500), (5_000, 5_000)])
def test_register_policy_takes_a_mediation_fee_as_large_as_the_smaller_bond(world, seller_bond, dispute_bond):
    fee = min(seller_bond, dispute_bond)
    register(world, replace(POLICY, seller_bond_bps=seller_bond, dispute_bond_bps=dispute_bond, mediation_fee_bps=fee))


def test_register_policy_takes_one_without_a_mediator_or_without_a_backup(world, lens):
    for policy in (replace(POLICY, **NO_MEDIATOR), replace(POLICY, backup_mediator=NATIVE)):
        register(world, policy)
        assert lens.policyOf(world.policy_id(policy)) == (policy, world.evm.now, False)


@pytest.mark.parametrize("offset", [0, 1, MAX_REVIEW])
def test_register_policy_takes_a_review_within_a_year_and_a_day(world, lens, offset):
    register(world, POLICY, world.evm.now + offset)
    assert lens.policyOf(world.policy_id(POLICY))[1] == world.evm.now + offset


def test_register_policy_returns_the_hash_of_the_policy(escrow, world):
    assert escrow.returned("registerPolicy", register(world, POLICY)) == world.policy_id(POLICY)


def test_register_policy_tells_two_platforms_policies_apart(world, stranger):
    register(world, POLICY)
    register(world, replace(POLICY, platform=stranger))


def test_register_policy_logs_the_policy(escrow, world, platform):
    review_by = world.evm.now + DAY
    assert escrow.events(register(world, POLICY, review_by)) == [
        PolicyRegistered(policy_id=world.policy_id(POLICY), platform=platform, policy=POLICY, review_by=review_by)
    ]


def test_policy_record_keeps_the_addresses(escrow, world, platform, mediator, backup, fee_receiver):
    assert escrow.policyRecordOf(UNKNOWN) == (0, NATIVE, NATIVE, NATIVE, NATIVE)
    register(world, POLICY)
    slot, *addresses = escrow.policyRecordOf(world.policy_id(POLICY))
    assert slot != 0
    assert addresses == [platform, mediator, backup, fee_receiver]


# -------------------------------------------------------------------------------------------------------- reviewing


def test_review_policy_reverts_for_an_unknown_policy(escrow, platform):
    with reverts(PolicyUnknown(UNKNOWN)):
        escrow.reviewPolicy(UNKNOWN, 1, sender=platform)


@pytest.mark.parametrize("name", ["mediator", "fee_receiver", "stranger"])
def test_review_policy_reverts_for_everybody_but_the_platform(escrow, world, platform, name, request):
    register(world, POLICY)
    other = request.getfixturevalue(name)
    with reverts(Unauthorized(other, platform)):
        escrow.reviewPolicy(world.policy_id(POLICY), world.evm.now + DAY, sender=other)


def test_review_policy_reverts_once_it_is_retired(escrow, world, platform):
    register(world, POLICY)
    policy_id = world.policy_id(POLICY)
    escrow.retirePolicy(policy_id, sender=platform)
    with reverts(PolicyIsRetired(policy_id)):
        escrow.reviewPolicy(policy_id, world.evm.now + DAY, sender=platform)


def test_review_policy_reverts_where_the_review_would_not_move_forward_or_too_far(escrow, world, platform, warp):
    review_by = world.evm.now + DAY
    register(world, POLICY, review_by)
    warp(world.evm.now + 100)
    largest = world.evm.now + MAX_REVIEW
    for wrong in (0, review_by - 1, review_by, largest + 1):
        with reverts(PolicyOutOfBounds(PolicyField.ReviewBy, wrong, review_by + 1, largest)):
            escrow.reviewPolicy(world.policy_id(POLICY), wrong, sender=platform)


def test_review_policy_moves_the_review_and_nothing_else(escrow, world, lens, platform):
    register(world, POLICY, world.evm.now + DAY)
    policy_id = world.policy_id(POLICY)
    for review_by in (world.evm.now + DAY + 1, world.evm.now + MAX_REVIEW):
        escrow.reviewPolicy(policy_id, review_by, sender=platform)
        assert lens.policyOf(policy_id) == (POLICY, review_by, False)


def test_review_policy_lets_orders_in_again(escrow, world, buyer, platform, warp):
    register(world, POLICY)
    warp(world.evm.now + 1)
    terms = world.make_terms()
    with reverts(PolicyReviewOverdue(world.evm.now, world.evm.now - 1)):
        escrow.open(terms, sender=buyer, value=PRICE)
    escrow.reviewPolicy(terms.policy_id, world.evm.now, sender=platform)
    escrow.open(terms, sender=buyer, value=PRICE)


def test_review_policy_logs_the_next_review(escrow, world, platform):
    register(world, POLICY)
    policy_id = world.policy_id(POLICY)
    receipt = escrow.reviewPolicy(policy_id, world.evm.now + 5, sender=platform)
    assert escrow.events(receipt) == [PolicyReviewed(policy_id=policy_id, review_by=world.evm.now + 5)]


# --------------------------------------------------------------------------------------------------------- retiring


def test_retire_policy_reverts_for_an_unknown_policy(escrow, platform):
    with reverts(PolicyUnknown(UNKNOWN)):
        escrow.retirePolicy(UNKNOWN, sender=platform)


@pytest.mark.parametrize("name", ["mediator", "fee_receiver", "stranger"])
def test_retire_policy_reverts_for_everybody_but_the_platform(escrow, world, platform, name, request):
    register(world, POLICY)
    other = request.getfixturevalue(name)
    with reverts(Unauthorized(other, platform)):
        escrow.retirePolicy(world.policy_id(POLICY), sender=other)


def test_retire_policy_reverts_the_second_time(escrow, world, platform):
    register(world, POLICY)
    policy_id = world.policy_id(POLICY)
    escrow.retirePolicy(policy_id, sender=platform)
    with reverts(PolicyIsRetired(policy_id)):
        escrow.retirePolicy(policy_id, sender=platform)


def test_retire_policy_changes_nothing_else(escrow, world, lens, platform):
    register(world, POLICY, world.evm.now + DAY)
    policy_id = world.policy_id(POLICY)
    escrow.retirePolicy(policy_id, sender=platform)
    assert lens.policyOf(policy_id) == (POLICY, world.evm.now + DAY, True)


def test_retire_policy_logs_the_policy(escrow, world, platform):
    register(world, POLICY)
    policy_id = world.policy_id(POLICY)
    assert escrow.events(escrow.retirePolicy(policy_id, sender=platform)) == [PolicyRetired(policy_id=policy_id)]
