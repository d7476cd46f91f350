"""Local nodes: both kinds keep the same promises, and any other is asked the same way."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.dev_accounts import dev_account
from kameng_escrow.chain.errors import InvalidInput, NodeError, NodeUnreachable
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.chain.nodes import LOCAL_CHAIN_ID, LocalNode, RpcNode

COIN = 10**18
TIME_OF_BLOCK = "0x4260005260206000f3"  # creation code that returns block.timestamp


@pytest.fixture(params=[InProcessNode, AnvilNode], ids=["in process", "anvil"])
def node(request: pytest.FixtureRequest) -> Iterator[LocalNode]:
    with request.param() as node:
        yield node


def send(node: LocalNode, wei: int = 1) -> dict[str, str]:
    """A transaction of the first account to the second; its receipt."""
    sender, receiver = node.accounts[:2]
    sent = node.request("eth_sendTransaction", {"from": sender.address, "to": receiver.address, "value": hex(wei)})
    node.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)  # Anvil answers before it has mined
    receipt: dict[str, str] = node.request("eth_getTransactionReceipt", sent)
    return receipt


def time_in(node: LocalNode, tag: str) -> int:
    return int(node.request("eth_call", {"data": TIME_OF_BLOCK}, tag), 16)


# ------------------------------------------------------------------------------------------------------- both promise


def test_a_local_node_has_the_well_known_accounts_with_plenty_of_coins(node: LocalNode) -> None:
    assert node.accounts[0].address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert len({account.address for account in node.accounts}) == len(node.accounts) == 10
    assert node.w3.eth.accounts == [account.address for account in node.accounts]
    assert [node.w3.eth.get_balance(account.address) for account in node.accounts] == [10_000 * COIN] * 10


def test_a_local_node_is_of_the_local_chain(node: LocalNode) -> None:
    assert node.w3.eth.chain_id == LOCAL_CHAIN_ID == 31_337
    assert node.request("net_version") == "31337"
    assert node.w3.eth.block_number == 0


def test_every_transaction_is_mined_at_once_in_a_block_of_its_own(node: LocalNode) -> None:
    receipts = [send(node), send(node)]
    assert [int(receipt["blockNumber"], 16) for receipt in receipts] == [1, 2]
    assert [int(receipt["status"], 16) for receipt in receipts] == [1, 1]
    assert node.w3.eth.get_balance(node.accounts[1].address) == 10_000 * COIN + 2


def test_warping_mines_a_block_at_exactly_that_second(node: LocalNode) -> None:
    later = node.now() + 86_400
    node.warp(later)
    assert node.now() == later
    assert node.w3.eth.block_number == 1
    assert time_in(node, "latest") == later
    send(node)
    assert node.now() >= later  # Anvil's next block may share the second


def test_the_next_transaction_can_be_given_its_second(node: LocalNode) -> None:
    exactly = node.now() + 1_000
    node.set_next_timestamp(exactly)
    send(node)
    assert node.now() == exactly
    send(node)
    assert node.now() >= exactly


@pytest.mark.parametrize("earlier", [0, -1])
def test_time_does_not_go_back(node: LocalNode, earlier: int) -> None:
    node.warp(node.now() + 100)
    now = node.now()
    with pytest.raises(InvalidInput, match="only moves forward"):
        node.warp(now + earlier)
    assert node.now() == now


def test_a_snapshot_brings_back_blocks_balances_nonces_and_time(node: LocalNode) -> None:
    send(node)
    before = (node.w3.eth.get_block("latest")["hash"], node.now())
    snapshot = node.snapshot()
    lost = send(node, wei=COIN)
    node.warp(node.now() + 500)
    node.revert(snapshot)
    assert (node.w3.eth.get_block("latest")["hash"], node.now()) == before
    assert node.w3.eth.get_balance(node.accounts[1].address) == 10_000 * COIN + 1
    assert node.w3.eth.get_transaction_count(node.accounts[0].address) == 1
    assert node.request("eth_getTransactionReceipt", lost["transactionHash"]) is None
    assert send(node)["blockNumber"] == "0x2"


def test_a_snapshot_serves_once_and_takes_later_ones_with_it(node: LocalNode) -> None:
    first, second = node.snapshot(), node.snapshot()
    node.revert(first)
    for gone in (first, second):
        with pytest.raises(InvalidInput, match="no snapshot"):
            node.revert(gone)


def test_after_a_revert_the_chain_grows_differently(node: LocalNode) -> None:
    """What a mirror must take for a reorganisation."""
    snapshot = node.snapshot()
    node.mine(2)
    lost = node.w3.eth.get_block(1)["hash"]
    node.revert(snapshot)
    node.warp(node.now() + 50)
    node.mine(2)
    assert node.w3.eth.block_number == 3
    assert node.w3.eth.get_block(1)["hash"] != lost
    assert node.w3.eth.get_block(2)["parentHash"] == node.w3.eth.get_block(1)["hash"]


def test_it_can_be_asked_asynchronously(node: LocalNode) -> None:
    async def ask() -> tuple[int, int]:
        w3 = node.async_w3()
        try:
            return await w3.eth.chain_id, await w3.eth.get_balance(node.accounts[0].address)
        finally:
            await w3.provider.disconnect()

    assert asyncio.run(ask()) == (31_337, 10_000 * COIN)


def test_closing_twice_does_no_harm(node: LocalNode) -> None:
    node.close()
    node.close()


# ---------------------------------------------------------------------------------------------------------- in process


def test_no_two_chains_in_process_are_the_same() -> None:
    """Or a record of the one would fit the other, block for block."""
    with InProcessNode(genesis_timestamp=1_700_000_000) as one, InProcessNode(genesis_timestamp=1_700_000_000) as other:
        assert one.now() == other.now() == 1_700_000_000
        assert one.w3.eth.get_block(0)["hash"] != other.w3.eth.get_block(0)["hash"]


def test_time_in_process_moves_by_blocks_only() -> None:
    with InProcessNode(genesis_timestamp=1_700_000_000) as node:
        node.mine(3)
        assert node.now() == 1_700_000_003
        assert (time_in(node, "latest"), time_in(node, "pending")) == (1_700_000_003, 1_700_000_004)


def test_chain_id_and_accounts_can_be_chosen() -> None:
    with InProcessNode(chain_id=777, accounts=2) as node:
        assert node.w3.eth.chain_id == 777
        assert node.w3.eth.accounts == [dev_account(0).address, dev_account(1).address]


def test_many_threads_may_send_at_once() -> None:
    """From one account each: nothing is lost, and nobody sees a chain between two blocks."""
    with InProcessNode() as node:
        receiver = dev_account(50).address

        def pay(index: int) -> None:
            for _ in range(5):
                node.request(
                    "eth_sendTransaction", {"from": node.accounts[index].address, "to": receiver, "value": "0x1"}
                )

        threads = [threading.Thread(target=pay, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert node.w3.eth.get_balance(receiver) == 40
        assert node.w3.eth.block_number == 40


# ---------------------------------------------------------------------------------------------------------------- Anvil


def test_anvil_ends_with_its_node() -> None:
    with AnvilNode() as node:
        url = str(node.url)
        port = int(url.rsplit(":", 1)[1])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_anvil_does_not_start_where_somebody_else_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(NodeError, match="Anvil can't listen on port"):
            AnvilNode(port=taken.getsockname()[1])


def test_anvil_mines_only_when_told_if_so_asked() -> None:
    with AnvilNode(automine=False, chain_id=5) as node:
        sender, receiver = node.accounts[:2]
        sent = node.request("eth_sendTransaction", {"from": sender.address, "to": receiver.address, "value": "0x1"})
        assert node.request("eth_getTransactionReceipt", sent) is None
        node.mine()
        assert node.request("eth_getTransactionReceipt", sent)["status"] == "0x1"
        assert node.w3.eth.chain_id == 5


def test_anvil_mines_by_the_clock_beside_transactions_if_so_asked() -> None:
    with AnvilNode(block_seconds=1) as node:
        assert send(node)["status"] == "0x1"
        watched = node.w3.eth.block_number
        deadline = node.now() + 30
        while node.w3.eth.block_number == watched:
            assert node.now() < deadline


# ------------------------------------------------------------------------------------------------------------- any node


def test_a_node_behind_a_url_is_asked_like_any_other() -> None:
    with InProcessNode() as chain, chain.serve(port=0) as url, RpcNode(url) as node:
        assert node.url == url
        assert node.w3.eth.chain_id == 31_337
        assert node.accounts == ()
        assert node.request("eth_blockNumber") == "0x0"


def test_a_node_that_is_gone_is_unreachable_and_its_key_is_not_shown() -> None:
    with InProcessNode() as chain, chain.serve(port=0) as url:
        port = url.rsplit(":", 1)[1]
    with (
        RpcNode(f"http://user:hunter2@127.0.0.1:{port}/v3/hunter2") as node,
        pytest.raises(NodeUnreachable, match=f"No node answers at http://127.0.0.1:{port}:") as unreachable,
    ):
        node.request("eth_chainId")
    assert "hunter2" not in str(unreachable.value)


@pytest.mark.parametrize("url", ["node.example", "ftp://node.example", ""])
def test_what_is_no_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidInput, match="A node's URL begins with"):
        RpcNode(url)


def test_what_is_no_node_is_told_from_one() -> None:
    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>welcome</html>")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with (
            RpcNode(f"http://127.0.0.1:{server.server_address[1]}") as node,
            pytest.raises(NodeError, match="does not speak JSON-RPC"),
        ):
            node.request("eth_chainId")
        server.shutdown()
        thread.join()
