"""A store: where it is, whether its schema fits, and transactions on it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar

from sqlalchemy import URL, Engine, StaticPool
from sqlalchemy.orm import Session

from . import schema
from .engine import (
    POSTGRESQL,
    WRITE,
    in_our_words,
    is_file,
    make_engine,
    make_folder,
    make_glancing_engine,
    make_reading_engine,
    parse_url,
    require_file,
    shown,
)
from .glances import Glances, Reader

T = TypeVar("T")
_MIGRATING = threading.Lock()


class Guard(Protocol):
    """What a writing transaction asks first: a leader's term (`leadership`)."""

    def check(self, session: Session) -> None:
        """Raises where the transaction must not be. What it reads stays so until the transaction ends."""
        ...


class Store:
    """An SQLite file or a PostgreSQL database that holds mirrored contracts. A context manager: closes on exit.

    May be used from several threads: every `reading` and `writing` has a connection of its own. (SQLite's memory is the
    exception: it has only one.)
    """

    def __init__(self, url: URL, engine: Engine, reading: Engine, glances: Glances, guard: Guard | None = None) -> None:
        """Use `Store.open`."""
        self._url = url
        self._glances = glances
        self._guard = guard
        self.engine = engine  # of `writing`, and of what needs a connection by itself
        self.reading_engine = reading  # of `reading`: on PostgreSQL the same
        read = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = reading.execution_options(**(read if engine.dialect.name == POSTGRESQL else {}))
        self._writer = engine.execution_options(**{WRITE: True})

    @classmethod
    def open(cls, url: str, *, busy_seconds: float = 30.0) -> Self:
        """A store at an SQLAlchemy URL, or in an SQLite file. Connects when it is first used, and makes a file that is
        not there when it is first written.

        Args:
            url: ``sqlite:///store.sqlite``, ``postgresql://…``, or a path.
            busy_seconds: how long to wait for another process's lock.

        Raises:
            StoreUnavailable: the URL is none, or its driver is missing.
        """
        parsed = parse_url(url)
        engine = make_engine(parsed, busy_seconds)
        reading = make_reading_engine(engine, busy_seconds)
        return cls(parsed, engine, reading, Glances(make_glancing_engine(engine, busy_seconds)))

    @property
    def where(self) -> str:
        """The store's place for people to read; without a password."""
        return shown(self._url)

    @property
    def url(self) -> URL:
        """The store's place for programs."""
        return self._url

    @property
    def path(self) -> Path | None:
        """The store's file; None where it is none."""
        return Path(self._url.database or "") if is_file(self._url) else None

    @property
    def concurrent(self) -> bool:
        """Whether several sessions may be open at once: SQLite's memory has one connection only."""
        return not isinstance(self.engine.pool, StaticPool)

    def under(self, guard: Guard) -> Self:
        """The same store, on the same connections, in which every writing transaction asks `guard` first."""
        return type(self)(self._url, self.engine, self.reading_engine, self._glances, guard)

    def migrate(self) -> None:
        """Brings the schema to this package's version, in one transaction; does nothing where it is.

        Raises:
            SchemaTooNew: a newer version of the package made it.
            StoreError: as `writing`.
        """
        # One thread at a time: what Alembic has a migration speak to is the process's, whichever store it is of.
        with _MIGRATING, self.writing() as session:
            schema.upgrade(session.connection(), self.where)

    def check_schema(self) -> None:
        """Raises `SchemaMissing`, `SchemaTooOld` or `SchemaTooNew` where the schema is not this package's."""
        with self.reading() as session:
            schema.check(session.connection(), self.where)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees the store at one moment.

        Raises:
            SchemaMissing: there is no such file.
            StoreUnavailable, StoreBusy, StoreDamaged: see `errors`.
        """
        require_file(self._url)
        with in_our_words(self._url), Session(self._reader) as session:
            yield session

    def glance(self, read: Callable[[Reader], T]) -> T:
        """What `read` finds, by prepared statements and without a session: see `glances`. It may be asked twice.

        Raises:
            SchemaMissing, StoreUnavailable, StoreBusy, StoreDamaged: as `reading`.
        """
        require_file(self._url)
        with in_our_words(self._url):
            return self._glances.read(read)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits at the end, or not at all.

        Raises:
            StoreUnavailable, StoreBusy, StoreDamaged, StoreFull: see `errors`.
            Deposed: the store is one `under` a term that is over.
        """
        make_folder(self._url)
        with in_our_words(self._url), Session(self._writer) as session, session.begin():
            session.connection()  # begins now, and in SQLite takes the lock
            if self._guard is not None:
                self._guard.check(session)
            yield session

    def close(self) -> None:
        """Lets go of all connections. May be called twice."""
        self._glances.close()
        self.reading_engine.dispose()
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
