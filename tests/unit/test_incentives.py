"""The payoffs are those of the contract's money, and backward induction finds who does what."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.domain.incentives import STATED, STRAINED, Goods, Incentives, World
from kameng_escrow.domain.policy import ZERO_ADDRESS, Policy
from kameng_escrow.domain.shares import held_in, ruling, split, timeout, withdrawn
from kameng_escrow.domain.states import Fault, Outcome, State
from tests.unit.made import make_policy

YUAN = 100  # fen
# Every rate, and every product of two, is a whole part of this many base units: nothing is rounded.
PRICE = 10**8
SURE = replace(STATED, mediator_right=Fraction(1), mediator_silent=Fraction(0), effort=0)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    bonds = draw(st.integers(0, 5_000)), draw(st.integers(0, 5_000))
    return make_policy(
        platform_fee_bps=draw(st.integers(0, 1_000)),
        seller_bond_bps=bonds[0],
        dispute_bond_bps=bonds[1],
        mediation_fee_bps=draw(st.integers(0, min(bonds))),
        silence_share_bps=draw(st.integers(0, 10_000)),
    )


# ------------------------------------------------------------------------------------------------- the contract's money


@given(policies(), st.sampled_from(Goods), st.sampled_from([STATED, STRAINED]))
def test_fights_pay_what_rulings_and_silence_pay(policy: Policy, goods: Goods, world: World) -> None:
    """Both sides' expectations, from the shares of each ending."""
    holding = held_in(State.Disputed, policy, price=PRICE, units=1, disputed_units=1)
    won = ruling(policy, holding, PRICE, Outcome.Ruled).shares
    lost = ruling(policy, holding, 0, Outcome.Ruled).shares
    defaulted = timeout(policy, State.Disputed, holding).shares
    incentives = Incentives(policy, 50 * YUAN, world)
    for_buyer = world.mediator_right if goods is Goods.Bad else 1 - world.mediator_right
    effort = Fraction(1, 50)

    def expected(of_won: int, of_lost: int, of_silence: int, own_bond: int) -> Fraction:
        ruled = for_buyer * of_won + (1 - for_buyer) * of_lost
        mean = (1 - world.mediator_silent) * ruled + world.mediator_silent * of_silence
        return (mean - own_bond) / PRICE - effort

    assert incentives.buyer_fights(goods) == expected(
        won.to_buyer, lost.to_buyer, defaulted.to_buyer, holding.dispute_bond
    )
    assert incentives.seller_fights(goods) == expected(
        won.to_seller + won.bond_returned,
        lost.to_seller + lost.bond_returned,
        defaulted.to_seller + defaulted.bond_returned,
        holding.seller_bond,
    )


@given(policies())
def test_other_endings_pay_what_the_contract_pays(policy: Policy) -> None:
    holding = held_in(State.Delivered, policy, price=PRICE, units=1)
    incentives = Incentives(policy, 50 * YUAN)
    refunded = withdrawn(holding, Outcome.Refunded).shares
    assert incentives.seller_gives_up == Fraction(refunded.bond_returned - holding.seller_bond, PRICE)
    undelivered = timeout(policy, State.Accepted, holding).shares
    assert incentives.seller_vanishes == Fraction(undelivered.bond_returned - holding.seller_bond, PRICE)
    confirmed = split(policy, holding, 0, Outcome.Confirmed, Fault.Nobody).shares
    assert incentives.seller_is_paid == Fraction(confirmed.to_seller, PRICE)
    assert incentives.seller_delivers(Fraction(1, 50)) == Fraction(confirmed.to_seller, PRICE) - Fraction(49, 50)


# ---------------------------------------------------------------------------------------------------- who does what


def test_where_mediators_never_fail_nobody_lies() -> None:
    incentives = Incentives(make_policy(), 100 * YUAN, SURE)
    # Bad codes: the buyer would win the pot, so the seller refunds. Good ones: the buyer takes the dispute back.
    assert incentives.seller_refunds(Goods.Bad)
    assert incentives.buyer_disputes(Goods.Bad) == 1 + Fraction(1, 8)
    assert not incentives.seller_refunds(Goods.Good)
    assert incentives.buyer_disputes(Goods.Good) == incentives.buyer_confirms()
    assert incentives.gain_of_false_dispute == 0
    assert incentives.gain_of_garbage < 0
    assert incentives.gain_of_stubbornness < 0


def test_garbage_is_paid_by_the_inattentive_and_refunded_to_the_others() -> None:
    incentives = Incentives(make_policy(), 100 * YUAN, SURE)
    paid, refunded = Fraction(995, 1000), Fraction(-1, 8)
    assert incentives.seller_cheats == Fraction(5, 100) * paid + Fraction(95, 100) * refunded
    assert incentives.gain_of_garbage == incentives.seller_cheats - (Fraction(2, 100) - Fraction(5, 1000))


