# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""A chain inside this process, on py-evm; optionally served over HTTP for a browser wallet."""

from contextlib import AbstractContextManager
from enum import Enum
from typing import Any

from web3 import AsyncWeb3, Web3

from .nodes import LOCAL_CHAIN_ID, LocalNode


class Clock(Enum):
    """What time the next block gets."""

    Manual = "manual"  # one second after the latest; time moves by blocks and `warp` only: repeatable
    Real = "real"  # the machine's time, plus whatever was warped ahead


class InProcessNode(LocalNode):
    """An EVM in this process: nothing to install, gone when it is closed. Safe to use from several threads."""

    def __init__(self, *, chain_id: int = LOCAL_CHAIN_ID, accounts: int = 10, clock: Clock = Clock.Manual) -> None:
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

    def serve(self, host: str = "127.0.0.1", port: int = 8545) -> AbstractContextManager[str]:
        """Answers JSON-RPC over HTTP in a thread until the context ends; the context's value is the URL.

        Raises:
            NodeError: the port is taken, or the host is not one of this machine's.
        """
        raise NotImplementedError
