"""Running counts of what became of somebody's orders, lately and ever."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from .endings import Ending

WEEK: Final = 7 * 86_400  # seconds
_STRENGTH: Final = 8.0  # closed orders that the rate of a larger group counts as


@dataclass(slots=True)
class Closed:
    """An order that ended."""

    at: int  # Unix seconds
    ending: Ending
    late: bool  # the seller let a clock run out


@dataclass(slots=True)
class Tally:
    """What became of the orders of one seller, buyer, platform or category."""

    opened: int = 0
    open_now: int = 0
    closed: int = 0
    endings: dict[Ending, int] = field(default_factory=dict)
    recent: deque[Closed] = field(default_factory=deque)  # of the last seven days
    openings: deque[int] = field(default_factory=deque)  # of the last day, Unix seconds
    price_sum: int = 0  # base units, of one token mostly
    wait_sum: int = 0  # seconds from acceptance to delivery
    waits: int = 0
    last_bad: int | None = None  # Unix seconds

    def open(self, at: int, price: int) -> None:
        """An order was opened."""
        self.opened += 1
        self.open_now += 1
        self.price_sum += price
        self.openings.append(at)
        self.prune(at)

    def deliver(self, waited: int) -> None:
        """Codes came."""
        self.wait_sum += waited
        self.waits += 1

    def close(self, one: Closed) -> None:
        """An order ended."""
        self.open_now -= 1
        self.closed += 1
        self.endings[one.ending] = self.endings.get(one.ending, 0) + 1
        self.recent.append(one)
        if one.ending is not Ending.Well:
            self.last_bad = one.at
        self.prune(one.at)

    def prune(self, now: int) -> None:
        """Forgets what is not recent any more."""
        while self.recent and self.recent[0].at <= now - WEEK:
            self.recent.popleft()
        while self.openings and self.openings[0] <= now - 86_400:
            self.openings.popleft()

    def rate(self, ending: Ending, expected: float) -> float:
        """The share of an ending, drawn to what was expected while there is little to go by."""
        return (self.endings.get(ending, 0) + _STRENGTH * expected) / (self.closed + _STRENGTH)

    def recent_share(self, ending: Ending) -> float | None:
        """The share of an ending among those of the last seven days; None without any."""
        return sum(one.ending is ending for one in self.recent) / len(self.recent) if self.recent else None

    def recent_late(self) -> float | None:
        """The share of orders of the last seven days in which the seller let a clock run out."""
        return sum(one.late for one in self.recent) / len(self.recent) if self.recent else None
