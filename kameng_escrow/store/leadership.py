"""One process at a time: who may write, and how a process that only believes it may is kept from it.

A place is a role in a scope ("mirror" of one contract, "keeper" of one account). Whoever takes it gets a *term*, with
a number that grows by one each time somebody takes the place. Two things hold it:

- A **lock** that dies with its process. PostgreSQL: an advisory lock of a session that does nothing else. SQLite: a
  lock of the operating system on a file beside the database, which nobody else than this machine's processes use.
- A **fence**: every writing transaction of `Store.under(term)` first reads the term's number from the `leaders` row and
  holds on to it. Where somebody else has the place by now it ends in `Deposed`, and whoever wants the place waits for
  transactions that are under way. So a leader that slept through its own removal writes nothing.

A PostgreSQL leader that is stopped but not dead (a suspended machine, a debugger) keeps its session. Candidates see
that the session says nothing, and after `stale_seconds` have the server end it. A stopped leader on SQLite keeps its
place until it dies or goes on: it may be in the middle of a transaction, which nobody can end for it.

Behind a connection pooler such as PgBouncer advisory locks need sessions of their own: use its session mode.
"""

import hashlib
import os
import re
import socket
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from .engine import POSTGRESQL, in_our_words
from .errors import Deposed, StoreBusy
from .models import LeaderRow
from .places import FilePlace, MemoryPlace, Place, ServerPlace
from .store import Store

_NAMES = re.compile(r"[a-z]{1,16}")
_LONGEST_SCOPE = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Somebody's time in a place. Only `Leadership` makes them."""

    role: str
    scope: str
    number: int  # grows by one each time somebody takes the place
    holder: str  # "host:pid"
    since: int  # Unix seconds of the holder's clock

    def check(self, session: Session) -> None:
        """Holds on to the term until the session's transaction ends. Raises `Deposed` where it is over."""
        found = session.scalar(
            select(LeaderRow.term).filter_by(role=self.role, scope=self.scope).with_for_update(read=True)
        )
        if found != self.number:
            raise Deposed(role=self.role, scope=self.scope, number=self.number, current=found or 0)


class Leadership:
    """A candidate for a place, and its leader once it got it. A context manager: gives the place back on exit.

    Use it from one thread, as its term's writing transactions; it keeps the lock's session alive from another.

    Args:
        store: of the newest schema (`Store.migrate`).
        role: of what, in lowercase letters: "mirror", "keeper".
        scope: of which, such as "31337:0x5FbD…".
        beat_seconds: how often the lock's session says that it lives (PostgreSQL).
        stale_seconds: after how long without a word a candidate ends the leader's session (PostgreSQL).
    """

    def __init__(
        self, store: Store, role: str, scope: str, *, beat_seconds: float = 1.0, stale_seconds: float = 15.0
    ) -> None:
        if not _NAMES.fullmatch(role) or not 0 < len(scope) <= _LONGEST_SCOPE:
            raise ValueError(f"no place: role {role!r} in scope {scope!r}")
        self._store = store
        self._role = role
        self._scope = scope
        self._beat_seconds = beat_seconds
        self._place = _place(store, role, scope, stale_seconds)
        self._term: Term | None = None
        self._beating: threading.Thread | None = None
        self._enough = threading.Event()

    @property
    def term(self) -> Term | None:
        """The term, while it is held as far as this process knows; None: ask `take` again."""
        if self._term is not None and not self._place.held:
            self._end()
        return self._term

    def take(self) -> Term | None:
        """Takes the place if nobody has it; None: somebody has. At once, either way.

        Raises:
            StoreError: the store can't be asked.
        """
        if (term := self.term) is not None:
            return term
        with in_our_words(self._store.url):
            if not self._place.take():
                return None
        try:
            self._term = self._begin_term()
        except StoreBusy:  # the one before is still in the middle of a transaction
            self._place.give_back()
            return None
        except BaseException:
            self._place.give_back()
            raise
        self._enough.clear()
        self._beating = threading.Thread(target=self._beat, name=f"{self._role}-leader", daemon=True)
        self._beating.start()
        return self._term

    def wait(self, stop: threading.Event, *, poll_seconds: float = 0.5) -> Term | None:
        """Takes the place as soon as it is free; None: `stop` was set before. Raises as `take`."""
        while (term := self.take()) is None:
            if stop.wait(poll_seconds):
                return None
        return term

    def leader(self) -> Term | None:
        """Who has the place, or had it last; None: nobody ever had. Asks the store. Raises `StoreError`."""
        with self._store.reading() as session:
            row = session.get(LeaderRow, (self._role, self._scope))
            return None if row is None else _term(row)

    def release(self) -> None:
        """Gives the place back. May be called twice, and without having it."""
        self._end()

    def _begin_term(self) -> Term:
        """Counts the place's terms one further: from here on the one before is over."""
        with self._store.writing() as session:
            if session.get_bind().dialect.name == POSTGRESQL:
                session.execute(text("SET LOCAL lock_timeout = '5s'"))
            row = session.get(LeaderRow, (self._role, self._scope), with_for_update=True)
            if row is None:
                row = LeaderRow(role=self._role, scope=self._scope, term=0)
                session.add(row)
            row.term += 1
            row.holder = f"{socket.gethostname()}:{os.getpid()}"
            row.since = int(time.time())
            session.flush()
            return _term(row)

    def _beat(self) -> None:
        while not self._enough.wait(self._beat_seconds) and self._place.beat():
            pass

    def _end(self) -> None:
        self._term = None
        self._enough.set()
        if self._beating is not None:
            self._beating.join()
            self._beating = None
        self._place.give_back()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _place(store: Store, role: str, scope: str, stale_seconds: float) -> Place:
    name = f"kameng/{role}/{scope}"
    if store.engine.dialect.name == POSTGRESQL:
        return ServerPlace(store.engine, name, stale_seconds)
    if (path := store.path) is not None:
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        return FilePlace(path.with_name(f"{path.name}.{role}-{digest}.lock"))
    return MemoryPlace(store.engine, name)


def _term(row: LeaderRow) -> Term:
    return Term(role=row.role, scope=row.scope, number=row.term, holder=row.holder, since=row.since)


def leaders(store: Store) -> list[Term]:
    """Who has each place of a store, or had it last, by role and scope. Raises `StoreError`."""
    with store.reading() as session:
        return [_term(row) for row in session.scalars(select(LeaderRow).order_by(LeaderRow.role, LeaderRow.scope))]
