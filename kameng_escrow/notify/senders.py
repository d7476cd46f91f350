"""The ways to people: Web Push by the browser's push service, everything else by Apprise.

Apprise is given fields that we checked, never a URL that somebody made up, and follows no redirects.
"""

import asyncio
import base64
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kameng_escrow.store.service.notifying import ChannelKind

from .errors import ChannelUnavailable, SecretFileUnusable
from .schedule import retry_after
from .sealing import read_secret
from .texts import Words
from .wire import INTERNAL, Wire

_GONE = (404, 410)  # what a push service says of a subscription that has ended (RFC 8030)
_PUSH_SECONDS = 24 * 3_600  # for which a push service keeps a message for a device that is off
_TIMEOUTS = {"cto": 5.0, "rto": 15.0}  # seconds to connect, and to be answered

# Apprise tells its log of addresses and tokens: nobody is to hear that.
_APPRISE_LOG = "apprise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Words and where they go. Not to be logged."""

    kind: ChannelKind
    fields: Mapping[str, str]  # as `channels.check_channel` gives them
    words: Words
    language: str
    opt_out: str  # a link that stops the channel; empty: a code, which stops nothing
    tag: str  # what replaces each other on a screen, at most 32 letters
    lasts_seconds: int | None  # for how long it is of use

    def __repr__(self) -> str:
        return f"Parcel({self.kind})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of a parcel."""

    kind: ChannelKind
    taken: bool
    error: str | None = None  # a stable word
    gone: bool = False  # whether the address will never take anything again
    asked: float | None = None  # seconds that we were asked to wait

    @property
    def ours(self) -> bool:
        """Whether it failed by a mistake of ours: that says nothing about the channel."""
        return self.error == INTERNAL


@dataclass(frozen=True, slots=True, kw_only=True)
class PushKey:
    """What we sign pushes with (VAPID, RFC 8292)."""

    key: Any  # a `py_vapid.Vapid02`
    contact: str  # mailto: or https: where push services may complain

    @property
    def public(self) -> str:
        """The application server key that browsers subscribe with, base64url."""
        from cryptography.hazmat.primitives import serialization

        point = self.key.public_key.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return base64.urlsafe_b64encode(point).rstrip(b"=").decode("ascii")


def read_push_key(path: Path, contact: str) -> PushKey:
    """The VAPID key in a file: of P-256, in PEM, readable by its owner alone.

    Raises:
        SecretFileUnusable: it is none.
    """
    from py_vapid import Vapid02

    try:
        return PushKey(key=Vapid02.from_pem(read_secret(path).encode("ascii")), contact=contact)
    except SecretFileUnusable:
        raise
    except Exception:  # libraries name what is wrong in many ways, and quote it
        raise SecretFileUnusable(
            f"{path} has no key of the curve P-256 in PEM: make one with "
            f"`openssl ecparam -name prime256v1 -genkey -noout > {path}`.",
            f"{path} 里不是 P-256 的 PEM 私钥：可用 `openssl ecparam -name prime256v1 -genkey -noout > {path}` 生成。",
        ) from None


