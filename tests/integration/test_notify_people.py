"""People, told by channels that really take things: a mail server, robots' web hooks, a browser's push service."""

import base64
import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import http_ece
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MailHandler
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from eth_account.signers.local import LocalAccount
from py_vapid import Vapid02
from sqlalchemy import select, update

from kameng_escrow.notify import Preferences, PushKey, Senders, Texts
from kameng_escrow.notify.errors import CodeWrong, TooManyChannels, TooManyCodes
from kameng_escrow.notify.optout import PATH
from kameng_escrow.notify.people_fanout import ask_for_stock
from kameng_escrow.notify.senders import _instantiate
from kameng_escrow.store import Store
from kameng_escrow.store.service.notification_rows import ChannelRow, MessageRow, PersonRow
from kameng_escrow.store.service.notifying import ChannelKind, Stage, StoppedFor

from .escrow_world import DAY, HOUR, MINUTE, EscrowWorld
from .notify_world import PUBLIC_URL, Ear, NotifyWorld, listening

NTFY = {"topic": "orders_7"}


class Mailbox(MailHandler):
    """What a mail server took."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Any] = []

    def handle_message(self, message: Any) -> None:
        self.mails.append(message)


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    """A mail server, and its Apprise URL."""
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, f"mailto://127.0.0.1:{port}?from=orders@escrow.example&smtp=127.0.0.1"
    finally:
        controller.stop()


@pytest.fixture
def ear() -> Iterator[Ear]:
    with listening() as ear:
        yield ear


def at(ear: Ear) -> Any:
    """Has Apprise's own services talk to an ear on this machine, instead of to their hosts."""

    def make(service: dict[str, Any]) -> Any:
        host, _, port = ear.url.removeprefix("http://").partition(":")
        if service["schema"] in ("barks", "ntfys"):
            service = {**service, "schema": service["schema"][:-1], "host": host, "port": int(port), "secure": False}
        made = _instantiate(service)
        for name in ("notify_url", "api_url"):
            if hasattr(made, name):
                path = getattr(made, name).partition("://")[2].partition("/")[2]
                setattr(made, name, f"{ear.url}/{path}")
        return made

    return make


@pytest.fixture
def told(world: EscrowWorld, store: Store, ear: Ear) -> NotifyWorld:
    return NotifyWorld(world, store, senders=Senders(make=at(ear)))


def text_of(ear: Ear) -> str:
    return str(ear.heard[-1].json["message"])


def code_sent(told: NotifyWorld, ear: Ear) -> str:
    """The code that the notifier sends now."""
    told.send()
    code = re.search(r"\d{6}", text_of(ear))
    assert code
    return code[0]


def join(told: NotifyWorld, ear: Ear, who: LocalAccount, **preferences: Any) -> str:
    """Somebody who has shown that a channel is theirs; its id. What was heard is forgotten."""
    people = told.people()
    channel = people.add(who.address, ChannelKind.Ntfy, {"topic": f"orders_{who.address[2:8]}"})
    people.verify(who.address, channel.id, code_sent(told, ear))
    people.prefer(who.address, Preferences(**preferences))
    ear.heard.clear()
    return channel.id


def heard_by(ear: Ear, who: LocalAccount) -> list[Any]:
    return [one.json for one in ear.heard if one.json["topic"] == f"orders_{who.address[2:8]}"]


# ---------------------------------------------------------------------------------------------------------- verifying


def test_nothing_is_sent_before_the_code_was_shown(told: NotifyWorld, ear: Ear) -> None:
    people, seller = told.people(), told.world.seller.address
    channel = people.add(seller, ChannelKind.Ntfy, NTFY)
    assert ear.heard == []  # whoever asked did not wait for it
    told.world.opened()
    assert told.tell().messages == 1
    [only] = ear.heard
    code = re.search(r"\d{6}", only.json["message"])
    assert code
    wrong = f"{(int(code[0]) + 1) % 10**6:06}"
    with pytest.raises(CodeWrong):
        people.verify(seller, channel.id, wrong)
    assert people.verify(seller, channel.id, code[0]).verified
    with pytest.raises(CodeWrong):
        people.verify(seller, channel.id, code[0])  # good once
    told.world.opened()
    assert told.tell().messages == 1


def test_codes_run_out_by_time_and_by_guessing(told: NotifyWorld, ear: Ear) -> None:
    people, seller = told.people(), told.world.seller.address
    channel = people.add(seller, ChannelKind.Ntfy, NTFY)
    code = code_sent(told, ear)
    for _ in range(5):
        with pytest.raises(CodeWrong):
            people.verify(seller, channel.id, "none")
    with pytest.raises(CodeWrong):
        people.verify(seller, channel.id, code)
    people.send_code(seller, channel.id)
    fresh = code_sent(told, ear)
    told.later(15 * 60)
    with pytest.raises(CodeWrong):
        people.verify(seller, channel.id, fresh)


