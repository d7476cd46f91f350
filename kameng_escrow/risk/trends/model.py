"""How many there will be: a generalized linear model of counts, and one of rates, with a week and a trend.

    log E[count]  = level + trend · t + weekday        negative binomial, its spread from the data
    logit E[rate] = level + trend · t + weekday        binomial, likewise

What is older weighs less. Each weekday and the trend are held to nothing by a few made-up days that are as usual, so
that three Mondays don't make a rule; with few orders the model is the mean, and its intervals are wide.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import statsmodels.api as sm

from .ahead import Count, Floats, Hits
from .series import weekday_of

HALF_LIFE: Final = 42  # days
WEEK_PRIOR: Final = 2.0  # made-up days as usual, for each weekday
TREND_PRIOR: Final = 20.0  # likewise at each end, against a trend
TREND_DAYS: Final = 28.0  # what a trend is measured in
TREND_LASTS: Final = 7  # days, after which it goes on no further
BEFORE_A_CHANGE: Final = 0.02  # what a day weighs that was before the last change
LEAST_SPREAD: Final = 1e-4
MOST_SPREAD: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A model that was fitted to the days up to one."""

    parameters: Floats
    covariance: Floats
    spread: float  # of counts: variance = mean + spread · mean²; of rates: 1 / (strength + 1)
    days: int
    is_rate: bool

    def weekdays(self) -> tuple[Floats, Floats]:
        """Each weekday's factor (of odds, where it is a rate) against the mean of all, and the standard error of its
        logarithm.
        """
        effects = np.concatenate([[0.0], self.parameters[2:]])
        contrast = np.zeros((7, len(self.parameters)))
        for number in range(1, 7):
            contrast[number, number + 1] = 1.0
        contrast -= contrast.mean(axis=0)
        errors = np.sqrt(np.clip(np.einsum("ij,jk,ik->i", contrast, self.covariance, contrast), 0, None))
        return np.exp(effects - effects.mean()), errors

    def linear(self, first_day: int, ahead: int) -> tuple[float, float]:
        """The linear predictor `ahead` days after the last one, and its variance."""
        row = _rows(first_day, self.days + ahead, self.days - 1 + TREND_LASTS, self.days)[-1]
        return float(row @ self.parameters), float(row @ self.covariance @ row)


def fit_counts(first_day: int, counts: Floats, since: int = 0) -> Fit:
    """A model of counts; `first_day` is the number of the first one's day. Those before the place `since`, where things
    changed, weigh little.
    """
    rows, weights = _design(first_day, len(counts), since)
    usual = float(np.average(counts, weights=weights)) + 0.05
    prior_rows, prior_weights = _prior(weights)
    y = np.concatenate([counts, np.full(len(prior_rows), usual)])
    x = np.vstack([rows, prior_rows])
    w = np.concatenate([weights, prior_weights])
    spread = 0.1
    for _ in range(2):
        result = sm.GLM(y, x, family=sm.families.NegativeBinomial(alpha=spread), var_weights=w).fit(maxiter=50)
        mean = result.fittedvalues[: len(counts)]
        excess = np.sum(weights * ((counts - mean) ** 2 - mean))
        spread = float(np.clip(excess / np.sum(weights * mean**2), LEAST_SPREAD, MOST_SPREAD))
    return Fit(
        parameters=np.asarray(result.params),
        covariance=np.asarray(result.cov_params()),
        spread=spread,
        days=len(counts),
        is_rate=False,
    )


def fit_rates(first_day: int, hits: Floats, orders: Floats, since: int = 0) -> Fit:
    """A model of the share of hits among orders; days without orders tell nothing. `since` as above."""
    rows, weights = _design(first_day, len(hits), since)
    total = float(np.sum(weights * orders))
    usual = (float(np.sum(weights * hits)) + 0.5) / (total + 5.0)
    prior_rows, prior_weights = _prior(weights)
    typical = max(1.0, total / float(np.sum(weights)))
    made = np.full(len(prior_rows), typical)
    known = orders > 0
    y = np.concatenate([(hits / np.maximum(orders, 1))[known], np.full(len(prior_rows), usual)])
    x = np.vstack([rows[known], prior_rows])
    w = np.concatenate([(weights * orders)[known], prior_weights * made])
    result = sm.GLM(y, x, family=sm.families.Binomial(), var_weights=w).fit(maxiter=50)
    share = result.fittedvalues[: int(known.sum())]
    n, k, v = orders[known], hits[known], weights[known]
    plain = n * share * (1 - share)
    excess = float(np.sum(v * ((k - n * share) ** 2 - plain)))
    room = float(np.sum(v * plain * (n - 1)))
    spread = float(np.clip(excess / room if room > 0 else 0.01, LEAST_SPREAD, 0.5))
    return Fit(
        parameters=np.asarray(result.params),
        covariance=np.asarray(result.cov_params()),
        spread=spread,
        days=len(hits),
        is_rate=True,
    )


def predict_count(fit: Fit, first_day: int, ahead: int) -> Count:
    """The count of a day to come, whose spread is that of days and of what is not known of the model."""
    linear, variance = fit.linear(first_day, ahead)
    mean = float(np.exp(min(linear, 20.0)))
    spread = min(MOST_SPREAD * 2, fit.spread + variance)
    return Count(mean=max(mean, 1e-6), shape=1 / max(spread, LEAST_SPREAD))


def predict_hits(fit: Fit, first_day: int, ahead: int, orders: int) -> Hits:
    """How many of so many orders of a day to come; their share is the rate."""
    linear, variance = fit.linear(first_day, ahead)
    share = float(np.clip(1 / (1 + np.exp(-linear)), 1e-5, 1 - 1e-5))
    # A logit's variance is about var / (p (1 - p))², and a beta's is p (1 - p) · spread.
    spread = float(np.clip(fit.spread + variance * share * (1 - share), LEAST_SPREAD, 0.9))
    return Hits(orders=orders, share=share, strength=1 / spread - 1)


def _design(first_day: int, days: int, since: int) -> tuple[Floats, Floats]:
    rows = _rows(first_day, days, days - 1, days)
    age = np.arange(days - 1, -1, -1)
    weights = np.asarray(0.5 ** (age / HALF_LIFE))
    weights[:since] *= BEFORE_A_CHANGE
    return rows, weights


def _rows(first_day: int, days: int, trend_until: int, now: int) -> Floats:
    """Level, trend (zero on the last day that is known) and weekdays but Monday."""
    place = np.arange(days)
    rows = np.zeros((days, 8))
    rows[:, 0] = 1.0
    rows[:, 1] = (np.minimum(place, trend_until) - (now - 1)) / TREND_DAYS
    weekday = (place + weekday_of(first_day)) % 7
    for number in range(1, 7):
        rows[weekday == number, number + 1] = 1.0
    return rows


def _prior(weights: Floats) -> tuple[Floats, Floats]:
    """Days that never were: one of each weekday, and two that are far ago and far ahead, all of them as usual."""
    rows = np.zeros((9, 8))
    rows[:, 0] = 1.0
    middle = -float(np.sum(weights[::-1] * np.arange(len(weights)))) / float(np.sum(weights)) / TREND_DAYS
    rows[:, 1] = middle
    for number in range(1, 7):
        rows[number, number + 1] = 1.0
    rows[7:, 2:] = 1 / 7
    rows[7, 1], rows[8, 1] = middle - 1.0, middle + 1.0
    return rows, np.concatenate([np.full(7, WEEK_PRIOR), np.full(2, TREND_PRIOR)])
