"""What the clients return."""

from dataclasses import dataclass
from typing import TypeVar

from kameng_escrow.domain.events import Event, Logged, PolicyEvent
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import Fault, Outcome, State

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A transaction that was mined and did what it was sent for."""

    order_id: str | None  # the order it was about; None for bonds, credits, policies and batches
    transaction_hash: str
    block_number: int
    timestamp: int  # Unix seconds of the block
    gas_used: int
    events: tuple[Logged, ...]  # the escrow's, in order

    def event(self, kind: type[E]) -> E:
        """The first event of a kind, as `receipt.event(OrderClosed)`. Raises `LookupError` where there is none."""
        for logged in self.events:
            if isinstance(logged.event, kind):
                return logged.event
        raise LookupError(f"The transaction {self.transaction_hash} has no {kind.__name__}.")

    @property
    def policy_id(self) -> str:
        """The policy that was registered, reviewed or retired. Raises `LookupError` where none was."""
        for logged in self.events:
            if isinstance(logged.event, PolicyEvent):
                return logged.event.policy_id
        raise LookupError(f"The transaction {self.transaction_hash} is about no policy.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatus:
    """Where an order stands, read from the chain at one block."""

    order_id: str
    state: State  # State.Nothing: nobody has opened it
    outcome: Outcome
    fault: Fault
    deadline: int | None  # Unix seconds from which anyone may settle; once closed when it closed; None before opening
    disputed_units: int
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredPolicy:
    """A policy and what lives beside it."""

    policy: Policy
    review_by: int  # Unix seconds; the last second at which orders may be opened without a review
    retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """What lies at an order's deposit address, in the order's token. Amounts in base units."""

    order_id: str
    address: str
    token: str
    price: int
    balance: int
    state: State  # the order's; State.Nothing: nobody has opened it
    waiting: bool  # whether openBy has not passed

    @property
    def missing(self) -> int:
        """What the order still needs to be opened from here; zero where it can't be any more."""
        return max(self.price - self.balance, 0) if self._openable else 0

    @property
    def returnable(self) -> int:
        """What anyone may send to refundTo."""
        return max(self.balance - self.price, 0) if self._openable else self.balance

    @property
    def _openable(self) -> bool:
        return self.state is State.Nothing and self.waiting
