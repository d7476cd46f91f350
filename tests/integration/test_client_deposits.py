"""Deposit addresses through the SDK: on an EVM in this process and, once through, on Anvil."""

import asyncio
from dataclasses import replace

import pytest

from kameng_escrow.chain.errors import InvalidInput, NoDeployment
from kameng_escrow.client import AsyncEscrowClient, Deposit, EscrowClient
from kameng_escrow.domain.deposits import DepositRefund, deposit_address
from kameng_escrow.domain.events import OrderClosed, OrderOpened
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.periphery_refusals import DepositShort, DisputeBondNotAllowed
from kameng_escrow.domain.refusals import (
    Expired,
    InvalidAddress,
    InvalidSignature,
    NothingToPay,
    PolicyUnknown,
    PriceOutOfRange,
    TooEarly,
)
from kameng_escrow.domain.states import Outcome, State, Verb

from .sdk_cast import COMMITMENT, HOUR, PRICE, Cast, make_policy

EXCHANGE = 8  # among the node's accounts


def bondless(cast: Cast) -> str:
    """A policy under which the buyer owes no dispute bond."""
    policy = make_policy(cast.platform.address, cast.mediator.address, cast.backup.address)
    return cast.platform.register_policy(replace(policy, dispute_bond_bps=0, mediation_fee_bps=0)).policy_id


def pay(cast: Cast, terms: OrderTerms, amount: int | None = None, token: str | None = None) -> None:
    """A plain transfer by somebody who has never heard of the escrow; 22 gas dearer once money has left there."""
    to, amount = cast.reader.deposit_address(terms), terms.price if amount is None else amount
    coin = terms.token if token is None else token
    exchange = cast.node.accounts[EXCHANGE].address
    if coin == NATIVE:
        sent = cast.node.w3.eth.send_transaction(
            {"from": exchange, "to": to, "value": cast.node.w3.to_wei(amount, "wei")}
        )
        assert cast.node.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)["gasUsed"] <= 21_022
    else:
        cast.call_token("mint", exchange, amount)
        cast.call_token("transfer", to, amount, token=coin, sender=EXCHANGE)


@pytest.fixture(params=["native", "token"])
def terms(request: pytest.FixtureRequest, cast: Cast) -> OrderTerms:
    token = NATIVE if request.param == "native" else cast.token
    return cast.terms(policy_id=bondless(cast), token=token, refund_to=cast.operator.address)


def test_the_address_is_known_without_a_chain(cast: Cast, terms: OrderTerms) -> None:
    deposits = cast.deployment.periphery["KamengDeposits"]
    address = cast.reader.deposit_address(terms)
    assert address == deposit_address(cast.reader.order_id(terms), deposits)
    assert cast.reader.deposit(terms) == Deposit(
        order_id=cast.reader.order_id(terms),
        address=address,
        token=terms.token,
        price=PRICE,
        balance=0,
        state=State.Nothing,
        waiting=True,
    )


def test_a_transfer_and_an_offer_make_an_accepted_order(cast: Cast, terms: OrderTerms) -> None:
    pay(cast, terms, PRICE - 5)
    offer = cast.seller.sign_offer(terms, expiry=cast.reader.now() + HOUR)
    with pytest.raises(DepositShort) as short:
        cast.stranger.open_from_deposit(terms, offer=offer)
    assert short.value == DepositShort(cast.reader.deposit_address(terms), terms.token, PRICE - 5, PRICE)
    assert cast.reader.deposit(terms).missing == 5
    pay(cast, terms, 12)
    receipt = cast.stranger.open_from_deposit(terms, offer=offer)
    opened = receipt.event(OrderOpened)
    assert (opened.payer, opened.state) == (cast.reader.deposit_address(terms), State.Accepted)
    assert receipt.order_id == cast.reader.order_id(terms)
    assert (cast.reader.deposit(terms).missing, cast.reader.deposit(terms).returnable) == (0, 7)


