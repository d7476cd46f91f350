"""Row 13, relayed: a dispute that the buyer signed, with the dispute bond by the buyer's permit or authorization."""

import pytest

from kameng_escrow.domain.events import OrderDisputed
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import (
    Expired,
    InvalidSignature,
    NoPaymentDue,
    PullFailed,
    TokenHasNoCode,
    TooLate,
    Unauthorized,
    UnitsOutOfRange,
    WrongRole,
    WrongState,
)
from kameng_escrow.domain.states import Role, State, Verb
from tests.contracts.harness.payments import dispute_nonce
from tests.contracts.harness.world import COMMITMENT, EVIDENCE, PRICE, reverts

WAYS = ["permit", "authorization"]


@pytest.fixture
def delivered(world, payments):
    """`delivered()`: an order in the token with signatures, delivered; the buyer has given the escrow no allowance."""

    def make(**overrides):
        order = payments.order(**overrides)
        terms, token = order.terms, payments.token
        token.approve(world.escrow.address, PRICE, sender=terms.buyer)
        world.escrow.openWithOffer(terms, world.offer(order), sender=terms.buyer)
        world.escrow.deliver(terms, COMMITMENT, sender=terms.seller)
        order.k = 3
        return order.moved(State.Delivered)

    return make


@pytest.fixture(params=WAYS)
def relay(request, world, payments, relayer):
    """`relay(order, action)`: brings the action, with the bond that the buyer signed."""

    def run(order, action, *, signature=None, bond=None, value=None, payer=None, nonce=None):
        buyer = payer or order.terms.buyer
        amount = order.sums.E if value is None else value
        if bond is None and request.param == "permit":
            bond = payments.permit(buyer, amount)
        elif bond is None:
            bond = payments.authorization(buyer, amount, nonce or dispute_nonce(order))
        function = world.escrow.actWithPermit if request.param == "permit" else world.escrow.actWithAuthorization
        signed = world.sign_action(order, action) if signature is None else signature
        return function(order.terms, action, signed, payments.deadline, bond, sender=relayer)

    run.way = request.param
    return run


@pytest.fixture
def dispute(world):
    """`dispute(order)`: the buyer's action."""

    def make(order, **overrides):
        values = {"number": order.k, "content": EVIDENCE, **overrides}
        return world.action(
            order,
            values.pop("verb", Verb.Dispute),
            values.pop("role", Role.Buyer),
            values.pop("signer", order.terms.buyer),
            **values,
        )

    return make


# --------------------------------------------------------------------------------------------------------- refusals


def test_act_with_payment_reverts_from_the_actions_expiry_on(world, delivered, dispute, relay, warp):
    order = delivered()
    action = dispute(order)
    warp(action.expiry)
    with reverts(Expired(action.expiry, action.expiry)):
        relay(order, action)


def test_act_with_payment_reverts_where_another_signed_the_action(world, delivered, dispute, relay, stranger):
    order = delivered()
    action = dispute(order)
    with reverts(InvalidSignature(order.terms.buyer, world.action_digest(order, action))):
        relay(order, action, signature=world.sign_action(order, action, stranger))


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb is not Verb.Dispute])
def test_act_with_payment_reverts_for_an_action_that_takes_none(delivered, dispute, relay, verb):
    order = delivered()
    with reverts(NoPaymentDue(verb)):
        relay(order, dispute(order, verb=verb))


def test_act_with_payment_checks_what_the_dispute_itself_would(
    world, delivered, dispute, relay, seller, stranger, warp
):
    order = delivered()
    for changes, refusal in (
        ({"state": State.Accepted}, WrongState(order.id, State.Delivered, State.Accepted)),
        ({"role": Role.Seller, "signer": seller}, WrongRole(Verb.Dispute, Role.Seller)),
        ({"signer": stranger}, Unauthorized(stranger, order.terms.buyer)),
        ({"number": 0}, UnitsOutOfRange(0, order.terms.units)),
        ({"number": order.terms.units + 1}, UnitsOutOfRange(order.terms.units + 1, order.terms.units)),
    ):
        with reverts(refusal):
            relay(order, dispute(order, **changes))
    action = dispute(order, expiry=order.deadline + 1)
    warp(order.deadline)
    with reverts(TooLate(order.deadline, order.deadline)):
        relay(order, action)


def test_act_with_payment_takes_no_native_coin(world, dispute, relay):
    order = world.delivered(token=NATIVE)
    order.k = 3
    with reverts(TokenHasNoCode(NATIVE)):
        relay(order, dispute(order), bond=bytes(65))


@pytest.mark.parametrize("change", [-1, 1])
def test_act_with_payment_reverts_for_another_bond_than_signed(payments, delivered, dispute, relay, buyer, change):
    order = delivered()
    with reverts(PullFailed(payments.token.address, buyer, order.sums.E)):
        relay(order, dispute(order), value=order.sums.E + change)


def test_act_with_payment_reverts_where_another_than_the_buyer_pays(
    payments, delivered, dispute, relay, buyer, relayer
):
    order = delivered()
    with reverts(PullFailed(payments.token.address, buyer, order.sums.E)):
        relay(order, dispute(order), payer=relayer)


def test_the_prices_authorization_does_not_pay_the_bond(payments, delivered, dispute, buyer, world, relayer):
    order = delivered()
    action = dispute(order)
    price = payments.authorization(buyer, order.sums.E, order.id)
    with reverts(PullFailed(payments.token.address, buyer, order.sums.E)):
        world.escrow.actWithAuthorization(
            order.terms, action, world.sign_action(order, action), payments.deadline, price, sender=relayer
        )


# -------------------------------------------------------------------------------------------------------- successes


def test_act_with_payment_does_what_dispute_does(world, payments, delivered, dispute, relay):
    order = delivered()
    sums = order.sums
    moved = {
        "buyer": -sums.E,
        "escrow": sums.E - (sums.U - sums.f(sums.U)),
        "pay_to": sums.U - sums.f(sums.U),
        "fees": sums.f(sums.U),
        "bond of seller": sums.B - sums.b,
    }
    with world.moves(payments.token.address, moved):
        receipt = relay(order, dispute(order))
    assert world.escrow.events(receipt) == [
        OrderDisputed(
            order_id=order.id,
            units=3,
            evidence=EVIDENCE,
            dispute_bond=sums.E,
            to_seller=sums.U - sums.f(sums.U),
            platform_fee=sums.f(sums.U),
            bond_returned=sums.B - sums.b,
        )
    ]
    order.moved(State.Disputed)
    assert order.status.deadline == order.deadline


def test_act_with_payment_takes_nothing_where_the_policy_wants_no_bond(world, payments, delivered, dispute, relay):
    policy = world.make_policy(dispute_bond_bps=0, mediation_fee_bps=0)
    order = delivered(policy=policy)
    relay(order, dispute(order), bond=b"")
    assert order.status.state == State.Disputed


def test_act_with_permit_survives_a_permit_brought_by_another(world, payments, delivered, dispute, buyer, relayer):
    order = delivered()
    action, deadline = dispute(order), payments.deadline
    permit = payments.permit(buyer, order.sums.E)
    v, r, s = permit[64], permit[:32], permit[32:64]
    payments.token.permit(buyer, world.escrow.address, order.sums.E, deadline, v, r, s, sender=relayer)
    world.escrow.actWithPermit(order.terms, action, world.sign_action(order, action), deadline, permit, sender=relayer)
    assert order.status.state == State.Disputed
