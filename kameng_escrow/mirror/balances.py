"""What events do to bonds, credits and fees: the contract's bookkeeping, told by its events alone."""

from collections.abc import Callable, Mapping
from typing import Protocol

from kameng_escrow.domain.event_values import Values
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.shares import bps
from kameng_escrow.domain.states import State
from kameng_escrow.store import BalanceKind

from .records import POLICY_ID, PRICE, SELLER, TOKEN

# The kind, as a plain number: an enum's hash is worked out anew each time. Then holder and token.
Key = tuple[int, str, str]
Movement = tuple[Key, int]  # so much more, in base units, on one balance; negative: less

_BOND, _CREDIT, _FEE = int(BalanceKind.Bond), int(BalanceKind.Credit), int(BalanceKind.Fee)
_NOTHING: tuple[Movement, ...] = ()


class Agreed(Protocol):
    """What was agreed on an order. Both are there from the opening on."""

    @property
    def terms(self) -> Values | None: ...
    @property
    def policy(self) -> Policy | None: ...


def movements(name: str, values: Values, order: Agreed | None) -> tuple[Movement, ...]:
    """What an event adds to which balances.

    Args:
        name, values: the event (`domain.event_values`).
        order: the event's order, as of the event or later: only its terms and policy count. None for other events.
    """
    moves = _MOVES.get(name)
    return _NOTHING if moves is None else moves(values, order)


def _opened(values: Values, order: Agreed | None) -> tuple[Movement, ...]:
    return _accepted(values, order) if values[3] == State.Accepted else _NOTHING


def _accepted(_: Values, order: Agreed | None) -> tuple[Movement, ...]:
    terms = _terms(order)
    assert order is not None  # it has terms
    assert order.policy is not None  # it comes with them
    bond = bps(terms[PRICE], order.policy.seller_bond_bps)
    return (((_BOND, terms[SELLER], terms[TOKEN]), -bond),)


def _paid(values: Values, order: Agreed | None) -> tuple[Movement, ...]:
    terms = _terms(order)
    *_, platform_fee, bond_returned = values
    return (
        ((_BOND, terms[SELLER], terms[TOKEN]), bond_returned),
        ((_FEE, terms[POLICY_ID], terms[TOKEN]), platform_fee),
    )


def _fee_credited(values: Values, _: Agreed | None) -> tuple[Movement, ...]:
    _, mediator, token, fee = values
    return (((_CREDIT, mediator, token), fee),)


def _funded(values: Values, _: Agreed | None) -> tuple[Movement, ...]:
    seller, token, _, amount = values
    return (((_BOND, seller, token), amount),)


def _withdrawn(values: Values, _: Agreed | None) -> tuple[Movement, ...]:
    seller, token, _, amount = values
    return (((_BOND, seller, token), -amount),)


def _credited(values: Values, _: Agreed | None) -> tuple[Movement, ...]:
    account, token, amount = values
    return (((_CREDIT, account, token), amount),)


def _credit_paid(values: Values, _: Agreed | None) -> tuple[Movement, ...]:
    account, token, _, amount = values
    return (((_CREDIT, account, token), -amount),)


def _claimed(values: Values, _: Agreed | None) -> tuple[Movement, ...]:
    policy_id, token, _, amount = values
    return (((_FEE, policy_id, token), -amount),)


def _terms(order: Agreed | None) -> Values:
    assert order is not None  # the fold made it
    assert order.terms is not None
    return order.terms


_MOVES: Mapping[str, Callable[[Values, Agreed | None], tuple[Movement, ...]]] = {
    "OrderOpened": _opened,
    "OrderAccepted": _accepted,
    "OrderDisputed": _paid,
    "OrderClosed": _paid,
    "MediationFeeCredited": _fee_credited,
    "BondFunded": _funded,
    "BondWithdrawn": _withdrawn,
    "Credited": _credited,
    "CreditPaid": _credit_paid,
    "FeesClaimed": _claimed,
}
