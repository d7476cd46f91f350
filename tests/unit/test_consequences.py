"""What a move is said to do to the money is what it does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.domain.actions import possible
from kameng_escrow.domain.consequences import consequence, opening
from kameng_escrow.domain.course import slowest_course
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.endings import ending
from kameng_escrow.domain.lifecycle import LIFECYCLE, Move, Who
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.shares import bps, held
from kameng_escrow.domain.states import Outcome, State

from .made import make_policy, make_terms

COIN = Currency("0x" + "00" * 20, "USDT", 6)
NOW = 1_800_000_000


def orders() -> dict[State, Order]:
    policy = make_policy(cancel_fee_bps=500)
    return {order.state: order for order in slowest_course(make_terms(), policy)}


@pytest.mark.parametrize("row", [row for row in LIFECYCLE if State.Nothing not in row.states], ids=str)
def test_every_move_of_an_open_order_has_words(row: object) -> None:
    assert isinstance(row, type(LIFECYCLE[0]))
    for state in row.states:
        for who in row.who:
            told = consequence(orders()[state], row.move, who, COIN, now=NOW)
            assert told.en.endswith(".")
            assert told.zh.endswith("。")


def test_sums_are_those_of_the_ending() -> None:
    for order in orders().values():
        for one in possible(order, Who.Buyer, NOW) + possible(order, Who.Seller, NOW):
            if one.closing is None:
                continue
            told = consequence(order, one.move, one.who, COIN, now=NOW)
            shares = one.closing.shares
            for amount in (shares.to_buyer, shares.to_seller, shares.platform_fee, shares.bond_returned):
                if amount:
                    assert COIN.show(amount) in told.en
                    assert COIN.show(amount) in told.zh


@given(st.integers(min_value=0, max_value=10**9))
def test_a_split_is_told_as_it_is_paid(to_buyer: int) -> None:
    order = orders()[State.Delivered]
    amount = min(to_buyer, held(order).amount)
    told = consequence(order, Move.Agree, Who.Parties, COIN, now=NOW, to_buyer=amount)
    shares = ending(order, Outcome.Agreed, amount).shares
    for paid in (shares.to_buyer, shares.to_seller):
        assert (COIN.show(paid) in told.en) or paid == 0


def test_more_than_is_held_is_refused() -> None:
    order = orders()[State.Delivered]
    with pytest.raises(ValueError, match="more than"):
        consequence(order, Move.Agree, Who.Parties, COIN, now=NOW, to_buyer=held(order).amount + 1)


def test_a_move_of_another_state_is_refused() -> None:
    with pytest.raises(ValueError, match="can't be moved by dispute"):
        consequence(orders()[State.Opened], Move.Dispute, Who.Buyer, COIN, now=NOW)


def test_a_dispute_names_its_bond_and_what_the_seller_gets_at_once() -> None:
    order = orders()[State.Delivered]
    assert order.terms is not None
    assert order.policy is not None
    told = consequence(order, Move.Dispute, Who.Buyer, COIN, now=NOW, units=order.terms.units)
    assert COIN.show(bps(order.terms.price, order.policy.dispute_bond_bps)) in told.en
    assert COIN.show(order.terms.price) in told.zh


def test_an_opening_says_where_the_money_goes_back() -> None:
    terms, policy = make_terms(), make_policy()
    for offered in (False, True):
        told = opening(terms, policy, COIN, offered=offered)
        assert terms.refund_to in told.en
        assert COIN.show(terms.price) in told.zh
    assert "bond" in opening(terms, policy, COIN, offered=True).en
