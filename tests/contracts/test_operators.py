"""What sellers let others do for them, and where operators may let the money go."""

import pytest

from kameng_escrow.domain.events import OperatorSet, PayToRegistered
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import (
    BondShort,
    Expired,
    InvalidAddress,
    InvalidSignature,
    NoRight,
    PayToNotRegistered,
    PriceAboveGrant,
    Unauthorized,
    UnknownRights,
)
from kameng_escrow.domain.signed import OperatorGrant
from kameng_escrow.domain.states import Right, Role, State
from tests.contracts.harness.world import COMMITMENT, PRICE, reverts

POLICY_ID = "0x" + "77" * 32
NONE = OperatorGrant(rights=0, expiry=0, max_price=0)

# Everything that an operator can do, with the right that it takes and a state for it.
VERBS = {
    "accept": (State.Opened, Right.Accept, ()),
    "deliver": (State.Accepted, Right.Deliver, (COMMITMENT,)),
    "decline": (State.Accepted, Right.Decline, (State.Accepted,)),
    "refund": (State.Delivered, Right.Refund, (State.Delivered,)),
    "concede": (State.Disputed, Right.Refund, (Role.Operator,)),
    "recommit": (State.Disputed, Right.Deliver, (0, COMMITMENT)),
}


@pytest.fixture(params=VERBS)
def attempt(request, world):
    """An order in a state for it, the right that it takes, and the operator's attempt."""
    state, right, arguments = VERBS[request.param]
    order = world.in_state(state)
    world.fund_bond(order)
    if request.param == "concede":
        world.warp(order.mediation)

    def act(sender):
        getattr(world.escrow, request.param)(order.terms, *arguments, sender=sender)

    return order, right, act


# --------------------------------------------------------------------------------------------------------- refusals


def test_register_pay_to_reverts_for_nobody_and_the_escrow(escrow, seller):
    for nobody in (NATIVE, escrow.address):
        with reverts(InvalidAddress(nobody)):
            escrow.registerPayTo(nobody, sender=seller)


def test_set_operator_reverts_for_nobody(escrow, seller):
    with reverts(InvalidAddress(NATIVE)):
        escrow.setOperator(NATIVE, NATIVE, POLICY_ID, NONE, sender=seller)


@pytest.mark.parametrize("rights", [16, 17, 128, 255])
def test_set_operator_reverts_for_rights_that_do_not_exist(escrow, seller, operator, rights):
    with reverts(UnknownRights(rights, 15)):
        escrow.setOperator(
            operator, NATIVE, POLICY_ID, OperatorGrant(rights=rights, expiry=1, max_price=1), sender=seller
        )


def test_operators_need_the_very_right(world, attempt, operator):
    order, right, act = attempt
    with reverts(NoRight(operator, right)):
        act(operator)
    world.grant(order.terms, sum(Right) - right)
    with reverts(NoRight(operator, right)):
        act(operator)


def test_operators_rights_end_at_the_expiry(world, attempt, operator, warp):
    order, right, act = attempt
    expiry = world.evm.now + 60
    world.grant(order.terms, right, expiry=expiry)
    for late in (0, 1):
        warp(expiry + late)
        with reverts(Expired(world.evm.now, expiry)):
            act(operator)


def test_operators_act_up_to_their_largest_price(world, attempt, operator):
    order, right, act = attempt
    world.grant(order.terms, right, max_price=PRICE - 1)
    with reverts(PriceAboveGrant(PRICE, PRICE - 1)):
        act(operator)
    world.grant(order.terms, right, max_price=PRICE)
    act(operator)


def test_operators_act_only_where_the_money_goes_to_the_registered_address(escrow, world, attempt, seller, operator):
    order, right, act = attempt
    world.grant(order.terms, right)
    escrow.registerPayTo(operator, sender=seller)
    with reverts(PayToNotRegistered(order.terms.pay_to, operator)):
        act(operator)
    escrow.registerPayTo(order.terms.pay_to, sender=seller)
    act(operator)


def test_operators_act_only_for_that_seller_token_and_policy(escrow, world, opened, token, seller, stranger, operator):
    order = opened(pay_to=seller)
    terms = order.terms
    grant = OperatorGrant(rights=15, expiry=world.evm.now + 60, max_price=PRICE)
    escrow.setOperator(operator, terms.token, terms.policy_id, grant, sender=stranger)
    escrow.setOperator(operator, token.address, terms.policy_id, grant, sender=seller)
    escrow.setOperator(operator, terms.token, POLICY_ID, grant, sender=seller)
    escrow.setOperator(stranger, terms.token, terms.policy_id, grant, sender=seller)
    with reverts(NoRight(operator, Right.Accept)):
        escrow.accept(terms, sender=operator)


