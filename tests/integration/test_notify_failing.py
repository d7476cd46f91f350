"""Webhooks to receivers that fail, and what of an order waits for what; the notifier at work."""

import threading
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from kameng_escrow.notify import Deliveries
from kameng_escrow.notify.errors import (
    EndpointDisabled,
    EndpointUnfit,
)
from kameng_escrow.notify.fanout import fan_out_instant
from kameng_escrow.notify.notifier import now_ms
from kameng_escrow.notify.schedule import WEBHOOK_DELAYS
from kameng_escrow.store.service.notifying import DisabledFor, Stage
from kameng_escrow.store.service.outbox import begin_reading
from kameng_escrow.store.service.webhook_rows import DeliveryRow
from kameng_escrow.webhooks import signed_headers

from .notify_world import DAY_MS, Ear, Heard, NotifyWorld, listening

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
