"""What reputation counts: the rules one by one, and the laws that hold for any orders whatever."""

from dataclasses import replace
from fractions import Fraction
from math import sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.reputation import (
    HALF_LIFE,
    MOST,
    ONE,
    Kind,
    Reputation,
    Tally,
    Trade,
    Yardstick,
    bounded,
    decayed,
    reckon,
    weight,
    wilson,
)
from kameng_escrow.domain.states import Fault, Outcome

NOW = 1_800_000_000
COIN, OTHER = ZERO_ADDRESS, "0x" + "0c" * 20
UNIT = 1_000
ME, PLATFORM, THEIRS = "me", "platform", "their platform"
MINE = Yardstick(units={COIN: UNIT}, platforms=frozenset({PLATFORM}))


def sale(buyer: str = "ann", **changes: Any) -> Trade:
    """I sold something and it went well."""
    trade = Trade(
        buyer=buyer,
        refund_to=changes.pop("refund_to", buyer),
        seller=ME,
        pay_to=ME,
        payer=changes.pop("payer", buyer),
        token=COIN,
        platform=PLATFORM,
        fee_receiver=PLATFORM,
        outcome=Outcome.Confirmed,
        fault=Fault.Nobody,
        to_seller=99_000,
        fee=UNIT,
        full_fee=UNIT,
        closed_at=NOW,
    )
    return replace(trade, **changes)


def purchase(seller: str = "sue", **changes: Any) -> Trade:
    """I bought something and it went well."""
    return sale(buyer=ME, **{"seller": seller, "pay_to": seller, **changes})


def failed(buyer: str = "ann", **changes: Any) -> Trade:
    """I sold something and did not deliver."""
    return sale(buyer, **{"outcome": Outcome.Undelivered, "fault": Fault.Seller, "to_seller": 0, "fee": 0, **changes})


def reckoned(*trades: Trade, at: int = NOW, yardstick: Yardstick = MINE) -> Reputation:
    return reckon(ME, trades, yardstick, at)


def selling(*trades: Trade, at: int = NOW, yardstick: Yardstick = MINE) -> Tally:
    return reckoned(*trades, at=at, yardstick=yardstick).as_seller


# -------------------------------------------------------------------------------------------------- what buys nothing


