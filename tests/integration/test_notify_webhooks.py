"""Webhooks, from a chain to receivers that really listen."""

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from kameng_escrow.notify import Deliveries, DeliveryEntry
from kameng_escrow.notify.errors import (
    AddressForbidden,
    DeliveryFixed,
    EndpointDisabled,
    EndpointUnfit,
    ReleaseNeedsFinal,
    TooManyEndpoints,
    UnknownDelivery,
    UnknownEndpoint,
)
from kameng_escrow.notify.fanout import fan_out_instant
from kameng_escrow.notify.notifier import now_ms
from kameng_escrow.notify.schedule import WEBHOOK_DELAYS
from kameng_escrow.store import Store
from kameng_escrow.store.service.notifying import Delivery, DisabledFor, Purpose, Stage
from kameng_escrow.store.service.outbox import begin_reading
from kameng_escrow.store.service.webhook_rows import AttemptRow, DeliveryRow, EndpointRow
from kameng_escrow.webhooks import SUBSCRIBABLE, SignatureWrong, signed_headers

from .escrow_world import EscrowWorld
from .notify_world import DAY_MS, Ear, Heard, NotifyWorld, listening


@pytest.fixture
def told(world: EscrowWorld, store: Store) -> NotifyWorld:
    return NotifyWorld(world, store)


@pytest.fixture
def ear() -> Iterator[Ear]:
    with listening() as ear:
        yield ear


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


# ------------------------------------------------------------------------------------------------------------- failing


def test_a_receiver_that_fails_is_tried_by_the_schedule_with_one_id(told: NotifyWorld, ear: Ear) -> None:
    """Ten attempts in three days, each signed anew; then it is given up, and the endpoint with it."""
    endpoint, secret = told.endpoint(ear.url)
    ear.always(500)
    told.world.opened()
    told.tell()
    for number, delay in enumerate(WEBHOOK_DELAYS, start=1):
        assert len(ear.heard) == number
        told.later(delay - 0.001)
        told.tell()
        assert len(ear.heard) == number
        told.later(0.001)
        told.tell()
    assert len(ear.heard) == 10
    assert len(set(ear.ids)) == 1
    assert len({one.headers["webhook-timestamp"] for one in ear.heard}) == 10
    assert len({one.body for one in ear.heard}) == 1
    ear.heard = ear.heard[-1:]
    assert ear.events(secret, told.now_ms / 1_000)
    with told.store.reading() as session:
        found = told.endpoints().get(session, endpoint.owner, endpoint.id)
        [entry] = told.endpoints().log(session, endpoint.owner, endpoint.id)
    assert found.disabled_for is DisabledFor.Failing
    assert (entry.stage, len(entry.attempts)) == (Stage.Failed, 10)
    told.world.opened()
    told.later(86_400)
    told.tell()
    assert len(ear.heard) == 1


def test_who_gets_through_now_and_then_stays(told: NotifyWorld, ear: Ear) -> None:
    """One message is given up; others were taken meanwhile."""
    endpoint, _ = told.endpoint(ear.url)
    poison = told.world.id_of(told.world.opened())
    ear.answer = lambda heard: (500 if heard.json["data"]["order_id"] == poison else 200, {})
    told.tell()
    for delay in WEBHOOK_DELAYS:
        told.world.opened()
        told.later(delay)
        told.tell()
    with told.store.reading() as session:
        assert told.endpoints().get(session, endpoint.owner, endpoint.id).disabled_ms is None
        failed = told.endpoints().log(session, endpoint.owner, endpoint.id, stages=[Stage.Failed])
    assert [entry.order_id for entry in failed] == [poison]


def test_410_disables_at_once(told: NotifyWorld, ear: Ear) -> None:
    endpoint, _ = told.endpoint(ear.url)
    ear.always(410)
    told.world.opened()
    report = told.tell()
    assert report.disabled == 1
    with told.store.reading() as session:
        found = told.endpoints().get(session, endpoint.owner, endpoint.id)
    assert found.disabled_for is DisabledFor.Gone
    with told.store.writing() as session, pytest.raises(EndpointDisabled):
        told.endpoints().test(session, endpoint.owner, endpoint.id)
    told.world.opened()
    told.later(10**6)
    told.tell()
    assert len(ear.heard) == 1


