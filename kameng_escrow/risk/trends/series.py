"""What is counted day by day: orders that ended, and how many of them ended as a cancellation or with a dispute."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from kameng_escrow.domain.states import Outcome

DAY: Final = 86_400


class Measure(StrEnum):
    """What of the orders that ended is counted."""

    Cancelled = "cancelled"  # the deal did not come about, or was given back whole; without a dispute
    Disputed = "disputed"  # there was a dispute, however it ended


class Clock(StrEnum):
    """Whose midnight parts the days. Neither has summer time."""

    Utc = "UTC"
    Shanghai = "Asia/Shanghai"

    @property
    def offset(self) -> int:
        """Seconds ahead of UTC."""
        return 8 * 3_600 if self is Clock.Shanghai else 0

    def day_of(self, second: int) -> int:
        """The number of the day that a Unix second is in."""
        return (second + self.offset) // DAY

    def starts(self, day: int) -> int:
        """The Unix second at which a day begins."""
        return day * DAY - self.offset


class By(StrEnum):
    """What orders are told apart by."""

    All = "all"
    Category = "category"
    Seller = "seller"
    Policy = "policy"


CANCELLATIONS: Final = frozenset(
    {
        Outcome.Expired,
        Outcome.Cancelled,
        Outcome.Declined,
        Outcome.Intervened,
        Outcome.Undelivered,
        Outcome.Refunded,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Orders that ended alike on one day."""

    day: int  # the clock's
    outcome: Outcome
    disputed: bool
    category: str
    seller: str
    policy: str
    count: int = 1

    def counts_as(self, measure: Measure) -> bool:
        """Whether these are what is counted."""
        if measure is Measure.Disputed:
            return self.disputed
        return self.outcome in CANCELLATIONS and not self.disputed


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Counts of one thing, day by day, without a gap: a day on which nothing ended has zeros."""

    by: By
    name: str  # the category, seller or policy; empty: all
    measure: Measure
    first_day: int  # days since 1970 by the clock
    orders: tuple[int, ...]  # that ended on each day
    hits: tuple[int, ...]  # of these, what is counted

    def __len__(self) -> int:
        return len(self.orders)

    def head(self, days: int) -> "Series":
        """Its first days."""
        return Series(
            by=self.by,
            name=self.name,
            measure=self.measure,
            first_day=self.first_day,
            orders=self.orders[:days],
            hits=self.hits[:days],
        )


def make_series(
    ended: Iterable[Ended], *, by: By, measure: Measure, first_day: int, last_day: int
) -> dict[str, Series]:
    """Series by name, from the first day to the last, both included. What ended on other days is passed over."""
    if last_day < first_day:
        return {}
    length = last_day - first_day + 1
    counts: dict[str, tuple[list[int], list[int]]] = {}
    for one in ended:
        if not first_day <= one.day <= last_day:
            continue
        orders, hits = counts.setdefault(_name(one, by), ([0] * length, [0] * length))
        orders[one.day - first_day] += one.count
        if one.counts_as(measure):
            hits[one.day - first_day] += one.count
    return {
        name: Series(by=by, name=name, measure=measure, first_day=first_day, orders=tuple(orders), hits=tuple(hits))
        for name, (orders, hits) in sorted(counts.items(), key=lambda item: -sum(item[1][0]))
    }


def date_of(day: int) -> date:
    """The date of a day by its number: 0 is 1 January 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC).date() + timedelta(days=day)


def weekday_of(day: int) -> int:
    """0 is Monday."""
    return (day + 3) % 7


def _name(one: Ended, by: By) -> str:
    names: Mapping[By, str] = {By.All: "", By.Category: one.category, By.Seller: one.seller, By.Policy: one.policy}
    return names[by]
