"""An event loop and a store: the one waits for many answers, the other talks to one thread."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_Result = TypeVar("_Result")


class StoreThread:
    """The one thread that talks to the store."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    async def does(self, work: Callable[[], _Result]) -> _Result:
        """Does it there, while the event loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


@contextmanager
def store_thread() -> Iterator[StoreThread]:
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="notifier-store") as pool:
        yield StoreThread(pool)


async def sleep(seconds: float, stop: threading.Event) -> None:
    """For a while, or until `stop` is set."""
    until = time.monotonic() + seconds
    while not stop.is_set() and (left := until - time.monotonic()) > 0:
        await asyncio.sleep(min(0.1, left))
