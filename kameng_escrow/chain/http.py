"""web3's way to a node over HTTP: one connection pool, one attempt, one timeout, closed when told.

web3's own providers keep a pool a thread that nobody can close, and repeat requests without being asked.
"""

from typing import Any, cast

import aiohttp
import orjson
from web3.providers.rpc import AsyncHTTPProvider, HTTPProvider
from web3.types import RPCEndpoint, RPCResponse

from .posts import HEADERS, open_session, post, says_why


class HttpProvider(HTTPProvider):
    """For `Web3`. Raises what requests raises, and `ValueError` for an answer that is no JSON."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        super().__init__(url, exception_retry_configuration=None)
        self.url = url
        self.timeout_seconds = timeout_seconds
        self._session = open_session()

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        return cast(RPCResponse, self._post(self.encode_rpc_request(method, params)))

    def make_batch_request(self, batch_requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse] | RPCResponse:
        return cast(list[RPCResponse], self._post(self.encode_batch_rpc_request(batch_requests)))

    def _post(self, body: bytes) -> Any:
        return post(self._session, self.url, body, self.timeout_seconds)

    def close(self) -> None:
        """Closes the connections; the next request opens new ones."""
        self._session.close()


class AsyncHttpProvider(AsyncHTTPProvider):
    """For `AsyncWeb3`. Raises what aiohttp raises, and `ValueError` for an answer that is no JSON."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        super().__init__(url, exception_retry_configuration=None)
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None  # belongs to the event loop of the first request

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        return cast(RPCResponse, await self._post(self.encode_rpc_request(method, params)))

    async def make_batch_request(
        self, batch_requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        return cast(list[RPCResponse], await self._post(self.encode_batch_rpc_request(batch_requests)))

    async def _post(self, body: bytes) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, headers=HEADERS)
        async with self._session.post(self._url, data=body, allow_redirects=False) as response:
            content = await response.read()
            if not says_why(response.status, content):
                response.raise_for_status()
            return orjson.loads(content)

    async def disconnect(self) -> None:
        """Closes the connections; the next request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
