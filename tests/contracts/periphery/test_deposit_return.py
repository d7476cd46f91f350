"""What lies at a deposit address and pays for no order goes to refundTo, and nowhere else."""

import pytest

from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.periphery_refusals import DepositShort, NotForeign
from kameng_escrow.domain.refusals import (
    Expired,
    InvalidSignature,
    NothingToPay,
    PullFailed,
    PushFailed,
    ReentrancyGuardReentrantCall,
    TooEarly,
    WrongAmountReceived,
)
from kameng_escrow.domain.states import State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.signing import TypedData, digest
from tests.contracts.harness.world import DAY, PRICE, reverts
from tests.contracts.periphery.deposit_order import deposit_address
from tests.contracts.test_tokens import Mood, Sight, called

NO_SIGNATURE = b""


def returned(order, coin, amount):
    """What the contract logs of it."""
    return {"name": "DepositReturned", "order_id": order.id, "token": coin, "to": CAST["refund_to"], "amount": amount}


# ------------------------------------------------------------------------------------------------- refund: refusals


@pytest.mark.parametrize("late", [0, 1, DAY])
def test_refund_reverts_from_the_expiry_on(deposits, paid, coin, stranger, evm, warp, late):
    order = paid(token=coin)
    expiry = evm.now + 60
    signature = order.sign_refund(expiry)
    warp(expiry + late)
    with reverts(Expired(evm.now, expiry)):
        deposits.refund(order.terms, expiry, signature, sender=stranger)


@pytest.mark.parametrize("signer", ["seller", "payer", "refund_to"])
def test_refund_reverts_without_the_buyers_signature(deposits, paid, stranger, buyer, evm, signer):
    """Whoever paid paid for the buyer."""
    order = paid()
    expiry = evm.now + 60
    with reverts(InvalidSignature(buyer, order.refund_digest(expiry))):
        deposits.refund(order.terms, expiry, order.sign_refund(expiry, CAST[signer]), sender=stranger)
    with reverts(InvalidSignature(buyer, order.refund_digest(expiry))):
        deposits.refund(order.terms, expiry, NO_SIGNATURE, sender=CAST[signer])


def test_refund_reverts_for_a_signature_of_something_else(deposits, escrow, paid, stranger, buyer, evm):
    order, other = paid(), paid()
    expiry = evm.now + 60
    for signature in (
        order.sign_terms(),
        order.sign_refund(expiry + 1),
        other.sign_refund(expiry),
        order.sign_refund(expiry, name="KamengEscrow"),
        order.sign_refund(expiry, verifyingContract=escrow.address),
        order.sign_refund(expiry, chainId=1),
        order.sign_refund(expiry, version="2"),
    ):
        with reverts(InvalidSignature(buyer, order.refund_digest(expiry))):
            deposits.refund(order.terms, expiry, signature, sender=stranger)


def test_refund_reverts_where_nothing_is_there(deposits, make_order, coin, other_coin, buyer):
    order = make_order(token=coin)
    order.receive(5, other_coin)  # which is swept, not refunded
    with reverts(NothingToPay()):
        deposits.refund(order.terms, 0, NO_SIGNATURE, sender=buyer)


# ------------------------------------------------------------------------------------------------ refund: successes


@pytest.mark.parametrize("amount", [1, PRICE - 1, PRICE, PRICE + 500])
def test_refund_by_the_buyer_sends_back_all_of_it(deposits, world, make_order, coin, buyer, amount):
    order = make_order(token=coin)
    order.receive(amount)
    with world.moves(coin, {"vault": -amount, "refund_to": amount}):
        receipt = deposits.refund(order.terms, 0, NO_SIGNATURE, sender=buyer)
    assert [vars(event) for event in deposits.events(receipt)] == [returned(order, coin, amount)]
    assert deposits.returned("refund", receipt) == amount


def test_refund_by_anybody_with_the_buyers_signature_until_it_expires(deposits, world, paid, coin, stranger, evm, warp):
    order = paid(token=coin)
    expiry = evm.now + 60
    signature = order.sign_refund(expiry)
    warp(expiry - 1)
    with world.moves(coin, {"vault": -PRICE, "refund_to": PRICE}):
        deposits.refund(order.terms, expiry, signature, sender=stranger)


def test_a_replayed_refund_sends_what_came_since_to_refund_to_as_well(deposits, world, paid, coin, stranger, evm):
    order = paid(token=coin)
    expiry = evm.now + 60
    signature = order.sign_refund(expiry)
    deposits.refund(order.terms, expiry, signature, sender=stranger)
    with reverts(NothingToPay()):
        deposits.refund(order.terms, expiry, signature, sender=stranger)
    order.receive(PRICE)
    with world.moves(coin, {"vault": -PRICE, "refund_to": PRICE}):
        deposits.refund(order.terms, expiry, signature, sender=stranger)


