"""What a mirror remembers of the rows that it wrote last, so as not to read them again for the next blocks.

Rows are a fold of the chain and nothing else, so what they say up to a block is settled by that block's hash: memory of
a block is right wherever the store's last block is that one, whoever wrote it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import State

from .records import Record

ORDERS = 10_000  # to remember, of about two kilobytes each


class Memory:
    """Open orders and policies, as they are after some block."""

    def __init__(self, limit: int = ORDERS) -> None:
        self._limit = limit
        self._hash: str | None = None  # of the block
        self.orders: dict[str, Record] = {}  # the one that changed last comes last
        self.policies: dict[str, Policy] = {}

    @contextmanager
    def of(self, block_hash: str) -> Iterator["Memory"]:
        """What is known of the rows after this block. Who changes it says so with `moved`, once that is committed;
        otherwise it is forgotten, as it is when it was of another block.
        """
        if self._hash != block_hash:
            self.forget()
        self._hash = None
        try:
            yield self
        finally:
            if self._hash is None:
                self.forget()

    def moved(self, block_hash: str, changed: Mapping[str, Record]) -> None:
        """The rows are those after this block now, and these orders have changed."""
        self._hash = block_hash
        for order_id, record in changed.items():
            self.orders.pop(order_id, None)
            if record.deadline is not None or record.state is State.Nothing:  # there is more to come
                self.orders[order_id] = record
        for order_id in list(self.orders)[: max(0, len(self.orders) - self._limit)]:
            del self.orders[order_id]

    def forget(self) -> None:
        """Remembers nothing."""
        self._hash = None
        self.orders = {}
        self.policies = {}
