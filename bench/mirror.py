"""How fast a mirror catches up, what that costs as its store grows, and how late it is at the head.

- **Rates** are of an Anvil full of real transactions (`bench.mill`) on the same machine, with every guarantee on.
  Beside them in the same rounds: a bare loop that fetches, decodes and inserts into one table, with the same decoder,
  on the same database; and web3.py's own `get_logs` and `process_log`; on `--ponder` Ponder, once. The order within a
  round changes; medians are shown.
- **Growth and memory** are of a recording of such an Anvil that is played again and again (`bench.recording`), since
  nobody wants to mine ten million events first. The stores lie in memory where there is room: a virtual machine may be
  made to give back its cache of files all the while, and then what grows is what the disk is asked for.
- **At the head**: `bench.mirror_head`.

`make bench-mirror` prints the tables and writes `bench/results/mirror.json` and the plot in the manual. A benchmark on
a machine that is busy with something else says little: the load before each part is in the results.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench import mirror_head, mirror_peers, ponder_peer
from bench.growth import Curve, plot
from bench.mill import Mill, grinding
from bench.mirror_peers import Done
from bench.places import DISK, MEMORY, place_for
from bench.postgres import Server, own_server
from bench.recording import Recording, playing, record

RESULTS = Path(__file__).parent / "results" / "mirror.json"
PLOT = Path(__file__).resolve().parents[1] / "docs" / "images" / "mirror-growth.svg"
EVENTS = 200_000  # on the Anvil
ROUNDS = 3
SAMPLE = 5_000  # events for web3.py, which needs its time
RECORDED = 60_000  # events in a round of the recording
PARTS = ("rates", "growth", "head")
LONG = {"SQLite": 10_000_000, "PostgreSQL": 5_000_000}
ROOM = 16 * 2**30  # bytes that their stores take
PONDER = (2_100, 4_500)  # events a second, published for such a machine

Runner = Callable[[], Done]


@dataclass(slots=True)
class Rates:
    """What each contestant did, round by round, in events a second."""

    found: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, done: Done) -> None:
        self.found.setdefault(name, []).append(done.rate)

    def median(self, name: str) -> float:
        return median(self.found[name])

    def ratio(self, one: str, other: str) -> float:
        """The median of the rounds' own ratios: what disturbs a round disturbs both."""
        return median(a / b for a, b in zip(self.found[one], self.found[other], strict=True))


