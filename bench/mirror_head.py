"""From block to published row, at the head of the chain: how long whoever waits for the outbox has to wait.

An Anvil mines a block with 200 opened orders every second. The clock starts when a WebSocket of the benchmark's own
hears of the block, and stops when a reader, on a connection of its own, has all of the block's entries out of the
outbox (`bench.mirror_follow`, a process of its own). After the mirrors that hear of blocks over a WebSocket comes, on
the same chain, one that looks once a second.

`python -m bench.mirror_head` prints the table; `bench.mirror` takes the figures over.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bench.mill import Mill, grinding
from bench.mirror_follow import EVENTS
from bench.postgres import own_server

BLOCKS = 120
WARM_UP = 5  # blocks that are not counted
_GRACE = 5.0  # seconds for the last block to be read


@dataclass(frozen=True, slots=True)
class Latency:
    """How long it took, in milliseconds."""

    name: str
    blocks: int
    p50_ms: float
    p99_ms: float
    max_ms: float


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
    with following(mill, store_url, by_bell=by_bell) as read:
        numbers = [_block(mill) for _ in range(WARM_UP + blocks)][WARM_UP:]
        time.sleep(_GRACE)
    if missing := [number for number in numbers if number not in read]:
        raise RuntimeError(f"{name}: of {len(numbers)} blocks {len(missing)} were not read")
    ordered = sorted(1000 * (read[number] - born[number]) for number in numbers)
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
def following(mill: Mill, store_url: str, *, by_bell: bool) -> Iterator[dict[int, float]]:
    """A mirror that follows the mill's chain. Once it is over, there is when each block could be read, by number."""
    record = mill.deployment
    deployment = {
        "chain_id": record.chain_id,
        "address": record.address,
        "first_block": record.block,
        "genesis": record.genesis,
    }
    how = "bell" if by_bell else "poll"
    command = [sys.executable, "-m", "bench.mirror_follow", str(mill.node.url), how, store_url, json.dumps(deployment)]
    read: dict[int, float] = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the mirror did not start; it says why above")
        yield read
        answer, _ = process.communicate()
        read |= {int(number): at for number, at in json.loads(answer).items()}


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
