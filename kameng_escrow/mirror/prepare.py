"""A range's rows, made while the range before it is still being written.

Rows are a fold of the chain, so that what they are after a range needs no transaction to be worked out: only what they
were before. That is in memory for the most part. What is not is read from the store as it was before the range that is
being written, or after it, where that range does not touch it; otherwise the writing is waited for.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from kameng_escrow.store import Store
from kameng_escrow.store.bulk import Packed, Values
from kameng_escrow.store.event_json import stored
from kameng_escrow.store.models import CheckpointRow

from . import outbox
from .fetch import Chunk
from .folding import Folding
from .memory import Memory
from .source import Header

EVENT_COLUMNS = (
    *("contract_id", "block_number", "log_index", "transaction_hash", "name", "subject", "fields"),
    *("order_block", "order_log_index"),
)
_NO_ORDER = (None, None)
_NOTHING: Set[str] = frozenset()

Row = tuple[Any, ...]


class Overtaken(Exception):
    """Another mirror has written to the same contract's rows in between: read the checkpoint again."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A range of blocks, and what becomes of the rows. Of its events there are only these any more."""

    first: int
    last: int
    headers: Mapping[int, Header]  # as the chunk's
    busy: Set[int]  # the blocks with events
    count: int  # of events
    folding: Folding
    events: Packed  # of EVENT_COLUMNS
    entries: Packed  # of outbox.COLUMNS

    @property
    def hash(self) -> str:
        """Of the last block."""
        return self.headers[self.last].hash

    @property
    def parent_hash(self) -> str:
        """Of the block before the first."""
        return self.headers[self.first].parent_hash


def prepare(
    store: Store,
    contract_id: int,
    chunk: Chunk,
    memory: Memory,
    *,
    stands: Set[str],
    writing: Set[str] = _NOTHING,
    settle: Callable[[], None] | None = None,
    careful: bool = False,
) -> Prepared:
    """Folds a range on the rows before it.

    Args:
        memory: what is known of these; afterwards of the rows after it.
        stands: the hashes of the blocks that the store may be at.
        writing: the orders that are being written.
        settle: waits until they are.
        careful: whether to look for a row of every order that is opened.

    Raises:
        Overtaken: the store is at another block.
        BrokenHistory, WrongShares, BrokenEvents: the events can't be.
    """
    folding = Folding(contract_id, memory)
    told = ((name, values) for block in chunk.blocks for _, _, name, values in block.logs)
    missing = folding.recall(told, opening=not careful)
    if settle is not None and (missing.changed_policies or not writing.isdisjoint(missing.orders)):
        settle()
    with store.reading() as session:
        if session.get_one(CheckpointRow, contract_id).seen_hash not in stands:
            raise Overtaken
        folding.load(session, missing)
    events, entries = [], []
    now_ms = outbox.now_ms()
    for block in chunk.blocks:
        number, now = block.number, chunk.headers[block.number].timestamp
        for index, transaction_hash, name, values in block.logs:
            order = folding.add(name, values, (number, index), now)
            first = _NO_ORDER if order is None else order.first
            row = (contract_id, number, index, transaction_hash, name, values[0], stored(name, values), *first)
            events.append(row)
            if order is not None:
                entries.append(outbox.entry(contract_id, name, order, now_ms))
    written = Values(store.engine.dialect.name)
    folding.arrange(written)
    prepared = Prepared(
        first=chunk.first,
        last=chunk.last,
        headers=chunk.headers,
        busy={block.number for block in chunk.blocks},
        count=chunk.events,
        folding=folding,
        events=written.pack(events),
        entries=written.pack(entries),
    )
    folding.remember(prepared.hash)
    return prepared
