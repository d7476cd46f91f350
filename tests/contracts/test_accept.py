"""Row 3: the seller takes an order on."""

import pytest

from kameng_escrow.domain.events import OrderAccepted
from kameng_escrow.domain.refusals import BondShort, NoRight, TooLate, WrongState
from kameng_escrow.domain.states import Fault, Outcome, Right, State
from tests.contracts.harness.world import POLICY, reverts

# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "state",
    [State.Nothing, State.Accepted, State.Delivered, State.Disputed, State.Closed],
)
def test_accept_reverts_in_every_other_state(escrow, world, seller, state):
    order = world.in_state(state)
    with reverts(WrongState(order.id, state, State.Opened)):
        escrow.accept(order.terms, sender=seller)


@pytest.mark.parametrize("name", ["buyer", "pay_to", "platform", "mediator", "operator", "stranger"])
def test_accept_reverts_for_everybody_but_the_seller(escrow, world, opened, name, request):
    order = opened()
    world.fund_bond(order)
    other = request.getfixturevalue(name)
    with reverts(NoRight(other, Right.Accept)):
        escrow.accept(order.terms, sender=other)


def test_accept_reverts_from_the_deadline_on(escrow, world, opened, seller, warp):
    order = opened()
    world.fund_bond(order)
    for late in (0, 1, 1_000_000):
        warp(order.deadline + late)
        with reverts(TooLate(world.evm.now, order.deadline)):
            escrow.accept(order.terms, sender=seller)


def test_accept_reverts_where_the_bond_is_short(escrow, world, opened, coin, seller):
    order = opened(token=coin)
    bond = order.sums.B
    escrow.fundBond(seller, coin, bond - 1, sender=seller, value=world.value(order.terms, bond - 1))
    with reverts(BondShort(seller, coin, bond - 1, bond)):
        escrow.accept(order.terms, sender=seller)


def test_accept_checks_its_guards_in_order(escrow, world, opened, seller, stranger, warp):
    order = opened()
    warp(order.deadline)
    with reverts(NoRight(stranger, Right.Accept)):
        escrow.accept(order.terms, sender=stranger)
    with reverts(TooLate(order.deadline, order.deadline)):
        escrow.accept(order.terms, sender=seller)
    escrow.settle(order.terms, sender=stranger)
    with reverts(WrongState(order.id, State.Closed, State.Opened)):
        escrow.accept(order.terms, sender=stranger)


# -------------------------------------------------------------------------------------------------------- successes


def test_accept_locks_the_bond(escrow, world, opened, coin, seller):
    order = opened(token=coin)
    world.fund_bond(order)
    with world.moves(coin, {"bond of seller": -order.sums.B}):
        escrow.accept(order.terms, sender=seller)
    assert escrow.bondOf(seller, coin) == 0


def test_accept_starts_the_deliver_window(escrow, world, opened, seller, warp):
    order = opened()
    world.fund_bond(order)
    warp(world.evm.now + 17)
    escrow.accept(order.terms, sender=seller)
    status = order.status
    assert status.state == State.Accepted
    assert status.deadline == world.evm.now + POLICY.deliver_window
    assert (status.outcome, status.fault, status.disputed_units) == (Outcome.Nothing, Fault.Nobody, 0)


def test_accept_succeeds_until_the_second_before_the_deadline(escrow, world, opened, seller, warp):
    order = opened()
    world.fund_bond(order)
    warp(order.deadline - 1)
    escrow.accept(order.terms, sender=seller)
    assert order.status.state == State.Accepted


def test_accept_needs_no_bond_where_the_policy_has_none(escrow, world, opened, make_policy, coin, seller):
    order = opened(token=coin, policy=make_policy(seller_bond_bps=0, mediation_fee_bps=0))
    with world.moves(coin, {}):
        escrow.accept(order.terms, sender=seller)
    assert order.status.state == State.Accepted


def test_accept_rounds_the_bond_down(escrow, world, opened, coin, seller):
    """30 % of 3 base units is nothing."""
    order = opened(token=coin, price=3)
    with world.moves(coin, {}):
        escrow.accept(order.terms, sender=seller)


def test_accept_keeps_the_revision(escrow, world, opened, buyer, seller):
    order = opened()
    world.fund_bond(order)
    escrow.revise(order.terms, 0, sender=buyer)
    escrow.accept(order.terms, sender=seller)
    assert order.status.revision == 1


def test_accept_succeeds_for_an_operator_with_the_right(escrow, world, opened, coin, operator):
    order = opened(token=coin)
    world.fund_bond(order)
    world.grant(order.terms, Right.Accept)
    with world.moves(coin, {"bond of seller": -order.sums.B}):
        escrow.accept(order.terms, sender=operator)


# ----------------------------------------------------------------------------------------------------------- events


def test_accept_logs_the_order(escrow, world, opened, seller):
    order = opened()
    world.fund_bond(order)
    assert escrow.events(escrow.accept(order.terms, sender=seller)) == [OrderAccepted(order_id=order.id)]
