"""A history that can't be is refused: what can't follow, what comes at the wrong time, what has other amounts."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.events import BondFunded, Logged, OrderClosed
from kameng_escrow.domain.fold import BrokenHistory, WrongShares, fold
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.policy import NO_CANCEL
from kameng_escrow.domain.states import Fault, Outcome, State
from tests.unit import histories as told
from tests.unit.histories import (
    ACCEPTED,
    DEADLINES,
    DISPUTED,
    ENDINGS,
    HALF,
    NEGOTIATED,
    OPEN_STATES,
    OPENED,
    ORDER,
    POLICY,
    TERMS,
    TO,
    Told,
    each_ending,
    order_in,
    tell,
)

# ------------------------------------------------------------------------------------------------- what can't follow


def refused(state: State, *events: Told) -> BrokenHistory:
    """The refusal of the last of these events, in an order that is in `state`."""
    *before, last = *TO[state], *events
    order = tell(None, *before) if before else None
    with pytest.raises(BrokenHistory) as raised:
        tell(order, last)
    assert (raised.value.order_id, raised.value.event) == (ORDER, last[1])
    return raised.value


STEPS = {
    "opened": (told.opened(), {State.Nothing}),
    "opened with offer": (told.opened(state=State.Accepted), {State.Nothing}),
    "accepted": (told.accepted(), {State.Opened}),
    "delivered": (told.delivered(), {State.Accepted}),
    "disputed": (told.disputed(), {State.Delivered}),
    "recommitted": (told.recommitted(DISPUTED), {State.Disputed}),
    "ruled": (told.ruled(), {State.Disputed}),
    "fee credited": (told.fee_credited(), {State.Disputed}),
}


@pytest.mark.parametrize("state", TO, ids=lambda state: state.label)
@pytest.mark.parametrize("name", STEPS)
def test_step_follows_only_its_state(name: str, state: State) -> None:
    event, states = STEPS[name]
    if state in states:
        tell(tell(None, *TO[state]) if TO[state] else None, event)
    else:
        assert refused(state, event).state is state


@pytest.mark.parametrize("state", OPEN_STATES, ids=lambda state: state.label)
@pytest.mark.parametrize("outcome", Outcome, ids=lambda outcome: outcome.label)
def test_outcomes_belong_to_states(outcome: Outcome, state: State) -> None:
    possible = {end[1].outcome for _, start, _, end in ENDINGS if start is state and isinstance(end[1], OrderClosed)}
    possible |= {Outcome.Agreed}
    if outcome not in possible:
        refused(state, told.closed(DEADLINES[state], outcome, Fault.Nobody, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (State.Opened, told.accepted),
        (State.Accepted, told.delivered),
        (State.Delivered, told.disputed),
    ],
    ids=["accepted", "delivered", "disputed"],
)
def test_steps_come_before_the_deadline(state: State, step: object) -> None:
    assert callable(step)
    order = order_in(state)
    assert tell(order, step(DEADLINES[state] - 1)).state > state
    for late in (DEADLINES[state], DEADLINES[state] + 1):
        with pytest.raises(BrokenHistory, match="not the time"):
            tell(order, step(late))


def test_opening_comes_at_open_by_at_the_latest() -> None:
    assert tell(None, told.opened(TERMS.open_by)).state is State.Opened
    refused(State.Nothing, told.opened(TERMS.open_by + 1))


def test_recommitting_ends_with_the_negotiation() -> None:
    tell(order_in(State.Disputed), told.recommitted(NEGOTIATED - 1))
    refused(State.Disputed, told.recommitted(NEGOTIATED))


CLOCKS = {Outcome.Expired, Outcome.Undelivered, Outcome.Released, Outcome.Defaulted}
BY_NEGOTIATION = {Outcome.Refunded, Outcome.Confirmed}  # in Disputed
BY_DEADLINE = {Outcome.Cancelled, Outcome.Declined}  # in Accepted


@each_ending
def test_ending_comes_in_its_time(state: State, before: tuple[Told, ...], end: Told) -> None:
    """Each bound just before, at and just after. Rulings have tests of their own."""
    _, event = end
    assert isinstance(event, OrderClosed)
    deadline, outcome = DEADLINES[state], event.outcome
    if outcome in CLOCKS:
        allowed = {deadline - 1: False, deadline: True, deadline + 1: True}
    elif state is State.Disputed and outcome in BY_NEGOTIATION:
        allowed = {NEGOTIATED - 1: True, NEGOTIATED: False, NEGOTIATED + 1: False}
    elif outcome is Outcome.Intervened or (state is State.Accepted and outcome in BY_DEADLINE):
        allowed = {deadline - 1: True, deadline: False, deadline + 1: False}
    elif before:
        allowed = {NEGOTIATED: True} if outcome is Outcome.Ruled or event.fault is Fault.Buyer else {HALF: True}
    else:
        allowed = {deadline - 1: True, deadline: True, deadline + 1: True}
    order = tell(order_in(state), *before)
    for at, possible in allowed.items():
        if possible:
            assert tell(order, (at, event)).closed_at == at
        else:
            with pytest.raises(BrokenHistory, match="not the time"):
                tell(order, (at, event))


def test_a_party_gives_in_while_the_mediator_is_in_charge() -> None:
    policy = replace(POLICY, mediation_fee_bps=0)
    order = order_in(State.Disputed, policy)
    deadline = DEADLINES[State.Disputed]
    for at in (NEGOTIATED, deadline - 1):
        assert tell(order, told.closed(at, Outcome.Conceded, Fault.Seller, 435_003, 0, 0, 0)).closed_at == at
    for at in (NEGOTIATED - 1, deadline, deadline + 1):
        with pytest.raises(BrokenHistory, match="not the time"):
            tell(order, told.closed(at, Outcome.Conceded, Fault.Seller, 435_003, 0, 0, 0))


@pytest.mark.parametrize(
    ("at", "mediator", "allowed"),
    [
        (NEGOTIATED - 1, told.MEDIATOR, False),
        (NEGOTIATED, told.MEDIATOR, True),
        (NEGOTIATED, told.BACKUP, False),
        (HALF - 1, told.MEDIATOR, True),
        (HALF - 1, told.BACKUP, False),
        (HALF, told.MEDIATOR, False),
        (HALF, told.BACKUP, True),
        (DEADLINES[State.Disputed] - 1, told.BACKUP, True),
        (DEADLINES[State.Disputed], told.BACKUP, False),
        (NEGOTIATED, told.STRANGER, False),
    ],
)
def test_ruling_is_by_whose_half_it_is(at: int, mediator: str, allowed: bool) -> None:
    for event in (told.ruled(at, mediator), told.fee_credited(at, mediator)):
        if allowed:
            assert tell(order_in(State.Disputed), event).mediator == mediator
        else:
            refused(State.Disputed, event)


@pytest.mark.parametrize("revision", [0, 2, 3])
def test_revisions_follow_one_by_one(revision: int) -> None:
    refused(State.Disputed, told.revised(DISPUTED, revision))
    refused(State.Disputed, told.recommitted(DISPUTED, revision))


def test_a_doubled_revision_is_refused() -> None:
    refused(State.Opened, told.revised(OPENED), told.revised(OPENED))


def test_after_a_ruling_only_its_end_follows() -> None:
    for event in (told.revised(NEGOTIATED), told.ruled(), told.recommitted(NEGOTIATED)):
        refused(State.Disputed, told.ruled(), event)
        refused(State.Disputed, told.fee_credited(), event)
    refused(State.Disputed, told.ruled(), told.fee_credited(), told.fee_credited())


def test_a_ruling_and_its_end_belong_together() -> None:
    end = told.closed(NEGOTIATED, Outcome.Ruled, Fault.Seller, 284_000, 98_753, 1_250, 42_000)
    refused(State.Disputed, told.fee_credited(), end)
    conceded = told.closed(NEGOTIATED, Outcome.Conceded, Fault.Seller, 426_003, 0, 0, 0)
    refused(State.Disputed, told.ruled(), told.fee_credited(), conceded)


def test_a_lost_fee_is_noticed() -> None:
    end = told.closed(NEGOTIATED, Outcome.Ruled, Fault.Seller, 284_000, 98_753, 1_250, 42_000)
    refused(State.Disputed, told.ruled(), end)


def test_a_fee_and_another_ending_do_not_go_together() -> None:
    refused(
        State.Disputed,
        told.fee_credited(),
        told.closed(NEGOTIATED, Outcome.Agreed, Fault.Nobody, 145_000, 197_503, 2_500, 90_000),
    )


def test_policy_that_forbids_cancelling_has_no_cancelled_orders() -> None:
    policy = replace(POLICY, cancel_fee_bps=NO_CANCEL)
    order = order_in(State.Accepted, policy)
    with pytest.raises(BrokenHistory, match="can't end as Cancelled"):
        tell(order, told.closed(ACCEPTED, Outcome.Cancelled, Fault.Buyer, 950_007, 50_000, 0, 300_002))
    end = told.closed(OPENED, Outcome.Cancelled, Fault.Nobody, 1_000_007, 0, 0, 0)
    assert tell(order_in(State.Opened, policy), end).state is State.Closed


def test_opening_under_an_unknown_policy_is_refused() -> None:
    unknown = replace(TERMS, policy_id="0x" + "02" * 32)
    assert "not registered" in refused(State.Nothing, told.opened(terms=unknown)).reason


@pytest.mark.parametrize("state", [State.Nothing, State.Delivered, State.Disputed, State.Closed])
def test_orders_open_as_opened_or_accepted(state: State) -> None:
    refused(State.Nothing, told.opened(state=state))


def test_an_event_of_another_order_is_refused() -> None:
    timestamp, event = told.revised(OPENED)
    order = order_in(State.Opened)
    with pytest.raises(BrokenHistory, match=told.OTHER):
        tell(order, (timestamp, replace(event, order_id=told.OTHER)))


def test_an_event_that_is_no_orders_is_a_mistake() -> None:
    event = BondFunded(seller=told.SELLER, token=NATIVE, sender=told.SELLER, amount=1)
    logged = Logged(event=event, block_number=1, block_hash="0x", timestamp=1, transaction_hash="0x", log_index=0)
    with pytest.raises(TypeError, match="BondFunded"):
        fold(None, logged, {})


# ---------------------------------------------------------------------------------------------------- other amounts


@each_ending
@pytest.mark.parametrize("field", ["to_buyer", "to_seller", "platform_fee", "bond_returned"])
def test_ending_with_another_amount_is_refused(state: State, before: tuple[Told, ...], end: Told, field: str) -> None:
    timestamp, event = end
    wrong = replace(event, **{field: getattr(event, field) + 1})
    order = tell(order_in(state), *before)
    with pytest.raises(WrongShares) as raised:
        tell(order, (timestamp, wrong))
    assert (raised.value.order_id, raised.value.event) == (ORDER, wrong)


@each_ending
def test_ending_with_another_fault_is_refused(state: State, before: tuple[Told, ...], end: Told) -> None:
    timestamp, event = end
    assert isinstance(event, OrderClosed)
    order = tell(order_in(state), *before)
    for fault in set(Fault) - {event.fault}:
        with pytest.raises(WrongShares):
            tell(order, (timestamp, replace(event, fault=fault)))


@each_ending
def test_nothing_follows_an_ending(state: State, before: tuple[Told, ...], end: Told) -> None:
    order = tell(order_in(state), *before, end)
    late = DEADLINES[State.Disputed] + 1
    followers = [*TO[State.Disputed], told.revised(late), told.recommitted(late), *before, (late, end[1])]
    for follower in followers:
        with pytest.raises(BrokenHistory):
            tell(order, follower)


@pytest.mark.parametrize("field", ["dispute_bond", "to_seller", "platform_fee", "bond_returned"])
def test_dispute_with_another_amount_is_refused(field: str) -> None:
    _, right = told.disputed()
    wrong = told.disputed(**{field: getattr(right, field) - 1})
    with pytest.raises(WrongShares):
        tell(order_in(State.Delivered), wrong)


@pytest.mark.parametrize("units", [0, 11])
def test_dispute_of_units_that_there_are_not_is_refused(units: int) -> None:
    refused(State.Delivered, told.disputed(units=units))


@pytest.mark.parametrize("fee", [0, 8_999, 9_001])
def test_another_mediation_fee_is_refused(fee: int) -> None:
    with pytest.raises(WrongShares):
        tell(order_in(State.Disputed), told.fee_credited(fee=fee))


def test_awarding_more_than_is_in_dispute_is_refused() -> None:
    with pytest.raises(WrongShares):
        tell(order_in(State.Disputed), told.ruled(to_buyer=300_004))


def test_errors_say_what_happened_and_what_to_do() -> None:
    error = refused(State.Opened, told.delivered())
    assert error.code == "broken_history"
    assert str(error) == (
        f"OrderDelivered can't follow in the history of order {ORDER}, which is Opened: deliver is not possible there. "
        "A log is missing: ask another node. Where a mirror says so, it may have been missing before: "
        "`kameng reconcile --repair` reads everything anew."
    )
    with pytest.raises(WrongShares, match="ask another node") as raised:
        tell(order_in(State.Disputed), told.fee_credited(fee=1))
    assert (raised.value.code, raised.value.expected) == ("wrong_shares", 9_000)
