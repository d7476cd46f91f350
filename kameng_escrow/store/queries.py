"""What may be asked of a store about one contract."""

from collections.abc import Collection
from dataclasses import dataclass

from kameng_escrow.domain.events import Logged
from kameng_escrow.domain.order import Order, OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import Fault, Outcome, State

from .store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the chain has something."""

    block_number: int
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The mirror's two marks: block numbers, both included."""

    seen: int  # every block up to it is in the rows
    seen_hash: str
    seen_at: int  # Unix seconds: the chain's time as far as the rows know it
    final: int  # blocks up to it are not expected to change any more


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractInfo:
    """A contract that the store mirrors."""

    id: int  # within this store
    chain_id: int
    genesis_hash: str
    address: str
    first_block: int
    marks: Marks | None  # None before the first block was mirrored


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredOrder:
    """An order as folded from its events, and how sure that is."""

    order: Order
    first: Position  # of its first event
    last: Position  # of its last event
    final: bool  # whether the last event is at or below the final mark


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredPolicy:
    """A registered policy, and what became of it."""

    policy_id: str
    policy: Policy
    review_by: int  # Unix seconds; takes new orders up to and including it
    retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list. `cursor` asks for the next one; None: this was the last."""

    orders: tuple[MirroredOrder, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An order that anyone may settle."""

    order_id: str
    terms: OrderTerms
    state: State
    due_at: int  # Unix seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How many orders there are of each kind; kinds without any are missing."""

    states: dict[State, int]
    outcomes: dict[Outcome, int]  # closed orders only
    faults: dict[Fault, int]  # closed orders only


class Book:
    """One contract's orders and accounts as mirrored in a store. Reads only.

    Every method reads at one moment. All raise what `Store.reading` raises.
    """

    def __init__(self, store: Store, chain_id: int, address: str) -> None:
        """Raises `UnknownContract` where the store mirrors no such contract."""
        raise NotImplementedError

    def info(self) -> ContractInfo:
        """The contract, with the mirror's marks as they are now."""
        raise NotImplementedError

    def order(self, order_id: str) -> MirroredOrder:
        """Raises `UnknownOrder`."""
        raise NotImplementedError

    def orders(
        self,
        *,
        states: Collection[State] | None = None,
        party: str | None = None,
        due_before: int | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Orders, newest first.

        Args:
            states: only in one of these states.
            party: only with this account as buyer, seller, payer or receiver.
            due_before: only with a clock that runs out before this Unix second.
            limit: at most so many, 1 … 1,000.
            cursor: of the page before. Orders opened meanwhile don't shift the pages.

        Raises:
            InvalidCursor: no page gave it out.
        """
        raise NotImplementedError

    def history(self, order_id: str) -> list[Logged]:
        """The order's events, oldest first. Raises `UnknownOrder`."""
        raise NotImplementedError

    def due(self, at: int, *, limit: int | None = None) -> list[Due]:
        """Open orders whose clock has run out by the Unix second `at`, the most overdue first."""
        raise NotImplementedError

    def statistics(self) -> Statistics:
        """How many orders stand where."""
        raise NotImplementedError

    def policy(self, policy_id: str) -> MirroredPolicy | None:
        """A policy; None where none was registered under that id."""
        raise NotImplementedError

    def policies(self, *, platform: str | None = None) -> list[MirroredPolicy]:
        """The policies (of a platform), by id."""
        raise NotImplementedError

    def bond(self, seller: str, token: str) -> int:
        """A seller's bond balance that is not locked in orders, in base units."""
        raise NotImplementedError

    def credit(self, account: str, token: str) -> int:
        """What an account is owed because a payment to it failed, or as a mediator, in base units."""
        raise NotImplementedError

    def fees(self, policy_id: str, token: str) -> int:
        """What a policy's platform has earned and not claimed, in base units."""
        raise NotImplementedError