def test_refund_after_the_opening_and_after_open_by(deposits, world, paid, coin, buyer, warp):
    order = paid(token=coin)
    deposits.open(order.terms, NO_SIGNATURE, sender=buyer)
    order.receive(9)
    with world.moves(coin, {"vault": -9, "refund_to": 9}):
        deposits.refund(order.terms, 0, NO_SIGNATURE, sender=buyer)
    late = paid(token=coin)
    warp(late.terms.open_by + 1)
    with world.moves(coin, {"vault": -PRICE, "refund_to": PRICE}):
        deposits.refund(late.terms, 0, NO_SIGNATURE, sender=buyer)


def test_refund_follows_the_chains_present_id(deposits, paid, buyer, stranger, evm):
    order = paid()
    expiry = evm.now + 60
    signature = order.sign_refund(expiry)
    evm.chain_id += 1
    with reverts(InvalidSignature(buyer, order.refund_digest(expiry))):
        deposits.refund(order.terms, expiry, signature, sender=stranger)
    deposits.refund(order.terms, expiry, order.sign_refund(expiry), sender=stranger)


def test_the_domain_is_announced(deposits, evm):
    """ERC-5267."""
    domain = (b"\x0f", "KamengDeposits", "1", evm.chain_id, deposits.address, "0x" + "00" * 32, [])
    assert deposits.eip712Domain() == domain


def test_refund_takes_a_contract_wallets_signature(deposits, world, compiled, paid, coin, buyer, stranger, evm):
    wallet = deploy(world.evm, compiled("Wallet"), buyer, sender=buyer)
    order = paid(token=coin, buyer=wallet.address)
    expiry = evm.now + 60
    with reverts(InvalidSignature(wallet.address, order.refund_digest(expiry))):
        deposits.refund(order.terms, expiry, order.sign_refund(expiry, stranger), sender=stranger)
    with world.moves(coin, {"vault": -PRICE, "refund_to": PRICE}):
        deposits.refund(order.terms, expiry, order.sign_refund(expiry), sender=stranger)


# -------------------------------------------------------------------------------------------------- sweep: refusals


@pytest.mark.parametrize("amount", [1, PRICE - 1, PRICE])
@pytest.mark.parametrize("before", [DAY, 1, 0])
def test_sweep_reverts_while_all_there_is_waits_for_the_order(
    deposits, make_order, coin, stranger, warp, evm, amount, before
):
    """Up to and including the second of openBy. Who pays in parts is not thwarted."""
    order = make_order(token=coin)
    order.receive(amount)
    warp(order.terms.open_by - before)
    with reverts(TooEarly(evm.now, order.terms.open_by + 1)):
        deposits.sweep(order.terms, coin, sender=stranger)


def test_sweep_reverts_where_nothing_is_there(deposits, make_order, coin, other_coin, stranger, warp):
    order = make_order(token=coin)
    for coins in (coin, other_coin):
        with reverts(NothingToPay()):
            deposits.sweep(order.terms, coins, sender=stranger)
    warp(order.terms.open_by + 1)
    with reverts(NothingToPay()):
        deposits.sweep(order.terms, coin, sender=stranger)


def test_a_revision_is_no_opening(deposits, escrow, paid, coin, seller, stranger, evm):
    """The seller can't free the price for a sweep by raising the revision."""
    order = paid(token=coin)
    escrow.revise(order.terms, 0, sender=seller)
    with reverts(TooEarly(evm.now, order.terms.open_by + 1)):
        deposits.sweep(order.terms, coin, sender=stranger)


@pytest.mark.parametrize("account", ["seller", "buyer"])
def test_what_is_no_token_has_nothing_to_sweep(deposits, paid, stranger, escrow, account):
    order = paid()
    for address in (CAST[account], escrow.address, deposits.address, order.address):
        with reverts(NothingToPay()):
            deposits.sweep(order.terms, address, sender=stranger)


def test_another_orders_vault_is_no_token(deposits, paid, stranger, token):
    """A vault obeys this contract: what is asked of a token must not reach it as an order."""
    order, other = paid(token=token.address), paid(token=token.address)
    other.receive(PRICE)
    deposits.sweep(other.terms, token.address, sender=stranger)  # so that its vault is made
    with reverts(NothingToPay()):
        deposits.sweep(order.terms, other.address, sender=stranger)
    assert other.balance() == PRICE


