"""The distributions of what is to come: counts, and hits among a number of orders."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

EXACT: Final = 2_000  # orders up to which hits are reckoned one by one


class Predicted(ABC):
    """A count that is to come."""

    mean: float

    @abstractmethod
    def upto(self, count: int) -> float:
        """The probability of at most so many."""

    @abstractmethod
    def quantile(self, probability: float) -> int:
        """The smallest count with at least this probability at or below it."""

    def interval(self, level: float) -> tuple[int, int]:
        """Counts between which it lies with at least this probability, as much below as above."""
        tail = (1 - level) / 2
        return self.quantile(tail), self.quantile(1 - tail)

    def oddness(self, count: int) -> float:
        """How large a central interval has to be to hold this count: 0 in the very middle, towards 1 far outside."""
        below, upto = (self.upto(count - 1) if count else 0.0), self.upto(count)
        if below <= 0.5 <= upto:
            return 0.0
        return 2 * below - 1 if below > 0.5 else 1 - 2 * upto


@dataclass(frozen=True)
class Count(Predicted):
    """Negative binomial: variance = mean + mean² / shape."""

    mean: float
    shape: float

    def upto(self, count: int) -> float:
        return float(special.betainc(self.shape, count + 1, self.shape / (self.shape + self.mean)))

    def quantile(self, probability: float) -> int:
        if self.upto(0) >= probability:
            return 0
        low, high = 0, max(1, int(self.mean * 2))
        while self.upto(high) < probability:
            low, high = high, high * 2 + 1
        while high - low > 1:
            middle = (low + high) // 2
            if self.upto(middle) >= probability:
                high = middle
            else:
                low = middle
        return high


@dataclass(frozen=True)
class Hits(Predicted):
    """Beta-binomial: the share differs from day to day as a beta distribution of this strength.

    Of many orders, a beta distribution of the same mean and variance stands for it.
    """

    orders: int
    share: float  # the expected one
    strength: float

    @property
    def mean(self) -> float:  # type: ignore[override]  # reckoned
        """The expected number."""
        return self.share * self.orders

    def upto(self, count: int) -> float:
        if count >= self.orders:
            return 1.0
        if self.orders <= EXACT:
            return float(self._sums[count])
        return float(special.betainc(*self._beta, (count + 0.5) / self.orders))

    def quantile(self, probability: float) -> int:
        if self.orders <= EXACT:
            return min(self.orders, int(np.searchsorted(self._sums, probability - 1e-12)))
        return int(np.ceil(special.betaincinv(*self._beta, probability) * self.orders - 0.5))

    @cached_property
    def _sums(self) -> Floats:
        a, b = self.share * self.strength, (1 - self.share) * self.strength
        k = np.arange(self.orders + 1)
        ways = -special.betaln(k + 1, self.orders - k + 1) - np.log(self.orders + 1)
        return np.asarray(np.cumsum(np.exp(ways + special.betaln(k + a, self.orders - k + b) - special.betaln(a, b))))

    @property
    def _beta(self) -> tuple[float, float]:
        spread = 1 / (self.strength + 1)
        strength = 1 / (spread + (1 - spread) / self.orders) - 1
        return self.share * strength, (1 - self.share) * strength
