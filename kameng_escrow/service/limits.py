"""How often somebody may ask. Counted in this process alone: of several replicas, each counts for itself.

By sliding windows: the requests of this minute, and of the minute before as much as still lies within the last sixty
seconds. Counted here and not by a library, since this is asked at every request: what there is starts a thread for
every few requests, which looks through everybody's counts.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from .callers import Caller
from .errors import TooMany
from .parts import ServiceConfig

_WINDOW: Final = 60.0  # seconds
_HAIR: Final = 1e-6  # seconds, by which what is computed may be off


class _Count:
    """Somebody's requests."""

    __slots__ = ("before", "now", "window")

    def __init__(self, window: int) -> None:
        self.window = window  # the minute that `now` is of, since the clock's beginning
        self.now = 0
        self.before = 0  # in the minute before that

    def move_to(self, window: int) -> None:
        """Goes on in a minute."""
        if window != self.window:
            self.before = self.now if window == self.window + 1 else 0
            self.now, self.window = 0, window


class Limits:
    """Counts requests. May be used from several threads.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, config: ServiceConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], _Count] = {}
        self._swept = 0  # the minute in which those who ask no more were last forgotten

    def count_caller(self, caller: Caller) -> None:
        """Counts a request of the caller. Raises `TooMany`."""
        if caller.account is None:
            self.count("anonymous", caller.name, self._config.rate_limit_anonymous)
        else:
            self.count("known", caller.name, self._config.rate_limit)

    def count(self, what: str, who: str, per_minute: int) -> None:
        """Counts that somebody does something of which so much is allowed. What is refused does not count.

        Raises:
            TooMany: with the seconds after which once more is allowed.
        """
        window, passed = divmod(self._clock(), _WINDOW)
        with self._lock:
            self._sweep(int(window))
            count = self._counts.get((what, who))
            if count is None:
                count = self._counts[what, who] = _Count(int(window))
            count.move_to(int(window))
            if count.now + int(count.before * (1 - passed / _WINDOW)) < per_minute:
                count.now += 1
                return
            wait = _wait(count, passed, per_minute)
        raise TooMany(int(wait + _HAIR) + 1)

    def _sweep(self, window: int) -> None:
        """Once a minute, so that who is gone takes no room."""
        if window == self._swept:
            return
        self._swept = window
        self._counts = {key: count for key, count in self._counts.items() if count.window >= window - 1}


def _wait(count: _Count, passed: float, per_minute: int) -> float:
    """Seconds after which, and not before, one more is allowed, if nothing else comes."""
    if count.now < per_minute:  # in this minute, once the one before weighs little enough
        return _WINDOW * (1 - (per_minute - count.now) / count.before) - passed
    return _WINDOW - passed
