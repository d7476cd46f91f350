"""What the store answers with."""

from dataclasses import dataclass

from kameng_escrow.domain.order import Order, OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.signed import OperatorGrant
from kameng_escrow.domain.states import Fault, Outcome, State

from .models import BalanceKind


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Position:
    """Where the chain has an event."""

    block_number: int
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How far the mirror has come. Block numbers, both included."""

    seen: int  # every block up to it is in the rows
    seen_hash: str
    seen_at: int  # Unix seconds: the chain's time as far as the rows know it
    final: int  # blocks up to it are not expected to change any more; may lie below the contract's first


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractInfo:
    """A contract that the store mirrors."""

    id: int  # within this store
    chain_id: int
    genesis_hash: str  # of the chain's first block
    address: str
    first_block: int  # of the contract's deployment
    marks: Marks  # before the first block was mirrored: just below `first_block`


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredOrder:
    """An order as folded from its events, and how sure that is."""

    order: Order
    first: Position  # of its first event
    last: Position  # of its last event
    final: bool  # whether the last event is at or below the final mark


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenOrder:
    """An order as an account sees it, all at one moment."""

    mirrored: MirroredOrder
    grant: OperatorGrant | None  # of the order's seller to the account, live or not, for orders of its token and policy
    marks: Marks


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPage:
    """A part of a list. `cursor` asks for the next one; None: this was the last."""

    orders: tuple[SeenOrder, ...]
    cursor: str | None


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
class Standing:
    """As much of an order as the contract keeps of it, in the contract's words."""

    order_id: str
    state: State
    outcome: Outcome
    fault: Fault
    deadline: int  # Unix seconds; once closed: when that was; zero before the opening
    disputed_units: int
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the store says the contract keeps, at one block."""

    marks: Marks
    standings: tuple[Standing, ...]  # by id
    balances: dict[tuple[BalanceKind, str, str], int]  # by kind, holder and token; also those at zero that orders moved
    owed: dict[str, int]  # by token: what open orders hold, and all balances; base units


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How many orders there are of each kind; kinds without any are missing."""

    states: dict[State, int]
    outcomes: dict[Outcome, int]  # closed orders only
    faults: dict[Fault, int]  # closed orders only
