"""What to send to a contract, as plain values: built once, for whoever simulates, prepares or sends it."""

from dataclasses import dataclass
from typing import Any

from .codec import functions


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of one contract, or the creation of one."""

    to: str | None  # None: creates a contract
    data: bytes
    value: int = 0  # wei of the native coin
    order_id: str | None = None  # the order it is about


def escrow_call(contract: str, function: str, *arguments: Any, value: int = 0, order_id: str | None = None) -> Call:
    """A call of the escrow. Raises `InvalidInput` where an argument is not what the function takes."""
    return contract_call("KamengEscrow", contract, function, *arguments, value=value, order_id=order_id)


def contract_call(
    artifact: str, contract: str, function: str, *arguments: Any, value: int = 0, order_id: str | None = None
) -> Call:
    """A call of a packaged contract. Raises likewise."""
    data = functions(artifact)[function].encode(*arguments)
    return Call(to=contract, data=data, value=value, order_id=order_id)


def token_call(token: str, function: str, *arguments: Any) -> Call:
    """A call of an ERC-20. Raises `InvalidInput` where an argument is not what the function takes."""
    return Call(to=token, data=functions("TestToken")[function].encode(*arguments))
