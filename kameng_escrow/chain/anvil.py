# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""Foundry's Anvil as a local chain."""

from typing import Any

from web3 import AsyncWeb3, Web3

from .nodes import LOCAL_CHAIN_ID, LocalNode


class AnvilNode(LocalNode):
    """Starts an Anvil on a free port of this machine and ends it on close.

    Raises:
        ToolUnavailable: Anvil is not installed.
        NodeError: it did not start.
    """

    def __init__(self, *, chain_id: int = LOCAL_CHAIN_ID, accounts: int = 10, port: int | None = None) -> None:
        raise NotImplementedError

    @property
    def w3(self) -> Web3:
        raise NotImplementedError

    def async_w3(self) -> AsyncWeb3[Any]:
        raise NotImplementedError

    def now(self) -> int:
        raise NotImplementedError

    def warp(self, timestamp: int) -> None:
        raise NotImplementedError

    def set_next_timestamp(self, timestamp: int) -> None:
        raise NotImplementedError

    def mine(self, blocks: int = 1) -> None:
        raise NotImplementedError

    def snapshot(self) -> str:
        raise NotImplementedError

    def revert(self, snapshot: str) -> None:
        raise NotImplementedError
