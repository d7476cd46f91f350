"""Between the domain's values and the ABI's: calls out, results and logs in.

Everything here is derived from the packaged ABIs: a struct of the ABI is the domain's class of the same name, an event
likewise, a field the attribute of the same name in Python's spelling.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, lru_cache
from typing import Any, get_args

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from kameng_escrow.domain import states
from kameng_escrow.domain.events import Event, Logged
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import Policy

from .artifacts import load_artifact
from .errors import InvalidInput, UndecodableLog

AbiEntry = Mapping[str, Any]

_WORD = 64  # hex digits
_STRUCTS: dict[str, type] = {"OrderTerms": OrderTerms, "Policy": Policy}  # those that events carry
_CLASHES = {"from": "sender"}  # what Python reserves


def python_name(name: str) -> str:
    """``refundTo`` → ``refund_to``."""
    snake = re.sub(r"(?<!^)([A-Z])", lambda match: "_" + match.group().lower(), name)
    return _CLASHES.get(snake, snake)


# -------------------------------------------------------------------------------------------------------------- calls


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a contract, as the ABI has it."""

    name: str
    selector: bytes
    inputs: tuple[AbiEntry, ...]
    outputs: tuple[AbiEntry, ...]

    def encode(self, *arguments: Any) -> bytes:
        """The calldata. Structs as the domain's values, hashes as 0x-hex, enums as members.

        Raises:
            InvalidInput: an argument is not what the function takes.
        """
        try:
            values = [_to_wire(entry, value) for entry, value in zip(self.inputs, arguments, strict=True)]
            return self.selector + encode([_type_of(entry) for entry in self.inputs], values)
        except (EncodingError, ValueError, TypeError, AttributeError) as error:
            raise InvalidInput(
                f"{self.name} can't be called with these arguments: {error}", f"不能用这些参数调用 {self.name}：{error}"
            ) from error

    def decode(self, data: bytes) -> Any:
        """What the function returned: one value, or a tuple of them. A struct is a dict by Python's names.

        Raises:
            InvalidInput: that is no answer of this function: there is another contract, or none, at the address.
        """
        try:
            values = decode([_type_of(entry) for entry in self.outputs], data)
            results = tuple(_from_wire(entry, value) for entry, value in zip(self.outputs, values, strict=True))
        except (DecodingError, ValueError) as error:
            raise InvalidInput(
                f"There is no contract with a function {self.name} at this address.",
                f"这个地址上没有带函数 {self.name} 的合约。",
            ) from error
        return results[0] if len(results) == 1 else results


@cache
def functions(artifact: str) -> Mapping[str, Function]:
    """The functions of a packaged contract by name."""
    found = {}
    for entry in load_artifact(artifact).abi:
        if entry["type"] == "function":
            types = ",".join(_type_of(item) for item in entry["inputs"])
            selector = keccak(text=f"{entry['name']}({types})")[:4]
            found[entry["name"]] = Function(entry["name"], selector, tuple(entry["inputs"]), tuple(entry["outputs"]))
    return found


