"""Events as JSON and back, exactly.

Names are the domain's. Amounts of money are decimal strings, since a JSON number past 2^53 is another one to most
readers; other integers (seconds, units, rights) are numbers; the contract's words are their labels.
"""

import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any

import orjson

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
_SUBJECTS = ("order_id", "seller", "account", "policy_id")  # the first of these that an event has is what it is about

_WORDS = (State, Outcome, Fault)
_LABELS: dict[type[Any], tuple[str, ...]] = {word: tuple(member.label for member in word) for word in _WORDS}

_Read = Callable[[Any], Any]


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
    document: dict[str, Any] = _writer(type(event))(event)
    return document


def from_json(name: str, document: Mapping[str, Any]) -> Event:
    """The event of that name. Raises KeyError where there is none, or a field is missing."""
    event: Event = _decode(_classes()[name], document)
    return event


def stored_fields(event: Event) -> dict[str, Any]:
    """The event's fields but for its subject, which rows have apart."""
    kind = type(event)
    return _writer(kind, _subject_field(kind.__name__))(event)


def stored(event: Event) -> tuple[str, str, str]:
    """The columns of an event's row that say what it is: name, subject, and `stored_fields` as text."""
    name, subject_of_it, write = _FORMS.get(type(event)) or _form(type(event))
    return name, subject_of_it(event), orjson.dumps(write(event)).decode()


def from_stored(name: str, subject: str, document: Mapping[str, Any]) -> Event:
    """The event of such fields and their subject."""
    return from_json(name, {**document, _subject_field(name): subject})


def terms_to_json(terms: OrderTerms) -> dict[str, Any]:
    """The terms' fields, likewise."""
    return _writer(OrderTerms)(terms)


def terms_from_json(document: Mapping[str, Any]) -> OrderTerms:
    """The terms of such fields. Raises KeyError where one is missing."""
    terms: OrderTerms = _decode(OrderTerms, document)
    return terms


@cache
def _classes() -> dict[str, type[Event]]:
    return {event.__name__: event for event in typing.get_args(Event)}


@cache
def _subject_field(name: str) -> str:
    names = {field.name for field in fields(_classes()[name])}
    return next(name for name in _SUBJECTS if name in names)


_FORMS: dict[type[Any], tuple[str, Callable[[Any], str], "_Write"]] = {}  # made when first needed


def _form(kind: type[Any]) -> tuple[str, Callable[[Any], str], "_Write"]:
    subject = _subject_field(kind.__name__)
    return _FORMS.setdefault(kind, (kind.__name__, attrgetter(subject), _writer(kind, subject)))


_Write = Callable[[Any], dict[str, Any]]
_WRITERS: dict[tuple[type[Any], str | None], _Write] = {}  # made when first needed


def _writer(kind: type[Any], without: str | None = None) -> _Write:
    """What makes JSON of an event, all its fields but one."""
    made = _WRITERS.get((kind, without))
    return made or _WRITERS.setdefault((kind, without), _make_writer(kind, without))


def _make_writer(kind: type[Any], without: str | None) -> _Write:
    """Compiled, since every event of a chain goes through it."""
    names: dict[str, Any] = {f"{word.__name__}_labels": labels for word, labels in _LABELS.items()}
    exec(f"def write(event):\n    return {_display(kind, 'event', without)}", names)
    made: _Write = names["write"]
    return made


def _display(kind: type[Any], value: str, without: str | None = None) -> str:
    """The expression of a dataclass's fields as JSON; `value` is that of the dataclass."""
    hints = typing.get_type_hints(kind)
    names = (field.name for field in fields(kind) if field.name != without)
    return "{" + ", ".join(f"{name!r}: {_shown(name, hints[name], f'{value}.{name}')}" for name in names) + "}"


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
