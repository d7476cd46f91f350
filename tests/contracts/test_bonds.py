"""Sellers' bond balances: funded by anyone, locked by orders, withdrawn by the seller."""

import pytest

from kameng_escrow.domain.events import BondFunded, BondWithdrawn
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import (
    BondShort,
    InvalidAddress,
    NothingToPay,
    PullFailed,
    PushFailed,
    TokenHasNoCode,
    WrongValue,
)
from kameng_escrow.domain.states import State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.world import reverts

AMOUNT = 1_000


def fund(escrow, coin, seller, sender, amount=AMOUNT):
    return escrow.fundBond(seller, coin, amount, sender=sender, value=amount if coin == NATIVE else 0)


# ------------------------------------------------------------------------------------------------- refusals: funding


def test_fund_bond_reverts_for_nobody(escrow, coin, payer):
    with reverts(InvalidAddress(NATIVE)):
        fund(escrow, coin, NATIVE, payer)


def test_fund_bond_reverts_for_nothing(escrow, coin, seller, payer):
    with reverts(NothingToPay()):
        fund(escrow, coin, seller, payer, 0)


@pytest.mark.parametrize("value", [0, AMOUNT - 1, AMOUNT + 1])
def test_fund_bond_reverts_for_another_value_than_the_amount(escrow, seller, payer, value):
    with reverts(WrongValue(value, AMOUNT)):
        escrow.fundBond(seller, NATIVE, AMOUNT, sender=payer, value=value)


def test_fund_bond_reverts_for_value_beside_a_token(escrow, token, seller, payer):
    with reverts(WrongValue(1, 0)):
        escrow.fundBond(seller, token.address, AMOUNT, sender=payer, value=1)


def test_fund_bond_reverts_for_a_token_without_code(escrow, seller, payer, stranger):
    with reverts(TokenHasNoCode(stranger)):
        escrow.fundBond(seller, stranger, AMOUNT, sender=payer)


def test_fund_bond_reverts_where_the_payer_allows_too_little(escrow, token, seller, payer):
    token.approve(escrow.address, AMOUNT - 1, sender=payer)
    with reverts(PullFailed(token.address, payer, AMOUNT)):
        escrow.fundBond(seller, token.address, AMOUNT, sender=payer)


# --------------------------------------------------------------------------------------------- refusals: withdrawing


def test_withdraw_bond_reverts_for_nobody_the_escrow_and_the_token(escrow, coin, seller):
    fund(escrow, coin, seller, seller)
    for nobody in (NATIVE, escrow.address, coin):
        with reverts(InvalidAddress(nobody)):
            escrow.withdrawBond(coin, AMOUNT, nobody, sender=seller)


def test_withdraw_bond_reverts_for_nothing(escrow, coin, seller):
    fund(escrow, coin, seller, seller)
    with reverts(NothingToPay()):
        escrow.withdrawBond(coin, 0, seller, sender=seller)


def test_withdraw_bond_reverts_for_more_than_there_is(escrow, coin, seller):
    with reverts(BondShort(seller, coin, 0, 1)):
        escrow.withdrawBond(coin, 1, seller, sender=seller)
    fund(escrow, coin, seller, seller)
    for above in (AMOUNT + 1, 2**256 - 1):
        with reverts(BondShort(seller, coin, AMOUNT, above)):
            escrow.withdrawBond(coin, above, seller, sender=seller)


@pytest.mark.parametrize("name", ["payer", "buyer", "operator", "pay_to", "platform"])
def test_withdraw_bond_reverts_for_everybody_but_the_seller(escrow, coin, seller, payer, name, request):
    """Who funded it does not get it back."""
    fund(escrow, coin, seller, payer)
    other = request.getfixturevalue(name)
    with reverts(BondShort(other, coin, 0, AMOUNT)):
        escrow.withdrawBond(coin, AMOUNT, other, sender=other)


def test_withdraw_bond_reverts_for_what_an_order_locks(escrow, world, accepted, coin, seller):
    order = accepted(token=coin)
    fund(escrow, coin, seller, seller)
    with reverts(BondShort(seller, coin, AMOUNT, AMOUNT + 1)):
        escrow.withdrawBond(coin, AMOUNT + 1, seller, sender=seller)
    assert order.sums.B > AMOUNT


