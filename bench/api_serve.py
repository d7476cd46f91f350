"""A served API, as whoever runs it would: `kameng serve --only api`, and people who sign in there."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any

import psutil
import requests
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.deployments import Deployment, save_deployment

from .api_load import Caller
from .api_store import PLATFORMS, Signers, person

COMMAND = (sys.executable, "-c", "from kameng_escrow.cli import main; main()", "serve", "--only", "api")
RATE_LIMIT = 60_000  # requests a minute of a caller: KAMENG_RATE_LIMIT, so that the load is not refused
_MESSAGE = """{domain} wants you to sign in with your Ethereum account:
{address}

{statement}

URI: {uri}
Version: {version}
Chain ID: {chain_id}
Nonce: {nonce}
Issued At: {issued_at}
Expiration Time: {expiration_time}"""  # EIP-4361; the library that makes it takes longer than the signing
_UP_SECONDS = 60.0
_PAGES = 10  # of its list that a caller looks through beforehand


@dataclass(frozen=True, slots=True)
class Served:
    """A process that answers."""

    url: str
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """User and system time of the process so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def peak_mb(self) -> float:
        return float(self.process.memory_info().rss) / 2**20


@contextmanager
def served(store_url: str, node_url: str, deployment: Deployment, folder: Path) -> Iterator[Served]:
    """`kameng serve` on a store. All that is set is what the manual's page of settings has."""
    port = free_port()
    save_deployment(deployment, folder / "deployments")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("KAMENG_")},
        "KAMENG_RPC_URL": node_url,
        "KAMENG_DEPLOYMENTS": str(folder / "deployments"),
        "KAMENG_STORE": store_url,
        "KAMENG_FILES": str(folder / "files"),
        "KAMENG_LISTEN": f"127.0.0.1:{port}",
        "KAMENG_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "KAMENG_PROXIES": "1",  # the load comes as from a reverse proxy, which says whose requests they are
        "KAMENG_RATE_LIMIT": str(RATE_LIMIT),
        "KAMENG_LANG": "en",
    }
    with running(COMMAND, f"http://127.0.0.1:{port}", "/healthz", environment) as one:
        yield one


@contextmanager
def running(
    command: Sequence[str], url: str, path: str, environment: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """A process, from when it answers to a polite end."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _await(process, url + path)
        yield Served(url, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _await(process: "subprocess.Popen[str]", url: str) -> None:
    ends = time.monotonic() + _UP_SECONDS
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended: {process.communicate()[1]}")
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}")


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def callers(url: str, signers: Signers) -> list[Caller]:
    """Everybody who can sign in, signed in: sellers and buyers with sessions, platforms with keys."""
    found = []
    kinds = (("platform", PLATFORMS), ("seller", signers.sellers), ("buyer", signers.buyers))
    for place, (kind, count) in enumerate(kinds):
        for number in range(count):
            address = f"10.{place}.{number // 250}.{number % 250 + 1}"
            found.append(_signed_in(url, kind, number, person(kind, number), address))
    return found


def _signed_in(url: str, kind: str, number: int, who: LocalAccount, address: str) -> Caller:
    with requests.Session() as browser:
        browser.headers.update({"Origin": url, "X-Forwarded-For": address})
        asked = _answer(browser.post(f"{url}/v1/sign-in/challenge", timeout=30))
        message = _MESSAGE.format(address=who.address, **asked)
        signature = "0x" + bytes(who.sign_message(encode_defunct(text=message)).signature).hex()
        sent = browser.post(f"{url}/v1/sign-in", json={"message": message, "signature": signature}, timeout=30)
        _answer(sent)
        headers = {"X-Forwarded-For": address, "Cookie": f"kameng={sent.cookies['kameng']}"}
        if kind == "platform":
            key = {"name": "load", "scopes": ["orders:read"]}
            made = _answer(browser.post(f"{url}/v1/api-keys", json=key, timeout=30))
            headers = {"X-Forwarded-For": address, "Authorization": f"Bearer {made['secret']}"}
        orders: list[str] = []
        cursors: list[str] = []
        query: dict[str, Any] = {"limit": 50}
        for _ in range(_PAGES):
            page = _answer(browser.get(f"{url}/v1/orders", params=query, timeout=30))
            orders += [one["order_id"] for one in page["orders"]]
            if page["cursor"] is None:
                break
            query["cursor"] = page["cursor"]
            cursors.append(page["cursor"])
        return Caller(kind, number, headers, orders if kind != "platform" else (), cursors)


def _answer(response: requests.Response) -> dict[str, Any]:
    if not response.ok:
        raise RuntimeError(
            f"{response.request.method} {response.request.path_url}: {response.status_code} {response.text}"
        )
    answer: dict[str, Any] = response.json()
    return answer
