"""Holds the logs of a range against its headers' filters, and where they don't go together against receipts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from kameng_escrow.chain.codec import event_topics

from .errors import LogsForeign, LogsMissing
from .source import ChainSource, Header
from .trust import BloomFilter

_BUDGET = 4  # silent blocks of a range whose receipts are asked for; a block's receipts may be a megabyte
_ENOUGH = 3  # blocks whose receipts bear out the logs and not the filter, until the chain is known to keep no filters


class PlacedLog(Protocol):
    """A log as a node gave it, and the number of its block."""

    @property
    def raw(self) -> Mapping[str, Any]: ...

    @property
    def block_number(self) -> int: ...


class Scrutiny:
    """One contract's, for as long as it is mirrored: it learns whether the chain's filters are worth anything.

    What it costs: a few microseconds for each header that was fetched anyway, and at most `_BUDGET` questions for
    receipts in a range, however many blocks look as if they had lost a log. Blocks whose headers are not fetched (those
    without logs, deep below the head) are not looked at.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._filter = BloomFilter(address, event_topics())
        self._refuted = 0  # filters that receipts proved wrong
        self.unproven = 0  # blocks that looked as if they had lost a log, and no receipts were to be had

    def check(self, source: ChainSource, headers: Mapping[int, Header], logs: Sequence[PlacedLog]) -> None:
        """Raises where a log is missing, or none of its block's.

        Args:
            headers: by number.
            logs: all that came for the range, each of one of these blocks.

        Raises:
            LogsMissing, LogsForeign: the node's receipts, or the filter where it has none, contradict its logs.
            NodeError: as the source.
        """
        if self._refuted >= _ENOUGH:
            return
        suspicion = self._filter.examine(headers.values(), _first_topics(logs))
        for number in suspicion.foreign:
            self._compare(source, headers[number], logs, foreign=True)
        emptiest = sorted(suspicion.silent, key=lambda number: int(headers[number].logs_bloom or "0", 16).bit_count())
        for number in emptiest[:_BUDGET]:
            self._compare(source, headers[number], logs, foreign=False)

    def _compare(self, source: ChainSource, header: Header, logs: Sequence[PlacedLog], *, foreign: bool) -> None:
        proven = source.receipt_logs(self._address, header.hash)
        if proven is None:
            if foreign:
                raise LogsForeign(header.number)
            self.unproven += 1
            return
        said = {_identity(log.raw) for log in logs if log.block_number == header.number}
        true = {_identity(log) for log in proven}
        if missing := true - said:
            raise LogsMissing(header.number, len(missing))
        if said - true:
            raise LogsForeign(header.number)
        self._refuted += foreign


def _first_topics(logs: Sequence[PlacedLog]) -> dict[int, set[str]]:
    """The logs' first topics, by block number."""
    found: defaultdict[int, set[Any]] = defaultdict(set)
    for log in logs:
        topics = log.raw.get("topics")
        found[log.block_number].add(topics[0] if topics else "")
    return {number: {str(topic).lower() for topic in topics} for number, topics in found.items()}


def _identity(log: Mapping[str, Any]) -> tuple[int, str, tuple[str, ...], str]:
    """What makes a log this one, whoever tells of it."""
    index = log["logIndex"]
    return (
        index if isinstance(index, int) else int(index, 16),
        str(log["transactionHash"]).lower(),
        tuple(str(topic).lower() for topic in log["topics"]),
        str(log["data"]).lower(),
    )
