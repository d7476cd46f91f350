"""Rows 4, 10, 11 and 17: what the clock does, and anyone may trigger."""

import pytest

from kameng_escrow.domain.events import OrderClosed
from kameng_escrow.domain.refusals import NotPossible, TooEarly
from kameng_escrow.domain.states import Fault, Outcome, State
from tests.contracts.harness.world import NO_MEDIATOR, PRICE, reverts

OPEN = [State.Opened, State.Accepted, State.Delivered, State.Disputed]

# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("state", [State.Nothing, State.Closed])
def test_settle_reverts_where_no_clock_runs(escrow, world, keeper, warp, state):
    order = world.in_state(state)
    warp(world.evm.now + 10**9)
    with reverts(NotPossible(order.id, state)):
        escrow.settle(order.terms, sender=keeper)


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("name", ["buyer", "seller", "platform", "mediator", "keeper"])
def test_settle_reverts_before_the_deadline(escrow, world, warp, state, name, request):
    order = world.in_state(state)
    for moment in (order.entered, order.deadline - 1):
        warp(moment)
        with reverts(TooEarly(moment, order.deadline)):
            escrow.settle(order.terms, sender=request.getfixturevalue(name))


def test_settle_reverts_the_second_time(escrow, opened, keeper, warp):
    order = opened()
    warp(order.deadline)
    escrow.settle(order.terms, sender=keeper)
    with reverts(NotPossible(order.id, State.Closed)):
        escrow.settle(order.terms, sender=keeper)


# -------------------------------------------------------------------------------------------------------- successes


def test_settle_refunds_the_buyer_where_nobody_accepted(escrow, world, opened, coin, keeper, warp):
    order = opened(token=coin)
    warp(order.deadline)
    with world.moves(coin, {"escrow": -PRICE, "refund_to": PRICE}):
        escrow.settle(order.terms, sender=keeper)
    assert (order.status.outcome, order.status.fault) == (Outcome.Expired, Fault.Nobody)


def test_settle_gives_the_buyer_price_and_bond_where_the_seller_did_not_deliver(
    escrow, world, accepted, coin, keeper, warp
):
    order = accepted(token=coin)
    warp(order.deadline)
    P, B = order.sums.P, order.sums.B
    with world.moves(coin, {"escrow": -(P + B), "refund_to": P + B}):
        escrow.settle(order.terms, sender=keeper)
    assert (order.status.outcome, order.status.fault) == (Outcome.Undelivered, Fault.Seller)


def test_settle_pays_the_seller_where_the_buyer_was_silent(escrow, world, delivered, coin, keeper, warp):
    order = delivered(token=coin)
    warp(order.deadline)
    P, B, f = order.sums.P, order.sums.B, order.sums.f
    with world.moves(coin, {"escrow": -(P - f(P)), "pay_to": P - f(P), "fees": f(P), "bond of seller": B}):
        escrow.settle(order.terms, sender=keeper)
    assert (order.status.outcome, order.status.fault) == (Outcome.Released, Fault.Nobody)


@pytest.mark.parametrize("share", [0, 1, 4_000, 9_999, 10_000])
def test_settle_pays_the_promised_split_where_nobody_ruled(
    escrow, world, disputed, make_policy, coin, keeper, warp, share
):
    """Without a platform fee, and with both bonds back."""
    order = disputed(token=coin, policy=make_policy(silence_share_bps=share))
    warp(order.deadline)
    D, E, b, s = order.sums.D, order.sums.E, order.sums.b, order.sums.s
    with world.moves(coin, {"escrow": -(D + E), "refund_to": D - s + E, "pay_to": s, "bond of seller": b}):
        escrow.settle(order.terms, sender=keeper)
    assert (order.status.outcome, order.status.fault) == (Outcome.Defaulted, Fault.Mediator)


def test_settle_of_a_dispute_in_numbers(escrow, world, disputed, coin, keeper, warp):
    order = disputed(token=coin)
    warp(order.deadline)
    with world.moves(
        coin,
        {
            "escrow": -34_500_003,  # 30,000,003 in dispute and the dispute bond
            "refund_to": 12_000_002 + 4_500_000,  # 40 %, rounded up, and the bond
            "pay_to": 18_000_001,  # 60 %, rounded down
            "bond of seller": 9_000_000,
        },
    ):
        escrow.settle(order.terms, sender=keeper)


def test_settle_finds_no_fault_where_the_policy_has_no_mediator(
    escrow, world, disputed, make_policy, coin, keeper, warp
):
    order = disputed(token=coin, policy=make_policy(**NO_MEDIATOR))
    warp(order.deadline)
    D, E, b, s = order.sums.D, order.sums.E, order.sums.b, order.sums.s
    with world.moves(coin, {"escrow": -(D + E), "refund_to": D - s + E, "pay_to": s, "bond of seller": b}):
        escrow.settle(order.terms, sender=keeper)
    assert (order.status.outcome, order.status.fault) == (Outcome.Defaulted, Fault.Nobody)


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("late", [0, 1, 10**9])
def test_settle_succeeds_from_the_deadline_on(escrow, world, keeper, warp, state, late):
    order = world.in_state(state)
    warp(order.deadline + late)
    escrow.settle(order.terms, sender=keeper)
    assert order.status.state == State.Closed
    assert order.status.deadline == world.evm.now


@pytest.mark.parametrize("state", OPEN)
def test_settle_succeeds_once_the_policy_is_retired_and_its_review_overdue(
    escrow, world, platform, keeper, warp, state
):
    order = world.in_state(state)
    escrow.retirePolicy(order.terms.policy_id, sender=platform)
    warp(world.evm.now + 400 * 86_400)
    escrow.settle(order.terms, sender=keeper)
    assert order.status.state == State.Closed


@pytest.mark.parametrize("units", [1, 10])
def test_settle_divides_a_single_base_unit(escrow, world, disputed, coin, keeper, warp, units):
    """The seller's part rounds down, so the buyer has it."""
    order = disputed(token=coin, price=1, units=units, k=1)
    warp(order.deadline)
    with world.moves(coin, {"escrow": -1, "refund_to": 1}):
        escrow.settle(order.terms, sender=keeper)


# ----------------------------------------------------------------------------------------------------------- events


def test_settle_logs_every_share(escrow, world, keeper, warp):
    for state, outcome, fault in (
        (State.Opened, Outcome.Expired, Fault.Nobody),
        (State.Accepted, Outcome.Undelivered, Fault.Seller),
        (State.Delivered, Outcome.Released, Fault.Nobody),
        (State.Disputed, Outcome.Defaulted, Fault.Mediator),
    ):
        order = world.in_state(state)
        sums, f = order.sums, order.sums.f
        to_buyer, to_seller, fee, bond = {
            State.Opened: (PRICE, 0, 0, 0),
            State.Accepted: (PRICE + sums.B, 0, 0, 0),
            State.Delivered: (0, PRICE - f(PRICE), f(PRICE), sums.B),
            State.Disputed: (sums.D - sums.s + sums.E, sums.s, 0, sums.b),
        }[state]
        warp(order.deadline)
        assert escrow.events(escrow.settle(order.terms, sender=keeper)) == [
            OrderClosed(
                order_id=order.id,
                outcome=outcome,
                fault=fault,
                to_buyer=to_buyer,
                to_seller=to_seller,
                platform_fee=fee,
                bond_returned=bond,
            )
        ]
