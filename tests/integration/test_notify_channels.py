"""Channels that really take things: a mail server, robots' web hooks, a browser's push service."""

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
from py_vapid import Vapid02

from kameng_escrow.notify import PushKey, Senders
from kameng_escrow.notify.optout import PATH
from kameng_escrow.store import Store
from kameng_escrow.store.service.notifying import ChannelKind, StoppedFor

from .escrow_world import EscrowWorld
from .notify_world import PUBLIC_URL, Ear, NotifyWorld


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


ROBOTS = {
    ChannelKind.WeCom: {"key": "693a0000-7a0c-4bc4-97a0-0ec21fa5aaaa"},
    ChannelKind.DingTalk: {"token": "a1" * 32, "secret": "SEC" + "b2" * 32},
    ChannelKind.Feishu: {"token": "c3" * 16},
    ChannelKind.Telegram: {"chat_id": "123456", "bot_token": "123456789:AA" + "x" * 33},
    ChannelKind.Bark: {"device_key": "d4" * 11},
    ChannelKind.Ntfy: {"topic": "orders_7"},
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
