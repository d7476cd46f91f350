"""Paying by signature through the SDK, on an Anvil with Permit2's code at Permit2's address."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from eth_account import Account

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.client import AsyncEscrowClient, UnknownOrder
from kameng_escrow.domain.events import OrderDisputed, OrderOpened
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.payments import PERMIT2, Payment, PaymentMethod, dispute_nonce
from kameng_escrow.domain.refusals import Expired, InvalidSignature
from kameng_escrow.domain.states import State, Verb

from .sdk_cast import COMMITMENT, PRICE, Cast, call_contract, deploy_code, make_cast

METHODS = list(PaymentMethod)
BROUGHT = [PaymentMethod.Authorization, PaymentMethod.Permit2]  # by anybody


@dataclass(frozen=True)
class Shop:
    """The cast, with a token that is paid by signature. The stranger has gas only; the buyer has money only."""

    cast: Cast
    token: str
    artifact: Artifact

    def terms(self, **overrides: object) -> OrderTerms:
        return self.cast.terms(**{"token": self.token, **overrides})

    def delivered(self) -> OrderTerms:
        terms, buyer = self.terms(), self.cast.buyer
        payment = buyer.sign_payment(terms, buyer.payment(terms, method=PaymentMethod.Authorization))
        offer = self.cast.seller.sign_offer(terms, expiry=buyer.now() + 3_600)
        self.cast.stranger.open(terms, offer=offer, payment=payment)
        self.cast.seller.deliver(terms, commitment=COMMITMENT)
        return terms


@pytest.fixture(scope="module")
def _shop(compiled: Callable[[str], Artifact]) -> Iterator[Shop]:
    with AnvilNode() as node:
        cast = make_cast(node)
        artifact = compiled("AuthorizedToken")
        token = deploy_code(node, artifact, "Authorized dollar", "AUSD", 6)
        double = deploy_code(node, compiled("Permit2Double"))
        code = node.w3.eth.get_code(node.w3.to_checksum_address(double)).hex()
        node.w3.provider.make_request("anvil_setCode", [PERMIT2, "0x" + code.removeprefix("0x")])  # type: ignore[arg-type]
        for client in (cast.buyer, cast.seller):
            call_contract(node, token, artifact, "mint", client.address, 10**15)
        cast.seller.fund_bond(amount=10**12, token=token)
        cast.buyer.approve_permit2(token)
        yield Shop(cast, token, artifact)


@pytest.fixture
def shop(_shop: Shop) -> Iterator[Shop]:
    snapshot = _shop.cast.node.snapshot()
    yield _shop
    _shop.cast.node.revert(snapshot)


# ------------------------------------------------------------------------------------------------------------- openings


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("offered", [False, True])
def test_an_order_is_paid_by_signature(shop: Shop, method: PaymentMethod, offered: bool) -> None:
    cast, terms = shop.cast, shop.terms()
    before = cast.buyer.balance(token=shop.token)
    payment = cast.buyer.sign_payment(terms, cast.buyer.payment(terms, method=method))
    offer = cast.seller.sign_offer(terms, expiry=cast.buyer.now() + 3_600) if offered else None
    opened = cast.buyer.open(terms, payment=payment, offer=offer).event(OrderOpened)
    assert opened.payer == cast.buyer.address
    assert cast.state(terms) is (State.Accepted if offered else State.Opened)
    assert cast.buyer.balance(token=shop.token) == before - PRICE
    assert cast.buyer.allowance(shop.token) == 0


@pytest.mark.parametrize("method", BROUGHT)
def test_anyone_may_bring_the_payment(shop: Shop, method: PaymentMethod) -> None:
    cast, terms = shop.cast, shop.terms()
    payment = cast.buyer.sign_payment(terms, cast.buyer.payment(terms, method=method))
    opened = cast.stranger.open(terms, payment=payment).event(OrderOpened)
    assert opened.payer == cast.buyer.address


def test_a_permit_pays_for_its_signer_only(shop: Shop) -> None:
    cast, terms = shop.cast, shop.terms()
    payment = cast.buyer.sign_payment(terms, cast.buyer.payment(terms, method=PaymentMethod.Permit))
    with pytest.raises(InvalidInput, match=cast.buyer.address):
        cast.stranger.open(terms, payment=payment)


@pytest.mark.parametrize("method", METHODS)
def test_what_a_wallet_signs_is_what_the_key_here_signs(shop: Shop, method: PaymentMethod) -> None:
    cast, terms = shop.cast, shop.terms()
    payment = cast.buyer.payment(terms, method=method)
    document = cast.buyer.payment_typed_data(terms, payment)
    key = cast.node.accounts[4]
    signature = bytes(Account.sign_typed_data(key.key, full_message=document).signature)
    assert cast.buyer.sign_payment(terms, payment).signature == signature


def test_permit2_payments_take_different_nonces(shop: Shop) -> None:
    cast = shop.cast
    orders = [shop.terms() for _ in range(3)]
    nonces = set()
    for terms in orders:
        payment = cast.buyer.sign_payment(terms, cast.buyer.payment(terms, method=PaymentMethod.Permit2))
        nonces.add(payment.nonce)
        cast.stranger.open(terms, payment=payment)
    assert len(nonces) == 3
    assert all(nonce < 256 for nonce in nonces)


def test_a_signed_payment_is_prepared_for_a_wallet(shop: Shop) -> None:
    cast, terms = shop.cast, shop.terms()
    payment = cast.buyer.sign_payment(terms, cast.buyer.payment(terms, method=PaymentMethod.Authorization))
    prepared = cast.stranger.prepare_open(terms, payment=payment)
    assert prepared["to"] == cast.deployment.address
    assert cast.reader.status(cast.reader.order_id(terms)).state is State.Nothing


# -------------------------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize("method", METHODS)
def test_a_payment_that_nobody_signed_is_refused_here(shop: Shop, method: PaymentMethod) -> None:
    cast, terms = shop.cast, shop.terms()
    with pytest.raises(InvalidInput, match="signed"):
        cast.buyer.open(terms, payment=cast.buyer.payment(terms, method=method))


@pytest.mark.parametrize("method", METHODS)
def test_a_payment_of_another_order_is_refused_here(shop: Shop, method: PaymentMethod) -> None:
    cast, terms, other = shop.cast, shop.terms(), shop.terms(price=PRICE + 1)
    payment = cast.buyer.sign_payment(terms, cast.buyer.payment(terms, method=method))
    with pytest.raises(InvalidInput, match=str(PRICE + 1)):
        cast.buyer.open(other, payment=payment)


@pytest.mark.parametrize("method", BROUGHT)
def test_a_payment_for_the_same_price_of_another_order_is_refused(shop: Shop, method: PaymentMethod) -> None:
    cast, terms, other = shop.cast, shop.terms(), shop.terms()
    payment = cast.buyer.sign_payment(terms, cast.buyer.payment(terms, method=method))
    refusal = InvalidSignature if method is PaymentMethod.Permit2 else InvalidInput
    with pytest.raises(refusal):
        cast.stranger.open(other, payment=payment)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("field", ["amount", "nonce", "deadline"])
def test_a_payment_that_was_changed_is_refused_here(shop: Shop, method: PaymentMethod, field: str) -> None:
    cast, terms = shop.cast, shop.terms()
    payment = cast.buyer.sign_payment(terms, cast.buyer.payment(terms, method=method))
    changed = replace(payment, **{field: getattr(payment, field) + 1})
    with pytest.raises((InvalidSignature, InvalidInput)):
        cast.buyer.open(terms, payment=changed)


@pytest.mark.parametrize("method", METHODS)
def test_a_payment_past_its_deadline_is_refused_here(shop: Shop, method: PaymentMethod) -> None:
    cast, terms = shop.cast, shop.terms()
    deadline = cast.buyer.now() + 600
    payment = cast.buyer.sign_payment(terms, cast.buyer.payment(terms, method=method, deadline=deadline))
    cast.node.warp(deadline + 1)
    with pytest.raises(Expired):
        cast.buyer.open(terms, payment=payment)


def test_the_payer_signs_and_nobody_else(shop: Shop) -> None:
    cast, terms = shop.cast, shop.terms()
    payment = cast.buyer.payment(terms, method=PaymentMethod.Authorization)
    with pytest.raises(InvalidInput, match=cast.stranger.address):
        cast.stranger.sign_payment(terms, payment)


@pytest.mark.parametrize("method", [PaymentMethod.Permit, PaymentMethod.Authorization])
def test_a_token_that_knows_no_signatures_says_so(shop: Shop, method: PaymentMethod) -> None:
    terms = shop.terms(token=shop.cast.token)
    with pytest.raises(InvalidInput, match="allowance"):
        shop.cast.buyer.payment(terms, method=method)


@pytest.mark.parametrize("method", METHODS)
def test_the_native_coin_is_not_paid_by_signature(shop: Shop, method: PaymentMethod) -> None:
    with pytest.raises(InvalidInput, match="native coin"):
        shop.cast.buyer.payment(shop.terms(token=NATIVE), method=method)


def test_permit2_must_be_allowed_first(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="approve_permit2"):
        shop.cast.seller.payment(shop.terms(), method=PaymentMethod.Permit2)


def test_a_chain_without_permit2_says_so(cast: Cast) -> None:
    terms = cast.terms(token=cast.token)
    for attempt in (
        lambda: cast.buyer.payment(terms, method=PaymentMethod.Permit2),
        lambda: cast.buyer.approve_permit2(cast.token),
    ):
        with pytest.raises(InvalidInput, match="no Permit2"):
            attempt()


def test_an_authorization_that_was_used_says_so(shop: Shop) -> None:
    cast, terms = shop.cast, shop.terms()
    payment = cast.buyer.sign_payment(terms, cast.buyer.payment(terms, method=PaymentMethod.Authorization))
    cast.stranger.open(terms, payment=payment)
    with pytest.raises(InvalidInput, match="salt"):
        cast.buyer.payment(terms, method=PaymentMethod.Authorization)


# ------------------------------------------------------------------------------------------------------------- disputes


@pytest.mark.parametrize("method", [PaymentMethod.Permit, PaymentMethod.Authorization])
def test_a_buyer_disputes_by_signatures_alone(shop: Shop, method: PaymentMethod) -> None:
    cast, terms = shop.cast, shop.delivered()
    action = cast.buyer.action(terms, verb=Verb.Dispute, number=3)
    payment = cast.buyer.dispute_payment(terms, units=3, method=method)
    signed = cast.buyer.sign_payment(terms, payment)
    before = cast.buyer.balance(token=shop.token)
    receipt = cast.stranger.act(terms, action=action, signature=cast.buyer.sign_action(terms, action), payment=signed)
    assert receipt.event(OrderDisputed).dispute_bond == payment.amount > 0
    assert cast.buyer.balance(token=shop.token) == before - payment.amount


def test_a_dispute_payment_is_bound_to_its_order(shop: Shop) -> None:
    cast, terms = shop.cast, shop.delivered()
    payment = cast.buyer.dispute_payment(terms, units=3, method=PaymentMethod.Authorization)
    assert payment.nonce == dispute_nonce(cast.buyer.order_id(terms))
    with pytest.raises(UnknownOrder):
        cast.buyer.dispute_payment(shop.terms(), units=3, method=PaymentMethod.Authorization)


def test_a_dispute_bond_is_not_paid_by_permit2(shop: Shop) -> None:
    cast, terms = shop.cast, shop.delivered()
    with pytest.raises(InvalidInput, match="permit or authorization"):
        cast.buyer.dispute_payment(terms, units=3, method=PaymentMethod.Permit2)
    action = cast.buyer.action(terms, verb=Verb.Dispute, number=3)
    payment = Payment(
        method=PaymentMethod.Permit2, payer=cast.buyer.address, token=shop.token, amount=1, nonce=0, deadline=0
    )
    with pytest.raises(InvalidInput, match="permit or authorization"):
        cast.stranger.act(terms, action=action, signature=cast.buyer.sign_action(terms, action), payment=payment)


def test_the_asynchronous_client_pays_by_signature_too(shop: Shop) -> None:
    cast, terms = shop.cast, shop.terms()

    async def story() -> None:
        async with AsyncEscrowClient(node=cast.node, contract=cast.deployment, account=cast.node.accounts[4]) as client:
            payment = await client.payment(terms, method=PaymentMethod.Authorization)
            await client.open(terms, payment=await client.sign_payment(terms, payment))

    asyncio.run(story())
    assert cast.state(terms) is State.Opened