def test_nobody_is_flooded_with_codes(told: NotifyWorld, ear: Ear) -> None:
    people, seller = told.people(), told.world.seller.address
    channel = people.add(seller, ChannelKind.Ntfy, NTFY)
    told.send()
    for _ in range(9):
        people.send_code(seller, channel.id)
        told.send()
    with pytest.raises(TooManyCodes):
        people.send_code(seller, channel.id)
    with pytest.raises(TooManyCodes):
        people.add(seller, ChannelKind.Ntfy, NTFY)
    assert len(ear.heard) == 10
    told.later(3_600)
    for _ in range(9):
        people.add(seller, ChannelKind.Ntfy, NTFY)
    with pytest.raises(TooManyChannels):
        people.add(seller, ChannelKind.Ntfy, NTFY)


def test_a_code_that_can_t_be_sent_is_tried_again_as_long_as_it_counts(told: NotifyWorld, ear: Ear) -> None:
    ear.always(500)
    people, seller = told.people(), told.world.seller.address
    channel = people.add(seller, ChannelKind.Ntfy, NTFY)
    told.send()
    [message] = people.told(seller)
    assert (message.topic, message.stage, message.channel_id) == ("channel.code", Stage.Waiting, channel.id)
    assert message.error is not None
    told.later(15 * 60)
    told.send()
    assert len(ear.heard) == 1
    assert people.told(seller)[0].stage is Stage.Dropped
    ear.always(200)
    people.send_code(seller, channel.id)
    assert people.verify(seller, channel.id, code_sent(told, ear)).verified


def test_a_newer_code_takes_the_place_of_one_that_waits(told: NotifyWorld, ear: Ear) -> None:
    people, seller = told.people(), told.world.seller.address
    channel = people.add(seller, ChannelKind.Ntfy, NTFY)
    people.send_code(seller, channel.id)
    code = code_sent(told, ear)
    assert len(ear.heard) == 1
    assert people.verify(seller, channel.id, code).verified


def test_a_stopped_channel_is_started_again_by_a_code_even_at_night(told: NotifyWorld, ear: Ear) -> None:
    people, seller = told.people(), told.world.seller
    channel = join(told, ear, seller, quiet_from=0, quiet_to=1_439)
    people.stop(seller.address, channel)
    people.send_code(seller.address, channel)
    assert people.verify(seller.address, channel, code_sent(told, ear)).stopped_for is None


def test_addresses_and_codes_lie_sealed(told: NotifyWorld, ear: Ear) -> None:
    told.people().add(told.world.seller.address, ChannelKind.Ntfy, NTFY)

    def stored() -> str:
        with told.store.reading() as session:
            rows = [*session.scalars(select(ChannelRow)), *session.scalars(select(MessageRow))]
            return " ".join(str(value) for row in rows for value in vars(row).values()).replace(rows[0].hint, "")

    before = stored()
    code = code_sent(told, ear)
    assert "orders_7" not in before
    assert code not in before
    assert "code" in before
    with told.store.reading() as session:
        assert session.scalars(select(MessageRow.details)).all() == [{}]  # and gone once it was sent


def test_what_can_be_no_message_is_put_off_and_holds_nobody_up(told: NotifyWorld, ear: Ear) -> None:
    buyer, seller = told.world.buyer, told.world.seller
    mine = join(told, ear, seller)
    join(told, ear, buyer)
    terms = told.world.opened()
    told.mirror()
    with told.store.writing() as session:
        session.execute(update(PersonRow).values(time_zone="Nowhere/At_All").filter_by(account=seller.address))
    assert told.tell().messages == 1
    assert [one["title"].endswith(f"…{told.world.id_of(terms)[-4:]}") for one in heard_by(ear, buyer)] == [True]
    assert heard_by(ear, seller) == []
    events = [one for one in told.people().told(seller.address) if one.channel_id == mine]
    waiting = next(one for one in events if one.topic == "order.opened")
    assert waiting.stage is Stage.Waiting
    assert waiting.next_try_ms is not None
    assert waiting.next_try_ms > told.now_ms
    with told.store.writing() as session:
        session.execute(update(PersonRow).values(time_zone="UTC").filter_by(account=seller.address))
    told.later(3_600)
    told.send()
    assert len(heard_by(ear, seller)) >= 1


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


# ------------------------------------------------------------------------------------------------------------- channels

