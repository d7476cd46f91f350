"""Row 19: a party voids what was signed for the current revision."""

import pytest

from kameng_escrow.domain.events import OrderRevised
from kameng_escrow.domain.refusals import InvalidSignature, NotPossible, Unauthorized, WrongRevision
from kameng_escrow.domain.reverts import Panicked
from kameng_escrow.domain.states import Right, Role, State, Verb
from tests.contracts.harness.world import COMMITMENT, PRICE, reverts

OPEN = [State.Opened, State.Accepted, State.Delivered, State.Disputed]
LARGEST = 2**24 - 1
REVISION_BITS = 184  # where the revision sits in an order's slot

# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("party", ["buyer", "seller"])
def test_revise_reverts_once_the_order_is_closed(escrow, world, party, request):
    order = world.closed()
    with reverts(NotPossible(order.id, State.Closed)):
        escrow.revise(order.terms, 0, sender=request.getfixturevalue(party))


def test_revise_reverts_for_the_buyer_before_the_opening(escrow, world, buyer, seller):
    """Only the seller is bound by an offer; else anybody could void one by naming oneself the buyer."""
    order = world.order()
    with reverts(Unauthorized(buyer, seller)):
        escrow.revise(order.terms, 0, sender=buyer)


@pytest.mark.parametrize("state", [State.Nothing, *OPEN])
@pytest.mark.parametrize("name", ["pay_to", "refund_to", "platform", "mediator", "operator", "stranger"])
def test_revise_reverts_for_everybody_but_the_parties(escrow, world, seller, name, state, request):
    """No operator either, whatever its rights."""
    order = world.in_state(state)
    world.grant(order.terms, sum(Right))
    other = request.getfixturevalue(name)
    with reverts(Unauthorized(other, seller)):
        escrow.revise(order.terms, 0, sender=other)


@pytest.mark.parametrize("state", [State.Nothing, *OPEN])
def test_revise_reverts_for_another_revision_than_the_current(escrow, world, seller, state):
    order = world.in_state(state)
    with reverts(WrongRevision(1, 0)):
        escrow.revise(order.terms, 1, sender=seller)
    escrow.revise(order.terms, 0, sender=seller)
    for wrong in (0, 2, LARGEST):
        with reverts(WrongRevision(wrong, 1)):
            escrow.revise(order.terms, wrong, sender=seller)


def test_revise_reverts_beyond_the_largest_revision_and_spoils_nothing(escrow, world, opened, evm, buyer, seller):
    order = opened()
    slot = escrow.slotOf(order.id)
    evm.patch_mapping(escrow.address, order.id, slot, slot | LARGEST << REVISION_BITS)
    assert order.status.revision == LARGEST
    with reverts(Panicked(0x11)):
        escrow.revise(order.terms, LARGEST, sender=seller)
    escrow.cancel(order.terms, State.Opened, sender=buyer)
    assert order.status.state == State.Closed


# -------------------------------------------------------------------------------------------------------- successes


@pytest.mark.parametrize("party", ["buyer", "seller"])
@pytest.mark.parametrize("state", OPEN)
def test_revise_raises_the_revision_and_moves_neither_money_nor_clock(escrow, world, coin, warp, party, state, request):
    order = world.in_state(state, token=coin)
    warp(world.evm.now + 17)
    before = order.status
    with world.moves(coin, {}):
        escrow.revise(order.terms, 0, sender=request.getfixturevalue(party))
    after = order.status
    assert after.revision == 1
    before.revision = 1
    assert after == before


def test_revise_before_the_opening_is_the_sellers(escrow, world, seller):
    order = world.order()
    escrow.revise(order.terms, 0, sender=seller)
    escrow.revise(order.terms, 1, sender=seller)
    assert (order.status.state, order.status.revision) == (State.Nothing, 2)


@pytest.mark.parametrize("state", OPEN)
def test_revise_succeeds_at_any_time_before_somebody_settles(escrow, world, buyer, warp, state):
    order = world.in_state(state)
    for revision, late in enumerate((-1, 0, 1, 1_000_000)):
        warp(order.deadline + late)
        escrow.revise(order.terms, revision, sender=buyer)
    assert order.status.revision == 4


def test_revise_voids_an_offer(escrow, world, buyer, seller):
    order = world.order()
    world.fund_bond(order)
    offer = world.offer(order)
    escrow.revise(order.terms, 0, sender=seller)
    with reverts(InvalidSignature(seller, world.offer_digest(order, offer, revision=1))):
        escrow.openWithOffer(order.terms, offer, sender=buyer, value=PRICE)


@pytest.mark.parametrize("party", ["buyer", "seller"])
def test_revise_voids_a_split(escrow, world, accepted, buyer, seller, stranger, party, request):
    order = accepted()
    split = world.split(order, 1)
    signatures = [world.sign_split(order, split, each) for each in (buyer, seller)]
    escrow.revise(order.terms, 0, sender=request.getfixturevalue(party))
    with reverts(WrongRevision(0, 1)):
        escrow.agree(order.terms, split, *signatures, sender=stranger)


def test_revise_voids_nobodys_action(escrow, world, delivered, buyer, seller, relayer):
    """Or a seller could use it to outrun a dispute."""
    order = delivered()
    order.k = 3
    action = world.action(order, Verb.Dispute, Role.Buyer, buyer, number=3)
    signature = world.sign_action(order, action)
    escrow.revise(order.terms, 0, sender=seller)
    escrow.act(order.terms, action, signature, sender=relayer, value=order.sums.E)
    assert order.status.state == State.Disputed


def test_revise_outlives_the_next_states(escrow, world, opened, buyer, seller):
    order = opened()
    world.fund_bond(order)
    escrow.revise(order.terms, 0, sender=buyer)
    escrow.accept(order.terms, sender=seller)
    escrow.deliver(order.terms, COMMITMENT, sender=seller)
    escrow.confirm(order.terms, State.Delivered, sender=buyer)
    assert order.status.revision == 1


# ----------------------------------------------------------------------------------------------------------- events


@pytest.mark.parametrize("state", [State.Nothing, *OPEN])
def test_revise_logs_the_new_revision(escrow, world, seller, state):
    order = world.in_state(state)
    receipt = escrow.revise(order.terms, 0, sender=seller)
    assert escrow.events(receipt) == [OrderRevised(order_id=order.id, revision=1)]
