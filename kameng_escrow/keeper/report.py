"""What a keeper says while and after it works."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Backlog, Due
from kameng_escrow.store.keeping import Inclusion, Intent, Payload


class NewsKind(IntEnum):
    """What happened."""

    Sent = 0  # a new transaction was given to a node, with orders to settle
    Filled = 1  # likewise, an empty one for a nonce that ours waited for
    Raised = 2  # a transaction was offered again for more
    Withdrawn = 3  # an empty one is to take its place
    Mined = 4  # it is in a block
    Undone = 5  # its block is gone
    Final = 6  # its block is final
    Reverted = 7  # it is in a block, and was refused there
    Displaced = 8  # somebody else's took its nonce for good
    Stuck = 9  # an order could not be settled: it is tried again
    GivenUp = 10  # likewise: it is left to a person

    @property
    def label(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something that happened."""

    kind: NewsKind
    intent: Intent | None = None
    error: EscrowError | None = None  # of Stuck, GivenUp, Reverted and Displaced


Announce = Callable[[News], None]


@dataclass(slots=True)
class Tally:
    """What a run has done so far."""

    settled: dict[str, int] = field(default_factory=dict)  # order id → the intent that ended it
    transactions: int = 0  # intents that were opened
    raised: int = 0  # replacements that were signed
    reverted: int = 0
    wasted: int = 0  # mined, and nothing was left to settle
    displaced: int = 0
    cost: int = 0  # wei, of what was mined
    counted: dict[int, Inclusion] = field(default_factory=dict)  # by intent: the block that it was counted for

    def count(self, intent: Intent, inclusion: Inclusion) -> None:
        """A transaction of the intent is in a block."""
        self.counted[intent.id] = inclusion
        self.cost += inclusion.cost
        self.reverted += not inclusion.succeeded
        self.settled |= dict.fromkeys(inclusion.closed, intent.id)
        batch = intent.payload_of(inclusion.hash) is Payload.Batch
        self.wasted += inclusion.succeeded and batch and not inclusion.closed

    def take_back(self, intent: Intent) -> None:
        """That block is gone."""
        inclusion = self.counted.pop(intent.id, None)
        if inclusion is None:  # counted by whoever ran before
            return
        self.cost -= inclusion.cost
        for order_id in inclusion.closed:
            if self.settled.get(order_id) == intent.id:
                del self.settled[order_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What a keeper sees, for people to look at."""

    account: str
    leading: bool  # whether this process is the account's keeper
    time: int  # the chain's clock, Unix seconds
    due: Backlog  # as far as the mirror knows
    coming: tuple[Due, ...]  # what comes due next
    latest: tuple[Intent, ...]  # the last intents, the newest first
    balance: int | None  # wei; None: not asked
    spent: int  # wei in 24 hours, with the most that what waits may cost
    budget: int | None  # wei in 24 hours; None: no limit
    given_up: int  # orders that are left to a person
    conditions: tuple[EscrowError, ...]  # what keeps it from settling


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperReport:
    """What a run did, and what is left."""

    leading: bool  # whether this process was the account's keeper
    settled: int  # orders
    transactions: int
    raised: int
    reverted: int
    wasted: int
    displaced: int
    cost: int  # wei
    waiting: int  # transactions that are not mined yet
    left: int  # orders that are due and not settled
    given_up: int  # of those
    conditions: tuple[EscrowError, ...]  # what keeps it from settling, as of the last look

    @property
    def complete(self) -> bool:
        """Whether everything that was due is settled."""
        return self.left == 0 and self.waiting == 0
