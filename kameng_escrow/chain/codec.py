"""Between the domain's values and the ABI's: calls out, results and logs in.

Everything here is derived from the packaged ABIs: a struct of the ABI is the domain's class of the same name, an event
likewise, a field the attribute of the same name in Python's spelling.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, get_args

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from kameng_escrow.domain.events import Event, Logged
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import Policy

from .abi import AbiEntry, enum_of, python_name, type_of
from .artifacts import load_artifact
from .errors import InvalidInput, UndecodableLog
from .event_decoder import Decode, Read, Values, make_decoder, make_reader

_STRUCTS: dict[str, type] = {"OrderTerms": OrderTerms, "Policy": Policy}  # those that events carry
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
            return self.selector + encode([type_of(entry) for entry in self.inputs], values)
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
            values = decode([type_of(entry) for entry in self.outputs], data)
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
            types = ",".join(type_of(item) for item in entry["inputs"])
            selector = keccak(text=f"{entry['name']}({types})")[:4]
            found[entry["name"]] = Function(entry["name"], selector, tuple(entry["inputs"]), tuple(entry["outputs"]))
    return found


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
        return to_checksum_address(value)
    if kind == "bytes32":
        return "0x" + value.hex()
    enum = enum_of(entry)
    return value if enum is None else enum(value)


# --------------------------------------------------------------------------------------------------------------- logs


def event_topics() -> Mapping[str, type[Event]]:
    """topic0 (0x-hex) of every event of the escrow, and its class."""
    return {topic: form.event for topic, form in _forms().items()}


def decode_log(raw_log: Mapping[str, Any], timestamp: int) -> Logged | None:
    """The event in a log of `eth_getLogs`, raw JSON or web3's form; None for a log that is none of ours.

    `timestamp` is its block's, Unix seconds. The log's address is not looked at: filter by it.

    Raises:
        UndecodableLog: the topic is ours but the log does not decode, or lacks a field.
    """
    topics = raw_log.get("topics")
    if not topics:
        return None
    topics = [_hex(topic) for topic in topics]
    if topics[0] not in _forms():
        return None
    try:
        return Logged(
            event=decode_event(topics, _hex(raw_log["data"])),
            block_number=_integer(raw_log["blockNumber"]),
            block_hash=_hex(raw_log["blockHash"]),
            timestamp=timestamp,
            transaction_hash=_hex(raw_log["transactionHash"]),
            log_index=_integer(raw_log["logIndex"]),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise undecodable(topics[0], error) from error


def decode_event(topics: Sequence[str], data: str) -> Event:
    """The event of a log's topics and data, lowercase 0x-hex.

    Raises:
        UndecodableLog: the log does not decode.
        KeyError: the topic is none of ours.
    """
    form = _forms()[topics[0]]
    try:
        _check_hex(topics, data)
        event: Event = form.decode(topics, data)
    except (ValueError, DecodingError) as error:
        raise undecodable(topics[0], error) from error
    return event


def read_event(topics: Sequence[str], data: str) -> tuple[str, Values]:
    """As `decode_event`, without an object: the event's name and its values, for `domain.event_values`."""
    form = _forms()[topics[0]]
    try:
        _check_hex(topics, data)
        return form.event.__name__, form.read(topics, data)
    except (ValueError, DecodingError) as error:
        raise undecodable(topics[0], error) from error


def _check_hex(topics: Sequence[str], data: str) -> None:
    """Raises ValueError for what is no hex at all."""
    bytes.fromhex(data[2:])
    for topic in topics:
        bytes.fromhex(topic[2:])


def undecodable(topic: str, error: Exception) -> UndecodableLog:
    """What to raise for a log that has the topic of an event and is none."""
    name = event_topics()[topic].__name__
    return UndecodableLog(
        f"A log with the topic of {name} is not one ({type(error).__name__}: {error}): "
        "ask another node, and check that the address is the escrow's.",
        f"一条日志带有 {name} 的主题，但并不是它：请换一个节点，并核对合约地址。",
    )


@dataclass(frozen=True, slots=True)
class _Form:
    """How one of the escrow's events is read."""

    event: type[Event]
    decode: Decode
    read: Read


@cache
def _forms() -> Mapping[str, _Form]:
    """By topic0."""
    classes = {cls.__name__: cls for union in get_args(Event) for cls in (get_args(union) or (union,))}
    found = {}
    for entry in load_artifact("KamengEscrow").abi:
        if entry["type"] == "event" and entry["name"] in classes:
            event = classes[entry["name"]]
            topic = keccak(text=f"{entry['name']}({','.join(type_of(item) for item in entry['inputs'])})")
            found["0x" + topic.hex()] = _Form(event, make_decoder(entry, event, _STRUCTS), make_reader(entry))
    return found


def _hex(value: Any) -> str:
    """Lowercase 0x-hex, of JSON's strings and web3's bytes."""
    return value.lower() if isinstance(value, str) else "0x" + bytes(value).hex()


def _integer(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)
