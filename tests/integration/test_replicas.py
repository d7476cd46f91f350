"""The service in several processes on one PostgreSQL, as it is run for many: whoever is asked, it is one service."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
import pytest
from eth_account.signers.local import LocalAccount

from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Book, Store, leaders

from . import keepers
from .escrow_world import MINUTE, EscrowWorld
from .notify_world import listening
from .service.conftest import message_of, sign
from .serving import environment_of, free_port, get, served

WAIT_SECONDS = 60.0  # for what must come; a busy machine is slow
until = partial(keepers.until, pause_seconds=0.2)  # as often as people look: each look is two requests or four


class Household:
    """The processes: two mirrors, two APIs, a keeper, a notifier."""

    def __init__(self, world: EscrowWorld, environment: dict[str, str], stack: ExitStack) -> None:
        self.world = world
        self._stack = stack
        self._environment = environment
        self.store = stack.enter_context(Store.open(environment["KAMENG_STORE"]))
        self.mirrors = [self._start("--only", "mirror,stock")]
        until(self._is_mirrored)
        self.mirrors.append(self._start("--only", "mirror,stock"))
        self.replicas = []
        for _ in range(2):
            listen = {"KAMENG_LISTEN": f"127.0.0.1:{free_port()}"}
            self._start("--only", "api", **listen)
            self.replicas.append({**environment, **listen})
        self._start("--only", "keeper", KAMENG_KEY_FILE=environment["KEEPER_KEY"])
        self._start("--only", "notifier")
        until(lambda: all(get(replica, "/readyz")[0] == 200 for replica in self.replicas))

    def _start(self, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        return self._stack.enter_context(served({**self._environment, **more}, *arguments))

    def _is_mirrored(self) -> bool:
        try:
            Book(self.store, self.world.deployment.chain_id, self.world.address)
        except EscrowError:
            return False
        return True

    def writing_mirror(self) -> int:
        """The process that has the mirror's place."""
        [term] = [term for term in leaders(self.store) if term.role == "mirror"]
        return int(term.holder.rpartition(":")[2])

    def browser(self, replica: int, token: str | None = None) -> httpx2.Client:
        """Somebody's browser that has come to one of the APIs."""
        headers = {"Origin": self._environment["KAMENG_PUBLIC_URL"]}
        if token is not None:
            headers["Cookie"] = f"kameng={token}"
        url = f"http://{self.replicas[replica]['KAMENG_LISTEN']}"
        return self._stack.enter_context(httpx2.Client(base_url=url, headers=headers, timeout=WAIT_SECONDS))

    def sign_in(self, who: LocalAccount, replica: int) -> str:
        """The token of a session that was begun at one of the APIs."""
        browser = self.browser(replica)
        message = message_of(browser.post("/v1/sign-in/challenge").json(), who.address)
        answer = browser.post("/v1/sign-in", json={"message": message, "signature": sign(who, message)})
        assert answer.status_code == 200, answer.text
        return str(answer.cookies["kameng"])


@pytest.fixture
def household(anvil_world: EscrowWorld, postgres_url: str, tmp_path: Path) -> Iterator[Household]:
    environment = environment_of(anvil_world, tmp_path, postgres_url)
    environment |= {"KAMENG_WEBHOOK_LOOPBACK": "yes", "KEEPER_KEY": str(tmp_path / "keeper.key")}
    with ExitStack() as stack:
        yield Household(anvil_world, environment, stack)


@contextmanager
def stream(browser: httpx2.Client, path: str) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    """What a stream tells, from its greeting on."""
    with browser.stream("GET", path) as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith(":")) == ": hello"
        yield _events(lines)


def _events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    kind = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)


def states_at(browsers: Sequence[httpx2.Client], *order_ids: str) -> list[str | None]:
    """The orders' states as each says; None where it knows no such order."""
    answers = [browser.get(f"/v1/orders/{order_id}") for browser in browsers for order_id in order_ids]
    return [answer.json().get("state") for answer in answers]


def test_several_replicas_are_one_service(household: Household) -> None:
    world = household.world
    tokens = {who: household.sign_in(getattr(world, who), 0) for who in ("buyer", "seller")}
    buyers = [household.browser(replica, tokens["buyer"]) for replica in (0, 1)]
    sellers = [household.browser(replica, tokens["seller"]) for replica in (0, 1)]

    # A session that began at one is one at the other, too.
    assert [browser.get("/v1/me").json()["account"] for browser in buyers] == [world.buyer.address] * 2

    with listening() as ear:
        wanted = {"events": ["order.opened", "order.closed"], "delivery": "instant", "purpose": "inform"}
        assert sellers[1].post("/v1/webhooks", json={"url": ear.url, **wanted}).status_code == 201

        # What the chain says both say.
        first = world.id_of(world.opened())
        until(lambda: states_at(buyers, first) == ["Opened"] * 2)

        # What is said at one is heard at the other, and said once however often and wherever it is sent.
        room = f"/v1/orders/{first}/room/messages"
        with stream(buyers[1], f"/v1/orders/{first}/stream") as heard:
            said = _say(sellers[0], room)
            [told] = islice((data for kind, data in heard if kind == "room"), 1)
        assert told["order_id"] == first
        again = _say(sellers[1], room)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert (again.status_code, again.json()) == (said.status_code, said.json())
        texts = [entry["body"]["text"] for entry in _entries(buyers[1], first) if "text" in (entry["body"] or {})]
        assert texts == ["来了"]

        # The mirror that writes dies, and the other goes on.
        dying = household.writing_mirror()
        [leader] = [process for process in household.mirrors if process.pid == dying]
        leader.kill()
        second = world.id_of(world.opened())
        until(lambda: states_at(buyers, second) == ["Opened"] * 2)
        assert household.writing_mirror() == next(one.pid for one in household.mirrors if one.pid != dying)

        # Nobody accepts either: the keeper gives the money back, and both say so.
        world.wait(10 * MINUTE)
        until(lambda: states_at(buyers, first, second) == ["Closed"] * 4)
        until(lambda: len(ear.heard) >= 4)
    assert len(set(ear.ids)) == len(ear.ids)
    messages = sorted((one.json["type"], one.json["data"]["order_id"]) for one in ear.heard)
    assert messages == sorted((kind, id_) for kind in ("order.opened", "order.closed") for id_ in (first, second))


def _say(browser: httpx2.Client, room: str) -> httpx2.Response:
    answer = browser.post(room, json={"text": "来了"}, headers={"Idempotency-Key": "said-once"})
    assert answer.status_code == 201, answer.text
    return answer


def _entries(browser: httpx2.Client, order_id: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = browser.get(f"/v1/orders/{order_id}/room").json()["entries"]
    return found
