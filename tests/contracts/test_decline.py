"""Rows 4 and 8: the seller withdraws before delivering."""

import pytest

from kameng_escrow.domain.events import OrderClosed
from kameng_escrow.domain.refusals import NoRight, NotPossible, TooLate, WrongState
from kameng_escrow.domain.states import Fault, Outcome, Right, State
from tests.contracts.harness.world import PRICE, reverts

STATES = list(State)
IMPOSSIBLE = [State.Nothing, State.Delivered, State.Disputed, State.Closed]

# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("expected", STATES)
def test_decline_reverts_in_another_state_than_expected(escrow, world, seller, expected):
    for actual in STATES:
        if actual != expected:
            order = world.in_state(actual)
            with reverts(WrongState(order.id, actual, expected)):
                escrow.decline(order.terms, expected, sender=seller)


@pytest.mark.parametrize("state", IMPOSSIBLE)
def test_decline_reverts_before_opening_and_from_delivery_on(escrow, world, seller, state):
    order = world.in_state(state)
    with reverts(NotPossible(order.id, state)):
        escrow.decline(order.terms, state, sender=seller)


@pytest.mark.parametrize("state", [State.Opened, State.Accepted])
@pytest.mark.parametrize("name", ["buyer", "pay_to", "platform", "mediator", "operator", "stranger"])
def test_decline_reverts_for_everybody_but_the_seller(escrow, world, name, state, request):
    order = world.in_state(state)
    other = request.getfixturevalue(name)
    with reverts(NoRight(other, Right.Decline)):
        escrow.decline(order.terms, state, sender=other)


def test_decline_reverts_in_accepted_from_the_deadline_on(escrow, world, accepted, seller, warp):
    order = accepted()
    for late in (0, 1, 1_000_000):
        warp(order.deadline + late)
        with reverts(TooLate(world.evm.now, order.deadline)):
            escrow.decline(order.terms, State.Accepted, sender=seller)


def test_decline_checks_its_guards_in_order(escrow, accepted, seller, stranger, warp):
    order = accepted()
    warp(order.deadline)
    with reverts(WrongState(order.id, State.Accepted, State.Opened)):
        escrow.decline(order.terms, State.Opened, sender=stranger)
    with reverts(NoRight(stranger, Right.Decline)):
        escrow.decline(order.terms, State.Accepted, sender=stranger)
    with reverts(TooLate(order.deadline, order.deadline)):
        escrow.decline(order.terms, State.Accepted, sender=seller)


# -------------------------------------------------------------------------------------------------------- successes


def test_decline_in_opened_refunds_the_price(escrow, world, opened, coin, seller):
    order = opened(token=coin)
    with world.moves(coin, {"escrow": -PRICE, "refund_to": PRICE}):
        escrow.decline(order.terms, State.Opened, sender=seller)


def test_decline_in_accepted_costs_the_seller_the_larger_half_of_the_bond(escrow, world, accepted, coin, seller):
    order = accepted(token=coin, price=100_000_010)
    P, B = order.sums.P, order.sums.B
    assert B == 30_000_003  # odd, so that the halves differ
    with world.moves(coin, {"escrow": -(P + 15_000_002), "refund_to": P + 15_000_002, "bond of seller": 15_000_001}):
        escrow.decline(order.terms, State.Accepted, sender=seller)


def test_decline_in_accepted_costs_nothing_without_a_bond(escrow, world, accepted, make_policy, coin, seller):
    order = accepted(token=coin, policy=make_policy(seller_bond_bps=0, mediation_fee_bps=0))
    with world.moves(coin, {"escrow": -PRICE, "refund_to": PRICE}):
        escrow.decline(order.terms, State.Accepted, sender=seller)


def test_decline_in_opened_succeeds_at_any_time_before_somebody_settles(escrow, opened, seller, warp):
    for late in (-1, 0, 1, 1_000_000):
        order = opened()
        warp(order.deadline + late)
        escrow.decline(order.terms, State.Opened, sender=seller)
        assert order.status.outcome == Outcome.Declined


def test_decline_in_accepted_succeeds_until_the_second_before_the_deadline(escrow, accepted, seller, warp):
    order = accepted()
    warp(order.deadline - 1)
    escrow.decline(order.terms, State.Accepted, sender=seller)
    assert order.status.outcome == Outcome.Declined


@pytest.mark.parametrize("state", [State.Opened, State.Accepted])
def test_decline_succeeds_for_an_operator_with_the_right(escrow, world, operator, state):
    order = world.in_state(state)
    world.grant(order.terms, Right.Decline)
    escrow.decline(order.terms, state, sender=operator)
    assert order.status.outcome == Outcome.Declined


@pytest.mark.parametrize(("state", "fault"), [(State.Opened, Fault.Nobody), (State.Accepted, Fault.Seller)])
def test_decline_closes_the_order(escrow, world, seller, warp, state, fault):
    order = world.in_state(state)
    warp(world.evm.now + 17)
    escrow.decline(order.terms, state, sender=seller)
    status = order.status
    assert (status.state, status.outcome, status.fault) == (State.Closed, Outcome.Declined, fault)
    assert status.deadline == world.evm.now


# ----------------------------------------------------------------------------------------------------------- events


def test_decline_in_opened_logs_every_share(escrow, opened, seller):
    order = opened()
    receipt = escrow.decline(order.terms, State.Opened, sender=seller)
    assert escrow.events(receipt) == [
        OrderClosed(
            order_id=order.id,
            outcome=Outcome.Declined,
            fault=Fault.Nobody,
            to_buyer=PRICE,
            to_seller=0,
            platform_fee=0,
            bond_returned=0,
        )
    ]


def test_decline_in_accepted_logs_every_share(escrow, accepted, seller):
    order = accepted()
    B = order.sums.B
    receipt = escrow.decline(order.terms, State.Accepted, sender=seller)
    assert escrow.events(receipt) == [
        OrderClosed(
            order_id=order.id,
            outcome=Outcome.Declined,
            fault=Fault.Seller,
            to_buyer=PRICE + B - B // 2,
            to_seller=0,
            platform_fee=0,
            bond_returned=B // 2,
        )
    ]
