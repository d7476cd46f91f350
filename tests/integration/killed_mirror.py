"""Mirrors in processes that kill themselves, without any warning, at a given point of their work.

Arguments: the node's URL, the store's path or URL, the deployment record's path, and the points, one process each:
``statement:N`` just before the Nth SQL statement, ``commit:N`` just before the Nth commit, ``committed:N`` just after
it, ``never``; ``each`` stands for ``statement:1``, ``statement:2`` and so on, until one lives. Each process goes on
with what the one before left. Prints what became of each: "killed", or how many statements and commits it took.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import event

from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.nodes import RpcNode
from kameng_escrow.mirror import Mirror, Web3Source
from kameng_escrow.store import Store

RANGE_BLOCKS = 4


class Fate:
    """Counts, and strikes."""

    def __init__(self, kind: str, number: int) -> None:
        self._kind, self._number = kind, number
        self.counts = {"statement": 0, "commit": 0, "committed": 0}

    def comes_to(self, kind: str) -> None:
        self.counts[kind] += 1
        if kind == self._kind and self.counts[kind] == self._number:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, store: Store) -> None:
        event.listen(store.engine, "before_cursor_execute", lambda *_: self.comes_to("statement"))
        commit: Callable[[Any], None] = store.engine.dialect.do_commit

        def do_commit(connection: Any) -> None:
            self.comes_to("commit")
            commit(connection)
            self.comes_to("committed")

        store.engine.dialect.do_commit = do_commit  # type: ignore[method-assign]


def mirror(url: str, path: str, record: Deployment, fate: Fate) -> None:
    with RpcNode(url) as node, Store.open(path) as store:
        fate.watch(store)
        Mirror(
            store,
            Web3Source(node.w3),
            chain_id=record.chain_id,
            address=record.address,
            first_block=record.block,
            genesis=record.genesis,
            final_depth=3,
            range_blocks=RANGE_BLOCKS,
            patience_seconds=0,
        ).run_once()


def live_and_die(url: str, path: str, record: Deployment, point: str) -> str:
    """Mirrors in a process of its own; says how it ended."""
    kind, _, number = point.partition(":")
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        fate = Fate(kind, int(number or 0))
        mirror(url, path, record, fate)
        os.write(writing, f"{fate.counts['statement']} {fate.counts['commit']}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return "killed"
    assert status == 0, f"the mirror at {point} failed"
    return said


def main() -> None:
    url, path, record, *points = sys.argv[1:]
    deployment = Deployment.from_json(Path(record).read_text("utf-8"))
    for point in points:
        endless = (f"statement:{number}" for number in count(1))
        for one in endless if point == "each" else [point]:
            end = live_and_die(url, path, deployment, one)
            print(end, flush=True)  # noqa: T201 - it is what the test reads
            if end != "killed":
                break


if __name__ == "__main__":
    main()
