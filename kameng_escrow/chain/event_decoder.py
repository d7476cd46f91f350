"""Events out of logs, by functions that are generated from the ABI.

All but the variable parts of an event stand at fixed places, so that its decoder is a handful of slices: made once, as
source text from the ABI, and compiled, as dataclasses are. What varies in length is left to eth_abi. Padding is looked
at as closely as the contract does: a word that is too large for its type is refused.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode

from .abi import AbiEntry, enum_of, python_name, type_of
from .checksums import Checksums

Decode = Callable[[Sequence[str], str], Any]  # topics and data, lowercase 0x-hex → the event
Values = tuple[Any, ...]  # an event's, in the ABI's order: strings, integers, structs as tuples, enums as their numbers
Read = Callable[[Sequence[str], str], Values]  # topics and data, likewise → the event's values

_WORD = 64  # hex digits
_PREFIX = 2  # of 0x
_STATIC = re.compile(r"(u?int\d+|address|bytes32)$")


def make_decoder(entry: AbiEntry, event: type[Any], structs: Mapping[str, type[Any]]) -> Decode:
    """The function that makes `event` of the topics and data of a log of the ABI's `entry`.

    Args:
        structs: the domain's classes of the structs that the event may carry, by name.

    The function raises ValueError, KeyError or eth_abi's DecodingError for what is no such log.
    """
    return _Source(entry, event, structs).compile()


def make_reader(entry: AbiEntry) -> Read:
    """As `make_decoder`, for whoever has no time for objects: the function that makes plain values of a log."""
    return _Source(entry, None, {}).compile()


class _Members(dict[str, Any]):
    """The members of an enum, or their numbers, by their ABI word."""

    def __init__(self, enum: type[Any], *, plain: bool) -> None:
        super().__init__((f"{member:064x}", int(member) if plain else member) for member in enum)
        self._name = enum.__name__

    def __missing__(self, word: str) -> Any:
        raise ValueError(f"{word} is no {self._name}")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a word is."""

    text: str  # the variable that holds it: "data", or "topics[1]"
    start: int  # of its digits in there

    def digits(self, count: int = _WORD) -> str:
        """The expression of its last `count` digits."""
        end = self.start + _WORD
        return f"{self.text}[{end - count}:{end}]"

    def padding(self, count: int) -> str:
        """The expression of all but its last `count` digits."""
        return f"{self.text}[{self.start}:{self.start + _WORD - count}]"


class _Source:
    """A decoder as source text, and the names that it uses. Without an event: of one that makes plain values."""

    def __init__(self, entry: AbiEntry, event: type[Any] | None, structs: Mapping[str, type[Any]]) -> None:
        self._plain = event is None
        self._structs = structs
        self._checks: list[str] = []
        self._names: dict[str, Any] = {"addresses": Checksums(), "event": event}
        inputs = entry["inputs"]
        indexed = [item for item in inputs if item["indexed"]]
        plain = [item for item in inputs if not item["indexed"]]
        self._topics = 1 + len(indexed)  # with the event's own
        found = {
            item["name"]: self._read(item, _Place(f"topics[{number}]", _PREFIX))
            for number, item in enumerate(indexed, 1)
        }
        self._size: int | None = None  # of the data with its 0x; None: it varies
        if all(is_static(item) for item in plain):
            self._size = _PREFIX + _WORD * sum(words_of(item) for item in plain)
            found |= self._fields(plain, _PREFIX)
        else:
            found |= self._variable(plain)
        self._result = self._made("event", {item["name"]: found[item["name"]] for item in inputs})

    def compile(self) -> Decode:
        sizes = [f"len(topics) != {self._topics}"]
        sizes += [f"len(topics[{number}]) != {_PREFIX + _WORD}" for number in range(1, self._topics)]
        sizes += [f"len(data) != {self._size}"] if self._size is not None else []
        lines = [
            "def decode(topics, data):",
            f"    if {' or '.join(sizes)}:",
            "        raise ValueError(f'{len(topics)} topics and {len(data) // 2 - 1} bytes of data')",
            *self._checks,
            f"    return {self._result}",
        ]
        exec("\n".join(lines), self._names)
        made: Decode = self._names["decode"]
        return made

    def _made(self, name: str, parts: Mapping[str, str]) -> str:
        """The expression of a class's instance, or of the tuple in its place, by its parts' expressions."""
        if self._plain:
            return f"({', '.join(parts.values())},)"
        return f"{name}({', '.join(f'{python_name(part)}={value}' for part, value in parts.items())})"

    def _fields(self, entries: Sequence[AbiEntry], start: int) -> dict[str, str]:
        found = {}
        for item in entries:
            found[item["name"]] = self._read(item, _Place("data", start))
            start += _WORD * words_of(item)
        return found

    def _read(self, entry: AbiEntry, place: _Place) -> str:
        """The expression that reads a parameter; what must hold for it goes to the checks."""
        kind: str = entry["type"]
        if kind == "tuple":
            name = entry["internalType"].removeprefix("struct ")
            self._names[name] = self._structs.get(name)
            return self._made(name, self._fields(entry["components"], place.start))
        if kind == "address":
            return f"addresses[{place.digits()}]"
        if kind == "bytes32":
            return f"'0x' + {place.digits()}"
        if not kind.startswith("uint"):
            raise TypeError(f"{entry['name']} is of type {kind}, for which there is no rule")
        enum = enum_of(entry)
        if enum is not None:
            self._names[enum.__name__] = _Members(enum, plain=self._plain)
            return f"{enum.__name__}[{place.digits()}]"
        count = int(kind.removeprefix("uint")) // 4
        if count < _WORD:
            self._checks += [
                f"    if {place.padding(count)} != '{'0' * (_WORD - count)}':",
                f"        raise ValueError('{entry['name']} is too large for its type')",
            ]
        return f"int({place.digits(count)}, 16)"

    def _variable(self, entries: Sequence[AbiEntry]) -> dict[str, str]:
        types = [type_of(item) for item in entries]
        self._names["values_of"] = lambda data: [
            self._value(item, value)
            for item, value in zip(entries, decode(types, bytes.fromhex(data[_PREFIX:])), strict=True)
        ]
        self._checks.append("    values = values_of(data)")
        return {item["name"]: f"values[{number}]" for number, item in enumerate(entries)}

    def _value(self, entry: AbiEntry, value: Any) -> Any:
        """What eth_abi made of a parameter, in our words."""
        kind: str = entry["type"]
        if kind == "tuple":
            parts = zip(entry["components"], value, strict=True)
            fields = {python_name(item["name"]): self._value(item, part) for item, part in parts}
            struct = self._structs.get(entry["internalType"].removeprefix("struct "))
            return tuple(fields.values()) if struct is None else struct(**fields)
        if kind == "address":
            return self._names["addresses"]["0" * 24 + value[_PREFIX:]]
        if kind.startswith("bytes") and not kind.endswith("]"):
            return "0x" + value.hex()
        enum = enum_of(entry)
        return value if enum is None or self._plain else enum(value)


def is_static(entry: AbiEntry) -> bool:
    """Whether a parameter always takes the same room."""
    if entry["type"] == "tuple":
        return all(is_static(item) for item in entry["components"])
    return _STATIC.match(entry["type"]) is not None


def words_of(entry: AbiEntry) -> int:
    """How many words a static parameter takes."""
    return sum(words_of(item) for item in entry["components"]) if entry["type"] == "tuple" else 1
