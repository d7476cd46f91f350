"""How many blocks to ask for at once."""

START = 64  # blocks: little enough for any node, and for memory on a busy chain
_STEPS = 20  # from nothing to the limit, once the node's own limit was met


class RangeSize:
    """Doubles until it meets a limit; from then on grows bit by bit while a node copes, and halves when it does not.
    Keeps ranges to what memory and a transaction take.

    Additive growth and multiplicative retreat settle just below a node's limit, whatever it is. A node that says what
    its limit is, is believed.
    """

    def __init__(self, limit: int, *, target_events: int = 7_000) -> None:
        """At most `limit` blocks, and about `target_events` events, at once."""
        if limit < 1:
            raise ValueError(f"a range has at least one block, not {limit}")
        self._limit = limit
        self._target = target_events
        self._met = False  # whether the node has refused a range
        self.blocks = min(limit, START)

    def refused(self, limit: int | None = None) -> None:
        """The node did not cope with the last range. `limit`: how many blocks it said it takes."""
        self._met = True
        if limit is not None and 0 < limit < self.blocks:
            self._limit = self.blocks = limit
        else:
            self.blocks = max(1, self.blocks // 2)

    def read(self, blocks: int, events: int) -> None:
        """A range of `blocks` blocks had so many events."""
        if events > self._target:
            self.blocks = max(1, blocks * self._target // events)
        elif blocks >= self.blocks:
            more = max(1, self._limit // _STEPS) if self._met else self.blocks
            fitting = blocks * self._target // events if events else self._limit
            self.blocks = max(blocks, min(self._limit, self.blocks + more, fitting))
