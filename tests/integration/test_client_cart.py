"""Several orders in one transaction, through the SDK."""

import asyncio
from dataclasses import replace

import pytest

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.client import AsyncEscrowClient
from kameng_escrow.domain.events import OrderOpened
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.payments import PaymentMethod
from kameng_escrow.domain.refusals import InvalidAddress, PullFailed, WrongState
from kameng_escrow.domain.states import State

from .sdk_cast import HOUR, PRICE, Cast, call_contract, deploy_code


def test_orders_in_two_coins_with_and_without_an_offer(cast: Cast) -> None:
    native, promised, plain = cast.terms(), cast.terms(token=cast.token), cast.terms(token=cast.token)
    offer = cast.seller.sign_offer(promised, expiry=cast.reader.now() + HOUR)
    before = cast.reader.balance(account=cast.buyer.address, token=cast.token)
    receipt = cast.buyer.open_cart([(native, None), (promised, offer), (plain, None)])
    opened = [logged.event for logged in receipt.events if isinstance(logged.event, OrderOpened)]
    assert [event.order_id for event in opened] == [cast.reader.order_id(one) for one in (native, promised, plain)]
    assert [event.state for event in opened] == [State.Opened, State.Accepted, State.Opened]
    assert {event.payer for event in opened} == {cast.deployment.periphery["KamengCart"]}
    assert receipt.order_id is None
    assert cast.reader.balance(account=cast.buyer.address, token=cast.token) == before - 2 * PRICE
    assert cast.reader.balance(account=cast.deployment.periphery["KamengCart"], token=cast.token) == 0


def test_one_that_can_not_be_opened_stops_all_before_anything_is_sent(cast: Cast) -> None:
    good, bad = cast.terms(token=cast.token), cast.order(token=cast.token)
    coins = cast.reader.balance(account=cast.buyer.address)
    with pytest.raises(WrongState):
        cast.buyer.open_cart([(good, None), (bad, None)])
    assert cast.state(good) is State.Nothing
    assert cast.reader.balance(account=cast.buyer.address) == coins, "not even an allowance was given"


def test_without_an_allowance_nothing_is_taken(cast: Cast) -> None:
    terms = cast.terms(token=cast.token)
    with pytest.raises(PullFailed):
        cast.buyer.open_cart([(terms, None)], approve=False)


def test_what_makes_no_sense_is_told_before_anything_is_asked(cast: Cast) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        cast.buyer.open_cart([])
    cart = cast.deployment.periphery["KamengCart"]
    with pytest.raises(InvalidAddress):
        cast.buyer.open_cart([(replace(cast.terms(), refund_to=cart), None)])
    with pytest.raises(InvalidInput, match="EIP-2612"):
        cast.buyer.sign_cart_permit(cast.token, amount=1)


def test_a_permit_instead_of_an_allowance(cast: Cast, compiled_token: Artifact) -> None:
    token = deploy_code(cast.node, compiled_token, "Permit dollar", "PUSD", 6)
    call_contract(cast.node, token, compiled_token, "mint", cast.buyer.address, 2 * PRICE)
    orders = [(cast.terms(token=token), None) for _ in range(2)]
    permit = cast.buyer.sign_cart_permit(token, amount=2 * PRICE)
    with pytest.raises(InvalidInput, match="which pays"):
        cast.stranger.open_cart(orders, permits=[permit])
    with pytest.raises(InvalidInput, match="authorization"):
        cast.buyer.open_cart(orders, permits=[replace(permit, method=PaymentMethod.Authorization)])
    cast.buyer.open_cart(orders, permits=[permit])
    assert [cast.state(terms) for terms, _ in orders] == [State.Opened, State.Opened]
    assert cast.reader.balance(account=cast.buyer.address, token=token) == 0


@pytest.fixture
def compiled_token() -> Artifact:
    from tests.compiled import compiled

    return compiled("AuthorizedToken")


def test_it_can_be_prepared_for_a_wallet(cast: Cast) -> None:
    transaction = cast.buyer.prepare_open_cart([(cast.terms(), None), (cast.terms(), None)])
    assert (transaction["to"], transaction["value"]) == (cast.deployment.periphery["KamengCart"], 2 * PRICE)


def test_the_asynchronous_client_does_the_same(cast: Cast) -> None:
    async def story() -> None:
        async with AsyncEscrowClient(node=cast.node, contract=cast.deployment, account=cast.node.accounts[4]) as buyer:
            receipt = await buyer.open_cart([(one, None) for one in orders])
            assert len(receipt.events) == 2

    orders = [cast.terms(token=NATIVE), cast.terms(token=cast.token)]
    asyncio.run(story())
