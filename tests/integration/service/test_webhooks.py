"""Webhook endpoints and notification channels over REST, down to the receiver."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kameng_escrow.notify import Notifier
from kameng_escrow.notify.optout import ALL, opt_out_path
from kameng_escrow.service.routes.webhooks import RECOVERIES_PER_MINUTE, TESTS_PER_MINUTE
from kameng_escrow.store.service.notification_rows import ChannelRow
from kameng_escrow.store.service.notifying import ChannelKind, StoppedFor
from kameng_escrow.webhooks import SUBSCRIBABLE, WebhookReceiver
from tests.integration.notify_world import Ear

from .conftest import ORIGIN, Service


@pytest.fixture
def platform(service: Service) -> TestClient:
    return service.with_key(service.world.platform, "webhooks")


def tell(service: Service) -> None:
    service.mirror()
    parts = service.parts
    notifier: Notifier = parts.telling.notifier(service.store, parts.book)
    with notifier:
        notifier.run_once(threading.Event())


def code_of(answer: Any) -> str:
    return str(answer.json()["code"])


def test_an_endpoint_from_beginning_to_end(service: Service, platform: TestClient, ear: Ear) -> None:
    asked = {"url": ear.url, "events": ["order.opened"], "delivery": "instant", "purpose": "inform"}
    made = platform.post("/v1/webhooks", json=asked)
    assert made.status_code == 201, made.text
    endpoint, secret = made.json()["endpoint"], made.json()["secret"]
    at = f"/v1/webhooks/{endpoint['id']}"
    service.world.opened()
    tell(service)
    receiver = WebhookReceiver(secret, clock=lambda: service.clock.now)
    event = receiver.verify(ear.heard[0].body, ear.heard[0].headers)
    assert event.type == "order.opened"

    [entry] = platform.get(f"{at}/deliveries").json()["deliveries"]
    assert (entry["message_id"], entry["stage"], entry["order_id"]) == (event.id, "sent", event.data["order_id"])
    assert [one["status"] for one in entry["attempts"]] == [200]
    assert platform.post(f"{at}/deliveries/{entry['id']}/replay").status_code == 202
    assert platform.post(f"{at}/test").json()["type"] == "webhook.tested"
    tell(service)
    assert sorted(ear.types) == ["order.opened", "order.opened", "webhook.tested"]
    page = platform.get(f"{at}/deliveries", params={"limit": 1}).json()
    assert [one["type"] for one in page["deliveries"]] == ["webhook.tested"]
    assert platform.get(f"{at}/deliveries", params={"before": page["before"]}).json()["before"] is None

    rotated = platform.post(f"{at}/rotate", json={"overlap_hours": 0}).json()
    assert rotated["secret"] != secret
    assert platform.patch(at, json={"description": "shop"}).json()["description"] == "shop"
    assert platform.post(f"{at}/disable").json()["disabled_for"] == "owner"
    assert code_of(platform.post(f"{at}/test")) == "endpoint_disabled"
    assert platform.post(f"{at}/enable").json()["disabled_for"] is None
    assert platform.post(f"{at}/recover", json={"since": service.clock.now - 28 * 86_400}).json()["deliveries"] >= 1
    answer = platform.post(f"{at}/recover", json={"since": 0})
    assert (answer.status_code, code_of(answer)) == (422, "endpoint_unfit")
    answer = platform.patch(at, json={"delivery": "final"})
    assert (answer.status_code, code_of(answer)) == (422, "delivery_fixed")
    for answer in (platform.get(at), platform.get("/v1/webhooks"), platform.get(f"{at}/deliveries")):
        assert "whsec_" not in answer.text
    assert platform.delete(at).json() == {"endpoints": []}
    assert code_of(platform.get(at)) == "unknown_endpoint"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"url": "https://169.254.169.254/"}, 422, "address_forbidden"),
        ({"url": "http://example.com/"}, 422, "address_forbidden"),
        ({"events": ["order.shipped"]}, 422, "unknown_event_type"),
        ({"delivery": "instant"}, 422, "release_needs_final"),
        ({"delivery": "instant", "purpose": "release", "events": ["order.disputed"]}, 422, "release_needs_final"),
        ({"delivery": "sometimes"}, 422, "bad_request"),
        ({"secret": "whsec_mine"}, 422, "bad_request"),
    ],
)
def test_endpoints_that_are_refused(platform: TestClient, changes: dict[str, object], status: int, code: str) -> None:
    answer = platform.post("/v1/webhooks", json={"url": "https://example.com/", **changes})
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert platform.get("/v1/webhooks").json() == {"endpoints": []}


def test_others_endpoints_are_not_there(service: Service, platform: TestClient) -> None:
    mine = platform.post("/v1/webhooks", json={"url": "https://example.com/"}).json()["endpoint"]["id"]
    for other in (service.signed_in(service.world.seller), service.with_key(service.world.buyer, "webhooks")):
        assert other.get("/v1/webhooks").json() == {"endpoints": []}
        for method, path, body in (
            ("GET", "", None),
            ("PATCH", "", {"url": "https://evil.example/"}),
            ("DELETE", "", None),
            ("POST", "/rotate", {}),
            ("POST", "/enable", None),
            ("POST", "/disable", None),
            ("POST", "/test", None),
            ("POST", "/recover", {"since": service.clock.now}),
            ("GET", "/deliveries", None),
            ("POST", "/deliveries/1/replay", None),
        ):
            answer = other.request(method, f"/v1/webhooks/{mine}{path}", json=body)
            assert (answer.status_code, code_of(answer)) == (404, "unknown_endpoint"), path
    assert platform.get(f"/v1/webhooks/{mine}").status_code == 200


@pytest.mark.parametrize(("path", "most"), [("recover", RECOVERIES_PER_MINUTE), ("test", TESTS_PER_MINUTE)])
def test_what_has_much_sent_is_not_asked_for_too_often(
    service: Service, platform: TestClient, path: str, most: int
) -> None:
    mine = platform.post("/v1/webhooks", json={"url": "https://example.com/"}).json()["endpoint"]["id"]
    body = {"since": service.clock.now} if path == "recover" else None
    for _ in range(most):
        assert platform.post(f"/v1/webhooks/{mine}/{path}", json=body).status_code == 202
    assert platform.post(f"/v1/webhooks/{mine}/{path}", json=body).status_code == 429


def test_a_key_needs_the_scope(service: Service) -> None:
    answer = service.with_key(service.world.platform, "orders:read").get("/v1/webhooks")
    assert answer.status_code == 403


def test_everybody_may_see_the_types(service: Service) -> None:
    types = service.visitor().get("/v1/webhooks/event-types").json()["types"]
    assert [one["type"] for one in types] == list(SUBSCRIBABLE)
    assert {one["type"] for one in types if one["releasing"] is None} == {"order.disputed", "order.revised"}


# -------------------------------------------------------------------------------------------------------- notifications


def test_preferences(service: Service) -> None:
    buyer = service.signed_in(service.world.buyer)
    assert buyer.get("/v1/notifications/preferences").json()["language"] == "zh"
    wanted = {
        "language": "en",
        "time_zone": "Europe/Berlin",
        "quiet_from": 1_380,
        "quiet_to": 420,
        "muted": ["order.opened"],
    }
    assert buyer.put("/v1/notifications/preferences", json=wanted).json() == wanted
    for wrong in ({"time_zone": "Mars"}, {"quiet_from": None}, {"muted": ["everything"]}, {"language": "fr"}):
        assert buyer.put("/v1/notifications/preferences", json={**wanted, **wrong}).status_code == 422
    assert buyer.get("/v1/notifications/preferences").json() == wanted


def test_channels_that_this_service_can_t_have(service: Service) -> None:
    buyer = service.signed_in(service.world.buyer)
    answer = buyer.post("/v1/notifications/channels", json={"kind": "mail", "fields": {"address": "a@example.com"}})
    assert (answer.status_code, code_of(answer)) == (501, "channel_unavailable")
    answer = buyer.post(
        "/v1/notifications/channels", json={"kind": "ntfy", "fields": {"topic": "t", "host": "10.0.0.1"}}
    )
    assert (answer.status_code, code_of(answer)) == (422, "channel_unfit")
    assert buyer.get("/v1/notifications/push-key").json() == {"key": None}
    assert buyer.get("/v1/notifications/channels").json() == {"channels": []}


@pytest.fixture
def channel(service: Service) -> ChannelRow:
    """A verified channel of the buyer's, put there by hand."""
    row = ChannelRow(
        id="chn_01jbq0000000000000000000000",
        account=service.world.buyer.address,
        kind=ChannelKind.Ntfy,
        address=service.parts.telling.sealer.seal('{"topic": "t", "host": "ntfy.sh"}'),
        hint="…t",
        created_ms=1,
        verified_ms=1,
        code_tries=0,
        opt_out_key=b"k" * 32,
        failures=0,
    )
    with service.store.writing() as session:
        session.add(row)
        session.flush()
        session.expunge(row)
    return row


