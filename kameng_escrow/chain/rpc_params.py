"""What JSON-RPC requests carry, read with suspicion: every bad value is an `RpcError` that names it."""

from collections.abc import Mapping
from typing import Any

from eth_typing import Address

from .evm import CREATE, GAS_LIMIT

TIP = 10**9  # wei a unit of gas: what `eth_maxPriorityFeePerGas` suggests

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
SERVER_ERROR = -32000
REVERTED = 3  # what nodes answer where a call reverts


class RpcError(Exception):
    """A JSON-RPC error answer."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def to_json(self) -> dict[str, Any]:
        data = {} if self.data is None else {"data": self.data}
        return {"code": self.code, "message": self.message, **data}


def to_number(value: Any) -> int:
    """A quantity; development tools also send plain numbers."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str):
        try:
            return int(value, 16 if value.startswith("0x") else 10)
        except ValueError:
            pass
    raise RpcError(INVALID_PARAMS, f"{value!r} is no quantity")


def to_data(value: Any) -> bytes:
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            pass
    raise RpcError(INVALID_PARAMS, f"{str(value)[:80]!r} is no 0x-hex data")


def to_address(value: Any) -> Address:
    data = to_data(value)
    if len(data) != 20:
        raise RpcError(INVALID_PARAMS, f"{value!r} is no address")
    return Address(data)


def call_arguments(transaction: Mapping[str, Any]) -> dict[str, Any]:
    def given(name: str) -> Any:
        return transaction.get(name)

    data = given("input") if given("input") is not None else given("data")
    return {
        "sender": to_address(given("from")) if given("from") is not None else Address(bytes(20)),
        "to": to_address(given("to")) if given("to") else CREATE,
        "value": to_number(given("value")) if given("value") is not None else 0,
        "data": to_data(data) if data is not None else b"",
        "gas": min(to_number(given("gas")), GAS_LIMIT) if given("gas") is not None else GAS_LIMIT,
    }


def fees(transaction: Mapping[str, Any], base_fee: int) -> dict[str, int]:
    if transaction.get("gasPrice") is not None:
        return {"gasPrice": to_number(transaction["gasPrice"])}
    tip = transaction.get("maxPriorityFeePerGas")
    tip = TIP if tip is None else to_number(tip)
    most = transaction.get("maxFeePerGas")
    return {
        "maxPriorityFeePerGas": tip,
        "maxFeePerGas": 2 * base_fee + tip if most is None else to_number(most),
    }


def is_beyond(number: Any, latest: int) -> bool:
    return (
        isinstance(number, str | int)
        and number not in ("latest", "pending", "safe", "finalized", "earliest", "")
        and (to_number(number) > latest)
    )
