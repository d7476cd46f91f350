"""What events do to bonds, credits and fees: the contract's bookkeeping, told by its events alone."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

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
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import State
from kameng_escrow.store import BalanceKind

# The kind, as a plain number: an enum's hash is worked out anew each time. Then holder and token.
Key = tuple[int, str, str]
Movement = tuple[Key, int]  # so much more, in base units, on one balance; negative: less

_BOND, _CREDIT, _FEE = int(BalanceKind.Bond), int(BalanceKind.Credit), int(BalanceKind.Fee)
_NOTHING: tuple[Movement, ...] = ()


class Agreed(Protocol):
    """What was agreed on an order. Both are there from the opening on."""

    @property
    def terms(self) -> OrderTerms | None: ...
    @property
    def policy(self) -> Policy | None: ...


def movements(event: Event, order: Agreed | None) -> tuple[Movement, ...]:
    """What an event adds to which balances.

    Args:
        order: the event's order, as of the event or later: only its terms and policy count. None for other events.
    """
    moves = _MOVES.get(type(event))
    return _NOTHING if moves is None else moves(event, order)


def _opened(event: OrderOpened, order: Agreed | None) -> tuple[Movement, ...]:
    return _accepted(event, order) if event.state is State.Accepted else _NOTHING


def _accepted(_: OrderOpened | OrderAccepted, order: Agreed | None) -> tuple[Movement, ...]:
    terms = _terms(order)
    assert order is not None  # it has terms
    assert order.policy is not None  # it comes with them
    bond = shares.bps(terms.price, order.policy.seller_bond_bps)
    return (((_BOND, terms.seller, terms.token), -bond),)


def _paid(event: OrderDisputed | OrderClosed, order: Agreed | None) -> tuple[Movement, ...]:
    terms = _terms(order)
    return (
        ((_BOND, terms.seller, terms.token), event.bond_returned),
        ((_FEE, terms.policy_id, terms.token), event.platform_fee),
    )


def _terms(order: Agreed | None) -> OrderTerms:
    assert order is not None  # the fold made it
    assert order.terms is not None
    return order.terms


_MOVES: Mapping[type[Any], Callable[[Any, Agreed | None], tuple[Movement, ...]]] = {
    OrderOpened: _opened,
    OrderAccepted: _accepted,
    OrderDisputed: _paid,
    OrderClosed: _paid,
    MediationFeeCredited: lambda event, _: (((_CREDIT, event.mediator, event.token), event.fee),),
    BondFunded: lambda event, _: (((_BOND, event.seller, event.token), event.amount),),
    BondWithdrawn: lambda event, _: (((_BOND, event.seller, event.token), -event.amount),),
    Credited: lambda event, _: (((_CREDIT, event.account, event.token), event.amount),),
    CreditPaid: lambda event, _: (((_CREDIT, event.account, event.token), -event.amount),),
    FeesClaimed: lambda event, _: (((_FEE, event.policy_id, event.token), -event.amount),),
}
