"""The read-only companion tells what the chain holds, for many orders at once."""

import pytest

from kameng_escrow.domain.events import OrderClosed
from kameng_escrow.domain.refusals import PolicyUnknown
from kameng_escrow.domain.states import Fault, Outcome, State
from tests.contracts.harness.world import DAY, NO_MEDIATOR, POLICY, reverts

OPEN = [State.Opened, State.Accepted, State.Delivered, State.Disputed]


def test_the_lens_knows_its_escrow(escrow, lens):
    assert lens.escrow() == escrow.address


def test_nothing_is_asked_of_no_orders(lens):
    assert lens.stateOf([]) == []
    assert lens.dueAt([]) == []
    assert lens.nextAction([]) == []


def test_state_of_tells_each_order_apart(world, lens):
    orders = [world.in_state(state) for state in State]
    statuses = lens.stateOf([order.id for order in orders])
    assert [status.state for status in statuses] == list(State)
    assert [status.deadline for status in statuses] == [
        0,
        *(order.deadline for order in orders if order.state in OPEN),
        world.evm.now,
    ]
    assert [status.outcome for status in statuses] == [Outcome.Nothing] * 5 + [Outcome.Cancelled]
    assert {status.fault for status in statuses} == {Fault.Nobody}
    assert [status.disputed_units for status in statuses] == [0, 0, 0, 0, 3, 0]
    assert {status.revision for status in statuses} == {0}


def test_state_of_an_unknown_id_is_none(lens):
    [status] = lens.stateOf(["0x" + "77" * 32])
    assert (status.state, status.deadline) == (State.Nothing, 0)


def test_state_of_a_revision_before_the_opening(world, escrow, lens, seller):
    order = world.order()
    escrow.revise(order.terms, 0, sender=seller)
    assert (order.status.state, order.status.revision, order.status.deadline) == (State.Nothing, 1, 0)


def test_due_at_is_where_settling_begins(world, lens):
    orders = [world.in_state(state) for state in State]
    assert lens.dueAt([order.id for order in orders]) == [
        order.deadline if order.state in OPEN else 0 for order in orders
    ]


@pytest.mark.parametrize("overrides", [{}, NO_MEDIATOR], ids=["mediator", "no mediator"])
@pytest.mark.parametrize("state", OPEN)
def test_next_action_foretells_what_settling_pays(escrow, world, lens, make_policy, keeper, warp, state, overrides):
    order = world.in_state(state, policy=make_policy(**overrides))
    for moment, due in ((order.entered, False), (order.deadline - 1, False), (order.deadline, True)):
        warp(moment)
        [action] = lens.nextAction([order.terms])
        assert (action.state, action.due_at, action.due) == (state, order.deadline, due)
    foretold = action.closing
    [closed] = escrow.events(escrow.settle(order.terms, sender=keeper))
    assert closed == OrderClosed(order_id=order.id, **vars(foretold))


def test_next_action_of_an_order_that_is_not_open_is_none(world, lens, warp):
    orders = [world.order(), world.closed()]
    warp(world.evm.now + DAY)
    for order, action in zip(orders, lens.nextAction([order.terms for order in orders]), strict=True):
        assert (action.state, action.due_at, action.due) == (order.state, 0, False)
        assert set(vars(action.closing).values()) == {0}


def test_next_action_answers_in_the_order_of_the_list(world, lens):
    orders = [world.in_state(state) for state in (*reversed(State), *State)]
    actions = lens.nextAction([order.terms for order in orders])
    assert [action.state for action in actions] == [order.state for order in orders]


def test_policy_of_reverts_for_an_unknown_policy(lens):
    with reverts(PolicyUnknown("0x" + "77" * 32)):
        lens.policyOf("0x" + "77" * 32)


def test_policy_of_gives_the_policy_back(escrow, world, lens, platform):
    review_by = world.evm.now + DAY
    escrow.registerPolicy(POLICY, review_by, sender=platform)
    assert lens.policyOf(world.policy_id(POLICY)) == (POLICY, review_by, False)
