"""What the journal of an account is about: intents, the transactions that carry them, and what became of both.

Keepers set out to settle orders, relayers to bring what others signed. Values only.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Self

LONGEST_WAIT_MS = 3_600_000  # until an order in trouble is tried again


class JournalWord(IntEnum):
    """Its label is its name, in SQL, in JSON and on pages."""

    @property
    def label(self) -> str:
        return self.name

    @classmethod
    def from_label(cls, label: str) -> Self:
        return cls[label]


class Stage(JournalWord):
    """Where an intent stands. It moves between the first two as the chain does; the others are ends."""

    Live = 0  # signed, and not known to be in a block
    Mined = 1  # in a block that may still be undone
    Settled = 2  # in a final block: it did what it was for
    Reverted = 3  # in a final block, and refused there
    Withdrawn = 4  # in a final block is the empty transaction that took its place
    Displaced = 5  # somebody else's transaction took its nonce for good: it can never be mined

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self > Stage.Mined


class Payload(JournalWord):
    """What a transaction does."""

    Batch = 0  # settles the intent's orders
    Nothing = 1  # pays nobody nothing: takes the nonce, so that what had it can't be mined any more
    Call = 2  # brings one thing that somebody signed: a relay


class Rejection(JournalWord):
    """Why a node did not take a transaction."""

    Underpriced = 0  # it wants a higher fee
    Funds = 1  # the account can't pay it
    NonceUsed = 2  # a transaction with this nonce is in a block
    NonceGap = 3  # it lacks one before
    Unfit = 4  # no node will ever take it: too large, too much gas, a fee above the node's own limit
    Unclear = 5  # it gave another reason, or no answer: it may have taken it
    Occupied = 6  # it has another transaction with this nonce, and would only replace it for a higher fee


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """What a transaction offers, in wei a unit of gas."""

    highest: int  # all in all: EIP-1559's maxFeePerGas, or a legacy chain's gasPrice
    tip: int | None  # of that, to whoever makes the block; None: a chain without EIP-1559


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A signed transaction, written down before any node hears of it."""

    hash: str
    payload: Payload
    fee: Fee
    gas: int  # the most it may use
    raw: bytes  # as it goes to nodes; empty once the intent has ended
    signed_ms: int  # Unix milliseconds of our clock
    offered_ms: int | None = None  # when a node was last given it; None: perhaps never
    rejection: Rejection | None = None  # what that node said; None: it took it

    @property
    def cost(self) -> int:
        """The most it can cost, in wei."""
        return self.gas * self.fee.highest


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """A transaction in a block."""

    hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    gas_used: int
    cost: int  # wei, all in all
    closed: tuple[str, ...] = ()  # ids of the intent's orders that it ended


class BrokenJournal(ValueError):
    """A step that no journal may take: an error of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is to be done in one transaction: one nonce, whatever it takes to get it into a block.

    Every step gives a new value, and refuses what would let two transactions of one intent be mined, or one that
    nobody wrote down.
    """

    id: int
    contract_id: int
    chain_id: int
    account: str
    nonce: int
    order_ids: tuple[str, ...]  # that a batch settles; none: a relay, or it only fills a gap in the account's nonces
    created_ms: int  # Unix milliseconds of our clock
    attempts: tuple[Attempt, ...]  # at least one; all with the same nonce, each with higher fees than the one before
    stage: Stage = Stage.Live
    inclusion: Inclusion | None = None

    @property
    def last(self) -> Attempt:
        """The transaction with the highest fees."""
        return self.attempts[-1]

    @property
    def reserved(self) -> int:
        """The most that it may still cost, in wei."""
        return 0 if self.inclusion or self.stage.has_ended else max(attempt.cost for attempt in self.attempts)

    def offered(self, transaction_hash: str, at_ms: int, rejection: Rejection | None) -> Self:
        """A node was given the transaction, and took it or not."""
        self._must_be(Stage.Live, Stage.Mined)
        return replace(
            self,
            attempts=tuple(
                replace(attempt, offered_ms=at_ms, rejection=rejection) if attempt.hash == transaction_hash else attempt
                for attempt in self.attempts
            ),
        )

    def replaced(self, attempt: Attempt) -> Self:
        """Another transaction with the same nonce was signed."""
        self._must_be(Stage.Live)
        before = self.last.fee
        if attempt.fee.highest <= before.highest or (attempt.fee.tip or 0) < (before.tip or 0):
            raise BrokenJournal(f"{attempt.hash} does not pay more than {self.last.hash}")
        if any(attempt.hash == one.hash for one in self.attempts):
            raise BrokenJournal(f"{attempt.hash} is there already")
        return replace(self, attempts=(*self.attempts, attempt))

    def included(self, inclusion: Inclusion | None) -> Self:
        """One of its transactions is in a block; None: it is not any more."""
        self._must_be(Stage.Live, Stage.Mined)
        self._must_be_ours(inclusion)
        return replace(self, stage=Stage.Mined if inclusion else Stage.Live, inclusion=inclusion)

    def ended(self, stage: Stage, inclusion: Inclusion | None) -> Self:
        """Nothing more will happen to it: the signed bytes are not needed any longer."""
        self._must_be(Stage.Live, Stage.Mined)
        self._must_be_ours(inclusion)
        if not stage.has_ended or (inclusion is None) != (stage is Stage.Displaced):
            raise BrokenJournal(f"intent {self.id} can't end as {stage.label} with {inclusion}")
        attempts = tuple(replace(attempt, raw=b"") for attempt in self.attempts)
        return replace(self, stage=stage, inclusion=inclusion, attempts=attempts)

    def payload_of(self, transaction_hash: str) -> Payload:
        """What the transaction does. Raises `BrokenJournal` where it is not one of the intent's."""
        for attempt in self.attempts:
            if attempt.hash == transaction_hash:
                return attempt.payload
        raise BrokenJournal(f"{transaction_hash} is none of intent {self.id}")

    def _must_be(self, *stages: Stage) -> None:
        if self.stage not in stages:
            raise BrokenJournal(f"intent {self.id} is {self.stage.label}")

    def _must_be_ours(self, inclusion: Inclusion | None) -> None:
        if inclusion is not None:
            self.payload_of(inclusion.hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """An order that could not be settled when it should have been."""

    order_id: str
    failures: int  # in a row
    code: str  # of the error
    reason: str  # its sentence
    next_try_ms: int | None  # Unix milliseconds of our clock; None: given up
    since_ms: int  # when it failed for the first time, likewise

    @property
    def given_up(self) -> bool:
        """Whether it is left to a person."""
        return self.next_try_ms is None
