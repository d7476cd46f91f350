"""Row 2: a payer opens an order that the seller has promised to accept."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.events import OrderOpened
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.refusals import (
    BondShort,
    Expired,
    InvalidAddress,
    InvalidSignature,
    NoRight,
    PayToNotRegistered,
    PolicyUnknown,
    PriceAboveGrant,
    PriceOutOfRange,
    PullFailed,
    TooLate,
    UnitsOutOfRange,
    WrongState,
    WrongValue,
)
from kameng_escrow.domain.signed import Offer, OperatorGrant
from kameng_escrow.domain.states import Right, State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.world import DAY, POLICY, PRICE, reverts

ORDER_OF_CURVE = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def promised(world):
    """`promised(…)`: an order that is not open, its bond funded, and the seller's offer of it."""

    def make(**overrides):
        order = world.order(**overrides)
        world.fund_bond(order)
        return order, world.offer(order)

    return make


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("state", [State.Opened, State.Accepted, State.Delivered, State.Disputed, State.Closed])
def test_open_with_offer_reverts_for_an_id_that_was_opened_before(escrow, world, buyer, state):
    order = world.in_state(state)
    with reverts(WrongState(order.id, state, State.Nothing)):
        escrow.openWithOffer(order.terms, world.offer(order), sender=buyer, value=PRICE)


def test_open_with_offer_checks_the_terms_as_open_does(escrow, world, buyer, seller, stranger):
    now = world.evm.now
    for wrong, refusal in (
        ({"buyer": NATIVE}, InvalidAddress(NATIVE)),
        ({"seller": buyer}, InvalidAddress(buyer)),
        ({"seller": NATIVE}, InvalidAddress(NATIVE)),
        ({"refund_to": escrow.address}, InvalidAddress(escrow.address)),
        ({"pay_to": escrow.address}, InvalidAddress(escrow.address)),
        ({"price": 0}, PriceOutOfRange(0, 2**127 - 1)),
        ({"units": 0}, UnitsOutOfRange(0, 65_535)),
        ({"open_by": now - 1}, TooLate(now, now)),
        ({"policy_id": "0x" + "77" * 32}, PolicyUnknown("0x" + "77" * 32)),
    ):
        order = world.order(**wrong)
        with reverts(refusal):
            escrow.openWithOffer(order.terms, world.offer(order), sender=stranger, value=PRICE)


def test_open_with_offer_reverts_from_the_offers_expiry_on(escrow, world, promised, buyer, warp):
    order, offer = promised(open_by=world.evm.now + 300 * DAY)
    for late in (0, 1, 1_000):
        warp(offer.expiry + late)
        with reverts(Expired(world.evm.now, offer.expiry)):
            escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


def test_open_with_offer_reverts_for_an_offer_without_an_expiry(escrow, world, promised, buyer):
    """Where a payment is signed that means none, and the order is opened without; here there must be one."""
    order, _ = promised()
    with reverts(Expired(world.evm.now, 0)):
        escrow.openWithOffer(order.terms, world.offer(order, expiry=0), sender=buyer, value=PRICE)


@pytest.mark.parametrize("rights", [0, Right.Deliver + Right.Decline + Right.Refund])
def test_open_with_offer_reverts_where_the_operator_may_not_accept(escrow, world, promised, buyer, operator, rights):
    order, _ = promised()
    world.grant(order.terms, rights)
    offer = world.offer(order, signer=operator, operator=operator)
    with reverts(NoRight(operator, Right.Accept)):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


def test_open_with_offer_checks_the_operators_right_at_opening(escrow, world, promised, buyer, seller, operator):
    order, _ = promised()
    world.grant(order.terms, Right.Accept)
    offer = world.offer(order, signer=operator, operator=operator)
    nothing = OperatorGrant(rights=0, expiry=0, max_price=0)
    escrow.setOperator(operator, order.terms.token, order.terms.policy_id, nothing, sender=seller)
    with reverts(NoRight(operator, Right.Accept)):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


