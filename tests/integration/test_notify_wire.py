"""Requests to addresses that strangers named, over real sockets, with names that lie."""

import asyncio
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import trustme

from kameng_escrow.notify.wire import Answer, SystemResolver, Wire

from .notify_world import Ear, Heard, listening

METADATA = "169.254.169.254"


class Names:
    """A resolver that says what it is told, one answer after the other, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def addresses(self, _host: str, _port: int) -> list[str]:
        self.asked += 1
        answer = self.answers[min(self.asked, len(self.answers)) - 1]
        if not answer:
            raise OSError("no such name")
        return answer


def post(url: str, **options: Any) -> Answer:
    return posts(url, 1, **options)[0]


def posts(url: str, times: int, **options: Any) -> list[Answer]:
    async def send() -> list[Answer]:
        wire = Wire(**{"timeout_seconds": 5.0, **options})
        try:
            return [await wire.post(url, b"{}", {}) for _ in range(times)]
        finally:
            await wire.close()

    return asyncio.run(send())


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_ear(authority: trustme.CA) -> Iterator[Ear]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.example.com").configure_cert(context)
    with listening(context) as ear:
        yield ear


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def of(name: str, ear: Ear) -> str:
    return f"https://{name}:{ear.url.rpartition(':')[2]}/hook"


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["10.0.0.1"],
        [METADATA],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["fe80::1%lo"],
        ["93.184.216.34", "127.0.0.1"],  # one that is well, and one that is a trap
    ],
)
def test_names_that_lead_inside_are_not_called(ear: Ear, addresses: list[str]) -> None:
    answer = post(of("hooks.example.com", ear), resolver=Names(addresses))
    assert (answer.status, answer.error) == (None, "forbidden")
    assert ear.heard == []


def test_a_name_that_changes_its_mind_is_looked_at_each_time(tls_ear: Ear, authority: trustme.CA) -> None:
    """Rebinding: what was well when it was asked first leads inside the next time."""
    names = Names(["127.0.0.1"], [METADATA])
    options = {"resolver": names, "loopback": True, "tls": trusting(authority)}
    tls_ear.always(200, Connection="close")
    first, second = posts(of("hooks.example.com", tls_ear), 2, **options)
    assert (first.status, second.error) == (200, "forbidden")
    assert names.asked == 2
    assert len(tls_ear.heard) == 1


def test_the_address_that_was_looked_at_is_the_one_that_is_called(tls_ear: Ear, authority: trustme.CA) -> None:
    """Nobody is asked again between the look and the call; host and certificate stay the name's."""
    names = Names(["127.0.0.1"], [])
    answer = post(of("hooks.example.com", tls_ear), resolver=names, loopback=True, tls=trusting(authority))
    assert answer.taken
    assert names.asked == 1
    assert tls_ear.heard[0].headers["host"].startswith("hooks.example.com:")


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/",
        "https://[::1]:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://2130706433:{port}/",
        "https://127.1:{port}/",
        "https://0x7f.0.0.1:{port}/",
        "https://0177.0.0.1:{port}/",
        "https://localhost:{port}/",
        "http://93.184.216.34:{port}/",
        "https://user@93.184.216.34:{port}/",
    ],
)
def test_this_machine_by_any_other_name(ear: Ear, url: str) -> None:
    """With the system's own resolver, which understands old ways of writing numbers."""
    answer = post(url.format(port=ear.url.rpartition(":")[2]))
    assert (answer.status, answer.error) == (None, "forbidden")
    assert ear.heard == []


def test_sockets_look_for_themselves(ear: Ear) -> None:
    """Whatever a resolver lets through: no socket is opened to where nothing is to go."""
    wire_options: dict[str, Any] = {"resolver": Names(["127.0.0.1"])}

    async def send() -> Answer:
        wire = Wire(**wire_options)
        connector: Any = wire._session.connector
        connector._resolver._may = lambda _: True
        try:
            return await wire.post(of("hooks.example.com", ear), b"", {})
        finally:
            await wire.close()

    assert asyncio.run(send()).error == "forbidden"
    assert ear.heard == []


def test_a_name_without_addresses(ear: Ear) -> None:
    assert post(of("hooks.example.com", ear), resolver=Names([])).error == "dns"


@pytest.mark.parametrize("error", [UnicodeError("label too long"), ValueError("no address"), OSError("no such name")])
def test_a_name_that_no_resolver_can_make_anything_of(ear: Ear, error: Exception) -> None:
    class Baffled:
        async def addresses(self, _host: str, _port: int) -> list[str]:
            raise error

    assert post(of("hooks.example.com", ear), resolver=Baffled()).error == "dns"


@pytest.mark.parametrize("name", ["a..b.com", "a" * 64 + ".com"])
def test_the_system_s_resolver_says_that_it_is_no_name(name: str) -> None:
    with pytest.raises(OSError, match="is no name"):
        asyncio.run(SystemResolver().addresses(name, 443))


def test_certificates_are_looked_at(tls_ear: Ear, authority: trustme.CA) -> None:
    options = {"resolver": Names(["127.0.0.1"]), "loopback": True}
    assert post(of("hooks.example.com", tls_ear), **options).error == "tls"
    assert post(of("other.example.com", tls_ear), tls=trusting(authority), **options).error == "tls"
    assert tls_ear.heard == []


def test_redirects_proxies_cookies_and_credentials_have_no_say(
    ear: Ear, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password word\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    ear.always(302, Location="/elsewhere", Set_Cookie="a=b")
    first, second = posts(f"{ear.url}/hook", 2, loopback=True)
    assert (first.status, second.status) == (302, 302)
    assert [one.path for one in ear.heard] == ["/hook", "/hook"]
    assert not any({"cookie", "authorization"} & one.headers.keys() for one in ear.heard)


@pytest.mark.parametrize("kind", ["endless", "dripping"])
def test_an_answer_without_end_ends(kind: str) -> None:
    """Only a little is read, and only for a while."""

    async def serve() -> Answer:
        left = asyncio.Event()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
                while True:
                    writer.write(b"5\r\nhello\r\n" * (1_000 if kind == "endless" else 1))
                    await writer.drain()
                    await asyncio.sleep(0 if kind == "endless" else 0.05)
            writer.close()
            left.set()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        wire = Wire(loopback=True, timeout_seconds=1.0)
        try:
            return await wire.post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", b"", {})
        finally:
            await wire.close()
            await left.wait()
            server.close()
            await server.wait_closed()

    began = time.monotonic()
    answer = asyncio.run(serve())
    assert answer.taken
    assert time.monotonic() - began < 5


def test_a_receiver_that_never_answers_is_left(ear: Ear) -> None:
    def answer(_: Heard) -> tuple[int, dict[str, str]]:
        time.sleep(1.5)
        return 200, {}

    ear.answer = answer
    assert post(ear.url, loopback=True, timeout_seconds=0.2).error == "timeout"
