# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""What the clients return."""

from dataclasses import dataclass
from typing import Any

from kameng_escrow.domain.events import Logged
from kameng_escrow.domain.order import Shares
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import Fault, Outcome, State

UnsignedTransaction = dict[str, Any]  # to, data, value, chainId, from, nonce, gas and fees; integers as integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A transaction that was mined and did what it was sent for."""

    order_id: str | None  # the order it was about; None for bonds, credits, policies and batches
    transaction_hash: str
    block_number: int
    timestamp: int  # Unix seconds of the block
    gas_used: int
    events: tuple[Logged, ...]  # the escrow's, in order


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
class NextAction:
    """What the clock will do with an order if nobody acts before, as the lens says."""

    state: State
    due_at: int | None  # Unix seconds from which anyone may settle; None: never, the order is not open
    due: bool  # whether that is now
    outcome: Outcome  # of settling, likewise the rest; amounts in base units
    fault: Fault
    shares: Shares
