"""Random numbers that belong to what they decide.

Each is a pure function of the seed, whom or what it is about, and its purpose; none is taken from a stream that others
take from too. So the same order meets the same luck under another policy, or on another venue (common random numbers):
what differs between two runs is then the policy's doing.
"""

from collections.abc import Sequence
from hashlib import blake2b
from math import exp
from statistics import NormalDist
from typing import TypeVar

from .parameters import Delay

T = TypeVar("T")
_NORMAL = NormalDist()
_SCALE = 2.0**-53
_MOST_SIGMAS = 4.0  # tails are cut there: nobody waits for ten years


class Draws:
    """The luck of one thing: an order, a person, the market."""

    __slots__ = ("_about", "_seed")

    def __init__(self, seed: int, about: str) -> None:
        self._seed = seed
        self._about = about

    def uniform(self, purpose: str) -> float:
        """0 ≤ u < 1."""
        return (self.bits(purpose) >> 11) * _SCALE

    def bits(self, purpose: str) -> int:
        """64 random bits."""
        text = f"{self._seed}\0{self._about}\0{purpose}".encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")

    def happens(self, chance: float, purpose: str) -> bool:
        """Whether something of this chance does."""
        return self.uniform(purpose) < chance

    def normal(self, purpose: str) -> float:
        """Of the standard normal distribution, its tails cut."""
        u = self.uniform(purpose)
        if u <= 0:
            return -_MOST_SIGMAS
        return max(-_MOST_SIGMAS, min(_MOST_SIGMAS, _NORMAL.inv_cdf(u)))

    def seconds(self, delay: Delay, purpose: str, factor: float = 1.0) -> int:
        """How long somebody takes, seconds, at least one."""
        minutes = delay.median * factor * exp(delay.spread * self.normal(purpose))
        return max(1, round(minutes * 60))

    def choose(self, weighted: Sequence[tuple[T, float]], purpose: str) -> T:
        """One of several, by their weights."""
        point = self.uniform(purpose) * sum(weight for _, weight in weighted)
        for one, weight in weighted:
            point -= weight
            if point < 0:
                return one
        return weighted[-1][0]
