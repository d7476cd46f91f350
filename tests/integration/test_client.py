"""The client: terms, opening, paying, and what is said before anything is sent, on a real EVM."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.chain.errors import InsufficientFunds, InvalidInput
from kameng_escrow.client import EscrowClient, UnknownOrder
from kameng_escrow.domain.events import (
    OrderAccepted,
    OrderClosed,
    OrderDelivered,
    OrderDisputed,
    OrderOpened,
    OrderRevised,
)
from kameng_escrow.domain.inputs import MalformedAddress, MalformedHash, NumberOutOfRange, WrongChecksum, WrongType
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.refusals import (
    BondShort,
    Expired,
    InvalidAddress,
    InvalidSignature,
    NotPossible,
    PolicyUnknown,
    PriceOutOfRange,
    PullFailed,
    TokenHasNoCode,
    TooLate,
    UnitsOutOfRange,
    WrongState,
)
from kameng_escrow.domain.states import Outcome, State, Verb

from .sdk_cast import (
    COMMITMENT,
    DAY,
    HOUR,
    PRICE,
    Cast,
    call_contract,
    deploy_code,
)

# --------------------------------------------------------------------------------------------------------------- terms


def test_terms_fill_in_what_is_left_out_by_the_chains_clock(cast: Cast) -> None:
    cast.node.warp(cast.node.now() + 400 * DAY)
    terms = cast.buyer.terms(seller=cast.seller.address, price=5, policy_id=cast.policy_id)
    again = cast.buyer.terms(seller=cast.seller.address, price=5, policy_id=cast.policy_id)
    assert (terms.buyer, terms.refund_to) == (cast.buyer.address,) * 2
    assert (terms.seller, terms.pay_to) == (cast.seller.address,) * 2
    assert (terms.token, terms.units, terms.policy_id) == (NATIVE, 1, cast.policy_id)
    assert terms.open_by == cast.node.now() + DAY
    assert terms.salt != again.salt
    assert terms.listing != again.listing


def test_terms_take_what_is_given_in_any_case(cast: Cast) -> None:
    terms = cast.reader.terms(
        seller=cast.seller.address.lower(),
        price=5,
        policy_id=cast.policy_id.upper().replace("X", "x"),
        buyer=cast.buyer.address.lower(),
        refund_to=cast.stranger.address,
        pay_to=cast.operator.address,
        token=cast.token.lower(),
        units=7,
        listing="0x" + "AB" * 32,
        open_by=9,
        salt="0x" + "00" * 32,
    )
    assert terms == OrderTerms(
        buyer=cast.buyer.address,
        refund_to=cast.stranger.address,
        seller=cast.seller.address,
        pay_to=cast.operator.address,
        token=cast.token,
        price=5,
        units=7,
        policy_id=cast.policy_id,
        listing="0x" + "ab" * 32,
        open_by=9,
        salt="0x" + "00" * 32,
    )


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"seller": "0x1234"}, MalformedAddress),
        ({"seller": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92267"}, WrongChecksum),
        ({"seller": NATIVE}, InvalidAddress),
        ({"pay_to": NATIVE}, InvalidAddress),
        ({"price": 0}, PriceOutOfRange),
        ({"price": 2**127}, PriceOutOfRange),
        ({"price": -1}, NumberOutOfRange),
        ({"price": 1.5}, WrongType),
        ({"units": 0}, UnitsOutOfRange),
        ({"units": 65_536}, NumberOutOfRange),
        ({"policy_id": "0x12"}, MalformedHash),
        ({"open_by": -1}, NumberOutOfRange),
        ({"salt": "salt"}, MalformedHash),
    ],
)
def test_terms_that_can_not_be_right_are_refused_at_once(
    cast: Cast, wrong: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        cast.terms(**wrong)


def test_a_buyer_is_not_the_seller(cast: Cast) -> None:
    with pytest.raises(InvalidAddress):
        cast.terms(seller=cast.buyer.address)


def test_money_is_not_sent_to_the_escrow_or_the_token(cast: Cast) -> None:
    for receiver in (cast.deployment.address, cast.token):
        with pytest.raises(InvalidAddress):
            cast.terms(refund_to=receiver, token=cast.token)


def test_the_order_id_is_the_contracts(cast: Cast) -> None:
    terms = cast.terms()
    artifact_id = cast.reader._run(cast.reader._view("toId", terms))
    assert cast.reader.order_id(terms) == artifact_id


# ------------------------------------------------------------------------------------------------------------- opening


def test_an_order_from_open_to_paid(cast: Cast) -> None:
    terms = cast.terms()
    opened = cast.buyer.open(terms)
    assert opened.order_id == cast.reader.order_id(terms)
    assert opened.event(OrderOpened) == OrderOpened(
        order_id=opened.order_id, terms=terms, payer=cast.buyer.address, state=State.Opened
    )
    assert opened.timestamp == cast.node.now()
    assert opened.block_number == cast.node.w3.eth.block_number
    assert opened.gas_used == cast.node.w3.eth.get_transaction_receipt(opened.transaction_hash)["gasUsed"]  # type: ignore[arg-type]
    assert cast.seller.accept(terms).event(OrderAccepted).order_id == opened.order_id
    assert cast.seller.deliver(terms, commitment=COMMITMENT).event(OrderDelivered).commitment == COMMITMENT
    before = cast.seller.balance()
    closed = cast.buyer.confirm(terms).event(OrderClosed)
    fee = PRICE * 125 // 10_000
    assert (closed.outcome, closed.to_seller, closed.platform_fee) == (Outcome.Confirmed, PRICE - fee, fee)
    assert cast.seller.balance() == before + PRICE - fee


def test_anybody_may_pay_for_a_buyer(cast: Cast) -> None:
    terms = cast.terms()
    assert cast.stranger.open(terms).event(OrderOpened).payer == cast.stranger.address
    assert cast.state(terms) is State.Opened


def test_an_offer_opens_straight_into_accepted(cast: Cast) -> None:
    terms = cast.terms()
    offer = cast.seller.sign_offer(terms, expiry=cast.node.now() + HOUR)
    assert offer.operator == NATIVE
    opened = cast.buyer.open(terms, offer=offer).event(OrderOpened)
    assert opened.state is State.Accepted


def test_an_offer_that_has_expired_is_refused_when_signed_and_when_used(cast: Cast) -> None:
    terms = cast.terms()
    now = cast.node.now()
    with pytest.raises(Expired) as refused:
        cast.seller.sign_offer(terms, expiry=now)
    assert refused.value == Expired(now, now)
    offer = cast.seller.sign_offer(terms, expiry=now + 10)
    cast.node.warp(now + 10)
    with pytest.raises(Expired):
        cast.buyer.open(terms, offer=offer)
    assert cast.state(terms) is State.Nothing


def test_an_offer_is_void_once_the_seller_revises(cast: Cast) -> None:
    terms = cast.terms()
    offer = cast.seller.sign_offer(terms, expiry=cast.node.now() + HOUR)
    assert cast.seller.revise(terms).event(OrderRevised).revision == 1
    with pytest.raises(InvalidSignature):
        cast.buyer.open(terms, offer=offer)
    cast.buyer.open(terms, offer=cast.seller.sign_offer(terms, expiry=cast.node.now() + HOUR))
    assert cast.state(terms) is State.Accepted


def test_an_order_is_not_opened_twice(cast: Cast) -> None:
    terms = cast.order()
    with pytest.raises(WrongState) as refused:
        cast.buyer.open(terms)
    assert refused.value == WrongState(cast.reader.order_id(terms), State.Opened, State.Nothing)


def test_an_order_is_not_opened_late(cast: Cast) -> None:
    terms = cast.terms(open_by=cast.node.now() + 5)
    cast.node.warp(terms.open_by + 1)
    with pytest.raises(TooLate):
        cast.buyer.open(terms)


# -------------------------------------------------------------------------------------------------------------- tokens


def test_opening_in_a_token_allows_exactly_the_price_first(cast: Cast) -> None:
    terms = cast.terms(token=cast.token)
    before = cast.buyer.balance(token=cast.token)
    cast.buyer.open(terms)
    assert cast.buyer.balance(token=cast.token) == before - PRICE
    assert cast.buyer.allowance(cast.token) == 0


def test_an_allowance_that_suffices_is_left_alone(cast: Cast) -> None:
    cast.buyer.approve(cast.token, amount=10 * PRICE)
    nonce = cast.node.w3.eth.get_transaction_count(cast.node.accounts[4].address)
    cast.buyer.open(cast.terms(token=cast.token))
    assert cast.node.w3.eth.get_transaction_count(cast.node.accounts[4].address) == nonce + 1
    assert cast.buyer.allowance(cast.token) == 9 * PRICE


def test_without_approval_the_token_refuses(cast: Cast) -> None:
    with pytest.raises(PullFailed) as refused:
        cast.buyer.open(cast.terms(token=cast.token), approve=False)
    assert refused.value == PullFailed(cast.token, cast.buyer.address, PRICE)


def test_what_is_refused_anyway_leaves_no_allowance_behind(cast: Cast) -> None:
    terms = cast.terms(token=cast.token, policy_id="0x" + "11" * 32)
    with pytest.raises(PolicyUnknown):
        cast.buyer.open(terms)
    assert cast.buyer.allowance(cast.token) == 0


def test_a_token_that_wants_zero_first_gets_it(cast: Cast, compiled: Callable[[str], Artifact]) -> None:
    token = deploy_code(cast.node, compiled("ZeroFirstToken"))
    cast.call_token("mint", cast.buyer.address, 2 * PRICE, token=token)
    cast.buyer.approve(token, amount=1)
    cast.buyer.open(cast.terms(token=token))
    assert cast.buyer.allowance(token) == 0
    assert cast.buyer.balance(token=token) == PRICE


def test_a_token_that_is_none_is_refused_by_the_contract(cast: Cast) -> None:
    with pytest.raises(TokenHasNoCode):
        cast.buyer.open(cast.terms(token=cast.stranger.address))


def test_a_dispute_in_a_token_allows_exactly_the_bond_first(cast: Cast) -> None:
    terms = cast.order(State.Delivered, token=cast.token)
    before = cast.buyer.balance(token=cast.token)
    disputed = cast.buyer.dispute(terms, units=3).event(OrderDisputed)
    sum_ = PRICE - PRICE * 7 // 10
    assert disputed.dispute_bond == sum_ * 1_500 // 10_000
    assert cast.buyer.balance(token=cast.token) == before - disputed.dispute_bond
    assert cast.buyer.allowance(cast.token) == 0


def test_tokens_say_what_they_are(cast: Cast, compiled: Callable[[str], Artifact]) -> None:
    assert (cast.reader.symbol(cast.token), cast.reader.decimals(cast.token)) == ("TUSD", 6)
    # Creation code of a contract that answers everything with the bytes32 "OLD".
    answer = bytes.fromhex("7f") + b"OLD".ljust(32, b"\0") + bytes.fromhex("60005260206000f3")
    code = bytes([0x60, len(answer), 0x60, 12, 0x60, 0, 0x39, 0x60, len(answer), 0x60, 0, 0xF3]) + answer
    artifact = replace(compiled("TestToken"), abi=(), bytecode="0x" + code.hex())
    assert cast.reader.symbol(deploy_code(cast.node, artifact)) == "OLD"
    with pytest.raises(InvalidInput, match="no contract with a function decimals"):
        cast.reader.decimals(cast.stranger.address)


# ---------------------------------------------------------------------------------------------------- before anything


@pytest.mark.parametrize(
    "act",
    [
        lambda cast, terms: cast.seller.accept(terms),
        lambda cast, terms: cast.seller.deliver(terms, commitment=COMMITMENT),
        lambda cast, terms: cast.buyer.confirm(terms),
        lambda cast, terms: cast.buyer.cancel(terms, expected=State.Opened),
        lambda cast, terms: cast.seller.refund(terms),
        lambda cast, terms: cast.platform.intervene(terms, expected=State.Accepted),
        lambda cast, terms: cast.buyer.dispute(terms, units=1),
        lambda cast, terms: cast.seller.recommit(terms, commitment=COMMITMENT),
        lambda cast, terms: cast.mediator.rule(terms, to_buyer=0),
        lambda cast, terms: cast.stranger.settle(terms),
        lambda cast, terms: cast.buyer.split(terms, to_buyer=0),
        lambda cast, terms: cast.buyer.action(terms, verb=Verb.Confirm),
        lambda cast, terms: cast.buyer.prepare_confirm(terms, expected=State.Delivered),
        lambda cast, terms: cast.reader.order(cast.reader.order_id(terms)),
    ],
)
def test_terms_that_are_no_orders_are_told_so(cast: Cast, act: Callable[[Cast, OrderTerms], Any]) -> None:
    terms = replace(cast.order(State.Accepted), price=PRICE + 1)
    nonces = [cast.node.w3.eth.get_transaction_count(account.address) for account in cast.node.accounts]
    with pytest.raises(UnknownOrder, match="No order 0x") as refused:
        act(cast, terms)
    assert refused.value.order_id == cast.reader.order_id(terms)
    assert [cast.node.w3.eth.get_transaction_count(account.address) for account in cast.node.accounts] == nonces


def test_a_closed_order_is_possible_no_more(cast: Cast) -> None:
    terms = cast.order()
    cast.buyer.cancel(terms)
    with pytest.raises(NotPossible):
        cast.buyer.cancel(terms)


def test_an_account_that_can_not_pay_is_told_what_it_needs(cast: Cast) -> None:
    poor = cast.reader.acting_as(Account.create())
    with pytest.raises(InsufficientFunds, match="has 0 of the chain's coin and needs up to 0") as refused:
        poor.open(cast.terms(price=10**14))
    assert (refused.value.available, refused.value.account) == (0, poor.address)
    assert refused.value.required >= 10**14
    with pytest.raises(InsufficientFunds):
        poor.register_pay_to(cast.stranger.address)


def test_an_account_that_can_pay_the_price_but_not_the_gas_is_told_so(cast: Cast) -> None:
    account = Account.create()
    cast.node.request(
        "eth_sendTransaction",
        {"from": cast.node.accounts[9].address, "to": account.address, "value": hex(PRICE + 1_000)},
    )
    with pytest.raises(InsufficientFunds) as refused:
        cast.reader.acting_as(account).open(cast.terms())
    assert refused.value.available == PRICE + 1_000
    assert refused.value.required > PRICE


def test_a_bond_that_is_short_is_said_so(cast: Cast) -> None:
    cast.seller.withdraw_bond(amount=cast.seller.bond())
    terms = cast.order()
    with pytest.raises(BondShort) as refused:
        cast.seller.accept(terms)
    assert refused.value == BondShort(cast.seller.address, NATIVE, 0, PRICE * 3_000 // 10_000)


def test_a_reading_client_does_not_act(cast: Cast) -> None:
    terms = cast.order()
    for act in (
        lambda: cast.reader.cancel(terms),
        lambda: cast.reader.address,
        lambda: cast.reader.sign_offer(terms, expiry=2**40 - 1),
        lambda: cast.reader.terms(seller=cast.seller.address, price=1, policy_id=cast.policy_id),
    ):
        with pytest.raises(InvalidInput, match="only reads"):
            act()


def test_an_account_of_the_node_acts_and_does_not_sign(cast: Cast) -> None:
    terms = cast.order()
    buyer = cast.reader.acting_as(cast.buyer.address.lower())
    with pytest.raises(InvalidInput, match="is not here: sign in its wallet"):
        buyer.sign_split(terms, buyer.split(terms, to_buyer=0))
    assert buyer.cancel(terms).event(OrderClosed).outcome is Outcome.Cancelled


# -------------------------------------------------------------------------------------------------------- configuration


def test_a_client_takes_exactly_one_way_to_a_node(cast: Cast) -> None:
    for wrong in ({}, {"node": cast.node, "w3": cast.node.w3}, {"node": cast.node, "rpc_url": "http://127.0.0.1:1"}):
        with pytest.raises(InvalidInput, match="exactly one"):
            EscrowClient(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["node", "w3", "rpc_url"])
def test_every_way_leads_to_the_same_contract(cast: Cast, way: str) -> None:
    assert hasattr(cast.node, "serve")
    terms = cast.order()
    with cast.node.serve(port=0) as url:
        given = {"node": cast.node, "w3": cast.node.w3, "rpc_url": url}[way]
        with EscrowClient(contract=cast.deployment, **{way: given}) as client:  # type: ignore[arg-type]
            assert client.status(client.order_id(terms)).state is State.Opened
            assert client.deployment() == cast.deployment


def test_acting_as_another_changes_who_acts_and_nothing_else(cast: Cast) -> None:
    other = cast.buyer.acting_as(cast.node.accounts[6])
    assert other.address == cast.stranger.address
    assert cast.buyer.address == cast.node.accounts[4].address
    assert other.order_id(cast.terms(salt=COMMITMENT, listing=COMMITMENT, open_by=5)) == cast.buyer.order_id(
        cast.terms(salt=COMMITMENT, listing=COMMITMENT, open_by=5)
    )


def test_operations_are_documented_methods(cast: Cast) -> None:
    assert EscrowClient.confirm.__doc__ == cast.buyer.confirm.__doc__
    assert str(inspect.signature(cast.buyer.deliver)).startswith(
        "(terms: kameng_escrow.domain.order.OrderTerms, *, commi"
    )


def test_call_contract_reaches_the_doubles(cast: Cast, compiled: Callable[[str], Artifact]) -> None:
    """The way in which tests block accounts."""
    call_contract(cast.node, cast.token, compiled("BlockingToken"), "setBlocked", cast.stranger.address, True)
    with pytest.raises(PullFailed):
        cast.stranger.open(cast.terms(token=cast.token))
