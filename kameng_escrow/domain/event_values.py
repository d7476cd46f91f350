"""Events as plain values: what can be handed from process to process, and folded by the hundred thousand.

An event's values are its fields, in the order of its class, which is the ABI's: strings and integers, structs as tuples
of theirs, the contract's words as their numbers. The first of them is what the event is about.
"""

import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from .events import Event
from .order import OrderTerms

Values = tuple[Any, ...]


@cache
def event_classes() -> Mapping[str, type[Event]]:
    """Every event's class by its name."""
    return {event.__name__: event for event in typing.get_args(Event)}


def values_of(event: Event | OrderTerms) -> Values:
    """The values of an event, or of the terms in one."""
    return _values(event)


def event_of(name: str, values: Values) -> Event:
    """The event of such values. Raises KeyError where there is none of that name."""
    event: Event = _made(event_classes()[name], values)
    return event


def _values(value: Any) -> Values:
    return tuple(_plain(getattr(value, field.name)) for field in fields(value))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return _values(value)
    return int(value) if isinstance(value, int) else value


def _made(kind: Any, values: Values) -> Any:
    found = zip(_hints(kind).items(), values, strict=True)
    return kind(**{name: value if hint is str else _shaped(hint, value) for (name, hint), value in found})


def _shaped(kind: Any, value: Any) -> Any:
    return _made(kind, value) if is_dataclass(kind) else kind(value)


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}
