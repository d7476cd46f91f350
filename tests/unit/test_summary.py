"""A summary promises nothing that the contract's twin does not keep."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.lifecycle import LIFECYCLE, Move, Who
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.policy import NO_CANCEL, ZERO_ADDRESS, Policy
from kameng_escrow.domain.states import Outcome, State
from kameng_escrow.domain.summary import Summary, summarize
from kameng_escrow.domain.summary_text import lines, paragraphs
from tests.unit.histories import BACKUP, BUYER, MEDIATOR, PAY_TO, PLATFORM, POLICY, REFUND_TO, SELLER, TERMS
from tests.unit.trading import NOW, Play, contracts, with_policy

COIN = Currency(NATIVE, "ETH", 6)
TERMS_HERE = with_policy(TERMS, POLICY)

# Where the time of a random history goes: mostly to the very edges of what is allowed.
chances = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, 500, 999, 1_000, 1_000]), st.integers(0, 10_000), st.integers(0, 2_000)),
    max_size=12,
)


# ---------------------------------------------------------------------------------------------------------- the clock


@settings(max_examples=300, deadline=None)
@given(contract=contracts(), opening=st.integers(0, 1_000), offered=st.booleans(), steps=chances)
def test_the_money_arrives_at_or_before_the_stated_moment_whatever_anybody_does(
    contract: tuple[OrderTerms, Policy], opening: int, offered: bool, steps: list[tuple[int, int, int]]
) -> None:
    terms, policy = contract
    summary, play = summarize(terms, policy), Play(terms, policy)
    play.open(NOW + (terms.open_by - NOW) * opening // 1_000, offered=offered)
    for permille, which, number in steps:
        if not play.order.state.is_open:
            break
        deadline = play.order.deadline
        assert deadline is not None
        assert deadline <= summary.stage(play.order.state).latest_end
        at = play.now + (deadline - 1 - play.now) * permille // 1_000
        options = [option for option in play.options(at) if option.move is not Move.Settle]
        going_on = [option for option in options if not option.ends]
        choices = going_on if going_on and which % 4 else options
        play.take(choices[which % len(choices)], at, number)
    if play.order.state.is_open:  # nobody does anything any more, and somebody settles at once
        assert play.order.deadline is not None
        [settle] = [
            one for one in play.options(play.order.deadline) if one.move is Move.Settle and one.who is Who.Anyone
        ]
        play.take(settle, play.order.deadline)
    assert play.order.closed_at is not None
    assert play.order.closed_at <= summary.latest
    assert play.paid(play.twin.address) == play.twin.bond_of(SELLER, NATIVE) + sum(play.twin.books.fees.values()) + sum(
        play.twin.books.credits.values()
    )


@settings(max_examples=100, deadline=None)
@given(contract=contracts())
def test_the_stated_moments_are_reached_by_those_who_wait_for_the_last_second(
    contract: tuple[OrderTerms, Policy],
) -> None:
    """None is later than it need be."""
    terms, policy = contract
    summary, play = summarize(terms, policy), Play(terms, policy)
    play.open(terms.open_by)
    for stage, move in zip(summary.stages, (Move.Accept, Move.Deliver, Move.Dispute, None), strict=True):
        assert play.order.state is stage.state
        assert play.order.deadline == stage.latest_end
        if move is not None:
            [option] = [one for one in play.options(stage.latest_end - 1) if one.move is move]
            play.take(option, stage.latest_end - 1, terms.units - 1)
    assert summary.latest == play.order.deadline
    assert [stage.lasts for stage in summary.stages] == [
        policy.accept_window,
        policy.deliver_window,
        policy.inspect_window,
        policy.negotiate_window + policy.mediate_window,
    ]


@settings(max_examples=100, deadline=None)
@given(contract=contracts())
def test_what_settling_pays_in_each_stage_is_what_the_twin_pays(contract: tuple[OrderTerms, Policy]) -> None:
    terms, policy = contract
    for stage in summarize(terms, policy).stages:
        play = come_to(stage.state, terms, policy)
        buyers, sellers, bond = play.paid(REFUND_TO), play.paid(PAY_TO), play.twin.bond_of(SELLER, NATIVE)
        assert play.order.deadline is not None
        play.twin.settle(PLATFORM, play.order.deadline, terms)
        paid = stage.timeout.shares
        assert play.ended() is stage.timeout.outcome
        assert (play.paid(REFUND_TO) - buyers, play.paid(PAY_TO) - sellers) == (paid.to_buyer, paid.to_seller)
        assert play.twin.bond_of(SELLER, NATIVE) - bond == paid.bond_returned


# ------------------------------------------------------------------------------------------------ what giving up costs


@settings(max_examples=100, deadline=None)
@given(contract=contracts())
def test_giving_up_costs_what_is_stated(contract: tuple[OrderTerms, Policy]) -> None:
    terms, policy = contract
    for leaving in summarize(terms, policy).leavings:
        play = come_to(leaving.state, terms, policy)
        ways = [one for one in play.options(play.now) if one.who is leaving.who and one.move in GIVING_UP[leaving.who]]
        assert (leaving.move is None) == (ways == [])
        for way in ways:
            assert way.move is leaving.move
            bond, paid = play.twin.bond_of(SELLER, NATIVE), play.paid(REFUND_TO)
            play.take(way, play.now)
            if leaving.who is Who.Buyer:
                assert terms.price - (play.paid(REFUND_TO) - paid) == leaving.cost
            else:
                assert locked(play) - (play.twin.bond_of(SELLER, NATIVE) - bond) == leaving.cost


GIVING_UP = {Who.Buyer: {Move.Cancel}, Who.Seller: {Move.Decline, Move.Refund}}


def locked(play: Play) -> int:
    """The seller's bond that was locked in an order which has ended."""
    order = play.order
    if order.accepted_at is None:
        return 0
    return play.terms.price * play.policy.seller_bond_bps // 10_000  # every unit was in dispute, if one was


