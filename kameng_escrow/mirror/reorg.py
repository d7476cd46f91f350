"""Where two chains part."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .errors import ReorgTooDeep
from .source import Header


@dataclass(frozen=True, slots=True)
class Anchor:
    """A block that was mirrored."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Fork:
    """The last remembered block that the node's chain has too."""

    number: int
    cut: bool  # the node has nothing above it that we have: its chain is shorter, and no other


def find_fork(header: Callable[[int], Header | None], anchors: Sequence[Anchor]) -> Fork:
    """Compares remembered blocks with the node's.

    Every block names its parent, so blocks are the same up to some point and different from there on: a few questions
    find it. Blocks between two remembered ones count as different.

    Args:
        header: the node's block of a number; None where it has none.
        anchors: lowest first, at least one.

    Raises:
        ReorgTooDeep: not even the lowest is the same.
        NodeError: as `header`.
    """
    theirs: dict[int, str | None] = {}

    def differs(anchor: Anchor) -> bool:
        found = header(anchor.number)
        theirs[anchor.number] = found.hash if found else None
        return theirs[anchor.number] != anchor.hash

    same = bisect_left(anchors, True, key=differs)
    if same == 0:
        raise ReorgTooDeep(anchors[0].number, anchors[-1].number)
    cut = same == len(anchors) or theirs.get(anchors[same].number) is None
    return Fork(number=anchors[same - 1].number, cut=cut)
