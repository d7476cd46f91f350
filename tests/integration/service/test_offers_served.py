"""A seller's program against a running service: over a socket, signed in with its own key."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

import pytest
import uvicorn
from fastapi.testclient import TestClient

from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.signed import OperatorGrant
from kameng_escrow.domain.states import Right
from kameng_escrow.errors import EscrowError
from kameng_escrow.keyfile import write_key
from kameng_escrow.platform import AsyncPlatformClient, PlatformClient, ServiceProblem, WalletSignIn
from kameng_escrow.service.app import make_app
from kameng_escrow.store.service import accounts
from kameng_escrow.trade.offer_rules import read_rules
from kameng_escrow.trade.offering import AWAY, AtService, Offerer
from kameng_escrow.trade.signed_log import SignedLog

from .conftest import Service
from .test_trade import PRICE, asked, body, follow, listing_of


class Ports:
    """An application that listens on this machine."""

    def __init__(self, make: Callable[[str], Any], *, lifespan: Literal["on", "off"] = "on") -> None:
        """`make`: the application, given the URL that it is going to have."""
        holder = socket.socket()
        holder.bind(("127.0.0.1", 0))
        holder.listen()  # from here on callers wait, and are not turned away
        self.url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        config = uvicorn.Config(make(self.url), log_level="error", lifespan=lifespan)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [holder]}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive()


def serving(service: Service) -> Callable[[str], Any]:
    return lambda url: make_app(replace(service.parts, config=replace(service.parts.config, public_url=url)))


@pytest.fixture
def url(service: Service) -> Iterator[str]:
    with Ports(serving(service)) as ports:
        yield ports.url


@pytest.fixture
def listed(service: Service) -> str:
    """A listing of a seller whose operator may accept; its money goes where the seller registered."""
    world = service.world
    grant = OperatorGrant(rights=int(Right.Accept), expiry=world.now() + 10**6, max_price=10 * PRICE)
    world.send(world.seller, "setOperator", world.operator.address, NATIVE, world.policy_id, grant)
    follow(service)
    seller = service.signed_in(world.seller)
    return str(body(seller.post("/v1/listings", json=listing_of(service)), 201)["id"])


@pytest.fixture
def rules(service: Service, listed: str, tmp_path: Path) -> Path:
    view = body(service.client.get(f"/v1/listings/{listed}"))
    path = tmp_path / "rules.toml"
    path.write_text(
        f"""
chain_id = {service.world.deployment.chain_id}
contract = "{service.world.address}"
seller = "{view["seller"]}"

