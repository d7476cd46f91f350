"""What was seen of each level of a category: how often it came, and how its rows ended.

While a model is fitted, a row must not see its own ending: what a row is told of its level comes from other rows only,
from earlier ones where the table has a time. Rates of rare levels are drawn to the rate of all, by as much as levels
differ less than chance would have it (empirical Bayes).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FOLDS: Final = 5
BLOCKS: Final = 30  # of time; a row is told of the blocks before its own
_WEAKEST, _STRONGEST = 2.0, 200.0  # rows that the rate of all counts as


@dataclass(frozen=True)
class Partition:
    """Which rows may tell each other how they ended."""

    groups: Integers  # of each row
    count: int
    ordered: bool  # a row is told of lower groups only; else of all others


def in_time(times: Floats) -> Partition:
    """Blocks of rows by time, of which none divides rows of the same instant. Rows without a time come first."""
    order = np.argsort(np.nan_to_num(times, nan=-np.inf), kind="stable")
    sorted_times = np.nan_to_num(times[order], nan=-np.inf)
    first_of_instant = np.searchsorted(sorted_times, sorted_times, side="left")
    groups = np.empty(len(times), dtype=np.int64)
    groups[order] = first_of_instant * BLOCKS // max(1, len(times))
    return Partition(groups, BLOCKS, ordered=True)


def at_random(rows: int, random: np.random.Generator) -> Partition:
    """Folds of equal size."""
    groups = np.arange(rows, dtype=np.int64) % FOLDS
    random.shuffle(groups)
    return Partition(groups, FOLDS, ordered=False)


@dataclass(frozen=True)
class LevelStatistic:
    """What is known of the levels of one column, for rows that were not learnt from."""

    rates: Floats  # level × told class; the last row for levels never seen
    log_counts: Floats  # by level; the last for levels never seen

    def look_up(self, codes: Integers) -> Floats:
        """Rates and log counts of rows by their levels; -1 for a level never seen."""
        return np.column_stack([self.rates[codes], self.log_counts[codes]])


def learn(
    codes: Integers, levels: int, classes: Integers, told: Integers, partition: Partition
) -> tuple[LevelStatistic, Floats]:
    """The statistic of a column, and what its own rows are told.

    Args:
        codes: the level of each row, -1 for none.
        levels: how many there are.
        classes: how each row ended.
        told: the classes whose rates are told, all but the first where there are two.
        partition: which rows may tell which.
    """
    known = codes >= 0
    at = partition.groups * (levels + 1) + np.where(known, codes, levels)
    shape = (partition.count, levels + 1)
    counts = np.bincount(at, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    own_counts = _others(counts, partition)
    rates, own_rates = [], []
    for one in told:
        hits = np.bincount(at, weights=classes == one, minlength=shape[0] * shape[1]).reshape(shape)
        overall = float(hits.sum() / max(1.0, counts.sum()))
        weight = _prior_weight(hits.sum(axis=0)[:levels], counts.sum(axis=0)[:levels], overall)
        rates.append(_shrunk(hits.sum(axis=0), counts.sum(axis=0), overall, weight))
        others = _others(hits, partition)
        seen = own_counts.sum(axis=1, keepdims=True)
        overall_then = (others.sum(axis=1, keepdims=True) + overall) / (seen + 1.0)  # as it was known by then
        own_rates.append((others + weight * overall_then) / (own_counts + weight))
    statistic = LevelStatistic(
        rates=np.column_stack(rates),  # the last row is that of holes, or the rate of all where there were none
        log_counts=np.log1p(np.append(counts.sum(axis=0)[:levels], 0.0)),
    )
    place = (partition.groups, np.where(known, codes, levels))
    share = (own_counts.sum(axis=1) / max(1.0, counts.sum()))[partition.groups]
    scaled = own_counts[place] / np.maximum(share, 1e-9)  # as if all rows had been there to tell
    scaled = np.where(known, scaled, 0.0)
    return statistic, np.column_stack([*(rate[place] for rate in own_rates), np.log1p(scaled)])


def _others(table: NDArray[Any], partition: Partition) -> Floats:
    total = np.cumsum(table, axis=0) if partition.ordered else table.sum(axis=0, keepdims=True)
    return np.asarray(total - table, dtype=np.float64)


def _shrunk(hits: Floats, counts: Floats, overall: float, weight: float) -> Floats:
    return np.asarray((hits + weight * overall) / (counts + weight), dtype=np.float64)


def _prior_weight(hits: Floats, counts: Floats, overall: float) -> float:
    """How many rows the rate of all counts as, by the method of moments."""
    there = counts > 0
    total = counts[there].sum()
    if total < 2 or not 0 < overall < 1:
        return _STRONGEST
    spread = overall * (1 - overall)
    means = hits[there] / counts[there]
    squares = float((counts[there] * (means - overall) ** 2).sum())
    freedom = total - float((counts[there] ** 2).sum()) / total
    between = (squares - (there.sum() - 1) * spread) / max(freedom, 1e-9)
    return float(np.clip(spread / between, _WEAKEST, _STRONGEST)) if between > 0 else _STRONGEST
