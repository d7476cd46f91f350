"""How often somebody may ask. Counted in this process alone: of several replicas, each counts for itself."""

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from .callers import Caller
from .errors import TooMany
from .parts import ServiceConfig


class Limits:
    """Counts requests."""

    def __init__(self, config: ServiceConfig) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._known = RateLimitItemPerMinute(config.rate_limit, namespace="known")
        self._anonymous = RateLimitItemPerMinute(config.rate_limit_anonymous, namespace="anonymous")

    def count_caller(self, caller: Caller) -> None:
        """Counts a request of the caller. Raises `TooMany`."""
        self._count(self._anonymous if caller.account is None else self._known, caller.name)

    def count(self, what: str, who: str, per_minute: int) -> None:
        """Counts that somebody does something that has a limit of its own. Raises `TooMany`."""
        self._count(RateLimitItemPerMinute(per_minute, namespace=what), who)

    def _count(self, item: RateLimitItemPerMinute, who: str) -> None:
        if not self._limiter.hit(item, who):
            reset = self._limiter.get_window_stats(item, who).reset_time
            raise TooMany(max(1, round(reset - time.time())))
