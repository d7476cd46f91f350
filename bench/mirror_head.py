"""From block to published row, at the head of the chain: how long whoever waits for the outbox has to wait.

An Anvil mines a block with 200 opened orders every second. The clock starts when a WebSocket of the benchmark's own
hears of the block, and stops when a reader, on a connection of its own, has all of the block's entries out of the
outbox. After the mirrors that hear of blocks over a WebSocket comes, on the same chain, one that looks once a second.

`python -m bench.mirror_head` prints the table; `bench.mirror` takes the figures over.
"""

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bench.mill import Mill, grinding
from bench.postgres import own_server
from kameng_escrow.chain.nodes import RpcNode
from kameng_escrow.mirror import Mirror, Progress, Web3Source
from kameng_escrow.mirror.heads import HeadBell
from kameng_escrow.store import Store
from kameng_escrow.store.models import OutboxRow

BLOCKS = 60
EVENTS = 200  # in a block
WARM_UP = 5  # blocks that are not counted
_LONGEST = 60.0  # seconds to wait for the last block to be read


@dataclass(frozen=True, slots=True)
class Latency:
    """How long it took, in milliseconds."""

    name: str
    blocks: int
    p50_ms: float
    p99_ms: float
    max_ms: float


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


def measure(blocks: int = BLOCKS) -> list[Latency]:
    """Both databases over a WebSocket, and SQLite looking once a second, one after the other on one chain."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kameng-head-")))
        server = stack.enter_context(own_server(folder / "postgres"))
        mill = stack.enter_context(grinding())
        born = stack.enter_context(births(str(mill.node.url).replace("http://", "ws://")))
        return [
            _run("SQLite, WebSocket", mill, born, str(folder / "bell.sqlite"), blocks, by_bell=True),
            _run("PostgreSQL, WebSocket", mill, born, server.create_database(), blocks, by_bell=True),
            _run("SQLite, a look a second", mill, born, str(folder / "poll.sqlite"), blocks // 3, by_bell=False),
        ]


def _run(name: str, mill: Mill, born: dict[int, float], store_url: str, blocks: int, *, by_bell: bool) -> Latency:
    with following(mill, store_url, by_bell=by_bell) as reader:
        numbers = [_block(mill) for _ in range(WARM_UP + blocks)][WARM_UP:]
        ends = time.monotonic() + _LONGEST
        while numbers[-1] not in reader.at and time.monotonic() < ends:
            time.sleep(0.05)
    ordered = sorted(1000 * (reader.at[number] - born[number]) for number in numbers)
    last = len(ordered) - 1
    return Latency(name, len(ordered), ordered[last // 2], ordered[-(-99 * last // 100)], ordered[-1])


def _block(mill: Mill) -> int:
    """A block of orders, and the rest of its second."""
    ends = time.monotonic() + 1
    mill.open(EVENTS)
    number = int(mill.node.request("eth_blockNumber"), 16)
    time.sleep(max(0.0, ends - time.monotonic()))
    return number


@contextmanager
def births(url: str) -> Iterator[dict[int, float]]:
    """When each block was heard of first, by number."""
    born: dict[int, float] = {}
    line = connect(url)
    line.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}))
    line.recv()

    def hear() -> None:
        with suppress(ConnectionClosed):
            for message in line:
                now = time.monotonic()
                born.setdefault(int(json.loads(message)["params"]["result"]["number"], 16), now)

    thread = threading.Thread(target=hear, daemon=True)
    thread.start()
    try:
        yield born
    finally:
        line.close()
        thread.join()


@contextmanager
def following(mill: Mill, store_url: str, *, by_bell: bool) -> Iterator[Reader]:
    """A mirror that follows the mill's chain, and a reader of what it publishes."""
    record = mill.deployment
    stop = threading.Event()
    with ExitStack() as stack:
        store, outside = (stack.enter_context(Store.open(store_url)) for _ in range(2))
        store.migrate()
        node = stack.enter_context(RpcNode(str(mill.node.url)))
        reader = Reader(outside)
        mirror = Mirror(
            store,
            Web3Source(node.w3),
            chain_id=record.chain_id,
            address=record.address,
            first_block=record.block,
            genesis=record.genesis,
        )
        bell = stack.enter_context(HeadBell(str(mill.node.url).replace("http://", "ws://"))) if by_bell else None
        arguments = {"poll_seconds": 1.0, "progress": reader.look, "bell": bell}
        thread = threading.Thread(target=mirror.follow, args=(stop,), kwargs=arguments)
        thread.start()
        try:
            yield reader
        finally:
            stop.set()
            thread.join()


def table(found: list[Latency]) -> Table:
    """For people."""
    shown = Table(title=f"From block to published row: {EVENTS} events a block, a block a second")
    for heading in ("mirror", "blocks", "p50 ms", "p99 ms", "max ms"):
        shown.add_column(heading, justify="left" if heading == "mirror" else "right")
    for one in found:
        shown.add_row(one.name, str(one.blocks), f"{one.p50_ms:.0f}", f"{one.p99_ms:.0f}", f"{one.max_ms:.0f}")
    return shown


def head_p99_ms(found: list[Latency]) -> float:
    """The slower of the two databases."""
    return max(one.p99_ms for one in found if "WebSocket" in one.name)


if __name__ == "__main__":
    Console().print(table(measure()))