def test_open_with_offer_reverts_once_the_operators_right_expired(escrow, world, promised, buyer, operator, warp):
    order, _ = promised()
    grant = world.grant(order.terms, Right.Accept, expiry=world.evm.now + 60)
    offer = world.offer(order, signer=operator, operator=operator)
    warp(grant.expiry)
    with reverts(Expired(grant.expiry, grant.expiry)):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


def test_open_with_offer_reverts_for_a_price_above_the_operators_largest(escrow, world, promised, buyer, operator):
    order, _ = promised()
    world.grant(order.terms, Right.Accept, max_price=PRICE - 1)
    offer = world.offer(order, signer=operator, operator=operator)
    with reverts(PriceAboveGrant(PRICE, PRICE - 1)):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


def test_open_with_offer_reverts_where_the_operator_would_pay_another(escrow, world, promised, buyer, seller, operator):
    order, _ = promised()
    world.grant(order.terms, Right.Accept)
    escrow.registerPayTo(seller, sender=seller)
    offer = world.offer(order, signer=operator, operator=operator)
    with reverts(PayToNotRegistered(order.terms.pay_to, seller)):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


@pytest.mark.parametrize("name", ["buyer", "operator", "platform", "stranger"])
def test_open_with_offer_reverts_where_another_than_the_seller_signed(escrow, world, promised, buyer, request, name):
    order, _ = promised()
    offer = world.offer(order, signer=request.getfixturevalue(name))
    with reverts(InvalidSignature(order.terms.seller, world.offer_digest(order, offer))):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


def test_open_with_offer_reverts_where_the_seller_signed_in_the_operators_name(
    escrow, world, promised, buyer, seller, operator
):
    order, _ = promised()
    world.grant(order.terms, Right.Accept)
    offer = world.offer(order, signer=seller, operator=operator)
    with reverts(InvalidSignature(operator, world.offer_digest(order, offer))):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


def test_open_with_offer_reverts_for_an_offer_of_another_order(escrow, world, promised, buyer):
    order, _ = promised()
    _, other = promised()
    with reverts(InvalidSignature(order.terms.seller, world.offer_digest(order, other))):
        escrow.openWithOffer(order.terms, other, sender=buyer, value=PRICE)


def test_open_with_offer_reverts_for_another_expiry_than_signed(escrow, world, promised, buyer):
    order, offer = promised()
    longer = replace(offer, expiry=offer.expiry + 1)
    with reverts(InvalidSignature(order.terms.seller, world.offer_digest(order, longer))):
        escrow.openWithOffer(order.terms, longer, sender=buyer, value=PRICE)


def test_open_with_offer_reverts_for_an_offer_of_a_revision_that_was_raised(escrow, world, promised, buyer, seller):
    order, offer = promised()
    escrow.revise(order.terms, 0, sender=seller)
    with reverts(InvalidSignature(seller, world.offer_digest(order, offer, revision=1))):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


def test_open_with_offer_reverts_for_an_offer_to_another_escrow(escrow, world, promised, compiled, buyer, stranger):
    order, _ = promised()
    other = replace(world, escrow=deploy(world.evm, compiled("KamengEscrow"), sender=stranger))
    offer = other.offer(order)
    with reverts(InvalidSignature(order.terms.seller, world.offer_digest(order, offer))):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


def test_open_with_offer_reverts_for_an_offer_signed_on_another_chain(escrow, world, promised, buyer):
    order, _ = promised()
    world.evm.chain_id += 1
    offer = world.offer(order)
    world.evm.chain_id -= 1
    with reverts(InvalidSignature(order.terms.seller, world.offer_digest(order, offer))):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


def mangled(signature: bytes) -> dict[str, bytes]:
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    mirrored = (ORDER_OF_CURVE - s).to_bytes(32, "big")
    return {
        "empty": b"",
        "short": signature[:64],
        "long": signature + b"\0",
        "spoiled": bytes([signature[0] ^ 1]) + signature[1:],
        "malleable": r + mirrored + bytes([55 - v]),
        "v of zero": signature[:64] + b"\0",
        "zeros": bytes(65),
    }


