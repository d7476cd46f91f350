"""Whose turn it is, and when they are reminded of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.domain.course import slowest_course
from kameng_escrow.domain.lifecycle import Move, Who
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.states import State
from kameng_escrow.domain.turns import Turn, entered_at, turn_at, turns
from kameng_escrow.notify.reminders import SHORTEST, holds, marks, plan
from tests.unit.made import ADDRESSES, HOUR, make_policy, make_terms

BUYER, SELLER, MEDIATOR, BACKUP = ADDRESSES[0], ADDRESSES[2], ADDRESSES[5], ADDRESSES[6]


def orders(**policy: object) -> dict[State, Order]:
    return {order.state: order for order in slowest_course(make_terms(), make_policy(**policy))}


@pytest.mark.parametrize(
    ("state", "who", "account", "moves"),
    [
        (State.Opened, Who.Seller, SELLER, (Move.Accept, Move.Decline)),
        (State.Accepted, Who.Seller, SELLER, (Move.Deliver, Move.Decline)),
        (State.Delivered, Who.Buyer, BUYER, (Move.Confirm, Move.Dispute)),
    ],
)
def test_the_clock_of_a_state_runs_for_one(state: State, who: Who, account: str, moves: tuple[Move, ...]) -> None:
    order = orders()[state]
    [turn] = turns(order)
    assert (turn.who, turn.account, turn.state, turn.moves) == (who, account, state, moves)
    assert (turn.start, turn.until) == (entered_at(order), order.deadline)


def test_a_dispute_is_the_sellers_then_the_mediators_then_the_backups() -> None:
    order = orders()[State.Disputed]
    entered, deadline = entered_at(order), order.deadline
    assert entered is not None
    assert deadline is not None
    assert [(turn.account, turn.start, turn.until) for turn in turns(order)] == [
        (SELLER, entered, entered + 24 * HOUR),
        (MEDIATOR, entered + 24 * HOUR, entered + 48 * HOUR),
        (BACKUP, entered + 48 * HOUR, deadline),
    ]
    assert turns(order)[0].moves == (Move.Refund, Move.Recommit)
    assert turns(order)[1].moves == (Move.Rule,)


def test_without_a_backup_the_mediator_has_all_of_it() -> None:
    order = orders(backup_mediator=ZERO_ADDRESS)[State.Disputed]
    assert [turn.account for turn in turns(order)] == [SELLER, MEDIATOR]
    assert turns(order)[1].until == order.deadline


def test_without_a_mediator_it_is_nobodys_after_the_seller() -> None:
    order = orders(mediator=ZERO_ADDRESS, backup_mediator=ZERO_ADDRESS, mediate_window=0, mediation_fee_bps=0)[
        State.Disputed
    ]
    assert [turn.account for turn in turns(order)] == [SELLER]
    assert turns(order)[0].until == order.deadline


def test_a_turn_ends_where_it_says() -> None:
    order = orders()[State.Opened]
    assert order.deadline is not None
    assert turn_at(order, order.deadline - 1) is not None
    assert turn_at(order, order.deadline) is None
    assert turns(Order(id=order.id, state=State.Closed, revision=0)) == []
    assert turns(Order(id=order.id, state=State.Nothing, revision=0)) == []


# ----------------------------------------------------------------------------------------------------------- reminders


def turn(length: int, *, start: int = 1_000) -> Turn:
    return Turn(who=Who.Seller, account=SELLER, state=State.Opened, start=start, until=start + length, moves=())


def test_half_of_a_turn_and_shortly_before_its_end() -> None:
    assert dict(marks(turn(2 * HOUR), 1_000)) == {"half": 1_000 + HOUR, "last": 1_000 + 2 * HOUR - 12 * 60}
    assert dict(marks(turn(24 * HOUR), 1_000))["last"] == 1_000 + 23 * HOUR
    assert dict(marks(turn(5 * 60), 1_000)) == {"last": 1_000 + 200}


def test_who_has_no_event_to_hear_of_is_told_that_the_turn_begins() -> None:
    assert dict(marks(turn(2 * HOUR), 0))["turn"] == 1_000


@given(length=st.integers(300, 90 * 86_400))
def test_reminders_come_within_the_turn_and_in_order(length: int) -> None:
    times = [at for _, at in marks(turn(length), 1_000)]
    assert times == sorted(set(times))
    assert all(1_000 < at < 1_000 + length for at in times)
    assert len(times) == (2 if length >= SHORTEST else 1)


def test_nothing_is_planned_that_lies_behind() -> None:
    order = orders()[State.Disputed]
    entered = entered_at(order)
    assert entered is not None
    everything = list(plan(order, entered))
    assert [(account, details["mark"]) for account, _, _, details in everything] == [
        *[(SELLER, "half"), (SELLER, "last")],
        *[(MEDIATOR, "turn"), (MEDIATOR, "half"), (MEDIATOR, "last")],
        *[(BACKUP, "turn"), (BACKUP, "half"), (BACKUP, "last")],
    ]
    assert len({key for _, key, _, _ in everything}) == len(everything)
    later = list(plan(order, entered + 24 * HOUR + 1))
    assert later == everything[3:]


def test_a_reminder_holds_while_its_turn_runs() -> None:
    order = orders()[State.Disputed]
    for account, _, at, details in plan(order, 0):
        assert holds(order, account, details, at)
        assert not holds(order, account, details, details["until"])
        assert not holds(order, BUYER, details, at)
        assert not holds(None, account, details, at)
    delivered = orders()[State.Delivered]
    for account, _, at, details in plan(delivered, 0):
        assert not holds(order, account, details, at)
