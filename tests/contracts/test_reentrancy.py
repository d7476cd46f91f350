"""Tokens and receivers that call back while money moves get nowhere, and hold up nothing."""

import pytest

from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import NothingToPay, NotPossible, ReentrancyGuardReentrantCall
from kameng_escrow.domain.reverts import decode_refusal
from kameng_escrow.domain.states import Role, State, Verb
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.world import GROUNDS, PRICE

BOND = 5_000  # base units


@pytest.fixture
def reentering(world, compiled, escrow):
    """A token that calls on in the middle of its transfers. It has a bond balance and a credit of its own, in the
    native coin, and so could ask for them."""
    token = deploy(world.evm, compiled("ReenteringToken"), sender=CAST["stranger"])
    world.enrich(token)
    order = world.opened(refund_to=token.address)
    escrow.cancel(order.terms, State.Opened, sender=order.terms.buyer)
    assert escrow.creditOf(token.address, NATIVE) == PRICE  # it takes no coins
    escrow.fundBond(token.address, NATIVE, BOND, sender=CAST["payer"], value=BOND)
    return token


def signed(world, order, verb, role, signer, **fields):
    """The calldata of an action that anyone, a token included, may relay."""
    action = world.action(order, verb, role, signer, **fields)
    return world.escrow.data("act", order.terms, action, world.sign_action(order, action))


def temptations(world, token):
    """Everything that moves money, ready to succeed if it were not for the lock. By name: the calldata."""
    escrow, buyer, seller = world.escrow, CAST["buyer"], CAST["seller"]
    no_bond = world.make_policy(dispute_bond_bps=0, mediation_fee_bps=0)
    due = world.opened(policy=world.make_policy(accept_window=300))
    earned = world.delivered()
    escrow.confirm(earned.terms, State.Delivered, sender=buyer)
    ruled = world.disputed(policy=world.make_policy(mediator=token.address, negotiate_window=3_600))
    intervened = world.opened()
    split_order = world.opened()
    split = world.split(split_order, 1, expiry=ruled.mediation + 1)
    both = [world.sign_split(split_order, split, party) for party in (buyer, seller)]
    expiry = {"expiry": ruled.mediation + 1}
    long = world.make_policy(accept_window=7_200, deliver_window=7_200)
    calls = {
        "open": escrow.data("open", world.make_terms(token=world.token.address)),
        "fundBond": escrow.data("fundBond", seller, world.token.address, 1),
        "settle": escrow.data("settle", due.terms),
        "settleMany": escrow.data("settleMany", [due.terms]),
        "payCredit": escrow.data("payCredit", token.address, NATIVE),
        "withdrawCredit": escrow.data("withdrawCredit", NATIVE, CAST["stranger"]),
        "withdrawBond": escrow.data("withdrawBond", NATIVE, BOND, CAST["stranger"]),
        "claimFees": escrow.data("claimFees", earned.terms.policy_id, NATIVE),
        "rule": escrow.data("rule", ruled.terms, 0, GROUNDS),
        "agree": escrow.data("agree", split_order.terms, split, *both),
        "confirm": signed(world, world.delivered(), Verb.Confirm, Role.Buyer, buyer, **expiry),
        "cancel": signed(world, intervened, Verb.Cancel, Role.Buyer, buyer, **expiry),
        "decline": signed(world, world.accepted(policy=long), Verb.Decline, Role.Seller, seller, **expiry),
        "refund": signed(world, world.delivered(), Verb.Refund, Role.Seller, seller, **expiry),
        "dispute": signed(world, world.delivered(policy=no_bond), Verb.Dispute, Role.Buyer, buyer, number=1, **expiry),
        "concede": signed(world, ruled, Verb.Concede, Role.Seller, seller, **expiry),
    }
    world.token.mint(token.address, 2 * PRICE, sender=buyer)
    world.token.approve(escrow.address, 2 * PRICE, sender=token.address)
    world.warp(ruled.mediation)
    return calls


FOR_ANYONE = ["open", "fundBond", "settle", "settleMany", "payCredit", "claimFees", "agree"]
FOR_THE_TOKEN = ["withdrawCredit", "withdrawBond", "rule"]
SIGNED = ["confirm", "cancel", "decline", "refund", "dispute", "concede"]
MOVING = FOR_ANYONE + FOR_THE_TOKEN + SIGNED


@pytest.mark.parametrize("name", MOVING)
def test_a_token_can_not_move_money_while_it_is_paid_in(escrow, world, reentering, buyer, name):
    data = temptations(world, reentering)[name]
    order = world.order(token=reentering.address)
    reentering.aim(escrow.address, data, sender=buyer)
    with world.moves(reentering.address, {"buyer": -PRICE, "escrow": PRICE}):
        escrow.open(order.terms, sender=buyer)
    assert reentering.called()
    assert not reentering.succeeded()
    assert decode_refusal(reentering.answer()) == ReentrancyGuardReentrantCall()


