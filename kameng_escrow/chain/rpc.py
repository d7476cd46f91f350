"""What we ask nodes, as steps. Numbers are `int`, hashes and addresses 0x-hex, data bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kameng_escrow.domain.reverts import decode_refusal
from kameng_escrow.errors import EscrowError

from .calls import Call
from .codec import functions
from .errors import NodeRefused
from .steps import Steps
from .transport import sense_demanded

BlockTag = int | str  # a number, or "latest", "pending", …


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHead:
    """What we need of a block."""

    number: int
    hash: str
    timestamp: int  # Unix seconds
    base_fee: int | None  # wei a unit of gas; None: a chain without EIP-1559


def request(method: str, *params: Any) -> Steps[Any]:
    """The result of a JSON-RPC method, as JSON. Raises `NodeError`."""
    return (yield lambda connection: connection.request(method, list(params)))


def sleep(seconds: float) -> Steps[None]:
    """Waits."""
    yield lambda connection: connection.sleep(seconds)


def chain_id() -> Steps[int]:
    """What the chain calls itself."""
    return to_int((yield from request("eth_chainId")))


def block(tag: BlockTag) -> Steps[BlockHead]:
    """A block's head. Raises `NodeRefused` where there is no such block."""
    found = yield from request("eth_getBlockByNumber", _tag(tag), False)
    if found is None:
        raise NodeRefused(f"there is no block {tag}")
    with sense_demanded():
        base_fee = found.get("baseFeePerGas")
        return BlockHead(
            number=to_int(found["number"]),
            hash=to_hex(found["hash"]),
            timestamp=to_int(found["timestamp"]),
            base_fee=None if base_fee is None else to_int(base_fee),
        )


def balance(account: str, tag: BlockTag = "latest") -> Steps[int]:
    """In wei."""
    return to_int((yield from request("eth_getBalance", account, _tag(tag))))


def nonce(account: str, tag: BlockTag) -> Steps[int]:
    """How many transactions the account has sent."""
    return to_int((yield from request("eth_getTransactionCount", account, _tag(tag))))


def code(account: str, tag: BlockTag = "latest") -> Steps[bytes]:
    """The code at an address; empty where there is none."""
    return to_bytes((yield from request("eth_getCode", account, _tag(tag))))


def eth_call(
    call: Call, *, sender: str | None = None, tag: BlockTag = "latest", gas: int | None = None
) -> Steps[bytes]:
    """What a call would return. Raises the `Refusal` where it reverts."""
    fields = _call_fields(call, sender) | ({} if gas is None else {"gas": hex(gas)})
    try:
        answer = yield from request("eth_call", fields, _tag(tag))
    except NodeRefused as refused:
        raise _meaning(refused) from None
    return to_bytes(answer)


def view(artifact: str, address: str, function: str, *arguments: Any, tag: BlockTag = "latest") -> Steps[Any]:
    """What a view of a packaged contract returns, decoded. Raises `Refusal`, `InvalidInput`."""
    description = functions(artifact)[function]
    data = yield from eth_call(Call(to=address, data=description.encode(*arguments)), tag=tag)
    return description.decode(data)


def estimate(call: Call, *, sender: str) -> Steps[int]:
    """Gas with which the call would succeed in the next block. Raises the `Refusal` where it would revert.

    In the pending block, since the latest may be long ago on a quiet development chain, and with it what is due.
    """
    try:
        return to_int((yield from request("eth_estimateGas", _call_fields(call, sender), "pending")))
    except NodeRefused as refused:
        failure = _meaning(refused)
        if refused.data:
            raise failure from None
    # Some nodes only say that it reverts. A call tells why; where it goes through, the node's own words stand.
    yield from eth_call(call, sender=sender, tag="pending")
    raise failure


def raw_logs(address: str, first: int, last: int, topics: Sequence[Any] = ()) -> Steps[list[Mapping[str, Any]]]:
    """The logs of a contract in these blocks, both included, as JSON."""
    wanted: dict[str, Any] = {"address": address, "fromBlock": hex(first), "toBlock": hex(last)}
    if topics:
        wanted["topics"] = list(topics)
    found: list[Mapping[str, Any]] = yield from request("eth_getLogs", wanted)
    return found


def raw_receipt(transaction_hash: str) -> Steps[Mapping[str, Any] | None]:
    """A mined transaction's receipt as JSON; None while it is not mined."""
    found = yield from request("eth_getTransactionReceipt", transaction_hash)
    with sense_demanded():
        return None if found is None or found.get("blockNumber") is None else found


def to_int(value: Any) -> int:
    """A quantity: 0x-hex, or an `int` where web3's middleware made one of it. Raises `NodeRefused` for others."""
    with sense_demanded():
        return int(value, 16) if isinstance(value, str) else int(value)


def to_bytes(value: Any) -> bytes:
    """Data: 0x-hex, or bytes where web3's middleware made them of it. Raises `NodeRefused` for anything else."""
    with sense_demanded():
        return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)


def to_hex(value: Any) -> str:
    """Data as lowercase 0x-hex."""
    return "0x" + to_bytes(value).hex()


def _meaning(refused: NodeRefused) -> EscrowError:
    return refused if refused.data is None else decode_refusal(refused.data)


def _tag(tag: BlockTag) -> str:
    return hex(tag) if isinstance(tag, int) else tag


def _call_fields(call: Call, sender: str | None) -> dict[str, Any]:
    fields = {"data": "0x" + call.data.hex()}
    if call.to is not None:
        fields["to"] = call.to
    if sender is not None:
        fields["from"] = sender
    if call.value:
        fields["value"] = hex(call.value)
    return fields
