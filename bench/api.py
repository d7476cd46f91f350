"""Reads of orders through a served API, over stores of ten thousand and of a million orders.

`kameng serve --only api` runs as one process with one database, SQLite's file or a PostgreSQL server. Some sixty
people have signed in there, buyers and sellers with sessions and platforms with keys, and a second process reads for
them at a fixed rate, whatever the answers take (`bench.api_load`): 60 in 100 read one order, 15 its history, 25 a page
of 20 from their lists, with filters and from further down. The platforms' orders are drawn from the whole store.

Measured beside it: the floor, which is the same framework and server with one fixed answer (`bench.api_floor`), and
what processor time a request takes in the server's process and in PostgreSQL's.

The small and the large store of a database are served at once and read in turn, second by second, so that a machine
which gives less processor for a while gives less to both; it rests before every round. What a round found is told by
the median round; p95 grows from the median of the small store's seconds to the median of the large one's.

The stores lie in memory where there is room: a server has most of what is read in its system's cache of files, but a
virtual machine may be made to give that back all the while, and then its disk would be measured.

`make bench-api` prints the table and writes `bench/results/api.json`: `rps` answered at that rate, `p99_ms` with a
million orders, `p95_growth` from ten thousand to a million; of the databases' figures the worse one each.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench import api_load, api_serve
from bench.api_load import Plan
from bench.api_serve import Served
from bench.api_store import Signers
from bench.keeper import mirrored
from bench.mill import Mill, grinding
from bench.places import MEMORY, place_for
from bench.postgres import Server, own_server
from kameng_escrow.store import Store

RESULTS = Path(__file__).parent / "results" / "api.json"
FEW, MANY = 10_000, 1_000_000  # orders
RATE = 500  # requests a second
TURNS, WARM = 20, 4.0  # seconds
ROUNDS, REST = 3, 45.0  # seconds
ROOM = 10 * 2**30  # bytes that the stores take, and what is made on the way
SIGNERS = Signers(sellers=15, buyers=45)  # of the small store's 20 and 2,000, of the large one's 2,000 and 200,000
WAVES, WAVE = 5, 100  # of the mill's orders
DATABASES = ("SQLite", "PostgreSQL")


@dataclass(frozen=True, slots=True)
class Filled:
    """A store to be read."""

    database: str
    orders: int
    url: str

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.database}, {self.orders:,}"


class Bench:
    """A folder, a PostgreSQL server and a chain."""

    def __init__(self, folder: Path, server: Server, mill: Mill) -> None:
        self.folder = folder
        self.server = server
        self.mill = mill

    def new_store(self, database: str, orders: int) -> Filled:
        """An empty store."""
        url = self.server.create_database() if database == "PostgreSQL" else str(self.folder / f"{orders}.sqlite")
        return Filled(database, orders, url)

    def template(self, store: Filled) -> None:
        """Mirrors the mill's orders, which are then multiplied."""
        with Store.open(store.url) as opened:
            opened.migrate()
            mirrored(opened, self.mill)

    def read(self, stores: Sequence[Filled], rate: float, turns: int) -> list[dict[str, Any]]:
        """The load on the stores' services, in turn."""
        with ExitStack() as stack:
            url, record = str(self.mill.node.url), self.mill.deployment
            folders = [self.folder / f"{store.database}-{store.orders}" for store in stores]
            running = [
                stack.enter_context(api_serve.served(store.url, url, record, folder))
                for store, folder in zip(stores, folders, strict=True)
            ]
            plans = [
                Plan(one.url, store.orders, rate, turns, WARM, api_serve.callers(one.url, SIGNERS))
                for store, one in zip(stores, running, strict=True)
            ]
            databases = [store.url if store.database == "PostgreSQL" else None for store in stores]
            return self._measure(plans, running, databases)

    def floor(self, rate: float, turns: int) -> dict[str, Any]:
        """The load on the same framework's fixed answer."""
        port = api_serve.free_port()
        command = (sys.executable, "-m", "bench.api_floor", str(port))
        with api_serve.running(command, f"http://127.0.0.1:{port}", "/fixed") as one:
            [found] = self._measure([Plan(one.url, 0, rate, turns, WARM, (), fixed_path="/fixed")], [one], [None])
            return found

    def _measure(
        self, plans: Sequence[Plan], running: Sequence[Served], databases: Sequence[str | None]
    ) -> list[dict[str, Any]]:
        """What the generator found, and the processor time that each answer took; the warm-up's are among them."""

        def spent() -> Iterator[tuple[float, float]]:
            for one, url in zip(running, databases, strict=True):
                yield one.cpu_seconds(), self.server.cpu_seconds(url) if url else 0.0

        before = list(spent())
        done = subprocess.run(
            [sys.executable, "-m", "bench.api_load"],
            input=api_load.as_json(plans),
            stdout=subprocess.PIPE,
            check=True,
        )
        after = list(spent())
        found: list[dict[str, Any]] = json.loads(done.stdout)
        for one, plan, process, (start, start_database), (end, end_database) in zip(
            found, plans, running, before, after, strict=True
        ):
            sent = int(plan.rate * (plan.turns + plan.warm_seconds))
            one["cpu_ms"] = round(1e3 * (end - start) / sent, 3)
            one["database_cpu_ms"] = round(1e3 * (end_database - start_database) / sent, 3)
            one["memory_mb"] = round(process.peak_mb())
        return found


