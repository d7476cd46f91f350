"""Orders and policies as columns, and back: nothing is lost on the way."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from operator import attrgetter
from typing import Any, Protocol

from kameng_escrow.domain.order import Order, OrderTerms, Shares
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import Fault, Outcome, State

from .bulk import Values
from .models import ORDER_DIGITS, PolicyRow

_TERMS = tuple(field.name for field in fields(OrderTerms))
_SHARES = tuple(field.name for field in fields(Shares))
_POLICY = tuple(field.name for field in fields(Policy))
_PARTS = {"id", "terms", "policy", "undisputed", "shares"}
_PLAIN = tuple(field.name for field in fields(Order) if field.name not in _PARTS)  # one column of the same name each
_WORDS = (("state", State), ("outcome", Outcome), ("fault", Fault))
_LASTING = ("payer", "opened_at")  # which the opening says, with the terms
_DISPUTED = ("disputed_at", "disputed_units", "evidence", "grounds", "mediator")
_AMOUNTS = ("awarded", "mediation_fee")
_MOVING = tuple(
    name for name in _PLAIN if name not in {*_LASTING, *_DISPUTED, *_AMOUNTS, *(word for word, _ in _WORDS)}
)

# The columns of an order apart from its contract and the places of its events. Those of OPENING never change once they
# are known; those of DISPUTE are as at first (`undisputed_values`) in an order that never was disputed, as most are.
OPENING = (*_TERMS, *_LASTING)
COURSE = (*(name for name, _ in _WORDS), *_MOVING, *(f"shares_{name}" for name in _SHARES))
DISPUTE = (*_DISPUTED, *_AMOUNTS, *(f"undisputed_{name}" for name in _SHARES))
UNDISPUTED = ("disputed_units", "mediation_fee")  # those of DISPUTE that are not NULL at first

_labels = [tuple(member.label for member in word) for _, word in _WORDS]
_words_of = attrgetter(*(name for name, _ in _WORDS))
_moving_of = attrgetter(*_MOVING)
_disputed_of = attrgetter(*_DISPUTED)
_terms_of = attrgetter(*_TERMS)
_shares_of = attrgetter(*_SHARES)
_PRICE = _TERMS.index("price")
_NO_TERMS = (None,) * len(_TERMS)
_NO_SHARES = (None,) * len(_SHARES)


Plain = tuple[Any, ...]  # the values of a dataclass's fields


class OrderLike(Protocol):
    """What has the attributes of an `Order`; terms and shares may be the tuples of their values."""

    @property
    def terms(self) -> OrderTerms | Plain | None: ...
    @property
    def undisputed(self) -> Shares | Plain | None: ...
    @property
    def shares(self) -> Shares | Plain | None: ...
    @property
    def payer(self) -> str | None: ...
    @property
    def opened_at(self) -> int | None: ...
    @property
    def awarded(self) -> int | None: ...
    @property
    def mediation_fee(self) -> int: ...


def opening_values(order: OrderLike, values: Values) -> tuple[Any, ...]:
    """The values of the columns OPENING. The policy is kept by its id, in the terms."""
    if order.terms is None:
        return (*_NO_TERMS, order.payer, order.opened_at)
    terms = list(order.terms if isinstance(order.terms, tuple) else _terms_of(order.terms))
    terms[_PRICE] = values.amount(terms[_PRICE], ORDER_DIGITS)
    return (*terms, order.payer, order.opened_at)


def course_values(order: OrderLike, values: Values) -> tuple[Any, ...]:
    """The values of the columns COURSE."""
    state, outcome, fault = _words_of(order)
    return (
        _labels[0][state],
        _labels[1][outcome],
        _labels[2][fault],
        *_moving_of(order),
        *_share_values(order.shares, values),
    )


def dispute_values(order: OrderLike, values: Values) -> tuple[Any, ...]:
    """The values of the columns DISPUTE."""
    return (
        *_disputed_of(order),
        values.amount(order.awarded, ORDER_DIGITS),
        values.amount(order.mediation_fee, ORDER_DIGITS),
        *_share_values(order.undisputed, values),
    )


def undisputed_values(values: Values) -> tuple[Any, ...]:
    """The values of the columns UNDISPUTED."""
    return 0, values.amount(0, ORDER_DIGITS)


def _share_values(shares: Shares | Plain | None, values: Values) -> tuple[Any, ...]:
    if shares is None:
        return _NO_SHARES
    amounts = shares if isinstance(shares, tuple) else _shares_of(shares)
    return tuple([values.amount(amount, ORDER_DIGITS) for amount in amounts])


def restore_order(row: Any, policies: Mapping[str, Policy]) -> Order:
    """The order of a row of the table. `policies` must have the order's."""
    terms = None if row.buyer is None else OrderTerms(**{name: getattr(row, name) for name in _TERMS})
    return Order(
        id=row.order_id,
        terms=terms,
        policy=policies[terms.policy_id] if terms else None,
        undisputed=_shares(row, "undisputed"),
        shares=_shares(row, "shares"),
        **{name: getattr(row, name) for name in _PLAIN},
    )


def _shares(row: Any, prefix: str) -> Shares | None:
    if getattr(row, f"{prefix}_to_buyer") is None:
        return None
    return Shares(**{name: getattr(row, f"{prefix}_{name}") for name in _SHARES})


def policy_columns(policy: Policy) -> dict[str, Any]:
    """The columns of a policy, except its id and what became of it."""
    return asdict(policy)


def restore_policy(row: PolicyRow) -> Policy:
    """The policy that `policy_columns` took apart."""
    return Policy(**{name: getattr(row, name) for name in _POLICY})
