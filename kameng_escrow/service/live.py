"""What happens to orders, as it happens, to those whose orders they are: one reader a process, however many listen."""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Store
from kameng_escrow.store.bell import Bell
from kameng_escrow.store.feed import Happening, happenings, last_id
from kameng_escrow.store.service.talk import RoomNews, news_since

from .errors import TooMany

_WAITING: Final = 1_000  # happenings that a slow listener may be behind
_PER_ACCOUNT: Final = 20  # streams at a time
_ROOMS_BACK_MS: Final = 60_000  # that a process's clock, and a transaction, may be late
_AGAIN_SECONDS: Final = 1.0  # after the store could not be read
_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Listening:
    """One open stream. None in the queue: it fell behind, and has to ask again from where it was."""

    account: str
    order_id: str | None  # None: all of the account's
    loop: asyncio.AbstractEventLoop
    queue: "asyncio.Queue[Happening | RoomNews | None]"

    def wants(self, one: Happening | RoomNews) -> bool:
        if self.order_id is not None and isinstance(one, Happening):
            return one.order_id == self.order_id  # whose stream was opened by somebody who may: an operator too
        return self.account in one.accounts and self.order_id in (None, one.order_id)


class RoomWatch:
    """Which rooms have grown since the last look.

    Entries that several processes add at once may become readable in another order than that of their times, so that
    every look goes back a while and leaves out what it has told.
    """

    def __init__(self, store: Store, contract_id: int) -> None:
        self._store = store
        self._contract_id = contract_id
        self._since_ms = 0
        self._sizes: dict[str, int] = {}  # of rooms that grew lately

    def start(self) -> None:
        """Begins with what comes next."""
        with self._store.reading() as session:
            latest = news_since(session, self._contract_id, 0, limit=1)
            self._since_ms = latest[0].last_ms - _ROOMS_BACK_MS if latest else 0
            lately = news_since(session, self._contract_id, self._since_ms)
        self._sizes = {one.order_id: one.size for one in lately}

    def grown(self) -> list[RoomNews]:
        """The rooms that have, in the order of their last entries."""
        with self._store.reading() as session:
            lately = news_since(session, self._contract_id, self._since_ms)
        found = [one for one in reversed(lately) if self._sizes.get(one.order_id) != one.size]
        if lately:
            self._since_ms = max(self._since_ms, lately[0].last_ms - _ROOMS_BACK_MS)
            self._sizes = {one.order_id: one.size for one in lately if one.last_ms >= self._since_ms}
        return found


class Live:
    """Reads the outbox and passes on what it says. A context manager: reads from entry to exit."""

    def __init__(self, store: Store, contract_id: int, count: Callable[[int], None]) -> None:
        """`count` is told how many listen, each time that changes."""
        self._store = store
        self._contract_id = contract_id
        self._listening: set[Listening] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._counts: Counter[str] = Counter()
        self._rooms = RoomWatch(store, contract_id)
        self._count = count
        self.position = 0  # the last row that was passed on

    def start(self) -> None:
        """Begins with what comes next."""
        with self._store.reading() as session:
            self.position = last_id(session, self._contract_id)
        self._rooms.start()
        self._thread.start()

    def stop(self) -> None:
        """Ends every stream. May be called twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for one in self._copy():
            one.loop.call_soon_threadsafe(_put, one, None)

    @contextmanager
    def listen(self, account: str, order_id: str | None) -> Iterator[Listening]:
        """What happens from here on to the account's orders, or to one of them. Raises `TooMany`."""
        one = Listening(account, order_id, asyncio.get_running_loop(), asyncio.Queue(_WAITING))
        with self._lock:
            if self._counts[account] >= _PER_ACCOUNT:
                raise TooMany(30)
            self._counts[account] += 1
            self._listening.add(one)
            self._count(len(self._listening))
        try:
            yield one
        finally:
            with self._lock:
                self._listening.discard(one)
                self._count(len(self._listening))
                self._counts[account] -= 1
                if not self._counts[account]:
                    del self._counts[account]

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with Bell(self._store).listening() as listener:
                    self._pass_on()
                    while listener.wait(self._stop):
                        self._pass_on()
            except Exception as error:  # the database's own too, from the listening connection: it comes back
                code = error.code if isinstance(error, EscrowError) else type(error).__name__
                _log.warning("the stream waits for the store", extra={"code": code})
                self._stop.wait(_AGAIN_SECONDS)

    def _pass_on(self) -> None:
        while not self._stop.is_set():
            with self._store.reading() as session:
                found = happenings(session, self._contract_id, after=self.position)
            for happening in found:
                self._tell(happening)
                self.position = happening.id
            if not found:
                break
        for news in self._rooms.grown():
            self._tell(news)

    def _tell(self, news: Happening | RoomNews) -> None:
        for one in self._copy():
            if one.wants(news):
                one.loop.call_soon_threadsafe(_put, one, news)

    def _copy(self) -> list[Listening]:
        with self._lock:
            return list(self._listening)


def _put(one: Listening, happening: Happening | RoomNews | None) -> None:
    """In the stream's own loop. Who is too far behind is let go."""
    try:
        one.queue.put_nowait(happening)
    except asyncio.QueueFull:
        while not one.queue.empty():
            one.queue.get_nowait()
        one.queue.put_nowait(None)
