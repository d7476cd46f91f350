"""Rows 1 and 2, paid with an EIP-3009 authorization that anybody may bring."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.events import OrderOpened
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import InvalidSignature, PullFailed, TokenHasNoCode, WrongState
from kameng_escrow.domain.states import State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.evm import Reverted
from tests.contracts.harness.payments import NO_OFFER, TOKEN_NAME, dispute_nonce, unsigned
from tests.contracts.harness.world import DAY, PRICE, WEALTH, reverts


@pytest.fixture
def opening(escrow, payments, payer, relayer):
    """`opening(order, signature, …)`: brought by a relayer, paid by a payer."""

    def run(order, signature, *, offer=NO_OFFER, paying=payer, valid_before=None, sender=relayer):
        before = payments.deadline if valid_before is None else valid_before
        return escrow.openWithAuthorization(order.terms, offer, paying, before, signature, sender=sender)

    return run


# --------------------------------------------------------------------------------------------------------- refusals


def test_open_with_authorization_reverts_for_an_id_that_was_opened_before(payments, opening, payer):
    order = payments.order()
    signature = payments.authorization(payer, PRICE, order.id)
    opening(order, signature)
    with reverts(WrongState(order.id, State.Opened, State.Nothing)):
        opening(order, signature)


def test_open_with_authorization_checks_an_offer_that_is_there(world, payments, opening, payer):
    order = payments.order()
    offer = world.offer(order)
    with reverts(InvalidSignature(order.terms.seller, world.offer_digest(order, offer))):
        opening(order, payments.authorization(payer, PRICE, order.id), offer=unsigned(offer))


def test_open_with_authorization_takes_no_native_coin(world, opening):
    with reverts(TokenHasNoCode(NATIVE)):
        opening(world.order(token=NATIVE), bytes(65))


@pytest.mark.parametrize("signature", [bytes(65), b"", bytes(64)], ids=["words", "bytes", "compact"])
def test_open_with_authorization_reverts_for_a_token_that_knows_none(world, opening, payer, signature):
    """Even where the payer gave an allowance: without a signature nobody takes it."""
    order = world.order(token=world.token.address)
    with reverts(PullFailed(world.token.address, payer, PRICE)):
        opening(order, signature)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda payments, payer, order: payments.authorization(payer, PRICE - 1, order.id),
        lambda payments, payer, order: payments.authorization(payer, PRICE + 1, order.id),
        lambda payments, payer, order: payments.authorization(payer, PRICE, "0x" + "00" * 32),
        lambda payments, payer, order: payments.authorization(payer, PRICE, dispute_nonce(order)),
        lambda payments, payer, order: payments.authorization(payer, PRICE, order.id, validAfter=1),
        lambda payments, payer, order: payments.authorization(payer, PRICE, order.id, validBefore=2**40),
        lambda payments, payer, order: payments.authorization(payer, PRICE, order.id, to=payer),
        lambda payments, payer, order: payments.authorization(payer, PRICE, order.id)[:-1],
        lambda payments, payer, order: b"",
    ],
    ids=["less", "more", "no nonce", "the bond's nonce", "valid after", "valid before", "to", "truncated", "empty"],
)
def test_open_with_authorization_reverts_for_another_than_signed(payments, opening, payer, spoil):
    order = payments.order()
    with reverts(PullFailed(payments.token.address, payer, PRICE)):
        opening(order, spoil(payments, payer, order))


def test_open_with_authorization_reverts_for_another_order_than_signed(world, payments, opening, payer):
    """Whatever a relayer changes of the terms is another order."""
    order = payments.order()
    signature = payments.authorization(payer, PRICE, order.id)
    changes = {
        "pay_to": world.escrow.address[:-2] + "00",
        "refund_to": order.terms.pay_to,
        "seller": order.terms.pay_to,
        "units": order.terms.units + 1,
        "listing": "0x" + "99" * 32,
        "open_by": order.terms.open_by + 1,
    }
    for name, value in changes.items():
        with reverts(PullFailed(payments.token.address, payer, PRICE)):
            opening(replace(order, terms=replace(order.terms, **{name: value})), signature)


@pytest.mark.parametrize("name", ["buyer", "stranger", "relayer"])
def test_open_with_authorization_reverts_where_another_than_the_payer_signed(payments, opening, payer, request, name):
    order = payments.order()
    signature = payments.authorization(payer, PRICE, order.id, signer=request.getfixturevalue(name))
    with reverts(PullFailed(payments.token.address, payer, PRICE)):
        opening(order, signature)


@pytest.mark.parametrize("early", [1, 0, -1])
def test_open_with_authorization_respects_its_end(payments, opening, payer, warp, early):
    end = payments.deadline
    order = payments.order(open_by=end + DAY)
    signature = payments.authorization(payer, PRICE, order.id)
    warp(end - early)
    if early == 1:
        opening(order, signature, valid_before=end)
        assert order.status.state == State.Opened
    else:
        with reverts(PullFailed(payments.token.address, payer, PRICE)):
            opening(order, signature, valid_before=end)


def test_nobody_takes_an_authorization_past_the_escrow(payments, payer, stranger):
    """The token lets only the receiver use it; so it can't be spent and leave the order unopened."""
    order = payments.order()
    signature = payments.authorization(payer, PRICE, order.id)
    v, r, s = signature[64], signature[:32], signature[32:64]
    before = payments.token.balanceOf(payer)
    with pytest.raises(Reverted):
        payments.receive(payer, PRICE, order.id, v, r, s, sender=stranger)
    assert payments.token.balanceOf(payer) == before


