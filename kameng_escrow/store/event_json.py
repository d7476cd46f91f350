"""Events as JSON and back, exactly.

Names are the domain's. Amounts of money are decimal strings, since a JSON number past 2^53 is another one to most
readers; other integers (seconds, units, rights) are numbers; the contract's words are their labels.
"""

import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import orjson

from kameng_escrow.domain.event_values import Values, event_classes, values_of
from kameng_escrow.domain.events import Event, OrderEvent
from kameng_escrow.domain.order import OrderTerms
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
_WORDS = (State, Outcome, Fault)
_LABELS: dict[type[Any], tuple[str, ...]] = {word: tuple(member.label for member in word) for word in _WORDS}

_Read = Callable[[Any], Any]


def event_names() -> tuple[str, ...]:
    """The names of all events."""
    return tuple(event_classes())


def order_event_names() -> tuple[str, ...]:
    """The names of the events that orders are folded from."""
    return tuple(event.__name__ for event in typing.get_args(OrderEvent))


def subject_of(event: Event) -> str:
    """The order, account or policy that an event is about."""
    return str(getattr(event, _subject_field(type(event).__name__)))


def to_json(event: Event) -> dict[str, Any]:
    """The event's fields."""
    return {_subject_field(type(event).__name__): subject_of(event), **stored_fields(event)}


def from_json(name: str, document: Mapping[str, Any]) -> Event:
    """The event of that name. Raises KeyError where there is none, or a field is missing."""
    event: Event = _decode(event_classes()[name], document)
    return event


def stored_fields(event: Event) -> dict[str, Any]:
    """The event's fields but for its subject, which rows have apart."""
    return _writer(type(event).__name__)(values_of(event))


def stored(name: str, values: Values) -> str:
    """The same as text, of the event's name and values (`domain.event_values`)."""
    return orjson.dumps(_writer(name)(values)).decode()


def from_stored(name: str, subject: str, document: Mapping[str, Any]) -> Event:
    """The event of such fields and their subject."""
    return from_json(name, {**document, _subject_field(name): subject})


def terms_to_json(terms: OrderTerms) -> dict[str, Any]:
    """The terms' fields, likewise."""
    return _terms_writer()(values_of(terms))


def terms_from_json(document: Mapping[str, Any]) -> OrderTerms:
    """The terms of such fields. Raises KeyError where one is missing."""
    terms: OrderTerms = _decode(OrderTerms, document)
    return terms


@cache
def _subject_field(name: str) -> str:
    """The first of an event's fields: what it is about."""
    return fields(event_classes()[name])[0].name


_Write = Callable[[Values], dict[str, Any]]
_WRITERS: dict[str, _Write] = {}  # made when first needed


def _writer(name: str) -> _Write:
    """What makes JSON of an event's values, but for the subject."""
    return _WRITERS.get(name) or _WRITERS.setdefault(name, _make_writer(event_classes()[name], first=1))


@cache
def _terms_writer() -> _Write:
    return _make_writer(OrderTerms)


def _make_writer(kind: type[Any], first: int = 0) -> _Write:
    """Compiled, since every event of a chain goes through it."""
    names: dict[str, Any] = {f"{word.__name__}_labels": labels for word, labels in _LABELS.items()}
    exec(f"def write(values):\n    return {_display(kind, 'values', first)}", names)
    made: _Write = names["write"]
    return made


def _display(kind: type[Any], values: str, first: int = 0) -> str:
    """The expression of a dataclass as JSON, without so many fields; `values` is that of its fields' values."""
    hints = typing.get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    shown = (f"{name!r}: {_shown(name, hints[name], f'{values}[{names.index(name)}]')}" for name in names[first:])
    return f"{{{', '.join(shown)}}}"


def _shown(name: str, kind: type[Any], value: str) -> str:
    if is_dataclass(kind):
        return _display(kind, value)
    if kind in _WORDS:
        return f"{kind.__name__}_labels[{value}]"
    if kind is int:
        return f"str({value})" if name in AMOUNTS else value
    if kind is str:
        return value
    raise TypeError(f"no rule for {name}: {kind.__name__}")


def _decode(kind: type[Any], document: Mapping[str, Any]) -> Any:
    return kind(**{name: read(document[name]) for name, read in _readers(kind).items()})


_READERS: dict[type[Any], dict[str, _Read]] = {}  # likewise


def _readers(kind: type[Any]) -> dict[str, _Read]:
    if (known := _READERS.get(kind)) is not None:
        return known
    hints = typing.get_type_hints(kind)
    return _READERS.setdefault(kind, {field.name: _reader(field.name, hints[field.name]) for field in fields(kind)})


def _reader(name: str, kind: type[Any]) -> _Read:
    if is_dataclass(kind):
        return lambda document: _decode(kind, document)
    if kind in _WORDS:
        return {member.label: member for member in kind}.__getitem__
    return int if kind is int and name in AMOUNTS else _same


def _same(value: Any) -> Any:
    return value
