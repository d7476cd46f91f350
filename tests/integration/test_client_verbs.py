"""The client: every verb of the lifecycle after opening, through the SDK, on a real EVM."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kameng_escrow.domain.events import (
    OrderClosed,
    OrderRecommitted,
    OrderRuled,
)
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.refusals import (
    CancelNotAllowed,
    InvalidSignature,
    TooEarly,
    Unauthorized,
    UnitsOutOfRange,
    WrongRevision,
    WrongState,
)
from kameng_escrow.domain.states import Fault, Outcome, Role, State

from .sdk_cast import (
    COMMITMENT,
    GROUNDS,
    HOUR,
    PRICE,
    UNITS,
    Cast,
)

# ---------------------------------------------------------------------------------------------------------- withdrawing


def test_cancelling_is_free_before_acceptance_and_costs_after(cast: Cast) -> None:
    early, late = cast.order(), cast.order(State.Accepted)
    assert cast.buyer.cancel(early).event(OrderClosed).to_buyer == PRICE
    closed = cast.buyer.cancel(late).event(OrderClosed)
    assert (closed.outcome, closed.fault, closed.to_seller) == (Outcome.Cancelled, Fault.Buyer, PRICE * 5 // 100)


def test_an_expected_state_that_is_not_the_actual_one_stops_the_action(cast: Cast) -> None:
    terms = cast.order(State.Accepted)
    with pytest.raises(WrongState) as refused:
        cast.buyer.cancel(terms, expected=State.Opened)
    assert refused.value == WrongState(cast.reader.order_id(terms), State.Accepted, State.Opened)
    assert cast.state(terms) is State.Accepted


def test_a_policy_may_forbid_cancelling(cast: Cast) -> None:
    instant = replace(cast.policy, cancel_fee_bps=8_191)
    policy_id = cast.platform.register_policy(instant).policy_id
    terms = cast.order(State.Accepted, policy_id=policy_id)
    with pytest.raises(CancelNotAllowed):
        cast.buyer.cancel(terms)


@pytest.mark.parametrize(
    ("state", "act", "outcome", "fault"),
    [
        (State.Opened, lambda cast, terms: cast.seller.decline(terms), Outcome.Declined, Fault.Nobody),
        (State.Accepted, lambda cast, terms: cast.seller.decline(terms), Outcome.Declined, Fault.Seller),
        (State.Delivered, lambda cast, terms: cast.seller.refund(terms), Outcome.Refunded, Fault.Seller),
        (State.Disputed, lambda cast, terms: cast.seller.refund(terms), Outcome.Refunded, Fault.Seller),
        (State.Opened, lambda cast, terms: cast.platform.intervene(terms), Outcome.Intervened, Fault.Platform),
        (State.Accepted, lambda cast, terms: cast.platform.intervene(terms), Outcome.Intervened, Fault.Platform),
        (State.Accepted, lambda cast, terms: cast.buyer.confirm(terms), Outcome.Confirmed, Fault.Nobody),
        (State.Disputed, lambda cast, terms: cast.buyer.confirm(terms), Outcome.Confirmed, Fault.Nobody),
    ],
)
def test_an_order_ends_by(
    cast: Cast, state: State, act: Callable[[Cast, OrderTerms], Any], outcome: Outcome, fault: Fault
) -> None:
    terms = cast.order(state)
    closed = act(cast, terms).event(OrderClosed)
    assert (closed.outcome, closed.fault) == (outcome, fault)
    status = cast.reader.status(cast.reader.order_id(terms))
    assert (status.state, status.outcome, status.fault) == (State.Closed, outcome, fault)


def test_who_may_not_act_is_told_who_may(cast: Cast) -> None:
    terms = cast.order()
    with pytest.raises(Unauthorized) as refused:
        cast.stranger.cancel(terms)
    assert refused.value == Unauthorized(cast.stranger.address, cast.buyer.address)


# ------------------------------------------------------------------------------------------------------------- disputes


def test_a_dispute_is_ruled(cast: Cast) -> None:
    terms = cast.order(State.Disputed)
    order_id = cast.reader.order_id(terms)
    with pytest.raises(TooEarly):
        cast.mediator.rule(terms, to_buyer=1)
    cast.to_mediation(terms)
    ruled = cast.mediator.rule(terms, to_buyer=20_000_000, grounds=GROUNDS)
    assert ruled.event(OrderRuled) == OrderRuled(
        order_id=order_id, mediator=cast.mediator.address, to_buyer=20_000_000, grounds=GROUNDS
    )
    assert ruled.event(OrderClosed).outcome is Outcome.Ruled
    sum_ = PRICE - PRICE * 7 // 10
    assert cast.mediator.credit() == sum_ * 300 // 10_000
    cast.stranger.pay_credit(account=cast.mediator.address)
    assert cast.mediator.credit() == 0


@pytest.mark.parametrize(("who", "to_buyer"), [("buyer", 0), ("seller", 30_000_003)])
def test_a_party_concedes_in_the_role_that_it_has(cast: Cast, who: str, to_buyer: int) -> None:
    terms = cast.order(State.Disputed)
    cast.to_mediation(terms)
    closed = getattr(cast, who).concede(terms).event(OrderClosed)
    assert closed.outcome is Outcome.Conceded
    assert (closed.to_buyer > 0) == (to_buyer > 0)


def test_a_party_does_not_concede_for_the_other(cast: Cast) -> None:
    terms = cast.order(State.Disputed)
    cast.to_mediation(terms)
    with pytest.raises(Unauthorized):
        cast.seller.concede(terms, role=Role.Buyer)


def test_a_seller_replaces_the_codes_while_the_parties_talk(cast: Cast) -> None:
    terms = cast.order(State.Disputed)
    again = cast.seller.recommit(terms, commitment="0x" + "c1" * 32).event(OrderRecommitted)
    assert (again.commitment, again.revision) == ("0x" + "c1" * 32, 1)
    with pytest.raises(WrongRevision):
        cast.seller.recommit(terms, commitment=COMMITMENT, revision=0)
    cast.seller.recommit(terms, commitment=COMMITMENT, revision=1)
    assert cast.reader.order(cast.reader.order_id(terms)).revision == 2


@pytest.mark.parametrize("units", [0, UNITS + 1])
def test_only_units_that_were_ordered_are_disputed(cast: Cast, units: int) -> None:
    terms = cast.order(State.Delivered)
    with pytest.raises(UnitsOutOfRange) as refused:
        cast.buyer.dispute(terms, units=units)
    assert refused.value == UnitsOutOfRange(units, UNITS)


def test_both_agree_on_a_split(cast: Cast) -> None:
    terms = cast.order(State.Disputed)
    split = cast.buyer.split(terms, to_buyer=7)
    assert (split.state, split.disputed_units, split.revision) == (State.Disputed, 3, 0)
    assert split.expiry == cast.node.now() + 23 * HOUR
    buyers, sellers = cast.buyer.sign_split(terms, split), cast.seller.sign_split(terms, split)
    with pytest.raises(InvalidSignature):
        cast.stranger.agree(terms, split=split, buyer_signature=buyers, seller_signature=buyers)
    closed = cast.stranger.agree(terms, split=split, buyer_signature=buyers, seller_signature=sellers)
    assert closed.event(OrderClosed).outcome is Outcome.Agreed


def test_a_party_that_pays_a_split_itself_needs_no_signature_of_its_own(cast: Cast) -> None:
    terms = cast.order(State.Accepted)
    split = cast.seller.split(terms, to_buyer=PRICE, expiry=cast.node.now() + 60)
    closed = cast.buyer.agree(terms, split=split, seller_signature=cast.seller.sign_split(terms, split))
    assert closed.event(OrderClosed).to_buyer == PRICE


def test_a_split_is_void_after_a_revision(cast: Cast) -> None:
    terms = cast.order(State.Accepted)
    split = cast.seller.split(terms, to_buyer=5)
    signature = cast.seller.sign_split(terms, split)
    cast.seller.revise(terms)
    with pytest.raises(WrongRevision):
        cast.buyer.agree(terms, split=split, seller_signature=signature)


# --------------------------------------------------------------------------------------------------------------- clocks


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (State.Opened, Outcome.Expired),
        (State.Accepted, Outcome.Undelivered),
        (State.Delivered, Outcome.Released),
        (State.Disputed, Outcome.Defaulted),
    ],
)
def test_anyone_settles_what_is_due(cast: Cast, state: State, outcome: Outcome) -> None:
    terms = cast.order(state)
    with pytest.raises(TooEarly):
        cast.stranger.settle(terms)
    coming = cast.reader.next_action(terms)
    assert (coming.state, coming.due) == (state, False)
    cast.lapse(terms)
    assert cast.reader.next_action(terms).due
    closed = cast.stranger.settle(terms).event(OrderClosed)
    assert closed.outcome is outcome
    assert coming.closing is not None
    assert (closed.outcome, closed.fault) == (coming.closing.outcome, coming.closing.fault)
    assert (closed.to_buyer, closed.to_seller, closed.platform_fee, closed.bond_returned) == (
        coming.closing.shares.to_buyer,
        coming.closing.shares.to_seller,
        coming.closing.shares.platform_fee,
        coming.closing.shares.bond_returned,
    )
    assert cast.reader.next_action(terms).due_at is None


def test_many_are_settled_at_once_and_the_others_skipped(cast: Cast) -> None:
    due = [cast.order(), cast.order()]
    cast.lapse(due[1])
    fresh = cast.order()
    receipt = cast.stranger.settle_many([*due, fresh])
    ended = [logged.event.order_id for logged in receipt.events if isinstance(logged.event, OrderClosed)]
    assert ended == [cast.reader.order_id(terms) for terms in due]
    assert receipt.order_id is None
    assert cast.state(fresh) is State.Opened


def test_many_are_delivered_at_once_and_the_others_skipped(cast: Cast) -> None:
    accepted, opened = [cast.order(State.Accepted), cast.order(State.Accepted)], cast.order()
    codes = ["0x" + "a1" * 32, "0x" + "a2" * 32, "0x" + "a3" * 32]
    receipt = cast.seller.deliver_many(list(zip([*accepted, opened], codes, strict=True)))
    assert [logged.event.commitment for logged in receipt.events] == codes[:2]  # type: ignore[union-attr]