ROBOTS = {
    ChannelKind.WeCom: {"key": "693a0000-7a0c-4bc4-97a0-0ec21fa5aaaa"},
    ChannelKind.DingTalk: {"token": "a1" * 32, "secret": "SEC" + "b2" * 32},
    ChannelKind.Feishu: {"token": "c3" * 16},
    ChannelKind.Telegram: {"chat_id": "123456", "bot_token": "123456789:AA" + "x" * 33},
    ChannelKind.Bark: {"device_key": "d4" * 11},
    ChannelKind.Ntfy: NTFY,
}


@pytest.mark.parametrize("kind", list(ROBOTS))
def test_messengers_take_what_apprise_sends(told: NotifyWorld, ear: Ear, kind: ChannelKind) -> None:
    answers = {ChannelKind.Feishu: b'{"code": 0}', ChannelKind.Telegram: b'{"ok": true}'}
    with patch("tests.integration.notify_world.ANSWER", answers.get(kind, b"ok")):
        told.people().add(told.world.buyer.address, kind, ROBOTS[kind])
        told.send()
    [heard] = ear.heard
    assert re.search(r"\d{6} 是订单通知的验证码", text(heard))
    assert PATH not in text(heard)  # a code comes with no link


def text(heard: Any) -> str:
    return json.dumps(heard.json, ensure_ascii=False)


def written(mail: Any) -> str:
    """A mail's plain text."""
    [part] = [one for one in mail.walk() if one.get_content_type() == "text/plain"]
    return str(part.get_payload(decode=True).decode())


def test_mail_has_a_button_that_stops_it(world: EscrowWorld, sqlite_store: Store, mailbox: tuple[Mailbox, str]) -> None:
    box, url = mailbox
    told = NotifyWorld(world, sqlite_store, senders=Senders(mail_url=url))
    people, buyer = told.people(), world.buyer.address
    channel = people.add(buyer, ChannelKind.Mail, {"address": "buyer@example.com"})
    assert channel.hint == "b…@example.com"
    told.send()
    code = re.search(r"\d{6}", written(box.mails[0]))
    assert code
    assert "List-Unsubscribe" not in box.mails[0]
    people.verify(buyer, channel.id, code[0])
    world.opened()
    assert told.tell().messages == 1
    mail = box.mails[1]
    assert "buyer@example.com" in mail["To"]
    assert "orders@escrow.example" in mail["From"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(mail["List-Unsubscribe"]).strip("<>")
    _, _, _, path = link.split("/", 3)
    _, name, topic, mac = path.split("/")
    people.opt_out(name, topic, mac)
    world.opened()
    assert told.tell().messages == 0


def test_pushes_are_encrypted_for_the_browser_and_signed(world: EscrowWorld, sqlite_store: Store, ear: Ear) -> None:
    vapid = Vapid02()
    vapid.generate_keys()
    push = PushKey(key=vapid, contact="mailto:admin@escrow.example")
    told = NotifyWorld(world, sqlite_store, senders=Senders(push=push))
    browser = ec.generate_private_key(ec.SECP256R1())
    point = browser.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    auth = bytes(range(16))
    fields = {
        "endpoint": f"{ear.url}/push/abc",
        "p256dh": base64.urlsafe_b64encode(point).rstrip(b"=").decode(),
        "auth": base64.urlsafe_b64encode(auth).rstrip(b"=").decode(),
    }

    def opened(body: bytes) -> Any:
        return json.loads(http_ece.decrypt(body, private_key=browser, auth_secret=auth, version="aes128gcm"))

    with patch.dict("kameng_escrow.notify.channels._FIELDS", {ChannelKind.Push: _lenient()}):
        channel = told.people().add(world.buyer.address, ChannelKind.Push, fields)
        told.send()
    code = re.search(r"\d{6}", opened(ear.heard[0].body)["body"])
    assert code
    told.people().verify(world.buyer.address, channel.id, code[0])
    terms = world.opened()
    told.tell()
    sent = ear.heard[1]
    message = opened(sent.body)
    assert message["url"].endswith(world.id_of(terms))
    assert message["opt_out"].startswith(f"{PUBLIC_URL}{PATH}/")
    assert sent.headers["content-encoding"] == "aes128gcm"
    assert 0 < int(sent.headers["ttl"]) <= 28 * 86_400
    assert Vapid02.verify(sent.headers["authorization"])
    assert push.public in sent.headers["authorization"]
    ear.always(410)
    world.opened()
    told.tell()
    [found] = told.people().channels(world.buyer.address)
    assert found.stopped_for is StoppedFor.Gone


def _lenient() -> Any:
    """The fields of a push channel, with a push service on this machine allowed."""
    from dataclasses import replace

    from kameng_escrow.notify.channels import _FIELDS

    fields = dict(_FIELDS[ChannelKind.Push])
    return {**fields, "endpoint": replace(fields["endpoint"], fits=lambda _: True)}
