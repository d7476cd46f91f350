"""How many blocks to ask for at once."""


class RangeSize:
    """Grows while a node copes, halves when it does not, and keeps ranges to what memory and a transaction take.

    Additive growth and multiplicative retreat settle just below a node's limit, whatever it is.
    """

    def __init__(self, limit: int, *, target_events: int = 5_000) -> None:
        """At most `limit` blocks, and about `target_events` events, at once."""
        if limit < 1:
            raise ValueError(f"a range has at least one block, not {limit}")
        self._limit = limit
        self._target = target_events
        self.blocks = limit

    def refused(self) -> None:
        """The node did not cope with the last range."""
        self.blocks = max(1, self.blocks // 2)

    def read(self, blocks: int, events: int) -> None:
        """A range of `blocks` blocks had so many events."""
        if events > self._target:
            self.blocks = max(1, blocks * self._target // events)
        elif blocks >= self.blocks:
            self.blocks = min(self._limit, self.blocks + max(1, self._limit // 20))
