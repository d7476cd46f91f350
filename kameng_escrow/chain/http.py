"""web3's way to a node over HTTP: one connection pool, one attempt, one timeout, closed when told.

web3's own providers keep a pool a thread that nobody can close, and repeat requests without being asked.
"""

from typing import Any, cast

import aiohttp
import orjson
import requests
import urllib3
from web3.providers.rpc import AsyncHTTPProvider, HTTPProvider
from web3.types import RPCEndpoint, RPCResponse

_HEADERS = {"Content-Type": "application/json", "User-Agent": "kameng-escrow"}


class HttpProvider(HTTPProvider):
    """For `Web3`. Raises what requests raises, and `ValueError` for an answer that is no JSON."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        super().__init__(url, exception_retry_configuration=None)
        self._url = url
        self._timeout = timeout_seconds
        self._session = requests.Session()
        self._session.headers.update(_HEADERS)

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        return cast(RPCResponse, self._post(self.encode_rpc_request(method, params)))

    def make_batch_request(self, batch_requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse] | RPCResponse:
        return cast(list[RPCResponse], self._post(self.encode_batch_rpc_request(batch_requests)))

    def _post(self, body: bytes) -> Any:
        # A redirect could carry the key in the URL elsewhere.
        with self._session.post(
            self._url, data=body, timeout=self._timeout, allow_redirects=False, stream=True
        ) as response:
            content = _content(response)
            if not _says_why(response.status_code, content):
                response.raise_for_status()
            return orjson.loads(content)

    def close(self) -> None:
        """Closes the connections; the next request opens new ones."""
        self._session.close()


def _content(response: requests.Response) -> bytes:
    """The body in one piece: requests itself puts it together from thousands, which takes longer than to parse it."""
    try:
        content: bytes = response.raw.read(decode_content=True)
    except urllib3.exceptions.TimeoutError as error:
        raise requests.ReadTimeout(error) from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(error) from error
    return content


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
            self._session = aiohttp.ClientSession(timeout=self._timeout, headers=_HEADERS)
        async with self._session.post(self._url, data=body, allow_redirects=False) as response:
            content = await response.read()
            if not _says_why(response.status, content):
                response.raise_for_status()
            return orjson.loads(content)

    async def disconnect(self) -> None:
        """Closes the connections; the next request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _says_why(status: int, content: bytes) -> bool:
    """Whether an answer with an error status is JSON-RPC all the same, which tells more than the status."""
    if status < 400 or not content.lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(orjson.loads(content).get("error"), dict)
    except ValueError:
        return False
