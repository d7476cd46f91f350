"""A market of ten thousand orders, end to end: the real contract on an Anvil, with mirror and keeper; then the twin.

Run it with `make bench-simulate`: prints a table and writes `bench/results/simulate.json`.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from kameng_escrow.simulate.holding import USUAL_ORDERS, Held, Place, hold
from kameng_escrow.simulate.parameters import load_parameters
from kameng_escrow.simulate.result import MarketRun

RESULTS = Path(__file__).parent / "results" / "simulate.json"
SEED = 1
ORDERS = 10_200  # a hundredth is given up before it is paid: ten thousand are opened
SHOWN_SECONDS = 1.0  # between two looks of the bar


def held(progress: Progress, place: Place, orders: int) -> Held:
    """A market at a place, with a bar."""
    task = progress.add_task(f"{place}: {orders:,} orders", total=orders)
    shown = 0.0

    def tick(done: int, total: int, at: int) -> None:
        nonlocal shown
        del at
        if done == total or time.monotonic() - shown > SHOWN_SECONDS:
            shown = time.monotonic()
            progress.update(task, completed=done, total=total)

    return hold(load_parameters(), orders=orders, seed=SEED, place=place, progress=tick)


def endings(market: MarketRun) -> dict[int, tuple[object, ...]]:
    """How each order ended, by its number: the ids differ from chain to chain."""
    return {
        truth.number: (order.outcome, order.fault, order.shares)
        for order_id, truth in market.truths.items()
        for order in (market.orders[order_id],)
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--orders", type=int, default=ORDERS)
    arguments.add_argument("--in-process-orders", type=int, default=USUAL_ORDERS[Place.InProcess])
    given = arguments.parse_args()
    console = Console()
    sizes = {Place.Anvil: given.orders, Place.Twin: given.orders, Place.InProcess: given.in_process_orders}
    with Progress(console=console, transient=True) as progress:
        done = {place: held(progress, place, orders) for place, orders in sizes.items()}
    main_run = done[Place.Anvil]
    same = endings(main_run.market) == endings(done[Place.Twin].market)
    results = {
        "orders": main_run.figures.orders,
        "seconds": round(main_run.seconds, 1),
        "conserved": all(one.figures.conserved for one in done.values()),
        "mirror_equals_chain": all(done[place].figures.mirror_equals_chain for place in (Place.Anvil, Place.InProcess)),
        "twin_equals_chain": same,
        "transactions": len(main_run.market.closing.gas),
        "gas_per_order": main_run.figures.gas_per_order,
        "orders_per_s": {place.value: round(one.figures.orders / one.seconds, 1) for place, one in done.items()},
        "settled_by_keeper": main_run.figures.settled_by_keeper,
        "cpus": os.cpu_count(),
        "python": sys.version.split()[0],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    table = Table(title="A simulated market")
    for column in ("where", "orders", "seconds", "orders/s", "conserved", "mirror = chain"):
        table.add_column(column, justify="left" if column == "where" else "right")
    for place, one in done.items():
        table.add_row(
            place.value,
            f"{one.figures.orders:,}",
            f"{one.seconds:,.1f}",
            f"{one.figures.orders / one.seconds:,.1f}",
            str(one.figures.conserved),
            str(one.figures.mirror_equals_chain),
        )
    console.print(table)
    if not (results["conserved"] and results["mirror_equals_chain"] and same):
        sys.exit("the books do not close, or mirror, twin and chain differ")


if __name__ == "__main__":
    main()
