"""A keeper that is killed at any point, without warning, loses nothing and pays for nothing twice."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import State
from kameng_escrow.store import Store
from kameng_escrow.store.keeping import Payload

from .escrow_world import EscrowWorld
from .keepers import KEEPER, assert_journal_is_true, due_orders, intents, sent_by, states

SCRIPT = Path(__file__).with_name("killed_keeper.py")
SEED = 20_261_123
BATCH = 4  # orders in a transaction of the killed keepers


class Killer:
    """Runs keepers of an Anvil in processes of their own and kills them."""

    def __init__(self, world: EscrowWorld, store_url: str, folder: Path) -> None:
        self.world = world
        self.url = store_url
        self._record = folder / "deployment.json"
        self._record.write_text(world.deployment.to_json(), "utf-8")

    def run(self, *points: str) -> list[str]:
        """One process after the other on the same store; how each ended."""
        done = subprocess.run(self.command(*points), capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def command(self, *points: str) -> list[str]:
        record, account = str(self._record), str(KEEPER)
        return [sys.executable, str(SCRIPT), str(self.world.node.url), self.url, record, account, *points]

    def strike(self, transactions: int, *points: str) -> list[str]:
        """Something is due, keepers are killed at it, and one lives; checks that every order is settled once."""
        world = self.world
        with Store.open(self.url) as store:
            due = due_orders(world, store, BATCH * transactions)
            ends = self.run(*points, "never")
            self.check(store, due)
            assert len(sent_by(world)) == transactions
        return ends

    def check(self, store: Store, due: list[OrderTerms]) -> None:
        world = self.world
        assert states(world, due) == {State.Closed}
        assert_journal_is_true(world, store)
        journal = intents(world, store)
        carried = [order_id for intent in journal for order_id in intent.order_ids]
        closed = [order_id for intent in journal if intent.inclusion for order_id in intent.inclusion.closed]
        assert len(carried) == len(set(carried)), "an order was paid for twice"
        assert sorted(carried) == sorted(closed)
        assert {attempt.payload for intent in journal for attempt in intent.attempts} == {Payload.Batch}


@pytest.fixture
def killer(store_url: str, tmp_path: Path) -> Iterator[Killer]:
    with AnvilNode() as node:
        yield Killer(EscrowWorld(node), store_url, tmp_path)


def test_kills_around_everything_that_counts_lose_nothing(killer: Killer) -> None:
    """Before and after each commit, before and after each transaction is given to the node."""
    points = [f"{kind}:{number}" for kind in ("sending", "sent", "commit", "committed") for number in (1, 2, 3)]
    ends = killer.strike(25, *points)
    assert ends.count("killed") == len(points)


def test_kills_at_random_statements_lose_nothing(killer: Killer) -> None:
    dice = random.Random(SEED)
    points = [f"statement:{dice.randint(1, 80)}" for _ in range(14)]
    assert killer.strike(25, *points).count("killed") >= 10


def test_a_node_that_forgot_what_a_killed_keeper_sent_gets_the_same_bytes(killer: Killer) -> None:
    world = killer.world
    with Store.open(killer.url) as store:
        due = due_orders(world, store, 2 * BATCH)
        world.node.request("evm_setAutomine", False)
        assert killer.run("sent:2") == ["killed"]
        written = [attempt.hash for intent in intents(world, store) for attempt in intent.attempts]
        world.node.request("anvil_dropAllTransactions")
        world.node.request("evm_setAutomine", True)
        killer.run("never")
        killer.check(store, due)
        assert [one["hash"] for one in sent_by(world)] == written


def test_kills_from_outside_at_any_moment_lose_nothing(killer: Killer) -> None:
    """The processes' whole group is killed after a random while, while blocks come once a second."""
    dice = random.Random(SEED)
    world = killer.world
    with Store.open(killer.url) as store:
        due = due_orders(world, store, 40)
        world.node.request("evm_setAutomine", False)
        world.node.request("evm_setIntervalMining", 1)
        for _ in range(3):
            with subprocess.Popen(
                killer.command("never"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            ) as process:
                try:
                    process.wait(timeout=1.2 + dice.random() * 1.5)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
        killer.run("never")
        world.node.request("evm_setIntervalMining", 0)
        killer.check(store, due)
        assert len(sent_by(world)) == 10
