"""The kinds of channels: what each needs to be told, and whether that can be so.

Nobody gives us a URL to call (but browsers, whose push services `wire` guards): a channel is fields of known form, and
the hosts that they are sent to are the service's own, or such as whoever runs this one has allowed.
"""

import base64
import binascii
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from kameng_escrow.store.service.notifying import ChannelKind

from .addresses import check_url
from .errors import AddressForbidden, ChannelUnfit

BARK_HOST, NTFY_HOST = "api.day.app", "ntfy.sh"


@dataclass(frozen=True, slots=True)
class _Field:
    """A part of a channel's address."""

    fits: Callable[[str], bool]
    en: str
    zh: str
    default: str | None = None  # None: it must be given; empty: may be left out
    secret: bool = True


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _is_key(length: int, first: int | None = None) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return False
        return len(raw) == length and (first is None or raw[0] == first)

    return fits


def _is_push_url(text: str) -> bool:
    try:
        check_url(text)
    except AddressForbidden:
        return False
    return True


_HOST = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?"
_FIELDS: Mapping[ChannelKind, Mapping[str, _Field]] = {
    ChannelKind.Push: {
        "endpoint": _Field(_is_push_url, "the subscription's https URL", "订阅里的 https 地址"),
        "p256dh": _Field(_is_key(65, 4), "the subscription's public key", "订阅里的公钥"),
        "auth": _Field(_is_key(16), "the subscription's secret", "订阅里的密钥"),
    },
    ChannelKind.Mail: {
        "address": _Field(
            _matches(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+"),
            "a mail address such as name@example.com",
            "形如 name@example.com 的邮箱",
        ),
    },
    ChannelKind.WeCom: {
        "key": _Field(_matches(r"[A-Za-z0-9-]{16,64}"), "the group robot's key", "群机器人地址里的 key"),
    },
    ChannelKind.DingTalk: {
        "token": _Field(_matches(r"[A-Za-z0-9]{16,128}"), "the robot's access_token", "机器人地址里的 access_token"),
        "secret": _Field(
            _matches(r"[A-Za-z0-9]{16,128}"), "the robot's signing secret, SEC…", "机器人的加签密钥 SEC…", default=""
        ),
    },
    ChannelKind.Feishu: {
        "token": _Field(
            _matches(r"[A-Za-z0-9_-]{16,64}"), "the end of the robot's webhook", "机器人 webhook 地址的末段"
        ),
    },
    ChannelKind.Telegram: {
        "chat_id": _Field(_matches(r"-?[0-9]{1,20}"), "the chat's number", "会话的数字编号"),
        "bot_token": _Field(
            _matches(r"[0-9]{5,20}:[A-Za-z0-9_-]{20,64}"),
            "a bot's token, 123456:ABC…",
            "机器人令牌 123456:ABC…",
            default="",
        ),
    },
    ChannelKind.Bark: {
        "device_key": _Field(_matches(r"[A-Za-z0-9]{8,64}"), "the app's device key", "App 里的设备 key"),
        "host": _Field(_matches(_HOST), "the server's host", "服务器主机名", default=BARK_HOST, secret=False),
    },
    ChannelKind.Ntfy: {
        "topic": _Field(_matches(r"[A-Za-z0-9_-]{1,64}"), "the topic, letters and digits", "主题，字母和数字"),
        "token": _Field(_matches(r"[A-Za-z0-9_]{8,64}"), "an access token, tk_…", "访问令牌 tk_…", default=""),
        "host": _Field(_matches(_HOST), "the server's host", "服务器主机名", default=NTFY_HOST, secret=False),
    },
}
_USUAL_HOSTS = {ChannelKind.Bark: BARK_HOST, ChannelKind.Ntfy: NTFY_HOST}


def fields_of(kind: ChannelKind) -> Mapping[str, tuple[str, str]]:
    """A kind's fields, with their meaning in English and Chinese."""
    return {name: (field.en, field.zh) for name, field in _FIELDS[kind].items()}


def check_channel(kind: ChannelKind, given: Mapping[str, str], hosts: Collection[str]) -> dict[str, str]:
    """A channel's fields, complete.

    Args:
        given: what its owner says.
        hosts: further hosts that whoever runs the service allows for Bark and ntfy, with ports where they have any.

    Raises:
        ChannelUnfit: a field is missing, unknown, or not of its form.
    """
    fields = _FIELDS[kind]
    for name in given:
        if name not in fields:
            raise ChannelUnfit(
                name,
                f"A channel of kind {kind} has no {name!r}: it has {', '.join(fields)}.",
                f"{kind} 渠道没有 {name!r} 这一项：只有 {'、'.join(fields)}。",
            )
    complete = {}
    for name, field in fields.items():
        value = given.get(name) or field.default
        if value is None or len(value) > 2_048 or (value and not field.fits(value)):
            raise ChannelUnfit(
                name,
                f"{name} of a channel of kind {kind} must be {field.en}.",
                f"{kind} 渠道的 {name} 应是{field.zh}。",
            )
        if value:
            complete[name] = value
    host = complete.get("host")
    if host is not None and host != _USUAL_HOSTS[kind] and host not in hosts:
        raise ChannelUnfit(
            "host",
            f"Nothing is sent to {host}: use {_USUAL_HOSTS[kind]}, or have whoever runs this service allow it with "
            "KAMENG_NOTIFY_HOSTS.",
            f"不会往 {host} 发送：请用 {_USUAL_HOSTS[kind]}，或请运营者用 KAMENG_NOTIFY_HOSTS 放行。",
        )
    return complete


def hint_of(kind: ChannelKind, fields: Mapping[str, str]) -> str:
    """Enough of a channel's address for its owner to know it again, and not for anybody to use it."""
    if kind is ChannelKind.Mail:
        name, _, domain = fields["address"].partition("@")
        return f"{name[0]}…@{domain}"[:64]
    if kind is ChannelKind.Push:
        return fields["endpoint"].split("/")[2][:64]
    if kind is ChannelKind.Telegram:
        return f"…{fields['chat_id'][-3:]}"
    secret = next(fields[name] for name, field in _FIELDS[kind].items() if field.secret)
    host = fields.get("host")
    return f"…{secret[-3:]}" + (f" @ {host}"[:58] if host else "")