def _type_of(entry: AbiEntry) -> str:
    """The canonical type: a struct as its fields' types in parentheses."""
    kind: str = entry["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type_of(item) for item in entry['components'])}){kind.removeprefix('tuple')}"


def _to_wire(entry: AbiEntry, value: Any) -> Any:
    kind: str = entry["type"]
    if kind.endswith("]"):
        element = {**entry, "type": kind[: kind.rindex("[")]}
        return [_to_wire(element, item) for item in value]
    if kind == "tuple":
        return tuple(_to_wire(item, getattr(value, python_name(item["name"]))) for item in entry["components"])
    if kind == "bytes32" and isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    return int(value) if isinstance(value, IntEnum) else value


def _from_wire(entry: AbiEntry, value: Any) -> Any:
    kind: str = entry["type"]
    if kind.endswith("]"):
        element = {**entry, "type": kind[: kind.rindex("[")]}
        return tuple(_from_wire(element, item) for item in value)
    if kind == "tuple":
        items = zip(entry["components"], value, strict=True)
        return {python_name(item["name"]): _from_wire(item, part) for item, part in items}
    if kind == "address":
        return _checksummed(value)
    if kind == "bytes32":
        return "0x" + value.hex()
    enum = _enum_of(entry)
    return value if enum is None else enum(value)


# --------------------------------------------------------------------------------------------------------------- logs


@dataclass(frozen=True, slots=True)
class _EventReader:
    """How to make an event of a log's words: all parameters are of fixed size, so each is at a known word."""

    event: type[Event]
    topics: int  # how many, with the event's own
    words: int  # of data
    fields: tuple[tuple[str, int, Callable[[Sequence[str], int], Any]], ...]  # name, first word, reader


def event_topics() -> Mapping[str, type[Event]]:
    """topic0 (0x-hex) of every event of the escrow, and its class."""
    return {"0x" + topic: reader.event for topic, reader in _event_readers().items()}


def decode_log(raw_log: Mapping[str, Any], timestamp: int) -> Logged | None:
    """The event in a log of `eth_getLogs`, raw JSON or web3's form; None for a log that is none of ours.

    `timestamp` is its block's, Unix seconds. The log's address is not looked at: filter by it.

    Raises:
        UndecodableLog: the topic is ours but the log does not decode, or lacks a field.
    """
    topics = raw_log.get("topics")
    if not topics:
        return None
    reader = _event_readers().get(_digits(topics[0]))
    if reader is None:
        return None
    try:
        data = _digits(raw_log["data"])
        bytes.fromhex(data)  # whether it is hex at all
        if len(topics) != reader.topics or len(data) != reader.words * _WORD:
            raise ValueError(f"{len(topics)} topics and {len(data) // 2} bytes of data")
        # Indexed parameters first, so that the words of topics and data are one sequence.
        words = [_digits(topic) for topic in topics[1:]]
        words += [data[start : start + _WORD] for start in range(0, len(data), _WORD)]
        return Logged(
            event=reader.event(**{name: read(words, first) for name, first, read in reader.fields}),
            block_number=_integer(raw_log["blockNumber"]),
            block_hash="0x" + _digits(raw_log["blockHash"]),
            timestamp=timestamp,
            transaction_hash="0x" + _digits(raw_log["transactionHash"]),
            log_index=_integer(raw_log["logIndex"]),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UndecodableLog(
            f"A log with the topic of {reader.event.__name__} is not one ({type(error).__name__}: {error}): "
            "ask another node, and check that the address is the escrow's.",
            f"一条日志带有 {reader.event.__name__} 的主题，但并不是它：请换一个节点，并核对合约地址。",
        ) from error


@cache
def _event_readers() -> Mapping[str, _EventReader]:
    classes = {cls.__name__: cls for union in get_args(Event) for cls in (get_args(union) or (union,))}
    readers = {}
    for entry in load_artifact("KamengEscrow").abi:
        if entry["type"] != "event" or entry["name"] not in classes:
            continue
        inputs = entry["inputs"]
        topic = keccak(text=f"{entry['name']}({','.join(_type_of(item) for item in inputs)})").hex()
        indexed = [item for item in inputs if item["indexed"]]
        plain = [item for item in inputs if not item["indexed"]]
        fields, first = [], 0
        for item in [*indexed, *plain]:
            words, read = _word_reader(item)
            fields.append((python_name(item["name"]), first, read))
            first += words
        readers[topic] = _EventReader(classes[entry["name"]], 1 + len(indexed), first - len(indexed), tuple(fields))
    return readers


def _word_reader(entry: AbiEntry) -> tuple[int, Callable[[Sequence[str], int], Any]]:
    """How many words a parameter takes, and what reads it from them. Refuses dirty padding, as the contract does."""
    kind: str = entry["type"]
    if kind == "tuple":
        struct = _STRUCTS[entry["internalType"].removeprefix("struct ")]
        parts, size = [], 0
        for item in entry["components"]:
            words, read = _word_reader(item)
            parts.append((python_name(item["name"]), size, read))
            size += words
        return size, lambda words, at: struct(**{name: read(words, at + offset) for name, offset, read in parts})
    if kind == "address":
        return 1, lambda words, at: _address(words[at])
    if kind == "bytes32":
        return 1, lambda words, at: "0x" + words[at]
    if not kind.startswith("uint"):
        raise TypeError(f"{entry['name']} is of type {kind}, which is no single word")
    enum, limit = _enum_of(entry), 1 << int(kind.removeprefix("uint"))
    return 1, lambda words, at: _number(words[at], limit) if enum is None else enum(int(words[at], 16))


def _enum_of(entry: AbiEntry) -> type[Any] | None:
    internal: str = entry.get("internalType", "")
    return getattr(states, internal.removeprefix("enum ")) if internal.startswith("enum ") else None


def _number(word: str, limit: int) -> int:
    number = int(word, 16)
    if number >= limit:
        raise ValueError(f"{number} is too large for its type")
    return number


def _address(word: str) -> str:
    if word[:24] != "0" * 24:
        raise ValueError(f"{word} is no address")
    return _checksummed("0x" + word[24:])


@lru_cache(maxsize=65_536)  # a checksum is a hash, and the same accounts come again and again
def _checksummed(address: str) -> str:
    return to_checksum_address(address)


def _digits(value: Any) -> str:
    """Hex digits without 0x, of JSON's strings and web3's bytes."""
    if isinstance(value, str):
        return value.removeprefix("0x").lower()
    return bytes(value).hex()


def _integer(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)
