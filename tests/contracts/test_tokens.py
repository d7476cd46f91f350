"""Tokens as they are: without an answer, with a wrong one, with a fee, with a block list, with malice."""

from enum import IntEnum

import pytest

from kameng_escrow.domain.events import Credited, OrderClosed
from kameng_escrow.domain.refusals import NotPossible, PullFailed, PushFailed, TokenHasNoCode, WrongAmountReceived
from kameng_escrow.domain.states import Outcome, State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.world import COMMITMENT, PRICE, UNITS, reverts


class Mood(IntEnum):
    """As in MoodyToken.sol."""

    Fair = 0
    Silent = 1
    Denying = 2
    Refusing = 3
    Reverting = 4
    Pretending = 5
    Skimming = 6
    Generous = 7
    Robbing = 8
    Short = 9
    Odd = 10
    Burning = 11
    Bombing = 12
    Flooding = 13
    Breaking = 14
    Mending = 15
    Hungry = 16
    Shrugging = 17
    Mumbling = 18
    Stinting = 19
    Squandering = 20
    Hushing = 21


class Sight(IntEnum):
    Clear = 0
    Reverting = 1
    Burning = 2
    Silent = 3
    Bombing = 4


def called(mood):
    return mood.name


@pytest.fixture
def moody(world, compiled):
    """A token in a fair mood, of which everybody has plenty."""
    token = deploy(world.evm, compiled("MoodyToken"), sender=CAST["stranger"])
    world.enrich(token)
    return token


@pytest.fixture
def moods(moody, stranger):
    """`moods(pull=…, push=…)`: what transfers to and from the escrow do from now on."""

    def change(pull=Mood.Fair, push=Mood.Fair):
        moody.setMoods(pull, push, sender=stranger)

    return change


# ---------------------------------------------------------------------------------------------------------- money in


@pytest.mark.parametrize(
    "mood",
    [
        Mood.Denying,
        Mood.Refusing,
        Mood.Reverting,
        Mood.Short,
        Mood.Odd,
        Mood.Burning,
        Mood.Bombing,
        Mood.Breaking,
    ],
    ids=called,
)
def test_open_reverts_where_the_token_does_not_answer_true(escrow, world, moody, moods, buyer, mood):
    """Even where it moved the money: then the revert moves it back."""
    order = world.order(token=moody.address)
    moods(pull=mood)
    with reverts(PullFailed(moody.address, buyer, PRICE)):
        escrow.open(order.terms, sender=buyer)
    assert moody.trueBalanceOf(escrow.address) == 0


