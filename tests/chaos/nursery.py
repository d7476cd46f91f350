"""Where processes come from: one that has loaded everything forks the command line's others, each in a moment.

Reads a JSON document a line: ``{"name", "arguments", "environment", "fate", "sky"}``; answers ``{"name", "pid"}``, and
``{"name", "pid", "status"}`` when one has ended. What a child runs is `kameng` itself. Two things are done to it first:

- It reads the machine's clock by way of `time.time` and `time.time_ns`, as all of this package does; these are set off
  by what the sky says. The monotonic clock, which no administrator can set, is left alone.
- It may kill itself at a given point (`killed_mirror.Fate`), and its SQLite file may not grow while the sky says so:
  the limit is SQLite's own (`max_page_count`), and so is the error.
"""

import json
import os
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import event

from kameng_escrow.cli.entry import run
from kameng_escrow.keeper.eye import Eye
from kameng_escrow.store import Store

from ..integration.killed_mirror import Fate
from .sky import Sky

LOADED = ("bootstrap", "cli.following", "keeper", "mirror.heads", "mirror.metrics", "mirror.reconcile", "telemetry")
_NO_LIMIT = 2**32 - 2


class _Named:
    """A stream whose lines begin with a name."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream, self._name, self._at_start = stream, name, True

    def write(self, text: str) -> int:
        for line in text.splitlines(keepends=True):
            if self._at_start:
                self._stream.write(f"{self._name}: ")
            self._stream.write(line)
            self._at_start = line.endswith("\n")
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def under(sky: Sky) -> None:
    """Makes this process read the clock as the sky has it."""
    seconds, nanoseconds = time.time, time.time_ns
    time.time = lambda: seconds() + sky.clock_off
    time.time_ns = lambda: nanoseconds() + int(sky.clock_off) * 1_000_000_000


def fated(fate: Fate, sky: Sky) -> None:
    """Makes this process end at the point, and its stores obey the sky."""
    fate.counts |= {"sending": 0, "sent": 0}
    send, opened = Eye.send, Store.open.__func__  # type: ignore[attr-defined]

    def watched_send(eye: Eye, raw: bytes) -> None:
        fate.comes_to("sending")
        send(eye, raw)
        fate.comes_to("sent")

    def watched_open(cls: type[Store], *arguments: Any, **options: Any) -> Store:
        store: Store = opened(cls, *arguments, **options)
        fate.watch(store)
        if store.path is not None:
            event.listen(store.engine, "begin", lambda connection: _limit_pages(connection, sky))
        return store

    Eye.send = watched_send  # type: ignore[method-assign]
    Store.open = classmethod(watched_open)  # type: ignore[assignment, method-assign]


def _limit_pages(connection: Any, sky: Sky) -> None:
    pages = connection.connection.execute("PRAGMA page_count").fetchone()[0] if sky.no_pages else _NO_LIMIT
    connection.connection.execute(f"PRAGMA max_page_count = {pages}")


def live(order: dict[str, Any]) -> int:
    """A child's life; its exit code."""
    os.environ.update(order["environment"])
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - until it ends
    sys.stdout = sys.stderr = _Named(sys.stderr, order["name"])  # type: ignore[assignment]
    sky = Sky.at(Path(order["sky"]))
    under(sky)
    kind, _, number = order["fate"].partition(":")
    fated(Fate(kind, int(number or 0)), sky)
    return run(order["arguments"])


def fork(order: dict[str, Any]) -> int:
    """A child; its process id."""
    if (child := os.fork()) != 0:
        return child
    code = 1
    try:
        code = live(order)
        sys.stderr.flush()
    finally:
        os._exit(code)


def main(say: Callable[[dict[str, Any]], None]) -> None:
    """Until nobody writes any more."""
    names: dict[int, str] = {}
    rest = b""
    while True:
        if select.select([0], [], [], 0.02)[0]:
            heard = os.read(0, 65_536)
            if not heard:
                return
            *lines, rest = (rest + heard).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = fork(order)
                names[pid] = order["name"]
                say({"name": order["name"], "pid": pid})
        while names:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            say({"name": names.pop(pid), "pid": pid, "status": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    from importlib import import_module

    for module in LOADED:
        import_module(f"kameng_escrow.{module}")
    main(lambda words: print(json.dumps(words), flush=True))  # noqa: T201 - it is what the other side reads
