"""A keeper and ten thousand orders that come due in the same minute.

The orders are real ones of the real contract on an Anvil that mines a block of 30 million gas every second; every three
of them go back to another buyer, who has had no coin before. They are mirrored into SQLite first. The keeper runs with
its journal and all its checks; what is measured is from its first look until the last order is settled in a block.
Beside it, in the same run, on the same chain: a loop that settles one order in one transaction after the other.

Run it with `make bench-keeper`: prints a table and writes `bench/results/keeper.json`.
"""

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import State
from kameng_escrow.keeper import Keeper, KeeperReport, Rules
from kameng_escrow.mirror import Mirror, Web3Source
from kameng_escrow.store import Book, Store

from .mill import Mill, grinding

RESULTS = Path(__file__).parent / "results" / "keeper.json"
ORDERS = 10_000
SAMPLE = 30  # orders of the naive loop
BLOCK_GAS = 30_000_000
BASE_FEE = 10**9  # wei a unit of gas, when the measuring begins
HOUR = 3_600
KEEPER, NAIVE = 8, 9  # among the node's accounts
RULES = Rules(confirmations=2, budget=None, spread_seconds=0)


@dataclass(frozen=True, slots=True)
class Run:
    """One way of settling, measured."""

    orders: int
    transactions: int
    gas: int
    cost: int  # wei
    seconds: float

    @property
    def orders_per_s(self) -> float:
        return self.orders / self.seconds


def mirrored(store: Store, mill: Mill) -> Book:
    """The chain in the store."""
    record = mill.deployment
    Mirror(
        store,
        Web3Source(mill.node.w3),
        chain_id=record.chain_id,
        address=record.address,
        first_block=record.block,
        genesis=record.genesis,
    ).run_once()
    return Book(store, record.chain_id, record.address)


def slow_down(mill: Mill) -> None:
    """From a chain that takes whatever it gets to one like others: blocks of a size, at a pace, at a price."""
    ask = mill.node.request
    ask("evm_setBlockGasLimit", hex(BLOCK_GAS))
    ask("anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE))
    mill.node.warp(mill.node.now() + HOUR)
    ask("evm_setAutomine", False)
    ask("evm_setIntervalMining", 1)


def naive(mill: Mill, orders: list[OrderTerms]) -> Run:
    """One order, one transaction, wait, the next."""
    client = EscrowClient(node=mill.node, contract=mill.deployment, account=mill.node.accounts[NAIVE])
    began = time.monotonic()
    receipts = [client.settle(terms) for terms in orders]
    return _run(mill.node, len(orders), NAIVE, time.monotonic() - began, transactions=len(receipts))


def kept(mill: Mill, store: Store) -> tuple[Run, KeeperReport]:
    """The keeper."""
    began = time.monotonic()
    with Keeper(store, mill.node, mill.deployment, mill.node.accounts[KEEPER], RULES) as keeper:
        report = keeper.run_once(patience_seconds=60)
    return _run(mill.node, report.settled, KEEPER, time.monotonic() - began), report


def _run(node: Any, orders: int, account: int, seconds: float, transactions: int | None = None) -> Run:
    """What the account's transactions took, from their receipts."""
    address = node.accounts[account].address.lower()
    sent = gas = cost = 0
    for number in range(node.w3.eth.block_number + 1):
        block = node.request("eth_getBlockByNumber", hex(number), True)
        for one in block["transactions"]:
            if one["from"].lower() == address:
                receipt = node.request("eth_getTransactionReceipt", one["hash"])
                sent += 1
                gas += int(receipt["gasUsed"], 16)
                cost += int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    if transactions not in (None, sent):
        raise RuntimeError(f"{transactions} transactions were sent and {sent} are on the chain")
    return Run(orders, sent, gas, cost, seconds)


def count_missed(deployment: Deployment, mill: Mill, order_ids: list[str]) -> int:
    """How many of the orders the chain still has as open."""
    client = EscrowClient(node=mill.node, contract=deployment)
    parts = [order_ids[start : start + 500] for start in range(0, len(order_ids), 500)]
    return sum(status.state is not State.Closed for part in parts for status in client.statuses(part))


def report(console: Console, keeper: Run, loop: Run, missed: int) -> None:
    table = Table(title=f"{keeper.orders:,} orders due in the same minute")
    table.add_column("how", no_wrap=True)
    for column in ("orders", "sent", "missed", "seconds", "orders/s", "gas each"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, run, left in (("keeper", keeper, missed), ("one by one", loop, 0)):
        table.add_row(
            name,
            f"{run.orders:,}",
            f"{run.transactions:,}",
            f"{left:,}",
            f"{run.seconds:,.1f}",
            f"{run.orders_per_s:,.1f}",
            f"{run.gas // run.orders:,}",
        )
    console.print(table)


def main() -> None:
    console = Console()
    with grinding() as mill, tempfile.TemporaryDirectory() as folder, Progress(transient=True) as progress:
        steps = progress.add_task("opening orders", total=4)

        def step(what: str) -> None:
            progress.update(steps, description=what, advance=1)

        mill.open(ORDERS + SAMPLE)
        step("mirroring them")
        slow_down(mill)
        with Store.open(str(Path(folder) / "store.sqlite")) as store:
            book = mirrored(store, mill)
            due = book.due(mill.node.now())
            if len(due) != ORDERS + SAMPLE or due[-1].due_at - due[0].due_at >= 60:
                raise RuntimeError(f"{len(due)} orders are due within {due[-1].due_at - due[0].due_at} s")
            step("settling them one by one")
            loop = naive(mill, [one.terms for one in due[:SAMPLE]])
            mirrored(store, mill)
            step("keeping")
            keeper, done = kept(mill, store)
        missed = count_missed(mill.deployment, mill, [one.order_id for one in due])
    results = {
        "orders": keeper.orders,
        "transactions": keeper.transactions,
        "missed": missed,
        "orders_per_s": round(keeper.orders_per_s, 1),
        "seconds": round(keeper.seconds, 1),
        "gas_per_order": keeper.gas // keeper.orders,
        "raised": done.raised,
        "naive_orders": loop.orders,
        "naive_transactions": loop.transactions,
        "naive_orders_per_s": round(loop.orders_per_s, 2),
        "naive_gas_per_order": loop.gas // loop.orders,
        "block_seconds": 1,
        "cpus": os.cpu_count(),
        "python": sys.version.split()[0],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    report(console, keeper, loop, missed)
    if missed or keeper.orders != ORDERS:
        sys.exit(f"{missed} orders were missed")


if __name__ == "__main__":
    main()
