"""Money out: pushed under a gas cap; where that fails, credited to that receiver alone, whom anyone may pay later and
who may direct it elsewhere."""

from enum import IntEnum

import pytest

from kameng_escrow.domain.events import Credited, CreditPaid, OrderClosed
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import InsufficientGas, InvalidAddress, NothingToPay, NotPossible, PushFailed
from kameng_escrow.domain.reverts import decode_refusal
from kameng_escrow.domain.states import State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.evm import Reverted
from tests.contracts.harness.world import EVIDENCE, GROUNDS, PRICE, reverts

# What a push may spend, and what must be left beside it; EIP-150 keeps a 64th back.
NATIVE_GAS = 50_000 + 50_000 // 63 + 80_000
TOKEN_GAS = 250_000 + 250_000 // 63 + 160_000


class Mood(IntEnum):
    """As in Receiver.sol."""

    Welcoming = 0
    Refusing = 1
    Burning = 2
    Bombing = 3
    Flooding = 4
    Reentering = 5
    Hungry = 6


def called(mood):
    return mood.name


@pytest.fixture
def receiver(world, compiled, stranger):
    """A contract that takes the native coin or does not."""
    contract = deploy(world.evm, compiled("Receiver"), sender=stranger)
    world.names[contract.address] = "receiver"
    return contract


@pytest.fixture
def credited(escrow, opened, receiver, buyer):
    """`credited()`: the receiver refused an order's price, and is owed it."""

    def make():
        receiver.setMood(Mood.Refusing, sender=buyer)
        order = opened(refund_to=receiver.address)
        escrow.cancel(order.terms, State.Opened, sender=buyer)
        return order

    return make


@pytest.fixture
def blocking(world, compiled, stranger):
    token = deploy(world.evm, compiled("BlockingToken"), "Blocking dollar", "BUSD", 6, sender=stranger)
    world.enrich(token)
    return token


# ------------------------------------------------------------------------------------------------- a push that fails


@pytest.mark.parametrize("mood", [Mood.Refusing, Mood.Burning, Mood.Bombing], ids=called)
def test_a_receiver_that_does_not_take_it_is_credited(escrow, world, opened, receiver, buyer, mood):
    receiver.setMood(mood, sender=buyer)
    order = opened(refund_to=receiver.address)
    with world.moves(NATIVE, {"credit of receiver": PRICE}):
        escrow.cancel(order.terms, State.Opened, sender=buyer)
    assert order.status.state == State.Closed


@pytest.mark.parametrize("mood", [Mood.Welcoming, Mood.Flooding, Mood.Hungry], ids=called)
def test_a_receiver_that_takes_it_is_paid(escrow, world, opened, receiver, buyer, mood):
    """Even if it needs 40,000 gas for it, as smart wallets may."""
    receiver.setMood(mood, sender=buyer)
    order = opened(refund_to=receiver.address)
    with world.moves(NATIVE, {"escrow": -PRICE, "receiver": PRICE}):
        escrow.cancel(order.terms, State.Opened, sender=buyer)


def test_one_receiver_that_refuses_does_not_keep_the_other_from_its_money(
    escrow, world, disputed, receiver, mediator, buyer, warp
):
    receiver.setMood(Mood.Refusing, sender=buyer)
    for side in ("refund_to", "pay_to"):
        order = disputed(**{side: receiver.address})
        warp(order.mediation)
        sums, f = order.sums, order.sums.f
        to_buyer, earned, bond = sums.Q - sums.S(1_000), sums.D - 1_000, sums.S(1_000) - sums.D + 1_000
        paid = {"refund_to": to_buyer, "pay_to": earned - f(earned)}
        owed = paid.pop(side)
        with world.moves(
            NATIVE,
            {
                **paid,
                "escrow": -sum(paid.values()),
                "credit of receiver": owed,
                "fees": f(earned),
                "bond of seller": bond,
                "credit of mediator": sums.M,
            },
        ):
            escrow.rule(order.terms, 1_000, GROUNDS, sender=mediator)


def test_credits_of_several_orders_add_up(escrow, credited, receiver):
    credited()
    credited()
    assert escrow.creditOf(receiver.address, NATIVE) == 2 * PRICE


def test_a_push_that_fails_is_logged_after_the_ending(escrow, opened, receiver, buyer):
    receiver.setMood(Mood.Refusing, sender=buyer)
    order = opened(refund_to=receiver.address)
    closed, credit = escrow.events(escrow.cancel(order.terms, State.Opened, sender=buyer))
    assert isinstance(closed, OrderClosed)
    assert credit == Credited(account=receiver.address, token=NATIVE, amount=PRICE)


