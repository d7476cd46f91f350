"""What a worker remembers between two looks at the chain."""

from dataclasses import dataclass, field

from .batches import patience_ms


@dataclass(slots=True)
class Memory:
    """What a worker may forget: it is read anew from the chain, or only makes it wait a little longer."""

    looks_without: dict[int, int] = field(default_factory=dict)  # by intent
    wanted_at: dict[int, tuple[int, bool]] = field(default_factory=dict)  # by intent: the head, and whether it was
    words: dict[int, str] = field(default_factory=dict)  # by intent: what the node last said to it
    gap_since_ms: int | None = None
    due_since_ms: int | None = None  # when something was due again after nothing was
    rest_until_ms: int = 0  # another keeper is at it: let it work

    def rest(self, now_ms: int, account: str, spread_seconds: float) -> None:
        """Another keeper was seen at work: this one lets it, for half the spread and up to as much again."""
        half = spread_seconds / 2
        self.rest_until_ms = now_ms + int(half * 1000) + patience_ms(account, now_ms, half)

    def forget(self, intent_id: int) -> None:
        """The intent has ended."""
        for known in (self.looks_without, self.wanted_at, self.words):
            known.pop(intent_id, None)
