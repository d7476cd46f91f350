"""The next ranges of blocks, read while the last one is being written."""

import threading
import time
from collections import deque
from collections.abc import Callable

from kameng_escrow.chain.errors import NodeTimeout

from .errors import RangeTooLarge
from .fetch import Chunk
from .ranges import RangeSize

Fetch = Callable[[int, int, int], Chunk]  # first and last block, and from where on every header is wanted

MOST_AHEAD = 4  # ranges in the making: what a node far away needs to be kept busy
_EVENTS_AHEAD = 8_000  # in them, about: each takes some kilobytes
_MOSTLY_WAITING = 0.8  # share of a reading's time that is not ours: the node, or the way to it


class ChainMoved(Exception):
    """The range does not follow on the block before it: the chain was reorganised, there or further down."""


class _Reading(threading.Thread):
    """One range, on its way."""

    def __init__(self, fetch: Fetch, first: int, last: int, recent_from: int) -> None:
        super().__init__(name=f"blocks {first}-{last}", daemon=True)  # nobody needs it once the process ends
        self.first, self.last = first, last
        self._fetch, self._recent_from = fetch, recent_from
        self._chunk: Chunk | None = None
        self._error: BaseException | None = None
        self.waited = 0.0  # share of its time

    def run(self) -> None:
        began, worked = time.perf_counter(), time.thread_time()
        try:
            self._chunk = self._fetch(self.first, self.last, self._recent_from)
        except BaseException as error:
            self._error = error
        seconds = time.perf_counter() - began
        work = time.thread_time() - worked + (self._chunk.work if self._chunk is not None else 0.0)
        self.waited = 1 - work / seconds if seconds else 0.0

    def result(self) -> Chunk:
        """What was read, or why not, once that is known."""
        if self.ident is not None:
            self.join()
        if self._error is not None:
            raise self._error
        assert self._chunk is not None  # it has ended without an error
        return self._chunk


class Ahead:
    """Reads the ranges that follow on the one asked for, in threads of their own, and gives them out in order.

    One range ahead is enough for a node nearby, whose answers cost more to work through than to wait for. Where most of
    the time is waiting, more are asked for at once.

    Args:
        fetch: reads a range; called by several threads.
        ranges: how many blocks at once.
        concurrent: False: everything is read by the caller's own thread, when it asks.
    """

    def __init__(self, fetch: Fetch, ranges: RangeSize, *, concurrent: bool) -> None:
        self._concurrent = concurrent
        self._fetch = fetch
        self._ranges = ranges
        self._readings: deque[_Reading] = deque()
        self._most = 1

    def take(self, first: int, head: int, *, parent_hash: str, recent_from: int, later: bool = False) -> Chunk | None:
        """The range from `first` on; None where the node wants to be asked for less.

        Args:
            head: the chain's last block, up to which to read ahead.
            parent_hash: of the block before the first.
            recent_from: from this block on every header is wanted.
            later: whether the caller has work to do first, and then says `read_on`; of a node nearby nothing is read
                before that, since it has the same processors as the caller's work.

        Raises:
            ChainMoved: the range does not follow on that block.
            And as the fetch.
        """
        if not self._readings or self._readings[0].first != first:
            self.forget()
            self._read_on(first, head, recent_from)
        reading = self._readings.popleft()
        if not later or self._most > 1:
            self._top_up(head, recent_from, after=reading.last)
        if reading.ident is None:  # asked for now, and nothing to do meanwhile
            reading.run()
        try:
            chunk = reading.result()
        except RangeTooLarge as error:
            self.forget()
            if reading.first == reading.last:
                raise
            self._ranges.refused(error.blocks)
            return None
        except NodeTimeout:
            self.forget()
            self._ranges.refused()  # perhaps it had too much to look through: the next attempt asks for less
            raise
        except BaseException:
            self.forget()
            raise
        if chunk.headers[first].parent_hash != parent_hash:
            self.forget()
            raise ChainMoved
        self._ranges.read(reading.last - first + 1, chunk.events)
        most = self._most + 1 if reading.waited > _MOSTLY_WAITING else self._most - 1
        self._most = max(1, min(MOST_AHEAD, most, _EVENTS_AHEAD // max(1, chunk.events)))
        return chunk

    def read_on(self, chunk: Chunk, head: int, *, recent_from: int) -> None:
        """Has the ranges after this one read, which was the last that was taken."""
        self._top_up(head, recent_from, after=chunk.last)

    def forget(self) -> None:
        """Whatever was read ahead is not wanted any more."""
        self._readings.clear()

    def _top_up(self, head: int, recent_from: int, *, after: int) -> None:
        """Has as many ranges on their way as there should be."""
        while self._concurrent and len(self._readings) < self._most:
            last = self._readings[-1].last if self._readings else after
            if last >= head:
                return
            self._read_on(last + 1, head, recent_from).start()

    def _read_on(self, first: int, head: int, recent_from: int) -> _Reading:
        last = min(head, first + self._ranges.blocks - 1)
        reading = _Reading(self._fetch, first, last, recent_from)
        self._readings.append(reading)
        return reading
