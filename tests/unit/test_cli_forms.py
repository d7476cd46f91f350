"""Amounts, times and addresses between people and the chain."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.cli.forms import (
    Currency,
    clock,
    iso,
    parse_address,
    parse_duration,
    parse_hash,
    parse_time,
    short,
    span,
)
from kameng_escrow.cli.problems import BadInput, KeyOnCommandLine
from kameng_escrow.domain.inputs import Malformed

USDT = Currency("0x" + "11" * 20, "USDT", 6)
ETHER = Currency("0x" + "00" * 20, "ETH", 18)
ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("currency", "amount", "text"),
    [
        (USDT, 0, "0.00 USDT"),
        (USDT, 1, "0.000001 USDT"),
        (USDT, 12_500_000, "12.50 USDT"),
        (USDT, 1_234_567_890_000, "1,234,567.89 USDT"),
        (ETHER, 10**18, "1.00 ETH"),
        (ETHER, 1, "0.000000000000000001 ETH"),
        (Currency("0x", "P", 0), 12_345, "12,345 P"),
        (Currency("0x", "Q", 1), 5, "0.5 Q"),
    ],
)
def test_amounts_are_shown_exactly(currency: Currency, amount: int, text: str) -> None:
    assert currency.show(amount) == text


@given(amount=st.integers(0, 2**256 - 1), decimals=st.integers(0, 36))
def test_what_is_shown_reads_back_as_the_same_amount(amount: int, decimals: int) -> None:
    currency = Currency("0x", "X", decimals)
    assert currency.parse(currency.number(amount)) == amount


@pytest.mark.parametrize(("text", "amount"), [("12.50", 12_500_000), ("1,000", 10**9), ("0", 0), ("1e3", 10**9)])
def test_amounts_are_read(text: str, amount: int) -> None:
    assert USDT.parse(text) == amount


@pytest.mark.parametrize("text", ["", "twelve", "-1", "NaN", "Infinity", "1.0000001", "1e99999999", "0x10", "1.2.3"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        USDT.parse(text)
    assert refused.value.message
    assert refused.value.message_zh


def test_addresses_are_read_with_or_without_checksum() -> None:
    assert parse_address(ADDRESS.lower(), "--seller") == ADDRESS
    assert parse_address(f" {ADDRESS} ", "--seller") == ADDRESS


@pytest.mark.parametrize("text", ["", "0x12", "seller", ADDRESS[:-1] + "9", ADDRESS.replace("C", "c", 1)])
def test_what_is_no_address_is_refused_by_its_flag(text: str) -> None:
    with pytest.raises(Malformed, match="--seller"):
        parse_address(text, "--seller")


@pytest.mark.parametrize("prefix", ["", "0x", "0X"])
def test_a_private_key_in_place_of_an_address_is_called_leaked(prefix: str) -> None:
    key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    with pytest.raises(KeyOnCommandLine) as refused:
        parse_address(prefix + key, "--seller")
    assert key not in refused.value.message + refused.value.message_zh


def test_hashes_are_read() -> None:
    assert parse_hash("0x" + "AB" * 32, "--policy") == "0x" + "ab" * 32
    with pytest.raises(Malformed, match="--policy"):
        parse_hash("0xab", "--policy")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("30m", 1800), ("1h30m", 5400), ("2 小时", 7200), ("7d", 604_800), ("1周", 604_800), ("2H", 7200)],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text, "时长", "The time") == seconds


@pytest.mark.parametrize("text", ["", "soon", "5 parsecs", "-3h", "3h later", "1.5h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_duration(text, "时长", "The time")


def test_times_are_lengths_from_now_or_moments_with_a_zone_or_unix_seconds() -> None:
    now = 1_700_000_000
    assert parse_time("2h", now, "期限", "The limit") == now + 7200
    assert parse_time("2030-01-31T12:00:00Z", now, "期限", "The limit") == 1_896_091_200
    assert parse_time("2030-01-31T20:00:00+08:00", now, "期限", "The limit") == 1_896_091_200
    assert parse_time("1896091200", now, "期限", "The limit") == 1_896_091_200


@pytest.mark.parametrize("text", ["2030-01-31T12:00:00", "2030-13-01T00:00:00Z", "2030-01-31"])
def test_moments_without_a_zone_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_time(text, 0, "期限", "The limit")


def test_times_for_machines_end_in_z() -> None:
    assert iso(1_896_091_200) == "2030-01-31T12:00:00Z"
    assert iso(None) is None


@pytest.mark.usefixtures("shanghai")
def test_clocks_are_local_and_short_today() -> None:
    noon = int(datetime(2030, 1, 31, 6, 32, tzinfo=UTC).timestamp())
    assert clock(noon, noon - 3600) == "14:32"
    assert clock(noon + 5, noon) == "14:32:05"
    assert clock(noon + 86_400, noon) == "2030-02-01 14:32"
    assert clock(noon) == "2030-01-31 14:32"


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [(0, "0 秒", "0 s"), (61, "1 分 1 秒", "1 min 1 s"), (7200, "2 小时", "2 h"), (90_061, "1 天 1 小时", "1 d 1 h")],
)
def test_spans_name_their_two_largest_units(seconds: int, zh: str, en: str) -> None:
    assert span(seconds, "zh") == zh
    assert span(seconds, "en") == en


def test_hashes_are_shortened_and_short_words_are_not() -> None:
    assert short("0x" + "ab" * 32) == "0xababab…abab"
    assert short("Opened") == "Opened"
