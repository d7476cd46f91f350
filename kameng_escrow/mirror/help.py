"""A second process for a mirror that has much to catch up with: it reads logs while this one folds and writes.

One interpreter does one thing at a time, whatever the number of its threads. The helper (`chain.log_helper`) asks
nodes for logs and reads them into plain values; everything that takes judgement stays here. It knows nothing of the
store, so that it may die at any moment: what it did not answer is read in this process.
"""

import os
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from kameng_escrow.chain.log_helper import READY, receive, send
from kameng_escrow.chain.logs import BlockLogs, Reading

_SLACK = 30.0  # seconds to work through an answer, beyond the node's own time
_END = 5.0  # seconds for it to end in
# The pipe has ended, or what comes through it is no answer of ours: a value of `marshal`'s is damaged or another one.
_NO_MORE = (EOFError, OSError, ValueError, TypeError, LookupError, MemoryError, OverflowError)
# So that glibc gives back what an answer of megabytes took, and its threads don't each keep as much for the next.
_THRIFT = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": str(1 << 20)}


class Helper:
    """Starts when told to, and once only. Safe in several threads. A context manager: ends with it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._asked: dict[int, Future[Reading | None]] = {}
        self._numbers = count()
        self._turn = threading.Lock()
        self._over = False
        self.ready = threading.Event()  # to be asked: before and after it gives back whatever it is asked

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Starts the process, if it has not been; where there can be none, that is that. Does not wait for it."""
        if self._process is not None or self._over or not sys.executable or getattr(sys, "frozen", False):
            return
        path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "kameng_escrow.chain.log_helper"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **_THRIFT, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C is for us, and it ends when we do
            )
        except OSError:
            self._over = True
            return
        threading.Thread(target=self._listen, args=(self._process,), name="log-helper", daemon=True).start()

    def read(self, url: str, timeout_seconds: float, address: str, first: int, last: int) -> Reading | None:
        """The contract's logs in blocks first … last as a node has them; None where it can't say: ask the node then."""
        answer = Future[Reading | None]()
        with self._turn:
            process = self._process
            if process is None or process.stdin is None or not self.ready.is_set():
                return None
            number = next(self._numbers)
            self._asked[number] = answer
            try:
                send(process.stdin, (number, url, timeout_seconds, address, first, last))
            except OSError:
                return None
        try:
            return answer.result(timeout_seconds + _SLACK)
        except TimeoutError:
            self.close()
            return None

    def close(self) -> None:
        """Ends the process. May be called twice, and without it ever having been started."""
        with self._turn:
            self._over = True
            self.ready.clear()
            process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Hands out answers until there are no more."""
        assert process.stdout is not None  # it was asked for
        try:
            with process.stdout as answers, suppress(*_NO_MORE):
                if receive(answers) == READY and not self._over:
                    self.ready.set()
                while True:
                    number, blocks, work = receive(answers)
                    read = None if blocks is None else Reading([BlockLogs(*block) for block in blocks], work)
                    with self._turn:
                        answer = self._asked.pop(number)
                    answer.set_result(read)
        finally:  # or whoever asked waits for nothing until its time is out
            with self._turn:
                self._over = True
                self.ready.clear()
                left, self._asked = self._asked, {}
            for answer in left.values():
                answer.set_result(None)
