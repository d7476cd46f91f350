"""Several nodes of one chain as one: whoever answers is enough."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from kameng_escrow import bootstrap
from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.errors import NodeError, NodeRefused, NodeUnreachable, WrongChain
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.chain.nodes import LOCAL_CHAIN_ID, RpcNode
from kameng_escrow.chain.several import SeveralNodes
from kameng_escrow.domain.states import State
from kameng_escrow.mirror import Endpoints, Web3Source
from kameng_escrow.settings import Settings
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .keepers import all_mined, assert_journal_is_true, due_orders, following, keeper_of, states, until
from .proxy import Handling, bad_line

NOBODY = "http://127.0.0.1:9"
NEITHER = "http://127.0.0.1:19"


def several(stack: ExitStack, *urls: str, chain_id: int | None = None) -> SeveralNodes:
    return stack.enter_context(SeveralNodes([RpcNode(url, timeout_seconds=5) for url in urls], chain_id))


@pytest.fixture
def stack() -> Any:
    with ExitStack() as stack:
        yield stack


def handled(stack: ExitStack, world: EscrowWorld, handle: Handling) -> str:
    """The world's chain over a line that handles requests as told."""
    assert isinstance(world.node, InProcessNode)
    return stack.enter_context(bad_line(stack.enter_context(world.node.serve(port=0)), handle))


def test_a_node_that_is_away_is_passed_over(stack: ExitStack, world: EscrowWorld) -> None:
    here = stack.enter_context(world.node.serve(port=0))  # type: ignore[attr-defined]
    nodes = several(stack, NOBODY, here)
    assert nodes.request("eth_blockNumber") == world.node.request("eth_blockNumber")
    assert Web3Source(nodes.w3).headers([0, 1]) == Web3Source(world.node.w3).headers([0, 1])


def test_where_all_are_away_the_first_says_why(stack: ExitStack) -> None:
    with pytest.raises(NodeUnreachable, match=r"127\.0\.0\.1:9:"):
        several(stack, NOBODY, NEITHER).request("eth_chainId")


def test_a_node_of_another_chain_is_never_asked(stack: ExitStack, world: EscrowWorld) -> None:
    asked: list[str] = []

    def foreign(method: str, forward: Callable[[], bytes]) -> bytes:
        asked.append(method)
        return json.dumps({"jsonrpc": "2.0", "id": 1, "result": "0x4d"}).encode()

    here = stack.enter_context(world.node.serve(port=0))  # type: ignore[attr-defined]
    with bad_line(NOBODY, foreign) as line:
        nodes = several(stack, line, here, chain_id=LOCAL_CHAIN_ID)
        for _ in range(3):
            assert nodes.request("eth_blockNumber") == world.node.request("eth_blockNumber")
        alone = several(stack, line, chain_id=LOCAL_CHAIN_ID)
        with pytest.raises(WrongChain) as caught:
            alone.request("eth_blockNumber")
    assert (caught.value.expected, caught.value.got) == (LOCAL_CHAIN_ID, 0x4D)
    assert set(asked) == {"eth_chainId"}


def test_a_node_that_turned_into_another_is_found_out_once_it_is_doubted(stack: ExitStack, world: EscrowWorld) -> None:
    foreign = False

    def handle(method: str, forward: Callable[[], bytes]) -> bytes:
        return json.dumps({"jsonrpc": "2.0", "id": 1, "result": "0x4d"}).encode() if foreign else forward()

    here = stack.enter_context(world.node.serve(port=0))  # type: ignore[attr-defined]
    nodes = several(stack, stack.enter_context(bad_line(here, handle)), here)
    assert nodes.request("eth_chainId") == hex(LOCAL_CHAIN_ID)
    foreign = True
    assert nodes.request("eth_blockNumber") == "0x4d"
    nodes.doubt()
    assert nodes.request("eth_blockNumber") == world.node.request("eth_blockNumber")


