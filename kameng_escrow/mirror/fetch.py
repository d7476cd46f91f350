"""Reads a range of blocks so that it is of one chain, or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kameng_escrow.chain.logs import BlockLogs, OddLogs, Reading

from .errors import NodeInconsistent
from .help import Helper
from .scrutiny import Scrutiny
from .source import ChainSource, Header


@dataclass(frozen=True, slots=True)
class Chunk:
    """A range of blocks of one chain."""

    first: int
    last: int
    headers: Mapping[int, Header]  # of the first and last block, those with events, and the recent ones
    blocks: Sequence[BlockLogs]  # those with events, in the chain's order
    work: float = 0.0  # seconds of processor time that another process had with it

    @property
    def events(self) -> int:
        """How many there are."""
        return sum(len(block.logs) for block in self.blocks)


def fetch(
    source: ChainSource,
    address: str,
    first: int,
    last: int,
    *,
    recent_from: int,
    scrutiny: Scrutiny,
    helper: Helper | None = None,
) -> Chunk:
    """Blocks first … last of one chain; of which is for the caller to see, by the first one's parent.

    A node answers one question at a time, and may change its mind between two. So the last block is asked for before
    the logs and after them: if it is the same, so are all below it. And every log names its block's hash.

    Args:
        recent_from: from this block on every header is wanted, with events or not.
        scrutiny: what holds the logs against the headers' filters.
        helper: may read the logs in this process's place.

    Raises:
        NodeInconsistent: the answers don't fit each other.
        RangeTooLarge, NodeError: as the source.
        UndecodableLog: a log is none of the contract's events.
    """
    tip = source.header(last)
    read = _read_logs(source, address, first, last, helper)
    busy = [block.number for block in read.blocks]
    headers = _read_headers(source, sorted({first, last, *range(max(first, recent_from), last + 1), *busy}))
    if tip != headers[last]:
        raise NodeInconsistent(f"The node changed its block {last} while it was asked for logs.")
    for block in read.blocks:
        if block.hash != headers[block.number].hash:
            raise NodeInconsistent(f"The node has a log of block {block.number} and another block of that number.")
    scrutiny.check(source, headers, read.blocks)
    return Chunk(first, last, headers, read.blocks, read.work)


def _read_logs(source: ChainSource, address: str, first: int, last: int, helper: Helper | None) -> Reading:
    try:
        read = source.read(address, first, last, helper)
    except OddLogs as error:
        raise NodeInconsistent(str(error)) from error
    for block in read.blocks:
        if not first <= block.number <= last:
            raise NodeInconsistent(
                f"The node answered a log outside of the range it was asked for, at block {block.number}."
            )
    return read


def _read_headers(source: ChainSource, numbers: Sequence[int]) -> dict[int, Header]:
    headers: dict[int, Header] = {}
    for number, header in zip(numbers, source.headers(numbers), strict=True):
        if header is None or header.number != number:
            raise NodeInconsistent(f"The node has no block {number} any more, which it had a moment ago.")
        headers[number] = header
    for lower, upper in pairwise(headers.values()):
        if upper.number == lower.number + 1 and upper.parent_hash != lower.hash:
            raise NodeInconsistent(f"The node's block {upper.number} does not follow on its block {lower.number}.")
    return headers
