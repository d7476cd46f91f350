"""The money of every row: examples to the unit, and laws that hold for any price, units and policy."""

from dataclasses import astuple, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kameng_escrow.domain.order import Order, Shares
from kameng_escrow.domain.policy import MAX_BPS, MAX_PLATFORM_FEE_BPS, ZERO_ADDRESS, Policy
from kameng_escrow.domain.shares import (
    Closing,
    Held,
    bps,
    cancelled,
    held,
    held_in,
    ruling,
    split,
    sum_in_dispute,
    timeout,
    undisputed,
    withdrawn,
)
from kameng_escrow.domain.states import Fault, Outcome, State
from kameng_escrow.domain.terms import MAX_PRICE, MAX_UNITS
from tests.unit.made import HASH, make_policy, make_terms

prices = st.integers(1, MAX_PRICE) | st.integers(1, 1_000)
rates = st.integers(0, MAX_BPS)
OPEN = [State.Opened, State.Accepted, State.Delivered, State.Disputed]


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    bonds = draw(rates), draw(rates)
    return make_policy(
        platform_fee_bps=draw(st.integers(0, MAX_PLATFORM_FEE_BPS)),
        cancel_fee_bps=draw(rates),
        seller_bond_bps=bonds[0],
        dispute_bond_bps=bonds[1],
        mediation_fee_bps=draw(st.integers(0, min(bonds))),
        silence_share_bps=draw(st.integers(0, 10_000)),
    )


@st.composite
def quantities(draw: st.DrawFn) -> tuple[int, int]:
    """Units, and how many of them are in dispute."""
    units = draw(st.integers(1, MAX_UNITS) | st.integers(1, 12))
    return units, draw(st.integers(1, units))


def paid(shares: Shares) -> int:
    return sum(astuple(shares))


# ------------------------------------------------------------------------------------------------------------ examples

# Price 1,003 · 10 units · bond 25 % · dispute bond 20 % · fee 0.5 % · mediation 3 % · silence 40 % · cancel 5 %
POLICY = make_policy(cancel_fee_bps=500)
ACCEPTED = held_in(State.Accepted, POLICY, price=1_003, units=10)
DISPUTED = held_in(State.Disputed, POLICY, price=1_003, units=10, disputed_units=3)


def test_what_is_held_in_each_state() -> None:
    assert held_in(State.Nothing, POLICY, price=1_003, units=10) == Held(amount=0)
    assert held_in(State.Opened, POLICY, price=1_003, units=10) == Held(amount=1_003)
    assert Held(amount=1_003, seller_bond=250) == ACCEPTED
    assert held_in(State.Delivered, POLICY, price=1_003, units=10) == ACCEPTED
    # What is not in dispute rounds down: 1,003 − ⌊702.1⌋ = 301.
    assert Held(amount=301, seller_bond=75, dispute_bond=60) == DISPUTED
    assert DISPUTED.total == 436
    assert held_in(State.Closed, POLICY, price=1_003, units=10) == Held(amount=0)


@pytest.mark.parametrize(
    ("row", "closing", "expected"),
    [
        # to the buyer, to the seller, platform fee, bond back, mediation fee
        (4, timeout(POLICY, State.Opened, Held(amount=1_003)), (1_003, 0, 0, 0, 0)),
        (7, cancelled(POLICY, ACCEPTED), (953, 50, 0, 250, 0)),
        (8, withdrawn(replace(ACCEPTED, seller_bond=251), Outcome.Declined), (1_129, 0, 0, 125, 0)),
        (9, split(POLICY, ACCEPTED, 1_003, Outcome.Intervened, Fault.Platform), (1_003, 0, 0, 250, 0)),
        (10, timeout(POLICY, State.Accepted, ACCEPTED), (1_253, 0, 0, 0, 0)),
        (11, timeout(POLICY, State.Delivered, ACCEPTED), (0, 998, 5, 250, 0)),
        (14, withdrawn(DISPUTED, Outcome.Refunded), (399, 0, 0, 37, 0)),
        (15, split(POLICY, DISPUTED, 0, Outcome.Confirmed, Fault.Nobody), (60, 300, 1, 75, 0)),
        # M = 9, Q = 427; for r = 100: S = ⌊427 · 201 / 301⌋ = 285
        (16, ruling(POLICY, DISPUTED, 100, Outcome.Ruled), (142, 200, 1, 84, 9)),
        (16, ruling(POLICY, DISPUTED, 0, Outcome.Conceded), (0, 300, 1, 126, 9)),
        (16, ruling(POLICY, DISPUTED, 301, Outcome.Conceded), (427, 0, 0, 0, 9)),
        # s = ⌊301 · 0.6⌋ = 180
        (17, timeout(POLICY, State.Disputed, DISPUTED), (181, 180, 0, 75, 0)),
        (18, split(POLICY, DISPUTED, 100, Outcome.Agreed, Fault.Nobody), (160, 200, 1, 75, 0)),
    ],
)
def test_the_money_of_a_row(row: int, closing: Closing, expected: tuple[int, ...]) -> None:
    assert astuple(closing.shares) == expected


