"""The chain changes its mind: what it took back is gone from the store, and everything else is as it was."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import State
from kameng_escrow.mirror import Header, NodeBehind, NodeInconsistent, ReorgTooDeep, Web3Source
from kameng_escrow.mirror.source import Tag
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .mirrors import all_news, assert_mirrors, book_of, mirror_of, mirrored_orders, news, news_on_chain, rows


def fresh_rows(world: EscrowWorld, tmp_path: Path) -> dict[str, list[dict[str, object]]]:
    """What a mirror that never saw the old chain has; the outbox apart, which remembers."""
    with Store.open(str(tmp_path / "fresh.sqlite")) as fresh:
        mirror_of(world, fresh).run_once()
        return rows(fresh, without=("outbox",))


def reorg(world: EscrowWorld, blocks: int) -> None:
    """Replaces the last blocks by empty ones. (Anvil only.)"""
    world.node.request("anvil_reorg", blocks, [])


@pytest.mark.parametrize("depth", [1, 2, 3, 8, 13])
def test_replaced_blocks_are_undone_whatever_the_depth(
    anvil_world: EscrowWorld, store: Store, tmp_path: Path, depth: int
) -> None:
    world = anvil_world
    world.confirmed()  # 4 blocks
    world.disputed(token=world.token)  # 4 blocks
    world.opened()
    world.node.mine(4)
    mirror = mirror_of(world, store)
    mirror.run_once()
    seen = book_of(world, store).info().marks.seen
    reorg(world, depth)
    report = mirror.run_once()
    [undone] = report.reorgs
    assert (undone.fork, undone.depth) == (seen - depth, depth)
    assert report.caught_up
    assert_mirrors(world, store)
    assert rows(store, without=("outbox",)) == fresh_rows(world, tmp_path)
    assert news(store) == news_on_chain(world)


def test_an_order_that_vanishes_is_gone_and_retracted(anvil_world: EscrowWorld, store: Store) -> None:
    world = anvil_world
    kept = world.opened()
    gone = world.accepted()
    mirror = mirror_of(world, store)
    mirror.run_once()
    reorg(world, 2)
    [undone] = mirror.run_once().reorgs
    assert (undone.events, undone.orders) == (2, 1)
    assert list(mirrored_orders(book_of(world, store))) == [world.id_of(kept)]
    outbox = rows(store)["outbox"]
    assert [(row["name"], row["retracts"], row["retracted_by"]) for row in outbox] == [
        ("OrderOpened", None, None),
        ("OrderOpened", None, 5),
        ("OrderAccepted", None, 4),
        ("OrderAccepted", 3, None),
        ("OrderOpened", 2, None),
    ]
    assert [row["order_id"] for row in outbox[1:]] == [world.id_of(gone)] * 4
    assert [item.order for item in all_news(store)[3:]] == [None, None]


def test_an_order_that_moved_back_says_so(anvil_world: EscrowWorld, store: Store) -> None:
    world = anvil_world
    terms = world.opened()
    mirror = mirror_of(world, store)
    mirror.run_once()
    before = mirrored_orders(book_of(world, store))
    world.send(world.buyer, "cancel", terms, State.Opened)
    mirror.run_once()
    reorg(world, 1)
    mirror.run_once()
    assert mirrored_orders(book_of(world, store)) == before
    retraction = all_news(store)[-1]
    assert retraction.payload()["order"]["state"] == "Opened"
    assert (retraction.name, retraction.payload()["retracts"]) == ("OrderClosed", 2)


def test_deadlines_follow_the_new_blocks_times(world: EscrowWorld, store: Store, tmp_path: Path) -> None:
    """The same transactions, mined later: every clock runs out later."""
    terms = world.opened()
    mirror = mirror_of(world, store)
    snapshot = world.node.snapshot()
    world.send(world.seller, "accept", terms)
    mirror.run_once()
    first = book_of(world, store).order(world.id_of(terms)).order.deadline
    world.node.revert(snapshot)
    world.wait(100)
    world.send(world.seller, "accept", terms)
    mirror.run_once()
    second = book_of(world, store).order(world.id_of(terms)).order.deadline
    assert first is not None
    assert second is not None
    assert second > first + 90
    assert rows(store, without=("outbox",)) == fresh_rows(world, tmp_path)


def test_policies_grants_and_balances_go_back_too(world: EscrowWorld, store: Store, tmp_path: Path) -> None:
    mirror = mirror_of(world, store)
    world.confirmed()
    mirror.run_once()
    before = rows(store, without=("outbox",))
    snapshot = world.node.snapshot()
    world.everything()
    world.send(world.platform, "retirePolicy", world.policy_id)
    world.send(world.seller, "registerPayTo", world.operator.address)
    mirror.run_once()
    assert_mirrors(world, store)
    world.node.revert(snapshot)
    [undone] = mirror.run_once().reorgs
    assert undone.events > 70
    assert rows(store, without=("outbox",)) == before
    assert news(store) == news_on_chain(world)
    assert_mirrors(world, store)


def test_a_change_of_blocks_without_events_is_seen(anvil_world: EscrowWorld, store: Store, tmp_path: Path) -> None:
    """Same height, same events, other hashes: the next reorg must be told by the right ones."""
    world = anvil_world
    world.opened()
    world.node.mine(5)
    mirror = mirror_of(world, store)
    mirror.run_once()
    reorg(world, 3)
    [undone] = mirror.run_once().reorgs
    assert (undone.depth, undone.events, undone.orders) == (3, 0, 0)
    assert rows(store) == {**fresh_rows(world, tmp_path), "outbox": rows(store)["outbox"]}


def test_a_shorter_chain_is_followed_down(world: EscrowWorld, store: Store) -> None:
    mirror = mirror_of(world, store)
    kept = world.opened()
    snapshot = world.node.snapshot()
    world.opened()
    world.node.mine(10)
    mirror.run_once()
    world.node.revert(snapshot)
    report = mirror.run_once()
    assert report.reorgs[0].depth == 11
    assert report.caught_up
    assert list(mirrored_orders(book_of(world, store))) == [world.id_of(kept)]
    assert_mirrors(world, store)


def test_a_shorter_chain_with_other_blocks_is_followed(anvil_world: EscrowWorld, store: Store) -> None:
    """The head went back, and what is there is new: both at once."""
    world = anvil_world
    snapshot = world.node.snapshot()
    world.opened()
    world.node.mine(6)
    mirror = mirror_of(world, store)
    mirror.run_once()
    world.node.revert(snapshot)
    world.wait(1_000)
    terms = world.opened()
    [undone] = mirror.run_once().reorgs
    assert undone.depth == 7
    assert list(mirrored_orders(book_of(world, store))) == [world.id_of(terms)]
    assert_mirrors(world, store)


def test_everything_may_go_but_the_contract(world: EscrowWorld, store: Store, tmp_path: Path) -> None:
    """Down to the block of the deployment, which is as low as a chain with the contract can part."""
    mirror = mirror_of(world, store)
    world.opened()
    mirror.run_once()
    marks = book_of(world, store).info().marks
    source = ShortChain(world, head=world.deployment.block)
    [undone] = mirror_of(world, store, source=source).run_once().reorgs
    assert undone.fork == world.deployment.block
    assert undone.depth == marks.seen - world.deployment.block
    found = rows(store, without=("outbox",))
    assert [found[name] for name in ("events", "orders", "policies", "balances")] == [[], [], [], []]
    mirror.run_once()
    assert rows(store, without=("outbox",)) == fresh_rows(world, tmp_path)


def test_a_chain_that_changes_again_and_again_is_followed(
    anvil_world: EscrowWorld, store: Store, tmp_path: Path
) -> None:
    world, mirror = anvil_world, mirror_of(anvil_world, store)
    dice = random.Random(20_260_722)
    world.node.mine()
    born = int(world.node.request("eth_blockNumber"), 16)
    living: list[Callable[[], OrderTerms]] = [world.confirmed, world.disputed, world.opened, world.declined]
    for _ in range(12):
        dice.choice(living)()
        mirror.run_once()
        if dice.random() < 0.7:
            lived = int(world.node.request("eth_blockNumber"), 16) - born
            reorg(world, dice.randint(1, max(1, min(9, lived))))
            if dice.random() < 0.5:
                world.opened()
            mirror.run_once()
    assert_mirrors(world, store)
    assert rows(store, without=("outbox",)) == fresh_rows(world, tmp_path)
    assert news(store) == news_on_chain(world)


# ---------------------------------------------------------------------------------------------------- where it ends


def test_deeper_than_the_window_stops_the_mirror(anvil_world: EscrowWorld, store: Store) -> None:
    world = anvil_world
    world.opened()
    world.node.mine(10)
    mirror = mirror_of(world, store, window=4)
    mirror.run_once()
    before = rows(store)
    reorg(world, 5)
    with pytest.raises(ReorgTooDeep) as caught:
        mirror.run_once()
    seen = book_of(world, store).info().marks.seen
    assert (caught.value.oldest, caught.value.seen) == (seen - 4, seen)
    assert rows(store) == before


def test_as_deep_as_the_window_is_undone(anvil_world: EscrowWorld, store: Store) -> None:
    world = anvil_world
    world.opened()
    world.node.mine(10)
    mirror = mirror_of(world, store, window=4)
    mirror.run_once()
    reorg(world, 4)
    assert mirror.run_once().reorgs[0].depth == 4
    assert_mirrors(world, store)


def test_says_when_something_final_went(anvil_world: EscrowWorld, store: Store) -> None:
    world = anvil_world
    world.opened()
    world.node.mine(10)
    mirror = mirror_of(world, store, final_depth=3)
    mirror.run_once()
    final = book_of(world, store).info().marks.final
    reorg(world, 3)
    assert not mirror.run_once().reorgs[0].below_final
    reorg(world, 4)
    [undone] = mirror.run_once().reorgs
    assert undone.below_final
    assert book_of(world, store).info().marks.final == final


class ShortChain(Web3Source):
    """The node as it was when its head was lower."""

    def __init__(self, world: EscrowWorld, *, head: int, syncing: bool = False) -> None:
        super().__init__(world.node.w3)
        self._head = head
        self._syncing = syncing

    def header(self, block: int | Tag) -> Header | None:
        if block == "latest":
            return super().header(self._head)
        return None if isinstance(block, int) and block > self._head else super().header(block)

    def is_syncing(self) -> bool:
        return self._syncing


def test_a_node_that_is_behind_takes_nothing_away(world: EscrowWorld, store: Store) -> None:
    """Its head is lower, but all it has is the same: it is waited for, not believed."""
    world.opened()
    world.opened()
    mirror_of(world, store).run_once()
    before, waited = rows(store), []
    seen = book_of(world, store).info().marks.seen
    behind = mirror_of(world, store, source=ShortChain(world, head=seen - 1, syncing=True), patience_seconds=0.2)
    with pytest.raises(NodeBehind) as caught:
        behind.run_once(trouble=waited.append)
    assert (caught.value.head, caught.value.seen) == (seen - 1, seen)
    assert len(waited) > 1
    assert rows(store) == before


def test_a_node_that_stays_behind_without_catching_up_is_believed(world: EscrowWorld, store: Store) -> None:
    world.opened()
    gone = world.opened()
    mirror_of(world, store).run_once()
    seen = book_of(world, store).info().marks.seen
    waited: list[Exception] = []
    shorter = mirror_of(world, store, source=ShortChain(world, head=seen - 1), patience_seconds=0.2)
    [undone] = shorter.run_once(trouble=waited.append).reorgs
    assert undone.depth == 1
    assert all(isinstance(error, NodeBehind) for error in waited)
    assert waited
    assert world.id_of(gone) not in mirrored_orders(book_of(world, store))


class TwoFacedNode(Web3Source):
    """Knows the mirrored chain by number, and offers a head that does not follow on it."""

    def header(self, block: int | Tag) -> Header | None:
        found = super().header(block)
        if found is None or block != "latest":
            return found
        return Header(found.number, "0x" + "ab" * 32, found.parent_hash, found.timestamp)


def test_a_node_that_contradicts_itself_takes_nothing_away(world: EscrowWorld, store: Store) -> None:
    world.opened()
    mirror_of(world, store).run_once()
    before = rows(store)
    with pytest.raises(NodeInconsistent):
        mirror_of(world, store, source=TwoFacedNode(world.node.w3)).run_once()
    assert rows(store) == before