def come_to(state: State, terms: OrderTerms, policy: Policy) -> Play:
    """An order in that state, by the shortest way; Disputed with every unit."""
    play = Play(terms, policy)
    play.open(NOW)
    for move in (Move.Accept, Move.Deliver, Move.Dispute):
        if play.order.state is state:
            break
        [option] = [one for one in play.options(NOW) if one.move is move]
        play.take(option, NOW, terms.units - 1)
    assert play.order.state is state
    return play


def test_costs_of_the_usual_policy_by_hand() -> None:
    """P = 1,000,007 · C = 50,000 · B = 300,002, of which the larger half goes to the buyer."""
    told = [(one.state, one.who, one.move, one.cost) for one in summarize(TERMS_HERE, POLICY).leavings]
    assert told == [
        (State.Opened, Who.Buyer, Move.Cancel, 0),
        (State.Opened, Who.Seller, Move.Decline, 0),
        (State.Accepted, Who.Buyer, Move.Cancel, 50_000),
        (State.Accepted, Who.Seller, Move.Decline, 150_001),
        (State.Delivered, Who.Buyer, None, 0),
        (State.Delivered, Who.Seller, Move.Refund, 150_001),
        (State.Disputed, Who.Buyer, None, 0),
        (State.Disputed, Who.Seller, Move.Refund, 150_001),
    ]


def test_where_the_policy_forbids_cancelling_the_summary_does_too() -> None:
    policy = replace(POLICY, cancel_fee_bps=NO_CANCEL)
    summary = summarize(with_policy(TERMS, policy), policy)
    [leaving] = [one for one in summary.leavings if one.state is State.Accepted and one.who is Who.Buyer]
    assert (leaving.move, leaving.cost) == (None, 0)
    assert "已接单，待发货：买家不能退出。" in lines(summary, COIN)[1]


# ---------------------------------------------------------------------------------------------- who may do what, when


def test_everything_that_the_table_allows_in_an_open_state_is_told_once() -> None:
    for stage in summarize(TERMS_HERE, POLICY).stages:
        told = [(option.who, option.move) for option in stage.options]
        assert len(set(told)) == len(told)
        allowed = {
            (who, row.move)
            for row in LIFECYCLE
            if stage.state in row.states
            for who in row.who
            if who not in (Who.Operator, Who.Anyone)
        }
        assert set(told) == allowed


def test_operators_are_named_where_they_may_act_and_nowhere_else() -> None:
    for stage in summarize(TERMS_HERE, POLICY).stages:
        for option in stage.options:
            allowed = any(
                row.move is option.move and stage.state in row.states and Who.Operator in row.who for row in LIFECYCLE
            )
            assert option.by_operator == (allowed and option.who is Who.Seller)


def test_mediators_take_turns() -> None:
    [stage] = [stage for stage in summarize(TERMS_HERE, POLICY).stages if stage.state is State.Disputed]
    first, second = stage.watches
    assert (first.mediator, first.after, first.until) == (MEDIATOR, 43_200, 43_200 + 86_400)
    assert (second.mediator, second.after, second.until) == (BACKUP, 43_200 + 86_400, 43_200 + 172_801)