@pytest.mark.parametrize(
    ("mood", "received"),
    [
        (Mood.Pretending, 0),
        (Mood.Skimming, PRICE - PRICE // 100),
        (Mood.Generous, PRICE + 1),
        (Mood.Robbing, 2**256 - PRICE),
    ],
    ids=["Pretending", "Skimming", "Generous", "Robbing"],
)
def test_open_reverts_where_another_amount_arrives(escrow, world, moody, moods, opened, buyer, mood, received):
    opened(token=moody.address)  # so that there is something to rob
    order = world.order(token=moody.address)
    moods(pull=mood)
    with reverts(WrongAmountReceived(moody.address, received, PRICE)):
        escrow.open(order.terms, sender=buyer)


@pytest.mark.parametrize("sight", list(Sight)[1:], ids=called)
def test_open_reverts_where_balances_can_not_be_read(escrow, world, moody, buyer, sight):
    order = world.order(token=moody.address)
    moody.setSight(sight, sender=buyer)
    with reverts(WrongAmountReceived(moody.address, 0, PRICE)):
        escrow.open(order.terms, sender=buyer)


@pytest.mark.parametrize("mood", [Mood.Fair, Mood.Silent, Mood.Flooding], ids=called)
def test_open_takes_a_token_that_moves_and_does_not_say_no(escrow, world, moody, moods, buyer, mood):
    order = world.order(token=moody.address)
    moods(pull=mood)
    with world.moves(moody.address, {"buyer": -PRICE, "escrow": PRICE}):
        escrow.open(order.terms, sender=buyer)


@pytest.mark.parametrize("mood", [Mood.Denying, Mood.Skimming, Mood.Reverting], ids=called)
def test_bonds_come_in_as_prices_do(escrow, moody, moods, seller, mood):
    moods(pull=mood)
    refusal = {
        Mood.Denying: PullFailed(moody.address, seller, 100),
        Mood.Skimming: WrongAmountReceived(moody.address, 99, 100),
        Mood.Reverting: PullFailed(moody.address, seller, 100),
    }[mood]
    with reverts(refusal):
        escrow.fundBond(seller, moody.address, 100, sender=seller)


@pytest.mark.parametrize("mood", [Mood.Denying, Mood.Skimming, Mood.Reverting], ids=called)
def test_dispute_bonds_come_in_as_prices_do(escrow, moody, moods, delivered, buyer, mood):
    order = delivered(token=moody.address)
    order.k = 3
    E = order.sums.E
    moods(pull=mood)
    refusal = {
        Mood.Denying: PullFailed(moody.address, buyer, E),
        Mood.Skimming: WrongAmountReceived(moody.address, E - E // 100, E),
        Mood.Reverting: PullFailed(moody.address, buyer, E),
    }[mood]
    with reverts(refusal):
        escrow.dispute(order.terms, 3, COMMITMENT, sender=buyer)


# --------------------------------------------------------------------------------------------------------- money out


@pytest.mark.parametrize(
    "mood",
    [Mood.Fair, Mood.Silent, Mood.Denying, Mood.Short, Mood.Odd, Mood.Flooding, Mood.Hungry],
    ids=called,
)
def test_a_token_that_moves_has_paid_whatever_it_answers(escrow, world, moody, moods, opened, buyer, mood):
    """It is not paid twice: where the answer is bad, the balance decides."""
    order = opened(token=moody.address)
    moods(push=mood)
    with world.moves(moody.address, {"escrow": -PRICE, "refund_to": PRICE}):
        escrow.cancel(order.terms, State.Opened, sender=buyer)
    with reverts(NotPossible(order.id, State.Closed)):
        escrow.settle(order.terms, sender=buyer)


@pytest.mark.parametrize(
    "mood",
    [
        Mood.Refusing,
        Mood.Reverting,
        Mood.Burning,
        Mood.Bombing,
        Mood.Breaking,
        Mood.Shrugging,
        Mood.Mumbling,
        Mood.Hushing,
    ],
    ids=called,
)
def test_a_token_that_does_not_move_leaves_a_credit(escrow, moody, moods, opened, buyer, refund_to, mood):
    order = opened(token=moody.address)
    moods(push=mood)
    receipt = escrow.cancel(order.terms, State.Opened, sender=buyer)
    assert escrow.creditOf(refund_to, moody.address) == PRICE
    assert moody.trueBalanceOf(escrow.address) == PRICE
    assert [type(event) for event in escrow.events(receipt)] == [OrderClosed, Credited]


def test_a_token_that_denies_and_moves_less_has_not_paid(escrow, moody, moods, opened, buyer, refund_to):
    """What it moved all the same is its own affair: the receiver is owed the whole."""
    opened(token=moody.address)  # the money of another order, from which nothing is missing before it is owed
    order = opened(token=moody.address)
    moods(push=Mood.Stinting)
    escrow.cancel(order.terms, State.Opened, sender=buyer)
    assert escrow.creditOf(refund_to, moody.address) == PRICE


def test_a_token_that_denies_and_moves_more_has_paid(escrow, moody, moods, opened, buyer, refund_to):
    opened(token=moody.address)
    order = opened(token=moody.address)
    moods(push=Mood.Squandering)
    escrow.cancel(order.terms, State.Opened, sender=buyer)
    assert escrow.creditOf(refund_to, moody.address) == 0


@pytest.mark.parametrize("sight", list(Sight)[1:], ids=called)
@pytest.mark.parametrize("mood", [Mood.Refusing, Mood.Mending], ids=called)
def test_a_token_that_refuses_and_hides_its_balances_leaves_a_credit(
    escrow, moody, moods, opened, buyer, refund_to, mood, sight
):
    """Whether they stay hidden or come to light in between."""
    order = opened(token=moody.address)
    moods(push=mood)
    moody.setSight(sight, sender=buyer)
    escrow.cancel(order.terms, State.Opened, sender=buyer)
    assert escrow.creditOf(refund_to, moody.address) == PRICE
    assert moody.trueBalanceOf(escrow.address) == PRICE


@pytest.mark.parametrize("sight", list(Sight), ids=called)
@pytest.mark.parametrize("mood", [Mood.Fair, Mood.Silent], ids=called)
def test_a_token_that_pays_needs_not_show_its_balances(escrow, moody, moods, opened, buyer, refund_to, mood, sight):
    """Nor answer anything."""
    order = opened(token=moody.address)
    moods(push=mood)
    moody.setSight(sight, sender=buyer)
    before = moody.trueBalanceOf(refund_to)
    escrow.cancel(order.terms, State.Opened, sender=buyer)
    assert moody.trueBalanceOf(refund_to) - before == PRICE
    assert escrow.creditOf(refund_to, moody.address) == 0


@pytest.mark.parametrize("mood", [Mood.Pretending, Mood.Skimming], ids=called)
def test_a_token_that_says_yes_is_believed(escrow, moody, moods, opened, buyer, refund_to, mood):
    """What it does with its own coin is its holders' affair; nobody else's money is touched."""
    order = opened(token=moody.address)
    moods(push=mood)
    escrow.cancel(order.terms, State.Opened, sender=buyer)
    assert escrow.creditOf(refund_to, moody.address) == 0
    assert order.status.outcome == Outcome.Cancelled


def test_a_token_that_lost_its_code_leaves_a_credit(escrow, evm, moody, opened, buyer, refund_to):
    order = opened(token=moody.address)
    evm.set_code(moody.address, b"")
    escrow.cancel(order.terms, State.Opened, sender=buyer)
    assert escrow.creditOf(refund_to, moody.address) == PRICE
    with reverts(PushFailed(moody.address, refund_to, PRICE)):
        escrow.payCredit(refund_to, moody.address, sender=buyer)
    with reverts(TokenHasNoCode(moody.address)):
        escrow.fundBond(buyer, moody.address, 1, sender=buyer)


def test_a_token_that_moves_and_denies_pays_a_credit_once(
    escrow, world, moody, moods, opened, buyer, refund_to, keeper
):
    order = opened(token=moody.address)
    moods(push=Mood.Refusing)
    escrow.cancel(order.terms, State.Opened, sender=buyer)
    with reverts(PushFailed(moody.address, refund_to, PRICE)):
        escrow.payCredit(refund_to, moody.address, sender=keeper)
    moods(push=Mood.Denying)
    with world.moves(moody.address, {"escrow": -PRICE, "refund_to": PRICE, "credit of refund_to": -PRICE}):
        escrow.payCredit(refund_to, moody.address, sender=keeper)


def test_a_bad_token_holds_up_no_other_in_a_batch(escrow, world, moody, moods, token, opened, keeper, warp, refund_to):
    orders = [opened(token=each.address) for each in (token, moody, token)]
    warp(orders[0].deadline)
    moods(push=Mood.Burning)
    moody.setSight(Sight.Burning, sender=keeper)
    with world.moves(token.address, {"escrow": -2 * PRICE, "refund_to": 2 * PRICE}):
        escrow.settleMany([order.terms for order in orders], sender=keeper)
    assert escrow.creditOf(refund_to, moody.address) == PRICE


@pytest.mark.parametrize("mood", [Mood.Flooding, Mood.Bombing], ids=called)
def test_what_a_token_answers_is_not_copied(escrow, moody, moods, opened, buyer, mood):
    """The token pays for memory of 200 kB, within its own gas; the escrow would pay as much again."""
    plain, odd = opened(token=moody.address), opened(token=moody.address)
    usual = escrow.cancel(plain.terms, State.Opened, sender=buyer).gas_used
    moods(push=mood)
    flooded = escrow.cancel(odd.terms, State.Opened, sender=buyer).gas_used
    assert 50_000 < flooded - usual < 150_000


# ------------------------------------------------------------------------------------------------------- block lists


@pytest.fixture
def blocking(world, compiled, stranger):
    token = deploy(world.evm, compiled("BlockingToken"), "Blocking dollar", "BUSD", 6, sender=stranger)
    world.enrich(token)
    return token


def test_a_blocked_buyer_disputes_where_no_bond_is_asked(
    escrow, world, blocking, delivered, make_policy, buyer, stranger
):
    """Where nothing is taken, the token is not even called."""
    order = delivered(token=blocking.address, policy=make_policy(dispute_bond_bps=0, mediation_fee_bps=0))
    blocking.setBlocked(buyer, True, sender=stranger)
    with world.moves(blocking.address, {}):
        escrow.dispute(order.terms, UNITS, COMMITMENT, sender=buyer)
    assert order.status.state == State.Disputed


def test_a_blocked_payer_can_not_pay(escrow, world, blocking, buyer, stranger):
    order = world.order(token=blocking.address)
    blocking.setBlocked(buyer, True, sender=stranger)
    with reverts(PullFailed(blocking.address, buyer, PRICE)):
        escrow.open(order.terms, sender=buyer)


def test_a_blocked_receiver_alone_is_credited(escrow, world, blocking, disputed, stranger, keeper, warp):
    order = disputed(token=blocking.address)
    blocking.setBlocked(CAST["pay_to"], True, sender=stranger)
    warp(order.deadline)
    D, E, b, s = order.sums.D, order.sums.E, order.sums.b, order.sums.s
    with world.moves(
        blocking.address,
        {"escrow": -(D - s + E), "refund_to": D - s + E, "credit of pay_to": s, "bond of seller": b},
    ):
        escrow.settle(order.terms, sender=keeper)


def test_a_blocked_seller_does_not_stop_a_dispute(escrow, world, blocking, delivered, buyer, stranger):
    order = delivered(token=blocking.address)
    order.k = 3
    blocking.setBlocked(CAST["pay_to"], True, sender=stranger)
    U, B, b, E, f = order.sums.U, order.sums.B, order.sums.b, order.sums.E, order.sums.f
    with world.moves(
        blocking.address,
        {"buyer": -E, "escrow": E, "credit of pay_to": U - f(U), "fees": f(U), "bond of seller": B - b},
    ):
        escrow.dispute(order.terms, 3, COMMITMENT, sender=buyer)


def test_an_escrow_that_the_issuer_froze_keeps_everything_for_later(
    escrow, world, blocking, opened, buyer, stranger, refund_to
):
    """Nothing here can prevent it; orders end all the same, and are paid once it is over."""
    order = opened(token=blocking.address)
    blocking.setBlocked(escrow.address, True, sender=stranger)
    with world.moves(blocking.address, {"credit of refund_to": PRICE}):
        escrow.cancel(order.terms, State.Opened, sender=buyer)
    blocking.setBlocked(escrow.address, False, sender=stranger)
    with world.moves(blocking.address, {"escrow": -PRICE, "refund_to": PRICE, "credit of refund_to": -PRICE}):
        escrow.payCredit(refund_to, blocking.address, sender=stranger)


# ---------------------------------------------------------------------------------------------------------- decimals


@pytest.mark.parametrize("decimals", [0, 6, 18, 24])
def test_amounts_are_base_units_whatever_the_decimals(
    escrow, world, compiled, disputed, mediator, stranger, buyer, warp, decimals
):
    token = deploy(world.evm, compiled("TestToken"), "Token", "T", decimals, sender=stranger)
    world.enrich(token)
    price = 99 * 10**decimals + 1
    order = disputed(token=token.address, price=price)
    warp(order.mediation)
    sums, f = order.sums, order.sums.f
    award = sums.D // 3
    earned = sums.D - award
    with world.moves(
        token.address,
        {
            "escrow": -(sums.Q - sums.S(award) + earned - f(earned)),
            "refund_to": sums.Q - sums.S(award),
            "pay_to": earned - f(earned),
            "fees": f(earned),
            "bond of seller": sums.S(award) - earned,
            "credit of mediator": sums.M,
        },
    ):
        escrow.rule(order.terms, award, COMMITMENT, sender=mediator)
