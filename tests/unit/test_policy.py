"""Policies are refused as the contract refuses them, and ids are its own."""

from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.domain.inputs import Malformed, NumberOutOfRange, WrongChecksum
from kameng_escrow.domain.policy import NO_CANCEL, ZERO_ADDRESS, Policy, validate_policy, validate_review_by
from kameng_escrow.domain.refusals import InvalidAddress, PolicyOutOfBounds, Refusal
from kameng_escrow.domain.states import PolicyField
from kameng_escrow.domain.typed_data import policy_id
from tests.unit.made import ADDRESSES, make_policy
from tests.unit.on_chain import Escrow

DAY = 24 * 60 * 60
BOUNDS: dict[str, tuple[Any, ...]] = {
    "accept_window": (0, 299, 300, 90 * DAY, 90 * DAY + 1),
    "deliver_window": (0, 299, 300, 90 * DAY, 90 * DAY + 1),
    "inspect_window": (0, 3_599, 3_600, 90 * DAY, 90 * DAY + 1),
    "negotiate_window": (0, 3_599, 3_600, 90 * DAY, 90 * DAY + 1),
    "mediate_window": (0, DAY - 1, DAY, 90 * DAY, 90 * DAY + 1),
    "platform_fee_bps": (0, 1_000, 1_001),
    "cancel_fee_bps": (0, 5_000, 5_001, NO_CANCEL - 1, NO_CANCEL, NO_CANCEL + 1),
    "seller_bond_bps": (0, 5_000, 5_001),
    "dispute_bond_bps": (0, 5_000, 5_001),
    "mediation_fee_bps": (0, 2_000, 2_001, 2_501),
    "silence_share_bps": (0, 10_000, 10_001),
    "mediator": (ZERO_ADDRESS,),
    "backup_mediator": (ZERO_ADDRESS, ADDRESSES[5]),
    "fee_receiver": (ZERO_ADDRESS,),
    "effective_from": (2**32 - 1, 2**32),
}

addresses = st.binary(min_size=20, max_size=20).map(to_checksum_address)
valid_policy = st.builds(
    Policy,
    platform=addresses,
    accept_window=st.integers(300, 90 * DAY),
    deliver_window=st.integers(300, 90 * DAY),
    inspect_window=st.integers(3_600, 90 * DAY),
    negotiate_window=st.integers(3_600, 90 * DAY),
    mediate_window=st.integers(DAY, 90 * DAY),
    platform_fee_bps=st.integers(0, 1_000),
    cancel_fee_bps=st.integers(0, 5_000) | st.just(NO_CANCEL),
    seller_bond_bps=st.integers(1_000, 5_000),
    dispute_bond_bps=st.integers(1_000, 5_000),
    mediation_fee_bps=st.integers(0, 1_000),
    silence_share_bps=st.integers(0, 10_000),
    mediator=addresses.filter(lambda address: address != ZERO_ADDRESS),
    backup_mediator=st.just(ZERO_ADDRESS),
    fee_receiver=addresses.filter(lambda address: address != ZERO_ADDRESS),
    effective_from=st.integers(0, 2**32 - 1),
)
# Right but for a few fields, each on or just beyond a bound.
some_policy = st.fixed_dictionaries(
    {},
    optional={name: st.sampled_from(values) for name, values in BOUNDS.items()},
).map(lambda changes: make_policy(**changes))


def validated(policy: Policy, real_escrow: Escrow, review_by: int) -> Refusal | str:
    try:
        validate_policy(policy, real_escrow.address, real_escrow.evm.now, review_by)
    except Refusal as refusal:
        return refusal
    return policy_id(policy)


def test_a_made_policy_is_within_bounds(real_escrow: Escrow) -> None:
    policy = make_policy()
    assert validated(policy, real_escrow, real_escrow.evm.now) == policy_id(policy)


def test_policy_ids_and_refusals_equal_the_contracts(real_escrow: Escrow) -> None:
    """A registration that is called, not sent, tells the id; a refused one tells the first bound that is broken."""
    now = real_escrow.evm.now

    @settings(max_examples=250, deadline=None)
    @given(some_policy, st.sampled_from((0, 366 * DAY)))
    def agree(policy: Policy, ahead: int) -> None:
        assert real_escrow.register(policy, now + ahead) == validated(policy, real_escrow, now + ahead)

    agree()


def test_policy_ids_equal_the_contracts_on_random_valid_policies(real_escrow: Escrow) -> None:
    @settings(max_examples=200, deadline=None)
    @given(valid_policy)
    def agree(policy: Policy) -> None:
        assert real_escrow.register(policy, real_escrow.evm.now + DAY) == policy_id(policy)

    agree()


def test_every_bound_of_a_policy_is_the_contracts(real_escrow: Escrow) -> None:
    now = real_escrow.evm.now
    refused = []
    for changes, review_by in [
        *(({name: value}, now + DAY) for name, values in BOUNDS.items() for value in values),
        ({"fee_receiver": real_escrow.address}, now + DAY),
        ({"mediator": real_escrow.address}, now + DAY),
        ({"backup_mediator": real_escrow.address}, now + DAY),
        ({"mediator": ZERO_ADDRESS, "mediate_window": 0, "mediation_fee_bps": 0}, now + DAY),
        ({"mediator": ZERO_ADDRESS, "backup_mediator": ZERO_ADDRESS, "mediate_window": 0}, now + DAY),
        ({}, now - 1),
        ({}, now),
        ({}, now + 366 * DAY),
        ({}, now + 366 * DAY + 1),
    ]:
        policy = make_policy(**changes)
        expected = validated(policy, real_escrow, review_by)
        assert real_escrow.register(policy, review_by) == expected
        if isinstance(expected, Refusal):
            refused.append(expected)
    assert {refusal.field for refusal in refused if isinstance(refusal, PolicyOutOfBounds)} == set(PolicyField)
    assert sum(isinstance(refusal, InvalidAddress) for refusal in refused) == 6


def test_the_first_broken_bound_is_told_with_its_limits() -> None:
    with pytest.raises(PolicyOutOfBounds) as caught:
        validate_policy(make_policy(accept_window=1, deliver_window=1), ADDRESSES[9], 0, 0)
    assert caught.value == PolicyOutOfBounds(PolicyField.AcceptWindow, 1, 300, 90 * DAY)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"platform": ADDRESSES[4].lower()}, WrongChecksum("platform", ADDRESSES[4].lower())),
        ({"accept_window": -1}, NumberOutOfRange("accept_window", -1, 0, 2**32 - 1)),
        ({"seller_bond_bps": 2**16}, NumberOutOfRange("seller_bond_bps", 2**16, 0, 2**16 - 1)),
        ({"effective_from": 2**40}, NumberOutOfRange("effective_from", 2**40, 0, 2**40 - 1)),
    ],
)
def test_what_the_contract_could_not_read_comes_first(changes: dict[str, Any], refusal: Malformed) -> None:
    with pytest.raises(Malformed) as caught:
        validate_policy(make_policy(**changes), ADDRESSES[9], 0, 0)
    assert caught.value == refusal


def test_a_review_moves_forward_and_at_most_a_year() -> None:
    now, current = 1_800_000_000, 1_800_000_000 + DAY
    for review_by in (current + 1, now + 366 * DAY):
        validate_review_by(review_by, now, current + 1)
    for review_by in (current, now + 366 * DAY + 1):
        with pytest.raises(PolicyOutOfBounds) as caught:
            validate_review_by(review_by, now, current + 1)
        assert caught.value == PolicyOutOfBounds(PolicyField.ReviewBy, review_by, current + 1, now + 366 * DAY)
