"""Opening an order with what lies at its deposit address."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.events import OrderOpened
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.periphery_refusals import DepositShort, DisputeBondNotAllowed
from kameng_escrow.domain.refusals import (
    BondShort,
    Expired,
    InvalidSignature,
    PolicyIsRetired,
    PullFailed,
    TooLate,
    WrongState,
)
from kameng_escrow.domain.reverts import decode_refusal
from kameng_escrow.domain.states import State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.evm import Reverted
from tests.contracts.harness.world import DAY, PRICE, reverts

NO_SIGNATURE = b""


def test_the_address_follows_from_the_order_id_alone(deposits, make_order):
    """As EIP-1014 and the bytes of `Vault.sol` say, without asking anybody."""
    order = make_order()
    assert deposits.addressOf(order.id) == order.address
    assert make_order().address != order.address


def test_it_knows_its_escrow(deposits, escrow):
    assert deposits.escrow() == escrow.address


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("signer", ["seller", "payer", "relayer"])
def test_open_reverts_without_the_buyers_signature(deposits, paid, relayer, buyer, signer):
    order = paid()
    with reverts(InvalidSignature(buyer, order.id)):
        deposits.open(order.terms, order.sign_terms(CAST[signer]), sender=relayer)


@pytest.mark.parametrize("signature", [b"", b"\x01" * 64, b"\x00" * 65, b"\xff" * 66])
def test_open_reverts_for_what_is_no_signature(deposits, paid, seller, buyer, signature):
    """The seller, too, can't force an order on a buyer who has only paid."""
    order = paid()
    with reverts(InvalidSignature(buyer, order.id)):
        deposits.open(order.terms, signature, sender=seller)


def test_open_reverts_for_a_signature_of_other_terms(deposits, paid, buyer, relayer):
    order, other = paid(), paid()
    with reverts(InvalidSignature(buyer, order.id)):
        deposits.open(order.terms, other.sign_terms(), sender=relayer)


def test_open_reverts_for_the_signature_of_a_refund(deposits, paid, buyer, relayer, evm):
    order = paid()
    with reverts(InvalidSignature(buyer, order.id)):
        deposits.open(order.terms, order.sign_refund(evm.now + DAY), sender=relayer)


@pytest.mark.parametrize("how", ["open", "openWithOffer"])
def test_it_opens_no_order_twice(deposits, escrow, paid, coin, buyer, payer, world, how):
    """Wherever it was paid the first time."""
    order = paid(token=coin)
    escrow.open(order.terms, sender=payer, value=world.value(order.terms))
    argument = NO_SIGNATURE if how == "open" else order.offer()
    with reverts(WrongState(order.id, State.Opened, State.Nothing)):
        getattr(deposits, how)(order.terms, argument, sender=buyer)


@pytest.mark.parametrize("there", [0, 1, PRICE - 1])
@pytest.mark.parametrize("how", ["open", "openWithOffer"])
def test_it_opens_nothing_with_less_than_the_price(deposits, make_order, coin, buyer, there, how):
    order = make_order(token=coin)
    if there:
        order.receive(there)
    argument = NO_SIGNATURE if how == "open" else order.offer()
    with reverts(DepositShort(order.address, coin, there, PRICE)):
        getattr(deposits, how)(order.terms, argument, sender=buyer)


def test_the_other_coin_is_no_payment(deposits, make_order, coin, other_coin, buyer):
    order = make_order(token=coin)
    order.receive(PRICE, other_coin)
    with reverts(DepositShort(order.address, coin, 0, PRICE)):
        deposits.open(order.terms, NO_SIGNATURE, sender=buyer)


def test_open_reverts_after_open_by(deposits, paid, coin, buyer, warp):
    order = paid(token=coin)
    warp(order.terms.open_by + 1)
    with reverts(TooLate(order.terms.open_by + 1, order.terms.open_by + 1)):
        deposits.open(order.terms, NO_SIGNATURE, sender=buyer)


def test_open_reverts_under_a_retired_policy(deposits, escrow, paid, coin, buyer, platform):
    order = paid(token=coin)
    escrow.retirePolicy(order.terms.policy_id, sender=platform)
    with reverts(PolicyIsRetired(order.terms.policy_id)):
        deposits.open(order.terms, NO_SIGNATURE, sender=buyer)


def test_open_with_offer_reverts_for_an_offer_that_expired(deposits, paid, coin, stranger, warp, evm):
    order = paid(token=coin)
    offer = order.offer(expiry=evm.now + 60)
    for late in (0, 1):
        warp(offer.expiry + late)
        with reverts(Expired(evm.now, offer.expiry)):
            deposits.openWithOffer(order.terms, offer, sender=stranger)


