"""A seller delivers all that it accepted at once."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.events import OrderDelivered
from kameng_escrow.domain.refusals import EmptyCommitment, LengthMismatch, NoRight
from kameng_escrow.domain.states import Right, State
from tests.contracts.harness.world import POLICY, reverts

NOTHING = "0x" + "00" * 32


def commitments(count):
    return [f"0x{i:064x}" for i in range(1, count + 1)]


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(("orders", "codes"), [(0, 1), (1, 0), (2, 1), (1, 2)])
def test_deliver_many_reverts_where_the_lists_differ_in_length(escrow, accepted, seller, orders, codes):
    terms = [accepted().terms for _ in range(orders)]
    with reverts(LengthMismatch(orders, codes)):
        escrow.deliverMany(terms, commitments(codes), sender=seller)


@pytest.mark.parametrize("name", ["platform", "operator", "stranger"])
def test_deliver_many_reverts_for_an_order_that_the_caller_may_not_deliver(
    escrow, world, accepted, seller, name, request
):
    other = request.getfixturevalue(name)
    foreign = accepted()
    with reverts(NoRight(other, Right.Deliver)):
        escrow.deliverMany([foreign.terms], commitments(1), sender=other)
    own = accepted(seller=other)
    with reverts(NoRight(other, Right.Deliver)):
        escrow.deliverMany([own.terms, foreign.terms], commitments(2), sender=other)
    assert own.status.state == State.Accepted


def test_deliver_many_reverts_without_a_commitment(escrow, accepted, seller):
    orders = [accepted(), accepted()]
    with reverts(EmptyCommitment()):
        escrow.deliverMany([order.terms for order in orders], [commitments(1)[0], NOTHING], sender=seller)


# -------------------------------------------------------------------------------------------------------- successes


def test_deliver_many_of_nothing_delivers_nothing(escrow, stranger):
    assert escrow.returned("deliverMany", escrow.deliverMany([], [], sender=stranger)) == 0


def test_deliver_many_delivers_what_is_accepted_and_skips_the_rest(escrow, world, seller):
    orders = [world.in_state(state) for state in State]
    receipt = escrow.deliverMany([order.terms for order in orders], commitments(6), sender=seller)
    assert escrow.returned("deliverMany", receipt) == 1
    assert [order.status.state for order in orders] == [
        State.Nothing,
        State.Opened,
        State.Delivered,
        State.Delivered,
        State.Disputed,
        State.Closed,
    ]
    assert escrow.events(receipt) == [OrderDelivered(order_id=orders[2].id, commitment=commitments(6)[2])]


@pytest.mark.parametrize("past", [0, 1, 1_000])
def test_deliver_many_skips_from_the_deadline_on(escrow, world, accepted, seller, warp, past):
    late = accepted()
    warp(world.evm.now + past + 1)
    timely = accepted()
    warp(late.deadline + past)  # the second before the other's
    receipt = escrow.deliverMany([late.terms, timely.terms], commitments(2), sender=seller)
    assert escrow.returned("deliverMany", receipt) == 1
    assert (late.status.state, timely.status.state) == (State.Accepted, State.Delivered)


def test_deliver_many_skips_what_it_could_not_deliver_even_for_a_stranger(escrow, opened, stranger):
    order = opened()
    assert escrow.returned("deliverMany", escrow.deliverMany([order.terms], [NOTHING], sender=stranger)) == 0


def test_deliver_many_delivers_an_order_named_twice_once(escrow, accepted, seller):
    order = accepted()
    receipt = escrow.deliverMany([order.terms] * 2, commitments(2), sender=seller)
    assert escrow.events(receipt) == [OrderDelivered(order_id=order.id, commitment=commitments(1)[0])]


def test_deliver_many_starts_each_orders_inspect_window_and_moves_no_money(escrow, world, accepted, coin, seller, warp):
    long = replace(POLICY, inspect_window=2 * POLICY.inspect_window)
    orders = [accepted(token=coin), accepted(token=coin, policy=long)]
    warp(world.evm.now + 17)
    with world.moves(coin, {}):
        escrow.deliverMany([order.terms for order in orders], commitments(2), sender=seller)
    for order in orders:
        assert order.status.deadline == world.evm.now + order.policy.inspect_window


def test_deliver_many_succeeds_for_an_operator_of_several_sellers(escrow, world, accepted, seller, stranger, operator):
    orders = [accepted(seller=who, pay_to=who) for who in (seller, stranger)]
    for order in orders:
        world.grant(order.terms, Right.Deliver)
    receipt = escrow.deliverMany([order.terms for order in orders], commitments(2), sender=operator)
    assert escrow.events(receipt) == [
        OrderDelivered(order_id=order.id, commitment=commitment)
        for order, commitment in zip(orders, commitments(2), strict=True)
    ]
