"""How many threads a model's library takes. A row or two are scored faster by one, and a worker beside others wants no
more: threads that wait for each other on a busy machine take longer than one that works.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Final

from threadpoolctl import ThreadpoolController

FEW_ROWS: Final = 2_000  # up to which one thread predicts
_limit: ContextVar[int | None] = ContextVar("threads", default=None)


@cache
def _controller() -> Any:
    return ThreadpoolController()


@contextmanager
def at_most(threads: int | None) -> Iterator[None]:
    """Within it, libraries take at most so many threads; None: as many as before."""
    if threads is None:
        yield
        return
    token = _limit.set(threads)
    try:
        with _controller().limit(limits=threads):
            yield
    finally:
        _limit.reset(token)


def jobs() -> int:
    """How many threads a model with its own may take, as scikit-learn's `n_jobs` has it: -1 is one for each core."""
    return _limit.get() or -1
