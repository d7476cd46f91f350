"""Python's garbage collector, out of the way."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Keeps the collector from running meanwhile, in all threads.

    It looks for cycles, of which thousands of events and rows have none: they go when nobody names them any more. To be
    looked at again and again while they are made would cost a third of all time. Whoever comes while somebody is in
    here already may have it running before he is done, which does no harm.
    """
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ran:
            gc.enable()
