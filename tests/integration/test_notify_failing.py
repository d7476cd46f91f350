"""Webhooks to receivers that fail."""

import threading
from typing import Any

import pytest

from kameng_escrow.notify import Deliveries
from kameng_escrow.notify.errors import (
    EndpointDisabled,
    EndpointUnfit,
)
from kameng_escrow.notify.notifier import now_ms
from kameng_escrow.notify.schedule import WEBHOOK_DELAYS
from kameng_escrow.store.service.notifying import DisabledFor, Stage
from kameng_escrow.webhooks import signed_headers

from .notify_world import DAY_MS, Ear, Heard, NotifyWorld


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