def test_operators_guards_come_in_order(escrow, world, opened, seller, operator):
    order = opened()
    terms, now = order.terms, world.evm.now
    for grant, refusal in (
        (OperatorGrant(rights=14, expiry=now, max_price=0), NoRight(operator, Right.Accept)),
        (OperatorGrant(rights=15, expiry=now, max_price=0), Expired(now, now)),
        (OperatorGrant(rights=15, expiry=now + 1, max_price=0), PriceAboveGrant(PRICE, 0)),
        (OperatorGrant(rights=15, expiry=now + 1, max_price=PRICE), PayToNotRegistered(terms.pay_to, seller)),
    ):
        escrow.setOperator(operator, terms.token, terms.policy_id, grant, sender=seller)
        with reverts(refusal):
            escrow.accept(terms, sender=operator)


def test_operators_neither_agree_nor_revise_nor_withdraw(escrow, world, accepted, buyer, seller, operator):
    order = accepted()
    world.grant(order.terms, sum(Right))
    split = world.split(order, 1)
    signatures = [world.sign_split(order, split, buyer), world.sign_split(order, split, operator)]
    with reverts(InvalidSignature(seller, world.split_digest(order, split))):
        escrow.agree(order.terms, split, *signatures, sender=operator)
    with reverts(Unauthorized(operator, seller)):
        escrow.revise(order.terms, 0, sender=operator)
    with reverts(BondShort(operator, NATIVE, 0, 1)):
        escrow.withdrawBond(NATIVE, 1, operator, sender=operator)


# -------------------------------------------------------------------------------------------------------- successes


def test_operators_act_with_the_one_right_until_the_second_before_the_expiry(world, attempt, operator, warp):
    order, right, act = attempt
    expiry = world.evm.now + 60
    world.grant(order.terms, right, expiry=expiry)
    warp(expiry - 1)
    state = order.status.state, order.status.revision
    act(operator)
    assert (order.status.state, order.status.revision) != state


def test_set_operator_takes_rights_away(escrow, world, attempt, seller, operator):
    order, right, act = attempt
    world.grant(order.terms, sum(Right))
    escrow.setOperator(operator, order.terms.token, order.terms.policy_id, NONE, sender=seller)
    with reverts(NoRight(operator, right)):
        act(operator)


def test_set_operator_keeps_what_was_granted_last(escrow, seller, operator):
    assert escrow.operatorOf(seller, operator, NATIVE, POLICY_ID) == NONE
    for rights in (15, 1, 0, 8):
        grant = OperatorGrant(rights=rights, expiry=2**40 - 1, max_price=2**128 - 1)
        escrow.setOperator(operator, NATIVE, POLICY_ID, grant, sender=seller)
        assert escrow.operatorOf(seller, operator, NATIVE, POLICY_ID) == grant


def test_pay_to_is_the_seller_until_another_is_registered(escrow, seller, pay_to):
    assert escrow.payToOf(seller) == seller
    escrow.registerPayTo(pay_to, sender=seller)
    assert escrow.payToOf(seller) == pay_to
    escrow.registerPayTo(seller, sender=seller)
    assert escrow.payToOf(seller) == seller


def test_operators_act_for_a_seller_that_registered_nothing(escrow, world, opened, seller, operator):
    order = opened(pay_to=seller)
    world.fund_bond(order)
    grant = OperatorGrant(rights=Right.Accept, expiry=world.evm.now + 1, max_price=PRICE)
    escrow.setOperator(operator, order.terms.token, order.terms.policy_id, grant, sender=seller)
    escrow.accept(order.terms, sender=operator)
    assert order.status.state == State.Accepted


# ----------------------------------------------------------------------------------------------------------- events


def test_register_pay_to_logs_the_address(escrow, seller, pay_to):
    receipt = escrow.registerPayTo(pay_to, sender=seller)
    assert escrow.events(receipt) == [PayToRegistered(seller=seller, pay_to=pay_to)]


def test_set_operator_logs_the_grant(escrow, token, seller, operator):
    grant = OperatorGrant(rights=9, expiry=123, max_price=456)
    receipt = escrow.setOperator(operator, token.address, POLICY_ID, grant, sender=seller)
    assert escrow.events(receipt) == [
        OperatorSet(
            seller=seller,
            operator=operator,
            token=token.address,
            policy_id=POLICY_ID,
            rights=9,
            expiry=123,
            max_price=456,
        )
    ]
