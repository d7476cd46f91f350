"""Intervals that hold what they say: measured on days that were forecast before they came, and adjusted by that.

For each day of the past that had enough before it, the model is fitted to what was known then and asked for the days to
come. How far inside or outside of its intervals they fell (`Predicted.oddness`) says how wide an interval must be, so
that a stated part of them lies within: split conformal prediction. The coverage that is told is of intervals that were
adjusted in the same way with nothing but what was known before each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final

import numpy as np

from .ahead import Floats, Hits, Predicted
from .changes import find_changes
from .model import fit_counts, fit_rates, predict_count, predict_hits
from .series import Series

LEVELS: Final = (0.80, 0.95)
LEAST_DAYS: Final = 21  # that are known before the first forecast
LEAST_SCORES: Final = 30  # forecasts that came to their day, below which intervals are the model's own,
CAUTION: Final = 0.3  # and leave out by so much less
ENOUGH_SCORES: Final = 100  # from which intervals may be narrower than the model's own
MOST_SCORES: Final = 350
WIDEST: Final = 0.9999


@dataclass(slots=True)
class Scores:
    """How far forecasts were off, in the order of their days."""

    days: list[int] = field(default_factory=list)  # that were forecast
    oddness: list[float] = field(default_factory=list)

    def level_for(self, level: float, known_until: int | None = None) -> float:
        """The level that the model's intervals have to be of, for a part of `level` of the days to lie within; by
        forecasts of days up to `known_until`.
        """
        pairs = zip(self.days, self.oddness, strict=True)
        scores = sorted([odd for day, odd in pairs if known_until is None or day <= known_until][-MOST_SCORES:])
        if len(scores) < LEAST_SCORES:
            return level + (1 - level) * CAUTION
        rank = ceil((len(scores) + 1) * level)
        found = scores[rank - 1] if rank <= len(scores) else WIDEST
        least = level if len(scores) < ENOUGH_SCORES else level / 2
        return float(min(WIDEST, max(least, found + 1e-9)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many days that were forecast lay within the intervals."""

    level: float  # what was stated
    forecasts: int  # that came to their day
    within: float | None  # the part of them within; None: there were none
    width: float | None  # of the intervals, in the mean; counts


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTest:
    """What forecasts of the past were worth."""

    scores: Scores
    coverage: tuple[Coverage, ...]  # as LEVELS
    error: float | None  # mean absolute error of the mean, counts
    naive_error: float | None  # of the count a week before, on the same days


def back_test(series: Series, horizon: int, *, rates: bool, origins: int) -> BackTest:
    """Forecasts of each of the last days from what was known at most `horizon` days before, `origins` times. Of rates,
    given how many orders there were.
    """
    hits, orders = np.asarray(series.hits, dtype=float), np.asarray(series.orders, dtype=float)
    days = len(hits)
    scores = Scores()
    told: list[list[bool]] = [[] for _ in LEVELS]
    widths: list[list[int]] = [[] for _ in LEVELS]
    errors: list[float] = []
    naive: list[float] = []
    pending: list[tuple[int, float]] = []
    first = max(LEAST_DAYS, days - origins - horizon + 1)
    for known in range(first, days):
        pending = _settle(pending, known, scores)
        since = last_change(series.head(known))
        forecasts: Sequence[Predicted]
        if rates:
            given = [int(size) for size in orders[known : known + horizon]]
            forecasts = forecast_hits(series.first_day, hits[:known], orders[:known], given, since)
        else:
            forecasts = forecast_counts(series.first_day, hits[:known], horizon, since)
        levels = [scores.level_for(level, known - 1) for level in LEVELS]
        for ahead, predicted in enumerate(forecasts[: days - known]):
            actual = int(hits[known + ahead])
            if rates and orders[known + ahead] == 0:
                continue  # there was nothing to be a part of
            for number, level in enumerate(levels):
                low, high = predicted.interval(level)
                told[number].append(low <= actual <= high)
                widths[number].append(high - low)
            pending.append((known + ahead, predicted.oddness(actual)))
            errors.append(abs(predicted.mean - actual))
            naive.append(abs(float(hits[known + ahead - 7 * (1 + ahead // 7)]) - actual))
    _settle(pending, days, scores)
    coverage = tuple(
        Coverage(
            level=level,
            forecasts=len(told[number]),
            within=sum(told[number]) / len(told[number]) if told[number] else None,
            width=sum(widths[number]) / len(widths[number]) if widths[number] else None,
        )
        for number, level in enumerate(LEVELS)
    )
    return BackTest(
        scores=scores,
        coverage=coverage,
        error=float(np.mean(errors)) if errors else None,
        naive_error=float(np.mean(naive)) if naive else None,
    )


def last_change(series: Series) -> int:
    """The place of the last day from which on the rate was another; 0: it was always the same."""
    changes = find_changes(series)
    return changes[-1].day - series.first_day if changes else 0


def forecast_counts(first_day: int, hits: Floats, horizon: int, since: int = 0) -> list[Predicted]:
    """The counts of the next days. `since`: the place from which on things are as they are now."""
    fit = fit_counts(first_day, hits, since)
    return [predict_count(fit, first_day, ahead) for ahead in range(1, horizon + 1)]


def forecast_hits(first_day: int, hits: Floats, orders: Floats, given: Sequence[int], since: int = 0) -> list[Hits]:
    """The hits of the next days, among as many orders as are given for each. `since` as above."""
    fit = fit_rates(first_day, hits, orders, since)
    return [predict_hits(fit, first_day, ahead, max(1, size)) for ahead, size in enumerate(given, 1)]


def _settle(pending: list[tuple[int, float]], known: int, scores: Scores) -> list[tuple[int, float]]:
    """Forecasts whose day is known by now become scores."""
    for day, odd in sorted(one for one in pending if one[0] < known):
        scores.days.append(day)
        scores.oddness.append(odd)
    return [one for one in pending if one[0] >= known]
