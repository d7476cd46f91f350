"""Server-Sent Events as the service sends them (HTML Living Standard, 9.2.6)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

RETRY_SECONDS: Final = 2.0  # until a stream that ended is asked for again, unless the service says otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """Something that happened. `kind`: ``order``, ``retracted``, ``reset`` and what the manual lists besides."""

    id: str  # ask on from here: `last_event_id`
    kind: str
    data: Any


@dataclass(slots=True)
class Lines:
    """What the lines of a stream say so far."""

    last_id: str | None = None
    retry_seconds: float = RETRY_SECONDS
    _kind: str = "message"
    _data: list[str] = field(default_factory=list)

    def read(self, line: str) -> Iterator[StreamEvent]:
        """Takes the next line; gives an event where it ends one."""
        if not line:
            if self._data:
                yield StreamEvent(id=self.last_id or "", kind=self._kind, data=json.loads("\n".join(self._data)))
            self._kind, self._data = "message", []
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "id":
                self.last_id = value
            case "event":
                self._kind = value
            case "data":
                self._data.append(value)
            case "retry" if value.isdigit():
                self.retry_seconds = int(value) / 1000
