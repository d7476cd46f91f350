"""What happens arrives: to those whose orders it is about, in order, each once, and from where somebody left off."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import uvicorn

from kameng_escrow.service.routes import stream as routes

from .conftest import Service

WAIT_SECONDS = 60.0  # for what must come; a busy machine is slow


@dataclass(frozen=True)
class Event:
    id: int
    kind: str
    data: dict[str, Any]


@contextmanager
def serving(service: Service) -> Iterator[str]:
    """The same application behind a real socket."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(service.client.app, lifespan="off", log_level="warning", ws="none")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
        listening.close()


@contextmanager
def listening(url: str, path: str, key: str, last: int | None = None) -> Iterator[Iterator[Event]]:
    """The events of a stream, as they come."""
    headers = {"Authorization": key} | ({"Last-Event-ID": str(last)} if last is not None else {})
    with httpx2.Client(timeout=WAIT_SECONDS) as client, client.stream("GET", url + path, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        for line in lines:  # up to the greeting: from here on nothing is missed
            if line == ": hello":
                break
        yield events(lines)


def events(lines: Iterator[str]) -> Iterator[Event]:
    fields: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif not line and "data" in fields:
            yield Event(int(fields.get("id", -1)), fields["event"], json.loads(fields["data"]))
            fields = {}


def key_of(service: Service, who: Any) -> str:
    return str(service.with_key(who, "orders:read").headers["Authorization"])


def test_what_happens_arrives_to_those_it_concerns(service_on_each: Service) -> None:
    service = service_on_each
    world = service.world
    keys = {name: key_of(service, getattr(world, name)) for name in ("buyer", "seller", "platform", "mediator")}
    with serving(service) as url:
        for key in keys.values():
            with listening(url, "/v1/stream", key) as heard:
                terms = world.accepted()
                service.mirror()
                first, second = next(heard), next(heard)
            assert [one.data["event"] for one in (first, second)] == ["OrderOpened", "OrderAccepted"]
            assert (first.kind, second.data["state"]) == ("order", "Accepted")
            assert {one.data["order_id"] for one in (first, second)} == {service.id_of(terms)}
            assert first.id < second.id


def test_a_stream_of_one_order_has_that_order_alone(service: Service) -> None:
    world = service.world
    terms = world.opened()
    service.mirror()
    key = key_of(service, world.buyer)
    with serving(service) as url, listening(url, f"/v1/orders/{service.id_of(terms)}/stream", key) as heard:
        world.opened()
        world.send(world.seller, "accept", terms)
        service.mirror()
        assert next(heard).data["event"] == "OrderAccepted"


def test_whoever_was_away_hears_what_it_missed_and_each_thing_once(service_on_each: Service) -> None:
    service = service_on_each
    world = service.world
    key = key_of(service, world.buyer)
    with serving(service) as url:
        with listening(url, "/v1/stream", key) as heard:
            terms = world.opened()
            service.mirror()
            last = next(heard)
        world.send(world.seller, "accept", terms)
        service.mirror()
        with listening(url, "/v1/stream", key, last.id) as heard:
            world.send(world.seller, "deliver", terms, "0x" + "c0" * 32)
            service.mirror()
            found = [next(heard), next(heard)]
    assert [one.data["event"] for one in found] == ["OrderAccepted", "OrderDelivered"]


def test_what_a_reorganisation_undoes_is_retracted(service: Service) -> None:
    world = service.world
    key = key_of(service, world.buyer)
    with serving(service) as url, listening(url, "/v1/stream", key) as heard:
        terms = world.opened()
        service.mirror()
        opened = next(heard)
        snapshot = world.node.snapshot()
        world.send(world.seller, "accept", terms)
        service.mirror()
        accepted = next(heard)
        world.node.revert(snapshot)
        world.wait(1)
        world.send(world.buyer, "cancel", terms, 1)
        service.mirror()
        retracted, cancelled = next(heard), next(heard)
    assert (opened.kind, accepted.data["event"]) == ("order", "OrderAccepted")
    assert (retracted.kind, retracted.data["retracts"]) == ("retracted", accepted.id)
    assert retracted.data["state"] == "Opened"
    assert (cancelled.data["event"], cancelled.data["outcome"]) == ("OrderClosed", "Cancelled")


def test_an_order_that_a_reorganisation_takes_away_is_told_to_those_whose_it_was(service: Service) -> None:
    world = service.world
    key = key_of(service, world.seller)
    with serving(service) as url:
        with listening(url, "/v1/stream", key) as heard:
            snapshot = world.node.snapshot()
            terms = world.opened()
            service.mirror()
            opened = next(heard)
            world.node.revert(snapshot)
            world.wait(1)
            world.send(world.platform, "reviewPolicy", world.policy_id, world.now() + 200 * 86_400)
            service.mirror()
            retracted = next(heard)
        with listening(url, "/v1/stream", key, opened.id) as heard:
            again = next(heard)
    assert opened.data["order_id"] == service.id_of(terms)
    assert (retracted.kind, retracted.data["retracts"], retracted.data["state"]) == ("retracted", opened.id, None)
    assert again == retracted


def test_an_operator_hears_of_an_order_that_its_grant_covers(service: Service) -> None:
    world = service.world
    terms = world.accepted()
    service.mirror()
    service.clock.now = world.now()
    key = key_of(service, world.operator)
    with serving(service) as url, listening(url, f"/v1/orders/{service.id_of(terms)}/stream", key) as heard:
        world.send(world.seller, "deliver", terms, "0x" + "c0" * 32)
        service.mirror()
        assert next(heard).data["event"] == "OrderDelivered"


def test_whoever_missed_too_much_is_told_to_read_anew(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "MOST_MISSED", 2)
    key = key_of(service, service.world.buyer)
    with serving(service) as url, listening(url, "/v1/stream", key, 1) as heard:
        assert next(heard).kind == "reset"
        service.world.opened()
        service.mirror()
        assert next(heard).data["event"] == "OrderOpened"


def test_nobody_keeps_more_streams_open_than_a_person_needs(service: Service) -> None:
    live = service.client.app.state.live  # type: ignore[attr-defined]
    live._counts[service.world.buyer.address] = 20
    key = key_of(service, service.world.buyer)
    with serving(service) as url, httpx2.Client() as client:
        answer = client.get(f"{url}/v1/stream", headers={"Authorization": key})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")


@pytest.mark.parametrize("last", ["-1", "x", "1" * 19, "１"])
def test_a_place_that_is_none_is_refused(service: Service, last: str) -> None:
    key = key_of(service, service.world.buyer)
    answer = service.client.get("/v1/stream", headers={"Authorization": key, "Last-Event-ID": last.encode()})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")
