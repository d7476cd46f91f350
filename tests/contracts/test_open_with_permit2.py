"""Rows 1 and 2, paid with a Permit2 signature that has the order as witness and that anybody may bring."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.events import OrderOpened
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import (
    InvalidSignature,
    PullFailed,
    ReentrancyGuardReentrantCall,
    TokenHasNoCode,
    WrongAmountReceived,
    WrongState,
)
from kameng_escrow.domain.states import State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.payments import NO_OFFER, PERMIT2, unsigned
from tests.contracts.harness.world import DAY, MAX_UINT256, PRICE, WEALTH, reverts


@pytest.fixture
def opening(escrow, payments, payer, relayer):
    """`opening(order, signature, …)`: brought by a relayer, paid by a payer."""

    def run(order, signature, *, offer=NO_OFFER, paying=payer, nonce=0, deadline=None, sender=relayer):
        until = payments.deadline if deadline is None else deadline
        return escrow.openWithPermit2(order.terms, offer, paying, nonce, until, signature, sender=sender)

    return run


# --------------------------------------------------------------------------------------------------------- refusals


def test_open_with_permit2_reverts_for_an_id_that_was_opened_before(payments, opening, payer):
    order = payments.order()
    opening(order, payments.transfer(payer, order.terms))
    with reverts(WrongState(order.id, State.Opened, State.Nothing)):
        opening(order, payments.transfer(payer, order.terms, nonce=1), nonce=1)


def test_open_with_permit2_checks_an_offer_that_is_there(world, payments, opening, payer):
    order = payments.order()
    offer = world.offer(order)
    with reverts(InvalidSignature(order.terms.seller, world.offer_digest(order, offer))):
        opening(order, payments.transfer(payer, order.terms), offer=unsigned(offer))


def test_open_with_permit2_takes_no_native_coin(world, opening):
    with reverts(TokenHasNoCode(NATIVE)):
        opening(world.order(token=NATIVE), bytes(65))


def test_open_with_permit2_reverts_on_a_chain_without_it(world, payments, opening, payer):
    world.evm.set_code(PERMIT2, b"")
    order = payments.order()
    with reverts(TokenHasNoCode(PERMIT2)):
        opening(order, payments.transfer(payer, order.terms))


@pytest.mark.parametrize(
    "change",
    [
        lambda payments, order: {"permitted": {"token": order.terms.token, "amount": PRICE - 1}},
        lambda payments, order: {"permitted": {"token": order.terms.token, "amount": PRICE + 1}},
        lambda payments, order: {"permitted": {"token": payments.world.token.address, "amount": PRICE}},
        lambda payments, order: {"spender": order.terms.seller},
        lambda payments, order: {"nonce": 1},
        lambda payments, order: {"deadline": payments.deadline + 1},
    ],
    ids=["less", "more", "token", "spender", "nonce", "deadline"],
)
def test_open_with_permit2_reverts_for_another_transfer_than_signed(payments, opening, payer, change):
    order = payments.order()
    with reverts(PullFailed(payments.token.address, payer, PRICE)):
        opening(order, payments.transfer(payer, order.terms, **change(payments, order)))


def test_open_with_permit2_reverts_for_other_terms_than_signed(payments, opening, payer):
    """Whatever a relayer changes of the terms is another order."""
    order = payments.order()
    signature = payments.transfer(payer, order.terms)
    changes = {
        "buyer": order.terms.pay_to,
        "refund_to": order.terms.pay_to,
        "seller": order.terms.pay_to,
        "pay_to": order.terms.refund_to,
        "units": order.terms.units + 1,
        "policy_id": payments.world.policy_id(payments.world.make_policy(platform_fee_bps=1)),
        "listing": "0x" + "99" * 32,
        "open_by": order.terms.open_by + 1,
        "salt": "0x" + "99" * 32,
    }
    for name, value in changes.items():
        with reverts(PullFailed(payments.token.address, payer, PRICE)):
            opening(replace(order, terms=replace(order.terms, **{name: value})), signature)


@pytest.mark.parametrize("name", ["buyer", "stranger", "relayer"])
def test_open_with_permit2_reverts_where_another_than_the_payer_signed(payments, opening, payer, request, name):
    order = payments.order()
    signature = payments.transfer(payer, order.terms, signer=request.getfixturevalue(name))
    with reverts(PullFailed(payments.token.address, payer, PRICE)):
        opening(order, signature)


def test_open_with_permit2_reverts_for_a_nonce_that_was_used(payments, opening, payer):
    first, second = payments.order(), payments.order()
    opening(first, payments.transfer(payer, first.terms))
    with reverts(PullFailed(payments.token.address, payer, PRICE)):
        opening(second, payments.transfer(payer, second.terms))


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_open_with_permit2_respects_its_deadline(payments, opening, payer, warp, late):
    end = payments.deadline
    order = payments.order(open_by=end + DAY)
    signature = payments.transfer(payer, order.terms)
    warp(end + late)
    if late <= 0:
        opening(order, signature, deadline=end)
        assert order.status.state == State.Opened
    else:
        with reverts(PullFailed(payments.token.address, payer, PRICE)):
            opening(order, signature, deadline=end)


def test_open_with_permit2_reverts_where_permit2_may_not_move_the_token(payments, opening, payer):
    payments.token.approve(PERMIT2, 0, sender=payer)
    order = payments.order()
    with reverts(PullFailed(payments.token.address, payer, PRICE)):
        opening(order, payments.transfer(payer, order.terms))


# ------------------------------------------------------------------------------------------------- tokens as they are


@pytest.fixture
def moody(world, payments, compiled, payer):
    token = deploy(world.evm, compiled("MoodyToken"), sender=CAST["stranger"])
    token.mint(payer, WEALTH, sender=payer)
    token.approve(PERMIT2, MAX_UINT256, sender=payer)
    return token


def test_open_with_permit2_refuses_a_fee_on_transfer(world, payments, moody, opening, payer):
    order = world.order(token=moody.address)
    moody.setMoods(6, 0, sender=payer)  # Skimming
    with reverts(WrongAmountReceived(moody.address, PRICE - PRICE // 100, PRICE)):
        opening(order, payments.transfer(payer, order.terms))


def test_open_with_permit2_refuses_a_token_that_pretends(world, payments, moody, opening, payer):
    order = world.order(token=moody.address)
    moody.setMoods(5, 0, sender=payer)  # Pretending
    with reverts(WrongAmountReceived(moody.address, 0, PRICE)):
        opening(order, payments.transfer(payer, order.terms))


def test_open_with_permit2_holds_the_lock_while_it_pulls(world, payments, opening, compiled, escrow, payer, stranger):
    token = deploy(world.evm, compiled("ReenteringToken"), sender=stranger)
    token.mint(payer, WEALTH, sender=payer)
    token.approve(PERMIT2, MAX_UINT256, sender=payer)
    order, other = world.order(token=token.address), world.order(token=token.address)
    token.aim(escrow.address, escrow.data("open", other.terms), sender=stranger)
    opening(order, payments.transfer(payer, order.terms))
    assert token.called()
    assert not token.succeeded()
    assert bytes(token.answer()) == ReentrancyGuardReentrantCall.selector()


# -------------------------------------------------------------------------------------------------------- successes


def test_open_with_permit2_takes_exactly_the_price_of_the_payer(world, payments, opening, payer):
    order = payments.order()
    with world.moves(payments.token.address, {"payer": -PRICE, "escrow": PRICE}):
        receipt = opening(order, payments.transfer(payer, order.terms, nonce=2**255 + 7), nonce=2**255 + 7)
    assert world.escrow.events(receipt) == [
        OrderOpened(order_id=order.id, terms=order.terms, payer=payer, state=State.Opened)
    ]
    assert order.status.deadline == world.evm.now + order.policy.accept_window


def test_open_with_permit2_and_offer_starts_accepted(world, payments, opening, payer):
    order = payments.order()
    moved = {"payer": -PRICE, "escrow": PRICE, "bond of seller": -order.sums.B}
    with world.moves(payments.token.address, moved):
        opening(order, payments.transfer(payer, order.terms), offer=world.offer(order))
    assert order.status.state == State.Accepted


def test_open_with_permit2_takes_a_smart_wallets_signature(world, payments, opening, compiled, payer, stranger):
    wallet = deploy(world.evm, compiled("Wallet"), payer, sender=stranger)
    payments.token.mint(wallet.address, WEALTH, sender=stranger)
    approve = payments.token.data("approve", PERMIT2, MAX_UINT256)
    wallet.execute(payments.token.address, 0, approve, sender=payer)
    world.names[wallet.address] = "wallet"
    order = payments.order()
    with world.moves(payments.token.address, {"wallet": -PRICE, "escrow": PRICE}):
        opening(order, payments.transfer(wallet.address, order.terms, signer=payer), paying=wallet.address)