class Senders:
    """Sends parcels.

    Args:
        push: signs pushes; None: there are none.
        mail_url: an Apprise URL of the mail server, ``mailtos://user:password@host?from=…``; None: no mail.
        telegram_token: of the service's own bot; None: people bring theirs.
        make: what Apprise's dictionaries are made into, replaced by tests that have servers of their own.
    """

    def __init__(
        self,
        *,
        push: PushKey | None = None,
        mail_url: str | None = None,
        telegram_token: str | None = None,
        make: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        self._push = push
        self._mail_url = mail_url
        self._telegram_token = telegram_token
        self._make = make or _instantiate

    @property
    def push_key(self) -> str | None:
        """What browsers subscribe with; None: there is no Web Push."""
        return None if self._push is None else self._push.public

    def check(self, kind: ChannelKind, fields: Mapping[str, str]) -> None:
        """Raises `ChannelUnavailable` where the service has not been given what the kind needs."""
        if kind is ChannelKind.Push and self._push is None:
            raise ChannelUnavailable(kind, "KAMENG_PUSH_KEY_FILE")
        if kind is ChannelKind.Mail and self._mail_url is None:
            raise ChannelUnavailable(kind, "KAMENG_MAIL_FILE")
        if kind is ChannelKind.Telegram and not (fields.get("bot_token") or self._telegram_token):
            raise ChannelUnavailable(kind, "KAMENG_TELEGRAM_TOKEN_FILE")

    async def send(self, parcel: Parcel, wire: Wire, now_ms: int) -> Sent:
        """Sends a parcel; never raises for what the other side does."""
        try:
            self.check(parcel.kind, parcel.fields)
        except ChannelUnavailable:
            return Sent(kind=parcel.kind, taken=False, error="unavailable")
        if parcel.kind is ChannelKind.Push:
            return await self._send_push(parcel, wire, now_ms)
        taken = await asyncio.to_thread(self._send_apprise, parcel)
        return Sent(kind=parcel.kind, taken=taken, error=None if taken else "refused")

    # -------------------------------------------------------------------------------------------------------- Web Push

    async def _send_push(self, parcel: Parcel, wire: Wire, now_ms: int) -> Sent:
        assert self._push is not None
        endpoint = parcel.fields["endpoint"]
        keys = {name: parcel.fields[name] for name in ("p256dh", "auth")}
        document = {
            "title": parcel.words.title,
            "body": parcel.words.body,
            "url": parcel.words.link,
            "tag": parcel.tag,
            "opt_out": parcel.opt_out or None,
        }
        try:
            body = _encrypt({"endpoint": endpoint, "keys": keys}, json.dumps(document, ensure_ascii=False).encode())
        except Exception:  # a key that is a point of no curve: libraries name that differently
            return Sent(kind=parcel.kind, taken=False, error="key", gone=True)
        parts = urlsplit(endpoint)
        claims = {
            "sub": self._push.contact,
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": now_ms // 1_000 + 12 * 3_600,
        }
        answer = await wire.post(
            endpoint,
            body,
            {
                **self._push.key.sign(claims),
                "Content-Encoding": "aes128gcm",
                "Content-Type": "application/octet-stream",
                "TTL": str(min(parcel.lasts_seconds or _PUSH_SECONDS, 28 * 86_400)),
                "Urgency": "high",
                "Topic": parcel.tag.replace(".", "_"),
            },
        )
        return Sent(
            kind=parcel.kind,
            taken=answer.taken,
            error=None if answer.taken else answer.error or f"status_{answer.status}",
            gone=answer.status in _GONE,
            asked=retry_after(answer.retry_after, now_ms),
        )

    # --------------------------------------------------------------------------------------------------------- Apprise

    def _send_apprise(self, parcel: Parcel) -> bool:
        for name in (_APPRISE_LOG, "urllib3"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        service = self._make(self._service(parcel))
        if service is None:
            return False
        text = parcel.words.body
        for line in (parcel.words.link, _stop(parcel)):
            text += f"\n{line}" if line else ""
        return bool(service.notify(body=text, title=parcel.words.title, body_format="text"))

    def _service(self, parcel: Parcel) -> dict[str, Any]:
        """What Apprise makes its service of."""
        fields = parcel.fields
        common: dict[str, Any] = {"redirect": False, **_TIMEOUTS}
        match parcel.kind:
            case ChannelKind.WeCom:
                return {"schema": "wecombot", "key": fields["key"], **common}
            case ChannelKind.DingTalk:
                return {"schema": "dingtalk", "token": fields["token"], "secret": fields.get("secret"), **common}
            case ChannelKind.Feishu:
                return {"schema": "feishu", "token": fields["token"], **common}
            case ChannelKind.Telegram:
                token = fields.get("bot_token") or self._telegram_token
                quiet = {"detect_owner": False, "include_image": False, "preview": False}
                return {"schema": "tgram", "bot_token": token, "targets": [fields["chat_id"]], **quiet, **common}
            case ChannelKind.Bark:
                extra = {"click": parcel.words.link, "include_image": False, "group": "orders"}
                return {
                    "schema": "barks",
                    **_place(fields["host"]),
                    "targets": [fields["device_key"]],
                    **extra,
                    **common,
                }
            case ChannelKind.Ntfy:
                auth = {"token": fields["token"], "auth": "token"} if fields.get("token") else {}
                extra = {"mode": "private", "click": parcel.words.link, "include_image": False}
                return {
                    "schema": "ntfys",
                    **_place(fields["host"]),
                    "targets": [fields["topic"]],
                    **auth,
                    **extra,
                    **common,
                }
        return {**self._mail(fields["address"], parcel.opt_out), **common}

    def _mail(self, address: str, opt_out: str) -> dict[str, Any]:
        service = _parse(self._mail_url or "")
        headers = dict(service.get("headers") or {})
        if opt_out:  # RFC 8058: the reader's mail program shows a button, and posts to the link when it is pressed
            headers |= {"List-Unsubscribe": f"<{opt_out}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        return {**service, "targets": [address], "headers": headers, "format": "text"}


def _stop(parcel: Parcel) -> str:
    if not parcel.opt_out:
        return ""
    return f"退订：{parcel.opt_out}" if parcel.language == "zh" else f"Stop these messages: {parcel.opt_out}"


def _place(host: str) -> dict[str, Any]:
    name, _, port = host.partition(":")
    return {"host": name, "port": int(port) if port else None}


def _parse(url: str) -> dict[str, Any]:
    from apprise.plugins.email import NotifyEmail

    parse: Callable[[str], dict[str, Any] | None] = NotifyEmail.parse_url
    return parse(url) or {}


def _instantiate(service: dict[str, Any]) -> Any:
    import apprise

    asset = apprise.AppriseAsset(app_id="Kameng", app_desc="Kameng escrow", http_redirects=False, secure_logging=True)
    return apprise.Apprise.instantiate(service, asset=asset)


def _encrypt(subscription: Mapping[str, Any], data: bytes) -> bytes:
    from pywebpush import WebPusher

    return bytes(WebPusher(subscription).encode(data, content_encoding="aes128gcm")["body"])
