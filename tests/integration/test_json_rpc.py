"""The in-process chain over HTTP, as a browser wallet and other processes see it."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from eth_account import Account

from kameng_escrow.chain import evm
from kameng_escrow.chain.codec import functions
from kameng_escrow.chain.deploy import deploy
from kameng_escrow.chain.dev_accounts import dev_account
from kameng_escrow.chain.errors import NodeError
from kameng_escrow.chain.evm_rpc import HEARTBEAT
from kameng_escrow.chain.in_process import Clock, InProcessNode
from kameng_escrow.domain.refusals import PolicyUnknown
from kameng_escrow.domain.reverts import decode_refusal

RICH, OTHER, POOR = dev_account(0), dev_account(1), Account.from_key("0x" + "77" * 32)
COIN = 10**18


class Http:
    """A client that knows nothing of us."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, body: Any, **headers: str) -> requests.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return requests.post(self.url, data=data, headers=headers, timeout=30)

    def ask(self, method: str, *params: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.post({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).json()
        assert answer["jsonrpc"] == "2.0"
        assert answer["id"] == 7
        return answer

    def result(self, method: str, *params: Any) -> Any:
        answer = self.ask(method, *params)
        assert "error" not in answer, answer
        return answer["result"]

    def error(self, method: str, *params: Any) -> tuple[int, str]:
        error = self.ask(method, *params)["error"]
        return error["code"], error["message"]


@pytest.fixture
def node() -> Iterator[InProcessNode]:
    with InProcessNode(genesis_timestamp=1_700_000_000) as node:
        yield node


@pytest.fixture
def http(node: InProcessNode) -> Iterator[Http]:
    with node.serve(port=0) as url:
        yield Http(url)


def signed(nonce: int, **overrides: Any) -> str:
    fields = {
        "chainId": 31_337,
        "nonce": nonce,
        "to": OTHER.address,
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": 3 * 10**9,
        "maxPriorityFeePerGas": 10**9,
        **overrides,
    }
    account = fields.pop("account", RICH)
    return "0x" + bytes(account.sign_transaction(fields).raw_transaction).hex()


# --------------------------------------------------------------------------------------------------------- the protocol


def test_a_batch_is_answered_in_order_and_each_request_for_itself(http: Http) -> None:
    batch = [
        {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []},
        {"jsonrpc": "2.0", "id": "two", "method": "eth_nothing"},
        {"jsonrpc": "2.0", "method": "eth_blockNumber"},  # a notification
        5,
        {"jsonrpc": "2.0", "id": 3, "method": "eth_blockNumber", "params": None},
    ]
    answers = http.post(batch).json()
    assert [answer["id"] for answer in answers] == [1, "two", None, 3]
    assert [answer.get("result") for answer in answers] == ["0x7a69", None, None, "0x0"]
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32601, -32600, None]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff", -32700),
        ([], -32600),
        (b"5", -32600),
        ({"id": 1}, -32600),
        ({"id": 1, "method": 5}, -32600),
        ({"id": 1, "method": "eth_chainId", "params": {"a": 1}}, -32602),
        ({"id": 1, "method": "eth_chainId", "params": [1]}, -32602),
        ({"id": 1, "method": "eth_getBalance", "params": []}, -32602),
        ({"id": 1, "method": "eth_getBalance", "params": ["0x12"]}, -32602),
        ({"id": 1, "method": "eth_getBalance", "params": [5]}, -32602),
        ({"id": 1, "method": "eth_getBalance", "params": [RICH.address, "never"]}, -32602),
        ({"id": 1, "method": "eth_getBlockByNumber", "params": [True]}, -32602),
        ({"id": 1, "method": "eth_getBlockByNumber", "params": ["-0x1"]}, -32602),
        ({"id": 1, "method": "eth_sendRawTransaction", "params": ["0xzz"]}, -32602),
        ({"id": 1, "method": "eth_sendRawTransaction", "params": ["0x02c0"]}, -32000),
        ({"id": 1, "method": "__init__"}, -32601),
        ({"id": 1, "method": "_state"}, -32601),
    ],
)
def test_nonsense_gets_an_error_and_the_server_goes_on(http: Http, body: Any, code: int) -> None:
    response = http.post(body)
    assert response.status_code == 200
    assert response.json()["error"]["code"] == code
    assert http.result("eth_chainId") == "0x7a69"


