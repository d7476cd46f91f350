"""The two clients: the same operations, called or awaited."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import requests

from . import types
from .calls import Answer, Call, make_call, problem_of, read_answer, wait_before_again
from .errors import InvalidUrl, ServiceUnreachable
from .operations import AsyncOperations, Operations
from .stream import Lines, StreamEvent

QUIET_SECONDS = 45.0  # without a word on a stream, whose service says that it is there every 15 seconds


class _Base:
    def __init__(self, url: str, api_key: str | None, timeout_seconds: float, retries: int) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise InvalidUrl()
        self.url = url.rstrip("/")
        self._headers = {"Accept": "application/json, application/problem+json, */*"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._timeout = timeout_seconds
        self._retries = retries


class PlatformClient(_Base, Operations):
    """Calls the service. A context manager: closes its connections. May be used from one thread at a time.

    What fails for a while (429 with its Retry-After, 502 … 504, no answer) is sent again, as long as that does nothing
    twice: POSTs carry an idempotency key, your own or a fresh one.

    Args:
        url: the service's origin.
        api_key: ``kmk_…``; left out, only what is public can be called, or what `session` is signed in for.
        timeout_seconds: for one answer.
        retries: how often a call is sent again.
        session: a session of ``requests`` of yours: with adapters, certificates, cookies. Stays open.

    Raises:
        InvalidUrl: the URL is none.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout_seconds: float = 30.0,
        retries: int = 4,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(url, api_key, timeout_seconds, retries)
        self._session = session or requests.Session()
        self._own = session is None
        self._sleep = sleep

    def _call(self, call: Call) -> Any:
        attempt = 0
        while True:
            attempt += 1
            answer, failure = self._send(call)
            wait = wait_before_again(call, answer, attempt, self._retries)
            if wait is None:
                if answer is None:
                    raise ServiceUnreachable(self.url, failure)
                return read_answer(self.url, call, answer)
            self._sleep(wait)

    def _send(self, call: Call) -> tuple[Answer | None, str]:
        try:
            response = self._session.request(
                call.method,
                self.url + call.target,
                data=call.body,
                headers={**self._headers, **call.headers},
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return None, type(error).__name__
        return Answer(status=response.status_code, headers=_lower(response.headers), body=response.content), ""

    def orders(self, **filters: Any) -> Iterator[types.OrderView]:
        """The caller's orders, page after page; `filters` as of `list_orders`."""
        yield from self.pages(self.list_orders, "orders", **filters)

    def pages(self, operation: Callable[..., Any], items: str, *args: Any, **filters: Any) -> Iterator[Any]:
        """Everything that an operation lists, page after page: ``pages(client.list_quotes, "quotes")``."""
        cursor: str | None = None
        while True:
            page = operation(*args, **filters, cursor=cursor)
            yield from page[items]
            cursor = page["cursor"]
            if cursor is None:
                return

    def events(self, *, order_id: str | None = None, last_event_id: str | None = None) -> Iterator[StreamEvent]:
        """What happens to the caller's orders, or to one, for ever: a stream that ends is taken up where it was.

        Raises:
            PlatformError: the service refuses, or is away for longer than calls are sent again.
        """
        lines, failures = Lines(last_id=last_event_id), 0
        path = _stream_path(order_id)
        while True:
            headers = {**self._headers, **_place(lines)}
            try:
                with self._session.get(
                    self.url + path, headers=headers, stream=True, timeout=(self._timeout, QUIET_SECONDS)
                ) as response:
                    if response.status_code != 200:
                        answer = Answer(
                            status=response.status_code, headers=_lower(response.headers), body=response.content
                        )
                        raise problem_of(self.url, answer)
                    for line in response.iter_lines(chunk_size=1, decode_unicode=True):
                        failures = 0
                        yield from lines.read(line)
            except requests.RequestException as error:
                failures += 1
                if failures > self._retries:
                    raise ServiceUnreachable(self.url, type(error).__name__) from None
            self._sleep(lines.retry_seconds)

    def close(self) -> None:
        """Lets go of the connections that are the client's own. May be called twice."""
        if self._own:
            self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncPlatformClient(_Base, AsyncOperations):
    """`PlatformClient` with every operation awaited, and `orders`, `pages` and `events` for ``async for``. An
    asynchronous context manager; `session` is one of ``aiohttp``.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout_seconds: float = 30.0,
        retries: int = 4,
        session: aiohttp.ClientSession | None = None,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        super().__init__(url, api_key, timeout_seconds, retries)
        self._session = session
        self._own = session is None
        self._sleep = sleep

    def _open(self) -> aiohttp.ClientSession:
        """Made in the loop that uses it."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    async def _call(self, call: Call) -> Any:
        attempt = 0
        while True:
            attempt += 1
            answer, failure = await self._send(call)
            wait = wait_before_again(call, answer, attempt, self._retries)
            if wait is None:
                if answer is None:
                    raise ServiceUnreachable(self.url, failure)
                return read_answer(self.url, call, answer)
            await self._sleep(wait)

    async def _send(self, call: Call) -> tuple[Answer | None, str]:
        try:
            async with self._open().request(
                call.method,
                self.url + call.target,
                data=call.body,
                headers={**self._headers, **call.headers},
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                allow_redirects=False,
            ) as response:
                body = await response.read()
                return Answer(status=response.status, headers=_lower(response.headers), body=body), ""
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return None, type(error).__name__

    async def orders(self, **filters: Any) -> AsyncIterator[types.OrderView]:
        """The caller's orders, page after page; `filters` as of `list_orders`."""
        async for order in self.pages(self.list_orders, "orders", **filters):
            yield order

    async def pages(
        self, operation: Callable[..., Coroutine[Any, Any, Any]], items: str, *args: Any, **filters: Any
    ) -> AsyncIterator[Any]:
        """Everything that an operation lists, page after page."""
        cursor: str | None = None
        while True:
            page = await operation(*args, **filters, cursor=cursor)
            for item in page[items]:
                yield item
            cursor = page["cursor"]
            if cursor is None:
                return

    async def events(
        self, *, order_id: str | None = None, last_event_id: str | None = None
    ) -> AsyncIterator[StreamEvent]:
        """What happens to the caller's orders, or to one, for ever: a stream that ends is taken up where it was.

        Raises:
            PlatformError: the service refuses, or is away for longer than calls are sent again.
        """
        lines, failures = Lines(last_id=last_event_id), 0
        path = _stream_path(order_id)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout, sock_read=QUIET_SECONDS)
        while True:
            headers = {**self._headers, **_place(lines)}
            try:
                async with self._open().get(self.url + path, headers=headers, timeout=timeout) as response:
                    if response.status != 200:
                        answer = Answer(
                            status=response.status, headers=_lower(response.headers), body=await response.read()
                        )
                        raise problem_of(self.url, answer)
                    async for line in response.content:
                        failures = 0
                        for event in lines.read(line.decode("utf-8").rstrip("\r\n")):
                            yield event
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                failures += 1
                if failures > self._retries:
                    raise ServiceUnreachable(self.url, type(error).__name__) from None
            await self._sleep(lines.retry_seconds)

    async def close(self) -> None:
        """Lets go of the connections that are the client's own. May be called twice."""
        if self._own and self._session is not None:
            await self._session.close()
            self._session = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _stream_path(order_id: str | None) -> str:
    return "/v1/stream" if order_id is None else make_call("GET", "/v1/orders/{}/stream", order_id).path


def _place(lines: Lines) -> dict[str, str]:
    return {} if lines.last_id is None else {"Last-Event-ID": lines.last_id}


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
