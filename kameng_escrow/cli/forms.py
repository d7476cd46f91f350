"""Amounts, times and addresses between people and the chain. Decimals are for reading and typing only."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from ..domain import currency, inputs
from .problems import BadInput, KeyOnCommandLine

_DURATION = re.compile(r"(\d+)\s*(s|m|min|h|d|w|秒|分|分钟|小时|天|周)", re.IGNORECASE)
_SECONDS = {
    "s": 1, "秒": 1, "m": 60, "min": 60, "分": 60, "分钟": 60, "h": 3600, "小时": 3600,
    "d": 86_400, "天": 86_400, "w": 604_800, "周": 604_800,
}  # fmt: skip


class Currency(currency.Currency):
    """How a token's amounts are written, and typed."""

    __slots__ = ()

    def parse(self, text: str, what_zh: str = "金额", what_en: str = "The amount") -> int:
        """Base units of an amount in coins, such as "12.50".

        Raises:
            BadInput: it is no number, below zero, or finer than the token can be.
        """
        try:
            value = Decimal(text.replace(",", "").replace("_", ""))
            if not value.is_finite() or abs(value.adjusted()) > 77:
                raise InvalidOperation
        except InvalidOperation:
            raise BadInput(
                f"{what_zh}必须是像 12.50 这样的数字，不能是 {text!r}。",
                f"{what_en} must be a number such as 12.50, not {text!r}.",
            ) from None
        if value < 0:
            raise BadInput(f"{what_zh}不能是负数。", f"{what_en} can't be below zero.")
        # Through the digits, not through arithmetic: a context's precision would round in silence.
        _sign, digits, exponent = value.as_tuple()
        assert isinstance(exponent, int)  # finite
        units = int("".join(map(str, digits)) or "0")
        shift = exponent + self.decimals
        if shift >= 0:
            return units * int(10**shift)
        if units % 10**-shift:
            raise BadInput(
                f"{self.symbol} 最多 {self.decimals} 位小数，{text} 太细了。",
                f"{self.symbol} has {self.decimals} decimal places at most: {text} is finer.",
            )
        return units // int(10**-shift)


def parse_address(text: str, field: str) -> str:
    """The checksummed address; `field` names it in the error.

    Raises:
        KeyOnCommandLine: it looks like a private key.
        Malformed: it is no address, or its checksum is wrong.
    """
    refuse_key(text)
    return inputs.parse_address(text.strip(), field)


def parse_hash(text: str, field: str) -> str:
    """32 bytes as lowercase 0x-hex. Raises `Malformed`."""
    return inputs.parse_hash(text.strip(), field)


def refuse_key(text: str) -> None:
    """Raises `KeyOnCommandLine` for what looks like a raw private key where an address is expected."""
    digits = text.strip().lower().removeprefix("0x")
    if len(digits) == 64 and all(digit in "0123456789abcdef" for digit in digits):
        raise KeyOnCommandLine(
            "这里像是写了一把私钥。命令行会留在历史记录里，别的程序也看得到：请把私钥放进权限 0600 的文件，"
            "用 --key-file 指定；这把私钥请视为已泄露。",
            "That looks like a private key. Command lines stay in histories and other programs see them: put the key "
            "in a file of mode 0600, name it with --key-file, and consider this key leaked.",
        )


def parse_duration(text: str, what_zh: str, what_en: str) -> int:
    """Seconds of "30m", "24h", "7d", "1h30m", "2 小时", or of a plain number of seconds. Raises `BadInput`."""
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit():
        return int(stripped)
    parts = list(_DURATION.finditer(stripped))
    if not parts or "".join(part[0] for part in parts).replace(" ", "") != stripped.replace(" ", ""):
        raise BadInput(
            f"{what_zh}应写成 30m、24h、7d 这样的时长，不能是 {text!r}。",
            f"{what_en} must be a length of time such as 30m, 24h or 7d, not {text!r}.",
        )
    return sum(int(part[1]) * _SECONDS[part[2].lower()] for part in parts)


def parse_time(text: str, now: int, what_zh: str, what_en: str) -> int:
    """Unix seconds of a length of time from `now` ("2h"), of an ISO 8601 time with its zone, or of a Unix second.

    Raises:
        BadInput: it is none of these.
    """
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and int(stripped) >= 1_000_000_000:
        return int(stripped)
    if "T" in stripped or stripped.count("-") >= 2:
        try:
            moment = datetime.fromisoformat(stripped)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise BadInput(
                f"{what_zh}应写成带时区的时间，如 2030-01-31T12:00:00Z，不能是 {text!r}。",
                f"{what_en} must be a time with its zone, such as 2030-01-31T12:00:00Z, not {text!r}.",
            )
        return int(moment.timestamp())
    return now + parse_duration(stripped, what_zh, what_en)


def iso(second: int | None) -> str | None:
    """A chain time for machines: ISO 8601 with Z."""
    return None if second is None else datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(second: int, now: int | None = None) -> str:
    """A chain time for people, in their zone: the time alone where it is today's."""
    local = datetime.fromtimestamp(second, UTC).astimezone()
    today = datetime.fromtimestamp(now, UTC).astimezone().date() if now is not None else None
    return (
        local.strftime("%H:%M:%S" if local.second else "%H:%M")
        if local.date() == today
        else local.strftime("%Y-%m-%d %H:%M")
    )


def span(seconds: int, lang: str) -> str:
    """A length of time in its two largest units: `2 天 3 小时`, `2 d 3 h`."""
    units = ((86_400, "天", "d"), (3600, "小时", "h"), (60, "分", "min"), (1, "秒", "s"))
    parts = []
    for size, zh, en in units:
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number} {zh if lang == 'zh' else en}")
        if len(parts) == 2:
            break
    return " ".join(parts) or ("0 秒" if lang == "zh" else "0 s")


def short(text: str) -> str:
    """A hash or address as people compare them: its first and last digits."""
    return text if len(text) <= 14 else f"{text[:8]}…{text[-4:]}"