@pytest.mark.parametrize("mood", [Mood.Burning, Mood.Bombing, Mood.Flooding], ids=called)
def test_a_receiver_spends_no_more_than_the_cap(escrow, opened, receiver, buyer, mood):
    """What it answers is not copied either: memory for it would cost the escrow as much again."""
    receiver.setMood(Mood.Welcoming, sender=buyer)
    plain, odd = opened(refund_to=receiver.address), opened(refund_to=receiver.address)
    usual = escrow.cancel(plain.terms, State.Opened, sender=buyer).gas_used
    receiver.setMood(mood, sender=buyer)
    extra = escrow.cancel(odd.terms, State.Opened, sender=buyer).gas_used - usual
    spent = {Mood.Burning: 50_000, Mood.Bombing: 9_000, Mood.Flooding: 9_000}[mood]
    credit = 0 if mood == Mood.Flooding else 26_000
    assert spent - 2_500 < extra < spent + credit + 2_500


# ----------------------------------------------------------------------------------------------------- too little gas


@pytest.fixture
def sweep(evm):
    """`sweep(transact, gases)`: runs a transaction with less and more gas, each time on the same state. Returns what it
    was refused with, by the gas that it got; None where it went through and `transact` returned, having checked it."""

    def run(transact, gases):
        outcomes, before = {}, evm.snapshot()
        for gas in gases:
            try:
                transact(gas)
            except Reverted as revert:
                outcomes[gas] = decode_refusal(revert.data)  # and nothing happened
            else:
                outcomes[gas] = None
                evm.restore(before)
        return outcomes

    return run


def levels(outcomes, required):
    """The gas levels that were too little to tell a refusal from starvation, and those that were enough."""
    starved = [gas for gas, refusal in outcomes.items() if isinstance(refusal, InsufficientGas)]
    for gas in starved:
        assert outcomes[gas].required == required
        assert outcomes[gas].available < required
    enough = [gas for gas, refusal in outcomes.items() if refusal is None]
    assert starved
    assert enough
    assert max(enough) == max(outcomes)
    return starved, enough


def test_nobody_can_starve_a_receiver_into_a_credit(escrow, evm, opened, receiver, buyer, keeper, warp, sweep):
    """Whatever gas a settler brings: the receiver that would take the money gets it, or nothing happens."""
    receiver.setMood(Mood.Hungry, sender=buyer)
    order = opened(refund_to=receiver.address)
    warp(order.deadline)

    def settle(gas):
        escrow.settle(order.terms, sender=keeper, gas=gas)
        assert evm.balance(receiver.address) == PRICE, f"credited with {gas} gas"

    levels(sweep(settle, range(50_000, 220_000, 1_000)), NATIVE_GAS)


def test_a_receiver_that_refuses_is_credited_only_where_there_was_gas_enough(
    escrow, opened, receiver, buyer, keeper, warp, sweep
):
    receiver.setMood(Mood.Refusing, sender=buyer)
    order = opened(refund_to=receiver.address)
    warp(order.deadline)
    outcomes = sweep(lambda gas: escrow.settle(order.terms, sender=keeper, gas=gas), range(50_000, 220_000, 2_000))
    starved, enough = levels(outcomes, NATIVE_GAS)
    assert max(starved) < min(enough)
    assert NATIVE_GAS < min(enough) < NATIVE_GAS + 60_000


def test_nobody_can_starve_a_token_into_a_credit(
    escrow, world, compiled, opened, stranger, keeper, refund_to, warp, sweep
):
    """The token needs 200,000 gas, and answers false where it gets less."""
    token = deploy(world.evm, compiled("MoodyToken"), sender=stranger)
    world.enrich(token)
    order = opened(token=token.address)
    token.setMoods(0, 16, sender=stranger)
    warp(order.deadline)
    before = token.balanceOf(refund_to)

    def settle(gas):
        escrow.settle(order.terms, sender=keeper, gas=gas)
        assert token.balanceOf(refund_to) - before == PRICE, f"credited with {gas} gas"

    levels(sweep(settle, range(80_000, 560_000, 10_000)), TOKEN_GAS)


