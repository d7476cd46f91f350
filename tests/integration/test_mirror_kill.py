"""A mirror that is killed at any point, without warning, goes on as if nothing had been."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .mirrors import assert_mirrors, mirror_of, news, news_on_chain, rows

SCRIPT = Path(__file__).with_name("killed_mirror.py")
SEED = 20_260_722


class Killer:
    """Runs mirrors of an Anvil in processes of their own and kills them."""

    def __init__(self, world: EscrowWorld, folder: Path) -> None:
        self.world = world
        self._folder = folder
        self._record = folder / "deployment.json"
        self._record.write_text(world.deployment.to_json(), "utf-8")

    def run(self, store: str, *points: str) -> list[str]:
        """One process after the other on the same store; how each ended."""
        done = subprocess.run(self.command(store, *points), capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def command(self, store: str, *points: str) -> list[str]:
        """What runs the processes."""
        return [sys.executable, str(SCRIPT), str(self.world.node.url), store, str(self._record), *points]

    def counts(self, store: str) -> tuple[int, int]:
        """How many statements and commits a whole run takes from what is in the store; brings it up to date."""
        [said] = self.run(store, "never")
        statements, commits = map(int, said.split())
        return statements, commits


@pytest.fixture
def killer(tmp_path: Path) -> Iterator[Killer]:
    with AnvilNode() as node:
        world = EscrowWorld(node)
        world.confirmed()
        world.disputed()
        world.everything()
        yield Killer(world, tmp_path)


def points(dice: random.Random, statements: int, commits: int, *, each: int) -> list[str]:
    """Points all over a run, early ones more often, since a killed mirror begins again further on."""
    drawn = [f"statement:{1 + int(statements * dice.random() ** 2)}" for _ in range(each)]
    drawn += [f"commit:{dice.randint(1, max(1, commits // 3))}" for _ in range(each)]
    drawn += [f"committed:{dice.randint(1, max(1, commits // 3))}" for _ in range(each)]
    dice.shuffle(drawn)
    return drawn


def test_kills_at_random_points_leave_no_trace(killer: Killer, store_url: str, tmp_path: Path) -> None:
    dice = random.Random(SEED)
    whole = str(tmp_path / "whole.sqlite")
    statements, commits = killer.counts(whole)
    ends = killer.run(store_url, *points(dice, statements, commits, each=4), "never")
    assert ends.count("killed") >= 4
    with Store.open(store_url) as store, Store.open(whole) as other:
        assert rows(store, without=("outbox",)) == rows(other, without=("outbox",))
        assert news(store) == news(other)  # PostgreSQL gives no id twice, so that a kill leaves a gap in them
        assert len(rows(store)["outbox"]) == len(news(store))
        assert_mirrors(killer.world, store)


def test_kills_at_every_point_of_one_step_leave_no_trace(killer: Killer, store_url: str) -> None:
    """The last blocks, again and again, each time struck one statement later."""
    world = killer.world
    killer.counts(store_url)
    world.confirmed()
    with Store.open(store_url) as store:
        before = rows(store)
        *killed, last = killer.run(store_url, "each")
        assert len(killed) > 15
        assert set(killed) == {"killed"}
        assert last != "killed"
        assert before != rows(store)
        assert_mirrors(world, store)
        assert news(store) == news_on_chain(world)


def test_kills_while_a_reorg_is_undone_leave_no_trace(killer: Killer, store_url: str, tmp_path: Path) -> None:
    world = killer.world
    with Store.open(store_url) as store:
        mirror_of(world, store).run_once()
        world.node.request("anvil_reorg", 20, [])
        ends = killer.run(
            store_url, *(f"statement:{number}" for number in range(6, 60, 4)), "commit:2", "commit:1", "never"
        )
        assert ends.count("killed") > 6
        assert_mirrors(world, store)
        assert news(store) == news_on_chain(world)
        retracted = [row for row in rows(store)["outbox"] if row["retracts"] is not None]
        assert len({row["retracts"] for row in retracted}) == len(retracted)
    with Store.open(str(tmp_path / "fresh.sqlite")) as fresh, Store.open(store_url) as store:
        mirror_of(world, fresh).run_once()
        assert rows(store, without=("outbox",)) == rows(fresh, without=("outbox",))


def test_a_kill_from_outside_at_any_moment_leaves_no_trace(killer: Killer, store_url: str) -> None:
    """The processes' whole group is killed after a random while."""
    dice = random.Random(SEED)
    for _ in range(3):
        command = killer.command(store_url, "never")
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as process:
            try:
                process.wait(timeout=1.0 + dice.random() * 2)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
    killer.run(store_url, "never")
    with Store.open(store_url) as store:
        assert_mirrors(killer.world, store)
        assert news(store) == news_on_chain(killer.world)