def test_open_with_offer_reverts_for_anybody_elses_offer(deposits, world, paid, coin, seller, stranger):
    order = paid(token=coin)
    world.fund_bond(order.order)
    forged = world.offer(order.order, signer=stranger)
    with reverts(InvalidSignature(seller, world.offer_digest(order.order, forged))):
        deposits.openWithOffer(order.terms, forged, sender=stranger)


def test_open_with_offer_reverts_where_the_sellers_bond_is_short(deposits, world, paid, coin, seller, stranger):
    order = paid(token=coin)
    bond = order.order.sums.B
    with reverts(BondShort(seller, coin, 0, bond)):
        deposits.openWithOffer(order.terms, world.offer(order.order), sender=stranger)


@pytest.mark.parametrize("bond", [1, 5_000])
@pytest.mark.parametrize("how", ["open", "openWithOffer"])
def test_no_order_is_opened_whose_buyer_would_owe_a_dispute_bond(deposits, world, paid, coin, buyer, bond, how):
    policy = world.make_policy(dispute_bond_bps=bond, mediation_fee_bps=0)
    order = paid(token=coin, policy=policy)
    argument = NO_SIGNATURE if how == "open" else order.offer()
    with reverts(DisputeBondNotAllowed(order.terms.policy_id, bond)):
        getattr(deposits, how)(order.terms, argument, sender=buyer)
    assert (order.state, order.balance()) == (State.Nothing, PRICE)


def test_terms_with_dirty_padding_are_not_read(deposits, paid, buyer):
    """They would have another id, and so another address."""
    order = paid()
    data = bytearray(deposits.data("open", order.terms, NO_SIGNATURE))
    data[4] = 1  # above the 20 bytes of the buyer's address
    with pytest.raises(Reverted):
        deposits.evm.transact(sender=buyer, to=deposits.address, data=bytes(data))


def test_it_takes_no_coins_itself(deposits, paid, buyer, evm):
    with pytest.raises(Reverted):
        evm.transact(sender=buyer, to=deposits.address, value=1)
    with pytest.raises(Reverted):
        deposits.open(paid().terms, NO_SIGNATURE, sender=buyer, value=1)


def test_with_too_little_gas_nothing_happens_at_all(deposits, paid, coin, buyer):
    """Wherever it runs out: no half-opened order, no vault that keeps the money."""
    order = paid(token=coin)
    enough = deposits.open(order.terms, NO_SIGNATURE, sender=buyer).gas_used * 3 // 2
    seen = set()
    for gas in range(60_000, enough, 6_000):
        starved = paid(token=coin)
        try:
            deposits.open(starved.terms, NO_SIGNATURE, sender=buyer, gas=gas)
        except Reverted as revert:
            assert (starved.state, starved.balance()) == (State.Nothing, PRICE)
            seen.add(type(decode_refusal(revert.data)).__name__)
        else:
            assert (starved.state, starved.balance()) == (State.Opened, 0)
    assert "VaultNotCreated" in seen


# -------------------------------------------------------------------------------------------------------- successes


def test_open_by_the_buyer(deposits, escrow, world, paid, coin, buyer):
    order = paid(token=coin)
    with world.moves(coin, {"vault": -PRICE, "escrow": PRICE}):
        receipt = deposits.open(order.terms, NO_SIGNATURE, sender=buyer)
    assert escrow.events(receipt) == [
        OrderOpened(order_id=order.id, terms=order.terms, payer=order.address, state=State.Opened)
    ]
    assert deposits.returned("open", receipt) == order.id
    assert deposits.events(receipt) == []


def test_open_by_anybody_with_the_buyers_signature_of_the_terms(deposits, world, paid, coin, stranger):
    order = paid(token=coin)
    with world.moves(coin, {"vault": -PRICE, "escrow": PRICE}):
        deposits.open(order.terms, order.sign_terms(), sender=stranger)
    assert order.state == State.Opened


def test_open_with_offer_by_anybody(deposits, escrow, world, paid, coin, stranger):
    order = paid(token=coin)
    offer = order.offer()
    with world.moves(coin, {"vault": -PRICE, "escrow": PRICE, "bond of seller": -order.order.sums.B}):
        receipt = deposits.openWithOffer(order.terms, offer, sender=stranger)
    assert escrow.events(receipt) == [
        OrderOpened(order_id=order.id, terms=order.terms, payer=order.address, state=State.Accepted)
    ]


