"""How much is too much: tails of counts, and the detection of a rise with a bound on its false alarms."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, lgamma, log, sqrt
from typing import Any, Final

WAYS: Final = (0.2, 0.5, 0.9)  # how far above what is allowed a rise may lie: these parts of the way to 1


@dataclass(slots=True)
class Rise:
    """Whether hits come more often than allowed since some moment, told hit by hit.

    Shiryaev's and Roberts' statistic of likelihood ratios, ``R ← (1 + R) · LR``, averaged over three alternatives. For
    as long as each hit's probability is at most the `allowed` one, whatever happened before, R less the number of
    trials never rises on average: so in the mean at least `threshold` trials go by before R reaches the threshold
    for the first time. That bound needs no distribution and no independence of what `allowed` is reckoned from.

    When the rise began is the last moment at which the cumulative sum of the middle alternative was zero.
    """

    levels: list[float] = field(default_factory=lambda: [0.0] * len(WAYS))
    drift: float = 0.0  # the cumulative sum
    since: int = 0  # Unix seconds; when the drift began, likewise below
    trials: int = 0
    hits: int = 0
    orders: list[str] = field(default_factory=list)  # of the hits

    def level(self) -> float:
        """The statistic."""
        return sum(self.levels) / len(WAYS)

    def learn(self, hit: bool, allowed: float, at: int, order_id: str) -> float:
        """Counts a trial and returns the statistic. `allowed`: the highest probability of a hit, between 0 and 1."""
        for position, way in enumerate(WAYS):
            risen = allowed + (1 - allowed) * way
            ratio = risen / allowed if hit else (1 - risen) / (1 - allowed)
            self.levels[position] = min(1e15, (1 + self.levels[position]) * ratio)
            if position == 1:
                self.drift = max(0.0, self.drift + log(ratio))
        if self.drift == 0.0:
            self.trials, self.hits, self.orders = 0, 0, []
            return self.level()
        if self.trials == 0:
            self.since = at
        self.trials += 1
        if hit:
            self.hits += 1
            keep(self.orders, order_id, 20)
        return self.level()

    def restart(self) -> None:
        """Forgets the rise, after it was told."""
        self.levels = [0.0] * len(WAYS)
        self.drift = 0.0
        self.trials, self.hits, self.orders = 0, 0, []

    def dump(self) -> list[object]:
        """As JSON."""
        return [[*self.levels], self.drift, self.since, self.trials, self.hits, [*self.orders]]

    @classmethod
    def restore(cls, state: Sequence[Any]) -> "Rise":
        """What `dump` gave."""
        return cls(*state)


@dataclass(slots=True)
class Share:
    """A share of hits in the past, in which what is older weighs less."""

    hits: float = 0.0
    misses: float = 0.0
    at: int = 0  # Unix seconds; when it was last brought up to date

    def learn(self, hit: bool, at: int, half_life: int) -> None:
        """Counts a trial."""
        self.age(at, half_life)
        if hit:
            self.hits += 1
        else:
            self.misses += 1

    def age(self, at: int, half_life: int) -> None:
        """Lets what was counted weigh what it does at this time."""
        if at > self.at:
            left = 0.5 ** ((at - self.at) / half_life) if self.at else 0.0
            self.hits *= left
            self.misses *= left
            self.at = at

    def expected(self, prior: float, strength: float) -> tuple[float, float]:
        """Mean and standard deviation of the share, given a prior that weighs as much as `strength` trials."""
        good = self.hits + prior * strength
        bad = self.misses + (1 - prior) * strength
        total = good + bad
        mean = good / total
        return mean, sqrt(mean * (1 - mean) / (total + 1))


def keep(items: list[str], item: str, most: int) -> None:
    """Adds an item once, and lets go of the oldest past so many."""
    if item not in items:
        items.append(item)
        if len(items) > most:
            del items[0]


def count_tail(count: int, mean: float, shape: float) -> float:
    """The probability of at least `count` under a negative binomial of this mean, whose variance is
    ``mean + mean² / shape``.
    """
    from scipy.special import betainc

    if count <= 0:
        return 1.0
    return float(betainc(count, shape, mean / (mean + shape)))


def share_tail(hits: int, trials: int, mean: float, strength: float) -> float:
    """The probability of at least `hits` of `trials` where each account has a share of its own, spread around `mean`
    as a beta distribution of this strength (beta-binomial).
    """
    a, b = mean * strength, (1 - mean) * strength
    norm = lgamma(a) + lgamma(b) - lgamma(a + b)
    total = 0.0
    for number in range(hits, trials + 1):
        ways = lgamma(trials + 1) - lgamma(number + 1) - lgamma(trials - number + 1)
        term = exp(ways + lgamma(a + number) + lgamma(b + trials - number) - lgamma(a + b + trials) - norm)
        total += term
        if term < total * 1e-9:
            break
    return min(1.0, total)


def binomial_tail(hits: int, trials: int, probability: float) -> float:
    """The probability of at least `hits` of `trials`."""
    from scipy.special import betainc

    if hits <= 0:
        return 1.0
    return float(betainc(hits, trials - hits + 1, probability))
