"""What the clock will do with an order and who may do what: just before, at and just after every deadline."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.actions import NextAction, Possibility, next_action, possible, roles_now
from kameng_escrow.domain.endings import ending, timeout
from kameng_escrow.domain.lifecycle import LIFECYCLE, Move, Who, half_time, mediator_now, negotiation_end
from kameng_escrow.domain.order import Order, Shares
from kameng_escrow.domain.policy import NO_CANCEL, ZERO_ADDRESS
from kameng_escrow.domain.shares import Closing
from kameng_escrow.domain.states import Fault, Outcome, Right, State
from tests.unit import histories as told
from tests.unit.histories import (
    BACKUP,
    BUYER,
    DEADLINES,
    DISPUTED,
    HALF,
    MEDIATOR,
    NEGOTIATED,
    OPEN_STATES,
    OPENED,
    PLATFORM,
    POLICY,
    SELLER,
    STRANGER,
    Told,
    each_ending,
    order_in,
    tell,
)

NO_MEDIATOR = replace(
    POLICY, mediator=ZERO_ADDRESS, backup_mediator=ZERO_ADDRESS, mediate_window=0, mediation_fee_bps=0
)
NOTHING = Order(id=told.ORDER, state=State.Nothing, revision=0)


def closing(outcome: Outcome, fault: Fault, *amounts: int) -> Closing:
    """Amounts: to the buyer, to the seller, platform fee, bond returned."""
    to_buyer, to_seller, platform_fee, bond_returned = amounts
    shares = Shares(to_buyer=to_buyer, to_seller=to_seller, platform_fee=platform_fee, bond_returned=bond_returned)
    return Closing(outcome=outcome, fault=fault, shares=shares)


BY_CLOCK = {
    State.Opened: closing(Outcome.Expired, Fault.Nobody, 1_000_007, 0, 0, 0),
    State.Accepted: closing(Outcome.Undelivered, Fault.Seller, 1_300_009, 0, 0, 0),
    State.Delivered: closing(Outcome.Released, Fault.Nobody, 0, 987_507, 12_500, 300_002),
    State.Disputed: closing(Outcome.Defaulted, Fault.Mediator, 165_002, 180_001, 0, 90_000),
}
each_open_state = pytest.mark.parametrize("state", OPEN_STATES, ids=lambda state: state.label)

# ---------------------------------------------------------------------------------------------------- what comes next


@each_open_state
@pytest.mark.parametrize(("seconds", "due"), [(-1, False), (0, True), (1, True)], ids=["before", "at", "after"])
def test_next_action_is_due_from_the_deadline_on(state: State, seconds: int, due: bool) -> None:
    deadline = DEADLINES[state]
    assert next_action(order_in(state), deadline + seconds) == NextAction(
        state=state, due_at=deadline, due=due, closing=BY_CLOCK[state]
    )


@each_ending
def test_closed_order_has_no_next_action(state: State, before: tuple[Told, ...], end: Told) -> None:
    order = tell(order_in(state), *before, end)
    assert next_action(order, DEADLINES[state]) == NextAction(state=State.Closed, due_at=None, due=False, closing=None)
    assert possible(order, BUYER, DEADLINES[state]) == []


def test_order_that_was_never_opened_has_no_next_action() -> None:
    assert next_action(NOTHING, OPENED) == NextAction(state=State.Nothing, due_at=None, due=False, closing=None)
    assert possible(NOTHING, SELLER, OPENED) == []
    with pytest.raises(ValueError, match="no clock runs in None"):
        timeout(NOTHING)


def test_without_a_mediator_nobody_is_at_fault_for_silence() -> None:
    order = order_in(State.Disputed, NO_MEDIATOR)
    action = next_action(order, NEGOTIATED)
    assert (action.due_at, action.due) == (NEGOTIATED, True)
    assert action.closing == replace(BY_CLOCK[State.Disputed], fault=Fault.Nobody)


# -------------------------------------------------------------------------------------------------------- the mediator


def test_marks_of_the_mediate_window() -> None:
    order = order_in(State.Disputed)
    assert (negotiation_end(order), half_time(order)) == (NEGOTIATED, HALF)
    assert HALF - NEGOTIATED == 172_801 // 2


@pytest.mark.parametrize("state", [State.Opened, State.Accepted, State.Delivered], ids=lambda state: state.label)
def test_there_is_no_mediate_window_outside_disputes(state: State) -> None:
    order = order_in(state)
    assert (negotiation_end(order), half_time(order), mediator_now(order, NEGOTIATED)) == (None, None, None)


@pytest.mark.parametrize(
    ("now", "mediator", "alone"),
    [
        (DISPUTED, None, None),
        (NEGOTIATED - 1, None, None),
        (NEGOTIATED, MEDIATOR, MEDIATOR),
        (HALF - 1, MEDIATOR, MEDIATOR),
        (HALF, BACKUP, MEDIATOR),
        (DEADLINES[State.Disputed] - 1, BACKUP, MEDIATOR),
        (DEADLINES[State.Disputed], None, None),
    ],
)
def test_mediator_is_whose_half_it_is(now: int, mediator: str | None, alone: str | None) -> None:
    assert mediator_now(order_in(State.Disputed), now) == mediator
    assert mediator_now(order_in(State.Disputed, replace(POLICY, backup_mediator=ZERO_ADDRESS)), now) == alone


@pytest.mark.parametrize("now", [NEGOTIATED - 1, NEGOTIATED, NEGOTIATED + 1])
def test_without_a_mediator_nobody_rules_and_nobody_gives_in(now: int) -> None:
    order = order_in(State.Disputed, NO_MEDIATOR)
    assert mediator_now(order, now) is None
    for who in Who:
        assert {Move.Rule, Move.Concede}.isdisjoint(choice.move for choice in possible(order, who, now))


# ------------------------------------------------------------------------------------------------------ who may do what

Choices = dict[Move, int | None]
D = DEADLINES
POSSIBLE: dict[State, dict[Who, Choices]] = {
    # with the second before which each is possible, at the beginning of the state
    State.Opened: {
        Who.Buyer: {Move.Cancel: None, Move.Agree: None, Move.Revise: None},
        Who.Seller: {Move.Accept: D[State.Opened], Move.Decline: None, Move.Agree: None, Move.Revise: None},
        Who.Operator: {Move.Accept: D[State.Opened], Move.Decline: None},
        Who.Platform: {Move.Intervene: D[State.Opened]},
    },
    State.Accepted: {
        Who.Buyer: {Move.Cancel: D[State.Accepted], Move.Confirm: None, Move.Agree: None, Move.Revise: None},
        Who.Seller: {
            Move.Deliver: D[State.Accepted],
            Move.Decline: D[State.Accepted],
            Move.Agree: None,
            Move.Revise: None,
        },
        Who.Operator: {Move.Deliver: D[State.Accepted], Move.Decline: D[State.Accepted]},
        Who.Platform: {Move.Intervene: D[State.Accepted]},
    },
    State.Delivered: {
        Who.Buyer: {Move.Confirm: None, Move.Dispute: D[State.Delivered], Move.Agree: None, Move.Revise: None},
        Who.Seller: {Move.Refund: None, Move.Agree: None, Move.Revise: None},
        Who.Operator: {Move.Refund: None},
        Who.Platform: {},
    },
    State.Disputed: {
        Who.Buyer: {Move.Confirm: NEGOTIATED, Move.Agree: None, Move.Revise: None},
        Who.Seller: {Move.Refund: NEGOTIATED, Move.Agree: None, Move.Revise: None, Move.Recommit: NEGOTIATED},
        Who.Operator: {Move.Refund: NEGOTIATED, Move.Recommit: NEGOTIATED},
        Who.Platform: {},
    },
}
ENTERED = {
    State.Opened: OPENED,
    State.Accepted: told.ACCEPTED,
    State.Delivered: told.DELIVERED,
    State.Disputed: DISPUTED,
}


def choices(order: Order, actor: str | Who, now: int) -> Choices:
    return {choice.move: choice.until for choice in possible(order, actor, now)}


@each_open_state
@pytest.mark.parametrize("who", [Who.Buyer, Who.Seller, Who.Operator, Who.Platform])
def test_roles_have_their_choices(state: State, who: Who) -> None:
    assert choices(order_in(state), who, ENTERED[state]) == POSSIBLE[state][who]


@each_open_state
@pytest.mark.parametrize("who", [Who.Buyer, Who.Seller, Who.Operator, Who.Platform])
def test_choices_end_when_they_say(state: State, who: Who) -> None:
    order = order_in(state)
    for move, until in POSSIBLE[state][who].items():
        if until is None:
            assert move in choices(order, who, D[state] + 1)
        else:
            assert move in choices(order, who, until - 1)
            assert move not in choices(order, who, until)


@each_open_state
@pytest.mark.parametrize(("seconds", "due"), [(-1, False), (0, True), (1, True)], ids=["before", "at", "after"])
def test_anyone_may_settle_from_the_deadline_on(state: State, seconds: int, due: bool) -> None:
    now = D[state] + seconds
    settle = Possibility(move=Move.Settle, who=Who.Anyone, until=None, ends=True, closing=BY_CLOCK[state], right=None)
    for actor in (Who.Anyone, STRANGER):
        assert possible(order_in(state), actor, now) == ([settle] if due else [])
    assert (settle in possible(order_in(state), BUYER, now)) == due


def test_mediating_gives_choices_to_all_three() -> None:
    order = order_in(State.Disputed)
    deadline = D[State.Disputed]
    assert choices(order, Who.Mediator, NEGOTIATED) == {Move.Rule: HALF}
    assert choices(order, Who.Mediator, HALF) == {Move.Rule: deadline}
    assert choices(order, Who.Mediator, deadline) == {}
    assert choices(order, Who.Operator, NEGOTIATED) == {Move.Concede: deadline}
    for who in (Who.Buyer, Who.Seller):
        assert choices(order, who, NEGOTIATED) == {Move.Concede: deadline, Move.Agree: None, Move.Revise: None}
    alone = order_in(State.Disputed, replace(POLICY, backup_mediator=ZERO_ADDRESS))
    assert choices(alone, Who.Mediator, NEGOTIATED) == {Move.Rule: deadline}


def test_accounts_have_the_choices_of_their_roles() -> None:
    order = order_in(State.Disputed)
    assert choices(order, BUYER, DISPUTED) == POSSIBLE[State.Disputed][Who.Buyer]
    assert choices(order, SELLER, DISPUTED) == POSSIBLE[State.Disputed][Who.Seller]
    assert choices(order, MEDIATOR, NEGOTIATED) == {Move.Rule: HALF}
    assert choices(order, BACKUP, NEGOTIATED) == {}
    assert choices(order, BACKUP, HALF) == {Move.Rule: D[State.Disputed]}
    assert choices(order_in(State.Opened), PLATFORM, OPENED) == {Move.Intervene: D[State.Opened]}
    assert choices(order, STRANGER, DISPUTED) == {}


def test_accounts_have_roles() -> None:
    order = order_in(State.Disputed)
    assert roles_now(order, BUYER, HALF) == {Who.Buyer, Who.Parties, Who.Anyone}
    assert roles_now(order, SELLER, HALF) == {Who.Seller, Who.Parties, Who.Anyone}
    assert roles_now(order, BACKUP, HALF) == {Who.Mediator, Who.Anyone}
    assert roles_now(order, MEDIATOR, HALF) == {Who.Anyone}
    assert roles_now(order, PLATFORM, HALF) == {Who.Platform, Who.Anyone}
    assert roles_now(NOTHING, BUYER, HALF) == {Who.Anyone}


@pytest.mark.parametrize("party", [BUYER, SELLER])
def test_a_party_neither_rules_nor_intervenes(party: str) -> None:
    policy = replace(POLICY, platform=party, mediator=party)
    for state, who, now in (
        (State.Opened, Who.Platform, OPENED),
        (State.Disputed, Who.Mediator, NEGOTIATED),
    ):
        order = order_in(state, policy)
        assert who not in roles_now(order, party, now)
        assert possible(order, who, now) == []
        assert {Move.Rule, Move.Intervene}.isdisjoint(choices(order, party, now))


def test_cancelling_is_no_choice_where_the_policy_forbids_it() -> None:
    policy = replace(POLICY, cancel_fee_bps=NO_CANCEL)
    assert Move.Cancel in choices(order_in(State.Opened, policy), Who.Buyer, OPENED)
    assert Move.Cancel not in choices(order_in(State.Accepted, policy), Who.Buyer, told.ACCEPTED)


def test_operators_are_told_the_right_they_need() -> None:
    rights = {choice.move: choice.right for choice in possible(order_in(State.Disputed), Who.Operator, DISPUTED)}
    assert rights == {Move.Refund: Right.Refund, Move.Recommit: Right.Deliver}
    assert {choice.right for choice in possible(order_in(State.Disputed), Who.Seller, DISPUTED)} == {None}


# --------------------------------------------------------------------------------------------------------- consequences


@each_ending
def test_choices_say_what_they_pay(state: State, before: tuple[Told, ...], end: Told) -> None:
    timestamp, _ = end
    order = tell(order_in(state), *before, end)
    promised = [choice.closing for who in Who for choice in possible(order_in(state), who, timestamp)]
    if order.outcome not in (Outcome.Ruled, Outcome.Agreed):  # which pay what is yet to be named
        assert order.shares is not None
        assert Closing(outcome=order.outcome, fault=order.fault, shares=order.shares) in promised


@each_open_state
def test_choices_whose_money_is_yet_to_be_named_have_no_closing(state: State) -> None:
    for now in (ENTERED[state], NEGOTIATED, D[state]):
        for who in Who:
            for choice in possible(order_in(state), who, now):
                known = choice.ends and choice.move not in (Move.Rule, Move.Agree)
                assert (choice.closing is not None) == known, choice


def test_giving_in_pays_the_other_side() -> None:
    order = order_in(State.Disputed)
    by = {
        who: choice.closing
        for who in (Who.Buyer, Who.Seller, Who.Operator)
        for choice in possible(order, who, NEGOTIATED)
        if choice.move is Move.Concede and choice.closing is not None
    }
    assert {who: paid.fault for who, paid in by.items()} == {
        Who.Buyer: Fault.Buyer,
        Who.Seller: Fault.Seller,
        Who.Operator: Fault.Seller,
    }
    assert by[Who.Buyer].shares == Shares(
        to_buyer=0, to_seller=296_253, platform_fee=3_750, bond_returned=126_000, mediation_fee=9_000
    )
    assert by[Who.Seller].shares == Shares(
        to_buyer=426_003, to_seller=0, platform_fee=0, bond_returned=0, mediation_fee=9_000
    )


@each_open_state
@pytest.mark.parametrize("outcome", Outcome, ids=lambda outcome: outcome.label)
def test_endings_that_a_state_does_not_have_are_refused(state: State, outcome: Outcome) -> None:
    if not any(outcome is row.outcome and state in row.states for row in LIFECYCLE if row.ends):
        with pytest.raises(ValueError, match=f"can't end as {outcome.label}"):
            ending(order_in(state), outcome)