def test_a_notification_is_done_and_not_answered(http: Http) -> None:
    assert http.post({"jsonrpc": "2.0", "method": "evm_mine"}).content == b""
    assert http.result("eth_blockNumber") == "0x1"


def test_a_page_of_any_origin_may_ask(http: Http) -> None:
    preflight = requests.options(
        http.url,
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-more",
            "Access-Control-Request-Private-Network": "true",
        },
        timeout=30,
    )
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert preflight.headers["Access-Control-Allow-Headers"] == "content-type,x-more"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert preflight.headers["Access-Control-Allow-Private-Network"] == "true"
    asked = http.post({"id": 1, "method": "eth_chainId"}, Origin="https://shop.example")
    assert asked.headers["Access-Control-Allow-Origin"] == "*"


def test_only_posts_are_taken_and_none_too_large(http: Http) -> None:
    assert requests.get(http.url, timeout=30).status_code == 405
    host, port = http.url.removeprefix("http://").split(":")
    for head, status in ((b"Content-Length: 99999999", b"413"), (b"X: y", b"411"), (b"Content-Length: x", b"411")):
        with socket.create_connection((host, int(port)), timeout=30) as raw:
            raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
            assert raw.recv(64).split()[1] == status


def test_it_listens_on_this_machine_only_unless_told(node: InProcessNode) -> None:
    with node.serve(port=0) as url:
        assert url.startswith("http://127.0.0.1:")


def test_a_taken_port_is_said_so(node: InProcessNode) -> None:
    with (
        node.serve(port=0) as url,
        pytest.raises(NodeError, match="Can't listen on 127"),
        node.serve(port=int(url.rsplit(":", 1)[1])),
    ):
        pass


# ------------------------------------------------------------------------------------------------------- what it knows


def test_it_introduces_itself(http: Http) -> None:
    assert http.result("web3_clientVersion").startswith("py-evm/")
    assert http.result("web3_sha3", "0x") == "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert http.result("net_version") == "31337"
    assert (http.result("net_listening"), http.result("eth_syncing")) == (True, False)
    assert (http.result("eth_mining"), http.result("net_peerCount")) == (True, "0x0")
    assert http.result("eth_accounts")[0] == RICH.address


def test_a_transfer_shows_everywhere(http: Http) -> None:
    sent = http.result("eth_sendRawTransaction", signed(0, value=COIN))
    receipt = http.result("eth_getTransactionReceipt", sent)
    transaction = http.result("eth_getTransactionByHash", sent)
    block = http.result("eth_getBlockByNumber", "latest", True)
    assert receipt["status"] == "0x1"
    assert receipt["gasUsed"] == hex(21_000)
    assert (receipt["blockNumber"], receipt["blockHash"]) == ("0x1", block["hash"])
    assert block["transactions"] == [transaction]
    assert (transaction["from"], transaction["to"], transaction["value"]) == (RICH.address, OTHER.address, hex(COIN))
    assert http.result("eth_getBlockByHash", block["hash"], False)["transactions"] == [sent]
    assert http.result("eth_getBlockReceipts", "0x1") == [receipt]
    assert http.result("eth_getBlockReceipts", block["hash"]) == [receipt]
    assert http.result("eth_getBlockReceipts", "0x" + "0b" * 32) is None
    assert http.result("eth_getBlockTransactionCountByNumber", "latest") == "0x1"
    assert http.result("eth_getBalance", OTHER.address, "latest") == hex(10_001 * COIN)
    assert http.result("eth_getBalance", OTHER.address, "0x0") == hex(10_000 * COIN)
    assert http.result("eth_getBalance", OTHER.address, {"blockHash": block["parentHash"]}) == hex(10_000 * COIN)
    assert http.result("eth_getTransactionCount", RICH.address, {"blockNumber": "0x1"}) == "0x1"
    spent = int(receipt["effectiveGasPrice"], 16) * 21_000
    assert http.result("eth_getBalance", RICH.address) == hex(9_999 * COIN - spent)