def test_open_in_the_second_of_open_by(deposits, paid, coin, stranger, warp):
    order = paid(token=coin)
    warp(order.terms.open_by)
    deposits.open(order.terms, order.sign_terms(), sender=stranger)
    assert order.state == State.Opened


def test_several_payments_and_too_much_are_as_good_as_one(deposits, make_order, coin, buyer):
    order = make_order(token=coin)
    for amount in (1, PRICE - 2, 1, 500):
        order.receive(amount)
    deposits.open(order.terms, NO_SIGNATURE, sender=buyer)
    assert (order.state, order.balance()) == (State.Opened, 500)


def test_an_early_vault_changes_nothing(deposits, world, paid, coin, other_coin, buyer, stranger):
    """Anybody may have it made, at the price of a coin sent there; it takes payments as before."""
    order = paid(token=coin)
    order.receive(1, other_coin, sender=stranger)
    deposits.sweep(order.terms, other_coin, sender=stranger)
    assert world.evm.code(order.address)
    order.receive(7)
    with world.moves(coin, {"vault": -PRICE, "escrow": PRICE}):
        deposits.open(order.terms, NO_SIGNATURE, sender=buyer)


def test_no_allowance_is_left(deposits, world, paid, token, buyer, escrow):
    order = paid(token=token.address)
    order.receive(PRICE)
    deposits.open(order.terms, NO_SIGNATURE, sender=buyer)
    assert token.allowance(order.address, escrow.address) == 0


def test_the_order_lives_on_as_any_other(deposits, escrow, world, paid, coin, buyer, seller):
    """Its money goes back to refundTo, not to where it was paid from."""
    order = paid(token=coin)
    deposits.open(order.terms, NO_SIGNATURE, sender=buyer)
    with world.moves(coin, {"escrow": -PRICE, "refund_to": PRICE}):
        escrow.decline(order.terms, State.Opened, sender=seller)


def test_a_contract_wallet_signs_as_erc_1271_has_it(deposits, world, compiled, paid, coin, buyer, stranger):
    wallet = deploy(world.evm, compiled("Wallet"), buyer, sender=buyer)
    order = paid(token=coin, buyer=wallet.address)
    with reverts(InvalidSignature(wallet.address, order.id)):
        deposits.open(order.terms, order.sign_terms(stranger), sender=stranger)
    deposits.open(order.terms, order.sign_terms(buyer), sender=stranger)
    assert order.state == State.Opened


def test_an_account_with_code_signs_with_its_own_key(deposits, world, compiled, paid, buyer, stranger, evm):
    """Whatever that code would say of it."""
    foreign = deploy(evm, compiled("Wallet"), stranger, sender=stranger)
    order = paid()
    evm.set_code(buyer, evm.code(foreign.address))
    deposits.open(order.terms, order.sign_terms(), sender=stranger)
    assert order.state == State.Opened


def test_nobody_can_sign_for_the_zero_address(deposits, make_order, world, stranger):
    order = make_order(buyer=NATIVE)
    order.receive(PRICE)
    with reverts(InvalidSignature(NATIVE, order.id)):
        deposits.open(order.terms, b"\x00" * 65, sender=stranger)


def test_the_signature_holds_on_a_fork_of_the_chain_as_the_id_does(deposits, paid, coin, evm, stranger):
    order = paid(token=coin)
    signature = order.sign_terms()
    evm.chain_id += 1
    deposits.open(order.terms, signature, sender=stranger)
    assert order.state == State.Opened


def test_a_deposit_pays_for_its_own_order_only(deposits, paid, make_order, coin, buyer):
    rich, poor = paid(token=coin), make_order(token=coin)
    with reverts(DepositShort(poor.address, coin, 0, PRICE)):
        deposits.open(poor.terms, NO_SIGNATURE, sender=buyer)
    assert rich.balance() == PRICE


def test_a_change_of_any_field_is_another_address(deposits, escrow, make_order):
    order = make_order()
    seen = {order.address}
    for field, value in (("price", PRICE + 1), ("seller", CAST["stranger"]), ("refund_to", CAST["stranger"])):
        seen.add(deposits.addressOf(escrow.toId(replace(order.terms, **{field: value}))))
    assert len(seen) == 4


def test_a_token_that_grants_no_allowance_is_told_as_the_escrow_tells_it(deposits, compiled, world, paid, buyer):
    token = deploy(world.evm, compiled("GrudgingToken"), sender=buyer)
    token.mint(CAST["payer"], PRICE, sender=buyer)
    order = paid(token=token.address)
    with reverts(PullFailed(token.address, order.address, PRICE)):
        deposits.open(order.terms, NO_SIGNATURE, sender=buyer)
