"""Hearing that somebody wrote to the store, so that nobody has to look all the time.

PostgreSQL tells by NOTIFY when a transaction that rang commits, to every process that listens. SQLite counts the
commits of others (``PRAGMA data_version``), and looking at that number reads one page. Either way a ring may come
without news, and never says what the news is: look for it by a cursor of your own.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from .engine import POSTGRESQL
from .store import Store

CHANNEL: Final = "kameng_news"
_LOOK_SECONDS: Final = 0.1  # SQLite
_PATIENCE_SECONDS: Final = 2.0  # PostgreSQL: at most, until somebody looks without having heard anything


def ring(session: Session) -> None:
    """Wakes everybody who listens, once the session's transaction commits."""
    if session.get_bind().dialect.name == POSTGRESQL:
        session.execute(text(f"NOTIFY {CHANNEL}"))


class Bell:
    """Waits for rings. Use it from one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @contextmanager
    def listening(self) -> Iterator["Listener"]:
        """Hears every ring from here on."""
        with self._store.engine.connect() as connection:
            if connection.dialect.name == POSTGRESQL:
                driver: Any = connection.connection.driver_connection
                connection.commit()
                driver.autocommit = True
                driver.execute(f"LISTEN {CHANNEL}")
                try:
                    yield _Notified(driver)
                finally:
                    connection.invalidate()  # its session listens: it is no good to others
            else:
                yield _Counted(connection.connection.driver_connection)


class Listener:
    """Somebody who listens."""

    def wait(self, stop: threading.Event) -> bool:
        """Waits for a ring, for a while; False: `stop` was set."""
        raise NotImplementedError


class _Notified(Listener):
    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def wait(self, stop: threading.Event) -> bool:
        ends = time.monotonic() + _PATIENCE_SECONDS
        while not stop.is_set() and time.monotonic() < ends:
            if any(True for _ in self._driver.notifies(timeout=0.2, stop_after=1)):
                break
        return not stop.is_set()


class _Counted(Listener):
    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._version = self._look()

    def _look(self) -> int:
        return int(self._driver.execute("PRAGMA data_version").fetchone()[0])

    def wait(self, stop: threading.Event) -> bool:
        while not stop.wait(_LOOK_SECONDS):
            version = self._look()
            if version != self._version:
                self._version = version
                return True
        return False
