"""The chain mirrored anew, beside any store and up to one block: what rows should be, for whoever wants to compare."""

import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kameng_escrow.chain.logs import Reading
from kameng_escrow.store import Store

from .enrol import Target
from .errors import NodeInconsistent
from .follow import WINDOW, Mirror, OnProgress
from .help import Helper
from .source import ChainSource, Header, Tag


@contextmanager
def replayed(
    source: ChainSource,
    target: Target,
    last: Header,
    *,
    stop: threading.Event | None = None,
    progress: OnProgress | None = None,
) -> Iterator[Store]:
    """A store of its own, in a folder that is gone afterwards, with all that the contract did up to a block.

    Args:
        last: the block, as the node has it; it counts as final.
        stop: once set, the reading is given up.
        progress: called while the chain is read.

    Raises:
        NodeInconsistent: the chain was not read up to that block.
        As `Mirror.run_once`.
    """
    with (
        tempfile.TemporaryDirectory(prefix="kameng-replay-") as folder,
        Store.open(str(Path(folder) / "fresh.sqlite")) as fresh,
    ):
        mirror = Mirror(
            fresh,
            _Until(source, last),
            chain_id=target.chain_id,
            address=target.address,
            first_block=target.first_block,
            genesis=target.genesis,
            final_depth=0,
        )
        report = mirror.run_once(progress, stop=stop)
        now = source.header(last.number)
        if report.seen != last.number or now is None or now.hash != last.hash:
            raise NodeInconsistent("The chain was not read to its end: nothing was done. Try again.")
        yield fresh


def final_header(source: ChainSource, *, window: int = WINDOW) -> Header | None:
    """The last final block by a mirror's rule: the node's `finalized`, or where it has none, `window` below its head.

    None where the chain is not so long yet. Raises `NodeError`.
    """
    finalized = source.header("finalized")
    if finalized is not None:
        return finalized
    head = source.header("latest")
    return None if head is None or head.number < window else source.header(head.number - window)


class _Until:
    """A chain that ends at a block."""

    def __init__(self, source: ChainSource, last: Header) -> None:
        self._source = source
        self._last = last

    @property
    def concurrent(self) -> bool:
        return self._source.concurrent

    def chain_id(self) -> int:
        return self._source.chain_id()

    def header(self, block: int | Tag) -> Header | None:
        return self._last if isinstance(block, str) else self._source.header(block)

    def headers(self, numbers: Sequence[int]) -> list[Header | None]:
        return self._source.headers(numbers)

    def read(self, address: str, first: int, last: int, helper: Helper | None = None) -> Reading:
        return self._source.read(address, first, last, helper)

    def receipt_logs(self, address: str, block_hash: str) -> Sequence[Mapping[str, Any]] | None:
        return self._source.receipt_logs(address, block_hash)

    def has_code(self, address: str) -> bool:
        return self._source.has_code(address)

    def is_syncing(self) -> bool:
        return self._source.is_syncing()
