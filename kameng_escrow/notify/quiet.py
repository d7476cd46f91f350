"""Quiet hours, in the person's own time."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from .errors import PreferencesUnfit

MINUTES = 24 * 60


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises `PreferencesUnfit`."""
    if name not in _names():
        raise PreferencesUnfit(
            "time_zone",
            f"There is no time zone {name[:64]!r}: give one such as Asia/Shanghai.",
            f"没有 {name[:64]!r} 这个时区：请给出像 Asia/Shanghai 这样的名字。",
        )
    return ZoneInfo(name)


def quiet_until(at_ms: int, zone: ZoneInfo, start: int | None, end: int | None) -> int | None:
    """When the quiet hours end that the moment lies in, Unix milliseconds; None: it lies in none.

    Args:
        start, end: minutes after midnight; the end may be before the start: over midnight. None: no quiet hours.
    """
    if start is None or end is None or start == end:
        return None
    local = datetime.fromtimestamp(at_ms / 1_000, UTC).astimezone(zone)
    minute = local.hour * 60 + local.minute
    inside = start <= minute < end if start < end else minute >= start or minute < end
    if not inside:
        return None
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if minute >= end:
        day += timedelta(days=1)  # by the calendar, which knows days of 23 and 25 hours
    ends = day.replace(hour=end // 60, minute=end % 60)
    return int(ends.timestamp() * 1_000)