def test_what_a_node_refuses_is_an_answer_and_a_limit_is_none(stack: ExitStack, world: EscrowWorld) -> None:
    words = "execution reverted"

    def handle(method: str, forward: Callable[[], bytes]) -> bytes:
        if method == "eth_chainId":
            return forward()
        return json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": words}}).encode()

    here = stack.enter_context(world.node.serve(port=0))  # type: ignore[attr-defined]
    nodes = several(stack, stack.enter_context(bad_line(here, handle)), here)
    with pytest.raises(NodeRefused, match="execution reverted"):
        nodes.request("eth_blockNumber")
    words = "your plan allows 25 requests per second"
    assert nodes.request("eth_blockNumber") == world.node.request("eth_blockNumber")


def test_a_receipt_that_only_another_node_has_is_found(stack: ExitStack, world: EscrowWorld) -> None:
    """A node may have a block and not have indexed its transactions yet, or never."""

    def handle(method: str, forward: Callable[[], bytes]) -> bytes:
        if method != "eth_getTransactionReceipt":
            return forward()
        return json.dumps({"jsonrpc": "2.0", "id": 1, "result": None}).encode()

    here = stack.enter_context(world.node.serve(port=0))  # type: ignore[attr-defined]
    world.opened()
    [sent] = world.node.request("eth_getBlockByNumber", "latest", False)["transactions"]
    blind = stack.enter_context(bad_line(here, handle))
    assert several(stack, blind, NOBODY).request("eth_getTransactionReceipt", sent) is None
    found = several(stack, blind, NOBODY, here).request("eth_getTransactionReceipt", sent)
    assert found["transactionHash"] == sent


@pytest.mark.parametrize("block", [{"hash": "0x" + "ab" * 32}, None, "?", {}])
def test_a_receipt_of_another_branch_is_not_taken(stack: ExitStack, world: EscrowWorld, block: object) -> None:
    """What the node that is followed has at that height is another block, or none: the transaction is not in it."""

    def handle(method: str, forward: Callable[[], bytes]) -> bytes:
        if method not in ("eth_getTransactionReceipt", "eth_getBlockByNumber"):
            return forward()
        result = None if method == "eth_getTransactionReceipt" else block
        return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()

    here = stack.enter_context(world.node.serve(port=0))  # type: ignore[attr-defined]
    world.opened()
    [sent] = world.node.request("eth_getBlockByNumber", "latest", False)["transactions"]
    elsewhere = stack.enter_context(bad_line(here, handle))
    assert several(stack, elsewhere, here).request("eth_getTransactionReceipt", sent) is None


def test_settings_make_one_node_of_several(stack: ExitStack, world: EscrowWorld) -> None:
    """Whoever starts while the first one is away starts all the same; a mirror hears each of them."""
    here = stack.enter_context(world.node.serve(port=0))  # type: ignore[attr-defined]
    environment = {"KAMENG_RPC_URL": NOBODY, "KAMENG_RPC_FALLBACKS": f"{here},{NEITHER}"}
    node = stack.enter_context(bootstrap.connect(Settings.load(environment)))
    source = bootstrap.make_source(node)
    assert isinstance(source, Endpoints)
    assert source.names == (NOBODY, here, NEITHER)
    with pytest.raises(NodeError), bootstrap.connect(Settings.load({**environment, "KAMENG_RPC_FALLBACKS": NEITHER})):
        pass


def test_a_keeper_goes_on_when_its_first_node_goes_away(anvil_world: EscrowWorld, store: Store) -> None:
    world, away = anvil_world, False
    assert isinstance(world.node, AnvilNode)
    assert world.node.url is not None
    due = due_orders(world, store, 3)

    def handle(method: str, forward: Callable[[], bytes]) -> bytes | None:
        nonlocal away
        away |= method == "eth_sendRawTransaction"  # it takes the first one, and is never heard of again
        return None if away and method != "eth_sendRawTransaction" else forward()

    with (
        bad_line(world.node.url, handle) as line,
        SeveralNodes([RpcNode(line), RpcNode(world.node.url)]) as nodes,
        keeper_of(world, store, node=nodes) as keeper,
        following(keeper),
    ):
        until(lambda: states(world, due) == {State.Closed} and all_mined(world, store))
    assert away
    assert_journal_is_true(world, store)
