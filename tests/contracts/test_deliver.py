"""Row 6: the seller has delivered."""

import pytest

from kameng_escrow.domain.events import OrderDelivered
from kameng_escrow.domain.refusals import EmptyCommitment, NoRight, TooLate, WrongState
from kameng_escrow.domain.states import Right, State
from tests.contracts.harness.world import COMMITMENT, POLICY, reverts

NOTHING = "0x" + "00" * 32

# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("state", [State.Nothing, State.Opened, State.Delivered, State.Disputed, State.Closed])
def test_deliver_reverts_in_every_other_state(escrow, world, seller, state):
    order = world.in_state(state)
    with reverts(WrongState(order.id, state, State.Accepted)):
        escrow.deliver(order.terms, COMMITMENT, sender=seller)


@pytest.mark.parametrize("name", ["buyer", "pay_to", "platform", "mediator", "operator", "stranger"])
def test_deliver_reverts_for_everybody_but_the_seller(escrow, accepted, name, request):
    order = accepted()
    other = request.getfixturevalue(name)
    with reverts(NoRight(other, Right.Deliver)):
        escrow.deliver(order.terms, COMMITMENT, sender=other)


def test_deliver_reverts_from_the_deadline_on(escrow, world, accepted, seller, warp):
    order = accepted()
    for late in (0, 1, 1_000_000):
        warp(order.deadline + late)
        with reverts(TooLate(world.evm.now, order.deadline)):
            escrow.deliver(order.terms, COMMITMENT, sender=seller)


def test_deliver_reverts_without_a_commitment(escrow, accepted, seller):
    order = accepted()
    with reverts(EmptyCommitment()):
        escrow.deliver(order.terms, NOTHING, sender=seller)


def test_deliver_checks_its_guards_in_order(escrow, accepted, seller, stranger, warp):
    order = accepted()
    warp(order.deadline)
    with reverts(NoRight(stranger, Right.Deliver)):
        escrow.deliver(order.terms, NOTHING, sender=stranger)
    with reverts(TooLate(order.deadline, order.deadline)):
        escrow.deliver(order.terms, NOTHING, sender=seller)
    escrow.settle(order.terms, sender=stranger)
    with reverts(WrongState(order.id, State.Closed, State.Accepted)):
        escrow.deliver(order.terms, NOTHING, sender=stranger)


# -------------------------------------------------------------------------------------------------------- successes


def test_deliver_moves_no_money(escrow, world, accepted, coin, seller):
    order = accepted(token=coin)
    with world.moves(coin, {}):
        escrow.deliver(order.terms, COMMITMENT, sender=seller)


def test_deliver_starts_the_inspect_window(escrow, world, accepted, seller, warp):
    order = accepted()
    warp(world.evm.now + 17)
    escrow.deliver(order.terms, COMMITMENT, sender=seller)
    assert order.status.state == State.Delivered
    assert order.status.deadline == world.evm.now + POLICY.inspect_window


def test_deliver_succeeds_until_the_second_before_the_deadline(escrow, accepted, seller, warp):
    order = accepted()
    warp(order.deadline - 1)
    escrow.deliver(order.terms, COMMITMENT, sender=seller)
    assert order.status.state == State.Delivered


def test_deliver_succeeds_for_an_operator_with_the_right(escrow, world, accepted, operator):
    order = accepted()
    world.grant(order.terms, Right.Deliver)
    escrow.deliver(order.terms, COMMITMENT, sender=operator)
    assert order.status.state == State.Delivered


# ----------------------------------------------------------------------------------------------------------- events


def test_deliver_logs_the_commitment(escrow, accepted, seller):
    order = accepted()
    receipt = escrow.deliver(order.terms, COMMITMENT, sender=seller)
    assert escrow.events(receipt) == [OrderDelivered(order_id=order.id, commitment=COMMITMENT)]
