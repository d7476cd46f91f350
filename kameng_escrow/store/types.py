"""Column types that keep what we count in exact, and readable in plain SQL.

Migrations use them too: what they make of a column never changes.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Generic, Protocol, Self, TypeVar

from sqlalchemy import JSON, Dialect, Numeric, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

POSTGRESQL = "postgresql"


class _Labelled(Protocol):
    """An enum of the domain: it says its name in SQL."""

    @property
    def label(self) -> str: ...

    @classmethod
    def from_label(cls, label: str) -> Self: ...


_Word = TypeVar("_Word", bound=_Labelled)


class Amount(TypeDecorator[int]):
    """A number of base units, exact and sortable on every database.

    PostgreSQL has NUMERIC for that. SQLite would make a float of anything past 2^63, so there it is text, padded with
    zeros to a fixed number of digits: text of one length sorts and compares as the numbers do, and
    ``CAST(price AS INTEGER)`` makes a number of a small one.
    """

    impl = Text
    cache_ok = True

    def __init__(self, digits: int) -> None:
        """`digits` bounds the column: 39 hold 2^128, 78 hold 2^256."""
        super().__init__()
        self.digits = digits

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == POSTGRESQL:
            return dialect.type_descriptor(Numeric(self.digits, 0))
        return dialect.type_descriptor(String(self.digits))

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not 0 <= value < 10**self.digits:
            raise ValueError(f"{value} is no amount of at most {self.digits} digits")
        return Decimal(value) if dialect.name == POSTGRESQL else str(value).zfill(self.digits)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else int(value)


class Label(TypeDecorator[_Word], Generic[_Word]):
    """A word of the domain, kept as its label: ``'Opened'``. The table adds a CHECK that lists the labels."""

    impl = String
    cache_ok = True

    def __init__(self, word: type[_Word]) -> None:
        super().__init__(16)
        self.word = word

    def process_bind_param(self, value: _Word | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else value.label

    def process_result_value(self, value: str | None, dialect: Dialect) -> _Word | None:  # noqa: ARG002
        return None if value is None else self.word.from_label(value)


def labels(word: Iterable[_Labelled]) -> tuple[str, ...]:
    """The labels of an enum's members."""
    return tuple(member.label for member in word)


def one_of(column: str, words: Iterable[str]) -> str:
    """The condition of a CHECK: ``state IN ('None', 'Opened', …)``."""
    quoted = ", ".join(f"'{word}'" for word in words)
    return f"{column} IN ({quoted})"


def any_of(column: str, words: Iterable[str]) -> str:
    """The same condition for tables that are written by the hundred thousand: ``state = 'None' OR state = 'Opened' …``.

    SQLite builds an index of a list for every statement, and takes longer to look into it than to write a row.
    """
    return " OR ".join(f"{column} = '{word}'" for word in words)


def Json() -> TypeEngine[Any]:  # noqa: N802 - stands where a type stands
    """JSON as text in SQLite and as JSONB in PostgreSQL. Amounts inside are decimal strings (see `event_json`)."""
    return JSON().with_variant(JSONB(), POSTGRESQL)


def Hash() -> String:  # noqa: N802
    """32 bytes as a lowercase ``0x`` string: readable in plain SQL, and the same everywhere else."""
    return _ascii(66)


def Address() -> String:  # noqa: N802
    """An address, checksummed."""
    return _ascii(42)


def _ascii(length: int) -> String:
    # Compared byte by byte, as SQLite does anyway, and not by some language's rules of sorting.
    return String(length).with_variant(String(length, collation="C"), POSTGRESQL)