def test_nobody_can_starve_the_seller_in_a_dispute(escrow, evm, delivered, receiver, buyer, sweep):
    receiver.setMood(Mood.Hungry, sender=buyer)
    order = delivered(pay_to=receiver.address)
    order.k = 3
    U, E, f = order.sums.U, order.sums.E, order.sums.f

    def dispute(gas):
        escrow.dispute(order.terms, 3, EVIDENCE, sender=buyer, value=E, gas=gas)
        assert evm.balance(receiver.address) == U - f(U), f"credited with {gas} gas"

    levels(sweep(dispute, range(60_000, 280_000, 2_000)), NATIVE_GAS)


def test_a_payment_that_went_through_asks_for_no_gas_beside_it(escrow, opened, keeper, warp, sweep):
    """What must be left beside a push is for telling why it failed: where it did not, less will do."""
    order = opened()
    warp(order.deadline)
    outcomes = sweep(lambda gas: escrow.settle(order.terms, sender=keeper, gas=gas), range(50_000, 400_000, 5_000))
    assert None in outcomes.values()
    assert not any(isinstance(refusal, InsufficientGas) for refusal in outcomes.values())


def test_nobody_can_starve_anyone_in_a_batch(escrow, evm, opened, receiver, buyer, keeper, warp, sweep):
    receiver.setMood(Mood.Hungry, sender=buyer)
    orders = [opened(), opened(refund_to=receiver.address), opened()]
    warp(orders[0].deadline)

    def settle(gas):
        escrow.settleMany([order.terms for order in orders], sender=keeper, gas=gas)
        assert evm.balance(receiver.address) == PRICE, f"credited with {gas} gas"

    levels(sweep(settle, range(80_000, 340_000, 3_000)), NATIVE_GAS)


def test_a_credit_is_paid_or_the_payment_starved_but_never_refused_for_want_of_gas(
    escrow, credited, receiver, keeper, sweep
):
    credited()
    receiver.setMood(Mood.Hungry, sender=keeper)
    outcomes = sweep(
        lambda gas: escrow.payCredit(receiver.address, NATIVE, sender=keeper, gas=gas), range(40_000, 220_000, 2_000)
    )
    levels(outcomes, NATIVE_GAS)
    assert not any(isinstance(refusal, PushFailed) for refusal in outcomes.values())


# ------------------------------------------------------------------------------------------------------------- retry


def test_pay_credit_reverts_where_nothing_is_owed(escrow, receiver, keeper, token):
    for coin in (NATIVE, token.address):
        with reverts(NothingToPay()):
            escrow.payCredit(receiver.address, coin, sender=keeper)


@pytest.mark.parametrize("mood", [Mood.Refusing, Mood.Burning, Mood.Bombing], ids=called)
def test_pay_credit_reverts_where_the_receiver_still_refuses(escrow, credited, receiver, keeper, mood):
    credited()
    receiver.setMood(mood, sender=keeper)
    with reverts(PushFailed(NATIVE, receiver.address, PRICE)):
        escrow.payCredit(receiver.address, NATIVE, sender=keeper)
    assert escrow.creditOf(receiver.address, NATIVE) == PRICE


def test_pay_credit_reverts_in_another_coin(escrow, credited, receiver, token, keeper):
    credited()
    with reverts(NothingToPay()):
        escrow.payCredit(receiver.address, token.address, sender=keeper)


def test_pay_credit_pays_the_receiver_at_anyones_bidding(escrow, world, credited, receiver, keeper):
    credited()
    credited()
    receiver.setMood(Mood.Welcoming, sender=keeper)
    with world.moves(NATIVE, {"escrow": -2 * PRICE, "receiver": 2 * PRICE, "credit of receiver": -2 * PRICE}):
        escrow.payCredit(receiver.address, NATIVE, sender=keeper)
    with reverts(NothingToPay()):
        escrow.payCredit(receiver.address, NATIVE, sender=keeper)


def test_pay_credit_pays_a_token_once_the_block_is_lifted(
    escrow, world, blocking, opened, buyer, keeper, stranger, refund_to
):
    order = opened(token=blocking.address)
    blocking.setBlocked(refund_to, True, sender=stranger)
    with world.moves(blocking.address, {"credit of refund_to": PRICE}):
        escrow.cancel(order.terms, State.Opened, sender=buyer)
    with reverts(PushFailed(blocking.address, refund_to, PRICE)):
        escrow.payCredit(refund_to, blocking.address, sender=keeper)
    blocking.setBlocked(refund_to, False, sender=stranger)
    with world.moves(blocking.address, {"escrow": -PRICE, "refund_to": PRICE, "credit of refund_to": -PRICE}):
        escrow.payCredit(refund_to, blocking.address, sender=keeper)


