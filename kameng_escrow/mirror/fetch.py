"""Reads a range of blocks so that it is of one chain, or not at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from kameng_escrow.chain.codec import decode_log
from kameng_escrow.chain.errors import UndecodableLog
from kameng_escrow.domain.events import Logged

from .errors import NodeInconsistent
from .scrutiny import Scrutiny
from .source import ChainSource, Header


class ChainMoved(Exception):
    """The range does not follow on the block before it: the chain was reorganised, there or further down."""


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
    parent_hash: str,
    recent_from: int,
    scrutiny: Scrutiny,
) -> Chunk:
    """Blocks first … last of the chain whose block first − 1 has the hash `parent_hash`.

    A node answers one question at a time, and may change its mind between two. So the last block is asked for before
    the logs and after them: if it is the same, so are all below it. And every log names its block's hash.

    Args:
        recent_from: from this block on every header is wanted, with events or not.
        scrutiny: what holds the logs against the headers' filters.

    Raises:
        ChainMoved: block `first` has another parent.
        NodeInconsistent: the answers don't fit each other.
        RangeTooLarge, NodeError: as the source.
        UndecodableLog: a log is none of the contract's events.
    """
    tip = source.header(last)
    logs = [_LogPlace(log) for log in source.logs(address, first, last)]
    _check_places(logs, address, first, last)
    wanted = {first, last} | {log.block_number for log in logs} | set(range(max(first, recent_from), last + 1))
    headers = _read_headers(source, sorted(wanted))
    if headers[first].parent_hash != parent_hash:
        raise ChainMoved
    if tip != headers[last]:
        raise NodeInconsistent(f"The node changed its block {last} while it was asked for logs.")
    for log in logs:
        if log.block_hash != headers[log.block_number].hash:
            raise NodeInconsistent(f"The node has a log of block {log.block_number} and another block of that number.")
    scrutiny.check(source, headers, logs)
    events = [_decode(log, headers[log.block_number].timestamp) for log in sorted(logs, key=_LogPlace.position)]
    return Chunk(first=first, last=last, headers=headers, events=events)


class _LogPlace:
    """A raw log and where it says it is."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        try:
            self.address = str(raw["address"]).lower()
            self.block_number = _number(raw["blockNumber"])
            self.block_hash = str(raw["blockHash"]).lower()
            self.index = _number(raw["logIndex"])
            self.removed = bool(raw.get("removed", False))
        except (KeyError, TypeError, ValueError) as error:
            raise NodeInconsistent("The node answered a log without a place on the chain.") from error

    def position(self) -> tuple[int, int]:
        return self.block_number, self.index


def _number(value: str | int) -> int:
    return value if isinstance(value, int) else int(value, 16)


def _check_places(logs: Sequence[_LogPlace], address: str, first: int, last: int) -> None:
    wanted: list[tuple[Callable[[_LogPlace], bool], str]] = [
        (lambda log: log.removed, "a log that it says was removed"),
        (lambda log: log.address != address.lower(), "a log of another contract"),
        (lambda log: not first <= log.block_number <= last, "a log outside of the range it was asked for"),
    ]
    for log in logs:
        for is_wrong, what in wanted:
            if is_wrong(log):
                raise NodeInconsistent(f"The node answered {what}, at block {log.block_number}.")
    if len({log.position() for log in logs}) != len(logs):
        raise NodeInconsistent(f"The node answered a log of blocks {first} to {last} twice.")


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


def _decode(log: _LogPlace, timestamp: int) -> Logged:
    logged = decode_log(log.raw, timestamp)
    if logged is None:
        raise UndecodableLog(
            f"Block {log.block_number} has a log that is none of the escrow's events: is this a newer contract? "
            "Upgrade kameng-escrow."
        )
    return logged
