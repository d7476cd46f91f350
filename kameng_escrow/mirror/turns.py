"""Python's threads, in shorter turns."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TURN = 0.001  # seconds


@contextmanager
def taking_turns() -> Iterator[None]:
    """Meanwhile no thread keeps the interpreter for longer than a millisecond when another one wants it.

    Whoever writes needs it for microseconds, again and again between the database's answers, while another thread folds
    for a tenth of a second without a pause. By default it would get it every five milliseconds, and the database would
    wait in between.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _TURN))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
