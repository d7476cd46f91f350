"""Quiet hours, links, channels and seals: what people rely on, without a store."""

import base64
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.notify.channels import check_channel, hint_of
from kameng_escrow.notify.errors import ChannelUnfit, LinkWrong, PreferencesUnfit, SealBroken, SecretFileUnusable
from kameng_escrow.notify.optout import ALL, PATH, check_link, opt_out_path
from kameng_escrow.notify.quiet import quiet_until, zone_of
from kameng_escrow.notify.sealing import Sealer, read_seal_keys
from kameng_escrow.store.service.notifying import ChannelKind

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def ms(zone: ZoneInfo, *when: int) -> int:
    return int(datetime(*when, tzinfo=zone).timestamp() * 1_000)  # type: ignore[misc, arg-type]


# --------------------------------------------------------------------------------------------------------- quiet hours


@pytest.mark.parametrize(
    ("at", "start", "end", "until"),
    [
        ((2026, 11, 26, 23, 30), 23 * 60, 7 * 60, (2026, 11, 27, 7, 0)),
        ((2026, 11, 26, 6, 59), 23 * 60, 7 * 60, (2026, 11, 26, 7, 0)),
        ((2026, 11, 26, 7, 0), 23 * 60, 7 * 60, None),
        ((2026, 11, 26, 22, 59), 23 * 60, 7 * 60, None),
        ((2026, 11, 26, 23, 0), 23 * 60, 7 * 60, (2026, 11, 27, 7, 0)),
        ((2026, 11, 26, 13, 0), 12 * 60, 14 * 60 + 30, (2026, 11, 26, 14, 30)),
        ((2026, 12, 31, 23, 59), 23 * 60, 1, (2027, 1, 1, 0, 1)),
        ((2026, 11, 26, 13, 0), None, None, None),
        ((2026, 11, 26, 13, 0), 60, 60, None),
    ],
)
def test_quiet_hours(at: tuple[int, ...], start: int | None, end: int | None, until: tuple[int, ...] | None) -> None:
    expected = None if until is None else ms(SHANGHAI, *until)
    assert quiet_until(ms(SHANGHAI, *at), SHANGHAI, start, end) == expected


def test_quiet_hours_end_by_the_clock_on_the_wall() -> None:
    """The night in which clocks are set back has an hour more, the other one less."""
    assert quiet_until(ms(BERLIN, 2026, 10, 24, 23, 0), BERLIN, 22 * 60, 7 * 60) == ms(BERLIN, 2026, 10, 25, 7, 0)
    assert quiet_until(ms(BERLIN, 2026, 3, 28, 23, 0), BERLIN, 22 * 60, 7 * 60) == ms(BERLIN, 2026, 3, 29, 7, 0)


@given(at=st.integers(0, 4 * 10**12), start=st.integers(0, 1_439), end=st.integers(0, 1_439))
def test_quiet_hours_end_within_a_day_and_then_are_over(at: int, start: int, end: int) -> None:
    until = quiet_until(at, SHANGHAI, start, end)
    if until is not None:
        assert at < until <= at + 24 * 3_600_000
        assert quiet_until(until, SHANGHAI, start, end) is None


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "asia/shanghai"])
def test_time_zones_that_there_are_not(name: str) -> None:
    with pytest.raises(PreferencesUnfit):
        zone_of(name)


# --------------------------------------------------------------------------------------------------------------- links

KEY, OTHER = b"k" * 32, b"o" * 32


def test_a_link_is_good_for_its_channel_and_topic_only() -> None:
    _, _, channel, topic, mac = opt_out_path("chn_1", ALL, KEY).split("/")
    assert opt_out_path("chn_1", ALL, KEY).startswith(PATH)
    check_link(channel, topic, mac, KEY)
    for wrong in (
        ("chn_2", topic, mac, KEY),
        (channel, "order.opened", mac, KEY),
        (channel, topic, mac[:-1], KEY),
        (channel, topic, "", KEY),
        (channel, topic, "密", KEY),
        (channel, topic, mac, OTHER),
    ):
        with pytest.raises(LinkWrong):
            check_link(*wrong)


# ------------------------------------------------------------------------------------------------------------ channels

P256DH = base64.urlsafe_b64encode(b"\x04" + bytes(64)).rstrip(b"=").decode()
AUTH = base64.urlsafe_b64encode(bytes(16)).rstrip(b"=").decode()
PUSH = {"endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAA", "p256dh": P256DH, "auth": AUTH}
GOOD = {
    ChannelKind.Push: PUSH,
    ChannelKind.Mail: {"address": "someone@example.com"},
    ChannelKind.WeCom: {"key": "693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa"},
    ChannelKind.DingTalk: {"token": "a1" * 32, "secret": "SEC" + "b2" * 32},
    ChannelKind.Feishu: {"token": "c3" * 16},
    ChannelKind.Telegram: {"chat_id": "-100123456", "bot_token": "123456789:AA" + "x" * 33},
    ChannelKind.Bark: {"device_key": "d4" * 11},
    ChannelKind.Ntfy: {"topic": "orders_7"},
}


