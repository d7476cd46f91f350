"""The asynchronous client: the same operations, awaited."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.errors import InvalidInput, NodeUnreachable, TransactionTimeout, WrongChain
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.client import AsyncEscrowClient, EscrowClient, UnknownOrder
from kameng_escrow.domain.events import OrderClosed, OrderOpened
from kameng_escrow.domain.refusals import TooEarly
from kameng_escrow.domain.states import Outcome, State, Verb

from .proxy import bad_line
from .sdk_cast import COMMITMENT, PRICE, Cast

BUYER, SELLER, STRANGER = 4, 3, 6  # among the node's accounts

Story = Callable[[AsyncEscrowClient], Coroutine[Any, Any, None]]


@asynccontextmanager
async def client_of(cast: Cast, account: int | None = BUYER, **more: Any) -> AsyncIterator[AsyncEscrowClient]:
    signer = None if account is None else cast.node.accounts[account]
    async with AsyncEscrowClient(node=cast.node, contract=cast.deployment, account=signer, **more) as client:
        yield client


def tell(cast: Cast, story: Story, **more: Any) -> None:
    """Runs a story with an asynchronous client in an event loop of its own."""

    async def run() -> None:
        async with client_of(cast, **more) as client:
            await story(client)

    asyncio.run(run())


# ----------------------------------------------------------------------------------------------------- the same methods


def operations(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_") and name not in ("acting_as", "address", "close")}


def test_both_clients_have_the_same_operations() -> None:
    assert operations(AsyncEscrowClient) == operations(EscrowClient)
    assert len(operations(EscrowClient)) > 60
    for name in operations(EscrowClient) - {"plan", "prepare"}:  # which take an operation, and whose types differ
        assert getattr(EscrowClient, name) is getattr(AsyncEscrowClient, name), "written once"
    one, other = (inspect.signature(cls.__init__) for cls in (EscrowClient, AsyncEscrowClient))
    assert one.parameters.keys() == other.parameters.keys()


# ------------------------------------------------------------------------------------------------------------ on an EVM


def test_an_order_from_open_to_paid(cast: Cast) -> None:
    async def story(buyer: AsyncEscrowClient) -> None:
        seller = buyer.acting_as(cast.node.accounts[SELLER])
        terms = await buyer.terms(seller=seller.address, price=PRICE, policy_id=cast.policy_id)
        opened = await buyer.open(terms)
        assert opened.event(OrderOpened).payer == buyer.address
        await seller.accept(terms)
        await seller.deliver(terms, commitment=COMMITMENT)
        closed = await buyer.confirm(terms)
        assert closed.event(OrderClosed).outcome is Outcome.Confirmed
        order = await buyer.order(await buyer.order_id(terms))
        assert order == cast.reader.order(order.id)

    tell(cast, story)


def test_tokens_splits_and_relayed_actions(cast: Cast) -> None:
    async def story(buyer: AsyncEscrowClient) -> None:
        seller, stranger = (buyer.acting_as(cast.node.accounts[index]) for index in (SELLER, STRANGER))
        terms = await buyer.terms(seller=seller.address, price=PRICE, policy_id=cast.policy_id, token=cast.token)
        await buyer.open(terms, offer=await seller.sign_offer(terms, expiry=await buyer.now() + 60))
        action = await seller.action(terms, verb=Verb.Deliver, content=COMMITMENT)
        await stranger.act(terms, action=action, signature=await seller.sign_action(terms, action))
        await buyer.dispute(terms, units=1)
        split = await buyer.split(terms, to_buyer=7)
        closed = await stranger.agree(
            terms,
            split=split,
            buyer_signature=await buyer.sign_split(terms, split),
            seller_signature=await seller.sign_split(terms, split),
        )
        assert closed.event(OrderClosed).outcome is Outcome.Agreed

    tell(cast, story)


def test_events_come_one_by_one(cast: Cast) -> None:
    cast.order(State.Disputed)

    async def story(reader: AsyncEscrowClient) -> None:
        found = [logged async for logged in reader.events()]
        assert found == list(cast.reader.events())
        async for first in reader.events():
            assert first == found[0]
            break

    tell(cast, story, account=None, blocks_per_request=2)


def test_refusals_are_raised_where_they_are_awaited(cast: Cast) -> None:
    terms, unopened = cast.order(), cast.terms()

    async def story(buyer: AsyncEscrowClient) -> None:
        with pytest.raises(TooEarly):
            await buyer.settle(terms)
        with pytest.raises(UnknownOrder):
            await buyer.confirm(unopened)
        prepared = await buyer.prepare_cancel(terms)
        assert prepared["nonce"] == cast.node.w3.eth.get_transaction_count(cast.node.accounts[BUYER].address)

    tell(cast, story)


def test_nothing_is_asked_before_it_is_awaited(cast: Cast) -> None:
    async def story(buyer: AsyncEscrowClient) -> None:
        waiting = buyer.register_pay_to(cast.stranger.address)
        waiting.close()

    tell(cast, story)
    assert cast.buyer.pay_to() == cast.buyer.address


def test_many_tasks_send_from_one_account_and_nothing_is_lost(cast: Cast) -> None:
    async def story(seller: AsyncEscrowClient) -> None:
        receipts = await asyncio.gather(*(seller.fund_bond(amount=1) for _ in range(12)))
        assert len({receipt.transaction_hash for receipt in receipts}) == 12
        assert await seller.bond() == 10**12 + 12

    tell(cast, story, account=SELLER)


# ------------------------------------------------------------------------------------------------------------- on Anvil


def test_on_anvil_too(anvil_cast: Cast) -> None:
    async def story(buyer: AsyncEscrowClient) -> None:
        seller = buyer.acting_as(anvil_cast.node.accounts[SELLER])
        orders = [
            await buyer.terms(seller=seller.address, price=PRICE, policy_id=anvil_cast.policy_id) for _ in range(6)
        ]
        await asyncio.gather(*(buyer.open(terms) for terms in orders))
        await asyncio.gather(*(seller.accept(terms) for terms in orders))
        ids = [await buyer.order_id(terms) for terms in orders]
        assert {status.state for status in await buyer.statuses(ids)} == {State.Accepted}

    tell(anvil_cast, story)


def test_a_cancelled_task_lets_the_next_one_send(anvil_cast: Cast) -> None:
    """Whoever is cancelled between picking a nonce and hearing that it was sent must not keep its turn."""
    node = anvil_cast.node
    assert isinstance(node, AnvilNode)

    async def story(seller: AsyncEscrowClient) -> None:
        node.request("evm_setAutomine", False)
        waiting = [asyncio.create_task(seller.fund_bond(amount=1)) for _ in range(3)]
        await seller.now()
        for task in waiting:
            task.cancel()
        assert all(
            isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*waiting, return_exceptions=True)
        )
        node.request("evm_setAutomine", True)
        node.mine()
        before = await seller.bond()
        await seller.fund_bond(amount=100)
        # What a cancelled task had sent already may be mined meanwhile: that is how far its cancelling reaches.
        assert 100 <= await seller.bond() - before <= 103

    tell(anvil_cast, story, account=SELLER)


def test_a_transaction_that_is_not_mined_in_time_is_told(anvil_cast: Cast) -> None:
    node = anvil_cast.node

    async def story(seller: AsyncEscrowClient) -> None:
        node.request("evm_setAutomine", False)
        with pytest.raises(TransactionTimeout, match="not mined within"):
            await seller.fund_bond(amount=1)

    tell(anvil_cast, story, account=SELLER, receipt_timeout_seconds=0.3)


# -------------------------------------------------------------------------------------------------------------- opening


@pytest.mark.parametrize("way", ["node", "w3", "rpc_url"])
def test_every_way_leads_to_the_same_contract(cast: Cast, way: str) -> None:
    assert isinstance(cast.node, InProcessNode)
    node = cast.node
    terms = cast.order()

    async def story(url: str) -> None:
        w3 = node.async_w3()
        given = {"node": node, "w3": w3, "rpc_url": url}[way]
        async with AsyncEscrowClient(contract=cast.deployment, **{way: given}) as client:  # type: ignore[arg-type]
            assert (await client.status(await client.order_id(terms))).state is State.Opened
            assert await client.deployment() == cast.deployment
        await client.close()
        await w3.provider.disconnect()

    with node.serve(port=0) as url:
        asyncio.run(story(url))


def test_a_client_takes_exactly_one_way_to_a_node(cast: Cast) -> None:
    with pytest.raises(InvalidInput, match="exactly one"):
        AsyncEscrowClient()
    with pytest.raises(InvalidInput, match="exactly one"):
        AsyncEscrowClient(node=cast.node, rpc_url="http://127.0.0.1:1")


def test_a_node_that_is_gone_or_of_another_chain_is_told(cast: Cast) -> None:
    async def gone(url: str) -> None:
        async with AsyncEscrowClient(rpc_url=url, contract=cast.deployment) as client:
            with pytest.raises(NodeUnreachable, match=f"No node answers at {url}"):
                await client.now()

    async def other(node: InProcessNode) -> None:
        async with AsyncEscrowClient(node=node, contract=cast.deployment) as client:
            with pytest.raises(WrongChain):
                await client.status("0x" + "11" * 32)

    with InProcessNode() as node:
        with node.serve(port=0) as url:
            pass
        asyncio.run(gone(url))
        asyncio.run(other(node))


def test_a_line_that_hangs_up_is_told_and_the_next_request_goes_through(cast: Cast) -> None:
    assert isinstance(cast.node, InProcessNode)
    broken: list[str] = []

    def handle(method: str, forward: Callable[[], bytes]) -> bytes | None:
        if not broken:
            broken.append(method)
            return None
        return forward()

    async def story(line: str) -> None:
        async with AsyncEscrowClient(rpc_url=line, contract=cast.deployment) as client:
            with pytest.raises(NodeUnreachable):
                await client.now()
            assert await client.now() == cast.node.now()

    with cast.node.serve(port=0) as url, bad_line(url, handle) as line:
        asyncio.run(story(line))