def test_withdraw_bond_reverts_where_the_receiver_refuses(escrow, world, compiled, seller):
    receiver = deploy(world.evm, compiled("Receiver"), sender=seller)
    receiver.setMood(1, sender=seller)
    fund(escrow, NATIVE, seller, seller)
    with reverts(PushFailed(NATIVE, receiver.address, AMOUNT)):
        escrow.withdrawBond(NATIVE, AMOUNT, receiver.address, sender=seller)
    assert escrow.bondOf(seller, NATIVE) == AMOUNT


def test_withdraw_bond_reverts_where_the_token_refuses(escrow, world, compiled, seller, platform, stranger):
    token = deploy(world.evm, compiled("BlockingToken"), "Blocking", "B", 6, sender=platform)
    world.enrich(token)
    fund(escrow, token.address, seller, seller)
    token.setBlocked(stranger, True, sender=platform)
    with reverts(PushFailed(token.address, stranger, AMOUNT)):
        escrow.withdrawBond(token.address, AMOUNT, stranger, sender=seller)


def test_withdraw_bond_checks_its_guards_in_order(escrow, seller):
    with reverts(InvalidAddress(escrow.address)):
        escrow.withdrawBond(NATIVE, 0, escrow.address, sender=seller)
    with reverts(NothingToPay()):
        escrow.withdrawBond(NATIVE, 0, seller, sender=seller)


# -------------------------------------------------------------------------------------------------------- successes


def test_fund_bond_adds_what_anyone_pays(escrow, world, coin, seller, payer):
    with world.moves(coin, {"payer": -AMOUNT, "escrow": AMOUNT, "bond of seller": AMOUNT}):
        fund(escrow, coin, seller, payer)
    with world.moves(coin, {"seller": -AMOUNT, "escrow": AMOUNT, "bond of seller": AMOUNT}):
        fund(escrow, coin, seller, seller)
    assert escrow.bondOf(seller, coin) == 2 * AMOUNT


def test_fund_bond_keeps_coins_apart(escrow, token, seller):
    fund(escrow, NATIVE, seller, seller, 5)
    fund(escrow, token.address, seller, seller, 7)
    assert (escrow.bondOf(seller, NATIVE), escrow.bondOf(seller, token.address)) == (5, 7)


def test_withdraw_bond_pays_wherever_the_seller_says(escrow, world, coin, seller, stranger):
    fund(escrow, coin, seller, seller)
    with world.moves(coin, {"escrow": -1, "bond of seller": -1, "stranger": 1}):
        escrow.withdrawBond(coin, 1, stranger, sender=seller)
    with world.moves(coin, {"escrow": 1 - AMOUNT, "bond of seller": 1 - AMOUNT, "seller": AMOUNT - 1}):
        escrow.withdrawBond(coin, AMOUNT - 1, seller, sender=seller)


def test_a_bond_serves_one_order_after_another(escrow, world, opened, coin, buyer, seller):
    order = opened(token=coin)
    world.fund_bond(order)
    escrow.accept(order.terms, sender=seller)
    second = opened(token=coin)
    with reverts(BondShort(seller, coin, 0, order.sums.B)):
        escrow.accept(second.terms, sender=seller)
    escrow.confirm(order.terms, State.Accepted, sender=buyer)
    escrow.accept(second.terms, sender=seller)
    assert escrow.bondOf(seller, coin) == 0


def test_payouts_never_feed_the_bond_balance(escrow, world, delivered, coin, buyer, seller):
    order = delivered(token=coin, pay_to=seller)
    P, B, f = order.sums.P, order.sums.B, order.sums.f
    with world.moves(coin, {"escrow": -(P - f(P)), "seller": P - f(P), "fees": f(P), "bond of seller": B}):
        escrow.confirm(order.terms, State.Delivered, sender=buyer)


# ----------------------------------------------------------------------------------------------------------- events


def test_fund_bond_logs_who_paid(escrow, coin, seller, payer):
    receipt = fund(escrow, coin, seller, payer)
    assert escrow.events(receipt) == [BondFunded(seller=seller, token=coin, sender=payer, amount=AMOUNT)]


def test_withdraw_bond_logs_where_it_went(escrow, coin, seller, stranger):
    fund(escrow, coin, seller, seller)
    receipt = escrow.withdrawBond(coin, 7, stranger, sender=seller)
    assert escrow.events(receipt) == [BondWithdrawn(seller=seller, token=coin, to=stranger, amount=7)]
