"""Where the chain is: in this process, in an Anvil beside us, or behind a URL."""

from abc import ABC, abstractmethod
from typing import Any, Self

from eth_account.signers.local import LocalAccount
from web3 import AsyncWeb3, Web3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint

from .errors import InvalidInput
from .http import AsyncHttpProvider, HttpProvider
from .transport import answer_of, shown_provider, shown_url, transport_error

__all__ = ["LOCAL_CHAIN_ID", "LocalNode", "Node", "RpcNode", "shown_url"]

LOCAL_CHAIN_ID = 31_337  # what local development chains call themselves


class Node(ABC):
    """A node that can be asked, and the accounts that it comes with. A context manager: closes on exit."""

    url: str | None = None  # as shown, without credentials; None: in this process, no URL
    accounts: tuple[LocalAccount, ...] = ()  # funded, with well-known keys; none on a public chain

    @property
    @abstractmethod
    def w3(self) -> Web3:
        """For synchronous use."""

    @abstractmethod
    def async_w3(self) -> AsyncWeb3[Any]:
        """A new one for asynchronous use; whoever asks disconnects its provider."""

    def request(self, method: str, *params: Any) -> Any:
        """The result of a JSON-RPC method, as JSON. Raises `NodeError`."""
        provider = self.w3.provider
        assert isinstance(provider, JSONBaseProvider)
        try:
            response = provider.make_request(RPCEndpoint(method), list(params))
        except Exception as error:
            raise transport_error(error, shown_provider(provider)) from None
        return answer_of(response)

    def doubt(self) -> None:  # noqa: B027 - a node that is only one is asked by whoever doubts it
        """Something that it answered makes no sense: of several, each is to prove anew that it is of the chain."""

    def close(self) -> None:  # noqa: B027 - a node that holds nothing has nothing to do
        """Lets go of connections and processes. May be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RpcNode(Node):
    """A node of any chain behind a JSON-RPC URL.

    Args:
        url: http or https. Keys in it are kept out of messages.
        timeout_seconds: for one request.

    Raises:
        InvalidInput: the URL is not http or https.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 30) -> None:
        self.url = shown_url(url)
        self._url = url
        self._timeout = timeout_seconds
        self._provider = HttpProvider(url, timeout_seconds)
        self._w3 = Web3(self._provider)

    @property
    def w3(self) -> Web3:
        """For synchronous use."""
        return self._w3

    def async_w3(self) -> AsyncWeb3[Any]:
        """A new one for asynchronous use; whoever asks disconnects its provider."""
        return AsyncWeb3(AsyncHttpProvider(self._url, self._timeout))

    def close(self) -> None:
        """Closes the connections of the synchronous side."""
        self._provider.close()


class LocalNode(Node):
    """A development chain whose clock we hold. Its accounts' keys are public: never use them where money is real."""

    def now(self) -> int:
        """The latest block's time, Unix seconds: the chain's clock as everybody reads it."""
        return int(self.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def warp(self, timestamp: int) -> None:
        """Mines a block at `timestamp` (Unix seconds). Raises `InvalidInput` where the latest block is not earlier."""
        self.set_next_timestamp(timestamp)
        self.mine()

    def set_next_timestamp(self, timestamp: int) -> None:
        """Gives the next block this time (Unix seconds): the next transaction is mined at exactly that second.

        Raises `InvalidInput` where the latest block is not earlier.
        """
        if timestamp <= (now := self.now()):
            raise InvalidInput(
                f"Time only moves forward: {timestamp} is not later than the latest block's {now}.",
                f"时间只能前进：{timestamp} 不晚于最新区块的 {now}。",
            )
        self.request("evm_setNextBlockTimestamp", timestamp)

    def mine(self, blocks: int = 1) -> None:
        """Mines empty blocks."""
        for _ in range(blocks):
            self.request("evm_mine")

    def snapshot(self) -> str:
        """Remembers the chain as it is; returns a name for `revert`."""
        return str(self.request("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Goes back to a snapshot, which is used up: blocks after it are gone, as after a reorganisation.

        Raises `InvalidInput` where there is no such snapshot any more.
        """
        if not self.request("evm_revert", snapshot):
            raise InvalidInput(
                f"There is no snapshot {snapshot!r} any more: each serves once, and later ones go with it.",
                f"快照 {snapshot!r} 已不存在：每个快照只能用一次，之后的快照也随之失效。",
            )
