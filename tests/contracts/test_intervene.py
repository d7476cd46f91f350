"""Rows 5 and 9: the platform refunds the buyer in full before delivery."""

import pytest

from kameng_escrow.domain.events import OrderClosed
from kameng_escrow.domain.refusals import ConflictOfInterest, NotPossible, TooLate, Unauthorized, WrongState
from kameng_escrow.domain.states import Fault, Outcome, State
from tests.contracts.harness.world import POLICY, PRICE, reverts

POSSIBLE = [State.Opened, State.Accepted]

# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("expected", list(State))
def test_intervene_reverts_in_another_state_than_expected(escrow, world, platform, expected):
    for actual in State:
        if actual != expected:
            order = world.in_state(actual)
            with reverts(WrongState(order.id, actual, expected)):
                escrow.intervene(order.terms, expected, sender=platform)


@pytest.mark.parametrize("state", [State.Nothing, State.Delivered, State.Disputed, State.Closed])
def test_intervene_reverts_before_opening_and_from_delivery_on(escrow, world, platform, state):
    order = world.in_state(state)
    with reverts(NotPossible(order.id, state)):
        escrow.intervene(order.terms, state, sender=platform)


@pytest.mark.parametrize("state", POSSIBLE)
@pytest.mark.parametrize("name", ["buyer", "seller", "mediator", "fee_receiver", "operator", "stranger"])
def test_intervene_reverts_for_everybody_but_the_platform(escrow, world, platform, name, state, request):
    order = world.in_state(state)
    other = request.getfixturevalue(name)
    with reverts(Unauthorized(other, platform)):
        escrow.intervene(order.terms, state, sender=other)


def test_intervene_reverts_for_the_platform_of_another_policy(escrow, opened, make_policy, platform, stranger):
    make_policy(platform=stranger)
    order = opened()
    with reverts(Unauthorized(stranger, platform)):
        escrow.intervene(order.terms, State.Opened, sender=stranger)


@pytest.mark.parametrize("state", POSSIBLE)
@pytest.mark.parametrize("party", ["buyer", "seller"])
def test_intervene_reverts_where_the_platform_is_a_party(escrow, world, make_policy, party, state, request):
    account = request.getfixturevalue(party)
    order = world.in_state(state, policy=make_policy(platform=account))
    with reverts(ConflictOfInterest(account)):
        escrow.intervene(order.terms, state, sender=account)


@pytest.mark.parametrize("state", POSSIBLE)
def test_intervene_reverts_from_the_deadline_on(escrow, world, platform, warp, state):
    order = world.in_state(state)
    for late in (0, 1, 1_000_000):
        warp(order.deadline + late)
        with reverts(TooLate(world.evm.now, order.deadline)):
            escrow.intervene(order.terms, state, sender=platform)


def test_intervene_checks_its_guards_in_order(escrow, opened, make_policy, seller, stranger, warp):
    order = opened(policy=make_policy(platform=seller))
    warp(order.deadline)
    with reverts(WrongState(order.id, State.Opened, State.Accepted)):
        escrow.intervene(order.terms, State.Accepted, sender=stranger)
    with reverts(Unauthorized(stranger, seller)):
        escrow.intervene(order.terms, State.Opened, sender=stranger)
    with reverts(ConflictOfInterest(seller)):
        escrow.intervene(order.terms, State.Opened, sender=seller)


# -------------------------------------------------------------------------------------------------------- successes


def test_intervene_in_opened_refunds_the_price(escrow, world, opened, coin, platform):
    order = opened(token=coin)
    with world.moves(coin, {"escrow": -PRICE, "refund_to": PRICE}):
        escrow.intervene(order.terms, State.Opened, sender=platform)


def test_intervene_in_accepted_refunds_the_price_and_gives_the_bond_back(escrow, world, accepted, coin, platform):
    order = accepted(token=coin)
    with world.moves(coin, {"escrow": -PRICE, "refund_to": PRICE, "bond of seller": order.sums.B}):
        escrow.intervene(order.terms, State.Accepted, sender=platform)


@pytest.mark.parametrize("state", POSSIBLE)
def test_intervene_succeeds_until_the_second_before_the_deadline(escrow, world, platform, warp, state):
    order = world.in_state(state)
    warp(order.deadline - 1)
    escrow.intervene(order.terms, state, sender=platform)
    assert order.status.outcome == Outcome.Intervened


def test_intervene_succeeds_under_a_retired_policy(escrow, world, opened, platform):
    order = opened()
    escrow.retirePolicy(world.policy_id(POLICY), sender=platform)
    escrow.intervene(order.terms, State.Opened, sender=platform)
    assert order.status.outcome == Outcome.Intervened


@pytest.mark.parametrize("state", POSSIBLE)
def test_intervene_closes_the_order(escrow, world, platform, warp, state):
    order = world.in_state(state)
    warp(world.evm.now + 17)
    escrow.intervene(order.terms, state, sender=platform)
    status = order.status
    assert (status.state, status.outcome, status.fault) == (State.Closed, Outcome.Intervened, Fault.Platform)
    assert status.deadline == world.evm.now


# ----------------------------------------------------------------------------------------------------------- events


@pytest.mark.parametrize("state", POSSIBLE)
def test_intervene_logs_every_share(escrow, world, platform, state):
    order = world.in_state(state)
    receipt = escrow.intervene(order.terms, state, sender=platform)
    assert escrow.events(receipt) == [
        OrderClosed(
            order_id=order.id,
            outcome=Outcome.Intervened,
            fault=Fault.Platform,
            to_buyer=PRICE,
            to_seller=0,
            platform_fee=0,
            bond_returned=order.sums.B if state == State.Accepted else 0,
        )
    ]
