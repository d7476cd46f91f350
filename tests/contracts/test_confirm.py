"""Rows 11 and 15: the buyer is content, and the seller is paid."""

import pytest

from kameng_escrow.domain.events import OrderClosed
from kameng_escrow.domain.refusals import NotPossible, TooLate, Unauthorized, WrongState
from kameng_escrow.domain.states import Fault, Outcome, State
from tests.contracts.harness.world import reverts

STATES = list(State)
POSSIBLE = [State.Accepted, State.Delivered, State.Disputed]

# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("expected", STATES)
def test_confirm_reverts_in_another_state_than_expected(escrow, world, buyer, expected):
    for actual in STATES:
        if actual != expected:
            order = world.in_state(actual)
            with reverts(WrongState(order.id, actual, expected)):
                escrow.confirm(order.terms, expected, sender=buyer)


@pytest.mark.parametrize("state", [State.Nothing, State.Opened, State.Closed])
def test_confirm_reverts_where_there_is_nothing_to_confirm(escrow, world, buyer, state):
    order = world.in_state(state)
    with reverts(NotPossible(order.id, state)):
        escrow.confirm(order.terms, state, sender=buyer)


@pytest.mark.parametrize("state", POSSIBLE)
@pytest.mark.parametrize("name", ["seller", "refund_to", "payer", "platform", "mediator", "operator", "stranger"])
def test_confirm_reverts_for_everybody_but_the_buyer(escrow, world, buyer, name, state, request):
    order = world.in_state(state)
    other = request.getfixturevalue(name)
    with reverts(Unauthorized(other, buyer)):
        escrow.confirm(order.terms, state, sender=other)


def test_confirm_reverts_in_disputed_once_mediation_begins(escrow, world, disputed, buyer, warp):
    order = disputed()
    for moment in (order.mediation, order.mediation + 1, order.deadline, order.deadline + 1):
        warp(moment)
        with reverts(TooLate(moment, order.mediation)):
            escrow.confirm(order.terms, State.Disputed, sender=buyer)


def test_confirm_checks_its_guards_in_order(escrow, disputed, buyer, stranger, warp):
    order = disputed()
    warp(order.mediation)
    with reverts(WrongState(order.id, State.Disputed, State.Opened)):
        escrow.confirm(order.terms, State.Opened, sender=stranger)
    with reverts(Unauthorized(stranger, buyer)):
        escrow.confirm(order.terms, State.Disputed, sender=stranger)
    with reverts(TooLate(order.mediation, order.mediation)):
        escrow.confirm(order.terms, State.Disputed, sender=buyer)


# -------------------------------------------------------------------------------------------------------- successes


@pytest.mark.parametrize("state", [State.Accepted, State.Delivered])
def test_confirm_pays_seller_and_platform_and_gives_the_bond_back(escrow, world, coin, buyer, state):
    order = world.in_state(state, token=coin)
    P, B, f = order.sums.P, order.sums.B, order.sums.f
    with world.moves(coin, {"escrow": -(P - f(P)), "pay_to": P - f(P), "fees": f(P), "bond of seller": B}):
        escrow.confirm(order.terms, state, sender=buyer)


def test_confirm_in_disputed_pays_the_seller_and_gives_both_bonds_back(escrow, world, disputed, coin, buyer):
    order = disputed(token=coin, k=3)
    D, E, b, f = order.sums.D, order.sums.E, order.sums.b, order.sums.f
    with world.moves(
        coin,
        {"escrow": -(D - f(D) + E), "pay_to": D - f(D), "fees": f(D), "refund_to": E, "bond of seller": b},
    ):
        escrow.confirm(order.terms, State.Disputed, sender=buyer)


def test_confirm_pays_everything_to_the_seller_where_the_platform_takes_no_fee(
    escrow, world, delivered, make_policy, coin, buyer
):
    order = delivered(token=coin, policy=make_policy(platform_fee_bps=0))
    with world.moves(coin, {"escrow": -order.sums.P, "pay_to": order.sums.P, "bond of seller": order.sums.B}):
        escrow.confirm(order.terms, State.Delivered, sender=buyer)


@pytest.mark.parametrize("state", POSSIBLE)
def test_confirm_closes_the_order(escrow, world, buyer, warp, state):
    order = world.in_state(state)
    warp(world.evm.now + 17)
    escrow.confirm(order.terms, state, sender=buyer)
    status = order.status
    assert (status.state, status.outcome, status.fault) == (State.Closed, Outcome.Confirmed, Fault.Nobody)
    assert status.deadline == world.evm.now


@pytest.mark.parametrize("state", [State.Accepted, State.Delivered])
def test_confirm_succeeds_at_any_time_before_somebody_settles(escrow, world, buyer, warp, state):
    for late in (-1, 0, 1, 1_000_000):
        order = world.in_state(state)
        warp(order.deadline + late)
        escrow.confirm(order.terms, state, sender=buyer)
        assert order.status.outcome == Outcome.Confirmed


def test_confirm_succeeds_in_disputed_until_the_second_before_mediation(escrow, disputed, buyer, warp):
    order = disputed()
    warp(order.mediation - 1)
    escrow.confirm(order.terms, State.Disputed, sender=buyer)
    assert order.status.outcome == Outcome.Confirmed


# ----------------------------------------------------------------------------------------------------------- events


def test_confirm_logs_every_share(escrow, delivered, buyer):
    order = delivered()
    P, B, f = order.sums.P, order.sums.B, order.sums.f
    receipt = escrow.confirm(order.terms, State.Delivered, sender=buyer)
    assert escrow.events(receipt) == [
        OrderClosed(
            order_id=order.id,
            outcome=Outcome.Confirmed,
            fault=Fault.Nobody,
            to_buyer=0,
            to_seller=P - f(P),
            platform_fee=f(P),
            bond_returned=B,
        )
    ]


def test_confirm_in_disputed_logs_every_share(escrow, disputed, buyer):
    order = disputed(k=3)
    D, E, b, f = order.sums.D, order.sums.E, order.sums.b, order.sums.f
    receipt = escrow.confirm(order.terms, State.Disputed, sender=buyer)
    assert escrow.events(receipt) == [
        OrderClosed(
            order_id=order.id,
            outcome=Outcome.Confirmed,
            fault=Fault.Nobody,
            to_buyer=E,
            to_seller=D - f(D),
            platform_fee=f(D),
            bond_returned=b,
        )
    ]
