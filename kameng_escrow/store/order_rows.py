"""Orders and policies as columns, and back: nothing is lost on the way."""

from collections.abc import Callable, Mapping, Sequence
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
POLICY_COLUMNS = tuple(field.name for field in fields(Policy))
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

# The columns of an open order's clock.
CLOCK_KEY = ("contract_id", "state", "first_block", "first_log_index")
CLOCK = (*CLOCK_KEY, "deadline")

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


def clock_key(contract_id: int, state: State, first: tuple[int, int]) -> tuple[Any, ...]:
    """The values of the columns CLOCK_KEY. `first`: block and log index of the order's first event."""
    return (contract_id, _labels[0][state], *first)


def _share_values(shares: Shares | Plain | None, values: Values) -> tuple[Any, ...]:
    if shares is None:
        return _NO_SHARES
    amounts = shares if isinstance(shares, tuple) else _shares_of(shares)
    return tuple([values.amount(amount, ORDER_DIGITS) for amount in amounts])


RESTORED = (
    "order_id",
    *_TERMS,
    *_PLAIN,
    *(f"undisputed_{name}" for name in _SHARES),
    *(f"shares_{name}" for name in _SHARES),
)
_restored_of = attrgetter(*RESTORED)
_BUYER = 1 + _TERMS.index("buyer")
_POLICY_ID = 1 + _TERMS.index("policy_id")
_ends = [1, 1 + len(_TERMS), 1 + len(_TERMS) + len(_PLAIN)]
_of_terms, _of_plain = slice(_ends[0], _ends[1]), slice(_ends[1], _ends[2])
_of_undisputed, _of_shares = slice(_ends[2], _ends[2] + len(_SHARES)), slice(_ends[2] + len(_SHARES), None)


def restore_order(row: Any, policies: Mapping[str, Policy]) -> Order:
    """The order of a row of the table. `policies` must have the order's."""
    return restore_order_values(_restored_of(row), policies.__getitem__)


def restore_order_values(values: Plain, policy_of: Callable[[str], Policy]) -> Order:
    """The order of the values of the columns RESTORED. `policy_of` has the policy of an id."""
    opened = values[_BUYER] is not None
    return Order(
        id=values[0],
        terms=OrderTerms(**dict(zip(_TERMS, values[_of_terms], strict=True))) if opened else None,
        policy=policy_of(values[_POLICY_ID]) if opened else None,
        undisputed=_shares(values[_of_undisputed]),
        shares=_shares(values[_of_shares]),
        **dict(zip(_PLAIN, values[_of_plain], strict=True)),
    )


def _shares(values: Plain) -> Shares | None:
    return None if values[0] is None else Shares(**dict(zip(_SHARES, values, strict=True)))


def policy_columns(policy: Policy) -> dict[str, Any]:
    """The columns of a policy, except its id and what became of it."""
    return asdict(policy)


def restore_policy(row: PolicyRow) -> Policy:
    """The policy that `policy_columns` took apart."""
    return restore_policy_values([getattr(row, name) for name in POLICY_COLUMNS])


def restore_policy_values(values: Sequence[Any]) -> Policy:
    """The policy of the values of POLICY_COLUMNS."""
    return Policy(**dict(zip(POLICY_COLUMNS, values, strict=True)))
