"""Reads of orders through a served API, over stores of ten thousand and of a million orders.

`kameng serve --only api` runs as one process with one database, SQLite's file or a PostgreSQL server. Some sixty
people have signed in there, buyers and sellers with sessions and platforms with keys, and a second process reads for
them at a fixed rate, whatever the answers take (`bench.api_load`): 60 in 100 read one order, 15 its history, 25 a page
of 20 from their lists, with filters and from further down. The platforms' orders are drawn from the whole store.

Measured beside it: the floor, which is the same framework and server with one fixed answer (`bench.api_floor`), and
what processor time a request takes in the server's process and in PostgreSQL's.

Every store is read once a round, the small and the large one of a database in turn next to each other; medians of the
rounds count, and of the growth the median of the rounds' own ratios: what disturbs a round disturbs both.

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
from bench.postgres import Server, own_server
from kameng_escrow.store import Store

RESULTS = Path(__file__).parent / "results" / "api.json"
FEW, MANY = 10_000, 1_000_000  # orders
RATE = 500  # requests a second
SECONDS, WARM = 10.0, 4.0
ROUNDS = 5
SIGNERS = Signers(sellers=15, buyers=45)  # of the small store's 20 and 2,000, of the large one's 2,000 and 200,000
WAVES, WAVE = 5, 100  # of the mill's orders
DATABASES = ("SQLite", "PostgreSQL")


@dataclass(frozen=True, slots=True)
class Filled:
    """A store to be read."""

    database: str
    orders: int
    url: str


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

    def read(self, store: Filled, rate: float, seconds: float) -> dict[str, Any]:
        """The load on a store's service."""
        record = self.mill.deployment
        with api_serve.served(store.url, str(self.mill.node.url), record, self.folder) as one:
            callers = api_serve.callers(one.url, SIGNERS)
            plan = Plan(one.url, store.orders, rate, seconds, WARM, callers)
            return self.measure(plan, one, self.server.cpu_seconds if store.database == "PostgreSQL" else None)

    def floor(self, rate: float, seconds: float) -> dict[str, Any]:
        """The load on the same framework's fixed answer."""
        port = api_serve.free_port()
        command = (sys.executable, "-m", "bench.api_floor", str(port))
        with api_serve.running(command, f"http://127.0.0.1:{port}", "/fixed") as one:
            return self.measure(Plan(one.url, 0, rate, seconds, WARM, (), fixed_path="/fixed"), one, None)

    def measure(self, plan: Plan, one: Served, database: Callable[[], float] | None) -> dict[str, Any]:
        """What the generator found, and the processor time that each answer took; the warm-up's are among them."""
        before, before_database = one.cpu_seconds(), database() if database else 0.0
        done = subprocess.run(
            [sys.executable, "-m", "bench.api_load"],
            input=api_load.as_json(plan),
            stdout=subprocess.PIPE,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        sent = int(plan.rate * plan.seconds) + int(plan.rate * plan.warm_seconds)
        found["cpu_ms"] = round(1e3 * (one.cpu_seconds() - before) / sent, 3)
        found["database_cpu_ms"] = round(1e3 * (database() - before_database) / sent, 3) if database else 0.0
        found["memory_mb"] = round(one.peak_mb())
        return found


def fill(bench: Bench, stores: Sequence[Filled], progress: Progress) -> None:
    """Fills the stores, each by a process of its own, two at a time."""
    tasks = {store: progress.add_task(_named("filling", store), total=store.orders) for store in stores}

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


def _named(what: str, store: Filled) -> str:
    return f"{what} {store.orders:,} orders, {store.database}"


def table(found: Mapping[str, Mapping[str, Any]], rate: float) -> Table:
    """For people."""
    shown = Table(title=f"{rate:g} reads a second, latency from the moment that each was due; the median round")
    shown.add_column("")
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
    shown.add_column("")
    for kind in kinds:
        shown.add_column(kind, justify="right")
    for name, one in found.items():
        if name != "floor":
            shown.add_row(name, *(f"{one['kinds'][kind]['p95_ms']:.1f}" for kind in kinds))
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
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
        load = round(os.getloadavg()[0], 2)
        progress.update(step, description="reading the floor")
        floor = bench.floor(chosen.rate, chosen.seconds / 2)
        rounds: dict[str, list[dict[str, Any]]] = {}
        stores.sort(key=lambda one: (one.database, one.orders), reverse=True)
        for number in range(chosen.rounds):
            for store in stores if number % 2 == 0 else reversed(stores):
                progress.update(step, description=f"round {number + 1}: {_named('reading', store)}")
                done = bench.read(store, chosen.rate, chosen.seconds)
                rounds.setdefault(f"{store.database}, {store.orders:,}", []).append(done)
    found = {"floor": floor} | {name: _middle(of_store) for name, of_store in rounds.items()}
    console.print(table(found, chosen.rate))
    console.print(kinds_table(found))
    results = _results(floor, rounds, chosen) | {"runs": found}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results | {"load_before": load}, indent=2) + "\n", encoding="utf-8")
    console.print(f"Written to {RESULTS}")


@contextmanager
def benching() -> Iterator[Bench]:
    """What it takes, gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="kameng-bench-") as folder,
        own_server(Path(folder) / "pg") as server,
        grinding() as mill,
    ):
        yield Bench(Path(folder), server, mill)


def _middle(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The round with the median p95 (of an even number the better one of two), and the latencies of all."""
    chosen = sorted(rounds, key=lambda one: one["p95_ms"])[(len(rounds) - 1) // 2]
    return chosen | {f"rounds_{key}": [one[key] for one in rounds] for key in ("p95_ms", "p99_ms")}


def _results(
    floor: Mapping[str, Any], rounds: Mapping[str, Sequence[Mapping[str, Any]]], chosen: argparse.Namespace
) -> dict[str, Any]:
    many = [rounds[f"{name}, {chosen.many:,}"] for name in chosen.databases]
    few = [rounds[f"{name}, {chosen.few:,}"] for name in chosen.databases]

    def medians(key: str) -> list[float]:
        return [round(median(float(one[key]) for one in of_store), 3) for of_store in many]

    def growth(large: Sequence[Mapping[str, Any]], small: Sequence[Mapping[str, Any]]) -> float:
        return median(float(a["p95_ms"] / b["p95_ms"]) for a, b in zip(large, small, strict=True))

    return {
        "rps": min(medians("rps")),
        "p99_ms": max(medians("p99_ms")),
        "p95_growth": round(max(map(growth, many, few)), 2),
        "cpu_ms": max(medians("cpu_ms")),
        "floor_cpu_ms": floor["cpu_ms"],
        "floor_p99_ms": floor["p99_ms"],
        "offered_rps": chosen.rate,
        "orders": chosen.many,
        "rounds": chosen.rounds,
        "seconds": chosen.seconds,
        "mix": api_load.MIX,
        "cpus": os.cpu_count(),
        "processor": psutil.cpu_freq().max if psutil.cpu_freq() else None,
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
