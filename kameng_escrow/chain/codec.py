# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""Between the domain's values and the ABI's: calls out, logs in. Derived from the packaged ABI."""

from collections.abc import Mapping
from typing import Any

from kameng_escrow.domain.events import Event, Logged
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.signed import Action, Offer, OperatorGrant, Split

AbiTuple = tuple[Any, ...]


def to_abi(value: OrderTerms | Policy | Offer | Split | Action | OperatorGrant) -> AbiTuple:
    """The value as the struct of the same name: its fields in the ABI's order, hashes as bytes, enums as integers."""
    raise NotImplementedError


def event_topics() -> Mapping[str, type[Event]]:
    """topic0 (0x-hex) of every event of the escrow, and its class."""
    raise NotImplementedError


def decode_log(raw_log: Mapping[str, Any], timestamp: int) -> Logged | None:
    """The event in a log of `eth_getLogs`, raw JSON or web3's form; None for a log that is none of ours.

    `timestamp` is its block's, Unix seconds. The log's address is not looked at: filter by it.

    Raises:
        UndecodableLog: the topic is ours but the log does not decode, or lacks a field.
    """
    raise NotImplementedError
