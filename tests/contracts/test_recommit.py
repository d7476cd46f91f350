"""Row 20: the seller replaces the codes while the parties negotiate."""

import pytest

from kameng_escrow.domain.events import OrderRecommitted
from kameng_escrow.domain.refusals import EmptyCommitment, NoRight, TooLate, WrongRevision, WrongState
from kameng_escrow.domain.states import Right, State
from tests.contracts.harness.world import reverts

NOTHING = "0x" + "00" * 32
REPLACEMENT = "0x" + "ce" * 32

# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("state", [State.Nothing, State.Opened, State.Accepted, State.Delivered, State.Closed])
def test_recommit_reverts_in_every_other_state(escrow, world, seller, state):
    order = world.in_state(state)
    with reverts(WrongState(order.id, state, State.Disputed)):
        escrow.recommit(order.terms, 0, REPLACEMENT, sender=seller)


@pytest.mark.parametrize("name", ["buyer", "pay_to", "platform", "mediator", "operator", "stranger"])
def test_recommit_reverts_for_everybody_but_the_seller(escrow, disputed, name, request):
    order = disputed()
    other = request.getfixturevalue(name)
    with reverts(NoRight(other, Right.Deliver)):
        escrow.recommit(order.terms, 0, REPLACEMENT, sender=other)


def test_recommit_reverts_once_mediation_begins(escrow, disputed, seller, warp):
    order = disputed()
    for moment in (order.mediation, order.mediation + 1, order.deadline, order.deadline + 1):
        warp(moment)
        with reverts(TooLate(moment, order.mediation)):
            escrow.recommit(order.terms, 0, REPLACEMENT, sender=seller)


def test_recommit_reverts_for_another_revision_than_the_current(escrow, disputed, seller):
    order = disputed()
    escrow.revise(order.terms, 0, sender=seller)
    for wrong in (0, 2, 2**24 - 1):
        with reverts(WrongRevision(wrong, 1)):
            escrow.recommit(order.terms, wrong, REPLACEMENT, sender=seller)


def test_recommit_reverts_without_a_commitment(escrow, disputed, seller):
    order = disputed()
    with reverts(EmptyCommitment()):
        escrow.recommit(order.terms, 0, NOTHING, sender=seller)


def test_recommit_checks_its_guards_in_order(escrow, disputed, seller, stranger, warp):
    order = disputed()
    with reverts(WrongRevision(7, 0)):
        escrow.recommit(order.terms, 7, NOTHING, sender=seller)
    warp(order.mediation)
    with reverts(NoRight(stranger, Right.Deliver)):
        escrow.recommit(order.terms, 7, NOTHING, sender=stranger)
    with reverts(TooLate(order.mediation, order.mediation)):
        escrow.recommit(order.terms, 7, NOTHING, sender=seller)


# -------------------------------------------------------------------------------------------------------- successes


def test_recommit_raises_the_revision_and_moves_neither_money_nor_clock(escrow, world, disputed, coin, seller, warp):
    order = disputed(token=coin)
    warp(world.evm.now + 17)
    with world.moves(coin, {}):
        escrow.recommit(order.terms, 0, REPLACEMENT, sender=seller)
    status = order.status
    assert (status.state, status.revision, status.disputed_units) == (State.Disputed, 1, 3)
    assert status.deadline == order.deadline


def test_recommit_voids_what_was_signed_before(escrow, world, disputed, seller, stranger, buyer):
    order = disputed()
    split = world.split(order, to_buyer=1)
    signatures = [world.sign_split(order, split, party) for party in (buyer, seller)]
    escrow.recommit(order.terms, 0, REPLACEMENT, sender=seller)
    with reverts(WrongRevision(0, 1)):
        escrow.agree(order.terms, split, *signatures, sender=stranger)


def test_recommit_may_be_repeated(escrow, disputed, seller):
    order = disputed()
    for revision in range(3):
        escrow.recommit(order.terms, revision, REPLACEMENT, sender=seller)
    assert order.status.revision == 3


def test_recommit_succeeds_until_the_second_before_mediation(escrow, disputed, seller, warp):
    order = disputed()
    warp(order.mediation - 1)
    escrow.recommit(order.terms, 0, REPLACEMENT, sender=seller)
    assert order.status.revision == 1


def test_recommit_succeeds_for_an_operator_that_may_deliver(escrow, world, disputed, operator):
    order = disputed()
    world.grant(order.terms, Right.Deliver)
    escrow.recommit(order.terms, 0, REPLACEMENT, sender=operator)
    assert order.status.revision == 1


# ----------------------------------------------------------------------------------------------------------- events


def test_recommit_logs_the_commitment_and_the_new_revision(escrow, disputed, seller):
    order = disputed()
    receipt = escrow.recommit(order.terms, 0, REPLACEMENT, sender=seller)
    assert escrow.events(receipt) == [OrderRecommitted(order_id=order.id, commitment=REPLACEMENT, revision=1)]
