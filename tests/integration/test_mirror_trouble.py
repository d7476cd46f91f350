"""Nodes that lie, stall or vanish, and disks that are full: a clear error each, and nothing half-written."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from kameng_escrow.chain.errors import NodeError, NodeTimeout, NodeUnreachable, UndecodableLog, WrongChain
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.chain.nodes import RpcNode
from kameng_escrow.domain.fold import BrokenHistory, WrongShares
from kameng_escrow.errors import EscrowError
from kameng_escrow.mirror import BrokenEvents, Header, NodeInconsistent, Web3Source
from kameng_escrow.mirror.errors import RangeTooLarge
from kameng_escrow.mirror.source import Tag
from kameng_escrow.store import Store, StoreFull

from .escrow_world import EscrowWorld
from .mirrors import assert_mirrors, book_of, mirror_of, rows

Log = Mapping[str, Any]


class Meddler(Web3Source):
    """A node between which and us somebody changes the logs, and which has no receipts to hold them against."""

    def __init__(self, world: EscrowWorld, meddle: Callable[[list[dict[str, Any]]], Sequence[Log]]) -> None:
        super().__init__(world.node.w3)
        self._meddle = meddle

    def logs(self, address: str, first: int, last: int) -> Sequence[Log]:
        return self._meddle([dict(log) for log in super().logs(address, first, last)])

    def receipt_logs(self, *_: str) -> None:
        return None


def changed(**changes: Any) -> Callable[[list[dict[str, Any]]], Sequence[Log]]:
    """Changes the last log of every answer."""
    return lambda logs: [*logs[:-1], {**logs[-1], **changes}] if logs else []


def without(name_of_topic: str) -> Callable[[list[dict[str, Any]]], Sequence[Log]]:
    """Drops every log with that first topic."""
    return lambda logs: [log for log in logs if log["topics"][0] != name_of_topic]


@pytest.mark.parametrize(
    ("meddle", "says"),
    [
        (changed(removed=True), "removed"),
        (changed(address="0x" + "12" * 20), "another contract"),
        (changed(blockNumber="0x7fffffff"), "outside of the range"),
        (changed(blockHash="0x" + "ab" * 32), "another block of that number"),
        (changed(logIndex=None), "without a place"),
        (lambda logs: logs + logs, "twice"),
    ],
    ids=["removed", "foreign", "out of range", "of another fork", "nowhere", "repeated"],
)
def test_logs_that_do_not_fit_the_chain_are_refused(
    world: EscrowWorld, store: Store, meddle: Callable[[list[dict[str, Any]]], Sequence[Log]], says: str
) -> None:
    world.opened()
    mirror = mirror_of(world, store)
    mirror.run_once()
    before = rows(store)
    world.confirmed()
    with pytest.raises(NodeInconsistent, match=says):
        mirror_of(world, store, source=Meddler(world, meddle)).run_once()
    assert rows(store) == before
    mirror.run_once()
    assert_mirrors(world, store)


def test_a_contradiction_that_passes_is_waited_out(world: EscrowWorld, store: Store) -> None:
    world.confirmed()
    answers = iter([changed(removed=True), changed(blockHash="0x" + "ab" * 32)])
    troubles: list[EscrowError] = []
    source = Meddler(world, lambda logs: next(answers, lambda same: same)(logs))
    mirror_of(world, store, source=source, patience_seconds=60.0).run_once(trouble=troubles.append)
    assert [type(error) for error in troubles] == [NodeInconsistent, NodeInconsistent]
    assert_mirrors(world, store)


def test_a_log_that_is_no_event_of_ours_is_refused(world: EscrowWorld, store: Store) -> None:
    world.opened()
    with pytest.raises(UndecodableLog, match="newer contract"):
        mirror_of(world, store, source=Meddler(world, changed(topics=["0x" + "99" * 32]))).run_once()
    assert rows(store)["events"] == []


def topic_of(world: EscrowWorld, index: int) -> str:
    """The first topic of the escrow's log at `index` of all."""
    logs = world.node.request("eth_getLogs", {"address": world.address, "fromBlock": "0x0", "toBlock": "latest"})
    return str(logs[index]["topics"][0])


def test_a_history_with_a_hole_is_refused(world: EscrowWorld, store: Store) -> None:
    """The node keeps back the acceptance, so that what follows can't be."""
    world.confirmed()
    hole = without(topic_of(world, -3))
    with pytest.raises(BrokenHistory, match="OrderDelivered"):
        mirror_of(world, store, source=Meddler(world, hole)).run_once()
    assert rows(store)["events"] == []
    mirror_of(world, store).run_once()
    assert_mirrors(world, store)


