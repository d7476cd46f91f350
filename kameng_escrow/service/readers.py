"""The threads in which orders are read.

They are few. Python runs one thread at a time, and of many that have something to do each is stopped over and over in
the middle of it: all answers come late, and at more cost, than one after the other. What comes meanwhile waits in line.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

T = TypeVar("T")

THREADS: Final = 4  # so that a few may wait for the database while one goes on


class Readers:
    """The threads of one application. They begin when they are first needed, also after a `stop`."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """What the function returns or raises, in one of the threads. From the event loop only."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="reader")
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    def stop(self) -> None:
        """Lets the threads end once they have done what they have begun."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False)
