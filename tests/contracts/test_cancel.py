"""Rows 4 and 7: the buyer withdraws."""

import pytest

from kameng_escrow.domain.events import OrderClosed
from kameng_escrow.domain.policy import NO_CANCEL
from kameng_escrow.domain.refusals import CancelNotAllowed, NotPossible, TooLate, Unauthorized, WrongState
from kameng_escrow.domain.states import Fault, Outcome, State
from tests.contracts.harness.world import PRICE, reverts

STATES = list(State)
IMPOSSIBLE = [State.Nothing, State.Delivered, State.Disputed, State.Closed]

# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("expected", STATES)
def test_cancel_reverts_in_another_state_than_expected(escrow, world, buyer, expected):
    for actual in STATES:
        if actual != expected:
            order = world.in_state(actual)
            with reverts(WrongState(order.id, actual, expected)):
                escrow.cancel(order.terms, expected, sender=buyer)


@pytest.mark.parametrize("state", IMPOSSIBLE)
def test_cancel_reverts_before_opening_and_from_delivery_on(escrow, world, buyer, state):
    order = world.in_state(state)
    with reverts(NotPossible(order.id, state)):
        escrow.cancel(order.terms, state, sender=buyer)


@pytest.mark.parametrize("state", [State.Opened, State.Accepted])
@pytest.mark.parametrize("name", ["seller", "refund_to", "payer", "platform", "mediator", "operator", "stranger"])
def test_cancel_reverts_for_everybody_but_the_buyer(escrow, world, buyer, name, state, request):
    order = world.in_state(state)
    other = request.getfixturevalue(name)
    with reverts(Unauthorized(other, buyer)):
        escrow.cancel(order.terms, state, sender=other)


def test_cancel_reverts_in_accepted_from_the_deadline_on(escrow, world, accepted, buyer, warp):
    order = accepted()
    for late in (0, 1, 1_000_000):
        warp(order.deadline + late)
        with reverts(TooLate(world.evm.now, order.deadline)):
            escrow.cancel(order.terms, State.Accepted, sender=buyer)


def test_cancel_reverts_in_accepted_where_the_policy_forbids_it(escrow, accepted, make_policy, buyer):
    order = accepted(policy=make_policy(cancel_fee_bps=NO_CANCEL))
    with reverts(CancelNotAllowed(order.id)):
        escrow.cancel(order.terms, State.Accepted, sender=buyer)


def test_cancel_checks_its_guards_in_order(escrow, accepted, make_policy, buyer, stranger, warp):
    order = accepted(policy=make_policy(cancel_fee_bps=NO_CANCEL))
    with reverts(CancelNotAllowed(order.id)):
        escrow.cancel(order.terms, State.Accepted, sender=buyer)
    warp(order.deadline)
    with reverts(TooLate(order.deadline, order.deadline)):
        escrow.cancel(order.terms, State.Accepted, sender=buyer)
    with reverts(Unauthorized(stranger, buyer)):
        escrow.cancel(order.terms, State.Accepted, sender=stranger)
    with reverts(WrongState(order.id, State.Accepted, State.Opened)):
        escrow.cancel(order.terms, State.Opened, sender=stranger)


# -------------------------------------------------------------------------------------------------------- successes


def test_cancel_in_opened_refunds_the_price(escrow, world, opened, coin, buyer):
    order = opened(token=coin)
    with world.moves(coin, {"escrow": -PRICE, "refund_to": PRICE}):
        escrow.cancel(order.terms, State.Opened, sender=buyer)


def test_cancel_in_opened_is_free_even_where_the_policy_forbids_it_later(
    escrow, world, opened, make_policy, coin, buyer
):
    order = opened(token=coin, policy=make_policy(cancel_fee_bps=NO_CANCEL))
    with world.moves(coin, {"escrow": -PRICE, "refund_to": PRICE}):
        escrow.cancel(order.terms, State.Opened, sender=buyer)


def test_cancel_in_accepted_pays_the_seller_the_cancel_fee_and_gives_the_bond_back(
    escrow, world, accepted, coin, buyer
):
    """The platform takes nothing of a cancel fee."""
    order = accepted(token=coin)
    C, B = order.sums.C, order.sums.B
    assert C == 5_000_000  # 5 % of 100,000,007, rounded down
    with world.moves(coin, {"escrow": -PRICE, "refund_to": PRICE - C, "pay_to": C, "bond of seller": B}):
        escrow.cancel(order.terms, State.Accepted, sender=buyer)


@pytest.mark.parametrize("fee", [0, 5_000])
def test_cancel_in_accepted_costs_what_the_policy_says(escrow, world, accepted, make_policy, coin, buyer, fee):
    order = accepted(token=coin, policy=make_policy(cancel_fee_bps=fee))
    C, B = order.sums.C, order.sums.B
    with world.moves(coin, {"escrow": -PRICE, "refund_to": PRICE - C, "pay_to": C, "bond of seller": B}):
        escrow.cancel(order.terms, State.Accepted, sender=buyer)


def test_cancel_in_opened_succeeds_at_any_time_before_somebody_settles(escrow, opened, buyer, warp):
    for late in (-1, 0, 1, 1_000_000):
        order = opened()
        warp(order.deadline + late)
        escrow.cancel(order.terms, State.Opened, sender=buyer)
        assert order.status.outcome == Outcome.Cancelled


def test_cancel_in_accepted_succeeds_until_the_second_before_the_deadline(escrow, accepted, buyer, warp):
    order = accepted()
    warp(order.deadline - 1)
    escrow.cancel(order.terms, State.Accepted, sender=buyer)
    assert order.status.outcome == Outcome.Cancelled


def test_a_cancel_meant_for_opened_does_nothing_once_the_seller_accepted(escrow, world, opened, buyer, seller):
    order = opened()
    world.fund_bond(order)
    escrow.accept(order.terms, sender=seller)
    with reverts(WrongState(order.id, State.Accepted, State.Opened)):
        escrow.cancel(order.terms, State.Opened, sender=buyer)


@pytest.mark.parametrize(("state", "fault"), [(State.Opened, Fault.Nobody), (State.Accepted, Fault.Buyer)])
def test_cancel_closes_the_order(escrow, world, buyer, warp, state, fault):
    order = world.in_state(state)
    warp(world.evm.now + 17)
    escrow.cancel(order.terms, state, sender=buyer)
    status = order.status
    assert (status.state, status.outcome, status.fault) == (State.Closed, Outcome.Cancelled, fault)
    assert status.deadline == world.evm.now


# ----------------------------------------------------------------------------------------------------------- events


def test_cancel_in_opened_logs_every_share(escrow, opened, buyer):
    order = opened()
    receipt = escrow.cancel(order.terms, State.Opened, sender=buyer)
    assert escrow.events(receipt) == [
        OrderClosed(
            order_id=order.id,
            outcome=Outcome.Cancelled,
            fault=Fault.Nobody,
            to_buyer=PRICE,
            to_seller=0,
            platform_fee=0,
            bond_returned=0,
        )
    ]


def test_cancel_in_accepted_logs_every_share(escrow, accepted, buyer):
    order = accepted()
    receipt = escrow.cancel(order.terms, State.Accepted, sender=buyer)
    assert escrow.events(receipt) == [
        OrderClosed(
            order_id=order.id,
            outcome=Outcome.Cancelled,
            fault=Fault.Buyer,
            to_buyer=PRICE - order.sums.C,
            to_seller=order.sums.C,
            platform_fee=0,
            bond_returned=order.sums.B,
        )
    ]