def test_one_tap_opts_out_without_signing_in(service: Service, channel: ChannelRow) -> None:
    visitor = TestClient(service.client.app, base_url=ORIGIN)  # a mail program: no origin, no cookie
    path = opt_out_path(channel.id, ALL, channel.opt_out_key)
    looked = visitor.get(path)
    assert looked.status_code == 200
    assert "<button>" in looked.text
    assert stopped(service, channel) is None  # looking stops nothing: scanners follow links
    done = visitor.post(
        path, content="List-Unsubscribe=One-Click", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert done.status_code == 200
    assert stopped(service, channel) is StoppedFor.Person
    for wrong in (path[:-1], path.replace(ALL, "order.opened"), opt_out_path("chn_other", ALL, channel.opt_out_key)):
        assert visitor.get(wrong).status_code == 404
        assert visitor.post(wrong).status_code == 404


def test_one_topic_may_be_muted_by_its_link(service: Service, channel: ChannelRow) -> None:
    path = opt_out_path(channel.id, "order.opened", channel.opt_out_key)
    assert service.visitor().post(path).status_code == 200
    buyer = service.signed_in(service.world.buyer)
    assert buyer.get("/v1/notifications/preferences").json()["muted"] == ["order.opened"]
    assert stopped(service, channel) is None


def test_channels_are_their_owners_alone(service: Service, channel: ChannelRow) -> None:
    seller, buyer = service.signed_in(service.world.seller), service.signed_in(service.world.buyer)
    at = f"/v1/notifications/channels/{channel.id}"
    assert seller.get("/v1/notifications/channels").json() == {"channels": []}
    for method, path, body in (
        ("POST", "/code", None),
        ("POST", "/verify", {"code": "000000"}),
        ("POST", "/stop", None),
        ("POST", "/resume", None),
        ("DELETE", "", None),
    ):
        answer = seller.request(method, at + path, json=body)
        assert (answer.status_code, code_of(answer)) == (404, "unknown_channel"), path
    [mine] = buyer.get("/v1/notifications/channels").json()["channels"]
    assert (mine["hint"], mine["verified"]) == ("…t", True)
    assert "topic" not in str(mine)
    assert buyer.post(f"{at}/stop").json()["stopped_for"] == "person"
    assert buyer.post(f"{at}/resume").json()["stopped_for"] is None
    assert buyer.get("/v1/notifications/messages").json() == {"messages": [], "before": None}
    assert buyer.delete(at).json() == {"channels": []}


def stopped(service: Service, channel: ChannelRow) -> StoppedFor | None:
    with service.store.reading() as session:
        return session.get_one(ChannelRow, channel.id).stopped_for