class Bench:
    """A folder, a PostgreSQL server, and fresh stores on both."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.server = server
        self._stores = 0

    @contextmanager
    def store(self, database: str) -> Iterator[str]:
        """An empty store's URL or path; gone afterwards."""
        if database == "PostgreSQL":
            url = self.server.create_database()
            yield url
            self.server.drop_database(url)
            return
        self._stores += 1
        path = self.folder / f"{self._stores}.sqlite"
        yield str(path)
        for file in self.folder.glob(f"{path.name}*"):
            file.unlink()

    def mirror(self, url: str, deployment: Mapping[str, Any], database: str) -> dict[str, Any]:
        """A mirror in a process of its own, from nothing to the head."""
        with self.store(database) as store_url:
            command = [sys.executable, "-m", "bench.mirror_run", url, store_url, json.dumps(deployment)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def race(bench: Bench, mill: Mill, rounds: int, step: Callable[[str], None]) -> Rates:
    """Every contestant once a round, forwards and backwards in turn."""
    record, url = mill.deployment, str(mill.node.url)
    blocks = range(record.block, int(mill.node.request("eth_blockNumber"), 16) + 1)
    deployment = _deployment(record.chain_id, record.address, record.block, record.genesis)

    def mirror(database: str) -> Done:
        found = bench.mirror(url, deployment, database)
        if found["events"] != mill.events:
            raise RuntimeError(f"the mirror has {found['events']} of {mill.events} events")
        return Done(found["events"], found["seconds"])

    def bare_sqlite() -> Done:
        with bench.store("SQLite") as path:
            return mirror_peers.bare_sqlite(url, record.address, blocks, Path(path))

    def bare_postgres() -> Done:
        with bench.store("PostgreSQL") as store_url:
            return mirror_peers.bare_postgres(url, record.address, blocks, store_url)

    runners: dict[str, Runner] = {
        "mirror, SQLite": lambda: mirror("SQLite"),
        "bare loop, SQLite": bare_sqlite,
        "mirror, PostgreSQL": lambda: mirror("PostgreSQL"),
        "bare loop, PostgreSQL": bare_postgres,
        "web3.py loop, nothing kept": lambda: mirror_peers.web3_loop(url, record.address, blocks, SAMPLE),
    }
    rates = Rates()
    for number in range(rounds):
        for name in list(runners) if number % 2 == 0 else reversed(list(runners)):
            step(f"round {number + 1}: {name}")
            rates.add(name, runners[name]())
    return rates


def grow(bench: Bench, recording: Recording, database: str, events: int) -> tuple[Curve, dict[str, Any]]:
    """A long run, and what an event cost on the way."""
    deployment = _deployment(recording.chain_id, recording.address, recording.first_block, recording.genesis)
    with playing(recording, events) as url:
        found = bench.mirror(url, deployment, database)
    return Curve.of(database, found["samples"]), found


def _deployment(chain_id: int, address: str, first_block: int, genesis: str) -> dict[str, Any]:
    return {"chain_id": chain_id, "address": address, "first_block": first_block, "genesis": genesis}


def rates_table(rates: Rates) -> Table:
    """For people."""
    table = Table(title="Catching up with a local Anvil, events a second (median of the rounds)")
    for heading in ("", "events/s", "rounds"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, found in rates.found.items():
        table.add_row(name, f"{median(found):,.0f}", " · ".join(f"{rate:,.0f}" for rate in found))
    table.add_row("Ponder, as published", " – ".join(f"{rate:,}" for rate in PONDER), "")
    return table


def growth_table(curves: Sequence[Curve], runs: Mapping[str, Mapping[str, Any]]) -> Table:
    """What an event cost while the store grew, and the most memory."""
    table = Table(title="A recorded chain played on: microseconds an event, as the store grows")
    marks = [10_000, 100_000, 1_000_000, 5_000_000, 10_000_000]
    table.add_column("", no_wrap=True)
    for mark in marks:
        table.add_column(f"at {mark:,}", justify="right")
    table.add_column("peak MB", justify="right")
    for curve in curves:
        costs = [curve.cost_at(mark) for mark in marks]
        shown = ["–" if cost is None else f"{cost:.0f}" for cost in costs]
        table.add_row(curve.name, *shown, f"{runs[curve.name]['peak_mb']:.0f}")
    return table


@contextmanager
def benching(place: Path) -> Iterator[Bench]:
    """A folder in `place` and a server with its data there, gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="kameng-bench-", dir=place) as folder,
        own_server(Path(folder) / "pg") as server,
    ):
        yield Bench(Path(folder), server)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=EVENTS, help="on the Anvil")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--share", type=float, default=1.0, help="of the events of the long runs")
    parser.add_argument("--ponder", action="store_true", help="install Ponder from npm and run it too, once")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="the others' figures stay as they are")
    chosen = parser.parse_args()
    console = Console()
    results: dict[str, Any] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    loads = results.setdefault("load_before", {})

    def begin(part: str) -> None:
        loads[part] = round(os.getloadavg()[0], 2)

    with Progress(transient=True) as progress:
        task = progress.add_task("", total=None)

        def step(what: str) -> None:
            progress.update(task, description=what)

        if "rates" in chosen.parts:
            with benching(DISK) as bench, grinding() as mill:
                step("mining")
                mill.fill(chosen.events)
                begin("rates")
                rates = race(bench, mill, chosen.rounds, step)
                if chosen.ponder:
                    step("Ponder")
                    ponder_peer.install()
                    rates.add("Ponder", ponder_peer.run(str(mill.node.url), mill.deployment, mill.events))
            console.print(rates_table(rates))
            results |= _rate_results(rates)
        if "growth" in chosen.parts:
            place = place_for(ROOM)
            with benching(place) as bench:
                step("recording")
                with grinding() as mill:
                    recording = record(mill, RECORDED)
                curves, runs = [], {}
                for database, events in LONG.items():
                    begin(f"growth, {database}")
                    step(f"{events * chosen.share:,.0f} events into {database}")
                    curve, runs[database] = grow(bench, recording, database, int(events * chosen.share))
                    curves.append(curve)
            console.print(growth_table(curves, runs))
            plot(curves, PLOT)
            results |= _growth_results(curves, runs) | {"growth_in_memory": place == MEMORY}
    if "head" in chosen.parts:
        begin("head")
        found = mirror_head.measure()
        console.print(mirror_head.table(found))
        results["head_p99_ms"] = round(mirror_head.head_p99_ms(found), 1)
    results |= {"cpus": os.cpu_count(), "python": platform.python_version()}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    console.print(f"Written to {RESULTS}")


def _rate_results(rates: Rates) -> dict[str, Any]:
    ratios = {
        "sqlite": rates.ratio("mirror, SQLite", "bare loop, SQLite"),
        "postgres": rates.ratio("mirror, PostgreSQL", "bare loop, PostgreSQL"),
    }
    return {
        "sqlite_events_per_s": round(rates.median("mirror, SQLite")),
        "postgres_events_per_s": round(rates.median("mirror, PostgreSQL")),
        "ratio_to_bare_loop": round(min(ratios.values()), 2),
        "ratio_to_bare_loop_sqlite": round(ratios["sqlite"], 2),
        "ratio_to_bare_loop_postgres": round(ratios["postgres"], 2),
        "ratio_to_web3py": round(min(rates.ratio(f"mirror, {one}", "web3.py loop, nothing kept") for one in LONG), 1),
        "ponder_published_events_per_s": list(PONDER),
        "rounds": {name: [round(rate) for rate in found] for name, found in rates.found.items()},
    }


def _growth_results(curves: Sequence[Curve], runs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "peak_mb": round(max(run["peak_mb"] for run in runs.values())),
        "long_runs": {
            curve.name: {
                "events": runs[curve.name]["events"],
                "events_per_s": round(runs[curve.name]["events"] / runs[curve.name]["seconds"]),
                "cpu_us_per_event": round(1e6 * runs[curve.name]["cpu"] / runs[curve.name]["events"], 1),
                "peak_mb": round(runs[curve.name]["peak_mb"]),
                "us_per_event": [[events, round(cost, 1), round(cpu, 1)] for events, cost, cpu in curve.points],
            }
            for curve in curves
        },
    }


if __name__ == "__main__":
    main()
