"""Platform fees: accrued per policy and coin, paid to the fee receiver at anyone's bidding."""

import pytest

from kameng_escrow.domain.events import Credited, FeesClaimed
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import NothingToPay, PolicyUnknown
from kameng_escrow.domain.states import State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.world import EVIDENCE, POLICY, reverts

UNKNOWN = "0x" + "77" * 32


@pytest.fixture
def earned(escrow, delivered, buyer):
    """`earned(…)`: a confirmed order, and the fee on it."""

    def make(**overrides):
        order = delivered(**overrides)
        escrow.confirm(order.terms, State.Delivered, sender=buyer)
        return order, order.sums.f(order.sums.P)

    return make


# --------------------------------------------------------------------------------------------------------- refusals


def test_claim_fees_reverts_for_an_unknown_policy(escrow, coin, platform):
    with reverts(PolicyUnknown(UNKNOWN)):
        escrow.claimFees(UNKNOWN, coin, sender=platform)


def test_claim_fees_reverts_where_nothing_accrued(escrow, make_policy, world, coin, platform):
    policy_id = world.policy_id(make_policy())
    with reverts(NothingToPay()):
        escrow.claimFees(policy_id, coin, sender=platform)


def test_claim_fees_reverts_the_second_time(escrow, earned, coin, keeper):
    order, _ = earned(token=coin)
    escrow.claimFees(order.terms.policy_id, coin, sender=keeper)
    with reverts(NothingToPay()):
        escrow.claimFees(order.terms.policy_id, coin, sender=keeper)


# -------------------------------------------------------------------------------------------------------- successes


@pytest.mark.parametrize("name", ["platform", "fee_receiver", "stranger"])
def test_claim_fees_pays_the_fee_receiver_at_anyones_bidding(escrow, world, earned, coin, name, request):
    order, fee = earned(token=coin)
    earned(token=coin)
    assert escrow.feesOf(order.terms.policy_id, coin) == 2 * fee
    with world.moves(coin, {"escrow": -2 * fee, "fee_receiver": 2 * fee, "fees": -2 * fee}):
        escrow.claimFees(order.terms.policy_id, coin, sender=request.getfixturevalue(name))


def test_fees_of_policies_and_coins_are_kept_apart(escrow, world, earned, token, make_policy, keeper):
    cheap, dear = make_policy(platform_fee_bps=10), make_policy(platform_fee_bps=1_000)
    fees = {}
    for policy in (cheap, dear):
        for coin in (NATIVE, token.address):
            _, fees[world.policy_id(policy), coin] = earned(policy=policy, token=coin)
    assert {key: escrow.feesOf(*key) for key in fees} == fees
    key = world.policy_id(dear), token.address
    escrow.claimFees(*key, sender=keeper)
    fees[key] = 0
    assert {key: escrow.feesOf(*key) for key in fees} == fees


def test_fees_of_a_dispute_accrue_with_the_undisputed_units_and_the_end(escrow, delivered, coin, world, buyer):
    order = delivered(token=coin)
    order.k = 3
    sums = order.sums
    escrow.dispute(order.terms, 3, EVIDENCE, sender=buyer, value=world.value(order.terms, sums.E))
    assert escrow.feesOf(order.terms.policy_id, coin) == sums.f(sums.U)
    escrow.confirm(order.terms, State.Disputed, sender=buyer)
    assert escrow.feesOf(order.terms.policy_id, coin) == sums.f(sums.U) + sums.f(sums.D)


def test_fees_are_claimed_under_a_retired_policy(escrow, world, earned, platform, keeper):
    order, fee = earned()
    escrow.retirePolicy(order.terms.policy_id, sender=platform)
    with world.moves(NATIVE, {"escrow": -fee, "fee_receiver": fee, "fees": -fee}):
        escrow.claimFees(order.terms.policy_id, NATIVE, sender=keeper)


def test_a_fee_receiver_that_refuses_is_credited(escrow, world, compiled, earned, make_policy, keeper):
    receiver = deploy(world.evm, compiled("Receiver"), sender=keeper)
    receiver.setMood(1, sender=keeper)
    world.names[receiver.address] = "receiver"
    order, fee = earned(policy=make_policy(fee_receiver=receiver.address))
    with world.moves(NATIVE, {"fees": -fee, "credit of receiver": fee}):
        receipt = escrow.claimFees(order.terms.policy_id, NATIVE, sender=keeper)
    assert escrow.events(receipt) == [
        FeesClaimed(policy_id=order.terms.policy_id, token=NATIVE, receiver=receiver.address, amount=fee),
        Credited(account=receiver.address, token=NATIVE, amount=fee),
    ]


# ----------------------------------------------------------------------------------------------------------- events


def test_claim_fees_logs_the_payment(escrow, earned, coin, keeper, fee_receiver):
    order, fee = earned(token=coin)
    receipt = escrow.claimFees(order.terms.policy_id, coin, sender=keeper)
    assert order.policy == POLICY
    assert escrow.events(receipt) == [
        FeesClaimed(policy_id=order.terms.policy_id, token=coin, receiver=fee_receiver, amount=fee)
    ]
