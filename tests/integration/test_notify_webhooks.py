"""Webhooks, from a chain to receivers that really listen: endpoints, what they are sent, and their buttons."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from kameng_escrow.notify import DeliveryEntry
from kameng_escrow.notify.errors import (
    AddressForbidden,
    DeliveryFixed,
    EndpointUnfit,
    ReleaseNeedsFinal,
    TooManyEndpoints,
    UnknownDelivery,
    UnknownEndpoint,
)
from kameng_escrow.store import Store
from kameng_escrow.store.service.notifying import Delivery, Purpose, Stage
from kameng_escrow.store.service.webhook_rows import AttemptRow, DeliveryRow, EndpointRow
from kameng_escrow.webhooks import SUBSCRIBABLE, SignatureWrong

from .escrow_world import EscrowWorld
from .notify_world import Ear, NotifyWorld, listening


def mine(told: NotifyWorld, seconds: int = 1) -> None:
    """A block in which nothing happens."""
    told.world.wait(seconds)


# ------------------------------------------------------------------------------------------------------------ endpoints


def test_endpoints_that_are_refused(told: NotifyWorld) -> None:
    for url in ("http://example.com/", "https://10.0.0.1/", "ftp://127.0.0.1/"):
        with pytest.raises(AddressForbidden):
            told.endpoint(url)
    with pytest.raises(EndpointUnfit):
        told.endpoint("https://example.com/", "order.shipped")
    with pytest.raises(ReleaseNeedsFinal):
        told.endpoint("https://example.com/", "order.opened", purpose=None)
    with pytest.raises(ReleaseNeedsFinal):
        told.endpoint("https://example.com/", "order.disputed", purpose=Purpose.Release)
    endpoint, _ = told.endpoint("https://example.com/", delivery=Delivery.Final, purpose=None)
    assert endpoint.purpose is Purpose.Release
    instant, _ = told.endpoint("https://example.com/", "order.opened")
    with told.store.writing() as session, pytest.raises(ReleaseNeedsFinal):
        told.endpoints().update(session, instant.owner, instant.id, purpose=None)


@pytest.mark.parametrize("delivery", Delivery)
def test_an_endpoint_stays_instant_or_final(told: NotifyWorld, delivery: Delivery) -> None:
    """What was queued in the one way would be lost, or never taken back, in the other."""
    endpoint, _ = told.endpoint("https://example.com/", delivery=delivery)
    [other] = set(Delivery) - {delivery}
    with told.store.writing() as session:
        with pytest.raises(DeliveryFixed) as refused:
            told.endpoints().update(session, endpoint.owner, endpoint.id, delivery=other)
        assert refused.value.delivery is delivery
        changed = told.endpoints().update(session, endpoint.owner, endpoint.id, delivery=delivery, description="shop")
    assert (changed.delivery, changed.description) == (delivery, "shop")


def test_the_database_keeps_the_rule_too(told: NotifyWorld) -> None:
    """Whoever writes rows by hand can't have goods released on news that may be taken back."""
    endpoint, _ = told.endpoint("https://example.com/")
    with pytest.raises(IntegrityError), told.store.writing() as session:
        session.get_one(EndpointRow, endpoint.id).purpose = Purpose.Release


def test_an_account_has_so_many_and_no_more(told: NotifyWorld) -> None:
    for _ in range(20):
        told.endpoint("https://example.com/")
    with pytest.raises(TooManyEndpoints):
        told.endpoint("https://example.com/")
    told.endpoint("https://example.com/", owner=told.world.seller.address)


def test_nobody_finds_anything_of_anybody_elses(told: NotifyWorld, ear: Ear) -> None:
    endpoint, _ = told.endpoint(ear.url)
    told.world.opened()
    told.tell()
    stranger = told.world.stranger.address
    endpoints = told.endpoints()
    with told.store.writing() as session:
        [entry] = endpoints.log(session, endpoint.owner, endpoint.id)
        assert endpoints.of(session, stranger) == []
        for attempt in (
            lambda: endpoints.get(session, stranger, endpoint.id),
            lambda: endpoints.log(session, stranger, endpoint.id),
            lambda: endpoints.update(session, stranger, endpoint.id, url="https://example.com/"),
            lambda: endpoints.rotate(session, stranger, endpoint.id),
            lambda: endpoints.disable(session, stranger, endpoint.id),
            lambda: endpoints.enable(session, stranger, endpoint.id),
            lambda: endpoints.test(session, stranger, endpoint.id),
            lambda: endpoints.replay(session, stranger, endpoint.id, entry.id),
            lambda: endpoints.delete(session, stranger, endpoint.id),
        ):
            with pytest.raises(UnknownEndpoint):
                attempt()
    with pytest.raises(UnknownEndpoint):
        endpoints.recover(told.store, stranger, endpoint.id, told.now_ms)
    with told.store.writing() as session:
        another, _ = endpoints.create(session, stranger, url=ear.url)
        with pytest.raises(UnknownDelivery):
            endpoints.replay(session, stranger, another.id, entry.id)