# -------------------------------------------------------------------------------------------------------- successes


def test_open_with_authorization_takes_exactly_the_price_of_the_payer(world, payments, opening, payer):
    order = payments.order()
    with world.moves(payments.token.address, {"payer": -PRICE, "escrow": PRICE}):
        receipt = opening(order, payments.authorization(payer, PRICE, order.id))
    assert world.escrow.events(receipt) == [
        OrderOpened(order_id=order.id, terms=order.terms, payer=payer, state=State.Opened)
    ]
    assert order.status.deadline == world.evm.now + order.policy.accept_window


def test_open_with_authorization_and_offer_starts_accepted(world, payments, opening, payer):
    order = payments.order()
    moved = {"payer": -PRICE, "escrow": PRICE, "bond of seller": -order.sums.B}
    with world.moves(payments.token.address, moved):
        opening(order, payments.authorization(payer, PRICE, order.id), offer=world.offer(order))
    assert order.status.state == State.Accepted


def test_open_with_authorization_takes_a_smart_wallets_bytes(world, payments, opening, compiled, payer, stranger):
    """ERC-1271, where the token takes bytes. A compact signature can't be mistaken for v, r and s."""
    wallet = deploy(world.evm, compiled("Wallet"), payer, sender=stranger)
    payments.token.mint(wallet.address, WEALTH, sender=stranger)
    world.names[wallet.address] = "wallet"
    order = payments.order()
    signature = payments.authorization(wallet.address, PRICE, order.id, signer=payer)
    with world.moves(payments.token.address, {"wallet": -PRICE, "escrow": PRICE}):
        opening(order, compact(signature), paying=wallet.address)


def test_open_with_authorization_pays_with_a_token_that_takes_only_v_r_and_s(
    world, payments, opening, compiled, payer, seller, stranger
):
    token = deploy(world.evm, compiled("PartsToken"), TOKEN_NAME, sender=stranger)
    for account in (payer, seller):
        token.mint(account, WEALTH, sender=stranger)
    payments = replace(payments, token=token)
    order = payments.order()
    with world.moves(token.address, {"payer": -PRICE, "escrow": PRICE}):
        opening(order, payments.authorization(payer, PRICE, order.id))


def compact(signature):
    """EIP-2098."""
    s = int.from_bytes(signature[32:64], "big") | (signature[64] - 27) << 255
    return signature[:32] + s.to_bytes(32, "big")
