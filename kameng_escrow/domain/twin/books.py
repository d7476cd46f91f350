"""What the twin keeps, and how a call on it either happens as a whole or not at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..events import Event
from ..order import Order
from ..policy import Policy
from ..signed import OperatorGrant

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A policy on the register."""

    policy: Policy
    review_by: int  # Unix seconds; the last second at which it takes new orders without a review
    retired: bool = False


class Book(dict[_K, _V]):
    """A dict that can take back what was written since `begin`, so that a call that is refused costs what it wrote, and
    not a copy of everything. It sees `book[key] = value` and `pop`, the only writing there is within a call.
    """

    __slots__ = ("_before",)

    def __init__(self, entries: Mapping[_K, _V] | None = None) -> None:
        super().__init__(entries or {})
        self._before: dict[_K, tuple[_V, ...]] = {}  # by key: the value before, or nothing

    def __setitem__(self, key: _K, value: _V) -> None:
        self._remember(key)
        super().__setitem__(key, value)

    def pop(self, key: _K, *default: Any) -> Any:
        """As a dict's."""
        self._remember(key)
        return super().pop(key, *default)

    def begin(self) -> None:
        """From here on."""
        self._before.clear()

    def take_back(self) -> None:
        """All that was written since `begin`."""
        for key, before in self._before.items():
            if before:
                super().__setitem__(key, before[0])
            else:
                super().pop(key, None)
        self._before.clear()

    def _remember(self, key: _K) -> None:
        if key not in self._before:
            self._before[key] = (self[key],) if key in self else ()


@dataclass(slots=True)
class Books:
    """The contract's storage and, beside it, the books of the tokens. Amounts in base units; what is absent is zero."""

    orders: dict[str, Order] = field(default_factory=dict)  # by order id
    policies: dict[str, Registered] = field(default_factory=dict)  # by policy id
    # by seller, operator, token and policy id
    grants: dict[tuple[str, str, str, str], OperatorGrant] = field(default_factory=dict)
    pay_to: dict[str, str] = field(default_factory=dict)  # by seller
    bonds: dict[tuple[str, str], int] = field(default_factory=dict)  # by seller and token; what is not locked in orders
    credits: dict[tuple[str, str], int] = field(default_factory=dict)  # by account and token
    fees: dict[tuple[str, str], int] = field(default_factory=dict)  # by policy id and token
    balances: dict[tuple[str, str], int] = field(default_factory=dict)  # by account and token, the escrow's too
    allowances: dict[tuple[str, str], int] = field(default_factory=dict)  # by owner and token: what the escrow may pull

    def copy(self) -> "Books":
        """Books that can be changed without changing these."""
        return Books(*(dict(getattr(self, name)) for name in _BOOKS))

    def begin(self) -> None:
        """From here on, all can be taken back."""
        for name in _BOOKS:
            book = getattr(self, name)
            if not isinstance(book, Book):  # put in its place by hand
                setattr(self, name, Book(book))
            getattr(self, name).begin()

    def take_back(self) -> None:
        """All that was written since `begin`."""
        for name in _BOOKS:
            getattr(self, name).take_back()


_BOOKS = tuple(entry.name for entry in fields(Books))


class Bookkeeper:
    """What every part of the twin works with: the books, and who calls when."""

    def __init__(self, address: str) -> None:
        self.address = address  # of the escrow
        self.books = Books()
        self._sender = ""  # the contract's msg.sender
        self._now = 0  # its block.timestamp
        self._events: list[Event] = []

    def _emit(self, event: Event) -> None:
        self._events.append(event)


_B = TypeVar("_B", bound=Bookkeeper)
_P = ParamSpec("_P")


def transaction(
    method: Callable[Concatenate[_B, _P], None],
) -> Callable[Concatenate[_B, str, int, _P], tuple[Event, ...]]:
    """Makes a method a call from outside: it takes who calls and at which Unix second first, and returns the events.

    If it raises, the books are as they were.
    """

    @wraps(method)
    def call(self: _B, caller: str, now: int, /, *args: _P.args, **kwargs: _P.kwargs) -> tuple[Event, ...]:
        self.books.begin()
        self._sender, self._now, self._events = caller, now, []
        try:
            method(self, *args, **kwargs)
        except BaseException:
            self.books.take_back()
            raise
        return tuple(self._events)

    return call
