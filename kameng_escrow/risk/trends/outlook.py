"""A series' outlook: where it stands, what is to be expected, what its week is like, and what changed."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from .ahead import Floats
from .changes import Change, find_changes
from .conformal import LEVELS, BackTest, Coverage, back_test, forecast_counts, forecast_hits, last_change
from .model import fit_rates
from .series import Series

HORIZON: Final = 7  # days ahead
ORIGINS: Final = 56  # days whose forecasts are tested
FEW: Final = 30  # hits, below which it is said that there are few
LEAST_ORDERS: Final = 20  # below which there is no forecast
LEAST_WEEKS: Final = 3  # below which a week's shape is not told


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """One day to come: how many there will be, and what part of the orders."""

    day: int
    expected: float
    low_80: int
    high_80: int
    low_95: int
    high_95: int
    rate: float  # the expected one
    rate_low_80: float
    rate_high_80: float
    rate_low_95: float
    rate_high_95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekday:
    """A weekday's rate against the mean of the week."""

    weekday: int  # 0: Monday
    factor: float  # of the odds
    low: float  # 95 %
    high: float

    @property
    def stands_out(self) -> bool:
        """Whether it is more than chance."""
        return self.low > 1 or self.high < 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What can be said of a series. Empty where it is too short or too small: `too_few` says so."""

    series: Series
    ahead: tuple[Ahead, ...]
    weekdays: tuple[Weekday, ...]
    changes: tuple[Change, ...]
    coverage: tuple[Coverage, ...]  # of counts, as `conformal.LEVELS`
    rate_coverage: tuple[Coverage, ...]
    error: float | None  # of counts, one to seven days ahead
    naive_error: float | None
    too_few: bool  # for a forecast
    few: bool  # so that intervals are wide


def make_outlook(series: Series, *, horizon: int = HORIZON, origins: int = ORIGINS) -> Outlook:
    """The outlook of a series, whose last day must be over."""
    hits, orders = np.asarray(series.hits, dtype=float), np.asarray(series.orders, dtype=float)
    changes = tuple(find_changes(series))
    if len(series) < 7 or orders.sum() < LEAST_ORDERS:
        return _nothing(series, changes)
    counted = back_test(series, horizon, rates=False, origins=origins)
    rated = back_test(series, horizon, rates=True, origins=origins)
    return Outlook(
        series=series,
        ahead=_ahead(series, hits, orders, horizon, counted, rated),
        weekdays=_weekdays(series, hits, orders),
        changes=changes,
        coverage=counted.coverage,
        rate_coverage=rated.coverage,
        error=counted.error,
        naive_error=counted.naive_error,
        too_few=False,
        few=bool(hits.sum() < FEW),
    )


def _ahead(
    series: Series,
    hits: Floats,
    orders: Floats,
    horizon: int,
    counted: BackTest,
    rated: BackTest,
) -> tuple[Ahead, ...]:
    since = last_change(series)
    counts = forecast_counts(series.first_day, hits, horizon, since)
    sizes = [round(one.mean) for one in forecast_counts(series.first_day, orders, horizon)]
    rates = forecast_hits(series.first_day, hits, orders, sizes, since)
    levels = [counted.scores.level_for(level) for level in LEVELS]
    rate_levels = [rated.scores.level_for(level) for level in LEVELS]
    days = []
    for number, (count, rate) in enumerate(zip(counts, rates, strict=True)):
        (low_80, high_80), (low_95, high_95) = (count.interval(level) for level in levels)
        size = rate.orders
        (few_80, many_80), (few_95, many_95) = (rate.interval(level) for level in rate_levels)
        days.append(
            Ahead(
                day=series.first_day + len(series) + number,
                expected=count.mean,
                low_80=low_80,
                high_80=high_80,
                low_95=min(low_80, low_95),
                high_95=max(high_80, high_95),
                rate=rate.mean / size,
                rate_low_80=few_80 / size,
                rate_high_80=many_80 / size,
                rate_low_95=min(few_80, few_95) / size,
                rate_high_95=max(many_80, many_95) / size,
            )
        )
    return tuple(days)


def _weekdays(series: Series, hits: Floats, orders: Floats) -> tuple[Weekday, ...]:
    if len(series) < 7 * LEAST_WEEKS or hits.sum() < FEW:
        return ()
    factors, errors = fit_rates(series.first_day, hits, orders).weekdays()
    return tuple(
        Weekday(
            weekday=number,
            factor=float(factor),
            low=float(factor * np.exp(-1.96 * error)),
            high=float(factor * np.exp(1.96 * error)),
        )
        for number, (factor, error) in enumerate(zip(factors, errors, strict=True))
    )


def _nothing(series: Series, changes: tuple[Change, ...]) -> Outlook:
    return Outlook(
        series=series,
        ahead=(),
        weekdays=(),
        changes=changes,
        coverage=(),
        rate_coverage=(),
        error=None,
        naive_error=None,
        too_few=True,
        few=True,
    )