@pytest.mark.parametrize(
    ("fields", "kind", "more"),
    [
        ({"gasPrice": 2 * 10**9, "maxFeePerGas": None, "maxPriorityFeePerGas": None}, "0x0", {"v"}),
        (
            {"gasPrice": 2 * 10**9, "maxFeePerGas": None, "maxPriorityFeePerGas": None, "type": 1, "accessList": []},
            "0x1",
            {"accessList", "yParity"},
        ),
        ({}, "0x2", {"maxFeePerGas", "maxPriorityFeePerGas", "yParity"}),
    ],
)
def test_every_type_of_transaction_is_taken(http: Http, fields: dict[str, Any], kind: str, more: set[str]) -> None:
    wanted = {
        "chainId": 31_337,
        "nonce": 0,
        "to": OTHER.address,
        "value": 1,
        "gas": 30_000,
        "maxFeePerGas": 3 * 10**9,
        "maxPriorityFeePerGas": 10**9,
        **fields,
    }
    raw = RICH.sign_transaction({name: value for name, value in wanted.items() if value is not None}).raw_transaction
    sent = http.result("eth_sendRawTransaction", "0x" + bytes(raw).hex())
    transaction = http.result("eth_getTransactionByHash", sent)
    assert transaction["type"] == http.result("eth_getTransactionReceipt", sent)["type"] == kind
    assert more <= transaction.keys()


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_getBlockByNumber", ["0x9", False]),
        ("eth_getBlockByHash", ["0x" + "11" * 32, False]),
        ("eth_getTransactionByHash", ["0x" + "11" * 32]),
        ("eth_getTransactionReceipt", ["0x" + "11" * 32]),
    ],
)
def test_what_is_not_there_is_null(http: Http, method: str, params: list[Any]) -> None:
    assert http.result(method, *params) is None


def test_a_block_that_is_not_there_has_no_state(http: Http) -> None:
    assert http.error("eth_getBalance", RICH.address, "0x9") == (-32000, "header not found: there is no block 9 yet")
    assert http.error("eth_getBalance", RICH.address, {"blockHash": "0x" + "11" * 32}) == (-32000, "header not found")


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("transaction", "message"),
    [
        (lambda: signed(5), "nonce too high: next nonce 1, tx nonce 5, and nothing queues here"),
        (lambda: signed(0), "nonce too low: next nonce 1, tx nonce 0"),
        (lambda: signed(1, chainId=1), "invalid chain id for signer: have 1 want 31337"),
        (lambda: signed(1, gas=20_999), "intrinsic gas too low: 20999, minimum needed 21000"),
        (lambda: signed(1, gas=30_000_001), "exceeds block gas limit: 30000001 > 30000000"),
        (
            lambda: signed(1, maxFeePerGas=1, maxPriorityFeePerGas=1),
            "max fee per gas less than block base fee: maxFeePerGas: 1 baseFee: 765778125",
        ),
        (
            lambda: signed(0, account=POOR),
            "insufficient funds for gas * price + value: balance 0, tx cost 63000000000001",
        ),
    ],
)
def test_what_no_node_would_take_is_refused_in_the_usual_words(http: Http, transaction: Any, message: str) -> None:
    http.result("eth_sendRawTransaction", signed(0))
    before = http.result("eth_getBlockByNumber", "latest", False)
    assert http.error("eth_sendRawTransaction", transaction()) == (-32000, message)
    assert http.result("eth_getBlockByNumber", "latest", False) == before
    http.result("eth_sendRawTransaction", signed(1))


def test_a_forged_signature_is_refused(http: Http) -> None:
    raw = bytearray(bytes.fromhex(signed(0)[2:]))
    raw[-40:] = bytes(40)
    code, message = http.error("eth_sendRawTransaction", "0x" + raw.hex())
    assert (code, message[:26]) == (-32000, "not a signed transaction: ")


