"""`make chaos`: whatever can go wrong, on SQLite and on PostgreSQL, for as long as you like.

Prints what was done and what was found, and writes `bench/results/chaos.json`. Exits with 1 where anything is not as it
should be; the folder with the store and what the processes wrote then stays. The same seed draws the same schedule.
"""

import argparse
import json
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .run import Chaos, DidNotRecover, Outcome, results_of

RESULTS = Path(__file__).resolve().parents[2] / "bench" / "results" / "chaos.json"
STORES = ("sqlite", "postgresql")


def parse() -> argparse.Namespace:
    words = argparse.ArgumentParser(
        prog="make chaos", description="Whatever can go wrong, and what is true in the end."
    )
    words.add_argument("--minutes", type=float, default=2.0, help="how long things go wrong, all stores together")
    words.add_argument("--seed", type=int, help="of a run to be repeated; else a fresh one")
    words.add_argument("--store", choices=STORES, action="append", help="on this store only")
    words.add_argument("--results", type=Path, default=RESULTS, help="where to write the figures")
    return words.parse_args()


def show(console: Console, outcomes: dict[str, Outcome], seed: int) -> None:
    table = Table(title=f"chaos, seed {seed}")
    table.add_column("")
    for name in outcomes:
        table.add_column(name, justify="right")
    for label, of in (
        ("orders", lambda one: one.verdict.orders),
        ("events", lambda one: one.verdict.events),
        ("outbox entries, retractions", lambda one: f"{one.verdict.entries:,} {one.verdict.retractions:,}"),
        ("keeper's transactions", lambda one: one.verdict.transactions),
        ("faults", lambda one: one.faults.total()),
        ("kills", lambda one: one.killed.total()),
        ("reorgs, deepest", lambda one: f"{len(one.reorgs)} {max(one.reorgs, default=0)}"),
        ("seconds to recover", lambda one: round(one.recovery_seconds, 1)),
        *(
            (kind, lambda one, kind=kind: one.verdict.count(kind))
            for kind in next(iter(outcomes.values())).verdict.found
        ),
        ("unforeseen", lambda one: len(one.unforeseen)),
    ):
        table.add_row(label, *(str(of(one)) for one in outcomes.values()))
    console.print(table)
    for name, outcome in outcomes.items():
        console.print(f"{name}: ended by themselves {dict(outcome.ended)}, troubled by {dict(outcome.troubles)}")
        for kind, words in (*outcome.verdict.found.items(), ("unforeseen", outcome.unforeseen)):
            for one in words[:10]:
                console.print(f"[red]{name}, {kind}: {one}", highlight=False)


def main() -> None:
    words = parse()
    seed = secrets.randbelow(10**9) if words.seed is None else words.seed
    stores = tuple(words.store or STORES)
    console = Console()
    console.print(f"seed {seed}: the same schedule again with SEED={seed} MINUTES={words.minutes:g}")
    outcomes: dict[str, Outcome] = {}
    folder = Path(tempfile.mkdtemp(prefix="kameng-chaos-"))
    for name in stores:
        place = folder / name
        place.mkdir()
        chaos = Chaos(
            place,
            postgresql=name == "postgresql",
            seed=seed,
            seconds=words.minutes * 60 / len(stores),
            tell=lambda said, name=name: console.print(f"[dim]{name}: {said}"),
        )
        try:
            outcomes[name] = chaos.run()
        except DidNotRecover as error:
            sys.exit(f"{name}, seed {seed}: {error}. See {folder}")
    show(console, outcomes, seed)
    words.results.parent.mkdir(parents=True, exist_ok=True)
    words.results.write_text(json.dumps(results_of(outcomes, seed), indent=2) + "\n", encoding="utf-8")
    if not all(outcome.innocent for outcome in outcomes.values()):
        sys.exit(f"seed {seed}: see {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