@pytest.mark.parametrize("name", MOVING)
def test_a_token_can_not_move_money_while_it_is_paid_out(escrow, world, reentering, opened, buyer, name):
    order = opened(token=reentering.address)
    data = temptations(world, reentering)[name]
    reentering.aim(escrow.address, data, sender=buyer)
    with world.moves(reentering.address, {"escrow": -PRICE, "refund_to": PRICE}):
        escrow.cancel(order.terms, State.Opened, sender=buyer)
    assert reentering.called()
    assert not reentering.succeeded()
    assert decode_refusal(reentering.answer()) == ReentrancyGuardReentrantCall()


@pytest.mark.parametrize("name", MOVING)
def test_those_temptations_are_real(escrow, world, reentering, evm, name):
    """Without the lock each would go through: called by the token outside of any payment, it does."""
    data = temptations(world, reentering)[name]
    if name == "payCredit":
        evm.set_code(reentering.address, b"")  # as an account that takes coins
    evm.transact(sender=reentering.address, to=escrow.address, data=data)


def test_a_token_can_not_settle_the_order_that_it_settles(escrow, world, reentering, opened, keeper, warp):
    order = opened(token=reentering.address)
    warp(order.deadline)
    reentering.aim(escrow.address, escrow.data("settle", order.terms), sender=keeper)
    with world.moves(reentering.address, {"escrow": -PRICE, "refund_to": PRICE}):
        escrow.settle(order.terms, sender=keeper)
    assert decode_refusal(reentering.answer()) == NotPossible(order.id, State.Closed)


def test_a_token_may_do_what_moves_no_money(escrow, world, reentering, opened, buyer, seller):
    """The books are complete before anything is transferred, so there is nothing to find half done."""
    other = opened()
    world.fund_bond(other)
    reentering.aim(escrow.address, signed(world, other, Verb.Accept, Role.Seller, seller), sender=buyer)
    order = world.order(token=reentering.address)
    with world.moves(reentering.address, {"buyer": -PRICE, "escrow": PRICE}):
        escrow.open(order.terms, sender=buyer)
    assert reentering.succeeded()
    assert other.status.state == State.Accepted
    assert order.status.state == State.Opened


@pytest.fixture
def receiver(world, compiled):
    contract = deploy(world.evm, compiled("Receiver"), sender=CAST["stranger"])
    world.names[contract.address] = "receiver"
    return contract


@pytest.mark.parametrize("name", ["payCredit", "withdrawCredit", "withdrawBond", "claimFees"])
def test_a_receiver_can_not_move_money_while_it_is_paid(escrow, world, opened, delivered, receiver, buyer, name):
    earned = delivered()
    escrow.confirm(earned.terms, State.Delivered, sender=buyer)
    receiver.setMood(1, sender=buyer)  # refuses, and so has a credit
    owed = opened(refund_to=receiver.address)
    escrow.cancel(owed.terms, State.Opened, sender=buyer)
    escrow.fundBond(receiver.address, NATIVE, BOND, sender=buyer, value=BOND)
    data = {
        "payCredit": escrow.data("payCredit", receiver.address, NATIVE),
        "withdrawCredit": escrow.data("withdrawCredit", NATIVE, CAST["stranger"]),
        "withdrawBond": escrow.data("withdrawBond", NATIVE, BOND, CAST["stranger"]),
        "claimFees": escrow.data("claimFees", earned.terms.policy_id, NATIVE),
    }[name]
    order = opened(refund_to=receiver.address)
    receiver.aim(escrow.address, data, sender=buyer)
    with world.moves(NATIVE, {"escrow": -PRICE, "receiver": PRICE}):
        escrow.cancel(order.terms, State.Opened, sender=buyer)
    assert receiver.called()
    assert not receiver.succeeded()
    assert receiver.reason() == ReentrancyGuardReentrantCall.selector()


def test_a_receiver_can_not_take_its_credit_twice(escrow, world, opened, receiver, buyer):
    receiver.setMood(1, sender=buyer)
    owed = opened(refund_to=receiver.address)
    escrow.cancel(owed.terms, State.Opened, sender=buyer)
    receiver.aim(escrow.address, escrow.data("payCredit", receiver.address, NATIVE), sender=buyer)
    with world.moves(NATIVE, {"escrow": -PRICE, "receiver": PRICE, "credit of receiver": -PRICE}):
        escrow.payCredit(receiver.address, NATIVE, sender=buyer)
    assert not receiver.succeeded()
    assert receiver.reason() == NothingToPay.selector()


def test_a_receiver_can_not_end_its_order_twice(escrow, world, opened, receiver, keeper, warp):
    order = opened(refund_to=receiver.address)
    receiver.aim(escrow.address, escrow.data("settle", order.terms), sender=keeper)
    warp(order.deadline)
    with world.moves(NATIVE, {"escrow": -PRICE, "receiver": PRICE}):
        escrow.settle(order.terms, sender=keeper)
    assert receiver.called()
    assert not receiver.succeeded()
    assert receiver.reason() == NotPossible.selector()
