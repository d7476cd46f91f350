"""Which messages were handled: every webhook is sent at least once, and sometimes twice."""

import threading
from collections import OrderedDict
from typing import Protocol


class Memory(Protocol):
    """Where a receiver remembers ids. With several processes, or restarts in between: a table of yours with the id as
    its key, written in the transaction that does what the message asks for."""

    def claim(self, message_id: str, now: float) -> bool:
        """Whether the id is new; then it counts as handled from now on, until `release`. At most one caller is told
        so, however many ask at once. `now`: Unix seconds."""
        ...

    def release(self, message_id: str) -> None:
        """Forgets an id: what it asked for failed, and its next attempt is to be handled."""
        ...


class InMemory:
    """Remembers ids in this process. May be used from several threads.

    Args:
        keep_seconds: for how long; the default outlasts every retry of a message (three days and a half).
        most: how many at once; the oldest go first.
    """

    def __init__(self, *, keep_seconds: float = 4 * 86_400, most: int = 200_000) -> None:
        self._keep = keep_seconds
        self._most = most
        self._known: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def claim(self, message_id: str, now: float) -> bool:
        with self._lock:
            while self._known and (
                next(iter(self._known.values())) <= now - self._keep or len(self._known) > self._most
            ):
                self._known.popitem(last=False)
            if message_id in self._known:
                return False
            self._known[message_id] = now
            return True

    def release(self, message_id: str) -> None:
        with self._lock:
            self._known.pop(message_id, None)
