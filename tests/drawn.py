"""Random values of the domain's dataclasses, such as the contract could make them."""

import typing
from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import strategies as st

from kameng_escrow.store.event_json import AMOUNTS

_MONEY = AMOUNTS | {"awarded", "mediation_fee"}


def values_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Whatever the contract could make of a dataclass."""
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{field.name: _value_of(field.name, hints[field.name]) for field in fields(kind)})


def _value_of(name: str, hint: Any) -> st.SearchStrategy[Any]:
    options = typing.get_args(hint) or (hint,)
    return st.one_of([_plain(name, option) for option in options])


def _plain(name: str, kind: type[Any]) -> st.SearchStrategy[Any]:
    if kind is type(None):
        return st.none()
    if is_dataclass(kind):
        return values_of(kind)
    if kind is str:
        return st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
    if kind is int:
        return st.integers(0, 2**127 - 1 if name in _MONEY else 2**31 - 1)
    return st.sampled_from(kind)
