"""What an answer of a node is worth: pure rules, no question is asked here.

Two things are judged. **Logs**: every header carries a bloom filter of the block's logs, so that a log that is not in
it is not the block's, and a block whose filter knows neither the contract nor its events has none of its logs. A filter
that may know them proves nothing: it says so by chance too, the more often the fuller it is. **Chains**: which of
several nodes that disagree is behind, off on a fork, of another chain, or right, before anything is undone.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

from eth_utils.crypto import keccak

from .source import Header

BLOOM_BITS = 2_048
_USEFUL = 0.6  # of a filter's bits set: beyond, it says "perhaps" of almost anything


def bloom_mask(item: bytes) -> int:
    """The three bits that an address or topic sets in a block's filter."""
    digest = keccak(item)
    mask = 0
    for start in (0, 2, 4):
        mask |= 1 << (int.from_bytes(digest[start : start + 2]) % BLOOM_BITS)
    return mask


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Blocks of a range whose logs and filter don't go together without more ado."""

    foreign: tuple[int, ...]  # they came with a log that the filter does not know: one of the two is wrong
    silent: tuple[int, ...]  # they came without logs, and the filter may know some: perhaps by chance


class BloomFilter:
    """One contract's view of the filters in headers.

    Args:
        address: the contract.
        topics: the first topics (0x-hex) of its events.
    """

    def __init__(self, address: str, topics: Collection[str]) -> None:
        self._address = bloom_mask(bytes.fromhex(address.removeprefix("0x")))
        self._topics = {topic: bloom_mask(bytes.fromhex(topic.removeprefix("0x"))) for topic in topics}

    def may_hold(self, bloom: int) -> bool:
        """Whether a block may have a log of the contract's; never False where it has one."""
        if bloom & self._address != self._address:
            return False
        return any(bloom & mask == mask for mask in self._topics.values())

    def holds(self, bloom: int, topics: Iterable[str]) -> bool:
        """Whether logs of the contract with these first topics may be the block's."""
        mask = self._address
        for topic in topics:
            mask |= self._topics.get(topic, 0)
        return bloom & mask == mask

    def examine(self, headers: Iterable[Header], topics: Mapping[int, Collection[str]]) -> Suspicion:
        """Holds what came against the filters of these headers; headers without one are passed over.

        Args:
            topics: by block number, the first topics of the logs that came. No entry: none came.
        """
        foreign, silent = [], []
        for header in headers:
            if header.logs_bloom is None:
                continue
            bloom = int(header.logs_bloom, 16)
            came = topics.get(header.number)
            if came:
                if not self.holds(bloom, came):
                    foreign.append(header.number)
            elif bloom and self.may_hold(bloom) and bloom.bit_count() <= _USEFUL * BLOOM_BITS:
                silent.append(header.number)
        return Suspicion(tuple(foreign), tuple(silent))


# ------------------------------------------------------------------------------------------------------------- chains


class Standing(Enum):
    """What a node is, seen from what was mirrored."""

    Agrees = "agrees"  # it has our last block
    Differs = "differs"  # it has another block of that number
    Behind = "behind"  # it has not come so far, and what it has is ours
    Elsewhere = "elsewhere"  # another chain: id or first block
    Silent = "silent"  # it does not answer


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one node says of the blocks that were mirrored."""

    node: str  # its name for people
    standing: Standing
    head: int = 0  # its last block
    fork: int | None = None  # Differs: the last remembered block that it shares
    block_hash: str | None = None  # Differs: its block above the fork


class Verdict(Enum):
    """What to do."""

    Reorg = "reorg"  # undo: the chain has changed
    Wait = "wait"  # nobody knows yet, or the nodes only have to catch up
    Switch = "switch"  # keep what there is, and go on with a node that has it too


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What to do, and what each node is taken for."""

    verdict: Verdict
    trusted: str | None = None  # a node to go on with
    forked: tuple[str, ...] = ()  # nodes on another chain of blocks than the one believed
    behind: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, views: Sequence[View], verdict: Verdict, trusted: str | None = None, forked: Sequence[str] = ()
    ) -> Self:
        """The judgement, with the nodes that neither agree nor differ sorted by what they are."""

        def named(standing: Standing) -> tuple[str, ...]:
            return tuple(view.node for view in views if view.standing is standing)

        return cls(
            verdict=verdict,
            trusted=trusted,
            forked=tuple(forked),
            behind=named(Standing.Behind),
            elsewhere=named(Standing.Elsewhere),
            silent=named(Standing.Silent),
        )


def judge(views: Sequence[View], *, patient: bool) -> Judgement:
    """Whether what was mirrored still is the chain, by what several nodes say of it.

    The larger side is believed. Sides of one size: ours is kept until patience has run out; then the chain that has
    grown further, since a node that fell off its chain is one that stands still. A single node has nobody against it,
    and is believed. Nodes that are behind have no voice, unless after all patience nobody has come any further: then
    the blocks above are gone. Nodes that are silent or elsewhere never have one.

    Args:
        patient: whether there is still time to wait for the nodes to agree.
    """
    ours = [view for view in views if view.standing is Standing.Agrees]
    theirs: dict[tuple[int | None, str | None], list[View]] = {}
    for view in views:
        if view.standing is Standing.Differs:
            theirs.setdefault((view.fork, view.block_hash), []).append(view)
    if not theirs:
        if ours:
            return _believe(views, Verdict.Switch, ours)
        late = [view for view in views if view.standing is Standing.Behind]
        return _believe(views, Verdict.Reorg, late) if late and not patient else Judgement.of(views, Verdict.Wait)
    other = max(theirs.values(), key=lambda side: (len(side), max(map(_head, side))))
    if len(other) > len(ours) and not _tied(theirs, other):
        return _believe(views, Verdict.Reorg, other)
    if len(ours) > len(other):
        return _believe(views, Verdict.Switch, ours)
    if patient:
        return Judgement.of(views, Verdict.Wait)
    further = max(map(_head, other)) > max(map(_head, ours), default=-1)
    return _believe(views, Verdict.Reorg, other) if further else _believe(views, Verdict.Switch, ours)


def _believe(views: Sequence[View], verdict: Verdict, side: Sequence[View]) -> Judgement:
    believed = {view.node for view in side}
    opinionated = (view for view in views if view.standing in (Standing.Agrees, Standing.Differs))
    forked = [view.node for view in opinionated if view.node not in believed]
    return Judgement.of(views, verdict, max(side, key=_head).node, forked)


def _tied(sides: Mapping[Any, Sequence[View]], largest: Sequence[View]) -> bool:
    """Whether another chain has as many voices."""
    return sum(len(side) == len(largest) for side in sides.values()) > 1


def _head(view: View) -> int:
    return view.head