def test_secrets_lie_sealed_in_the_store(told: NotifyWorld) -> None:
    endpoint, secret = told.endpoint("https://example.com/")
    with told.store.writing() as session:
        _, second = told.endpoints().rotate(session, endpoint.owner, endpoint.id)
        row = session.get_one(EndpointRow, endpoint.id)
        stored = f"{row.secret} {row.old_secret}"
    assert "whsec_" not in stored
    assert secret[6:] not in stored
    assert second[6:] not in stored


# ------------------------------------------------------------------------------------------------------------- sending


def test_an_order_is_told_in_its_order_and_signed(told: NotifyWorld, ear: Ear) -> None:
    endpoint, secret = told.endpoint(ear.url + "/hook?shop=7")
    terms = told.world.confirmed()
    report = told.tell()
    assert (report.webhooks, report.failed, report.waiting) == (4, 0, 0)
    assert ear.types == ["order.opened", "order.accepted", "order.delivered", "order.closed"]
    assert {one.path for one in ear.heard} == {"/hook?shop=7"}
    assert {one.headers["content-type"] for one in ear.heard} == {"application/json"}
    events = ear.events(secret, told.now_ms / 1_000)
    payloads = [one.payload() for one in told.news()]
    assert [dict(event.data) for event in events] == payloads
    assert len({event.id for event in events}) == 4
    opened = events[0]
    assert opened.data["order_id"] == told.world.id_of(terms)
    assert opened.data["fields"]["terms"]["price"] == str(terms.price)
    assert (opened.chain_id, opened.contract) == (told.world.deployment.chain_id, told.world.address)
    assert opened.timestamp.timestamp() == opened.data["timestamp"]
    assert told.tell().webhooks == 0
    with told.store.reading() as session:
        log = told.endpoints().log(session, endpoint.owner, endpoint.id)
    assert [entry.message_id for entry in log] == ear.ids[::-1]
    assert all(entry.stage is Stage.Sent and entry.attempts[0].status == 200 for entry in log)


def test_a_raised_revision_is_told_once_somebody_is_concerned(told: NotifyWorld, ear: Ear) -> None:
    told.endpoint(ear.url, "order.revised")
    told.world.send(told.world.seller, "revise", told.world.terms(), 0)  # of an order that nobody has opened
    told.world.send(told.world.buyer, "revise", told.world.opened(), 0)
    told.tell()
    assert [one.json["data"]["fields"]["revision"] for one in ear.heard] == [1]


@pytest.mark.parametrize("name", [name for name in SUBSCRIBABLE if name != "order.revised"])
def test_every_type_is_told_to_who_asked_for_it_alone(name: str, all_of_them: tuple[Ear, dict[str, str]]) -> None:
    ear, paths = all_of_them
    heard = [one for one in ear.heard if one.path == paths[name]]
    assert heard
    assert {one.json["type"] for one in heard} == {name}


@pytest.fixture(scope="module")
def all_of_them(
    lived: tuple[EscrowWorld, object], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Ear, dict[str, str]]]:
    world, _ = lived
    with listening() as ear, Store.open(str(tmp_path_factory.mktemp("lived") / "store.sqlite")) as store:
        told = NotifyWorld(world, store)
        paths = {name: f"/{name}" for name in SUBSCRIBABLE}
        for name, path in paths.items():
            endpoint, _ = told.endpoint(ear.url + path, name)
            told.recover(endpoint)
        told.tell()
        yield ear, paths


def test_each_party_hears_of_its_own_orders(told: NotifyWorld, ear: Ear) -> None:
    cast = told.world
    for owner in (cast.buyer, cast.seller, cast.platform, cast.mediator, cast.stranger, cast.operator):
        told.endpoint(f"{ear.url}/{owner.address}", "order.opened", owner=owner.address)
    cast.opened()
    told.tell()
    heard = {one.path[1:] for one in ear.heard}
    assert heard == {one.address for one in (cast.buyer, cast.seller, cast.platform, cast.mediator)}


def test_final_news_waits_until_it_is(told: NotifyWorld, ear: Ear) -> None:
    _, secret = told.endpoint(ear.url, delivery=Delivery.Final, purpose=Purpose.Release)
    told.world.opened()
    assert told.tell().webhooks == 0
    for _ in range(3):
        assert ear.heard == []
        mine(told)
        told.tell()
    assert ear.types == ["order.opened"]
    [event] = ear.events(secret, told.now_ms / 1_000)
    assert event.require_final()


def test_instant_news_says_that_it_may_be_taken_back(told: NotifyWorld, ear: Ear) -> None:
    _, secret = told.endpoint(ear.url)
    told.world.opened()
    told.tell()
    assert [event.final for event in ear.events(secret, told.now_ms / 1_000)] == [False]