def test_sweep_reverts_where_it_would_take_what_waits_under_another_address(deposits, world, compiled, paid, stranger):
    """A token with two addresses moves the same balances by both."""
    token = deploy(world.evm, compiled("TwoFacedToken"), sender=stranger)
    world.enrich(token)
    order = paid(token=token.address)
    order.receive(30)
    with reverts(DepositShort(order.address, token.address, 0, PRICE)):
        deposits.sweep(order.terms, token.other(), sender=stranger)
    world.warp(order.terms.open_by + 1)
    with world.moves(token.address, {"vault": -PRICE - 30, "refund_to": PRICE + 30}):
        deposits.sweep(order.terms, token.other(), sender=stranger)


# ------------------------------------------------------------------------------------------------- sweep: successes


def test_sweep_sends_back_what_is_beyond_the_price(deposits, world, paid, coin, stranger):
    order = paid(token=coin)
    order.receive(30)
    with world.moves(coin, {"vault": -30, "refund_to": 30}):
        receipt = deposits.sweep(order.terms, coin, sender=stranger)
    assert [vars(event) for event in deposits.events(receipt)] == [returned(order, coin, 30)]
    assert deposits.returned("sweep", receipt) == 30
    assert order.balance() == PRICE


@pytest.mark.parametrize("there", [0, 1, PRICE, PRICE + 30])
def test_sweep_sends_back_every_other_coin_at_any_time(deposits, world, make_order, coin, other_coin, stranger, there):
    order = make_order(token=coin)
    if there:
        order.receive(there)
    order.receive(77, other_coin)
    with world.moves(coin, {} if coin == NATIVE else {"vault, native": -77, "refund_to, native": 77}):
        receipt = deposits.sweep(order.terms, other_coin, sender=stranger)
    assert [vars(event) for event in deposits.events(receipt)] == [returned(order, other_coin, 77)]
    assert (order.balance(other_coin), order.balance()) == (0, there)


@pytest.mark.parametrize("amount", [1, PRICE, PRICE + 30])
def test_sweep_sends_back_all_of_it_after_open_by(deposits, world, make_order, coin, stranger, warp, amount):
    order = make_order(token=coin)
    order.receive(amount)
    warp(order.terms.open_by + 1)
    with world.moves(coin, {"vault": -amount, "refund_to": amount}):
        deposits.sweep(order.terms, coin, sender=stranger)


@pytest.mark.parametrize("state", [State.Opened, State.Closed])
def test_sweep_sends_back_all_of_it_once_the_order_was_opened_from_elsewhere(
    deposits, escrow, world, paid, coin, buyer, payer, stranger, state
):
    """So a second payment is not lost, nor can the same order be paid twice."""
    order = paid(token=coin)
    escrow.open(order.terms, sender=payer, value=world.value(order.terms))
    if state == State.Closed:
        escrow.cancel(order.terms, State.Opened, sender=buyer)
    with world.moves(coin, {"vault": -PRICE, "refund_to": PRICE}):
        deposits.sweep(order.terms, coin, sender=stranger)


def test_sweep_sends_back_what_comes_after_the_opening(deposits, world, paid, coin, buyer, stranger):
    order = paid(token=coin)
    deposits.open(order.terms, NO_SIGNATURE, sender=buyer)
    order.receive(PRICE)
    with world.moves(coin, {"vault": -PRICE, "refund_to": PRICE}):
        deposits.sweep(order.terms, coin, sender=stranger)


def test_money_under_terms_that_can_not_be_opened_comes_back_after_open_by(
    deposits, world, make_order, coin, stranger, warp
):
    order = make_order(token=coin, units=0)
    order.receive(PRICE)
    warp(order.terms.open_by + 1)
    with world.moves(coin, {"vault": -PRICE, "refund_to": PRICE}):
        deposits.sweep(order.terms, coin, sender=stranger)


# ------------------------------------------------------------------------------------------- receivers that are odd


@pytest.mark.parametrize("mood", [1, 2, 3], ids=["Refusing", "Burning", "Bombing"])
@pytest.mark.parametrize("how", ["refund", "sweep"])
def test_a_receiver_that_refuses_loses_nothing_and_is_paid_later(
    deposits, world, compiled, paid, buyer, warp, mood, how
):
    receiver = deploy(world.evm, compiled("Receiver"), sender=buyer)
    order = paid(refund_to=receiver.address)
    warp(order.terms.open_by + 1)

    def send():
        if how == "refund":
            return deposits.refund(order.terms, 0, NO_SIGNATURE, sender=buyer)
        return deposits.sweep(order.terms, NATIVE, sender=buyer)

    receiver.setMood(mood, sender=buyer)
    with reverts(PushFailed(NATIVE, receiver.address, PRICE)):
        send()
    assert order.balance() == PRICE
    receiver.setMood(0, sender=buyer)
    send()
    assert (order.balance(), world.evm.balance(receiver.address)) == (0, PRICE)


