"""A client's connection to a node: the only place where the synchronous and the asynchronous way differ."""

import asyncio
import threading
import time
from collections import defaultdict
from typing import Any

from web3 import AsyncWeb3, Web3
from web3.providers.async_base import AsyncJSONBaseProvider
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint

from .errors import InvalidInput
from .transport import answer_of, shown_provider, transport_error


class Connection:
    """Calls. `url` is what messages show of the node.

    Raises:
        InvalidInput: the provider does not speak JSON-RPC.
    """

    def __init__(self, w3: Web3) -> None:
        if not isinstance(w3.provider, JSONBaseProvider):
            raise _no_json_rpc(w3.provider)
        self.w3 = w3
        self.url = shown_provider(w3.provider)
        self.turn = threading.Lock()  # of whoever picks a nonce and sends with it
        self.waiting: defaultdict[str, set[int]] = defaultdict(set)  # by account: nonces sent and not known to be mined

    def request(self, method: str, params: list[Any]) -> Any:
        """The result of a JSON-RPC method, as JSON. Raises `NodeError`.

        Straight from the provider: web3's middleware would look addresses up as names, and pad estimates.
        """
        try:
            response = self.w3.provider.make_request(RPCEndpoint(method), params)
        except Exception as error:
            raise transport_error(error, self.url) from None
        return answer_of(response)

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)


class AsyncConnection:
    """Awaits; otherwise as `Connection`."""

    def __init__(self, w3: AsyncWeb3[Any]) -> None:
        if not isinstance(w3.provider, AsyncJSONBaseProvider):
            raise _no_json_rpc(w3.provider)
        self.w3 = w3
        self.url = shown_provider(w3.provider)
        self.turn = asyncio.Lock()
        self.waiting: defaultdict[str, set[int]] = defaultdict(set)

    async def request(self, method: str, params: list[Any]) -> Any:
        """The result of a JSON-RPC method, as JSON. Raises `NodeError`."""
        try:
            response = await self.w3.provider.make_request(RPCEndpoint(method), params)
        except Exception as error:
            raise transport_error(error, self.url) from None
        return answer_of(response)

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)


def _no_json_rpc(provider: object) -> InvalidInput:
    return InvalidInput(
        f"{type(provider).__name__} does not speak JSON-RPC as nodes do: for an EVM in this process use InProcessNode.",
        f"{type(provider).__name__} 不像节点那样使用 JSON-RPC：要在本进程内运行 EVM，请用 InProcessNode。",
    )