def test_what_a_reorganisation_takes_away_is_retracted(told: NotifyWorld, ear: Ear) -> None:
    _, secret = told.endpoint(f"{ear.url}/instant")
    told.endpoint(f"{ear.url}/final", delivery=Delivery.Final, purpose=None)
    before = told.world.node.snapshot()
    told.world.accepted()
    told.tell()
    told.world.node.revert(before)
    for _ in range(4):
        mine(told, 7)
    told.tell()
    assert ear.types == ["order.opened", "order.accepted", "order.retracted", "order.retracted"]
    assert {one.path for one in ear.heard} == {"/instant"}
    opened, accepted, second, first = ear.events(secret, told.now_ms / 1_000)
    assert (second.retracts, first.retracts) == (accepted.id, opened.id)
    assert (second.data["event"], first.data["event"]) == ("OrderAccepted", "OrderOpened")
    assert not first.final


def test_what_was_never_told_is_not_retracted(told: NotifyWorld, ear: Ear) -> None:
    told.endpoint(ear.url)
    before = told.world.node.snapshot()
    told.world.opened()
    told.mirror()
    told.world.node.revert(before)
    for _ in range(4):
        mine(told, 7)
    told.tell()
    assert ear.heard == []


# -------------------------------------------------------------------------------------------------------------- buttons


def test_during_a_rotation_both_secrets_sign_and_then_the_new_one(told: NotifyWorld, ear: Ear) -> None:
    endpoint, old = told.endpoint(ear.url)
    with told.store.writing() as session:
        changed, new = told.endpoints().rotate(session, endpoint.owner, endpoint.id, overlap_hours=2)
    assert changed.old_secret_until_ms == told.now_ms + 2 * 3_600_000
    told.world.opened()
    told.tell()
    for secret in (old, new):
        assert ear.events(secret, told.now_ms / 1_000)
    ear.heard.clear()
    told.later(2 * 3_600)
    told.world.opened()
    told.tell()
    assert ear.events(new, told.now_ms / 1_000)
    with pytest.raises(SignatureWrong):
        ear.events(old, told.now_ms / 1_000)


def test_a_secret_that_leaked_stops_at_once(told: NotifyWorld, ear: Ear) -> None:
    endpoint, old = told.endpoint(ear.url)
    with told.store.writing() as session:
        told.endpoints().rotate(session, endpoint.owner, endpoint.id, overlap_hours=0)
        with pytest.raises(EndpointUnfit):
            told.endpoints().rotate(session, endpoint.owner, endpoint.id, overlap_hours=721)
    told.world.opened()
    told.tell()
    with pytest.raises(SignatureWrong):
        ear.events(old, told.now_ms / 1_000)


def test_the_test_button(told: NotifyWorld, ear: Ear) -> None:
    endpoint, secret = told.endpoint(ear.url, "order.disputed")
    with told.store.writing() as session:
        entry = told.endpoints().test(session, endpoint.owner, endpoint.id)
    assert told.tell().webhooks == 1
    [event] = ear.events(secret, told.now_ms / 1_000)
    assert (event.type, event.id, event.final) == ("webhook.tested", entry.message_id, False)
    assert event.data == {"endpoint_id": endpoint.id}


def test_a_test_that_waits_is_sent_now_instead_of_another(told: NotifyWorld, ear: Ear) -> None:
    endpoint, _ = told.endpoint(ear.url, "order.disputed")
    ear.always(500)

    def press() -> DeliveryEntry:
        with told.store.writing() as session:
            return told.endpoints().test(session, endpoint.owner, endpoint.id)

    first = press()
    assert press().id == first.id
    assert told.tell().failed == 1
    again = press()
    assert (again.id, len(again.attempts), again.next_try_ms) == (first.id, 1, told.now_ms)
    ear.always(200)
    assert told.tell().webhooks == 1
    assert len(set(ear.ids)) == 1
    assert press().id != first.id


def test_the_replay_button_sends_the_same_again(told: NotifyWorld, ear: Ear) -> None:
    endpoint, _ = told.endpoint(ear.url)
    told.world.accepted()
    told.tell()
    with told.store.writing() as session:
        *_, first = told.endpoints().log(session, endpoint.owner, endpoint.id)
        told.endpoints().replay(session, endpoint.owner, endpoint.id, first.id)
    told.later(60)
    told.tell()
    assert ear.types == ["order.opened", "order.accepted", "order.opened"]
    assert ear.ids[0] == ear.ids[2]
    assert ear.heard[0].body == ear.heard[2].body


def test_deleting_forgets_everything(told: NotifyWorld, ear: Ear) -> None:
    endpoint, _ = told.endpoint(ear.url)
    told.world.opened()
    told.tell()
    with told.store.writing() as session:
        told.endpoints().delete(session, endpoint.owner, endpoint.id)
    with told.store.reading() as session:
        for row in (EndpointRow, DeliveryRow, AttemptRow):
            assert session.scalars(select(row)).all() == []
    told.world.opened()
    told.tell()
    assert len(ear.heard) == 1


def test_an_old_store_does_not_tell_its_whole_past(told: NotifyWorld, ear: Ear) -> None:
    told.world.confirmed()
    for _ in range(3):
        mine(told)
    told.mirror()
    told.endpoint(ear.url)
    told.endpoint(ear.url, delivery=Delivery.Final, purpose=None)
    assert told.tell().webhooks == 0
    told.world.opened()
    assert told.tell().webhooks == 1
