"""Memory that has an end: what was used longest ago is forgotten first.

Whoever can make up accounts can fill any memory that grows with their number. Here that costs the ones that nobody has
heard of for the longest time, and never the process.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, ClassVar, Generic, Protocol, TypeVar


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


Value = TypeVar("Value", bound=_Dataclass)


class Bounded(Generic[Value]):
    """Records by key, at most so many.

    Args:
        most: records that are kept.
        kind: a dataclass of JSON values, in which an empty one is made for a new key.
    """

    __slots__ = ("_kind", "_most", "_names", "_records")

    def __init__(self, most: int, kind: type[Value]) -> None:
        self._most = most
        self._kind = kind
        self._names = tuple(field.name for field in fields(kind))
        self._records: dict[str, Value] = {}

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def peek(self, key: str) -> Value | None:
        """The record of a key, if there is one; that it was looked at does not count as use."""
        return self._records.get(key)

    def at(self, key: str) -> Value:
        """The record of a key, which is the one used last from now on; an empty one where there was none."""
        found = self._records.pop(key, None)
        if found is None:
            if len(self._records) >= self._most:
                del self._records[next(iter(self._records))]
            found = self._kind()
        self._records[key] = found
        return found

    def dump(self) -> list[Any]:
        """As JSON, in the order of use."""
        names = self._names
        return [[key, *[getattr(record, name) for name in names]] for key, record in self._records.items()]

    def load(self, state: list[Any]) -> None:
        """Takes the place of what is there. Raises `ValueError` and the like for what `dump` did not give."""
        records: dict[str, Value] = {}
        for key, *values in state:
            record = self._kind()
            for name, value in zip(self._names, values, strict=True):
                setattr(record, name, value)
            records[key] = record
        self._records = records