def test_pay_credit_pays_a_mediator_its_fees(escrow, world, disputed, coin, mediator, keeper, warp):
    order = disputed(token=coin)
    warp(order.mediation)
    escrow.rule(order.terms, 0, GROUNDS, sender=mediator)
    M = order.sums.M
    with world.moves(coin, {"escrow": -M, "mediator": M, "credit of mediator": -M}):
        escrow.payCredit(mediator, coin, sender=keeper)


def test_pay_credit_logs_the_payment(escrow, credited, receiver, keeper):
    credited()
    receiver.setMood(Mood.Welcoming, sender=keeper)
    receipt = escrow.payCredit(receiver.address, NATIVE, sender=keeper)
    assert escrow.events(receipt) == [
        CreditPaid(account=receiver.address, token=NATIVE, to=receiver.address, amount=PRICE)
    ]


# --------------------------------------------------------------------------------------------------------- elsewhere


def withdraw(escrow, receiver, to, sender, coin=NATIVE):
    """The receiver directs its credit to `to`."""
    return receiver.execute(escrow.address, 0, escrow.data("withdrawCredit", coin, to), sender=sender)


@pytest.mark.parametrize("name", ["buyer", "refund_to", "keeper", "platform"])
def test_withdraw_credit_reverts_for_everybody_but_the_receiver(escrow, credited, name, request):
    credited()
    other = request.getfixturevalue(name)
    with reverts(NothingToPay()):
        escrow.withdrawCredit(NATIVE, other, sender=other)


def test_withdraw_credit_reverts_for_nobody_the_escrow_and_the_token(
    escrow, blocking, opened, buyer, stranger, refund_to
):
    order = opened(token=blocking.address)
    blocking.setBlocked(refund_to, True, sender=stranger)
    escrow.cancel(order.terms, State.Opened, sender=buyer)
    for nobody in (NATIVE, escrow.address, blocking.address):
        with reverts(InvalidAddress(nobody)):
            escrow.withdrawCredit(blocking.address, nobody, sender=refund_to)


def test_withdraw_credit_reverts_where_the_other_refuses_too(escrow, credited, receiver, world, compiled, stranger):
    credited()
    other = deploy(world.evm, compiled("Receiver"), sender=stranger)
    other.setMood(Mood.Refusing, sender=stranger)
    with reverts(PushFailed(NATIVE, other.address, PRICE)):
        withdraw(escrow, receiver, other.address, stranger)
    assert escrow.creditOf(receiver.address, NATIVE) == PRICE


def test_withdraw_credit_pays_where_the_receiver_says(escrow, world, credited, receiver, stranger, keeper):
    credited()
    with world.moves(NATIVE, {"escrow": -PRICE, "keeper": PRICE, "credit of receiver": -PRICE}):
        withdraw(escrow, receiver, keeper, stranger)
    with reverts(NothingToPay()):
        withdraw(escrow, receiver, keeper, stranger)


def test_withdraw_credit_frees_a_blocked_account(escrow, world, blocking, opened, buyer, keeper, stranger, refund_to):
    order = opened(token=blocking.address)
    blocking.setBlocked(refund_to, True, sender=stranger)
    escrow.cancel(order.terms, State.Opened, sender=buyer)
    with world.moves(blocking.address, {"escrow": -PRICE, "keeper": PRICE, "credit of refund_to": -PRICE}):
        escrow.withdrawCredit(blocking.address, keeper, sender=refund_to)


def test_withdraw_credit_logs_where_it_went(escrow, credited, receiver, stranger, keeper):
    credited()
    receipt = withdraw(escrow, receiver, keeper, stranger)
    assert escrow.events(receipt) == [CreditPaid(account=receiver.address, token=NATIVE, to=keeper, amount=PRICE)]


def test_credits_are_no_part_of_what_orders_hold(escrow, credited, opened, world, buyer):
    """A closed order stays closed, and an open one is paid in full beside a credit."""
    closed = credited()
    with reverts(NotPossible(closed.id, State.Closed)):
        escrow.settle(closed.terms, sender=buyer)
    order = opened()
    assert world.evm.balance(escrow.address) == 2 * PRICE
    with world.moves(NATIVE, {"escrow": -PRICE, "refund_to": PRICE}):
        escrow.cancel(order.terms, State.Opened, sender=buyer)
