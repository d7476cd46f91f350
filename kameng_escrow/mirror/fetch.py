"""Reads a range of blocks so that it is of one chain, or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from kameng_escrow.chain.codec import decode_event
from kameng_escrow.chain.errors import UndecodableLog
from kameng_escrow.domain.events import Logged

from .errors import NodeInconsistent
from .scrutiny import Scrutiny
from .source import ChainSource, Header

_position = attrgetter("block_number", "log_index")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A range of blocks of one chain."""

    first: int
    last: int
    headers: Mapping[int, Header]  # of the first and last block, those with events, and the recent ones
    events: Sequence[Logged]  # in the chain's order


def fetch(
    source: ChainSource,
    address: str,
    first: int,
    last: int,
    *,
    recent_from: int,
    scrutiny: Scrutiny,
) -> Chunk:
    """Blocks first … last of one chain; of which is for the caller to see, by the first one's parent.

    A node answers one question at a time, and may change its mind between two. So the last block is asked for before
    the logs and after them: if it is the same, so are all below it. And every log names its block's hash.

    Args:
        recent_from: from this block on every header is wanted, with events or not.
        scrutiny: what holds the logs against the headers' filters.

    Raises:
        NodeInconsistent: the answers don't fit each other.
        RangeTooLarge, NodeError: as the source.
        UndecodableLog: a log is none of the contract's events.
    """
    tip = source.header(last)
    raws = source.logs(address, first, last)
    numbers = _numbers(raws, first, last)
    headers = _read_headers(source, sorted({first, last, *range(max(first, recent_from), last + 1), *numbers.values()}))
    if tip != headers[last]:
        raise NodeInconsistent(f"The node changed its block {last} while it was asked for logs.")
    blocks = {text: headers[number] for text, number in numbers.items()}
    logs = _in_order(raws, blocks, address)
    scrutiny.check(source, headers, logs)
    return Chunk(first=first, last=last, headers=headers, events=[_decode(log) for log in logs])


class PlacedLog(NamedTuple):
    """A raw log and where it is."""

    block_number: int
    log_index: int
    header: Header
    raw: Mapping[str, Any]


def _numbers(raws: Sequence[Mapping[str, Any]], first: int, last: int) -> dict[Any, int]:
    """The numbers of the blocks that the logs are of, as the logs have them and as integers."""
    try:
        numbers = {text: int(text, 16) for text in {raw["blockNumber"] for raw in raws}}
    except (KeyError, TypeError, ValueError) as error:
        raise NodeInconsistent("The node answered a log without a place on the chain.") from error
    for number in numbers.values():
        if not first <= number <= last:
            raise NodeInconsistent(f"The node answered a log outside of the range it was asked for, at block {number}.")
    return numbers


def _in_order(raws: Sequence[Mapping[str, Any]], blocks: Mapping[Any, Header], address: str) -> list[PlacedLog]:
    """The logs in the chain's order, each where it says it is."""
    logs = []
    ours = {address, address.lower()}
    before, in_order = (-1, -1), True
    for raw in raws:
        header = blocks[raw["blockNumber"]]
        number = header.number
        try:
            index = int(raw["logIndex"], 16)
            theirs, block_hash = raw["address"], raw["blockHash"]
            if theirs not in ours and theirs.lower() not in ours:
                raise NodeInconsistent(f"The node answered a log of another contract, at block {number}.")
            if block_hash != header.hash and block_hash.lower() != header.hash:
                raise NodeInconsistent(f"The node has a log of block {number} and another block of that number.")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise NodeInconsistent("The node answered a log without a place on the chain.") from error
        if raw.get("removed"):
            raise NodeInconsistent(f"The node answered a log that it says was removed, at block {number}.")
        place = (number, index)
        in_order = in_order and before < place
        before = place
        logs.append(PlacedLog(number, index, header, raw))
    if not in_order:
        logs.sort(key=_position)
        for one, other in pairwise(logs):
            if _position(one) == _position(other):
                raise NodeInconsistent(f"The node answered a log of block {one.block_number} twice.")
    return logs


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


def _decode(log: PlacedLog) -> Logged:
    number, index, header, raw = log
    try:
        topics, data = [topic.lower() for topic in raw["topics"]], raw["data"].lower()
        transaction_hash = raw["transactionHash"].lower()
    except (AttributeError, KeyError, TypeError) as error:
        raise NodeInconsistent(f"The node answered half a log, at block {number}.") from error
    try:
        event = decode_event(topics, data)
    except (IndexError, KeyError):
        raise UndecodableLog(
            f"Block {number} has a log that is none of the escrow's events: is this a newer contract? "
            "Upgrade kameng-escrow."
        ) from None
    return Logged(
        event=event,
        block_number=number,
        block_hash=header.hash,
        timestamp=header.timestamp,
        transaction_hash=transaction_hash,
        log_index=index,
    )