def test_a_buyer_without_coins_signs_and_others_bring_it(cast: Cast, terms: OrderTerms) -> None:
    """A key made in the page: the account has never held anything."""
    account = cast.node.w3.eth.account.create()
    terms = replace(terms, buyer=account.address)
    buyer = cast.reader.acting_as(account)
    pay(cast, terms)
    signature = buyer.sign_terms(terms)
    with pytest.raises(InvalidSignature):
        cast.stranger.open_from_deposit(terms, signature=cast.stranger.sign_terms(terms))
    cast.stranger.open_from_deposit(terms, signature=signature)
    cast.seller.accept(terms)
    cast.seller.deliver(terms, commitment=COMMITMENT)
    action = buyer.action(terms, verb=Verb.Dispute, number=2)
    cast.stranger.act(terms, action=action, signature=buyer.sign_action(terms, action))
    assert cast.state(terms) is State.Disputed
    assert cast.reader.balance(account=account.address) == 0


def test_the_buyer_opens_without_a_signature(cast: Cast, terms: OrderTerms) -> None:
    pay(cast, terms)
    with pytest.raises(InvalidSignature):
        cast.stranger.open_from_deposit(terms)
    assert cast.buyer.open_from_deposit(terms).event(OrderOpened).state is State.Opened


def test_the_buyer_changes_its_mind(cast: Cast, terms: OrderTerms) -> None:
    pay(cast, terms)
    before = cast.reader.balance(account=terms.refund_to, token=terms.token)
    with pytest.raises(TooEarly):
        cast.stranger.sweep_deposit(terms)
    will = cast.buyer.sign_deposit_refund(terms)
    cast.stranger.refund_deposit(terms, refund=will)
    assert cast.reader.balance(account=terms.refund_to, token=terms.token) == before + PRICE
    with pytest.raises(NothingToPay):
        cast.buyer.refund_deposit(terms)
    pay(cast, terms, 3)
    cast.buyer.refund_deposit(terms)
    assert cast.reader.deposit(terms).balance == 0


def test_a_refund_is_the_buyers_and_expires(cast: Cast, terms: OrderTerms) -> None:
    pay(cast, terms)
    with pytest.raises(InvalidSignature):
        cast.stranger.refund_deposit(terms, refund=cast.stranger.sign_deposit_refund(terms))
    with pytest.raises(Expired):
        cast.buyer.sign_deposit_refund(terms, expiry=cast.reader.now())
    will = cast.buyer.sign_deposit_refund(terms)
    cast.node.warp(will.expiry)
    with pytest.raises(Expired):
        cast.stranger.refund_deposit(terms, refund=will)
    with pytest.raises(InvalidSignature):
        cast.stranger.refund_deposit(terms, refund=DepositRefund(expiry=will.expiry + HOUR, signature=will.signature))


def test_what_is_too_much_late_or_of_another_coin_is_swept_by_anyone(cast: Cast, terms: OrderTerms) -> None:
    other = cast.token if terms.token == NATIVE else NATIVE
    start = {coin: cast.reader.balance(account=terms.refund_to, token=coin) for coin in (terms.token, other)}

    def came(coin: str) -> int:
        return cast.reader.balance(account=terms.refund_to, token=coin) - start[coin]

    pay(cast, terms, PRICE + 40)
    if terms.token == NATIVE:
        pay(cast, terms, 9, token=other)
        cast.stranger.sweep_deposit(terms, token=other)
        assert came(other) == 9
    cast.stranger.sweep_deposit(terms)
    assert came(terms.token) == 40
    cast.node.warp(terms.open_by + 1)
    assert cast.reader.deposit(terms).returnable == PRICE
    cast.stranger.sweep_deposit(terms)
    assert came(terms.token) == PRICE + 40


