"""Outlooks as JSON."""

from collections.abc import Mapping
from typing import Any

from .conformal import Coverage
from .outlook import Outlook
from .series import Clock, date_of
from .words import remarks


def outlook_json(outlook: Outlook, clock: Clock) -> dict[str, Any]:
    """An outlook as JSON. Dates are the clock's, rates parts of one."""
    series, said = outlook.series, remarks(outlook)
    last = series.first_day + len(series) - 1
    return {
        "by": str(series.by),
        "name": series.name,
        "measure": str(series.measure),
        "clock": str(clock),
        "since": str(date_of(series.first_day)),
        "until": str(date_of(last)),
        "orders": list(series.orders),
        "counts": list(series.hits),
        "forecast": [
            {
                "date": str(date_of(one.day)),
                "expected": round(one.expected, 3),
                "within_80": [one.low_80, one.high_80],
                "within_95": [one.low_95, one.high_95],
                "rate": round(one.rate, 5),
                "rate_within_80": [round(one.rate_low_80, 5), round(one.rate_high_80, 5)],
                "rate_within_95": [round(one.rate_low_95, 5), round(one.rate_high_95, 5)],
            }
            for one in outlook.ahead
        ],
        "weekdays": [
            {
                "weekday": one.weekday,
                "factor": round(one.factor, 4),
                "low": round(one.low, 4),
                "high": round(one.high, 4),
                "stands_out": one.stands_out,
            }
            for one in outlook.weekdays
        ],
        "changes": [
            {
                "date": str(date_of(one.day)),
                "earliest": str(date_of(one.earliest)),
                "latest": str(date_of(one.latest)),
                "before": round(one.before, 5),
                "after": round(one.after, 5),
                "orders_before": one.orders_before,
                "orders_after": one.orders_after,
                "strength": round(one.strength, 2),
            }
            for one in outlook.changes
        ],
        "coverage": [_coverage(one) for one in outlook.coverage],
        "rate_coverage": [_coverage(one) for one in outlook.rate_coverage],
        "mean_error": _rounded(outlook.error),
        "mean_error_of_a_week_before": _rounded(outlook.naive_error),
        "too_few": outlook.too_few,
        "few": outlook.few,
        "remarks_en": [one.en for one in said],
        "remarks_zh": [one.zh for one in said],
    }


def _coverage(one: Coverage) -> Mapping[str, Any]:
    return {
        "stated": one.level,
        "forecasts": one.forecasts,
        "within": _rounded(one.within),
        "mean_width": _rounded(one.width),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
