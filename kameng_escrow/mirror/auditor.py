"""The comparison of store and chain, again and again, beside the mirror."""

import threading
from collections.abc import Callable

from web3 import Web3

from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Book

from .errors import NodeBehind, NodeInconsistent
from .reconcile import AuditReport, audit

_AGAIN = 2.0  # seconds until the next attempt, where the chain moved during one

OnAudit = Callable[[AuditReport], None]
OnTrouble = Callable[[EscrowError], None]


class Auditor:
    """Compares every so often, and says what it finds. Reads only; repairing is `repair.repair`'s.

    Args:
        book: gives the mirrored contract, once there is one.
        w3: a connection of its own: the mirror's is busy.
        lens: the address of the contract's `KamengLens`.
        every_seconds: between two audits.
        found: is told of every audit that was completed.
        trouble: is told of one that could not be.
    """

    def __init__(
        self,
        book: Callable[[], Book],
        w3: Web3,
        lens: str,
        *,
        every_seconds: float,
        found: OnAudit,
        trouble: OnTrouble,
    ) -> None:
        self._book = book
        self._w3 = w3
        self._lens = lens
        self._every = every_seconds
        self._found = found
        self._trouble = trouble

    def run(self, stop: threading.Event) -> None:
        """Goes on until `stop` is set; the first audit comes after one interval."""
        pause = self._every
        while not stop.wait(pause):
            try:
                self._found(audit(self._book(), self._w3, self._lens, open_only=True))
                pause = self._every
            except (NodeBehind, NodeInconsistent):  # the chain was just changing: that is the mirror's to undo
                pause = min(_AGAIN, self._every)
            except EscrowError as error:
                self._trouble(error)
                pause = self._every