def test_what_was_missed_comes_by_recovering(told: NotifyWorld, ear: Ear) -> None:
    endpoint, _ = told.endpoint(ear.url)
    ear.always(410)
    first = told.world.accepted()
    told.tell()
    told.world.send(told.world.seller, "deliver", first, "0x" + "c0" * 32)
    second = told.world.opened()
    told.tell()
    ear.heard.clear()
    ear.always(200)
    with told.store.writing() as session:
        told.endpoints().enable(session, endpoint.owner, endpoint.id)
    told.recover(endpoint)
    told.tell()
    by_order: dict[str, list[str]] = {one: [] for one in map(told.world.id_of, (first, second))}
    for one in ear.heard:
        by_order[one.json["data"]["order_id"]].append(one.json["type"])
    assert list(by_order.values()) == [["order.opened", "order.accepted", "order.delivered"], ["order.opened"]]


def test_what_the_log_has_forgotten_is_not_told_again(told: NotifyWorld, ear: Ear) -> None:
    """Goods would leave twice."""
    endpoint, _ = told.endpoint(ear.url)
    told.world.opened()
    told.tell()
    told.now_ms = now_ms() + 31 * DAY_MS
    told.tell()  # forgets what was delivered
    endpoints = told.endpoints()
    with told.store.reading() as session:
        assert endpoints.log(session, endpoint.owner, endpoint.id) == []
    for since in (0, told.now_ms - 29 * DAY_MS - 1):
        with pytest.raises(EndpointUnfit) as refused:
            endpoints.recover(told.store, endpoint.owner, endpoint.id, since)
        assert refused.value.field == "since"
    assert endpoints.recover(told.store, endpoint.owner, endpoint.id, told.now_ms - 29 * DAY_MS) == 0
    assert told.tell().webhooks == 0
    assert len(ear.heard) == 1