def test_amounts_that_the_rules_do_not_give_are_refused(world: EscrowWorld, store: Store) -> None:
    world.confirmed()

    def richer(logs: list[dict[str, Any]]) -> Sequence[Log]:
        data = logs[-1]["data"]
        to_seller = int(data[2 + 3 * 64 : 2 + 4 * 64], 16) + 1
        logs[-1]["data"] = data[: 2 + 3 * 64] + f"{to_seller:064x}" + data[2 + 4 * 64 :]
        return logs

    with pytest.raises(WrongShares):
        mirror_of(world, store, source=Meddler(world, richer)).run_once()
    assert rows(store)["events"] == []


def test_a_bond_that_was_never_funded_is_refused(world: EscrowWorld, store: Store) -> None:
    world.accepted()
    with pytest.raises(BrokenEvents, match="bond"):
        mirror_of(world, store, source=Meddler(world, without(topic_of(world, 1)))).run_once()
    assert rows(store)["events"] == []


def test_a_review_of_an_unknown_policy_is_refused(world: EscrowWorld, store: Store) -> None:
    world.send(world.platform, "retirePolicy", world.policy_id)
    with pytest.raises(BrokenEvents, match="never registered"):
        mirror_of(world, store, source=Meddler(world, without(topic_of(world, 0)))).run_once()
    assert rows(store)["events"] == []


# ------------------------------------------------------------------------------------------------- nodes with limits


class Limited(Web3Source):
    """A node that looks through a few blocks at once only."""

    def __init__(self, world: EscrowWorld, limit: int) -> None:
        super().__init__(world.node.w3)
        self._limit = limit
        self.asked: list[int] = []

    def logs(self, address: str, first: int, last: int) -> Sequence[Log]:
        self.asked.append(last - first + 1)
        if last - first >= self._limit:
            raise RangeTooLarge("query exceeds max block range", -32_005)
        return super().logs(address, first, last)


@pytest.mark.parametrize("limit", [1, 5, 30])
def test_ranges_shrink_to_what_the_node_takes(world: EscrowWorld, store: Store, limit: int) -> None:
    for _ in range(3):
        world.confirmed()
    world.node.mine(60)
    source = Limited(world, limit)
    mirror_of(world, store, source=source, range_blocks=64).run_once()
    assert_mirrors(world, store)
    assert max(source.asked) > limit
    followed = book_of(world, store).info().marks.seen - world.deployment.block + 1
    assert sum(blocks for blocks in source.asked if blocks <= limit) == followed


def test_a_node_that_takes_not_even_one_block_is_told_of(world: EscrowWorld, store: Store) -> None:
    with pytest.raises(RangeTooLarge):
        mirror_of(world, store, source=Limited(world, 0)).run_once()


# ----------------------------------------------------------------------------------------------------- nodes that go


class Dying(Web3Source):
    """A node that answers so many questions, and then is gone."""

    def __init__(self, world: EscrowWorld, answers: int, error: NodeError) -> None:
        super().__init__(world.node.w3)
        self.answers = answers
        self._error = error

    def header(self, block: int | Tag) -> Header | None:
        self._answer()
        return super().header(block)

    def logs(self, address: str, first: int, last: int) -> Sequence[Log]:
        self._answer()
        return super().logs(address, first, last)

    def _answer(self) -> None:
        if self.answers == 0:
            raise self._error
        self.answers -= 1


@pytest.mark.parametrize("answers", [3, 7, 8, 9, 10, 19])
@pytest.mark.parametrize("error", [NodeUnreachable("http://here"), NodeTimeout("http://here")], ids=["gone", "slow"])
def test_a_node_that_goes_half_way_leaves_whole_ranges(
    world: EscrowWorld, store: Store, tmp_path: Path, answers: int, error: NodeError
) -> None:
    world.confirmed()
    world.disputed()
    source = Dying(world, answers, error)
    with pytest.raises(type(error)):
        mirror_of(world, store, source=source, range_blocks=4).run_once()
    with Store.open(str(tmp_path / "whole.sqlite")) as whole:
        mirror_of(world, whole).run_once()
        if Path(store.where).exists():
            mirror_of(world, store).run_once()
            assert rows(store) == rows(whole)


