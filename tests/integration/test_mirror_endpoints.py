"""Several nodes: who is away, behind, on a fork or on another chain is told apart, and nothing true is undone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.errors import NodeUnreachable, WrongChain
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.chain.nodes import RpcNode
from kameng_escrow.domain.fold import BrokenHistory
from kameng_escrow.errors import EscrowError
from kameng_escrow.mirror import Endpoints, LogsMissing, NodeForked, NodesDisagree, Web3Source
from kameng_escrow.mirror.reorg import Anchor
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .mirrors import assert_mirrors, mirror_of, news, news_on_chain, rows
from .test_mirror_trust import Bent, WithoutReceipts, without_block


@dataclass
class Twins:
    """A chain, and copies of it on other nodes, which lead lives of their own."""

    world: EscrowWorld
    copies: list[AnvilNode]

    def source(self, *order: int) -> Endpoints:
        """The nodes as one source: 0 is the world's, 1 and up are the copies, the first of `order` preferred."""
        nodes = [self.world.node, *self.copies]
        return Endpoints([(f"node {index}", Web3Source(nodes[index].w3)) for index in order or range(len(nodes))])

    def copy_now(self) -> None:
        """Makes every copy what the world's node is."""
        state = self.world.node.request("anvil_dumpState")
        for copy in self.copies:
            copy.request("anvil_loadState", state)


@pytest.fixture
def twins() -> Iterator[Twins]:
    with AnvilNode() as node, AnvilNode() as one, AnvilNode() as two:
        yield Twins(EscrowWorld(node), [one, two])


def test_copies_are_the_same_chain(twins: Twins, store: Store) -> None:
    twins.world.confirmed()
    twins.copy_now()
    nodes = [twins.world.node, *twins.copies]
    assert len({node.request("eth_getBlockByNumber", "latest", False)["hash"] for node in nodes}) == 1
    mirror_of(twins.world, store, source=twins.source()).run_once()
    assert_mirrors(twins.world, store)


def test_a_node_that_is_away_is_passed_over(world: EscrowWorld, store: Store) -> None:
    world.confirmed()
    with RpcNode("http://127.0.0.1:9") as nobody:
        source = Endpoints([("nobody", Web3Source(nobody.w3)), ("here", Web3Source(world.node.w3))])
        mirror_of(world, store, source=source).run_once()
    assert source.current == "here"
    assert_mirrors(world, store)


def test_where_all_are_away_the_first_says_why(world: EscrowWorld, store: Store) -> None:
    with RpcNode("http://127.0.0.1:9") as nobody, RpcNode("http://127.0.0.1:19") as neither:
        source = Endpoints([("nobody", Web3Source(nobody.w3)), ("neither", Web3Source(neither.w3))])
        with pytest.raises(NodeUnreachable, match=r"127\.0\.0\.1:9:"):
            mirror_of(world, store, source=source).run_once()


def test_a_node_on_another_chain_is_passed_over(world: EscrowWorld, store: Store) -> None:
    world.confirmed()
    with InProcessNode(chain_id=77) as other, InProcessNode(genesis_timestamp=1_700_000_000) as young:
        nodes = [("id", Web3Source(other.w3)), ("genesis", Web3Source(young.w3))]
        right = ("right", Web3Source(world.node.w3))
        source = Endpoints([*nodes, right])
        mirror_of(world, store, source=source).run_once()
        assert source.current == "right"
        assert_mirrors(world, store)
        with pytest.raises(WrongChain):
            mirror_of(world, store, source=Endpoints(nodes)).run_once()


def test_a_lagging_node_is_left_for_one_that_is_not(twins: Twins, store: Store) -> None:
    twins.world.confirmed()
    twins.copy_now()
    twins.world.disputed()
    mirror_of(twins.world, store, source=twins.source(0)).run_once()
    before = rows(store)
    troubles: list[EscrowError] = []
    source = twins.source(1, 2, 0)
    report = mirror_of(twins.world, store, source=source, patience_seconds=60).run_once(trouble=troubles.append)
    assert report.reorgs == ()
    assert [type(trouble) for trouble in troubles] == [NodeForked]
    assert source.current == "node 0"
    assert rows(store) == before


def test_a_forked_node_undoes_nothing(twins: Twins, store: Store) -> None:
    world, (fork, right) = twins.world, twins.copies
    fork.request("anvil_loadState", world.node.request("anvil_dumpState"))
    fork.mine(30)  # from here on it goes its own way, and further than anybody
    world.confirmed()
    right.request("anvil_loadState", world.node.request("anvil_dumpState"))
    mirror_of(world, store, source=twins.source(0)).run_once()
    before = rows(store)
    troubles: list[EscrowError] = []
    source = twins.source(1, 0, 2)
    report = mirror_of(world, store, source=source, patience_seconds=60).run_once(trouble=troubles.append)
    assert report.reorgs == ()
    [trouble] = troubles
    assert isinstance(trouble, NodeForked)
    assert trouble.nodes == ("node 1",)
    assert source.current in ("node 0", "node 2")
    assert rows(store) == before