@pytest.mark.parametrize(
    ("trade", "kind"),
    [
        (sale(token=OTHER), Kind.Unlisted),
        (sale(platform=THEIRS), Kind.Unlisted),
        (failed(token=OTHER), Kind.Unlisted),
        (sale(refund_to=ME), Kind.SelfTrade),
        (sale(pay_to="ann"), Kind.SelfTrade),
        (sale(pay_to="purse", refund_to="purse"), Kind.SelfTrade),
        (sale(pay_to=PLATFORM), Kind.SelfTrade),
        (sale(buyer=PLATFORM), Kind.SelfTrade),
        (sale(fee_receiver=ME), Kind.SelfTrade),
        (sale(fee=UNIT // 10 - 1), Kind.Dust),
        (failed(full_fee=UNIT // 10 - 1), Kind.Dust),
        (sale(outcome=Outcome.Expired, fee=0, to_seller=0), Kind.Unanswered),
        (sale(outcome=Outcome.Agreed, fee=0, to_seller=0), Kind.Returned),
        (sale(outcome=Outcome.Cancelled, fee=0, to_seller=0), Kind.Neutral),
        (sale(outcome=Outcome.Cancelled, fault=Fault.Buyer, fee=0), Kind.Neutral),
        (sale(outcome=Outcome.Intervened, fault=Fault.Platform, fee=0, to_seller=0), Kind.Neutral),
        (sale(outcome=Outcome.Defaulted, fault=Fault.Mediator, fee=0), Kind.Neutral),
    ],
)
def test_what_weighs_nothing_is_counted_apart(trade: Trade, kind: Kind) -> None:
    tally = selling(trade)
    assert tally.counts[kind] == tally.orders == 1
    assert (tally.good, tally.bad, tally.counterparties, tally.rate) == (0, 0, 0, None)
    assert (tally.lower, tally.upper) == (0, ONE)


def test_two_who_sell_to_each_other_gain_nothing() -> None:
    found = reckoned(sale("ann"), purchase("ann"), sale("bob"))
    assert found.as_seller.counts[Kind.Mutual] == found.as_buyer.counts[Kind.Mutual] == 1
    assert (found.as_seller.good, found.as_buyer.good) == (ONE, 0)


def test_a_ring_of_two_through_a_purse_gains_nothing() -> None:
    bought = purchase("sue", pay_to="ann", payer=ME)
    assert reckoned(sale("ann"), bought).as_seller.good == 0


def test_my_purse_as_theirs_is_me() -> None:
    tally = selling(sale("ann", pay_to="purse"), sale("puppet", refund_to="purse"), sale("purse"))
    assert (tally.counts[Kind.Good], tally.counts[Kind.SelfTrade]) == (1, 2)


def test_orders_that_others_opened_for_me_do_not_hurt_my_sales() -> None:
    """Anyone may pay an order for a buyer, and name whatever addresses in it."""
    framed = purchase("foe", pay_to="ann", refund_to="ann", payer="foe")
    assert reckoned(sale("ann"), framed).as_seller.good == ONE


def test_faults_stay_where_two_trade_both_ways() -> None:
    found = reckoned(failed("ann"), purchase("ann"))
    assert found.as_seller.bad == ONE


@pytest.mark.parametrize(
    "fault",
    [
        failed(refund_to=ME),
        failed(pay_to="ann"),
        failed(pay_to="purse", refund_to="purse"),
        failed(pay_to=PLATFORM),
        failed(fee_receiver=ME),
    ],
)
def test_a_fault_is_a_fault_whatever_addresses_are_shared(fault: Trade) -> None:
    tally = selling(fault)
    assert (tally.counts[Kind.Bad], tally.counts[Kind.SelfTrade], tally.bad) == (1, 0, ONE)


@pytest.mark.parametrize(
    "excuse",
    [
        purchase("sue", fee=UNIT // 10, refund_to="ann", payer=ME),
        sale("puppet", fee=UNIT // 10, pay_to="ann"),
        failed("puppet", full_fee=UNIT // 10, pay_to="ann"),
    ],
)
def test_naming_a_victim_s_address_as_one_s_own_does_not_excuse(excuse: Trade) -> None:
    before, after = selling(*[failed("ann")] * 3), selling(*[failed("ann")] * 3, excuse)
    assert after.counts[Kind.Bad] >= before.counts[Kind.Bad] == 3
    assert after.bad >= before.bad == 3 * ONE
    bought = purchase("sue", outcome=Outcome.Cancelled, fault=Fault.Buyer, fee=0)
    assert reckoned(bought, sale("puppet", pay_to="sue")).as_buyer.bad == ONE


def test_victims_who_are_made_to_share_an_address_count_apart() -> None:
    """Whoever pays for a buyer names where refunds go."""
    victims = [failed(name, full_fee=16 * UNIT) for name in ("ann", "bob")]
    shared = failed("ann", refund_to="bob", payer="puppet", full_fee=16 * UNIT)
    assert selling(*victims).bad == selling(*victims, shared).bad == 2 * MOST


# ------------------------------------------------------------------------------------------------------ what counts


def test_good_and_bad_by_fault() -> None:
    tally = selling(
        sale("a"),
        sale("b", outcome=Outcome.Released),
        sale("c", outcome=Outcome.Ruled, fault=Fault.Buyer),
        sale("d", outcome=Outcome.Agreed, fee=UNIT // 2),
        failed("e"),
        failed("f", outcome=Outcome.Ruled),
    )
    assert (tally.counts[Kind.Good], tally.counts[Kind.Bad], tally.counterparties) == (4, 2, 4)
    assert (tally.good, tally.bad) == (3 * ONE + ONE // 2, 2 * ONE)
    assert tally.rate == 636_363
    assert tally.fees == {COIN: 3 * UNIT + UNIT // 2}


def test_roles_are_apart() -> None:
    found = reckoned(sale("ann"), purchase("sue", outcome=Outcome.Cancelled, fault=Fault.Buyer, fee=0))
    assert (found.as_seller.good, found.as_seller.bad) == (ONE, 0)
    assert (found.as_buyer.good, found.as_buyer.bad) == (0, ONE)


def test_without_named_platforms_all_count() -> None:
    everyone = Yardstick(units={COIN: UNIT})
    assert selling(sale(platform=THEIRS), yardstick=everyone).good == ONE


@pytest.mark.parametrize(
    ("fee", "expected"),
    [(0, 0), (99, 0), (100, 100_000), (500, 500_000), (1_000, ONE), (2_000, 1_414_213), (16_000, MOST), (10**30, MOST)],
)
def test_weights_by_fee(fee: int, expected: int) -> None:
    assert weight(fee, UNIT) == expected


def test_what_is_later_is_not_known_yet() -> None:
    assert selling(sale(closed_at=NOW + 1)).orders == 0
    assert selling(sale(closed_at=NOW + 1), at=NOW + 1).orders == 1


@pytest.mark.parametrize(("halves", "left"), [(0, ONE), (1, 750_000), (2, 500_000), (3, 375_000), (4, 250_000)])
def test_weights_halve(halves: int, left: int) -> None:
    assert decayed(ONE, halves * HALF_LIFE // 2) == left
    assert selling(sale(), at=NOW + halves * HALF_LIFE // 2).good == left


def test_one_counterparty_is_bounded() -> None:
    many = [sale("ann", closed_at=NOW - number) for number in range(100)]
    assert selling(*many).good == MOST
    purse = [sale(f"puppet {number}", refund_to="purse") for number in range(100)]
    assert selling(*purse).good == MOST
    account = [sale("ann", refund_to=f"purse {number}") for number in range(100)]
    assert selling(*account).good == MOST
    faults = [failed("ann", closed_at=NOW - number) for number in range(100)]
    assert selling(*faults).bad == MOST


def test_the_interval_is_wilson_s() -> None:
    for good, bad in ((0, 1), (1, 0), (3, 4), (95, 5), (1_000, 1)):
        n, p, z = good + bad, good / (good + bad), 1.96
        middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        lower, upper = wilson(good * ONE, bad * ONE)
        assert lower == pytest.approx((middle - half) / (1 + z * z / n) * ONE, abs=2)
        assert upper == pytest.approx((middle + half) / (1 + z * z / n) * ONE, abs=2)


# -------------------------------------------------------------------------------------------------------------- laws

NAMES = ("ann", "bob", "cid", "dan")
PURSES = (*NAMES, "purse", "other purse")
CLOSINGS = st.sampled_from(
    [
        *((Outcome.Confirmed, Fault.Nobody), (Outcome.Released, Fault.Nobody), (Outcome.Expired, Fault.Nobody)),
        *((Outcome.Cancelled, Fault.Buyer), (Outcome.Undelivered, Fault.Seller), (Outcome.Agreed, Fault.Nobody)),
        *((Outcome.Ruled, Fault.Buyer), (Outcome.Ruled, Fault.Seller), (Outcome.Defaulted, Fault.Mediator)),
    ]
)


@st.composite
def trades(draw: st.DrawFn) -> Trade:
    buyer, seller = draw(st.sampled_from([(name, ME) for name in NAMES] + [(ME, name) for name in NAMES]))
    outcome, fault = draw(CLOSINGS)
    fee = draw(st.sampled_from([0, 1, 99, 100, 700, 1_000, 5_000, 10**6]))
    return sale(
        buyer,
        seller=seller,
        refund_to=draw(st.sampled_from((buyer, *PURSES))),
        pay_to=draw(st.sampled_from((seller, *PURSES))),
        payer=draw(st.sampled_from((buyer, "payer"))),
        token=draw(st.sampled_from((COIN, COIN, COIN, OTHER))),
        platform=draw(st.sampled_from((PLATFORM, PLATFORM, THEIRS))),
        outcome=outcome,
        fault=fault,
        fee=fee,
        full_fee=max(fee, draw(st.sampled_from([0, 1_000]))),
        to_seller=draw(st.sampled_from([0, 10])),
        closed_at=NOW - draw(st.integers(0, 4 * HALF_LIFE)),
    )


LISTS = st.lists(trades(), max_size=12)


@given(st.data(), LISTS)
def test_the_order_of_orders_is_nothing(data: st.DataObject, some: list[Trade]) -> None:
    assert reckoned(*data.draw(st.permutations(some))) == reckoned(*some)


@given(LISTS)
def test_all_orders_are_counted_once(some: list[Trade]) -> None:
    found = reckoned(*some)
    assert found.as_seller.orders == sum(one.seller == ME for one in some)
    assert found.as_buyer.orders == sum(one.buyer == ME for one in some)


@given(LISTS)
def test_the_interval_holds_the_rate(some: list[Trade]) -> None:
    for tally in (reckoned(*some).as_buyer, reckoned(*some).as_seller):
        assert 0 <= tally.lower <= tally.upper <= ONE
        if tally.rate is not None:
            assert tally.lower <= tally.rate <= tally.upper


@given(LISTS, st.sampled_from([0, 1_000, 10**9]))
def test_a_good_sale_to_somebody_new_never_hurts(some: list[Trade], fee: int) -> None:
    before, after = selling(*some), selling(*some, sale("new", fee=fee))
    assert before.good <= after.good <= before.good + MOST
    assert after.bad == before.bad
    assert after.lower >= before.lower


@given(LISTS)
def test_a_fault_never_helps(some: list[Trade]) -> None:
    before, after = selling(*some), selling(*some, failed("new"))
    assert before.bad < after.bad <= before.bad + MOST
    assert after.good <= before.good
    assert after.lower <= before.lower


FAULTS = st.builds(
    lambda buyer, purse, fee: failed(buyer, refund_to=purse, full_fee=fee),
    *(st.sampled_from(NAMES), st.sampled_from(PURSES), st.sampled_from([700, 16_000])),
)
EXCUSES = st.builds(
    lambda make, other, changes: make(other, **changes),
    st.sampled_from((sale, purchase, failed)),
    st.sampled_from(NAMES),
    st.fixed_dictionaries(
        {
            "refund_to": st.sampled_from(PURSES),
            "pay_to": st.sampled_from(PURSES),
            "payer": st.sampled_from((ME, "payer")),
        }
    ),
)


@given(LISTS, st.lists(FAULTS, max_size=4), trades() | EXCUSES)
def test_no_further_order_takes_anything_from_the_bad(some: list[Trade], faults: list[Trade], more: Trade) -> None:
    """Whatever the account buys or sells, from or to whom, and wherever it has the money go."""
    before, after = reckoned(*some, *faults), reckoned(*some, *faults, more)
    for old, new in ((before.as_buyer, after.as_buyer), (before.as_seller, after.as_seller)):
        assert new.bad >= old.bad
        assert new.counts[Kind.Bad] >= old.counts[Kind.Bad]


@given(LISTS)
def test_each_fault_counts_by_itself(some: list[Trade]) -> None:
    """Neither the other orders nor any address decide whether a fault weighs."""
    alone = [selling(one) for one in some if one.seller == ME]
    assert selling(*some).counts[Kind.Bad] == sum(one.counts[Kind.Bad] for one in alone)
    listed = [one for one in some if one.seller == ME and one.token == COIN and one.platform == PLATFORM]
    at_fault = [one for one in listed if one.fault is Fault.Seller and weight(one.full_fee, UNIT)]
    assert selling(*some).counts[Kind.Bad] == len(at_fault)


@given(LISTS, st.lists(trades(), min_size=1, max_size=8))
def test_no_counterparty_adds_more_than_it_may(some: list[Trade], more: list[Trade]) -> None:
    """However its orders look, whatever addresses it names in them."""
    theirs = [replace(one, buyer="new", seller=ME, pay_to=ME) for one in more]
    before, after = selling(*some), selling(*some, *theirs)
    assert after.good <= before.good + MOST
    assert after.bad <= before.bad + MOST


@given(LISTS, st.lists(trades(), min_size=1, max_size=8))
def test_strangers_take_nothing_away(some: list[Trade], more: list[Trade]) -> None:
    """Others may open orders in my name and name any address: what honest buyers have brought me stays."""
    theirs = [
        replace(one, buyer=ME, seller="foe", payer="foe", pay_to=one.pay_to if one.pay_to != ME else "foe")
        for one in more
    ]
    assert selling(*some, *theirs).good == selling(*some).good


@given(LISTS)
def test_self_trades_gain_nothing(some: list[Trade]) -> None:
    mine = [replace(one, buyer=name, seller=ME, pay_to="purse", refund_to="purse") for one in some for name in NAMES]
    assert selling(*mine).good == 0


@given(LISTS, st.integers(0, 6 * HALF_LIFE))
def test_time_takes_away_and_never_gives(some: list[Trade], later: int) -> None:
    now, then = selling(*some), selling(*some, at=NOW + later)
    assert then.good <= now.good
    assert then.bad <= now.bad


@given(st.dictionaries(st.tuples(st.sampled_from(NAMES), st.sampled_from(PURSES)), st.integers(0, 3 * MOST)))
def test_nobody_and_no_purse_has_more_than_the_most(weights: dict[tuple[str, str], int]) -> None:
    total = bounded(weights)
    assert total <= sum(weights.values())
    assert total <= MOST * len({account for account, _ in weights})
    assert total <= MOST * len({purse for _, purse in weights})


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_interval_is_exact_enough(good: int, bad: int) -> None:
    """Both ends solve Wilson's equation (p - x)² n = z² x (1 - x), to a millionth."""
    lower, upper = wilson(good, bad)
    if good + bad == 0:
        return
    n, p, z = Fraction(good + bad, ONE), Fraction(good, good + bad), Fraction(196, 100)

    def outside(x: Fraction) -> bool:
        return (p - x) ** 2 * n >= z**2 * x * (1 - x)

    assert outside(Fraction(lower, ONE))
    assert outside(Fraction(upper, ONE))
    assert lower == 0 or not outside(Fraction(min(lower + 2, ONE), ONE)) or Fraction(lower + 2, ONE) > p
    assert upper == ONE or not outside(Fraction(max(upper - 2, 0), ONE)) or Fraction(upper - 2, ONE) < p


def test_the_manual_s_example() -> None:
    tally = selling(sale("ann"), sale("bob", fee=4 * UNIT, closed_at=NOW - HALF_LIFE), failed("cid"))
    assert (tally.good, tally.bad, tally.rate) == (2 * ONE, ONE, 666_666)
    assert (tally.lower, tally.upper) == (207_654, 938_510)