@pytest.mark.parametrize("what", ["sweep", "refund", "open", "openWithOffer"])
def test_a_receiver_that_calls_back_gets_nowhere(deposits, world, compiled, paid, buyer, what):
    receiver = deploy(world.evm, compiled("Receiver"), sender=buyer)
    order, other = paid(refund_to=receiver.address), paid(refund_to=receiver.address)
    order.receive(40)
    other.receive(40)
    calls = {
        "sweep": ("sweep", other.terms, NATIVE),
        "refund": ("refund", other.terms, world.evm.now + 60, other.sign_refund(world.evm.now + 60)),
        "open": ("open", other.terms, other.sign_terms()),
        "openWithOffer": ("openWithOffer", other.terms, other.offer()),
    }
    receiver.aim(deposits.address, deposits.data(*calls[what]), sender=buyer)
    deposits.sweep(order.terms, NATIVE, sender=buyer)
    assert (receiver.called(), receiver.succeeded()) == (True, False)
    assert receiver.reason() == ReentrancyGuardReentrantCall.selector()
    assert (order.balance(), other.balance(), world.evm.balance(receiver.address)) == (PRICE, PRICE + 40, 40)


# ------------------------------------------------------------------------------------------------ tokens that are odd


@pytest.mark.parametrize(
    "mood",
    [Mood.Fair, Mood.Silent, Mood.Denying, Mood.Short, Mood.Odd, Mood.Flooding, Mood.Hungry],
    ids=called,
)
def test_a_token_that_moves_has_paid_whatever_it_answers(deposits, moody, paid, buyer, refund_to, mood):
    order = paid(token=moody.address)
    before = moody.trueBalanceOf(refund_to)
    moody.setMoods(Mood.Fair, mood, sender=buyer)
    deposits.refund(order.terms, 0, NO_SIGNATURE, sender=buyer)
    assert moody.trueBalanceOf(refund_to) - before == PRICE


@pytest.mark.parametrize(
    "mood",
    [
        Mood.Refusing,
        Mood.Reverting,
        Mood.Pretending,
        Mood.Burning,
        Mood.Bombing,
        Mood.Breaking,
        Mood.Shrugging,
        Mood.Mumbling,
        Mood.Skimming,
    ],
    ids=called,
)
def test_a_token_that_does_not_move_keeps_it_for_later(deposits, moody, paid, buyer, refund_to, mood):
    order = paid(token=moody.address)
    moody.setMoods(Mood.Fair, mood, sender=buyer)
    with reverts(PushFailed(moody.address, refund_to, PRICE)):
        deposits.refund(order.terms, 0, NO_SIGNATURE, sender=buyer)
    assert moody.trueBalanceOf(order.address) == PRICE
    moody.setMoods(Mood.Fair, Mood.Fair, sender=buyer)
    deposits.refund(order.terms, 0, NO_SIGNATURE, sender=buyer)
    assert moody.trueBalanceOf(order.address) == 0


@pytest.mark.parametrize("sight", list(Sight)[1:], ids=called)
def test_a_token_that_hides_its_balances_keeps_it_for_later(deposits, moody, paid, buyer, sight):
    order = paid(token=moody.address)
    moody.setSight(sight, sender=buyer)
    with reverts(NothingToPay()):
        deposits.refund(order.terms, 0, NO_SIGNATURE, sender=buyer)
    with reverts(DepositShort(order.address, moody.address, 0, PRICE)):
        deposits.open(order.terms, NO_SIGNATURE, sender=buyer)
    moody.setSight(Sight.Clear, sender=buyer)
    deposits.open(order.terms, NO_SIGNATURE, sender=buyer)