def test_a_node_that_stands_still_is_left_for_one_that_goes_on(twins: Twins, store: Store) -> None:
    world = twins.world
    world.confirmed()
    twins.copy_now()
    source = twins.source(1, 0, 2)
    source.look_every_seconds = 0.0
    mirror = mirror_of(world, store, source=source)
    mirror.run_once()
    assert source.current == "node 1"
    world.confirmed()
    world.confirmed()
    assert mirror.run_once().caught_up
    assert source.current == "node 0"
    assert_mirrors(world, store)


def test_what_most_nodes_have_is_a_reorg(twins: Twins, store: Store, tmp_path: Path) -> None:
    """The chain was reorganised, and one node has not heard of it."""
    world = twins.world
    world.confirmed()
    twins.copies[0].request("anvil_loadState", world.node.request("anvil_dumpState"))
    mirror_of(world, store, source=twins.source(1)).run_once()
    world.node.request("anvil_reorg", 3, [])
    world.opened()
    twins.copies[1].request("anvil_loadState", world.node.request("anvil_dumpState"))
    pair = Endpoints([("new", Web3Source(world.node.w3)), ("old", Web3Source(twins.copies[0].w3))])
    with pytest.raises(NodesDisagree):  # one against one
        pair.consult(anchors(store), patient=True)
    source = twins.source(0, 1, 2)
    [undone] = mirror_of(world, store, source=source, patience_seconds=60).run_once().reorgs
    assert undone.depth == 3
    assert source.current in ("node 0", "node 2")
    assert_mirrors(world, store)
    assert news(store) == news_on_chain(world)
    with Store.open(str(tmp_path / "fresh.sqlite")) as fresh:
        mirror_of(world, fresh).run_once()
        assert rows(store, without=("outbox",)) == rows(fresh, without=("outbox",))


def anchors(store: Store) -> list[Anchor]:
    """The remembered blocks."""
    return [Anchor(row["number"], row["hash"]) for row in rows(store)["blocks"]]


def test_of_two_nodes_that_differ_the_longer_chain_is_believed_after_a_while(twins: Twins, store: Store) -> None:
    world, still = twins.world, twins.copies[0]
    world.confirmed()
    twins.copy_now()
    mirror_of(world, store, source=twins.source(1)).run_once()
    world.node.request("anvil_reorg", 2, [])
    world.node.mine(5)
    troubles: list[EscrowError] = []
    source = twins.source(0, 1)
    mirror = mirror_of(world, store, source=source, patience_seconds=0.5)
    report = mirror.run_once(trouble=troubles.append)
    assert {type(trouble) for trouble in troubles} == {NodesDisagree}
    assert [undone.depth for undone in report.reorgs] == [2]
    assert_mirrors(world, store)
    assert still.request("eth_blockNumber") < world.node.request("eth_blockNumber")


def test_a_node_that_drops_logs_is_left_at_once(world: EscrowWorld, store: Store) -> None:
    world.confirmed()
    number = int(world.node.request("eth_blockNumber"), 16)
    troubles: list[EscrowError] = []
    source = Endpoints([("bent", Bent(world, without_block(number))), ("right", Web3Source(world.node.w3))])
    mirror_of(world, store, source=source, patience_seconds=60).run_once(trouble=troubles.append)
    assert [type(trouble) for trouble in troubles] == [LogsMissing]
    assert source.current == "right"
    assert_mirrors(world, store)


def test_a_history_with_a_hole_is_asked_of_another_node(world: EscrowWorld, store: Store) -> None:
    """The first node has no receipts that would show the hole: only the order's own history does."""
    world.confirmed()
    number = int(world.node.request("eth_blockNumber"), 16) - 2
    bent = WithoutReceipts(world, without_block(number))
    source = Endpoints([("bent", bent), ("right", Web3Source(world.node.w3))])
    troubles: list[EscrowError] = []
    mirror_of(world, store, source=source, patience_seconds=60).run_once(trouble=troubles.append)
    assert [type(trouble) for trouble in troubles] == [BrokenHistory]
    assert_mirrors(world, store)
    with Store.open("sqlite://") as other, pytest.raises(BrokenHistory):
        mirror_of(world, other, source=bent).run_once()


def test_no_nodes_are_no_source() -> None:
    with pytest.raises(ValueError, match="needs a node"):
        Endpoints([])