def test_recovering_goes_page_by_page(told: NotifyWorld, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    """No page is left out, and none holds the store for long."""
    endpoint, _ = told.endpoint(ear.url)
    with told.store.writing() as session:
        told.endpoints().disable(session, endpoint.owner, endpoint.id)
    for _ in range(5):
        told.world.opened()
    assert told.tell().webhooks == 0
    with told.store.writing() as session:
        told.endpoints().enable(session, endpoint.owner, endpoint.id)
    monkeypatch.setattr("kameng_escrow.notify.fanout.BATCH", 2)
    assert told.recover(endpoint) == 5
    assert told.recover(endpoint) == 5  # at most: they are queued already
    assert told.tell().webhooks == 5


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_failures(told: NotifyWorld, ear: Ear, status: int) -> None:
    told.endpoint(f"{ear.url}/first")
    ear.answer = lambda heard: (status, {"Location": "/second"}) if heard.path == "/first" else (200, {})
    told.world.opened()
    assert told.tell().failed == 1
    assert [one.path for one in ear.heard] == ["/first"]


def test_retry_after_is_honoured(told: NotifyWorld, ear: Ear) -> None:
    told.endpoint(ear.url)
    ear.always(503, Retry_After="90")
    told.world.opened()
    told.tell()
    told.world.opened()
    told.later(89)
    told.tell()
    assert len(ear.heard) == 1  # neither it nor another, which would be as unwelcome
    ear.always(200)
    told.later(1)
    told.tell()
    assert len(ear.heard) == 3


def test_no_date_in_an_answer_ends_the_notifier(told: NotifyWorld, ear: Ear) -> None:
    told.endpoint(f"{ear.url}/mad")
    told.endpoint(f"{ear.url}/well")
    mad = {"Retry-After": "Mon, 01 Jan 99999999999 00:00:00 GMT"}
    ear.answer = lambda heard: (500, mad) if heard.path == "/mad" else (200, {})
    told.world.opened()
    report = told.tell()
    assert (report.webhooks, report.failed, report.waiting) == (1, 1, 1)
    told.later(5)
    assert told.tell().failed == 1


def test_what_can_t_be_sent_gives_its_place_back(told: NotifyWorld, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were places lost, a notifier with one would send nothing ever again."""
    endpoint, _ = told.endpoint(ear.url)
    told.world.opened()
    told.world.opened()
    told.mirror()
    broken = [True]

    def sometimes(*parts: Any) -> dict[str, str]:
        if broken:
            broken.pop()
            raise KeyError("nobody thought of it")
        return signed_headers(*parts)

    monkeypatch.setattr("kameng_escrow.notify.deliveries.signed_headers", sometimes)
    with told.notifier(queue={"at_once": 1}) as notifier:
        report = notifier.run_once()
    assert (report.failed, report.webhooks, report.waiting) == (1, 1, 1)
    assert notifier.metrics.registry.get_sample_value("kameng_notifier_unforeseen_total", {"doing": "send"}) == 1
    with told.store.reading() as session:
        [entry] = told.endpoints().log(session, endpoint.owner, endpoint.id, stages=[Stage.Waiting])
    assert [attempt.error for attempt in entry.attempts] == ["internal"]


def test_a_mistake_of_ours_is_not_held_against_the_endpoint(
    told: NotifyWorld, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = told.endpoint(ear.url)
    told.world.opened()

    def broken(*_: object) -> dict[str, str]:
        raise KeyError("nobody thought of it")

    monkeypatch.setattr("kameng_escrow.notify.deliveries.signed_headers", broken)
    told.tell()
    for delay in WEBHOOK_DELAYS:
        told.later(delay)
        told.tell()
    with told.store.reading() as session:
        found = told.endpoints().get(session, endpoint.owner, endpoint.id)
        [entry] = told.endpoints().log(session, endpoint.owner, endpoint.id)
    assert (entry.stage, len(entry.attempts)) == (Stage.Failed, 10)
    assert (found.disabled_for, found.failing_since_ms) == (None, None)


def test_what_can_t_be_written_down_is_tried_again_and_takes_nothing_with_it(
    told: NotifyWorld, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of ours, whatever it is, half of whose rows are written already."""
    bad, _ = told.endpoint(f"{ear.url}/bad")
    well, _ = told.endpoint(f"{ear.url}/well")
    told.world.opened()
    told.mirror()

    def broken(*_: object) -> None:
        raise KeyError("nobody thought of it")

    monkeypatch.setattr(Deliveries, "_refused", broken)
    ear.answer = lambda heard: (500 if heard.path == "/bad" else 200, {})
    with told.notifier() as notifier:
        report = notifier.run_once()
    assert (report.webhooks, report.waiting) == (1, 1)
    found = notifier.metrics.registry.get_sample_value("kameng_notifier_unforeseen_total", {"doing": "record"})
    assert found == 1
    with told.store.reading() as session:
        [left] = told.endpoints().log(session, bad.owner, bad.id)
        [taken] = told.endpoints().log(session, well.owner, well.id)
    assert (left.stage, left.attempts, left.next_try_ms) == (Stage.Waiting, (), told.now_ms + 5_000)
    assert taken.stage is Stage.Sent
    monkeypatch.undo()
    ear.always(200)
    told.later(5)
    assert told.tell().webhooks == 1


@pytest.mark.parametrize("trouble", ["timeout", "closed", "refused"])
def test_no_answer_is_a_failure_too(told: NotifyWorld, ear: Ear, trouble: str) -> None:
    enough = threading.Event()

    def answer(_: Heard) -> tuple[int, dict[str, str]]:
        if trouble == "timeout":
            enough.wait(30)
        raise ConnectionAbortedError

    ear.answer = answer
    endpoint, _ = told.endpoint("http://127.0.0.1:1/" if trouble == "refused" else ear.url)
    told.world.opened()
    told.tell(timeout_seconds=0.3)
    enough.set()
    with told.store.reading() as session:
        [entry] = told.endpoints().log(session, endpoint.owner, endpoint.id)
    assert entry.stage is Stage.Waiting
    assert [attempt.error for attempt in entry.attempts] == ["timeout" if trouble == "timeout" else "connection"]


# -------------------------------------------------------------------------------------------------------------- order


def test_a_later_event_waits_for_the_earlier_one_of_its_order_alone(told: NotifyWorld, ear: Ear) -> None:
    told.endpoint(f"{ear.url}/bad")
    told.endpoint(f"{ear.url}/good")
    slow, quick = told.world.accepted(), told.world.accepted()
    stuck = told.world.id_of(slow)

    def answer(heard: Heard) -> tuple[int, dict[str, str]]:
        return (500 if heard.path == "/bad" and heard.json["data"]["order_id"] == stuck else 200), {}

    ear.answer = answer
    told.tell()

    def heard(path: str) -> list[tuple[bool, str]]:
        return [(one.json["data"]["order_id"] == stuck, one.json["type"]) for one in ear.heard if one.path == path]

    assert sorted(heard("/bad")) == [(False, "order.accepted"), (False, "order.opened"), (True, "order.opened")]
    assert len(heard("/good")) == 4
    told.world.send(told.world.seller, "deliver", slow, "0x" + "c0" * 32)
    told.world.send(told.world.seller, "deliver", quick, "0x" + "c0" * 32)
    told.tell()
    assert (True, "order.accepted") not in heard("/bad")
    assert (False, "order.delivered") in heard("/bad")
    ear.answer = lambda _: (200, {})
    told.later(5)
    told.tell()
    of_slow = [kind for is_slow, kind in heard("/bad") if is_slow]
    assert of_slow == ["order.opened", "order.opened", "order.accepted", "order.delivered"]


def test_after_what_was_given_up_the_order_goes_on(told: NotifyWorld, ear: Ear) -> None:
    told.endpoint(ear.url)
    told.world.accepted()
    ear.answer = lambda heard: (500 if heard.json["type"] == "order.opened" else 200, {})
    told.tell()
    for delay in WEBHOOK_DELAYS:
        told.world.opened()  # something gets through meanwhile, so that the endpoint stays
        ear.answer = lambda heard: (500 if heard.body == ear.heard[0].body else 200, {})
        told.later(delay)
        told.tell()
    assert ear.types.count("order.accepted") == 1


def test_receivers_are_spoken_to_side_by_side_and_not_too_many_at_once(told: NotifyWorld) -> None:
    """Three endpoints that only answer once all three were asked: one after the other would never end."""
    together = threading.Barrier(3)
    most, now, lock = 0, 0, threading.Lock()

    def answer(_: Heard) -> tuple[int, dict[str, str]]:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        together.wait(10)
        with lock:
            now -= 1
        return 200, {}

    with listening() as one, listening() as two, listening() as three:
        for ear in (one, two, three):
            ear.answer = answer
            told.endpoint(ear.url, "order.opened")
        for _ in range(4):
            told.world.opened()
        assert told.tell(queue={"at_once": 3, "at_once_each": 1}).webhooks == 12
    assert most == 3


def test_one_account_leaves_room_for_the_others(told: NotifyWorld) -> None:
    """A platform's many endpoints that never answer: the seller's only one gets its turn in the first look."""
    for number in range(8):
        told.endpoint(f"https://slow.example/{number}", "order.opened")
    told.endpoint("https://seller.example/", "order.opened", owner=told.world.seller.address)
    told.world.opened()
    told.mirror()
    queue = {"at_once": 8, "at_once_owner": 4}
    with told.notifier(queue=queue) as notifier:
        with told.store.writing() as session:
            begin_reading(session, told.contract_id)
            fan_out_instant(session, told.contract_id, told.now_ms)
        for _ in range(9):  # wherever choosing begins
            with told.store.writing() as session:
                letters, _ = notifier._deliveries.choose(session, told.now_ms, {}, notifier.metrics.unforeseen)
            hosts = Counter(urlsplit(letter.url).hostname for letter in letters)
            assert hosts == {"slow.example": 6, "seller.example": 1}  # a quarter is for who comes next
            assert len({letter.delivery_id for letter in letters}) == 7
        busy = {one.delivery_id: one.endpoint_id for one in letters if "slow" in one.url}
        with told.store.writing() as session:
            [letter], _ = notifier._deliveries.choose(session, told.now_ms, busy, notifier.metrics.unforeseen)
    assert letter.url == "https://seller.example/"


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


# ----------------------------------------------------------------------------------------------------------- the worker


def test_one_notifier_works_and_the_other_takes_over(told: NotifyWorld, ear: Ear) -> None:
    told.endpoint(ear.url)
    told.world.opened()
    told.mirror()
    heard_of: list[str] = []
    stop, leading = threading.Event(), threading.Event()

    def lead() -> None:
        with told.notifier() as first:
            first.metrics.looked = lambda **_: leading.set()  # type: ignore[method-assign]
            first.follow(stop, poll_seconds=0.02)

    thread = threading.Thread(target=lead)
    thread.start()
    try:
        assert leading.wait(20)
        with told.notifier() as second:
            report = second.run_once(trouble=lambda error: heard_of.append(error.code))
        assert not report.leading
        assert heard_of == ["notifier_stands_by"]
    finally:
        stop.set()
        thread.join()
    told.world.opened()
    assert told.tell().leading
    assert ear.types == ["order.opened", "order.opened"]
    assert len(set(ear.ids)) == 2


def test_metrics_and_logs_have_no_secrets(told: NotifyWorld, ear: Ear, caplog: pytest.LogCaptureFixture) -> None:
    endpoint, secret = told.endpoint(ear.url + "/token/abcdef")
    told.world.opened()
    ear.always(500)
    told.mirror()
    with caplog.at_level("DEBUG"), told.notifier() as notifier:
        notifier.run_once()
        ear.always(200)
        told.later(5)
        notifier.run_once()
    registry = notifier.metrics.registry
    assert registry.get_sample_value("kameng_notifier_webhook_attempts_total", {"stage": "sent"}) == 1
    assert registry.get_sample_value("kameng_notifier_webhook_attempts_total", {"stage": "waiting"}) == 1
    assert notifier.metrics.ready().good
    ours = [record for record in caplog.records if record.name.startswith("kameng_escrow")]
    assert any(getattr(record, "endpoint", None) == endpoint.id for record in ours)
    text = " ".join(str(vars(record)) for record in caplog.records)
    for hidden in (secret, secret[6:], "abcdef", "v1,"):
        assert hidden not in text


def test_a_delivery_of_nothing_is_put_off_and_holds_nobody_up(told: NotifyWorld, ear: Ear) -> None:
    endpoint, _ = told.endpoint(ear.url, "order.opened")
    told.world.opened()
    told.mirror()
    with told.store.writing() as session:
        session.add(
            DeliveryRow(
                endpoint_id=endpoint.id,
                outbox_id=10**9,  # which there is none of
                order_id="0x" + "11" * 32,
                type="order.opened",
                final=False,
                stage=Stage.Waiting,
                attempts=0,
                created_ms=told.now_ms,
                next_try_ms=told.now_ms,
            )
        )
    report = told.send()
    assert (report.webhooks, len(ear.heard)) == (1, 1)
    with told.store.reading() as session:
        [left] = session.scalars(select(DeliveryRow).filter_by(stage=Stage.Waiting))
        assert (left.outbox_id, left.attempts) == (10**9, 1)
        assert left.next_try_ms is not None
        assert left.next_try_ms > told.now_ms
