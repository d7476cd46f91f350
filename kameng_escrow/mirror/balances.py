"""What events do to bonds, credits and fees: the contract's bookkeeping, told by its events alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from kameng_escrow.domain import shares
from kameng_escrow.domain.events import (
    BondFunded,
    BondWithdrawn,
    Credited,
    CreditPaid,
    Event,
    FeesClaimed,
    MediationFeeCredited,
    OrderAccepted,
    OrderClosed,
    OrderDisputed,
    OrderOpened,
)
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.states import State
from kameng_escrow.store import BalanceKind

Key = tuple[BalanceKind, str, str]  # kind, holder, token


@dataclass(frozen=True, slots=True)
class Movement:
    """So much more, or less, on one balance."""

    key: Key
    amount: int  # base units; negative: less


def movements(event: Event, order: Order | None) -> Iterator[Movement]:
    """What an event adds to which balances.

    Args:
        order: the event's order, as of the event or later: only its terms and policy count. None for other events.
    """
    match event:
        case BondFunded():
            yield Movement((BalanceKind.Bond, event.seller, event.token), event.amount)
        case BondWithdrawn():
            yield Movement((BalanceKind.Bond, event.seller, event.token), -event.amount)
        case Credited():
            yield Movement((BalanceKind.Credit, event.account, event.token), event.amount)
        case CreditPaid():
            yield Movement((BalanceKind.Credit, event.account, event.token), -event.amount)
        case MediationFeeCredited():
            yield Movement((BalanceKind.Credit, event.mediator, event.token), event.fee)
        case FeesClaimed():
            yield Movement((BalanceKind.Fee, event.policy_id, event.token), -event.amount)
        case OrderAccepted() | OrderOpened(state=State.Accepted):
            yield from _lock(order)
        case OrderDisputed() | OrderClosed():
            yield from _settle(event, order)


def _lock(order: Order | None) -> Iterator[Movement]:
    assert order is not None  # the fold made it
    assert order.terms is not None
    assert order.policy is not None
    bond = shares.bps(order.terms.price, order.policy.seller_bond_bps)
    yield Movement((BalanceKind.Bond, order.terms.seller, order.terms.token), -bond)


def _settle(event: OrderDisputed | OrderClosed, order: Order | None) -> Iterator[Movement]:
    assert order is not None  # the fold made it
    assert order.terms is not None
    terms = order.terms
    yield Movement((BalanceKind.Bond, terms.seller, terms.token), event.bond_returned)
    yield Movement((BalanceKind.Fee, terms.policy_id, terms.token), event.platform_fee)