@pytest.mark.parametrize("how", mangled(bytes(65)))
def test_open_with_offer_reverts_for_a_mangled_signature(escrow, world, promised, buyer, seller, how):
    order, offer = promised()
    wrong = replace(offer, signature=mangled(offer.signature)[how])
    with reverts(InvalidSignature(seller, world.offer_digest(order, offer))):
        escrow.openWithOffer(order.terms, wrong, sender=buyer, value=PRICE)


def test_open_with_offer_reverts_where_the_bond_is_short(escrow, world, coin, buyer, seller):
    order = world.order(token=coin)
    bond = order.sums.B
    escrow.fundBond(seller, coin, bond - 1, sender=seller, value=world.value(order.terms, bond - 1))
    with reverts(BondShort(seller, coin, bond - 1, bond)):
        escrow.openWithOffer(order.terms, world.offer(order), sender=buyer, value=world.value(order.terms))


def test_open_with_offer_does_not_count_a_bond_in_another_coin(escrow, world, token, buyer, seller):
    order = world.order()
    escrow.fundBond(seller, token.address, order.sums.B, sender=seller)
    with reverts(BondShort(seller, NATIVE, 0, order.sums.B)):
        escrow.openWithOffer(order.terms, world.offer(order), sender=buyer, value=PRICE)


@pytest.mark.parametrize("value", [0, PRICE - 1, PRICE + 1])
def test_open_with_offer_reverts_for_another_value_than_the_price(escrow, promised, buyer, value):
    order, offer = promised()
    with reverts(WrongValue(value, PRICE)):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=value)


def test_open_with_offer_reverts_where_the_payer_allows_too_little(escrow, promised, token, buyer):
    order, offer = promised(token=token.address)
    token.approve(escrow.address, PRICE - 1, sender=buyer)
    with reverts(PullFailed(token.address, buyer, PRICE)):
        escrow.openWithOffer(order.terms, offer, sender=buyer)


def test_open_with_offer_checks_its_guards_in_order(escrow, world, buyer, seller, operator, warp):
    order = world.order()
    warp(world.evm.now + 10)
    now = world.evm.now
    offer = Offer(operator=operator, expiry=now, signature=b"")
    with reverts(Expired(now, now)):
        escrow.openWithOffer(order.terms, offer, sender=buyer)
    offer = replace(offer, expiry=now + 1)
    with reverts(NoRight(operator, Right.Accept)):
        escrow.openWithOffer(order.terms, offer, sender=buyer)
    world.grant(order.terms, Right.Accept)
    with reverts(InvalidSignature(operator, world.offer_digest(order, offer))):
        escrow.openWithOffer(order.terms, offer, sender=buyer)
    offer = world.offer(order, signer=operator, operator=operator)
    with reverts(BondShort(seller, NATIVE, 0, order.sums.B)):
        escrow.openWithOffer(order.terms, offer, sender=buyer)
    world.fund_bond(order)
    with reverts(WrongValue(0, PRICE)):
        escrow.openWithOffer(order.terms, offer, sender=buyer)
    escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


# -------------------------------------------------------------------------------------------------------- successes


def test_open_with_offer_holds_the_price_and_locks_the_bond(escrow, world, promised, coin, buyer):
    order, offer = promised(token=coin)
    with world.moves(coin, {"buyer": -PRICE, "escrow": PRICE, "bond of seller": -order.sums.B}):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=world.value(order.terms))
    assert escrow.bondOf(order.terms.seller, coin) == 0


def test_open_with_offer_takes_the_price_from_whoever_pays(escrow, world, promised, coin, payer):
    order, offer = promised(token=coin)
    with world.moves(coin, {"payer": -PRICE, "escrow": PRICE, "bond of seller": -order.sums.B}):
        escrow.openWithOffer(order.terms, offer, sender=payer, value=world.value(order.terms))


