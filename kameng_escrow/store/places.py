"""Locks that die with their process: what a leader's place is held by, on each kind of store."""

import hashlib
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar
from weakref import WeakKeyDictionary

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from .errors import StoreUnavailable

# The server notices within ten seconds that the machine at the other end is gone, and not after its default two hours.
_KEEPALIVE = (
    "SET tcp_keepalives_idle = 4",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 3",
    "SET tcp_user_timeout = 10000",
    "SET application_name = 'kameng leader'",
)
_HOLDER_SILENT = text(
    """
    SELECT activity.pid FROM pg_locks AS held JOIN pg_stat_activity AS activity USING (pid)
    WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND held.classid = CAST(:high AS oid) AND held.objid = CAST(:low AS oid)
      AND clock_timestamp() - activity.state_change > make_interval(secs => :seconds)
    """
)


class Place(ABC):
    """What one process at a time holds."""

    @property
    @abstractmethod
    def held(self) -> bool:
        """Whether it is ours, as far as we know."""

    @abstractmethod
    def take(self) -> bool:
        """Takes it, if it is free. Raises `DBAPIError` or `StoreUnavailable` where that can't be told."""

    @abstractmethod
    def give_back(self) -> None:
        """Lets go of it, if it is ours."""

    def beat(self) -> bool:
        """Says that we live, from a thread of its own; whether that needs to be said again."""
        return False


class ServerPlace(Place):
    """An advisory lock in a PostgreSQL database, on a session that does nothing else."""

    def __init__(self, engine: Engine, name: str, stale_seconds: float) -> None:
        self._engine = engine
        self._key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        self._stale_seconds = stale_seconds
        self._connection: Connection | None = None
        self._turn = threading.Lock()  # of who uses the connection

    @property
    def held(self) -> bool:
        return self._connection is not None

    def take(self) -> bool:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.detach()  # never to be handed to anybody else
            if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}):
                self._end_silent_holder(connection)
                connection.close()
                return False
            for statement in _KEEPALIVE:
                connection.exec_driver_sql(statement)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return True

    def _end_silent_holder(self, connection: Connection) -> None:
        unsigned = self._key % 2**64
        key = {"high": unsigned >> 32, "low": unsigned % 2**32, "seconds": self._stale_seconds}
        for pid in connection.scalars(_HOLDER_SILENT, key).all():
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    def give_back(self) -> None:
        with self._turn:
            connection, self._connection = self._connection, None
        if connection is None:
            return
        try:  # the server would do it by itself, a moment later
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
        except DBAPIError:
            pass  # with the session its lock is gone
        finally:
            connection.close()

    def beat(self) -> bool:
        with self._turn:
            if self._connection is None:
                return False
            try:
                self._connection.exec_driver_sql("SELECT 1")
            except DBAPIError:  # the session is gone, and the lock with it
                self._connection.close()
                self._connection = None
        return self._connection is not None


class FilePlace(Place):
    """A lock on a file, which the operating system takes back when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path, timeout=0, thread_local=False)

    @property
    def held(self) -> bool:
        return self._lock.is_locked

    def take(self) -> bool:
        try:
            self._lock.acquire()
        except Timeout:
            return False
        except OSError as error:
            raise StoreUnavailable(
                f"The file {self._path}, by which processes take turns, can't be locked: {error.strerror or error}. "
                "Check the folder's rights and disk."
            ) from error
        return True

    def give_back(self) -> None:
        self._lock.release(force=True)


class MemoryPlace(Place):
    """A name in this process, for stores that nobody outside of it can see."""

    _taken: ClassVar[WeakKeyDictionary[Engine, set[str]]] = WeakKeyDictionary()
    _turn: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self._held = False

    @property
    def held(self) -> bool:
        return self._held

    def take(self) -> bool:
        with self._turn:
            taken = self._taken.setdefault(self._engine, set())
            if self._name in taken:
                return False
            taken.add(self._name)
            self._held = True
            return True

    def give_back(self) -> None:
        with self._turn:
            if self._held:
                self._taken[self._engine].discard(self._name)
                self._held = False
