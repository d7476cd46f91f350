"""Whether the forecasts' intervals hold what they say: on simulated markets, day by day, from what was known before.

Alone: `python -m bench.risk_trends --orders 20000 --seeds 2`. `bench.risk` writes what it returns into
`bench/results/risk.json`.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from kameng_escrow.risk.trends import By, Clock, Ended, Measure, Series, make_outlook, make_series
from kameng_escrow.risk.trends.changes import find_changes
from kameng_escrow.simulate.market import run
from kameng_escrow.simulate.parameters import load_parameters
from kameng_escrow.simulate.result import MarketRun
from kameng_escrow.simulate.twin_venue import TwinVenue

LEAST_ORDERS = 300  # of a series that is looked at
CHANGES = 200  # series with a change, and as many without, that the search for changes is tried on


def measure(*, orders: int = 20_000, seeds: Iterable[int] = range(2), days: int = 120, most: int = 8) -> dict[str, Any]:
    """Coverage of counts and rates over several markets' series, and what the search for changes finds.

    Returns:
        `coverage`: by stated level, the part of forecasts of counts that came to lie within; `rate_coverage` likewise.
    """
    within: dict[str, dict[str, list[tuple[float, int]]]] = {"coverage": {}, "rate_coverage": {}}
    errors: list[tuple[float, float]] = []
    looked_at = 0
    seconds = 0.0
    for seed in seeds:
        parameters = load_parameters(overrides={"market": {"days": days}})
        market = run(parameters, orders=orders, seed=seed, venue=TwinVenue())
        for series in _series(market, most):
            looked_at += 1
            begun = time.perf_counter()
            outlook = make_outlook(series)
            seconds += time.perf_counter() - begun
            for name, several in (("coverage", outlook.coverage), ("rate_coverage", outlook.rate_coverage)):
                for one in several:
                    if one.within is not None:
                        within[name].setdefault(f"{one.level:.2f}", []).append((one.within, one.forecasts))
            if outlook.error is not None and outlook.naive_error is not None:
                errors.append((outlook.error, outlook.naive_error))
    return {
        "series": looked_at,
        **{name: {level: _weighted(several) for level, several in levels.items()} for name, levels in within.items()},
        "error_to_a_week_before": round(sum(one for one, _ in errors) / sum(other for _, other in errors), 3)
        if errors
        else None,
        "outlook_s": round(seconds / looked_at, 2) if looked_at else None,
        "changes": _changes(),
    }


def _series(market: MarketRun, most: int) -> Iterator[Series]:
    """A market's series with enough orders: of each platform all, and of each category."""
    clock = Clock.Shanghai
    ended: dict[str, list[Ended]] = {}
    for order in market.orders.values():
        if order.terms is None or order.closed_at is None:
            continue
        one = Ended(
            day=clock.day_of(order.closed_at),
            outcome=order.outcome,
            disputed=order.disputed_at is not None,
            category=market.truths[order.id].category,
            seller=order.terms.seller,
            policy=order.terms.policy_id,
        )
        ended.setdefault(market.policies[order.terms.policy_id].platform, []).append(one)
    for several in ended.values():
        first = min(one.day for one in several)
        last = clock.day_of(market.parameters.end) - 1  # afterwards nobody orders any more
        for by in (By.All, By.Category):
            for measure_ in Measure:
                made = make_series(several, by=by, measure=measure_, first_day=first, last_day=last)
                yield from [one for one in made.values() if sum(one.orders) >= LEAST_ORDERS][:most]


def _changes(count: int = CHANGES) -> dict[str, Any]:
    """Rates that double on a known day, and rates that stay."""
    luck = np.random.default_rng(1)
    found: list[int] = []
    false = within = 0
    for _ in range(count):
        size, rate, day = luck.uniform(10, 120), luck.uniform(0.04, 0.15), int(luck.integers(30, 75))
        orders = luck.poisson(size, 90)
        for change in (day, None):
            rates = [rate * (2 if change is not None and at >= change else 1) for at in range(90)]
            series = Series(
                by=By.All,
                name="",
                measure=Measure.Cancelled,
                first_day=0,
                orders=tuple(int(one) for one in orders),
                hits=tuple(int(one) for one in luck.binomial(orders, rates)),
            )
            changes = find_changes(series)
            if change is None:
                false += bool(changes)
                continue
            near = [one for one in changes if abs(one.day - change) <= 7]
            if near:
                found.append(abs(near[0].day - change))
                within += near[0].earliest <= change <= near[0].latest
    return {
        "doubled": count,
        "found": len(found),
        "days_off": round(float(np.mean(found)), 2) if found else None,
        "within_its_interval": round(within / len(found), 3) if found else None,
        "unchanged": count,
        "false": false,
    }


def _weighted(several: list[tuple[float, int]]) -> float:
    return round(sum(part * count for part, count in several) / sum(count for _, count in several), 3)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--orders", type=int, default=20_000)
    arguments.add_argument("--seeds", type=int, default=2)
    arguments.add_argument("--days", type=int, default=120)
    given = arguments.parse_args()
    json.dump(measure(orders=given.orders, seeds=range(given.seeds), days=given.days), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
