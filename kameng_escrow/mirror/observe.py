"""Who is told what a mirror does: metrics, logs, screens."""

from collections.abc import Sequence

from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Term

from .report import MirrorReport, Progress


class Observer:
    """Is told of everything, and wants to know of nothing: override what matters. Quick, since the mirror waits."""

    def leading(self, term: Term | None) -> None:
        """This process writes now; None: it is a candidate, or ends."""

    def began(self) -> None:
        """The mirror begins to catch up: what `progress` counts is counted from here."""

    def progress(self, progress: Progress) -> None:
        """Another range is in the store."""

    def looked(self, report: MirrorReport) -> None:
        """The chain's head was reached, with what was done since the last time."""

    def trouble(self, error: EscrowError) -> None:
        """Something keeps the mirror waiting."""

    def node_failed(self, node: str, error: EscrowError) -> None:
        """Of several nodes one failed, and another is asked."""


class Observers(Observer):
    """Tells several."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    def leading(self, term: Term | None) -> None:
        for observer in self._observers:
            observer.leading(term)

    def began(self) -> None:
        for observer in self._observers:
            observer.began()

    def progress(self, progress: Progress) -> None:
        for observer in self._observers:
            observer.progress(progress)

    def looked(self, report: MirrorReport) -> None:
        for observer in self._observers:
            observer.looked(report)

    def trouble(self, error: EscrowError) -> None:
        for observer in self._observers:
            observer.trouble(error)

    def node_failed(self, node: str, error: EscrowError) -> None:
        for observer in self._observers:
            observer.node_failed(node, error)
