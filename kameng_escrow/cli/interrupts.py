"""Ctrl-C that is heard even where it falls into a callback of a library, whose exceptions Python can only drop."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_asked = threading.Event()


@contextmanager
def listening() -> Iterator[None]:
    """Notes an interrupt besides raising it. Outside of the main thread, where Python allows no handlers, nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _asked.clear()
    before = signal.signal(signal.SIGINT, _note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def heed() -> None:
    """For work that goes on in pieces, between two of them. Raises `KeyboardInterrupt` where one was lost."""
    if _asked.is_set():
        raise KeyboardInterrupt


def _note(_number: int, _frame: FrameType | None) -> None:
    _asked.set()
    raise KeyboardInterrupt
