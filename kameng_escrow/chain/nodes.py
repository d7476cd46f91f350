# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""Where the chain is: in this process, in an Anvil beside us, or behind a URL."""

from abc import ABC, abstractmethod
from typing import Any, Self

from eth_account.signers.local import LocalAccount
from web3 import AsyncWeb3, Web3

LOCAL_CHAIN_ID = 31_337  # what local development chains call themselves


class Node(ABC):
    """A node that can be asked, and the accounts that it comes with. A context manager: closes on exit."""

    url: str | None = None  # without credentials; None: in this process, no URL
    accounts: tuple[LocalAccount, ...] = ()  # funded, with well-known keys; none on a public chain

    @property
    @abstractmethod
    def w3(self) -> Web3:
        """For synchronous use."""

    @abstractmethod
    def async_w3(self) -> AsyncWeb3[Any]:
        """A new one for asynchronous use; whoever asks disconnects its provider."""

    def close(self) -> None:
        """Lets go of connections and processes. May be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class LocalNode(Node):
    """A development chain whose clock we hold. Its accounts' keys are public: never use them where money is real."""

    @abstractmethod
    def now(self) -> int:
        """The latest block's time, Unix seconds: the chain's clock as everybody reads it."""

    @abstractmethod
    def warp(self, timestamp: int) -> None:
        """Mines a block at `timestamp` (Unix seconds), which must be later than the latest block's."""

    @abstractmethod
    def set_next_timestamp(self, timestamp: int) -> None:
        """Gives the next block this time (Unix seconds): the next transaction is mined at exactly that second."""

    @abstractmethod
    def mine(self, blocks: int = 1) -> None:
        """Mines empty blocks."""

    @abstractmethod
    def snapshot(self) -> str:
        """Remembers the chain as it is; returns a name for `revert`."""

    @abstractmethod
    def revert(self, snapshot: str) -> None:
        """Goes back to a snapshot: blocks after it are gone, as after a reorganisation."""


class RpcNode(Node):
    """A node of any chain behind a JSON-RPC URL (http or https)."""

    def __init__(self, url: str, *, timeout_seconds: float = 30) -> None:
        raise NotImplementedError

    @property
    def w3(self) -> Web3:
        raise NotImplementedError

    def async_w3(self) -> AsyncWeb3[Any]:
        raise NotImplementedError