@pytest.mark.parametrize("kind", list(ChannelKind))
def test_channels_of_every_kind(kind: ChannelKind) -> None:
    complete = check_channel(kind, GOOD[kind], ())
    assert GOOD[kind].items() <= complete.items()
    hint = hint_of(kind, complete)
    assert len(hint) <= 64
    secrets = [value for name, value in complete.items() if name in ("key", "token", "device_key", "auth", "topic")]
    assert not any(secret in hint for secret in secrets)


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        (ChannelKind.Push, {"endpoint": "https://127.0.0.1/push"}, "endpoint"),
        (ChannelKind.Push, {"endpoint": "http://push.example.com/"}, "endpoint"),
        (ChannelKind.Push, {"p256dh": AUTH}, "p256dh"),
        (ChannelKind.Push, {"auth": "?"}, "auth"),
        (ChannelKind.Mail, {"address": "someone"}, "address"),
        (ChannelKind.Mail, {"address": "a@b.c\r\nBcc: everybody@example.com"}, "address"),
        (ChannelKind.Mail, {"address": "a@example.com,b@example.com"}, "address"),
        (ChannelKind.Mail, {"address": "a@example.com?smtp=10.0.0.1"}, "address"),
        (ChannelKind.WeCom, {"key": "https://evil.example/"}, "key"),
        (ChannelKind.WeCom, {"key": ""}, "key"),
        (ChannelKind.DingTalk, {"token": "../" * 9}, "token"),
        (ChannelKind.Feishu, {"token": "a/b" * 9}, "token"),
        (ChannelKind.Telegram, {"chat_id": "@everybody"}, "chat_id"),
        (ChannelKind.Telegram, {"bot_token": "123456789:AA/../x"}, "bot_token"),
        (ChannelKind.Bark, {"host": "127.0.0.1"}, "host"),
        (ChannelKind.Bark, {"host": "evil.example"}, "host"),
        (ChannelKind.Ntfy, {"host": "ntfy.sh:22"}, "host"),
        (ChannelKind.Ntfy, {"host": "user@ntfy.sh"}, "host"),
        (ChannelKind.Ntfy, {"topic": "a?b=c"}, "topic"),
        (ChannelKind.Ntfy, {"url": "ntfy://10.0.0.1"}, "url"),
    ],
)
def test_fields_that_are_refused_and_not_shown(kind: ChannelKind, changes: dict[str, str], field: str) -> None:
    with pytest.raises(ChannelUnfit) as refused:
        check_channel(kind, GOOD[kind] | changes, ())
    assert refused.value.field == field
    if field not in ("host", "url") and changes[field]:
        assert changes[field] not in refused.value.message + refused.value.message_zh


def test_hosts_that_whoever_runs_the_service_allows() -> None:
    fields = {"topic": "orders", "host": "ntfy.example.com:8443"}
    assert check_channel(ChannelKind.Ntfy, fields, ["ntfy.example.com:8443"])["host"] == "ntfy.example.com:8443"
    with pytest.raises(ChannelUnfit):
        check_channel(ChannelKind.Ntfy, fields, ["ntfy.example.com"])


# --------------------------------------------------------------------------------------------------------------- seals

ONE, TWO = bytes(range(32)), bytes(range(32, 64))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_is_opened_with_its_key_alone(secret: str) -> None:
    sealed = Sealer([ONE]).seal(secret)
    assert Sealer([TWO, ONE]).open(sealed) == secret
    assert len(secret) < 8 or secret not in sealed
    for other in (Sealer([TWO]), Sealer()):
        with pytest.raises(SealBroken):
            other.open(sealed)


def test_without_a_key_nothing_is_sealed_and_that_is_said() -> None:
    assert Sealer([ONE]).seals
    assert not Sealer().seals
    assert Sealer([ONE]).open(Sealer().seal("word")) == "word"  # a key may come later
    for broken in ("", "word", "fernet:", "fernet:AAAA"):
        with pytest.raises(SealBroken):
            Sealer([ONE]).open(broken)


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_keys_come_from_a_file_that_others_can_t_read(tmp_path: Path) -> None:
    lines = f"{base64.b64encode(ONE).decode()}\n{base64.urlsafe_b64encode(b'+/' * 16).decode()}\n"
    assert read_seal_keys(write(tmp_path / "keys", lines)) == [ONE, b"+/" * 16]
    with pytest.raises(SecretFileUnusable, match="chmod 600"):
        read_seal_keys(write(tmp_path / "open", lines, 0o644))
    for text in ("", "short", base64.b64encode(b"x" * 31).decode(), "*" * 44):
        with pytest.raises(SecretFileUnusable) as refused:
            read_seal_keys(write(tmp_path / "bad", text))
        assert not text or text not in refused.value.message
    with pytest.raises(SecretFileUnusable):
        read_seal_keys(tmp_path / "none")