def test_following_waits_for_a_node_that_went_away(world: EscrowWorld, store: Store) -> None:
    world.opened()
    source, stop = Dying(world, 1_000, NodeUnreachable("http://here")), threading.Event()
    troubles: list[EscrowError] = []

    def trouble(error: EscrowError) -> None:
        troubles.append(error)
        world.opened()
        source.answers = 1_000 if len(troubles) == 2 else 0

    def progress(_: object) -> None:
        if len(troubles) == 2 and len(book_of(world, store).orders().orders) == 3:
            stop.set()
        elif not troubles:
            source.answers = 0

    mirror_of(world, store, source=source).follow(stop, poll_seconds=0.01, progress=progress, trouble=trouble)
    assert [type(error) for error in troubles] == [NodeUnreachable, NodeUnreachable]
    assert_mirrors(world, store)


def test_following_notices_that_another_chain_came_back(world: EscrowWorld, store: Store) -> None:
    source = Dying(world, 1_000, NodeUnreachable("http://here"))
    other = InProcessNode(chain_id=77)

    def trouble(_: EscrowError) -> None:
        source.answers = 1_000
        source.chain_id = Web3Source(other.w3).chain_id  # type: ignore[method-assign]

    def progress(_: object) -> None:
        source.answers = 0

    mirror = mirror_of(world, store, source=source)
    with pytest.raises(WrongChain) as caught:
        mirror.follow(threading.Event(), poll_seconds=0.01, progress=progress, trouble=trouble)
    assert caught.value.got == 77


def test_following_does_not_wait_for_a_node_that_never_answered(tmp_path: Path, world: EscrowWorld) -> None:
    path = tmp_path / "none.sqlite"
    with (
        Store.open(str(path)) as store,
        RpcNode("http://127.0.0.1:9") as nobody,
        pytest.raises(NodeUnreachable, match=r"127\.0\.0\.1:9"),
    ):
        mirror_of(world, store, source=Web3Source(nobody.w3)).follow(threading.Event())
    assert not path.exists()


def test_over_http_everything_is_the_same(lived: tuple[EscrowWorld, Any], store: Store, tmp_path: Path) -> None:
    world, _ = lived
    mirror_of(world, store).run_once()
    with world.node.serve(port=0) as url, RpcNode(url) as node, Store.open(str(tmp_path / "http.sqlite")) as other:  # type: ignore[attr-defined]
        mirror_of(world, other, source=Web3Source(node.w3)).run_once()
        assert rows(other) == rows(store)


# ------------------------------------------------------------------------------------------------------ full disks


def limit_pages(store: Store, pages: int) -> None:
    """Makes the store's file no larger than so many pages, as a full disk would."""
    event.listen(store.engine, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count = {pages}"))
    store.engine.dispose()


@pytest.mark.parametrize("spare", [0, 2, 6])
def test_a_full_disk_is_named_and_leaves_whole_ranges(world: EscrowWorld, tmp_path: Path, spare: int) -> None:
    path = str(tmp_path / "store.sqlite")
    world.opened()
    with Store.open(path) as store:
        mirror_of(world, store).run_once()
        with store.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    for _ in range(15):
        world.confirmed()
    with Store.open(path) as full:
        limit_pages(full, pages + spare)
        with pytest.raises(StoreFull, match="no room left"):
            mirror_of(world, full, range_blocks=3).run_once()
        book = book_of(world, full)
        assert len(rows(full)["events"]) == len(news_up_to(world, book.info().marks.seen))
    with Store.open(path) as store:
        mirror_of(world, store).run_once()
        assert_mirrors(world, store)


def test_following_waits_for_room(world: EscrowWorld, sqlite_store: Store) -> None:
    """A disk that fills up while it follows is told of; once there is room it goes on, without anybody's help."""
    world.opened()
    stop, troubles = threading.Event(), []
    full = False

    def limit(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() if full else 2**32 - 2
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def progress(_: object) -> None:
        nonlocal full
        if troubles:
            stop.set()
            return
        for _ in range(15):
            world.confirmed()
        full = True

    def trouble(error: EscrowError) -> None:
        nonlocal full
        troubles.append(error.code)
        full = len(troubles) < 3

    event.listen(sqlite_store.engine, "begin", limit)
    mirror_of(world, sqlite_store).follow(stop, poll_seconds=0.01, progress=progress, trouble=trouble)
    assert troubles == ["store_full"] * 3
    mirror_of(world, sqlite_store).run_once()
    assert_mirrors(world, sqlite_store)


def news_up_to(world: EscrowWorld, block: int) -> list[Any]:
    """The escrow's logs up to a block."""
    wanted = {"address": world.address, "fromBlock": "0x0", "toBlock": hex(block)}
    return list(world.node.request("eth_getLogs", wanted))
