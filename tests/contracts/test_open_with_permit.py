"""Rows 1 and 2, paid with an EIP-2612 permit of the caller."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.events import OrderOpened
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import BondShort, Expired, InvalidSignature, PullFailed, TokenHasNoCode, WrongState
from kameng_escrow.domain.states import State
from tests.contracts.harness.payments import NO_OFFER, unsigned
from tests.contracts.harness.world import PRICE, reverts

# --------------------------------------------------------------------------------------------------------- refusals


def test_open_with_permit_reverts_for_an_id_that_was_opened_before(escrow, payments, buyer):
    order = payments.order()
    escrow.openWithPermit(order.terms, NO_OFFER, payments.deadline, payments.permit(buyer, PRICE), sender=buyer)
    with reverts(WrongState(order.id, State.Opened, State.Nothing)):
        escrow.openWithPermit(order.terms, NO_OFFER, payments.deadline, payments.permit(buyer, PRICE), sender=buyer)


def test_open_with_permit_checks_an_offer_that_is_there(escrow, world, payments, buyer, warp):
    order = payments.order()
    offer = world.offer(order)
    permit = payments.permit(buyer, PRICE)
    with reverts(InvalidSignature(order.terms.seller, world.offer_digest(order, offer))):
        escrow.openWithPermit(order.terms, unsigned(offer), payments.deadline, permit, sender=buyer)
    short = world.order(token=payments.token.address, price=PRICE * 2)
    with reverts(BondShort(short.terms.seller, payments.token.address, order.sums.B, short.sums.B)):
        escrow.openWithPermit(short.terms, world.offer(short), payments.deadline, permit, sender=buyer)
    late = replace(offer, expiry=world.evm.now)
    with reverts(Expired(world.evm.now, world.evm.now)):
        escrow.openWithPermit(order.terms, late, payments.deadline, permit, sender=buyer)


def test_open_with_permit_takes_no_native_coin(escrow, world, buyer):
    order = world.order(token=NATIVE)
    with reverts(TokenHasNoCode(NATIVE)):
        escrow.openWithPermit(order.terms, NO_OFFER, 0, b"", sender=buyer)


def test_open_with_permit_reverts_for_a_token_without_code(escrow, world, buyer, stranger):
    order = world.order(token=stranger)
    with reverts(TokenHasNoCode(stranger)):
        escrow.openWithPermit(order.terms, NO_OFFER, 0, bytes(65), sender=buyer)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda payments, buyer: payments.permit(buyer, PRICE - 1),
        lambda payments, buyer: payments.permit(buyer, PRICE + 1),
        lambda payments, buyer: payments.permit(buyer, PRICE, nonce=1),
        lambda payments, buyer: payments.permit(buyer, PRICE, deadline=payments.deadline + 1),
        lambda payments, buyer: payments.permit(buyer, PRICE, spender=payments.token.address),
        lambda payments, buyer: payments.permit(buyer, PRICE)[:-2],
        lambda payments, buyer: b"",
        lambda payments, buyer: payments.permit(buyer, PRICE) + b"\0",
    ],
    ids=["less", "more", "nonce", "deadline", "spender", "truncated", "empty", "too long"],
)
def test_open_with_permit_reverts_for_another_permit_than_signed(escrow, payments, buyer, spoil):
    order = payments.order()
    with reverts(PullFailed(payments.token.address, buyer, PRICE)):
        escrow.openWithPermit(order.terms, NO_OFFER, payments.deadline, spoil(payments, buyer), sender=buyer)


def test_open_with_permit_never_takes_anothers_money(escrow, payments, buyer, stranger):
    """The buyer's permit in a stranger's hands: the caller pays, and the stranger signed nothing."""
    order = payments.order()
    permit = payments.permit(buyer, PRICE)
    with reverts(PullFailed(payments.token.address, stranger, PRICE)):
        escrow.openWithPermit(order.terms, NO_OFFER, payments.deadline, permit, sender=stranger)


@pytest.mark.parametrize("late", [0, 1])
def test_open_with_permit_respects_the_permits_deadline(escrow, world, payments, buyer, warp, late):
    order = payments.order(open_by=payments.deadline + 10)
    deadline = payments.deadline
    permit = payments.permit(buyer, PRICE)
    warp(deadline + late)
    if late:
        with reverts(PullFailed(payments.token.address, buyer, PRICE)):
            escrow.openWithPermit(order.terms, NO_OFFER, deadline, permit, sender=buyer)
    else:
        escrow.openWithPermit(order.terms, NO_OFFER, deadline, permit, sender=buyer)
        assert order.status.state == State.Opened


def test_open_with_permit_reverts_for_a_payer_without_the_money(escrow, payments, buyer, stranger):
    order = payments.order()
    payments.token.transfer(stranger, payments.token.balanceOf(buyer) - PRICE + 1, sender=buyer)
    permit = payments.permit(buyer, PRICE)
    with reverts(PullFailed(payments.token.address, buyer, PRICE)):
        escrow.openWithPermit(order.terms, NO_OFFER, payments.deadline, permit, sender=buyer)


# -------------------------------------------------------------------------------------------------------- successes


def test_open_with_permit_takes_exactly_the_price_of_the_caller(escrow, world, payments, payer):
    order = payments.order()
    permit = payments.permit(payer, PRICE)
    with world.moves(payments.token.address, {"payer": -PRICE, "escrow": PRICE}):
        receipt = escrow.openWithPermit(order.terms, NO_OFFER, payments.deadline, permit, sender=payer)
    assert escrow.events(receipt) == [
        OrderOpened(order_id=order.id, terms=order.terms, payer=payer, state=State.Opened)
    ]
    assert order.status.deadline == world.evm.now + order.policy.accept_window
    assert payments.token.allowance(payer, escrow.address) == 0


def test_open_with_permit_and_offer_starts_accepted(escrow, world, payments, buyer):
    order = payments.order()
    moved = {"buyer": -PRICE, "escrow": PRICE, "bond of seller": -order.sums.B}
    with world.moves(payments.token.address, moved):
        escrow.openWithPermit(
            order.terms, world.offer(order), payments.deadline, payments.permit(buyer, PRICE), sender=buyer
        )
    assert order.status.state == State.Accepted


def test_open_with_permit_survives_a_permit_brought_by_another(escrow, world, payments, buyer, stranger):
    """Front-run: the permit is used up, its allowance is there."""
    order = payments.order()
    permit = payments.permit(buyer, PRICE)
    v, r, s = permit[64], permit[:32], permit[32:64]
    payments.token.permit(buyer, escrow.address, PRICE, payments.deadline, v, r, s, sender=stranger)
    with world.moves(payments.token.address, {"buyer": -PRICE, "escrow": PRICE}):
        escrow.openWithPermit(order.terms, NO_OFFER, payments.deadline, permit, sender=buyer)


def test_open_with_permit_needs_no_permit_where_an_allowance_is(escrow, world, buyer):
    """A token that knows no permits at all."""
    order = world.order(token=world.token.address)
    with world.moves(world.token.address, {"buyer": -PRICE, "escrow": PRICE}):
        escrow.openWithPermit(order.terms, NO_OFFER, 0, b"", sender=buyer)


def test_open_with_permit_takes_a_compact_signature(escrow, payments, buyer):
    """EIP-2098: 64 bytes."""
    order = payments.order()
    permit = payments.permit(buyer, PRICE)
    compact = permit[:32] + (int.from_bytes(permit[32:64], "big") | (permit[64] - 27) << 255).to_bytes(32, "big")
    escrow.openWithPermit(order.terms, NO_OFFER, payments.deadline, compact, sender=buyer)
    assert order.status.state == State.Opened
