"""The in-process chain in Ethereum's JSON-RPC: for web3 in this process and, over HTTP, for a wallet.

Every value goes in and out as JSON has it: quantities and data as 0x-hex.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from eth.abc import StateAPI
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from .evm import Block, Clock, Evm, EvmRejected, EvmReverted
from .evm_json import block_json, hex_of, log_json, quantity, receipt_json, transaction_json
from .rpc_params import (
    INTERNAL,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    REVERTED,
    SERVER_ERROR,
    TIP,
    RpcError,
    call_arguments,
    fees,
    is_beyond,
    to_address,
    to_data,
    to_number,
)

HEARTBEAT = 5  # seconds that a real clock's latest block may lag behind


class EvmRpc:
    """Answers JSON-RPC requests, one at a time, from as many threads as like to ask."""

    def __init__(self, evm: Evm, accounts: Sequence[LocalAccount], clock: Clock) -> None:
        self._evm = evm
        self._clock = clock
        self._accounts = {account.address: account for account in accounts}
        self._snapshots: dict[str, int] = {}  # name → how many blocks there were
        self._lock = threading.RLock()
        # `method_eth_call` answers eth_call: what is not written down here can't be asked for.
        self._methods: dict[str, Callable[..., Any]] = {
            name.removeprefix("method_"): getattr(self, name) for name in dir(self) if name.startswith("method_")
        }

    # --------------------------------------------------------------------------------------------------- the protocol

    def respond(self, body: bytes) -> bytes:
        """The answer to a request or a batch of requests, as text. Never raises; empty for notifications."""
        try:
            request = json.loads(body)
        except ValueError:
            return _encode(_failed(None, RpcError(PARSE_ERROR, "the request is not JSON")))
        if not isinstance(request, list):
            answer = self._answer(request)
            return b"" if answer is None else _encode(answer)
        if not request:
            return _encode(_failed(None, RpcError(INVALID_REQUEST, "the batch is empty")))
        answers = [answer for item in request if (answer := self._answer(item)) is not None]
        return _encode(answers) if answers else b""

    def call(self, method: str, *params: Any) -> Any:
        """The result of one method. Raises `RpcError`."""
        function = self._methods.get(method)
        if function is None:
            raise RpcError(METHOD_NOT_FOUND, f"the method {method} does not exist here")
        with self._lock:
            if self._clock is Clock.Real and not method.startswith("evm_"):
                self._beat()
            try:
                return function(*params)
            except EvmReverted as error:
                raise RpcError(REVERTED, _reason(error.data), hex_of(error.data)) from error
            except EvmRejected as error:
                raise RpcError(SERVER_ERROR, str(error)) from error
            except TypeError as error:
                # A wrong number of parameters; a bug of ours would look the same, so say what Python says.
                raise RpcError(INVALID_PARAMS, f"wrong parameters for {method}: {error}") from error

    def _answer(self, request: Any) -> dict[str, Any] | None:
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return _failed(None, RpcError(INVALID_REQUEST, "a request is an object with a method"))
        identity = request.get("id")
        params = request.get("params") or []
        try:
            if not isinstance(params, list):
                raise RpcError(INVALID_PARAMS, "params must be a list")
            result = self.call(request["method"], *params)
        except RpcError as error:
            return _failed(identity, error)
        except Exception as error:  # a server answers, whatever happens
            return _failed(identity, RpcError(INTERNAL, f"internal error: {type(error).__name__}: {error}"))
        return None if "id" not in request else {"jsonrpc": "2.0", "id": identity, "result": result}

    def _beat(self) -> None:
        """Mines an empty block where the latest is old, so that the chain's clock goes with the real one."""
        if self._evm.next_timestamp() - self._evm.latest.timestamp >= HEARTBEAT:
            self._evm.mine()

    # ------------------------------------------------------------------------------------------------------- the node

    def method_web3_clientVersion(self) -> str:  # noqa: N802
        return f"py-evm/{version('py-evm')}"

    def method_web3_sha3(self, data: str) -> str:
        return hex_of(keccak(to_data(data)))

    def method_net_version(self) -> str:
        return str(self._evm.chain_id)

    def method_net_listening(self) -> bool:
        return True

    def method_net_peerCount(self) -> str:  # noqa: N802
        return quantity(0)

    def method_eth_chainId(self) -> str:  # noqa: N802
        return quantity(self._evm.chain_id)

    def method_eth_syncing(self) -> bool:
        return False

    def method_eth_mining(self) -> bool:
        return True

    def method_eth_accounts(self) -> list[str]:
        return list(self._accounts)

    # -------------------------------------------------------------------------------------------------------- the gas

    def method_eth_gasPrice(self) -> str:  # noqa: N802
        return quantity(self._evm.next_base_fee() + TIP)

    def method_eth_maxPriorityFeePerGas(self) -> str:  # noqa: N802
        return quantity(TIP)

    def method_eth_feeHistory(  # noqa: N802
        self, count: Any, newest: Any = "latest", percentiles: Any = None
    ) -> dict[str, Any]:
        last = self._mined(newest)
        blocks = self._evm.blocks[max(0, last.number + 1 - min(to_number(count), 1_024)) : last.number + 1]
        base_fees = [block.header.base_fee_per_gas for block in blocks]
        following = self._evm.blocks[last.number + 1 : last.number + 2]
        base_fees.append(following[0].header.base_fee_per_gas if following else self._evm.next_base_fee())
        history = {
            "oldestBlock": quantity(blocks[0].number if blocks else last.number),
            "baseFeePerGas": [quantity(fee) for fee in base_fees],
            "gasUsedRatio": [block.header.gas_used / block.header.gas_limit for block in blocks],
        }
        return history | ({"reward": [[quantity(TIP) for _ in percentiles] for _ in blocks]} if percentiles else {})

    # --------------------------------------------------------------------------------------------------------- blocks

    def method_eth_blockNumber(self) -> str:  # noqa: N802
        return quantity(self._evm.latest.number)

    def method_eth_getBlockByNumber(self, number: Any, full: bool = False) -> dict[str, Any] | None:  # noqa: N802
        try:
            return block_json(self._mined(number), full=full)
        except RpcError as error:
            if error.code == SERVER_ERROR:
                return None
            raise

    def method_eth_getBlockByHash(self, block_hash: str, full: bool = False) -> dict[str, Any] | None:  # noqa: N802
        block = self._by_hash(block_hash)
        return None if block is None else block_json(block, full=full)

    def method_eth_getBlockTransactionCountByNumber(self, number: Any) -> str:  # noqa: N802
        return quantity(int(self._mined(number).included is not None))

    def method_eth_getBlockReceipts(self, at: Any) -> list[dict[str, Any]] | None:  # noqa: N802
        is_hash = isinstance(at, str) and len(at) == len("0x") + 64
        block = self._by_hash(at) if is_hash else self._mined(at)
        if block is None:
            return None
        return [] if block.included is None else [receipt_json(block, block.included)]

    def method_eth_getTransactionByHash(self, transaction_hash: str) -> dict[str, Any] | None:  # noqa: N802
        block = self._including(transaction_hash)
        return transaction_json(block, block.included) if block is not None and block.included is not None else None

    def method_eth_getTransactionReceipt(self, transaction_hash: str) -> dict[str, Any] | None:  # noqa: N802
        block = self._including(transaction_hash)
        return receipt_json(block, block.included) if block is not None and block.included is not None else None

    def method_eth_getLogs(self, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:  # noqa: N802
        if "blockHash" in wanted:
            block = self._by_hash(wanted["blockHash"])
            if block is None:
                raise RpcError(SERVER_ERROR, "unknown block")
            blocks = [block]
        else:
            first = self._mined(wanted.get("fromBlock") or "latest", clamp=True).number
            last = self._mined(wanted.get("toBlock") or "latest", clamp=True).number
            if is_beyond(wanted.get("fromBlock"), self._evm.latest.number):
                return []
            blocks = self._evm.blocks[first : last + 1]
        return list(_matching_logs(blocks, wanted))

    # ---------------------------------------------------------------------------------------------------------- state

    def method_eth_getBalance(self, account: str, at: Any = "latest") -> str:  # noqa: N802
        return quantity(self._state(at).get_balance(to_address(account)))

    def method_eth_getTransactionCount(self, account: str, at: Any = "latest") -> str:  # noqa: N802
        return quantity(self._state(at).get_nonce(to_address(account)))

    def method_eth_getCode(self, account: str, at: Any = "latest") -> str:  # noqa: N802
        return hex_of(self._state(at).get_code(to_address(account)))

    def method_eth_getStorageAt(self, account: str, slot: str, at: Any = "latest") -> str:  # noqa: N802
        return f"0x{self._state(at).get_storage(to_address(account), to_number(slot)):064x}"

    # -------------------------------------------------------------------------------------------------- calls, sending

    def method_eth_call(self, transaction: Mapping[str, Any], at: Any = "latest", overrides: Any = None) -> str:
        if overrides:
            raise RpcError(INVALID_PARAMS, "state overrides are not supported here")
        return hex_of(self._evm.call(self._state(at), **call_arguments(transaction)))

    def method_eth_estimateGas(self, transaction: Mapping[str, Any], at: Any = "pending") -> str:  # noqa: N802
        return quantity(self._evm.estimate(self._state(at), **call_arguments(transaction)))

    def method_eth_sendRawTransaction(self, raw: str) -> str:  # noqa: N802
        included = self._evm.include(to_data(raw)).included
        assert included is not None, "the block was mined for this transaction"
        return hex_of(included.transaction.hash)

    def method_eth_sendTransaction(self, transaction: Mapping[str, Any]) -> str:  # noqa: N802
        sender = to_checksum_address(to_address(transaction.get("from")))
        account = self._accounts.get(sender)
        if account is None:
            raise RpcError(SERVER_ERROR, f"unknown account {sender}: only the accounts of eth_accounts sign here")
        arguments = call_arguments(transaction)
        nonce = transaction.get("nonce")
        fields = {
            "chainId": self._evm.chain_id,
            "nonce": self._state("pending").get_nonce(arguments["sender"]) if nonce is None else to_number(nonce),
            "gas": to_number(transaction["gas"])
            if transaction.get("gas") is not None
            else self._evm.estimate(self._state("pending"), **arguments) * 6 // 5,
            "to": to_checksum_address(arguments["to"]) if arguments["to"] else "",
            "value": arguments["value"],
            "data": arguments["data"],
            **fees(transaction, self._evm.next_base_fee()),
        }
        return self.method_eth_sendRawTransaction(hex_of(account.sign_transaction(fields).raw_transaction))

    # ------------------------------------------------------------------------------------------------ the development

    def method_evm_mine(self, timestamp: Any = None) -> str:
        if timestamp is not None:
            self._evm.set_next_timestamp(to_number(timestamp))
        self._evm.mine()
        return "0x0"

    def method_evm_increaseTime(self, seconds: Any) -> str:  # noqa: N802
        self._evm.increase_time(to_number(seconds))
        return quantity(to_number(seconds))

    def method_evm_setNextBlockTimestamp(self, timestamp: Any) -> None:  # noqa: N802
        self._evm.set_next_timestamp(to_number(timestamp))

    def method_evm_snapshot(self) -> str:
        name = quantity(len(self._snapshots) + 1)
        self._snapshots[name] = len(self._evm.blocks)
        return name

    def method_evm_revert(self, name: str) -> bool:
        if name not in self._snapshots:
            return False
        self._evm.revert(self._snapshots[name])
        # As other development nodes do, a snapshot serves once, and later ones are gone with their blocks.
        for later in [other for other in self._snapshots if int(other, 16) >= int(name, 16)]:
            del self._snapshots[later]
        return True

    # -------------------------------------------------------------------------------------------------------- finding

    def _mined(self, number: Any, *, clamp: bool = False) -> Block:
        """The block of that number or tag; the pending block is none yet, so the latest stands for it."""
        if isinstance(number, Mapping):
            return self._by_identifier(number)
        if number in ("latest", "pending", "safe", "finalized"):
            return self._evm.latest
        index = 0 if number == "earliest" else to_number(number)
        if index >= len(self._evm.blocks):
            if clamp:
                return self._evm.latest
            raise RpcError(SERVER_ERROR, f"header not found: there is no block {index} yet")
        return self._evm.blocks[index]

    def _by_identifier(self, identifier: Mapping[str, Any]) -> Block:
        """EIP-1898."""
        if "blockHash" not in identifier:
            return self._mined(identifier.get("blockNumber"))
        block = self._by_hash(identifier["blockHash"])
        if block is None:
            raise RpcError(SERVER_ERROR, "header not found")
        return block

    def _state(self, at: Any) -> StateAPI:
        return self._evm.state_at(None if at == "pending" else self._mined(at))

    def _by_hash(self, block_hash: Any) -> Block | None:
        return self._evm.block_of(to_data(block_hash))

    def _including(self, transaction_hash: Any) -> Block | None:
        return self._evm.block_of(to_data(transaction_hash))


def _matching_logs(blocks: Sequence[Block], wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    given = wanted.get("address")
    addresses = {to_address(one) for one in ([given] if isinstance(given, str) else given or ())}
    # A position is a topic, a list of alternatives, or null for any.
    topics = [
        None if position is None else {to_data(one) for one in ([position] if isinstance(position, str) else position)}
        for position in wanted.get("topics") or ()
    ]
    for block in blocks:
        if block.included is None:
            continue
        for index, log in enumerate(block.included.logs):
            if addresses and log.address not in addresses:
                continue
            if len(topics) > len(log.topics):
                continue
            has = [topic.to_bytes(32, "big") for topic in log.topics]
            if all(not position or topic in position for position, topic in zip(topics, has, strict=False)):
                yield log_json(block, block.included, index)


# --------------------------------------------------------------------------------------------------------- answering


def _reason(data: bytes) -> str:
    """What nodes say beside the data: the text of a `require`, if there is one."""
    if data[:4] == bytes.fromhex("08c379a0") and len(data) >= 68:
        length = int.from_bytes(data[36:68], "big")
        return f"execution reverted: {data[68 : 68 + length].decode('utf-8', 'replace')}"
    return "execution reverted"


def _failed(identity: Any, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identity, "error": error.to_json()}


def _encode(answer: Any) -> bytes:
    return json.dumps(answer, separators=(",", ":")).encode()