def test_one_mediator_has_the_whole_window() -> None:
    policy = replace(POLICY, backup_mediator=ZERO_ADDRESS)
    [watch] = summarize(with_policy(TERMS, policy), policy).stage(State.Disputed).watches
    assert (watch.mediator, watch.after, watch.until) == (MEDIATOR, 43_200, 43_200 + 172_801)


def test_without_a_mediator_nobody_rules() -> None:
    policy = replace(POLICY, mediator=ZERO_ADDRESS, backup_mediator=ZERO_ADDRESS, mediate_window=0, mediation_fee_bps=0)
    summary = summarize(with_policy(TERMS, policy), policy)
    stage = summary.stage(State.Disputed)
    assert stage.watches == ()
    assert {option.move for option in stage.options} & {Move.Rule, Move.Concede} == set()
    assert "There is no mediator." in lines(summary, COIN)[0]


def test_a_platform_that_is_a_party_can_t_intervene() -> None:
    terms = replace(TERMS_HERE, seller=PLATFORM)
    moves = {option.move for stage in summarize(terms, POLICY).stages for option in stage.options}
    assert Move.Intervene not in moves


def test_a_policy_that_no_contract_would_register_has_no_summary() -> None:
    with pytest.raises(ValueError, match="time to accept"):
        summarize(TERMS_HERE, replace(POLICY, accept_window=0))


# ---------------------------------------------------------------------------------------------------------- the words


def summary() -> Summary:
    return summarize(TERMS_HERE, POLICY)


def test_the_words_in_both_languages() -> None:
    english, chinese = lines(summary(), COIN)
    for line in ENGLISH.strip().splitlines():
        assert line in english
    for line in CHINESE.strip().splitlines():
        assert line in chinese
    assert len(english) == len(chinese)


ENGLISH = f"""
1.000007 ETH (the chain's native coin; 1000007 base units) for 10 units, to be paid until 2027-01-15 08:00:00 UTC.
Paid, waiting for the seller to accept: 10 minutes at most, until 2027-01-15 08:10:00 UTC at the latest.
The buyer may cancel within 20 minutes: 0.950007 ETH to the buyer, 0.05 ETH to the seller, 0.300002 ETH back to the \
seller's bond balance.
The seller or its operator may decline within 20 minutes: 1.150008 ETH to the buyer, 0.150001 ETH back to the seller's \
bond balance.
The seller may void offers and divisions signed before.
If the time runs out, anyone may settle: 0.987507 ETH to the seller, 0.0125 ETH platform fee, 0.300002 ETH back to the \
seller's bond balance.
{MEDIATOR} is the mediator from 12 hours to 1 day 12 hours after the stage began.
Accepted: the buyer may cancel within 20 minutes and loses 0.05 ETH of the price.
Delivered: the buyer can't.
Disputed: the seller may refund within 12 hours and loses 0.150001 ETH of the bond.
The seller's bond: 0.300002 ETH (30 % of the price), locked on acceptance.
What is the buyer's goes to {REFUND_TO}.
"""
CHINESE = f"""
10 件共 1.000007 ETH（链的原生币，即 1000007 个最小单位），北京时间 2027-01-15 16:00:00 前（含）付款。
已付款，等卖家接单：最长 10 分钟，最晚到北京时间 2027-01-15 16:10:00。
买家可以在 20 分钟内取消订单：付给买家 0.950007 ETH，付给卖家 0.05 ETH，退回卖家保证金 0.300002 ETH。
卖家可以作废此前签署的报价和分配方案。
已接单，待发货：买家可以在 20 分钟内取消订单，损失货款 0.05 ETH。
卖家保证金：0.300002 ETH（货款的 30 %），接单时锁定。
归买家的付到 {REFUND_TO}。
"""


@settings(max_examples=100, deadline=None)
@given(contract=contracts())
def test_every_contract_can_be_told_and_says_the_same_in_both_languages(contract: tuple[OrderTerms, Policy]) -> None:
    told = summarize(*contract)
    for part in paragraphs(told, COIN):
        for label in (part.title, *part.lines):
            digits = [[letter for letter in text if letter.isdigit()] for text in label]
            if "北京" not in label.zh:  # the same moment has other digits
                assert sorted(digits[0]) == sorted(digits[1])
            assert all(text.strip() == text and text for text in label)
            assert len(label.en) < 1_000


def test_another_token_s_name_is_refused() -> None:
    with pytest.raises(ValueError, match="paid in"):
        lines(summary(), Currency(BUYER, "USDT", 6))


def test_an_outcome_of_the_clock_is_one_that_the_clock_has() -> None:
    assert [stage.timeout.outcome for stage in summary().stages] == [
        Outcome.Expired,
        Outcome.Undelivered,
        Outcome.Released,
        Outcome.Defaulted,
    ]