def test_a_revert_carries_its_data(node: InProcessNode, http: Http) -> None:
    escrow = deploy(node.w3, RICH).address
    data = "0x" + functions("KamengEscrow")["claimFees"].encode("0x" + "11" * 32, RICH.address).hex()
    for method in ("eth_call", "eth_estimateGas"):
        error = http.ask(method, {"from": RICH.address, "to": escrow, "data": data})["error"]
        assert (error["code"], error["message"]) == (3, "execution reverted")
        assert decode_refusal(bytes.fromhex(error["data"][2:])) == PolicyUnknown("0x" + "11" * 32)


def test_a_revert_with_words_says_them(http: Http) -> None:
    words = b"no cards left"
    returned = bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + len(words).to_bytes(32, "big")
    returned += words.ljust(32, b"\0")
    # Creation code: copy what follows it to memory and revert with it.
    code = bytes([0x60, len(returned), 0x60, 12, 0x60, 0, 0x39, 0x60, len(returned), 0x60, 0, 0xFD]) + returned
    error = http.ask("eth_call", {"data": "0x" + code.hex()})["error"]
    assert error == {"code": 3, "message": "execution reverted: no cards left", "data": "0x" + returned.hex()}


def test_a_call_that_burns_all_its_gas_is_no_revert(http: Http) -> None:
    code, message = http.error("eth_call", {"data": "0xfe"})
    assert code == -32000
    assert "InvalidInstruction" in message


def test_overrides_are_refused_rather_than_ignored(http: Http) -> None:
    assert http.error("eth_call", {"to": RICH.address}, "latest", {RICH.address: {"balance": "0x0"}})[0] == -32602


def test_only_its_own_accounts_sign(http: Http) -> None:
    assert http.error("eth_sendTransaction", {"from": POOR.address, "to": RICH.address})[1].startswith(
        "unknown account"
    )
    assert http.error("eth_sendTransaction", {"to": RICH.address})[0] == -32602


# ----------------------------------------------------------------------------------------------------------- gas, logs


