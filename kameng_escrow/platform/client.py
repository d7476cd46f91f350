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
from .errors import AnswerTooLarge, InvalidUrl, ServiceProblem, ServiceUnreachable
from .operations import AsyncOperations, Operations
from .stream import Lines, StreamEvent
from .wallet import WalletSignIn

QUIET_SECONDS = 45.0  # without a word on a stream, whose service says that it is there every 15 seconds
LARGEST_BYTES = 512 * 1024 * 1024  # of an answer: an order's whole transcript with its files
_CHUNK = 64 * 1024


class _Base:
    def __init__(
        self,
        url: str,
        api_key: str | None,
        wallet: WalletSignIn | None,
        timeout_seconds: float,
        retries: int,
        largest_bytes: int,
    ) -> None:
        if api_key is not None and wallet is not None:
            raise TypeError("api_key or wallet, not both: a service takes the key for who calls")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise InvalidUrl()
        self.url = url.rstrip("/")
        self._headers = {"Accept": "application/json, application/problem+json, */*"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        if wallet is not None:  # a session's writing requests say that they come from no other site
            self._headers["Origin"] = self.url
        self._wallet = wallet
        self._signed_in = False
        self._timeout = timeout_seconds
        self._retries = retries
        self._largest = largest_bytes

    def _ended(self, refusal: ServiceProblem) -> bool:
        """Whether a refusal is over once the wallet has signed in anew: its session has ended."""
        return self._wallet is not None and refusal.status == 401

    def _add(self, body: bytearray, chunk: bytes) -> None:
        """Raises `AnswerTooLarge`."""
        body += chunk
        if len(body) > self._largest:
            raise AnswerTooLarge(self.url, self._largest)


class PlatformClient(_Base, Operations):
    """Calls the service. A context manager: closes its connections. May be used from one thread at a time.

    What fails for a while (429 with its Retry-After, 502 … 504, no answer) is sent again, as long as that does nothing
    twice: POSTs carry an idempotency key, your own or a fresh one.

    Args:
        url: the service's origin.
        api_key: ``kmk_…``; left out, only what is public can be called, or what `session` is signed in for.
        wallet: or whose key signs in, when the first call is made and whenever the session has ended.
        timeout_seconds: for one answer.
        retries: how often a call is sent again.
        largest_bytes: that an answer may have.
        session: a session of ``requests`` of yours: with adapters, certificates, cookies. Stays open.

    Raises:
        InvalidUrl: the URL is none.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        wallet: WalletSignIn | None = None,
        timeout_seconds: float = 30.0,
        retries: int = 4,
        largest_bytes: int = LARGEST_BYTES,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(url, api_key, wallet, timeout_seconds, retries, largest_bytes)
        self._session = session or requests.Session()
        self._own = session is None
        self._sleep = sleep

    def _call(self, call: Call) -> Any:
        """A call's answer, signed in."""
        if self._wallet is None:
            return self._ask(call)
        self._ready()
        try:
            return self._ask(call)
        except ServiceProblem as refusal:
            if not self._ended(refusal):
                raise
        self._sign_in(self._wallet)
        return self._ask(call)

    def _ready(self) -> None:
        if self._wallet is not None and not self._signed_in:
            self._sign_in(self._wallet)

    def _sign_in(self, wallet: WalletSignIn) -> None:
        challenge = self._ask(make_call("POST", "/v1/sign-in/challenge"))
        self._ask(make_call("POST", "/v1/sign-in", body=wallet.answer(self.url, challenge)))
        self._signed_in = True

    def _ask(self, call: Call) -> Any:
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
            with self._session.request(
                call.method,
                self.url + call.target,
                data=call.body,
                headers={**self._headers, **call.headers},
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = bytearray()
                for chunk in response.iter_content(_CHUNK):
                    self._add(body, chunk)
        except requests.RequestException as error:
            return None, type(error).__name__
        return Answer(status=response.status_code, headers=_lower(response.headers), body=bytes(body)), ""

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
        lines, failures, refused = Lines(last_id=last_event_id), 0, False
        path = _stream_path(order_id)
        while True:
            self._ready()
            headers = {**self._headers, **_place(lines)}
            try:
                with self._session.get(
                    self.url + path, headers=headers, stream=True, timeout=(self._timeout, QUIET_SECONDS)
                ) as response:
                    if response.status_code != 200:
                        answer = Answer(
                            status=response.status_code, headers=_lower(response.headers), body=response.content
                        )
                        problem = problem_of(self.url, answer)
                        if refused or not (isinstance(problem, ServiceProblem) and self._ended(problem)):
                            raise problem
                        self._signed_in, refused = False, True  # signs in anew, once
                        continue
                    refused = False
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
        wallet: WalletSignIn | None = None,
        timeout_seconds: float = 30.0,
        retries: int = 4,
        largest_bytes: int = LARGEST_BYTES,
        session: aiohttp.ClientSession | None = None,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        super().__init__(url, api_key, wallet, timeout_seconds, retries, largest_bytes)
        self._session = session
        self._own = session is None
        self._sleep = sleep

    def _open(self) -> aiohttp.ClientSession:
        """Made in the loop that uses it."""
        if self._session is None:  # a service at a numeric address has sessions, too
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=self._wallet is not None))
        return self._session

    async def _call(self, call: Call) -> Any:
        """A call's answer, signed in."""
        if self._wallet is None:
            return await self._ask(call)
        await self._ready()
        try:
            return await self._ask(call)
        except ServiceProblem as refusal:
            if not self._ended(refusal):
                raise
        await self._sign_in(self._wallet)
        return await self._ask(call)

    async def _ready(self) -> None:
        if self._wallet is not None and not self._signed_in:
            await self._sign_in(self._wallet)

    async def _sign_in(self, wallet: WalletSignIn) -> None:
        challenge = await self._ask(make_call("POST", "/v1/sign-in/challenge"))
        await self._ask(make_call("POST", "/v1/sign-in", body=wallet.answer(self.url, challenge)))
        self._signed_in = True

    async def _ask(self, call: Call) -> Any:
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
                body = bytearray()
                async for chunk in response.content.iter_chunked(_CHUNK):
                    self._add(body, chunk)
                return Answer(status=response.status, headers=_lower(response.headers), body=bytes(body)), ""
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
        lines, failures, refused = Lines(last_id=last_event_id), 0, False
        path = _stream_path(order_id)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout, sock_read=QUIET_SECONDS)
        while True:
            await self._ready()
            headers = {**self._headers, **_place(lines)}
            try:
                async with self._open().get(self.url + path, headers=headers, timeout=timeout) as response:
                    if response.status != 200:
                        answer = Answer(
                            status=response.status, headers=_lower(response.headers), body=await response.read()
                        )
                        problem = problem_of(self.url, answer)
                        if refused or not (isinstance(problem, ServiceProblem) and self._ended(problem)):
                            raise problem
                        self._signed_in, refused = False, True  # signs in anew, once
                        continue
                    refused = False
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