def test_a_dispute_pays_what_is_not_in_dispute() -> None:
    found = undisputed(POLICY, price=1_003, units=10, disputed_units=3)
    assert found == Shares(to_buyer=0, to_seller=699, platform_fee=3, bond_returned=175)


def test_what_an_order_holds() -> None:
    terms = make_terms(price=1_003, units=10)
    order = Order(id=HASH, state=State.Disputed, revision=0, terms=terms, policy=POLICY, disputed_units=3)
    assert held(order) == DISPUTED
    assert held(replace(order, state=State.Closed)) == Held(amount=0)
    with pytest.raises(ValueError, match="terms or policy are missing"):
        held(replace(order, policy=None))


def test_no_clock_runs_on_an_order_that_is_not_open() -> None:
    for state in (State.Nothing, State.Closed):
        with pytest.raises(ValueError, match="no clock runs"):
            timeout(POLICY, state, Held(amount=0))


# -------------------------------------------------------------------------------------------------- outcomes and faults


def test_outcomes_and_faults_are_those_of_the_row() -> None:
    def end(closing: Closing) -> tuple[Outcome, Fault]:
        return closing.outcome, closing.fault

    assert end(timeout(POLICY, State.Opened, ACCEPTED)) == (Outcome.Expired, Fault.Nobody)
    assert end(timeout(POLICY, State.Accepted, ACCEPTED)) == (Outcome.Undelivered, Fault.Seller)
    assert end(timeout(POLICY, State.Delivered, ACCEPTED)) == (Outcome.Released, Fault.Nobody)
    assert end(timeout(POLICY, State.Disputed, DISPUTED)) == (Outcome.Defaulted, Fault.Mediator)
    alone = replace(POLICY, mediator=ZERO_ADDRESS, mediate_window=0)
    assert end(timeout(alone, State.Disputed, DISPUTED)) == (Outcome.Defaulted, Fault.Nobody)
    assert end(cancelled(POLICY, ACCEPTED)) == (Outcome.Cancelled, Fault.Buyer)
    assert end(withdrawn(ACCEPTED, Outcome.Declined)) == (Outcome.Declined, Fault.Seller)
    assert end(withdrawn(DISPUTED, Outcome.Refunded)) == (Outcome.Refunded, Fault.Seller)


@pytest.mark.parametrize(
    ("amount", "to_buyer", "fault"),
    [
        (301, 151, Fault.Seller),
        (301, 150, Fault.Buyer),
        (300, 150, Fault.Nobody),
        (300, 149, Fault.Buyer),
        (1, 0, Fault.Buyer),
        (1, 1, Fault.Seller),
    ],
)
def test_a_rulings_fault_is_whoever_lost_more_than_half(amount: int, to_buyer: int, fault: Fault) -> None:
    assert ruling(POLICY, Held(amount=amount), to_buyer, Outcome.Ruled).fault == fault


# ----------------------------------------------------------------------------------------------------------------- laws


@given(prices, rates)
def test_bps_rounds_down_and_never_exceeds(amount: int, rate: int) -> None:
    assert bps(amount, rate) * 10_000 <= amount * rate < (bps(amount, rate) + 1) * 10_000


@given(prices, quantities())
def test_the_sum_in_dispute_grows_with_the_units_up_to_the_price(price: int, quantity: tuple[int, int]) -> None:
    units, disputed = quantity
    amount = sum_in_dispute(price, units, disputed)
    assert 0 < amount <= price
    assert sum_in_dispute(price, units, units) == price
    assert sum_in_dispute(price, units, disputed - 1) <= amount
    assert amount * units >= price * disputed  # a buyer never gets back less than the part that is bad


@given(policies(), prices, quantities())
def test_a_dispute_loses_nothing(policy: Policy, price: int, quantity: tuple[int, int]) -> None:
    units, disputed = quantity
    before = held_in(State.Delivered, policy, price=price, units=units)
    after = held_in(State.Disputed, policy, price=price, units=units, disputed_units=disputed)
    shares = undisputed(policy, price=price, units=units, disputed_units=disputed)
    assert before.total + after.dispute_bond == after.total + paid(shares)
    assert min(astuple(shares)) >= 0
    assert min(astuple(after)) >= 0


# Every way in which an order closes, and the states in which it can.
ENDINGS = {
    "timeout": OPEN,
    "split": OPEN,
    "cancelled": [State.Accepted],
    "withdrawn": [State.Accepted, State.Delivered, State.Disputed],
    "ruling": [State.Disputed],
}