def test_fees_are_suggested(http: Http) -> None:
    http.result("eth_sendRawTransaction", signed(0))
    http.result("evm_mine")
    base = int(http.result("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
    assert http.result("eth_maxPriorityFeePerGas") == hex(10**9)
    assert 10**9 < int(http.result("eth_gasPrice"), 16) <= 10**9 + base
    history = http.result("eth_feeHistory", "0x2", "latest", [25, 75])
    assert history["oldestBlock"] == "0x1"
    assert len(history["baseFeePerGas"]) == 3
    assert history["baseFeePerGas"][1] == hex(base)
    assert history["gasUsedRatio"] == [21_000 / 30_000_000, 0]
    assert history["reward"] == [[hex(10**9), hex(10**9)]] * 2
    assert "reward" not in http.result("eth_feeHistory", 1, "0x1")
    assert http.result("eth_feeHistory", "0x1", "0x1")["oldestBlock"] == "0x1"


def test_an_estimate_suffices_and_is_close(node: InProcessNode, http: Http) -> None:
    assert int(http.result("eth_estimateGas", {"from": RICH.address, "to": OTHER.address}), 16) < 21_500
    escrow = deploy(node.w3, RICH).address
    data = "0x" + functions("KamengEscrow")["registerPayTo"].encode(OTHER.address).hex()
    call = {"from": RICH.address, "to": escrow, "data": data}
    gas = http.result("eth_estimateGas", call)
    receipt = http.result("eth_getTransactionReceipt", http.result("eth_sendTransaction", {**call, "gas": gas}))
    assert receipt["status"] == "0x1"
    assert int(gas, 16) < int(receipt["gasUsed"], 16) * 1.15


def test_logs_are_found_by_range_address_and_topics(node: InProcessNode, http: Http) -> None:
    escrow = deploy(node.w3, RICH).address
    for account in (RICH, OTHER):
        data = "0x" + functions("KamengEscrow")["registerPayTo"].encode(POOR.address).hex()
        http.result("eth_sendTransaction", {"from": account.address, "to": escrow, "data": data})
    second = int(http.result("eth_blockNumber"), 16)
    first = second - 1
    every = http.result("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})
    assert [int(log["blockNumber"], 16) for log in every] == [first, second]
    event, rich = every[0]["topics"]
    assert rich == "0x" + RICH.address[2:].lower().rjust(64, "0")
    assert every[0]["blockTimestamp"] == http.result("eth_getBlockByNumber", hex(first), False)["timestamp"]

    def found(**wanted: Any) -> list[int]:
        logs = http.result("eth_getLogs", {"fromBlock": "earliest", "toBlock": "latest"} | wanted)
        return [int(log["blockNumber"], 16) for log in logs]

    assert found(address=escrow) == [first, second]
    assert found(address=[RICH.address, escrow.lower()]) == [first, second]
    assert found(address=RICH.address) == []
    assert found(topics=[event]) == [first, second]
    assert found(topics=[None, rich]) == [first]
    assert found(topics=[[event, "0x" + "00" * 32], [rich]]) == [first]
    assert found(topics=[rich]) == []
    assert found(topics=[event, rich, None]) == []
    assert found(fromBlock=hex(second)) == [second]
    assert found(toBlock=hex(first)) == [first]
    assert found(fromBlock=hex(second), toBlock="0x999") == [second]
    assert found(fromBlock="0x999", toBlock="0x9999") == []
    assert found(fromBlock=hex(second), toBlock=hex(first)) == []
    by_hash = http.result("eth_getLogs", {"blockHash": every[0]["blockHash"]})
    assert by_hash == [every[0]]
    assert http.error("eth_getLogs", {"blockHash": "0x" + "11" * 32}) == (-32000, "unknown block")
    assert http.result("eth_getLogs", {}) == [every[1]]


# ------------------------------------------------------------------------------------------------------------ the clock


def test_development_tools_move_the_clock(http: Http) -> None:
    def now() -> int:
        return int(http.result("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    start = now()
    http.result("evm_increaseTime", 100)
    http.result("evm_mine")
    assert now() == start + 101
    http.result("evm_setNextBlockTimestamp", hex(start + 500))
    http.result("eth_sendRawTransaction", signed(0))
    assert now() == start + 500
    http.result("evm_mine", start + 900)
    assert now() == start + 900
    assert http.error("evm_setNextBlockTimestamp", start)[1].startswith("time only moves forward")
    assert http.error("evm_increaseTime", "0x-1")[0] == -32602
    assert http.result("evm_revert", "0x99") is False


class Wall:
    """The machine's clock, in our hands."""

    def __init__(self, now: int) -> None:
        self.now = now

    def time(self) -> float:
        return float(self.now)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    wall = Wall(1_800_000_000)
    monkeypatch.setattr(evm, "time", wall)
    return wall


def test_a_real_clock_goes_with_the_machine_whether_or_not_anybody_sends(wall: Wall) -> None:
    with InProcessNode(clock=Clock.Real) as node:
        assert node.now() == wall.now
        wall.now += HEARTBEAT - 1
        assert node.now() == wall.now - HEARTBEAT + 1, "a block that is not old stays the latest"
        wall.now += 600
        assert node.now() == wall.now, "whoever asks sees a chain that is up to date"
        block = node.w3.eth.send_transaction({"from": RICH.address, "to": OTHER.address, "value": 1})
        assert node.w3.eth.get_transaction_receipt(block)["status"] == 1
        assert node.now() - wall.now in (0, 1)


def test_a_burst_of_blocks_does_not_set_a_real_clock_forward_for_good(wall: Wall) -> None:
    with InProcessNode(clock=Clock.Real) as node:
        node.mine(50)
        assert node.now() == wall.now + 50
        wall.now += 100
        assert node.now() == wall.now


def test_a_real_clock_stays_ahead_by_what_it_was_warped(wall: Wall) -> None:
    with InProcessNode(clock=Clock.Real) as node:
        node.warp(wall.now + 86_400)
        wall.now += 60
        assert node.now() == wall.now + 86_400
        snapshot = node.snapshot()
        node.mine()
        node.revert(snapshot)
        wall.now += 60
        assert node.now() == wall.now + 86_400
