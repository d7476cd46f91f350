"""What every detector is: it learns step by step, and its memory can be written down."""

from typing import Any, ClassVar, Protocol

from .alarms import Finding, Kind
from .steps import Step


class Detector(Protocol):
    """Finds one kind of thing among the orders of one platform.

    Bounded in memory, and deterministic: its state and the steps after it say all that it will ever find.
    """

    kind: ClassVar[Kind]

    def learn(self, step: Step) -> list[Finding]:
        """What a step shows. Steps come in the chain's order."""
        ...

    def dump(self) -> Any:
        """Its memory as JSON."""
        ...

    def load(self, state: Any) -> None:
        """Takes up where `dump` left off."""
        ...
