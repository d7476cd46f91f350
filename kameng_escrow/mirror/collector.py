"""Python's garbage collector, out of the way."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Keeps the collector from running by itself meanwhile, in all threads.

    It looks for cycles, of which hundreds of thousands of events and rows have none: they go when nobody names them any
    more. To have it look at them again and again while they are made costs a third of all time. Whoever is in here for
    long calls `collect_cycles` now and then, for the few that others leave.
    """
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ran:
            gc.enable()


def collect_cycles() -> None:
    """Does what the collector would have done meanwhile."""
    if not gc.isenabled():
        gc.collect()
