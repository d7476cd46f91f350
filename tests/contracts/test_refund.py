"""Rows 12 and 14: the seller gives the money back after delivering."""

import pytest

from kameng_escrow.domain.events import OrderClosed
from kameng_escrow.domain.refusals import NoRight, NotPossible, TooLate, WrongState
from kameng_escrow.domain.states import Fault, Outcome, Right, State
from tests.contracts.harness.world import reverts

STATES = list(State)
POSSIBLE = [State.Delivered, State.Disputed]

# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("expected", STATES)
def test_refund_reverts_in_another_state_than_expected(escrow, world, seller, expected):
    for actual in STATES:
        if actual != expected:
            order = world.in_state(actual)
            with reverts(WrongState(order.id, actual, expected)):
                escrow.refund(order.terms, expected, sender=seller)


@pytest.mark.parametrize("state", [State.Nothing, State.Opened, State.Accepted, State.Closed])
def test_refund_reverts_before_delivery_and_after_the_end(escrow, world, seller, state):
    order = world.in_state(state)
    with reverts(NotPossible(order.id, state)):
        escrow.refund(order.terms, state, sender=seller)


@pytest.mark.parametrize("state", POSSIBLE)
@pytest.mark.parametrize("name", ["buyer", "pay_to", "platform", "mediator", "operator", "stranger"])
def test_refund_reverts_for_everybody_but_the_seller(escrow, world, name, state, request):
    order = world.in_state(state)
    other = request.getfixturevalue(name)
    with reverts(NoRight(other, Right.Refund)):
        escrow.refund(order.terms, state, sender=other)


def test_refund_reverts_in_disputed_once_mediation_begins(escrow, disputed, seller, warp):
    order = disputed()
    for moment in (order.mediation, order.mediation + 1, order.deadline, order.deadline + 1):
        warp(moment)
        with reverts(TooLate(moment, order.mediation)):
            escrow.refund(order.terms, State.Disputed, sender=seller)


def test_refund_checks_its_guards_in_order(escrow, disputed, seller, stranger, warp):
    order = disputed()
    warp(order.mediation)
    with reverts(WrongState(order.id, State.Disputed, State.Delivered)):
        escrow.refund(order.terms, State.Delivered, sender=stranger)
    with reverts(NoRight(stranger, Right.Refund)):
        escrow.refund(order.terms, State.Disputed, sender=stranger)
    with reverts(TooLate(order.mediation, order.mediation)):
        escrow.refund(order.terms, State.Disputed, sender=seller)


# -------------------------------------------------------------------------------------------------------- successes


def test_refund_in_delivered_costs_the_seller_the_larger_half_of_the_bond(escrow, world, delivered, coin, seller):
    """Else garbage, then a refund, would cost nothing."""
    order = delivered(token=coin, price=100_000_010)
    P, B = order.sums.P, order.sums.B
    assert B == 30_000_003  # odd, so that the halves differ
    with world.moves(coin, {"escrow": -(P + 15_000_002), "refund_to": P + 15_000_002, "bond of seller": 15_000_001}):
        escrow.refund(order.terms, State.Delivered, sender=seller)


def test_refund_in_disputed_gives_back_the_dispute_bond_and_what_is_left_of_the_sellers(
    escrow, world, disputed, coin, seller
):
    order = disputed(token=coin, k=3)
    D, E, b = order.sums.D, order.sums.E, order.sums.b
    assert (D, E, b) == (30_000_003, 4_500_000, 9_000_000)
    won = D + E + b - b // 2
    with world.moves(coin, {"escrow": -won, "refund_to": won, "bond of seller": b // 2}):
        escrow.refund(order.terms, State.Disputed, sender=seller)


def test_refund_costs_nothing_without_bonds(escrow, world, delivered, make_policy, coin, seller):
    order = delivered(token=coin, policy=make_policy(seller_bond_bps=0, mediation_fee_bps=0))
    P = order.sums.P
    with world.moves(coin, {"escrow": -P, "refund_to": P}):
        escrow.refund(order.terms, State.Delivered, sender=seller)


def test_refund_in_delivered_succeeds_at_any_time_before_somebody_settles(escrow, delivered, seller, warp):
    for late in (-1, 0, 1, 1_000_000):
        order = delivered()
        warp(order.deadline + late)
        escrow.refund(order.terms, State.Delivered, sender=seller)
        assert order.status.outcome == Outcome.Refunded


def test_refund_in_disputed_succeeds_until_the_second_before_mediation(escrow, disputed, seller, warp):
    order = disputed()
    warp(order.mediation - 1)
    escrow.refund(order.terms, State.Disputed, sender=seller)
    assert order.status.outcome == Outcome.Refunded


@pytest.mark.parametrize("state", POSSIBLE)
def test_refund_succeeds_for_an_operator_with_the_right(escrow, world, operator, state):
    order = world.in_state(state)
    world.grant(order.terms, Right.Refund)
    escrow.refund(order.terms, state, sender=operator)
    assert order.status.outcome == Outcome.Refunded


@pytest.mark.parametrize("state", POSSIBLE)
def test_refund_closes_the_order(escrow, world, seller, warp, state):
    order = world.in_state(state)
    warp(world.evm.now + 17)
    escrow.refund(order.terms, state, sender=seller)
    status = order.status
    assert (status.state, status.outcome, status.fault) == (State.Closed, Outcome.Refunded, Fault.Seller)
    assert status.deadline == world.evm.now


# ----------------------------------------------------------------------------------------------------------- events


@pytest.mark.parametrize("state", POSSIBLE)
def test_refund_logs_every_share(escrow, world, seller, state):
    order = world.in_state(state)
    sums = order.sums
    held, bond = (sums.D + sums.E, sums.b) if state == State.Disputed else (sums.P, sums.B)
    receipt = escrow.refund(order.terms, state, sender=seller)
    assert escrow.events(receipt) == [
        OrderClosed(
            order_id=order.id,
            outcome=Outcome.Refunded,
            fault=Fault.Seller,
            to_buyer=held + bond - bond // 2,
            to_seller=0,
            platform_fee=0,
            bond_returned=bond // 2,
        )
    ]