def test_the_break_even_attention_is_where_garbage_stops_paying() -> None:
    incentives = Incentives(make_policy(), 100 * YUAN)
    enough = incentives.break_even_attention
    assert Fraction(1, 2) < enough < Fraction(95, 100)
    world = replace(STATED, buyer_attentive=enough)
    assert Incentives(make_policy(), 100 * YUAN, world).gain_of_garbage == 0


def test_the_break_even_doubt_is_where_a_fight_pays() -> None:
    incentives = Incentives(make_policy(dispute_bond_bps=5_000), 100 * YUAN)
    sure = incentives.break_even_doubt
    assert 0 < sure < 1
    mean = sure * incentives.buyer_fights(Goods.Bad) + (1 - sure) * incentives.buyer_fights(Goods.Good)
    assert mean == 0


def test_without_a_mediator_the_split_is_certain_and_free() -> None:
    policy = make_policy(mediator=ZERO_ADDRESS, backup_mediator=ZERO_ADDRESS, mediate_window=0, mediation_fee_bps=0)
    incentives = Incentives(policy, YUAN)
    for goods in Goods:
        assert incentives.buyer_fights(goods) == Fraction(4, 10)
        assert incentives.seller_fights(goods) == Fraction(6, 10)


def test_at_a_price_below_the_effort_nobody_disputes_and_garbage_is_paid() -> None:
    incentives = Incentives(make_policy(), YUAN // 2)
    assert incentives.gain_of_an_honest_claim == 0
    assert incentives.seller_cheats == incentives.seller_is_paid
    assert incentives.break_even_attention == 1


# ---------------------------------------------------------------------------------------------------- as bonds grow


@pytest.mark.parametrize(
    ("change", "gain"),
    [
        (lambda bond: {"seller_bond_bps": bond}, lambda incentives: incentives.gain_of_garbage),
        (lambda bond: {"seller_bond_bps": bond}, lambda incentives: incentives.gain_of_stubbornness),
        (lambda bond: {"dispute_bond_bps": bond}, lambda incentives: incentives.gain_of_false_dispute),
    ],
    ids=["garbage", "stubbornness", "false dispute"],
)
@given(
    policy=policies(),
    price=st.integers(3 * YUAN, 500 * YUAN),
    world=st.sampled_from([STATED, STRAINED]),
    bonds=st.tuples(st.integers(0, 5_000), st.integers(0, 5_000)),
)
def test_a_higher_bond_never_makes_its_lie_pay_more(
    change: Callable[[int], dict[str, int]],
    gain: Callable[[Incentives], Fraction],
    policy: Policy,
    price: int,
    world: World,
    bonds: tuple[int, int],
) -> None:
    lower, higher = (
        gain(Incentives(replace(policy, **change(bond)), price, world))
        for bond in sorted(bonds)  # type: ignore[arg-type]
    )
    assert higher <= max(lower, Fraction(0))


def least(world: World, price: int, name: str, gain: Callable[[Incentives], Fraction]) -> int:
    """The least of a bond at which a lie does not pay, in bps."""

    def deters(bond: int) -> bool:
        policy = make_policy(**{name: bond, "mediation_fee_bps": min(300, bond)})
        return gain(Incentives(policy, price, world)) <= 0

    return bisect_left(range(5_001), True, key=deters)


@pytest.mark.parametrize(
    ("world", "yuan", "seller_bond", "dispute_bond"),
    [
        (STATED, 3, 740, 0),
        (STATED, 19, 770, 290),
        (STATED, 20, 800, 310),
        (STATED, 100, 1_250, 760),
        (STATED, 500, 1_330, 850),
        (STRAINED, 20, 1_870, 1_240),
        (STRAINED, 100, 2_370, 1_730),
        (STRAINED, 500, 2_470, 1_830),
    ],
)
def test_the_bonds_that_deter(world: World, yuan: int, seller_bond: int, dispute_bond: int) -> None:
    """What the recommendations are drawn from: fee 0.5 %, mediation 3 %, silence 40 %, the other bond in place."""
    found = least(world, yuan * YUAN, "seller_bond_bps", lambda incentives: incentives.gain_of_garbage)
    assert seller_bond - 10 < found <= seller_bond
    found = least(world, yuan * YUAN, "dispute_bond_bps", lambda incentives: incentives.gain_of_false_dispute)
    assert max(0, dispute_bond - 10) <= found <= dispute_bond
