"""One mirror at the head of a chain, in a process of its own, as it is for whoever runs one: see `bench.mirror_head`.

Arguments: the node's URL, "bell" or "poll", the store's URL or path, the deployment as JSON. Says "ready" once it has
caught up, follows until its input ends, and prints one JSON document: when all of each block's entries were to be had
by a reader with a connection of its own, in monotonic seconds (which all processes of a machine share) by number.
"""

import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import func, select

from kameng_escrow.chain.nodes import RpcNode
from kameng_escrow.mirror import Mirror, Progress, Web3Source
from kameng_escrow.mirror.heads import HeadBell
from kameng_escrow.store import Store
from kameng_escrow.store.models import OutboxRow

EVENTS = 200  # in a block


@dataclass(slots=True)
class Reader:
    """Remembers when each block's entries were all to be had."""

    store: Store
    at: dict[int, float] = field(default_factory=dict)  # monotonic seconds by block number
    read: int = 0  # the last id

    def look(self, _: Progress) -> None:
        """Asks the outbox for every block since the last time."""
        counts = (
            select(OutboxRow.block_number, func.count(), func.max(OutboxRow.id))
            .where(OutboxRow.id > self.read)
            .group_by(OutboxRow.block_number)
        )
        with self.store.reading() as session:
            found = session.execute(counts).all()
        now = time.monotonic()
        self.at |= {number: now for number, count, _ in found if count == EVENTS}
        self.read = max((last for _, _, last in found), default=self.read)


def run(url: str, how: str, store_url: str, deployment: dict[str, Any]) -> dict[int, float]:
    """Follows until the input ends."""
    stop = threading.Event()
    with ExitStack() as stack:
        store, outside = (stack.enter_context(Store.open(store_url)) for _ in range(2))
        store.migrate()
        node = stack.enter_context(RpcNode(url))
        reader = Reader(outside)
        mirror = Mirror(store, Web3Source(node.w3), **deployment)
        mirror.run_once()
        bell = stack.enter_context(HeadBell(url.replace("http://", "ws://"))) if how == "bell" else None
        threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
        print("ready", flush=True)  # noqa: T201
        mirror.follow(stop, poll_seconds=1.0, progress=reader.look, bell=bell)
    return reader.at


if __name__ == "__main__":
    found = run(sys.argv[1], sys.argv[2], sys.argv[3], orjson.loads(sys.argv[4]))
    print(orjson.dumps(found, option=orjson.OPT_NON_STR_KEYS).decode())  # noqa: T201
