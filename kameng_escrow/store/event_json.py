"""Events as JSON and back, exactly.

Names are the domain's. Amounts of money are decimal strings, since a JSON number past 2^53 is another one to most
readers; other integers (seconds, units, rights) are numbers; the contract's words are their labels.
"""

import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from kameng_escrow.domain.events import Event, OrderEvent
from kameng_escrow.domain.states import Fault, Outcome, State

AMOUNTS = frozenset(
    {
        "amount",
        "bond_returned",
        "dispute_bond",
        "fee",
        "max_price",
        "platform_fee",
        "price",
        "to_buyer",
        "to_seller",
    }
)
_SUBJECTS = ("order_id", "seller", "account", "policy_id")  # the first of these that an event has is what it is about

_Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]  # to JSON, from JSON


def event_names() -> tuple[str, ...]:
    """The names of all events."""
    return tuple(_classes())


def order_event_names() -> tuple[str, ...]:
    """The names of the events that orders are folded from."""
    return tuple(event.__name__ for event in typing.get_args(OrderEvent))


def subject_of(event: Event) -> str:
    """The order, account or policy that an event is about."""
    return str(getattr(event, _subject_field(type(event).__name__)))


def to_json(event: Event) -> dict[str, Any]:
    """The event's fields."""
    return _encode(event)


def from_json(name: str, document: Mapping[str, Any]) -> Event:
    """The event of that name. Raises KeyError where there is none, or a field is missing."""
    event: Event = _decode(_classes()[name], document)
    return event


@cache
def _classes() -> dict[str, type[Event]]:
    return {event.__name__: event for event in typing.get_args(Event)}


@cache
def _subject_field(name: str) -> str:
    names = {field.name for field in fields(_classes()[name])}
    return next(name for name in _SUBJECTS if name in names)


def _encode(value: Any) -> dict[str, Any]:
    return {name: to(getattr(value, name)) for name, (to, _) in _codecs(type(value)).items()}


def _decode(kind: type[Any], document: Mapping[str, Any]) -> Any:
    return kind(**{name: back(document[name]) for name, (_, back) in _codecs(kind).items()})


def _codecs(kind: type[Any]) -> dict[str, _Codec]:
    if (known := _CODECS.get(kind)) is not None:
        return known
    hints = typing.get_type_hints(kind)
    codecs = {field.name: _codec(field.name, hints[field.name]) for field in fields(kind)}
    return _CODECS.setdefault(kind, codecs)


_CODECS: dict[type[Any], dict[str, _Codec]] = {}  # worked out when first needed


def _codec(name: str, kind: type[Any]) -> _Codec:
    if is_dataclass(kind):
        return _encode, lambda document: _decode(kind, document)
    if kind in (State, Outcome, Fault):
        return (lambda word: word.label), kind.from_label
    if kind is int:
        return (str, int) if name in AMOUNTS else (_same, _same)
    if kind is str:
        return _same, _same
    raise TypeError(f"no rule for {name}: {kind.__name__}")


def _same(value: Any) -> Any:
    return value
