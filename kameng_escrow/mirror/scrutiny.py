"""Holds the logs of a range against its headers' filters, and where they don't go together against receipts."""

from collections.abc import Mapping, Sequence
from typing import Any

from kameng_escrow.chain.codec import event_topics
from kameng_escrow.chain.logs import BlockLogs, OddLogs, ReadLog, read_log

from .errors import LogsForeign, LogsMissing, NodeInconsistent
from .source import ChainSource, Header
from .trust import BloomFilter

_BUDGET = 4  # silent blocks of a range whose receipts are asked for; a block's receipts may be a megabyte
_ENOUGH = 3  # blocks whose receipts bear out the logs and not the filter, until the chain is known to keep no filters


class Scrutiny:
    """One contract's, for as long as it is mirrored: it learns whether the chain's filters are worth anything.

    What it costs: a few microseconds for each header that was fetched anyway, and at most `_BUDGET` questions for
    receipts in a range, however many blocks look as if they had lost a log. Blocks whose headers are not fetched (those
    without logs, deep below the head) are not looked at.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._topics = {event.__name__: topic for topic, event in event_topics().items()}
        self._filter = BloomFilter(address, self._topics.values())
        self._refuted = 0  # filters that receipts proved wrong
        self.unproven = 0  # blocks that looked as if they had lost a log, and no receipts were to be had

    def check(self, source: ChainSource, headers: Mapping[int, Header], blocks: Sequence[BlockLogs]) -> None:
        """Raises where a log is missing, or none of its block's.

        Args:
            headers: by number.
            blocks: all logs that came for the range, each block's header among these.

        Raises:
            LogsMissing, LogsForeign: the node's receipts, or the filter where it has none, contradict its logs.
            NodeError: as the source.
        """
        if self._refuted >= _ENOUGH:
            return
        came = {block.number: block for block in blocks}
        topics = {block.number: {self._topics[name] for _, _, name, _ in block.logs} for block in blocks}
        suspicion = self._filter.examine(headers.values(), topics)
        for number in suspicion.foreign:
            self._compare(source, headers[number], came[number].logs, foreign=True)
        emptiest = sorted(suspicion.silent, key=lambda number: int(headers[number].logs_bloom or "0", 16).bit_count())
        for number in emptiest[:_BUDGET]:
            self._compare(source, headers[number], (), foreign=False)

    def _compare(self, source: ChainSource, header: Header, logs: Sequence[ReadLog], *, foreign: bool) -> None:
        receipts = source.receipt_logs(self._address, header.hash)
        if receipts is None:
            if foreign:
                raise LogsForeign(header.number)
            self.unproven += 1
            return
        try:
            proven = {_identity(log, header.number) for log in receipts}
        except OddLogs as error:
            raise NodeInconsistent(str(error)) from error
        if missing := proven.difference(logs):
            raise LogsMissing(header.number, len(missing))
        if not proven.issuperset(logs):
            raise LogsForeign(header.number)
        self._refuted += foreign


def _identity(log: Mapping[str, Any], number: int) -> ReadLog:
    """A raw log as it would have been read, whoever tells of it."""
    index = log["logIndex"]
    return (index if isinstance(index, int) else int(index, 16), *read_log(log, number))
