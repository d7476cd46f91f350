"""Workers beside the service in one process: each in a thread, all ended together."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_log = logging.getLogger(__name__)

Work = Callable[[threading.Event], object]  # goes on until the event is set


class Crew:
    """A context manager: workers run from `start` until it ends, and it waits for them.

    A worker whose work ends by itself, or fails, ends everybody: a service whose mirror has stopped tells yesterday's
    news, and whoever runs the process starts it again.
    """

    def __init__(self, stop: threading.Event, on_end: Callable[[], None]) -> None:
        """`on_end` is called, from a worker's thread, when one has ended without having been told to."""
        self.stop = stop
        self.failures: list[tuple[str, BaseException | None]] = []
        self._on_end = on_end
        self._threads: list[threading.Thread] = []

    def start(self, name: str, work: Work) -> None:
        """Has somebody begin."""
        thread = threading.Thread(target=self._run, args=(name, work), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, name: str, work: Work) -> None:
        failure: BaseException | None = None
        try:
            work(self.stop)
        except BaseException as error:
            failure = error
            _log.exception("%s failed", name)
        if not self.stop.is_set():
            self.failures.append((name, failure))
            self._on_end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()
