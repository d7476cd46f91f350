"""Requests to addresses that strangers named: no redirects, no proxies, no cookies, little time, little read.

A name is resolved by us, every address that it gave is looked at, and one of those is connected to: nobody gets to
answer differently the second time. The socket looks once more, so that whatever happens above it, none is opened to
where we don't go.
"""

import asyncio
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from .addresses import check_url, is_loopback, is_public
from .errors import AddressForbidden

USER_AGENT = "kameng-escrow"
INTERNAL = "internal"  # the error of an attempt that failed by a mistake of ours
_MOST_READ = 4_096  # bytes of an answer, so that its connection can be used again


class Resolver(Protocol):
    """Who knows the addresses of a name."""

    async def addresses(self, host: str, port: int) -> list[str]:
        """IP addresses as text. Raises `OSError` where there are none."""
        ...


class SystemResolver:
    """The machine's own, as every other program's."""

    async def addresses(self, host: str, port: int) -> list[str]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError:  # no name at all; that is a `ValueError`, which connectors do not expect
            raise OSError(f"{host} is no name") from None
        return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a request."""

    status: int | None  # of HTTP; None: no answer
    error: str | None  # why there was none: "timeout", "connection", "tls", "dns", "forbidden", "answer", "internal"
    retry_after: str | None  # the header, as it came
    took_ms: int

    @property
    def ours(self) -> bool:
        """Whether it failed before anything was sent, by a mistake of ours: that says nothing about the receiver."""
        return self.error == INTERNAL

    @property
    def taken(self) -> bool:
        """Whether the receiver has it: any 2xx."""
        return self.status is not None and 200 <= self.status < 300


class Wire:
    """Sends requests. Belongs to one event loop; `close` it there.

    Args:
        loopback: whether this machine's own addresses are allowed: for a local chain only.
        resolver: of names.
        connections: at once, all in all.
        timeout_seconds: for all of a request; the spec recommends 15 to 30.
        tls: an `ssl.SSLContext` other than the system's.
    """

    def __init__(
        self,
        *,
        loopback: bool = False,
        resolver: Resolver | None = None,
        connections: int = 64,
        timeout_seconds: float = 20.0,
        tls: Any = True,
    ) -> None:
        self._loopback = loopback
        connector = aiohttp.TCPConnector(
            resolver=_Guarded(resolver or SystemResolver(), self._may),
            socket_factory=self._socket,
            use_dns_cache=False,
            limit=connections,
            ssl=tls,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=timeout_seconds, connect=min(10.0, timeout_seconds)),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends a body; never raises for what the other side does."""
        began = time.monotonic()

        def answer(status: int | None, error: str | None, retry_after: str | None = None) -> Answer:
            took = int(1_000 * (time.monotonic() - began))
            return Answer(status=status, error=error, retry_after=retry_after, took_ms=took)

        try:
            check_url(url, loopback=self._loopback)
            own = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
            async with self._session.post(
                url, data=body, headers={**own, **headers}, allow_redirects=False
            ) as response:
                await response.content.read(_MOST_READ)
                return answer(response.status, None, response.headers.get("Retry-After"))
        except AddressForbidden:
            return answer(None, "forbidden")
        except TimeoutError:
            return answer(None, "timeout")
        except aiohttp.ClientSSLError:
            return answer(None, "tls")
        except aiohttp.ClientConnectorDNSError as error:
            return answer(None, "forbidden" if isinstance(error.os_error, _Forbidden) else "dns")
        except aiohttp.ClientConnectorError as error:
            return answer(None, "forbidden" if isinstance(error.os_error, _Forbidden) else "connection")
        except aiohttp.InvalidURL:
            return answer(None, "forbidden")
        except aiohttp.ClientPayloadError:
            return answer(None, "answer")
        except (aiohttp.ClientError, OSError):
            return answer(None, "connection")
        except ValueError:  # a name or an address that some library can make nothing of
            return answer(None, "dns")

    async def close(self) -> None:
        """Ends all connections."""
        await self._session.close()

    def _may(self, address: str) -> bool:
        return is_public(address) or (self._loopback and is_loopback(address))

    def _socket(self, info: Any) -> socket.socket:
        family, kind, protocol, _, place = info
        if not self._may(str(place[0])):
            raise _Forbidden(f"not an address of the open internet: {place[0]}")
        return socket.socket(family, kind, protocol)


class _Forbidden(OSError):
    """An address that we don't connect to. An `OSError`, since that is what a connector expects of a socket."""


class _Guarded(AbstractResolver):
    """Gives a name's addresses only if all of them may be called: a name with one that may not is a trap."""

    def __init__(self, resolver: Resolver, may: Any) -> None:
        self._resolver = resolver
        self._may = may

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: int = socket.AF_UNSPEC,  # noqa: ARG002 - its name is the connector's; we want every address
    ) -> list[ResolveResult]:
        found = await self._resolver.addresses(host, port)
        if not found:
            raise OSError(f"{host} has no address")
        if not all(self._may(address) for address in found):
            raise _Forbidden(f"{host} leads to addresses that are not of the open internet")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        pass
