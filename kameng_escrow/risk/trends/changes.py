"""What changed, and since when: the days parted into stretches of one rate each, as few as the data allow.

Optimal partitioning by dynamic programming, exact, of a binomial likelihood (hits among the day's orders) divided by
the spread that days have besides chance. A change must be worth more than a penalty of ``3 · log(days)`` in twice the
log-likelihood, which a rate that does not change reaches about once in a hundred series of a hundred days.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .series import Series

Floats = NDArray[np.float64]

PENALTY: Final = 3.0  # times the logarithm of the number of days
SHORTEST: Final = 4  # days of a stretch
LEAST_HITS: Final = 5  # in all, below which nothing is said
NEAR: Final = 3.84  # twice the log-likelihood within which another day may be the one (95 %)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A day from which on the rate was another."""

    day: int  # the first with the new rate; days since 1970
    earliest: int  # days between which it may have been as well (about 95 %)
    latest: int
    before: float  # the rate of the stretch before
    after: float
    orders_before: int
    orders_after: int
    strength: float  # twice the log-likelihood that it is worth, beyond the penalty


def find_changes(series: Series) -> list[Change]:
    """The changes of a series' rate, oldest first."""
    hits, orders = np.asarray(series.hits, dtype=float), np.asarray(series.orders, dtype=float)
    days = len(hits)
    if days < 2 * SHORTEST or hits.sum() < LEAST_HITS:
        return []
    k, n = np.concatenate([[0.0], np.cumsum(hits)]), np.concatenate([[0.0], np.cumsum(orders)])
    spread = _spread(hits, orders)
    penalty = PENALTY * np.log(days)
    best = np.full(days + 1, np.inf)
    best[0] = -penalty
    back = np.zeros(days + 1, dtype=int)
    for end in range(SHORTEST, days + 1):
        starts = np.arange(0, end - SHORTEST + 1)
        costs = best[starts] + _cost(k[end] - k[starts], n[end] - n[starts]) / spread + penalty
        back[end] = int(np.argmin(costs))
        best[end] = costs[back[end]]
    cuts = [days]
    while cuts[-1] > 0:
        cuts.append(int(back[cuts[-1]]))
    cuts.reverse()
    return [
        _change(series.first_day, k, n, cuts[place - 1], cuts[place], cuts[place + 1], spread, float(penalty))
        for place in range(1, len(cuts) - 1)
    ]


def _change(
    first_day: int, k: Floats, n: Floats, start: int, cut: int, end: int, spread: float, penalty: float
) -> Change:
    places = np.arange(start + 1, end)
    costs = (_cost(k[places] - k[start], n[places] - n[start]) + _cost(k[end] - k[places], n[end] - n[places])) / spread
    own = float(costs[cut - start - 1])
    near = places[costs <= own + NEAR]
    whole = float(_cost(np.array([k[end] - k[start]]), np.array([n[end] - n[start]]))[0]) / spread
    return Change(
        day=first_day + cut,
        earliest=first_day + int(near.min()),
        latest=first_day + int(near.max()),
        before=_rate(k[cut] - k[start], n[cut] - n[start]),
        after=_rate(k[end] - k[cut], n[end] - n[cut]),
        orders_before=int(n[cut] - n[start]),
        orders_after=int(n[end] - n[cut]),
        strength=max(0.0, whole - own - penalty),
    )


def _cost(k: Floats, n: Floats) -> Floats:
    """Twice the negative log-likelihood of k hits among n at their own rate."""
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = np.where(k > 0, k * np.log(k / n), 0.0)
        miss = np.where(n > k, (n - k) * np.log((n - k) / n), 0.0)
    return np.asarray(-2.0 * (hit + miss))


def _spread(hits: Floats, orders: Floats) -> float:
    """How much more days differ than by chance, from neighbours, which a change touches only once; at least 1."""
    known = orders > 0
    k, n = hits[known], orders[known]
    if len(k) < 8:
        return 1.0
    share = (k + 0.5) / (n + 1)
    both = (k[1:] + k[:-1] + 0.5) / (n[1:] + n[:-1] + 1)
    expected = both * (1 - both) * (1 / n[1:] + 1 / n[:-1])
    ratios = (share[1:] - share[:-1]) ** 2 / np.maximum(expected, 1e-9)
    return float(np.clip(np.mean(np.minimum(ratios, 9.0)), 1.0, 10.0))


def _rate(k: float, n: float) -> float:
    return float(k / n) if n else 0.0
