"""Prices far from what the same goods cost.

The logarithm of the price of one unit is held against those of the last orders of the same title (across sellers);
where a title is unknown or new, of the same category, whose prices lie far apart, so that only what is far outside
all of them counts. Medians and quantiles, so that a few odd prices change nothing. Amounts stay integers: the logarithm
is a statistic of theirs.
"""

from dataclasses import dataclass, field
from math import exp, log
from typing import Any, ClassVar, Final

from river.utils import SortedWindow

from kameng_escrow.domain.events import OrderOpened

from .alarms import Finding, Kind, Role, Severity
from .bounded import Bounded
from .evidence import keep
from .steps import OrderFacts, Step

WINDOW: Final = 200  # orders of the same goods that are remembered
ENOUGH_OF_TITLE: Final = 20
ENOUGH_OF_CATEGORY: Final = 100
FENCE: Final = 6.0  # robust standard deviations from the median
LEAST_OF_TITLE: Final = log(1.5)  # and in any case so far from it
LEAST_OF_CATEGORY: Final = log(3)  # outside all but the outermost fiftieth
WEEK: Final = 7 * 24 * 3_600
_IQR: Final = 1.349  # of the standard normal distribution


@dataclass(slots=True)
class _Prices:
    logs: list[float] = field(default_factory=list)  # the last ones, oldest first


@dataclass(slots=True)
class _Oddities:
    """A seller's odd prices of the last week."""

    times: list[int] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)


class Prices:
    """Outliers of the price of one unit. The subject is the seller, who made the price."""

    kind: ClassVar = Kind.Price

    def __init__(self) -> None:
        self._groups = Bounded(512, _Prices)
        self._sorted: dict[str, SortedWindow] = {}
        self._sellers = Bounded(1_000, _Oddities)

    def learn(self, step: Step) -> list[Finding]:
        if not isinstance(step.event, OrderOpened):
            return []
        order = step.order
        value = log(order.price) - log(order.units)
        found = self._judge(step, value)
        for name in _groups_of(order):
            group, window = self._window(name)
            group.logs.append(value)
            window.append(value)
            if len(group.logs) > WINDOW:
                del group.logs[0]
        return [] if found is None else [found]

    def dump(self) -> Any:
        return [self._groups.dump(), self._sellers.dump()]

    def load(self, state: Any) -> None:
        self._groups.load(state[0])
        self._sellers.load(state[1])
        self._sorted = {}

    # ------------------------------------------------------------------------------------------------------- reckoning

    def _window(self, name: str) -> tuple[_Prices, SortedWindow]:
        group = self._groups.at(name)
        window = self._sorted.get(name)
        if window is None or len(window) != len(group.logs):
            window = SortedWindow(WINDOW)
            for one in group.logs:
                window.append(one)
            if len(self._sorted) >= 1_024:
                known = set(self._groups)
                self._sorted = {one: kept for one, kept in self._sorted.items() if one in known}
            self._sorted[name] = window
        return group, window

    def _judge(self, step: Step, value: float) -> Finding | None:
        order = step.order
        *title, category = _groups_of(order)
        for name in title:
            _, window = self._window(name)
            if len(window) >= ENOUGH_OF_TITLE:
                size = len(window)
                median = window[size // 2]
                spread = (window[size * 3 // 4] - window[size // 4]) / _IQR
                if abs(value - median) <= max(FENCE * spread, LEAST_OF_TITLE):
                    return None
                return self._found(step, value, median, "title", size)
        _, window = self._window(category)
        size = len(window)
        if size < ENOUGH_OF_CATEGORY:
            return None
        low, high = window[size // 50], window[size - 1 - size // 50]
        room = max((high - low) / 2, LEAST_OF_CATEGORY)
        if low - room <= value <= high + room:
            return None
        return self._found(step, value, window[size // 2], "category", size)

    def _found(self, step: Step, value: float, median: float, against: str, size: int) -> Finding:
        order = step.order
        mine = self._sellers.at(order.seller)
        while mine.times and mine.times[0] <= step.at - WEEK:
            del mine.times[0], mine.orders[0]
        if len(mine.times) >= 50:
            del mine.times[0], mine.orders[0]
        mine.times.append(step.at)
        keep(mine.orders, order.order_id, 50)
        count = len(mine.times)
        ratio = exp(value - median)
        return Finding(
            kind=self.kind,
            role=Role.Seller,
            who=order.seller,
            with_whom=(order.buyer,),
            since=mine.times[0],
            at=step.at,
            severity=Severity.High if count >= 6 else Severity.Medium if count >= 2 else Severity.Low,
            orders=tuple(mine.orders[-20:]),
            numbers={
                "unit_price": str(order.price // order.units),
                "times_the_median": round(ratio, 3),
                "compared_with": against,
                "orders_compared": size,
                "token": order.token,
                "category": order.category,
                "title": order.title,
                "odd_prices_in_a_week": count,
            },
        )


def _groups_of(order: OrderFacts) -> list[str]:
    """What an order's price is comparable with, the closest first."""
    category = f"{order.category}|{order.token}"
    return [f"{category}|{order.title.casefold()}", category] if order.title else [category]