def fill(bench: Bench, stores: Sequence[Filled], progress: Progress) -> None:
    """Fills the stores, each by a process of its own, two at a time."""
    tasks = {store: progress.add_task(f"filling {store.name} orders", total=store.orders) for store in stores}

    for store in stores:
        bench.template(store)

    def one(store: Filled) -> None:
        numbers = map(str, (store.orders, SIGNERS.sellers, SIGNERS.buyers))
        command = [sys.executable, "-m", "bench.api_store", store.url, *numbers]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                progress.update(tasks[store], completed=int(line))
        if process.returncode:
            raise RuntimeError(f"a store could not be filled: {store}")
        progress.remove_task(tasks[store])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, stores))


def table(found: Mapping[str, Mapping[str, Any]], rate: float) -> Table:
    """For people."""
    shown = Table(title=f"{rate:g} reads a second, latency from the moment that each was due; the median round")
    shown.add_column("", no_wrap=True)
    for heading in ("answered/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "CPU ms each", "database's"):
        shown.add_column(heading, justify="right")
    for name, one in found.items():
        figures = [f"{one[key]:.1f}" for key in ("rps", "p50_ms", "p95_ms", "p99_ms", "max_ms")]
        shown.add_row(name, *figures, f"{one['cpu_ms']:.2f}", f"{one['database_cpu_ms']:.2f}")
    return shown


def kinds_table(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """The same by kinds of requests."""
    shown = Table(title="By what is read: p95 in ms")
    kinds = tuple(api_load.MIX)
    shown.add_column("", no_wrap=True)
    for kind in kinds:
        shown.add_column(kind, justify="right")
    for name, one in found.items():
        if name != "floor":
            shown.add_row(name, *(f"{one['kinds'][kind]['p95_ms']:.1f}" for kind in kinds))
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second")
    parser.add_argument("--turns", type=int, default=TURNS, help="seconds that each store is read in a round")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--rest", type=float, default=REST, help="seconds before each round")
    parser.add_argument("--few", type=int, default=FEW)
    parser.add_argument("--many", type=int, default=MANY)
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    chosen = parser.parse_args()
    console = Console()
    with benching() as bench, Progress(console=console, transient=True) as progress:
        step = progress.add_task("", total=None)
        progress.update(step, description="making orders on a chain")
        for _ in range(WAVES):
            bench.mill.wave(WAVE)
        stores = [bench.new_store(name, orders) for orders in (chosen.many, chosen.few) for name in chosen.databases]
        progress.update(step, description="making stores")
        fill(bench, stores, progress)
        measured = {"in_memory": bench.folder.is_relative_to(MEMORY), "load_before": round(os.getloadavg()[0], 2)}
        progress.update(step, description="reading the floor")
        floor = bench.floor(chosen.rate, max(1, chosen.turns // 2))
        rounds: dict[str, list[dict[str, Any]]] = {store.name: [] for store in stores}
        for number in range(chosen.rounds):
            for database in chosen.databases if number % 2 == 0 else reversed(chosen.databases):
                progress.update(step, description=f"round {number + 1}: {database}")
                time.sleep(chosen.rest)
                pair = [store for store in stores if store.database == database]
                for store, one in zip(pair, bench.read(pair, chosen.rate, chosen.turns), strict=True):
                    rounds[store.name].append(one)
    found = {"floor": floor} | {name: _middle(of_store) for name, of_store in rounds.items()}
    console.print(table(found, chosen.rate))
    console.print(kinds_table(found))
    results = _results(floor, rounds, chosen) | measured | {"runs": found}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    console.print(f"Written to {RESULTS}")


@contextmanager
def benching() -> Iterator[Bench]:
    """What it takes, gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="kameng-bench-", dir=place_for(ROOM)) as folder,
        own_server(Path(folder) / "pg") as server,
        grinding() as mill,
    ):
        yield Bench(Path(folder), server, mill)


def _middle(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The round with the median p95 (of an even number the better one of two), and the latencies of all."""
    chosen = sorted(rounds, key=lambda one: one["p95_ms"])[(len(rounds) - 1) // 2]
    return chosen | {f"rounds_{key}": [one[key] for one in rounds] for key in ("p95_ms", "p99_ms", "turns_p95_ms")}


def _results(
    floor: Mapping[str, Any], rounds: Mapping[str, Sequence[Mapping[str, Any]]], chosen: argparse.Namespace
) -> dict[str, Any]:
    many = [rounds[f"{name}, {chosen.many:,}"] for name in chosen.databases]
    few = [rounds[f"{name}, {chosen.few:,}"] for name in chosen.databases]

    def medians(key: str) -> list[float]:
        return [round(median(float(one[key]) for one in of_store), 3) for of_store in many]

    def p95(of_store: Sequence[Mapping[str, Any]]) -> float:
        return median(float(turn) for one in of_store for turn in one["turns_p95_ms"])

    return {
        "rps": min(medians("rps")),
        "p99_ms": max(medians("p99_ms")),
        "p95_growth": round(max(p95(large) / p95(small) for large, small in zip(many, few, strict=True)), 2),
        "cpu_ms": max(medians("cpu_ms")),
        "floor_cpu_ms": floor["cpu_ms"],
        "floor_p99_ms": floor["p99_ms"],
        "offered_rps": chosen.rate,
        "orders": chosen.many,
        "rounds": chosen.rounds,
        "turns": chosen.turns,
        "mix": api_load.MIX,
        "cpus": os.cpu_count(),
        "processor": psutil.cpu_freq().max if psutil.cpu_freq() else None,
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
