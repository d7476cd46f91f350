"""Typed parameters out of TOML: every name known, every number within its bounds, nothing left out."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from types import UnionType
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import BadParameter


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


T = TypeVar("T", bound=_Dataclass)


class Within:
    """The bounds of a number, both included."""

    def __init__(self, least: float, most: float) -> None:
        self.least = least
        self.most = most


Share = Annotated[float, Within(0, 1)]  # a part of one, or a chance
Factor = Annotated[float, Within(0, 1_000)]  # times
Count = Annotated[int, Within(1, 10_000_000)]
Natural = Annotated[int, Within(0, 10_000_000_000)]


def read(kind: type[T], table: object, path: str = "") -> T:
    """A dataclass out of a table.

    Raises:
        BadParameter: a name that it does not have, one that is missing, or a value that does not fit.
    """
    if not isinstance(table, Mapping):
        raise BadParameter(path or "(file)", table, "a table", "一个表")
    hints = get_type_hints(kind, include_extras=True)
    known: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}
    for name in table:
        if _python(name) not in known:
            choices = ", ".join(known)
            raise BadParameter(
                _join(path, name), table[name], f"left out: there are {choices}", f"删去：可用 {choices}"
            )
    values = {}
    for name, field in known.items():
        given = next((value for key, value in table.items() if _python(key) == name), MISSING)
        if given is MISSING:
            if field.default is MISSING and field.default_factory is MISSING:
                raise BadParameter(_join(path, name), None, "given", "必填")
            continue
        values[name] = _value(hints[name], given, _join(path, name))
    return kind(**values)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of `base`, with what `over` names put in its place."""
    merged = dict(base)
    for name, value in over.items():
        before = merged.get(name)
        merged[name] = merge(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return merged


def _value(hint: Any, given: Any, path: str) -> Any:
    bounds = None
    if get_origin(hint) is Annotated:
        hint, bounds = get_args(hint)[:2]
    if get_origin(hint) in (UnionType, Union):  # something, or None where it is left out
        hint = next(one for one in get_args(hint) if one is not type(None))
        return _value(hint, given, path)
    if isinstance(hint, type) and is_dataclass(hint):
        return read(hint, given, path)
    if get_origin(hint) is dict:
        if not isinstance(given, Mapping) or not given:
            raise BadParameter(path, given, "a table with entries", "至少有一项的表")
        of = get_args(hint)[1]
        return {name: _value(of, value, _join(path, name)) for name, value in given.items()}
    if get_origin(hint) is tuple:
        of = get_args(hint)[0]
        if not isinstance(given, list):
            raise BadParameter(path, given, "a list", "一个列表")
        return tuple(_value(of, value, f"{path}[{place}]") for place, value in enumerate(given))
    return _plain(hint, given, path, bounds)


def _plain(hint: type[Any], given: Any, path: str, bounds: Within | None) -> Any:
    names = {float: ("a number", "数字"), int: ("a whole number", "整数"), bool: ("true or false", "true 或 false")}
    if hint is datetime:
        if not isinstance(given, datetime) or given.tzinfo is None:
            raise BadParameter(path, given, "a time with its offset from UTC", "带时区的时间")
        return given
    fits = isinstance(given, int | float) if hint is float else isinstance(given, hint)
    if not fits or (isinstance(given, bool) and hint is not bool):
        raise BadParameter(path, given, *names.get(hint, ("a text", "文字")))
    if bounds is not None and not bounds.least <= given <= bounds.most:  # also refuses nan
        between = f"{bounds.least:g} … {bounds.most:g}"
        raise BadParameter(path, given, between, f" {between}")
    return hint(given)


def _python(name: object) -> str:
    return str(name).replace("-", "_")


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)
