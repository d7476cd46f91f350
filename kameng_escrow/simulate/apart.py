"""Advice made in a process of its own: replaying takes a processor for a quarter of a minute, and one interpreter does
one thing at a time, whatever the number of its threads.

The process has the lowest priority, and ends as soon as whoever asked for it is told to stop. What goes through its
pipes is pickled by this package for itself.
"""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import Policy

from .advice import Advice, advise
from .errors import ReplayLost
from .parameters import Parameters

_LOOK = 0.2  # seconds between looks at whether it is to stop
_LOWEST = 19  # priority, as nice(1) has it


def advise_apart(
    stop: threading.Event, history: Sequence[Order], policy: Policy, priors: Parameters, **options: Any
) -> Advice | None:
    """As `advise`, in another process; None: `stop` was set before it was done.

    Raises:
        ReplayLost: the process ended without an answer.
    """
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,  # Ctrl-C is for us, and it ends when we do
    )
    answer = Future[bytes]()
    asked = pickle.dumps((tuple(history), policy, priors, options))
    threading.Thread(target=_ask, args=(process, asked, answer), name="advice", daemon=True).start()
    try:
        while not answer.done():
            if stop.wait(_LOOK):
                return None
        if not answer.result():
            raise ReplayLost(process.wait())
        found = pickle.loads(answer.result())
    finally:
        process.kill()
        process.wait()
    assert isinstance(found, Advice)
    return found


def _ask(process: "subprocess.Popen[bytes]", asked: bytes, answer: "Future[bytes]") -> None:
    found = b""
    with suppress(OSError, ValueError):  # it is gone: there is no answer
        found = process.communicate(asked)[0]
    answer.set_result(found if process.returncode == 0 else b"")


def main() -> None:
    """Answers what is asked on standard input."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(_LOWEST)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody else has a word in there
    history, policy, priors, options = pickle.loads(sys.stdin.buffer.read())
    with answers:
        answers.write(pickle.dumps(advise(history, policy, priors, **options)))


if __name__ == "__main__":
    main()