[[goods]]
listing = "{listed}"
token = "{NATIVE}"
unit_price = "{PRICE}"
policies = ["{view["policy_id"]}"]
max_units = 2
units_per_day = 5
pay_to = "{view["pay_to"]}"
""",
        "utf-8",
    )
    return path


def kameng(folder: Path, *words: str, lang: str = "en") -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KAMENG_")}
    command = [sys.executable, "-c", "from kameng_escrow.cli import main; main()", "offers", *words]
    environment = {**kept, "HOME": str(folder), "KAMENG_LANG": lang}
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


def test_an_operator_s_program_makes_the_offers_that_its_rules_allow(
    service: Service, url: str, listed: str, rules: Path, tmp_path: Path
) -> None:
    buyer: TestClient = service.signed_in(service.world.buyer)
    small, large = (
        body(buyer.post("/v1/quotes", json=asked(service, listed, units=units)), 201)["id"] for units in (2, 3)
    )
    operator = service.world.operator
    wallet = WalletSignIn(account=operator, chain_id=service.world.deployment.chain_id)
    place = PlatformClient(url, wallet=wallet)
    told: list[EscrowError] = []
    with SignedLog(tmp_path / "log") as log:
        works = Offerer(
            service=AtService(place),
            account=operator,
            rules=read_rules(rules),
            log=log,
            on_refused=told.append,
            clock=service.clock,  # the chain's is days ahead of this machine's
        )
        tally = works.run(threading.Event(), once=True)
    place.close()
    assert (tally.made, tally.refused) == (1, 1)
    assert "3 units are too many" in told[0].message
    [offer] = body(buyer.get(f"/v1/quotes/{small}"))["offers"]
    assert offer["operator"] == operator.address
    assert body(buyer.get(f"/v1/quotes/{large}"))["offers"] == []


def test_the_command_signs_in_and_ends_when_there_is_nothing_to_do(
    service: Service, url: str, rules: Path, tmp_path: Path
) -> None:
    write_key(tmp_path / "operator.key", bytes(service.world.operator.key))
    words = ("serve", "--service", url, "--rules", str(rules), "--key-file", str(tmp_path / "operator.key"), "--once")
    done = kameng(tmp_path, *words, "--json")
    assert done.returncode == 0, done.stderr
    found = {"account": service.world.operator.address, "made": 0, "refused": 0, "away": 0}
    assert json.loads(done.stdout) == found
    assert "签署 0 份报价，拒绝 0 份" in kameng(tmp_path, *words, lang="zh").stdout


def test_rules_are_explained(rules: Path, tmp_path: Path, listed: str) -> None:
    done = kameng(tmp_path, "check", "--rules", str(rules))
    assert f"{listed}: {PRICE} base units or more for one, 2 in an order, 5 in 24 hours" in done.stdout
    told: dict[str, Any] = json.loads(kameng(tmp_path, "check", "--rules", str(rules), "--json").stdout)
    assert told["goods"][0]["units_per_day"] == 5


@pytest.mark.parametrize(
    "service_url",
    ["http://shop.example", "ftp://127.0.0.1", "https://", "https://shop.example/v1", "shop.example", "http://[::1"],
)
def test_a_service_is_reached_over_tls_or_on_this_machine(rules: Path, tmp_path: Path, service_url: str) -> None:
    done = kameng(tmp_path, "serve", "--service", service_url, "--rules", str(rules), "--once")
    assert done.returncode == 3
    assert "https://shop.example" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_not_there_says_so(rules: Path, tmp_path: Path, service: Service) -> None:
    write_key(tmp_path / "operator.key", bytes(service.world.operator.key))
    words = ("serve", "--service", "http://127.0.0.1:9", "--key-file", str(tmp_path / "operator.key"), "--once")
    away = kameng(tmp_path, *words, "--rules", str(rules))
    assert away.returncode != 0
    assert "does not answer" in away.stderr
    missing = kameng(tmp_path, *words, "--rules", str(tmp_path / "none.toml"))
    assert "No such file" in missing.stderr


# ---------------------------------------------------------------------------------------------------------- signing in


def client_at(service: Service, url: str, *, chain_id: int | None = None) -> PlatformClient:
    chain_id = chain_id or service.world.deployment.chain_id
    return PlatformClient(url, wallet=WalletSignIn(account=service.world.seller, chain_id=chain_id), retries=0)


def test_a_session_that_has_ended_is_begun_again(service: Service, url: str) -> None:
    with client_at(service, url) as place:
        assert place.who_am_i()["account"] == service.world.seller.address
        with service.store.writing() as session:
            assert accounts.end_sessions(session, account=service.world.seller.address) == 1
        assert place.list_offer_requests(wait=0)["requests"] == []
        with service.store.writing() as session:
            assert accounts.end_sessions(session, account=service.world.seller.address) == 1


def test_a_stream_signs_in_too_and_again(service: Service, url: str) -> None:
    order_id = service.id_of(next(iter(service.orders.values())))
    with client_at(service, url) as place:
        stream = place.events(order_id=order_id, last_event_id="0")
        first = next(stream)
        stream.close()  # type: ignore[attr-defined]  # it is a generator
        with service.store.writing() as session:
            accounts.end_sessions(session, account=service.world.seller.address)
        again = place.events(order_id=order_id, last_event_id="0")
        assert next(again) == first


def test_those_who_await_sign_in_as_well(service: Service, url: str) -> None:
    asyncio.run(_awaited(service, url))


async def _awaited(service: Service, url: str) -> None:
    wallet = WalletSignIn(account=service.world.seller, chain_id=service.world.deployment.chain_id)
    async with AsyncPlatformClient(url, wallet=wallet) as place:
        assert (await place.who_am_i())["account"] == service.world.seller.address
        with service.store.writing() as session:
            accounts.end_sessions(session, account=service.world.seller.address)
        assert (await place.who_am_i())["account"] == service.world.seller.address


def test_a_service_of_another_chain_refuses_and_says_why(service: Service, url: str) -> None:
    with client_at(service, url, chain_id=1) as place, pytest.raises(ServiceProblem) as raised:
        place.list_offer_requests(wait=0)
    assert (raised.value.code, raised.value.status) == ("sign_in_refused", 401)
    assert "chain 1" in raised.value.message


def test_a_service_that_goes_by_another_name_gets_no_signature_for_it(service: Service) -> None:
    """What is signed names the host that was asked, so that it is of no use at another."""
    with (
        Ports(serving(service)) as ports,
        client_at(service, ports.url.replace("127.0.0.1", "localhost")) as place,
        pytest.raises(ServiceProblem, match="it is for localhost"),
    ):
        place.list_offer_requests(wait=0)


def test_what_is_no_service_is_not_believed(service: Service) -> None:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": answers[0]})

    answers = [b"<html>"]
    with Ports(lambda _: app, lifespan="off") as ports, client_at(service, ports.url) as place:
        for answer in (b"<html>", b"[]", b"{}", b'{"nonce": "a\\nURI: https://bank.example"}', b"[" * 100_000):
            answers[0] = answer
            with pytest.raises(AWAY):
                AtService(place).offer_requests(after=None, wait=0)