def test_nobody_is_told_to_pay_where_no_order_can_come_of_it(cast: Cast, terms: OrderTerms) -> None:
    def asked(**wrong: object) -> str:
        return cast.reader.deposit_address(replace(terms, **wrong))  # type: ignore[arg-type]

    with pytest.raises(DisputeBondNotAllowed) as bond:
        asked(policy_id=cast.policy_id)
    assert bond.value == DisputeBondNotAllowed(cast.policy_id, 1_500)
    with pytest.raises(PolicyUnknown):
        asked(policy_id="0x" + "77" * 32)
    with pytest.raises(PriceOutOfRange):
        asked(price=0)
    for name, address in cast.deployment.periphery.items():
        with pytest.raises(InvalidAddress):
            asked(refund_to=address), name
    with pytest.raises(InvalidAddress):
        asked(refund_to=cast.deployment.address)


def test_the_contract_says_so_too(cast: Cast) -> None:
    """Somebody computed the address without asking."""
    terms = cast.terms()
    to = deposit_address(cast.reader.order_id(terms), cast.deployment.periphery["KamengDeposits"])
    cast.node.w3.eth.send_transaction(
        {"from": cast.node.accounts[EXCHANGE].address, "to": to, "value": cast.node.w3.to_wei(PRICE, "wei")}
    )
    with pytest.raises(DisputeBondNotAllowed):
        cast.buyer.open_from_deposit(terms)
    cast.buyer.refund_deposit(terms)
    assert cast.reader.deposit(terms).balance == 0


def test_every_write_can_be_prepared_for_a_wallet(cast: Cast, terms: OrderTerms) -> None:
    pay(cast, terms, PRICE + 1)
    deposits = cast.deployment.periphery["KamengDeposits"]
    for transaction in (
        cast.buyer.prepare_open_from_deposit(terms),
        cast.buyer.prepare_refund_deposit(terms),
        cast.buyer.prepare_sweep_deposit(terms),
    ):
        assert (transaction["to"], transaction["value"]) == (deposits, 0)
    assert cast.reader.deposit(terms).balance == PRICE + 1


def test_a_client_that_only_reads_signs_nothing(cast: Cast, terms: OrderTerms) -> None:
    for sign in (cast.reader.sign_terms, cast.reader.sign_deposit_refund):
        with pytest.raises(InvalidInput):
            sign(terms)


def test_a_record_without_companions_finds_them_where_the_proxy_put_them(cast: Cast, terms: OrderTerms) -> None:
    old = replace(cast.deployment, periphery={})
    reader = EscrowClient(node=cast.node, contract=old)
    assert reader.deposit_address(terms) == cast.reader.deposit_address(terms)


def test_another_contract_in_its_place_is_not_paid(cast: Cast, terms: OrderTerms) -> None:
    wrong = replace(cast.deployment, periphery={"KamengDeposits": cast.deployment.lens})
    with pytest.raises(Exception, match="not that of this package's KamengDeposits"):
        EscrowClient(node=cast.node, contract=wrong).deposit_address(terms)
    absent = replace(cast.deployment, periphery={"KamengDeposits": cast.stranger.address})
    with pytest.raises(NoDeployment, match="KamengDeposits is not deployed"):
        EscrowClient(node=cast.node, contract=absent).deposit_address(terms)


def test_the_asynchronous_client_does_the_same(cast: Cast, terms: OrderTerms) -> None:
    async def story() -> None:
        async with AsyncEscrowClient(node=cast.node, contract=cast.deployment, account=cast.node.accounts[4]) as buyer:
            assert await buyer.deposit_address(terms) == cast.reader.deposit_address(terms)
            await buyer.open_from_deposit(terms)
            assert (await buyer.deposit(terms)).state is State.Opened

    pay(cast, terms)
    asyncio.run(story())


def test_on_anvil(anvil_cast: Cast) -> None:
    cast = anvil_cast
    terms = cast.terms(policy_id=bondless(cast), token=cast.token)
    pay(cast, terms, PRICE + 3)
    offer = cast.seller.sign_offer(terms, expiry=cast.reader.now() + HOUR)
    cast.stranger.open_from_deposit(terms, offer=offer)
    cast.stranger.sweep_deposit(terms)
    assert cast.buyer.confirm(terms).event(OrderClosed).outcome is Outcome.Confirmed
    assert cast.reader.deposit(terms).balance == 0
