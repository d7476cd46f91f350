"""What people are told, in which words, and when."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from kameng_escrow.notify import Texts
from kameng_escrow.notify.optout import PATH
from kameng_escrow.notify.people_fanout import ask_for_stock
from kameng_escrow.store.service.notification_rows import MessageRow
from kameng_escrow.store.service.notifying import Stage, StoppedFor

from .escrow_world import DAY, HOUR, MINUTE
from .notify_world import PUBLIC_URL, Ear, NotifyWorld, listening
from .people_told import heard_by, join

# ---------------------------------------------------------------------------------------------------------------- words


def test_what_happened_what_it_does_to_the_money_and_until_when(told: NotifyWorld, ear: Ear) -> None:
    cast = told.world
    join(told, ear, cast.buyer, language="zh", time_zone="Asia/Shanghai")
    join(told, ear, cast.seller, language="en", time_zone="Europe/Berlin")
    terms = cast.opened()
    told.tell()
    [to_seller], [to_buyer] = heard_by(ear, cast.seller), heard_by(ear, cast.buyer)
    assert to_seller["title"].startswith("Opened · 0x")
    assert "Price: 1.000007 TUSD" in to_seller["message"]
    assert re.search(r"By \d\d:\d\d you may: Accept, Decline\.", to_seller["message"])
    assert to_buyer["title"].startswith("已付款，待接单 · 0x")
    assert re.search(r"最迟 \d\d:\d\d 自动退款给买家（买家得 1\.000007 TUSD）", to_buyer["message"])
    assert re.search(r"\d\d:\d\d 前轮到卖家", to_buyer["message"])
    assert f"{PUBLIC_URL}/orders/{cast.id_of(terms)}" in to_buyer["message"]
    assert f"退订：{PUBLIC_URL}{PATH}/chn_" in to_buyer["message"]
    ear.heard.clear()
    cast.send(cast.seller, "accept", terms)
    cast.send(cast.seller, "deliver", terms, "0x" + "c0" * 32)
    cast.wait(DAY)
    cast.settle(terms)
    told.tell()
    closed = heard_by(ear, cast.seller)[-1]
    assert closed["title"].startswith("Closed: Released")
    assert "to the seller" in closed["message"]
    assert heard_by(ear, cast.buyer)[-1]["title"].startswith("验货期满，自动放款")


def test_muted_topics_and_stopped_channels_are_left_alone(told: NotifyWorld, ear: Ear) -> None:
    cast = told.world
    join(told, ear, cast.buyer, muted=("order.opened",))
    channel = join(told, ear, cast.seller)
    told.people().stop(cast.seller.address, channel)
    cast.accepted()
    told.tell()
    assert [one["title"][:7] for one in heard_by(ear, cast.buyer)] == ["已接单，待发货"]
    assert heard_by(ear, cast.seller) == []


def test_a_seller_is_asked_for_stock_once_and_nobody_else_is(told: NotifyWorld, ear: Ear) -> None:
    cast = told.world
    join(told, ear, cast.seller, language="zh", muted=("order.opened",))
    join(told, ear, cast.buyer, muted=("order.opened",))
    terms = cast.opened()
    told.tell()
    for _ in range(2):  # the same order again is the same question
        with told.store.writing() as session:
            ask_for_stock(session, told.contract_id, cast.seller.address, cast.id_of(terms), told.now_ms)
        told.send()
    [asked] = heard_by(ear, cast.seller)
    assert asked["title"].startswith("请确认有货 · 0x")
    assert asked["message"].startswith("类似的订单更容易失败。")
    assert heard_by(ear, cast.buyer) == []


def test_a_seller_that_has_delivered_meanwhile_is_not_asked_for_stock(told: NotifyWorld, ear: Ear) -> None:
    cast = told.world
    join(told, ear, cast.seller, muted=("order.opened", "order.accepted", "order.delivered"))
    terms = cast.accepted()
    told.tell()
    with told.store.writing() as session:
        ask_for_stock(session, told.contract_id, cast.seller.address, cast.id_of(terms), told.now_ms)
    cast.send(cast.seller, "deliver", terms, "0x" + "c0" * 32)
    told.tell()
    assert heard_by(ear, cast.seller) == []


def test_what_was_told_is_taken_back_and_what_was_not_is_not_told(told: NotifyWorld, ear: Ear) -> None:
    cast = told.world
    join(told, ear, cast.buyer)
    before = cast.node.snapshot()
    cast.opened()
    told.tell()
    cast.node.revert(before)
    for _ in range(4):
        cast.wait(7)
    told.tell()
    assert [one["title"] for one in heard_by(ear, cast.buyer)][1:] == ["撤回"]


# ----------------------------------------------------------------------------------------------------- when it is told


def midnight(told: NotifyWorld) -> int:
    """Minutes after midnight UTC now."""
    return told.now_ms // 60_000 % 1_440


def test_quiet_hours_hold_back_and_then_only_the_last_is_told(told: NotifyWorld, ear: Ear) -> None:
    cast = told.world
    hours = {"quiet_from": midnight(told), "quiet_to": (midnight(told) + 120) % 1_440}
    join(told, ear, cast.buyer, time_zone="UTC", **hours)
    terms = cast.opened()
    told.tell()
    cast.send(cast.seller, "accept", terms)
    told.tell()
    assert ear.heard == []
    told.later(119 * 60)
    told.tell()
    assert ear.heard == []
    told.later(120)
    told.tell()
    assert [one["title"][:7] for one in heard_by(ear, cast.buyer)] == ["已接单，待发货"]


def test_what_would_be_too_late_is_told_in_the_night(told: NotifyWorld, ear: Ear) -> None:
    """A seller who has ten minutes to accept is woken."""
    cast = told.world
    hours = {"quiet_from": midnight(told), "quiet_to": (midnight(told) + 120) % 1_440}
    join(told, ear, cast.seller, time_zone="UTC", **hours)
    cast.opened()
    told.tell()
    assert len(heard_by(ear, cast.seller)) == 1


def test_reminders_come_in_time_to_whose_turn_it_is_and_once(told: NotifyWorld, ear: Ear) -> None:
    cast = told.world
    join(told, ear, cast.seller, language="en")
    join(told, ear, cast.buyer, language="en")
    terms = cast.accepted()  # 30 minutes to deliver
    told.tell()
    ear.heard.clear()
    told.later(14 * MINUTE)
    told.tell()
    assert ear.heard == []
    told.later(2 * MINUTE)
    told.tell()
    told.tell()
    [half] = heard_by(ear, cast.seller)
    assert half["title"].startswith("It is your turn: Deliver, Decline")
    told.later(10 * MINUTE)
    told.tell()
    assert heard_by(ear, cast.seller)[1]["title"].startswith("Time is running out")
    assert heard_by(ear, cast.buyer) == []
    told.later(HOUR)
    told.tell()
    assert len(ear.heard) == 2
    assert terms.seller == cast.seller.address


def test_no_reminder_once_the_order_has_moved_on(told: NotifyWorld, ear: Ear) -> None:
    cast = told.world
    join(told, ear, cast.seller)
    terms = cast.accepted()
    told.tell()
    cast.send(cast.seller, "deliver", terms, "0x" + "c0" * 32)
    told.tell()
    ear.heard.clear()
    told.later(29 * MINUTE)
    told.tell()
    assert heard_by(ear, cast.seller) == []
    with told.store.reading() as session:
        stages = session.scalars(select(MessageRow.stage).where(MessageRow.topic == "order.reminded")).all()
    assert stages.count(Stage.Dropped) == 2  # those of the accepting had gone before, with the order's state


def test_a_mediator_hears_when_its_half_begins(told: NotifyWorld, ear: Ear) -> None:
    cast = told.world
    join(told, ear, cast.mediator, language="en")
    cast.disputed()
    told.tell()
    assert ear.heard == []
    told.later(DAY + MINUTE)
    told.tell()
    [turn] = heard_by(ear, cast.mediator)
    assert turn["title"].startswith("It is your turn: Rule")


def test_who_joins_late_is_reminded_of_open_orders(told: NotifyWorld, ear: Ear) -> None:
    cast = told.world
    cast.accepted()
    told.tell()
    join(told, ear, cast.seller)
    told.later(16 * MINUTE)
    told.tell()
    assert len(heard_by(ear, cast.seller)) == 1


def test_a_channel_that_fails_again_and_again_is_stopped(told: NotifyWorld, ear: Ear) -> None:
    cast = told.world
    join(told, ear, cast.buyer)
    ear.always(500)
    for _ in range(5):
        cast.opened()
    for _ in range(8):
        for _ in range(5):
            told.tell()
        told.later(3 * HOUR)
    [channel] = told.people().channels(cast.buyer.address)
    assert channel.stopped_for is StoppedFor.Failing


def test_words_that_can_t_be_made_give_their_place_back(
    told: NotifyWorld, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a mistake of ours held against the channel, however often it is made."""
    cast = told.world
    join(told, ear, cast.buyer)
    for _ in range(5):
        cast.opened()
    of = Texts.of

    def broken(*_: Any) -> Any:
        raise KeyError("nobody thought of it")

    monkeypatch.setattr(Texts, "of", broken)
    for _ in range(8):
        for _ in range(5):
            told.tell()
        told.later(3 * HOUR)
    [channel] = told.people().channels(cast.buyer.address)
    assert channel.stopped_for is None
    assert ear.heard == []
    monkeypatch.setattr(Texts, "of", of)
    cast.opened()
    assert told.tell().messages == 1


def test_an_owner_is_told_that_an_endpoint_was_disabled(told: NotifyWorld, ear: Ear) -> None:
    cast = told.world
    join(told, ear, cast.platform, language="en")
    with listening() as gone:
        gone.always(410)
        endpoint, _ = told.endpoint(gone.url)
        cast.opened()
        told.tell()
    [said] = heard_by(ear, cast.platform)
    assert said["title"] == "A webhook endpoint was disabled"
    assert endpoint.id in said["message"]
