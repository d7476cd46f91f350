"""An order is the fold of its events; a history that can't be is refused."""

from dataclasses import fields, replace

import pytest

from kameng_escrow.domain.events import OrderClosed
from kameng_escrow.domain.order import Shares
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.states import Fault, Outcome, State
from tests.unit import histories as told
from tests.unit.histories import (
    ACCEPTED,
    DEADLINES,
    DELIVERED,
    DISPUTED,
    NEGOTIATED,
    OPEN_STATES,
    OPENED,
    ORDER,
    POLICY,
    TERMS,
    Told,
    each_ending,
    order_in,
    tell,
)

NO_MEDIATOR = replace(
    POLICY, mediator=ZERO_ADDRESS, backup_mediator=ZERO_ADDRESS, mediate_window=0, mediation_fee_bps=0
)

# ------------------------------------------------------------------------------------------------------------ the way


def test_first_revision_comes_before_the_opening() -> None:
    order = tell(None, told.revised(OPENED - 10))
    assert (order.state, order.revision, order.terms, order.deadline) == (State.Nothing, 1, None, None)


def test_opening_keeps_the_revision() -> None:
    order = tell(None, told.revised(OPENED - 10), told.revised(OPENED - 5, 2), told.opened())
    assert (order.state, order.revision) == (State.Opened, 2)


def test_opening_brings_terms_policy_payer_and_clock() -> None:
    order = order_in(State.Opened)
    assert (order.id, order.terms, order.policy, order.payer) == (ORDER, TERMS, POLICY, told.PAYER)
    assert (order.opened_at, order.accepted_at, order.deadline) == (OPENED, None, OPENED + 600)


def test_opening_with_an_offer_is_accepted_at_once() -> None:
    order = tell(None, told.opened(state=State.Accepted))
    assert order.state is State.Accepted
    assert (order.opened_at, order.accepted_at, order.deadline) == (OPENED, OPENED, OPENED + 1_200)


def test_accepting_starts_the_deliver_window() -> None:
    order = order_in(State.Accepted)
    assert (order.state, order.accepted_at, order.deadline) == (State.Accepted, ACCEPTED, ACCEPTED + 1_200)


def test_delivering_keeps_the_commitment_and_starts_the_inspect_window() -> None:
    order = order_in(State.Delivered)
    assert (order.state, order.delivered_at, order.deadline) == (State.Delivered, DELIVERED, DELIVERED + 86_400)
    assert order.commitment == told.COMMITMENT


def test_disputing_pays_the_rest_and_starts_both_windows() -> None:
    order = order_in(State.Disputed)
    assert (order.state, order.disputed_at, order.deadline) == (State.Disputed, DISPUTED, DISPUTED + 43_200 + 172_801)
    assert (order.disputed_units, order.evidence) == (3, told.EVIDENCE)
    assert order.undisputed == Shares(to_buyer=0, to_seller=691_254, platform_fee=8_750, bond_returned=210_002)
    assert order.shares is None


def test_recommitting_replaces_the_commitment_and_raises_the_revision() -> None:
    before = order_in(State.Disputed)
    after = tell(before, told.recommitted(NEGOTIATED - 1))
    assert after == replace(before, commitment="0x" + "c1" * 32, revision=1)


@pytest.mark.parametrize("state", OPEN_STATES, ids=lambda state: state.label)
def test_revising_raises_the_revision_and_nothing_else(state: State) -> None:
    before = order_in(state)
    assert tell(before, told.revised(DEADLINES[state] + 1)) == replace(before, revision=1)


# --------------------------------------------------------------------------------------------------------- the endings


@each_ending
def test_ending_closes_with_outcome_fault_and_shares(state: State, before: tuple[Told, ...], end: Told) -> None:
    timestamp, event = end
    assert isinstance(event, OrderClosed)
    order = tell(order_in(state), *before, end)
    assert (order.state, order.closed_at, order.deadline) == (State.Closed, timestamp, None)
    assert (order.outcome, order.fault) == (event.outcome, event.fault)
    fee = 9_000 if before else 0
    assert order.shares == Shares(
        to_buyer=event.to_buyer,
        to_seller=event.to_seller,
        platform_fee=event.platform_fee,
        bond_returned=event.bond_returned,
        mediation_fee=fee,
    )
    assert order.mediation_fee == fee
    assert (order.terms, order.policy, order.opened_at) == (TERMS, POLICY, OPENED)


@each_ending
def test_ending_pays_exactly_what_was_held(state: State, before: tuple[Told, ...], end: Told) -> None:
    shares = tell(order_in(state), *before, end).shares
    assert shares is not None
    held = {
        State.Opened: 1_000_007,
        State.Accepted: 1_300_009,
        State.Delivered: 1_300_009,
        State.Disputed: 300_003 + 90_000 + 45_000,
    }
    assert sum(getattr(shares, share.name) for share in fields(shares)) == held[state]


def test_ruling_keeps_who_ruled_and_why() -> None:
    order = tell(order_in(State.Disputed), told.ruled())
    assert (order.state, order.mediator, order.awarded, order.grounds) == (
        State.Disputed,
        told.MEDIATOR,
        200_000,
        told.GROUNDS,
    )


def test_silence_without_a_mediator_is_nobodys_fault() -> None:
    order = order_in(State.Disputed, NO_MEDIATOR)
    assert order.deadline == DISPUTED + 43_200
    end = told.closed(order.deadline, Outcome.Defaulted, Fault.Nobody, 165_002, 180_001, 0, 90_000)
    assert tell(order, end).fault is Fault.Nobody


def test_ruling_without_a_fee_has_no_credit() -> None:
    policy = replace(POLICY, mediation_fee_bps=0)
    end = told.closed(NEGOTIATED, Outcome.Conceded, Fault.Seller, 435_003, 0, 0, 0)
    order = tell(order_in(State.Disputed, policy), end)
    assert (order.outcome, order.mediation_fee, order.mediator) == (Outcome.Conceded, 0, None)
