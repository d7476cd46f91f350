"""The logs of a contract as they come by the ten thousand: a node's answer, read into plain values block by block."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter, itemgetter
from typing import Any

from .codec import read_event
from .errors import UndecodableLog
from .event_decoder import Values

ReadLog = tuple[int, str, str, Values]  # index within the block, transaction's hash, event's name and values

_number = attrgetter("number")
_index = itemgetter(0)


class OddLogs(ValueError):
    """Logs that one contract on one chain can't have. The message is a sentence about the node that answered them."""


@dataclass(slots=True)
class BlockLogs:
    """A block's logs, in their order."""

    number: int
    hash: str
    logs: list[ReadLog] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """Logs that were read, and what that took."""

    blocks: list[BlockLogs]
    work: float = 0.0  # seconds of processor time of another process


def read_logs(raws: Iterable[Mapping[str, Any]], address: str) -> list[BlockLogs]:
    """What `eth_getLogs` answered, in the chain's order.

    Raises:
        OddLogs: a log is of another contract, nowhere on the chain, in two blocks of one number, half, there twice, or
            said to be removed.
        UndecodableLog: one is none of the contract's events.
    """
    ours = {address, address.lower()}
    blocks: dict[int, BlockLogs] = {}
    block = BlockLogs(-1, "")
    text = block_hash = None  # of the block at hand, as its logs have them
    for raw in raws:
        try:
            if raw["blockNumber"] != text or raw["blockHash"] != block_hash:
                text, block_hash = raw["blockNumber"], raw["blockHash"]
                block = _block(blocks, int(text, 16), block_hash.lower())
            index = int(raw["logIndex"], 16)
            foreign = raw["address"] not in ours and raw["address"].lower() not in ours
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, OddLogs):
                raise
            raise OddLogs("The node answered a log without a place on the chain.") from error
        if foreign:
            raise OddLogs(f"The node answered a log of another contract, at block {block.number}.")
        if raw.get("removed"):
            raise OddLogs(f"The node answered a log that it says was removed, at block {block.number}.")
        block.logs.append((index, *read_log(raw, block.number)))
    for block in blocks.values():
        _put_in_order(block)
    return sorted(blocks.values(), key=_number)


def read_log(raw: Mapping[str, Any], number: int) -> tuple[str, str, Values]:
    """The hash of a log's transaction, and its event's name and values. `number`: of its block. Raises likewise."""
    try:
        topics, data = [topic.lower() for topic in raw["topics"]], raw["data"].lower()
        transaction_hash = raw["transactionHash"].lower()
    except (AttributeError, KeyError, TypeError) as error:
        raise OddLogs(f"The node answered half a log, at block {number}.") from error
    try:
        return (transaction_hash, *read_event(topics, data))
    except (IndexError, KeyError):
        raise UndecodableLog(
            f"Block {number} has a log that is none of the escrow's events: is this a newer contract? "
            "Upgrade kameng-escrow."
        ) from None


def _block(blocks: dict[int, BlockLogs], number: int, block_hash: str) -> BlockLogs:
    block = blocks.get(number)
    if block is None:
        block = blocks[number] = BlockLogs(number, block_hash)
    elif block.hash != block_hash:
        raise OddLogs(f"The node has a log of block {number} and another block of that number.")
    return block


def _put_in_order(block: BlockLogs) -> None:
    for one, other in pairwise(block.logs):
        if one[0] >= other[0]:
            break
    else:
        return
    block.logs.sort(key=_index)
    for one, other in pairwise(block.logs):
        if one[0] == other[0]:
            raise OddLogs(f"The node answered a log of block {block.number} twice.")
