"""How many questions a node gets at once, and how soon after it asked for a rest."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MOST_AT_ONCE = 8
_FIRST_REST = 0.5  # seconds, doubled each time in a row, where the node does not say how long
_LONGEST_REST = 30.0


class Resting(Exception):
    """The node asked for a longer rest than whoever asks would wait: so many `seconds` more."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.1f} s")
        self.seconds = seconds


class Limiter:
    """One node's. Grows by a question for each round that went well, and halves when the node has had enough: additive
    growth and multiplicative retreat share a node fairly with whoever else does the same.

    Safe in several threads.

    Args:
        clock, sleep: the time in seconds, and how to let some pass.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._free = threading.Condition()
        self._busy = 0
        self._rest_until = 0.0
        self._rests = 0  # in a row
        self.at_once = 4.0  # how many, in whole numbers below

    @contextmanager
    def turn(self, patience: float = float("inf")) -> Iterator[None]:
        """Waits until it is somebody's turn to ask; it is theirs until the block ends.

        Raises:
            Resting: the node's rest is not over within `patience` seconds. At once: nobody waits in vain.
        """
        with self._free:
            while self._busy >= int(self.at_once):
                self._free.wait()
            self._busy += 1
        try:
            ends = self._clock() + patience
            while (rest := self._rest_until - self._clock()) > 0:
                if self._rest_until > ends:
                    raise Resting(rest)
                self._sleep(rest)
            yield
        finally:
            with self._free:
                self._busy -= 1
                self._free.notify()

    def answered(self) -> None:
        """The node answered a question."""
        with self._free:
            self._rests = 0
            self.at_once = min(MOST_AT_ONCE, self.at_once + 1 / self.at_once)
            self._free.notify()

    def refused(self, rest: float | None = None) -> float:
        """The node wants a rest, of so many seconds if it said so; returns how long it gets."""
        with self._free:
            if rest is None or not 0 <= rest < float("inf"):
                rest = min(_FIRST_REST * 2**self._rests, _LONGEST_REST)
            self._rests = min(self._rests + 1, 10)
            self.at_once = max(1.0, self.at_once / 2)
            self._rest_until = max(self._rest_until, self._clock() + rest)
            return rest
