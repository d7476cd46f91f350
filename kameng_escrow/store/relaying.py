"""What relaying is about: something that somebody signed, to be brought to the chain by somebody else. Values only."""

from dataclasses import dataclass

from .keeping import JournalWord


class RelayKind(JournalWord):
    """What is brought."""

    Action = 0  # of a party or operator: `act`, with a signed payment of the dispute bond or without
    Agreement = 1  # a split that both parties signed: `agree`
    Opening = 2  # an order, with the payment that its payer signed
    DepositOpening = 3  # an order, from its deposit address
    DepositRefund = 4  # what lies at a deposit address, by the buyer's will
    DepositSweep = 5  # what lies at a deposit address and does not wait for the order


class RelayStage(JournalWord):
    """Where a relay stands. It moves between the first three as the chain does; the others are ends."""

    Accepted = 0  # written down; nothing has been sent
    Sent = 1  # a transaction is signed for it
    Mined = 2  # in a block that may still be undone
    Done = 3  # in a final block
    Failed = 4  # in a final block, and refused there: the chain moved on while it was under way
    Refused = 5  # never brought: the contract would refuse it by now, or no node takes it

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self > RelayStage.Mined


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelay:
    """What is to be relayed, before it is accepted."""

    kind: RelayKind
    order_id: str
    verb: str | None  # of an action: the verb's label
    platform: str  # who pays: the platform of the order's policy
    account: str | None  # who asked; None: the watcher of deposits, by itself
    to: str  # the contract that is called
    data: bytes  # the calldata
    gas: int  # the most it is expected to take


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Something that was accepted, and what became of it."""

    id: str  # "rly_…"
    contract_id: int
    kind: RelayKind
    order_id: str
    verb: str | None
    platform: str
    account: str | None
    to: str
    data: bytes
    gas: int
    created_ms: int  # Unix milliseconds of our clock
    stage: RelayStage
    intent_id: int | None  # what carries it now, or did last
    failures: int  # to be sent, in a row
    code: str | None  # of the error that kept it from the chain, or keeps it
    reason: str | None  # its sentence
    reason_zh: str | None  # the same in Chinese


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a platform's relays may cost in any 24 hours, and what they have. Wei."""

    platform: str
    limit: int | None  # None: no limit
    spent: int  # by mined transactions
    under_way: int  # the most that what is sent and not mined may cost

    @property
    def left(self) -> int | None:
        """What may still be spent; None: no limit."""
        return None if self.limit is None else max(0, self.limit - self.spent - self.under_way)
