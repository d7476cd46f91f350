"""Logs that a node leaves out, makes up or repeats are noticed, told apart, and never taken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from kameng_escrow.errors import EscrowError
from kameng_escrow.mirror import Header, LogsForeign, LogsMissing, NodeInconsistent, Web3Source
from kameng_escrow.mirror.source import Tag
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .mirrors import assert_mirrors, mirror_of, rows

Log = Mapping[str, Any]


class Bent(Web3Source):
    """A node whose logs somebody changes on the way, for so many answers."""

    def __init__(self, world: EscrowWorld, bend: Callable[[list[Log]], Sequence[Log]], times: int = 10**6) -> None:
        super().__init__(world.node.w3)
        self._bend = bend
        self.times = times

    def logs(self, address: str, first: int, last: int) -> Sequence[Log]:
        found = super().logs(address, first, last)
        if self.times == 0:
            return found
        self.times -= 1
        return self._bend(list(found))


class WithoutReceipts(Bent):
    """The same, and it does not offer receipts."""

    def receipt_logs(self, *_: str) -> None:
        return None


class Filtered(Web3Source):
    """A node whose headers all have the same filter."""

    def __init__(self, world: EscrowWorld, bloom: str | None) -> None:
        super().__init__(world.node.w3)
        self._bloom = bloom
        self.asked: list[str] = []  # blocks whose receipts were asked for

    def header(self, block: int | Tag) -> Header | None:
        found = super().header(block)
        return found and replace(found, logs_bloom=self._bloom)

    def receipt_logs(self, address: str, block_hash: str) -> Sequence[Log] | None:
        self.asked.append(block_hash)
        return super().receipt_logs(address, block_hash)


def without_block(number: int) -> Callable[[list[Log]], Sequence[Log]]:
    return lambda logs: [log for log in logs if int(log["blockNumber"], 16) != number]


def moved(logs: list[Log], number: int, to: Header) -> list[Log]:
    """As if the logs of a block were another's, hash included."""
    place = {"blockNumber": hex(to.number), "blockHash": to.hash}
    return [{**log, **place} if int(log["blockNumber"], 16) == number else log for log in logs]


def test_a_dropped_log_is_missed(world: EscrowWorld, store: Store) -> None:
    world.opened()
    number = int(world.node.request("eth_blockNumber"), 16)
    world.node.mine(3)
    bent = Bent(world, without_block(number))
    with pytest.raises(LogsMissing) as caught:
        mirror_of(world, store, source=bent).run_once()
    assert (caught.value.number, caught.value.count) == (number, 1)
    assert rows(store)["events"] == []


def test_a_log_dropped_from_an_answer_or_two_is_asked_for_again(world: EscrowWorld, store: Store) -> None:
    world.confirmed()
    number = int(world.node.request("eth_blockNumber"), 16)
    troubles: list[EscrowError] = []
    bent = Bent(world, without_block(number), times=2)
    mirror_of(world, store, source=bent, patience_seconds=30).run_once(trouble=troubles.append)
    assert [type(trouble) for trouble in troubles] == [LogsMissing] * 2
    assert_mirrors(world, store)


def test_a_log_moved_to_a_block_that_never_had_it_is_foreign(world: EscrowWorld, store: Store) -> None:
    terms = world.opened()
    number = int(world.node.request("eth_blockNumber"), 16)
    world.node.mine(2)
    empty = Web3Source(world.node.w3).header(number + 1)
    assert empty is not None
    for kind in (Bent, WithoutReceipts):
        with pytest.raises(LogsForeign) as caught:
            mirror_of(world, store, source=kind(world, lambda logs: moved(logs, number, empty))).run_once()
        assert caught.value.number == number + 1
    assert rows(store)["orders"] == []
    assert world.id_of(terms)


def test_a_repeated_log_is_not_taken_twice(world: EscrowWorld, store: Store) -> None:
    world.opened()
    bent = Bent(world, lambda logs: [*logs, logs[-1]] if logs else [])
    with pytest.raises(NodeInconsistent, match="twice"):
        mirror_of(world, store, source=bent).run_once()
    assert rows(store)["events"] == []


def test_a_filter_that_says_perhaps_by_chance_stops_nobody(world: EscrowWorld, store: Store) -> None:
    """Somebody else's contract gives our events' topics, and ours is in the filter for another reason."""

    world.opened()
    busy = Web3Source(world.node.w3).header("latest")
    assert busy is not None
    world.node.mine(5)
    mirror_of(world, store, source=Filtered(world, busy.logs_bloom)).run_once()
    assert_mirrors(world, store)


def test_a_chain_that_keeps_no_filters_is_mirrored(world: EscrowWorld, store: Store) -> None:
    """Some second layers answer zeros: their receipts are asked until that is clear."""
    for _ in range(6):
        world.opened()
    source = Filtered(world, "0x" + "0" * 512)
    mirror_of(world, store, source=source, range_blocks=2).run_once()
    assert_mirrors(world, store)
    assert 3 <= len(source.asked) <= 4
