"""Openings and dispute bonds that were paid by signature are brought by the relayer, which pays for nothing but gas."""

from dataclasses import replace

import pytest

from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.domain.payments import PaymentMethod
from kameng_escrow.domain.refusals import InvalidSignature
from kameng_escrow.domain.states import State, Verb
from kameng_escrow.relay import Act, Opening
from kameng_escrow.store import Store
from kameng_escrow.store.relaying import RelayKind, RelayStage

from .relayers import RELAYER, bring, found, intake_of, mirror
from .sdk_cast import PRICE
from .test_client_payments import BROUGHT, Shop
from .test_client_payments import _shop as _shop  # fixtures
from .test_client_payments import shop as shop


@pytest.mark.parametrize("method", BROUGHT)
@pytest.mark.parametrize("offered", [False, True])
def test_a_signed_payment_opens_an_order(shop: Shop, sqlite_store: Store, method: PaymentMethod, offered: bool) -> None:
    cast, terms = shop.cast, shop.terms()
    mirror(cast, sqlite_store)
    payment = cast.buyer.sign_payment(terms, cast.buyer.payment(terms, method=method))
    offer = cast.seller.sign_offer(terms, expiry=cast.buyer.now() + 3_600) if offered else None
    before = cast.buyer.balance(token=shop.token)
    coins = cast.reader.balance(account=cast.node.accounts[RELAYER].address, token=shop.token)
    relay = intake_of(cast, sqlite_store).accept(
        Opening(terms=terms, payment=payment, offer=offer), account=cast.buyer.address
    )
    bring(cast, sqlite_store)
    assert relay.kind is RelayKind.Opening
    assert found(cast, sqlite_store, relay).stage in (RelayStage.Mined, RelayStage.Done)
    assert cast.state(terms) is (State.Accepted if offered else State.Opened)
    assert cast.buyer.balance(token=shop.token) == before - PRICE
    assert cast.reader.balance(account=cast.node.accounts[RELAYER].address, token=shop.token) == coins


def test_a_permit_is_its_signers_own_to_bring(shop: Shop, sqlite_store: Store) -> None:
    cast, terms = shop.cast, shop.terms()
    mirror(cast, sqlite_store)
    payment = cast.buyer.sign_payment(terms, cast.buyer.payment(terms, method=PaymentMethod.Permit))
    with pytest.raises(InvalidInput, match="permit pays for its signer only"):
        intake_of(cast, sqlite_store).accept(Opening(terms=terms, payment=payment), account=cast.buyer.address)


def test_another_orders_payment_is_refused(shop: Shop, sqlite_store: Store) -> None:
    cast, terms, other = shop.cast, shop.terms(), shop.terms()
    mirror(cast, sqlite_store)
    intake = intake_of(cast, sqlite_store)
    payment = cast.buyer.sign_payment(other, cast.buyer.payment(other, method=PaymentMethod.Authorization))
    with pytest.raises(InvalidInput, match="another order"):
        intake.accept(Opening(terms=terms, payment=payment), account=cast.buyer.address)
    signed = cast.buyer.sign_payment(terms, cast.buyer.payment(terms, method=PaymentMethod.Permit2))
    with pytest.raises(InvalidSignature):
        intake.accept(Opening(terms=terms, payment=replace(signed, nonce=signed.nonce + 1)), account=cast.buyer.address)


@pytest.mark.parametrize("method", [PaymentMethod.Permit, PaymentMethod.Authorization])
def test_a_dispute_brings_its_bond_with_it(shop: Shop, sqlite_store: Store, method: PaymentMethod) -> None:
    cast, terms = shop.cast, shop.delivered()
    mirror(cast, sqlite_store)
    action = cast.buyer.action(terms, verb=Verb.Dispute, number=2)
    payment = cast.buyer.sign_payment(terms, cast.buyer.dispute_payment(terms, units=2, method=method))
    before = cast.buyer.balance(token=shop.token)
    request = Act(terms=terms, action=action, signature=cast.buyer.sign_action(terms, action), payment=payment)
    intake_of(cast, sqlite_store).accept(request, account=cast.buyer.address)
    bring(cast, sqlite_store)
    assert cast.state(terms) is State.Disputed
    assert cast.buyer.balance(token=shop.token) == before - payment.amount
    assert payment.amount > 0
