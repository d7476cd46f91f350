"""When something is tried again: the schedule that the Standard Webhooks spec shows, with some chance in it."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

SECOND, MINUTE, HOUR = 1, 60, 3_600

# After each attempt that failed, how long until the next: ten attempts in three days and three and a half hours.
WEBHOOK_DELAYS: Final = (
    *(5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR),
    *(10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR),
)
MESSAGE_DELAYS: Final = (30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR)
JITTER: Final = 0.1  # of a delay, added by chance, so that what failed together does not come back together
LONGEST_WAIT: Final = 24 * HOUR  # that a receiver may ask for

Chance = Callable[[], float]  # at least 0, below 1


def next_try(
    delays: tuple[int, ...], failures: int, now_ms: int, *, asked: float | None = None, chance: Chance = random.random
) -> int | None:
    """When to try again, in Unix milliseconds; None: not any more.

    Args:
        failures: attempts that have failed, this one included; at least 1.
        asked: seconds that the receiver asked us to wait (`retry_after`).
    """
    if failures > len(delays):
        return None
    delay = delays[failures - 1] * (1 + JITTER * chance())
    return now_ms + int(1_000 * max(delay, min(asked or 0.0, LONGEST_WAIT)))


def retry_after(header: str | None, now_ms: int) -> float | None:
    """The seconds that a ``Retry-After`` header asks for: a number of them, or a date (RFC 9110). None: nothing that
    can be understood. Raises nothing, whatever a stranger wrote there."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:12]), LONGEST_WAIT))
    try:
        then = parsedate_to_datetime(text)
        if then.tzinfo is None:
            then = then.replace(tzinfo=UTC)
        seconds = (then - datetime.fromtimestamp(now_ms / 1_000, UTC)).total_seconds()
    except Exception:  # years and zones beyond all bounds: what is raised differs from one to the next
        return None
    return max(0.0, min(seconds, LONGEST_WAIT))
