"""Where a mirror reads a chain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from kameng_escrow.chain.logs import Reading

from .help import Helper

Tag = Literal["latest", "finalized"]


@dataclass(frozen=True, slots=True)
class Header:
    """A block's header, as far as a mirror needs it."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int  # Unix seconds
    logs_bloom: str | None = None  # the filter of the block's logs, 0x-hex; None: the node keeps none


class ChainSource(Protocol):
    """What a mirror asks of a node. Every method raises `NodeError` where the node can't or won't answer."""

    @property
    def concurrent(self) -> bool:
        """Whether several threads may ask at once."""
        ...

    def chain_id(self) -> int:
        """The chain's id."""
        ...

    def header(self, block: int | Tag) -> Header | None:
        """A block of the chain as the node sees it now; None where it has none (of that name)."""
        ...

    def headers(self, numbers: Sequence[int]) -> list[Header | None]:
        """Many at once, in the order asked for. Not necessarily at one moment."""
        ...

    def read(self, address: str, first: int, last: int, helper: Helper | None = None) -> Reading:
        """The logs of a contract in blocks first … last, both included, as `eth_getLogs` has them.

        Args:
            helper: may be had to ask and to read in this one's place.

        Raises:
            RangeTooLarge: the node wants to be asked for fewer blocks at once.
            OddLogs, UndecodableLog: what it answers can't be the contract's logs.
        """
        ...

    def receipt_logs(self, address: str, block_hash: str) -> Sequence[Mapping[str, Any]] | None:
        """The logs of a contract in one block as its receipts have them; None where the node does not offer receipts,
        or has no such block any more."""
        ...

    def has_code(self, address: str) -> bool:
        """Whether there is a contract at the address, as of the latest block."""
        ...

    def is_syncing(self) -> bool:
        """Whether the node says that it has not caught up with its chain."""
        ...