def test_open_with_offer_starts_the_deliver_window(escrow, world, promised, buyer):
    order, offer = promised()
    receipt = escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)
    assert escrow.returned("openWithOffer", receipt) == order.id
    status = order.status
    assert status.state == State.Accepted
    assert status.deadline == world.evm.now + POLICY.deliver_window
    assert status.revision == 0


def test_open_with_offer_succeeds_until_the_second_before_the_expiry(escrow, world, promised, buyer, warp):
    order, offer = promised()
    warp(offer.expiry - 1)
    escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)
    assert order.status.state == State.Accepted


def test_open_with_offer_takes_an_offer_of_the_current_revision(escrow, world, promised, buyer, seller):
    order, _ = promised()
    escrow.revise(order.terms, 0, sender=seller)
    escrow.openWithOffer(order.terms, world.offer(order, revision=1), sender=buyer, value=PRICE)
    assert (order.status.state, order.status.revision) == (State.Accepted, 1)


def test_open_with_offer_takes_an_operators_offer(escrow, world, promised, coin, buyer, operator):
    order, _ = promised(token=coin)
    world.grant(order.terms, Right.Accept, max_price=PRICE, expiry=world.evm.now + 1)
    offer = world.offer(order, signer=operator, operator=operator)
    with world.moves(coin, {"buyer": -PRICE, "escrow": PRICE, "bond of seller": -order.sums.B}):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=world.value(order.terms))


def test_open_with_offer_takes_the_seller_named_in_full(escrow, world, promised, buyer, seller):
    order, offer = promised()
    escrow.openWithOffer(order.terms, replace(offer, operator=seller), sender=buyer, value=PRICE)
    assert order.status.state == State.Accepted


def test_open_with_offer_takes_a_contract_wallets_signature(escrow, world, compiled, buyer, seller):
    wallet = deploy(world.evm, compiled("Wallet"), seller, sender=seller)
    order = world.order(seller=wallet.address)
    world.fund_bond(order)
    escrow.openWithOffer(order.terms, world.offer(order, signer=seller), sender=buyer, value=PRICE)
    assert order.status.state == State.Accepted


def test_open_with_offer_reverts_where_a_contract_wallet_refuses(escrow, world, compiled, buyer, seller, stranger):
    wallet = deploy(world.evm, compiled("Wallet"), seller, sender=seller)
    order = world.order(seller=wallet.address)
    world.fund_bond(order)
    offer = world.offer(order, signer=stranger)
    with reverts(InvalidSignature(wallet.address, world.offer_digest(order, offer))):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


def test_open_with_offer_needs_no_bond_where_the_policy_has_none(escrow, world, make_policy, coin, buyer):
    policy: Policy = make_policy(seller_bond_bps=0, mediation_fee_bps=0)
    order = world.order(policy=policy, token=coin)
    with world.moves(coin, {"buyer": -PRICE, "escrow": PRICE}):
        escrow.openWithOffer(order.terms, world.offer(order), sender=buyer, value=world.value(order.terms))


def test_offers_follow_the_chains_id_where_ids_keep_the_one_of_deployment(escrow, world, promised, buyer):
    order, before = promised()
    world.evm.chain_id += 1
    after = world.offer(order)
    with reverts(InvalidSignature(order.terms.seller, world.offer_digest(order, after))):
        escrow.openWithOffer(order.terms, before, sender=buyer, value=PRICE)
    escrow.openWithOffer(order.terms, after, sender=buyer, value=PRICE)
    assert order.status.state == State.Accepted


# ----------------------------------------------------------------------------------------------------------- events


def test_open_with_offer_logs_the_terms_the_payer_and_the_state(escrow, world, promised, payer):
    order, offer = promised()
    receipt = escrow.openWithOffer(order.terms, offer, sender=payer, value=PRICE)
    assert escrow.events(receipt) == [
        OrderOpened(order_id=order.id, terms=order.terms, payer=payer, state=State.Accepted)
    ]
