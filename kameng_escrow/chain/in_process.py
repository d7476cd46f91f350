"""A chain inside this process, on py-evm; optionally served over HTTP for a browser wallet."""

import asyncio
import json
from contextlib import AbstractContextManager
from typing import Any, cast

from web3 import AsyncWeb3, Web3
from web3.providers.async_base import AsyncJSONBaseProvider
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from .dev_accounts import dev_account
from .evm import Clock, Evm
from .evm_rpc import EvmRpc
from .nodes import LOCAL_CHAIN_ID, LocalNode
from .rpc_server import serve

__all__ = ["Clock", "InProcessNode"]


class InProcessNode(LocalNode):
    """An EVM in this process: nothing to install, gone with the process. Safe to use from several threads.

    Args:
        chain_id: what the chain calls itself.
        accounts: how many funded accounts it has, the well-known ones of Anvil and Hardhat.
        clock: whether blocks take the machine's time (`Clock.Real`) or only what they are given (`Clock.Manual`).
        genesis_timestamp: the first block's time, Unix seconds; left out, the machine's.
    """

    def __init__(
        self,
        *,
        chain_id: int = LOCAL_CHAIN_ID,
        accounts: int = 10,
        clock: Clock = Clock.Manual,
        genesis_timestamp: int | None = None,
    ) -> None:
        self.accounts = tuple(dev_account(index) for index in range(accounts))
        funded = [bytes.fromhex(account.address[2:]) for account in self.accounts]
        evm = Evm(chain_id=chain_id, funded=funded, clock=clock, genesis_timestamp=genesis_timestamp)
        self._rpc = EvmRpc(evm, self.accounts, clock)
        self._w3 = Web3(_Provider(self._rpc))

    @property
    def w3(self) -> Web3:
        """For synchronous use."""
        return self._w3

    def async_w3(self) -> AsyncWeb3[Any]:
        """For asynchronous use. Nothing needs to be disconnected."""
        return AsyncWeb3(_AsyncProvider(self._rpc))

    def serve(self, host: str = "127.0.0.1", port: int = 8545) -> AbstractContextManager[str]:
        """Answers JSON-RPC over HTTP in a thread until the context ends; the context's value is the URL.

        Port 0: any free one. Any web page may ask, as wallets need.

        Raises:
            NodeError: the port is taken, or the host is not one of this machine's.
        """
        return serve(self._rpc.respond, host, port)


class _Provider(JSONBaseProvider):
    """web3's way to the chain; through JSON, so that both ends see just what they would over HTTP."""

    def __init__(self, rpc: EvmRpc) -> None:
        super().__init__()
        self._rpc = rpc

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        return cast(RPCResponse, json.loads(self._rpc.respond(self.encode_rpc_request(method, params))))

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse] | RPCResponse:
        return cast(list[RPCResponse], json.loads(self._rpc.respond(self.encode_batch_rpc_request(requests))))


class _AsyncProvider(AsyncJSONBaseProvider):
    """As `_Provider`, in a thread, so that the event loop goes on while the EVM works."""

    def __init__(self, rpc: EvmRpc) -> None:
        super().__init__()
        self._rpc = rpc

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        return cast(RPCResponse, await self._respond(self.encode_rpc_request(method, params)))

    async def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse] | RPCResponse:
        return cast(list[RPCResponse], await self._respond(self.encode_batch_rpc_request(requests)))

    async def _respond(self, body: bytes) -> Any:
        return json.loads(await asyncio.to_thread(self._rpc.respond, body))

    async def disconnect(self) -> None:
        """There is no connection."""