@pytest.mark.parametrize("mood", [Mood.Skimming, Mood.Pretending, Mood.Denying, Mood.Reverting], ids=called)
def test_a_token_that_the_escrow_refuses_opens_nothing_and_comes_back(deposits, moody, paid, buyer, mood):
    order = paid(token=moody.address)
    moody.setMoods(mood, Mood.Fair, sender=buyer)
    refusal = {
        Mood.Skimming: WrongAmountReceived(moody.address, PRICE - PRICE // 100, PRICE),
        Mood.Pretending: WrongAmountReceived(moody.address, 0, PRICE),
    }.get(mood, PullFailed(moody.address, order.address, PRICE))
    with reverts(refusal):
        deposits.open(order.terms, NO_SIGNATURE, sender=buyer)
    deposits.refund(order.terms, 0, NO_SIGNATURE, sender=buyer)
    assert moody.trueBalanceOf(order.address) == 0


def test_a_blocked_receiver_is_paid_once_it_is_not(deposits, world, compiled, paid, buyer, stranger, refund_to):
    token = deploy(world.evm, compiled("BlockingToken"), "Blocking dollar", "BUSD", 6, sender=stranger)
    world.enrich(token)
    order = paid(token=token.address)
    token.setBlocked(refund_to, True, sender=stranger)
    with reverts(PushFailed(token.address, refund_to, PRICE)):
        deposits.refund(order.terms, 0, NO_SIGNATURE, sender=buyer)
    token.setBlocked(refund_to, False, sender=stranger)
    deposits.refund(order.terms, 0, NO_SIGNATURE, sender=buyer)
    assert token.balanceOf(order.address) == 0


@pytest.mark.parametrize("inner", ["sweep", "refund"])
def test_a_token_that_calls_back_can_not_take_what_waits(deposits, world, compiled, paid, buyer, stranger, inner):
    token = deploy(world.evm, compiled("ReenteringToken"), sender=stranger)
    world.enrich(token)
    order = paid(token=token.address)
    order.receive(30)
    expiry = world.evm.now + 60
    data = {
        "sweep": deposits.data("sweep", order.terms, token.address),
        "refund": deposits.data("refund", order.terms, expiry, order.sign_refund(expiry)),
    }[inner]
    token.aim(deposits.address, data, sender=stranger)
    deposits.sweep(order.terms, token.address, sender=stranger)
    assert (token.called(), token.succeeded()) == (True, False)
    token.aim(deposits.address, data, sender=stranger)
    deposits.open(order.terms, NO_SIGNATURE, sender=buyer)
    assert (token.called(), token.succeeded()) == (True, False)
    assert (order.state, order.balance()) == (State.Opened, 0)


# ------------------------------------------------------------------------------------------------- the wrong chain


def foreign_id(world, order, chain_id):
    """The order's id on another chain with the same escrow address."""
    return digest(TypedData(world.escrow.address, chain_id).terms(order.terms))


@pytest.fixture
def astray(world, deposits, make_order):
    """An order of another chain, and the deposit address that it has there."""

    def make(chain_id=1, **overrides):
        order = make_order(**overrides)
        there = deposit_address(deposits.address, foreign_id(world, order, chain_id))
        world.names[there] = "astray"
        return order, there

    return make


def send(world, coin, to, amount):
    if coin == NATIVE:
        world.evm.transact(sender=CAST["payer"], to=to, value=amount)
    else:
        world.token.transfer(to, amount, sender=CAST["payer"])


def test_what_was_sent_on_the_wrong_chain_comes_back_at_any_time(deposits, world, astray, coin, stranger):
    """As the same contracts on that chain would say where it was meant to arrive."""
    order, there = astray()
    send(world, coin, there, PRICE)
    with world.moves(coin, {"astray": -PRICE, "refund_to": PRICE}):
        receipt = deposits.rescue(order.terms, 1, coin, sender=stranger)
    [event] = deposits.events(receipt)
    assert (event.order_id, event.token, event.amount) == (foreign_id(world, order, 1), coin, PRICE)
    assert deposits.returned("rescue", receipt) == PRICE
    with reverts(NothingToPay()):
        deposits.rescue(order.terms, 1, coin, sender=stranger)


def test_rescue_reverts_for_orders_of_this_chain(deposits, world, paid, coin, stranger, evm):
    """They wait, whatever the chain's id has become since."""
    order, own = paid(token=coin), evm.chain_id
    with reverts(NotForeign(own)):
        deposits.rescue(order.terms, own, coin, sender=stranger)
    evm.chain_id += 1
    with reverts(NotForeign(own)):
        deposits.rescue(order.terms, own, coin, sender=stranger)
    with reverts(NothingToPay()):
        deposits.rescue(order.terms, own + 1, coin, sender=stranger)
    assert order.balance() == PRICE


def test_rescue_does_not_reach_this_chains_deposit(deposits, paid, coin, stranger):
    order = paid(token=coin)
    for chain_id in (0, 1, 56, 2**256 - 1):
        with reverts(NothingToPay()):
            deposits.rescue(order.terms, chain_id, coin, sender=stranger)
    assert order.balance() == PRICE
