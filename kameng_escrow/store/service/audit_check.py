"""Whether the audit log is what was written: every link, every hash, and the head that somebody remembers."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from .audit import ERASED, FIRST, Head, details_fit, entry_hash, stored_rows
from .audit_rows import AuditRow


class FlawKind(StrEnum):
    """What can be wrong with an audit log."""

    Missing = "missing"  # positions are left out
    Altered = "altered"  # an entry is not what its hash says
    Unlinked = "unlinked"  # an entry does not name the one before
    DetailsAltered = "details_altered"  # the details are not those that were written
    ErasedSilently = "erased_silently"  # the details went, and no entry says so
    Truncated = "truncated"  # the log ends before the head that was published
    Rewritten = "rewritten"  # at the position of the head that was published is another entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something that is wrong, and at which position."""

    kind: FlawKind
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFindings:
    """What a check of the log found."""

    entries: int
    erased: int  # entries whose details were erased as they may be
    head: Head
    flaws: tuple[Flaw, ...]  # by position


def verify(
    session: Session, *, published: Head | None = None, progress: Callable[[int], None] | None = None
) -> AuditFindings:
    """Goes through the whole log.

    Args:
        published: a head that was published earlier: without one, an end that was cut off does not show.
        progress: is told now and then how many entries are done.
    """
    walk = _Walk(published)
    for done, row in enumerate(stored_rows(session), 1):
        walk.look(row)
        if progress is not None and done % 1_000 == 0:
            progress(done)
    return walk.findings()


class _Walk:
    def __init__(self, published: Head | None) -> None:
        self._published = published
        self._position = 0
        self._hash = FIRST
        self._entries = 0
        self._flaws: list[Flaw] = []
        self._erased: set[int] = set()
        self._allowed: set[int] = set()

    def look(self, row: AuditRow) -> None:
        self._entries += 1
        self._flaws += self._flaws_of(row)
        if row.details is None:
            self._erased.add(row.position)
        if row.action == ERASED and row.subject.isdigit():
            self._allowed.add(int(row.subject))
        self._position, self._hash = row.position, row.hash

    def _flaws_of(self, row: AuditRow) -> Iterator[Flaw]:
        if row.position != self._position + 1:
            yield Flaw(kind=FlawKind.Missing, position=self._position + 1)
        elif row.previous != self._hash:
            yield Flaw(kind=FlawKind.Unlinked, position=row.position)
        if row.hash != entry_hash(row):
            yield Flaw(kind=FlawKind.Altered, position=row.position)
        if row.details is not None and not (details_fit(row) and _is_json(row.details)):
            yield Flaw(kind=FlawKind.DetailsAltered, position=row.position)
        known = self._published
        if known is not None and row.position == known.position and row.hash != known.hash:
            yield Flaw(kind=FlawKind.Rewritten, position=row.position)

    def findings(self) -> AuditFindings:
        silent = [Flaw(kind=FlawKind.ErasedSilently, position=one) for one in self._erased - self._allowed]
        cut = self._published is not None and self._published.position > self._position
        end = [Flaw(kind=FlawKind.Truncated, position=self._position + 1)] if cut else []
        return AuditFindings(
            entries=self._entries,
            erased=len(self._erased & self._allowed),
            head=Head(position=self._position, hash=self._hash),
            flaws=tuple(sorted([*self._flaws, *silent, *end], key=lambda flaw: flaw.position)),
        )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
