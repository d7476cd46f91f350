"""Keepers that know nothing of each other: different accounts, no common store, the same orders."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.nodes import RpcNode
from kameng_escrow.domain.states import State
from kameng_escrow.keeper import KeeperReport
from kameng_escrow.keeper.batches import patience_ms
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .keepers import due_orders, keeper_of, sent_by, states, until
from .mirrors import mirror_of

ACCOUNTS = (7, 8, 9)
ORDERS = 60
SPREAD = 15  # seconds
APART = 5_000  # milliseconds between two turns: enough for a busy machine to see what the first has done
RACING = {"spread_seconds": SPREAD, "stuck_seconds": 60}


@pytest.fixture
def world() -> Iterator[EscrowWorld]:
    with AnvilNode() as node:
        yield EscrowWorld(node)


def a_turn_of_one_after_the_other(world: EscrowWorld) -> int:
    """A coming time at which no two of the accounts would wait nearly equally long."""
    start = 300 * (world.now() // 300 + 1)
    for time in range(start, start + 300 * 1_000, 300):
        waits = sorted(patience_ms(world.node.accounts[one].address, time, SPREAD) for one in ACCOUNTS)
        if all(later - earlier > APART for earlier, later in pairwise(waits)):
            return time
    raise AssertionError("they always come at once")


def wasted(world: EscrowWorld) -> list[str]:
    """Transactions of any of the keepers that ended nothing."""
    return [one["hash"] for account in ACCOUNTS for one in sent_by(world, account) if not one["logs"]]


@pytest.mark.parametrize("block_seconds", [0, 1], ids=["a block for each transaction", "a block a second"])
def test_racing_keepers_waste_at_most_one_transaction(world: EscrowWorld, tmp_path: Path, block_seconds: int) -> None:
    with ExitStack() as stack:
        stores = [stack.enter_context(Store.open(str(tmp_path / f"{account}.sqlite"))) for account in ACCOUNTS]
        due = due_orders(world, stores[0], ORDERS)
        for store in stores[1:]:
            mirror_of(world, store).run_once()
        world.node.warp(a_turn_of_one_after_the_other(world))
        if block_seconds:
            world.node.request("evm_setAutomine", False)
            world.node.request("evm_setIntervalMining", block_seconds)
        together = threading.Barrier(len(ACCOUNTS))
        stop = threading.Event()
        reports: list[KeeperReport] = []
        failures: list[BaseException] = []

        def keep(store: Store, account: int) -> None:
            try:
                assert world.node.url is not None
                with (
                    RpcNode(world.node.url) as node,
                    keeper_of(
                        world, store, account=account, node=node, spread_seconds=SPREAD, stuck_seconds=60
                    ) as keeper,
                ):
                    together.wait()
                    reports.append(keeper.follow(stop, poll_seconds=0.1))
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=keep, args=pair) for pair in zip(stores, ACCOUNTS, strict=True)]
        for thread in threads:
            thread.start()
        try:
            until(lambda: states(world, due) == {State.Closed})
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
    assert failures == []
    assert len(wasted(world)) <= 1
    assert sum(report.settled for report in reports) <= ORDERS


def test_accounts_take_turns_at_being_first() -> None:
    accounts = [f"0x{number:040x}" for number in range(5)]
    firsts = set()
    for turn in range(40):
        waits = {account: patience_ms(account, 300 * turn, 10) for account in accounts}
        assert all(0 <= wait <= 10_000 for wait in waits.values())
        assert waits == {account: patience_ms(account, 300 * turn + 299, 10) for account in accounts}
        firsts.add(min(waits, key=lambda account: waits[account]))
    assert firsts == set(accounts)
    assert patience_ms(accounts[0], 10**9, 0) == 0
