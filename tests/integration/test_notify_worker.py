"""The notifier at work: what of an order waits for what, who takes over, and what is told of it."""

import threading
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from kameng_escrow.notify.fanout import fan_out_instant
from kameng_escrow.notify.schedule import WEBHOOK_DELAYS
from kameng_escrow.store.service.notifying import Stage
from kameng_escrow.store.service.outbox import begin_reading
from kameng_escrow.store.service.webhook_rows import DeliveryRow

from .notify_world import Ear, Heard, NotifyWorld, listening

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
            metrics: Any = first.metrics
            metrics.looked = lambda **_: leading.set()
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