def close(ending: str, policy: Policy, state: State, holding: Held, to_buyer: int) -> Closing:
    match ending:
        case "timeout":
            return timeout(policy, state, holding)
        case "split":
            return split(policy, holding, to_buyer, Outcome.Agreed, Fault.Nobody)
        case "cancelled":
            return cancelled(policy, holding)
        case "withdrawn":
            return withdrawn(holding, Outcome.Refunded)
        case _:
            return ruling(policy, holding, to_buyer, Outcome.Ruled)


@pytest.mark.parametrize("ending", ENDINGS)
@given(data=st.data(), policy=policies(), price=prices, quantity=quantities())
def test_what_is_held_is_what_is_paid(
    data: st.DataObject,
    ending: str,
    policy: Policy,
    price: int,
    quantity: tuple[int, int],
) -> None:
    state = data.draw(st.sampled_from(ENDINGS[ending]))
    units, disputed = quantity
    holding = held_in(state, policy, price=price, units=units, disputed_units=disputed)
    shares = close(ending, policy, state, holding, data.draw(st.integers(0, holding.amount))).shares
    assert paid(shares) == holding.total
    assert min(astuple(shares)) >= 0
    # Nobody but the parties gets more than the policy says.
    assert shares.platform_fee <= bps(holding.amount, policy.platform_fee_bps)
    assert shares.mediation_fee <= bps(holding.amount, policy.mediation_fee_bps)
    # The seller earns the sum at most, and gets more than its own bond back only by winning the buyer's.
    assert shares.to_seller <= holding.amount
    assert shares.bond_returned <= holding.seller_bond + holding.dispute_bond


@given(st.data(), policies(), prices, quantities())
def test_a_split_gives_what_was_agreed(
    data: st.DataObject, policy: Policy, price: int, quantity: tuple[int, int]
) -> None:
    holding = held_in(State.Disputed, policy, price=price, units=quantity[0], disputed_units=quantity[1])
    x = data.draw(st.integers(0, holding.amount))
    shares = split(policy, holding, x, Outcome.Agreed, Fault.Nobody).shares
    assert shares.to_buyer == x + holding.dispute_bond
    assert shares.to_seller + shares.platform_fee == holding.amount - x
    assert shares.bond_returned == holding.seller_bond


@given(policies(), prices)
def test_backing_out_costs_the_seller_half_the_bond_and_the_buyer_nothing(policy: Policy, price: int) -> None:
    holding = held_in(State.Accepted, policy, price=price, units=1)
    shares = withdrawn(holding, Outcome.Declined).shares
    assert shares.to_buyer - price == holding.seller_bond - shares.bond_returned
    assert 0 <= shares.to_buyer - price - shares.bond_returned <= 1  # the odd unit is the buyer's


@given(st.data(), policies(), prices, quantities())
def test_a_ruling_pays_the_award_and_shares_the_bonds_alike(
    data: st.DataObject, policy: Policy, price: int, quantity: tuple[int, int]
) -> None:
    holding = held_in(State.Disputed, policy, price=price, units=quantity[0], disputed_units=quantity[1])
    award = data.draw(st.integers(0, holding.amount))
    shares = ruling(policy, holding, award, Outcome.Ruled).shares
    assert shares.to_seller + shares.platform_fee == holding.amount - award
    assert shares.to_buyer >= award  # who is right never pays for being so
    if award == 0:
        assert shares.to_buyer == 0
        assert shares.bond_returned >= holding.seller_bond
    if award == holding.amount:
        assert shares.to_seller == shares.platform_fee == shares.bond_returned == 0
        assert shares.to_buyer >= holding.amount + holding.dispute_bond


@given(st.data(), policies(), prices, quantities())
def test_a_higher_award_never_gives_the_buyer_less(
    data: st.DataObject, policy: Policy, price: int, quantity: tuple[int, int]
) -> None:
    holding = held_in(State.Disputed, policy, price=price, units=quantity[0], disputed_units=quantity[1])
    assume(holding.amount > 1)
    award = data.draw(st.integers(0, holding.amount - 1))
    less, more = (ruling(policy, holding, r, Outcome.Ruled).shares for r in (award, award + 1))
    assert more.to_buyer > less.to_buyer


@given(policies(), prices, quantities())
def test_silence_pays_the_policys_split_and_takes_no_bond(
    policy: Policy, price: int, quantity: tuple[int, int]
) -> None:
    holding = held_in(State.Disputed, policy, price=price, units=quantity[0], disputed_units=quantity[1])
    shares = timeout(policy, State.Disputed, holding).shares
    assert shares.to_seller == bps(holding.amount, 10_000 - policy.silence_share_bps)
    assert shares.to_buyer == holding.amount - shares.to_seller + holding.dispute_bond
    assert shares.bond_returned == holding.seller_bond
    assert shares.platform_fee == 0
