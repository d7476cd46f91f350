"""How many threads a model's library takes. A row or two are scored faster by one, and a worker beside others wants no
more: threads that wait for each other on a busy machine take longer than one that works.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any, Final

from threadpoolctl import ThreadpoolController

FEW_ROWS: Final = 2_000  # up to which one thread predicts


@cache
def _controller() -> Any:
    return ThreadpoolController()


@contextmanager
def at_most(threads: int | None) -> Iterator[None]:
    """Within it, libraries take at most so many threads; None: as they like."""
    with nullcontext() if threads is None else _controller().limit(limits=threads):
        yield
