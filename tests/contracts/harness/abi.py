"""Contracts with Python's names: what goes in is encoded, what comes out is in the domain's words.

Values going in may be the domain's dataclasses and enums, hex strings or bytes. Values coming out are the domain's
event and struct classes where there is one of that name.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from eth_abi import decode, encode
from eth_utils import keccak, to_checksum_address

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.domain import events, order, policy, signed, states
from tests.contracts.harness.evm import GAS, Evm, Log, Receipt

Entry = Mapping[str, Any]  # a function, event, error or parameter of an ABI

_WORDS = {
    name: word
    for module in (events, order, policy, signed, states)
    for name, word in vars(module).items()
    if isinstance(word, type)
}
_RENAMED = {"from": "sender", "none": "nothing"}  # what Python reserves


def snake(name: str) -> str:
    plain = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
    return _RENAMED.get(plain, plain)


def type_of(parameter: Entry) -> str:
    """The canonical type, with tuples spelled out."""
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return "(" + ",".join(type_of(part) for part in parameter["components"]) + ")" + kind.removeprefix("tuple")


def to_abi(parameter: Entry, value: Any) -> Any:
    """A value as eth_abi takes it."""
    kind: str = parameter["type"]
    if kind.endswith("]"):
        item = {**parameter, "type": kind[: kind.rindex("[")]}
        return [to_abi(item, part) for part in value]
    if kind == "tuple":
        parts = parameter["components"]
        if is_dataclass(value):
            value = [getattr(value, snake(part["name"])) for part in parts]
        return tuple(to_abi(part, item) for part, item in zip(parts, value, strict=True))
    if kind.startswith("bytes") and isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    return value


def from_abi(parameter: Entry, value: Any) -> Any:
    """A decoded value in the domain's words."""
    kind: str = parameter["type"]
    if kind.endswith("]"):
        item = {**parameter, "type": kind[: kind.rindex("[")]}
        return [from_abi(item, part) for part in value]
    word = _WORDS.get(parameter.get("internalType", "").rpartition(" ")[2])
    if kind == "tuple":
        parts = parameter["components"]
        named = {snake(part["name"]): from_abi(part, item) for part, item in zip(parts, value, strict=True)}
        return word(**named) if word and is_dataclass(word) else SimpleNamespace(**named)
    if kind == "address":
        return to_checksum_address(value)
    if kind == "bytes32":
        return "0x" + value.hex()
    return word(value) if word and kind == "uint8" else value


class Contract:
    """A deployed contract. Its functions are attributes: views return the value, the others run a transaction."""

    def __init__(self, evm: Evm, address: str, abi: Sequence[Entry]) -> None:
        self.evm = evm
        self.address = address
        self.abi = abi

    @cached_property
    def _functions(self) -> dict[str, Entry]:
        return {entry["name"]: entry for entry in self.abi if entry["type"] == "function"}

    @cached_property
    def _events(self) -> dict[bytes, Entry]:
        return {keccak(text=signature(entry)): entry for entry in self.abi if entry["type"] == "event"}

    def data(self, function: str, *arguments: Any) -> bytes:
        """The calldata of a call."""
        entry = self._functions[function]
        inputs = entry["inputs"]
        assert len(inputs) == len(arguments), f"{signature(entry)} takes {len(inputs)} arguments"
        values = [to_abi(parameter, value) for parameter, value in zip(inputs, arguments, strict=True)]
        return selector(entry) + encode([type_of(parameter) for parameter in inputs], values)

    def __getattr__(self, function: str) -> Callable[..., Any]:
        if function.startswith("_") or function not in self._functions:
            raise AttributeError(f"the contract has no function {function}")
        entry = self._functions[function]

        def view(*arguments: Any, sender: str = "0x" + "ee" * 20, gas: int = GAS) -> Any:
            data = self.data(function, *arguments)
            return self.returned(function, self.evm.call(sender=sender, to=self.address, data=data, gas=gas))

        def transaction(*arguments: Any, sender: str, value: int = 0, gas: int = GAS) -> Receipt:
            data = self.data(function, *arguments)
            return self.evm.transact(sender=sender, to=self.address, data=data, value=value, gas=gas)

        return view if entry["stateMutability"] in ("view", "pure") else transaction

    def returned(self, function: str, receipt: Receipt) -> Any:
        """What a call returned: one value, or a tuple of them."""
        outputs = self._functions[function]["outputs"]
        values = decode([type_of(parameter) for parameter in outputs], receipt.returned)
        named = [from_abi(parameter, value) for parameter, value in zip(outputs, values, strict=True)]
        return named[0] if len(named) == 1 else tuple(named)

    def events(self, receipt: Receipt) -> list[Any]:
        """What this contract logged, in order: the domain's event classes, or namespaces with a `name`."""
        return [self._event(log) for log in receipt.logs if log.address == self.address]

    def _event(self, log: Log) -> Any:
        entry = self._events[log.topics[0]]
        indexed = [parameter for parameter in entry["inputs"] if parameter["indexed"]]
        plain = [parameter for parameter in entry["inputs"] if not parameter["indexed"]]
        values = dict(zip((parameter["name"] for parameter in plain), decode_all(plain, log.data), strict=True))
        for parameter, topic in zip(indexed, log.topics[1:], strict=True):
            [values[parameter["name"]]] = decode_all([parameter], topic)
        named = {
            snake(parameter["name"]): from_abi(parameter, values[parameter["name"]]) for parameter in entry["inputs"]
        }
        word = getattr(events, entry["name"], None)
        return word(**named) if word else SimpleNamespace(name=entry["name"], **named)


def decode_all(parameters: Sequence[Entry], data: bytes) -> tuple[Any, ...]:
    return tuple(decode([type_of(parameter) for parameter in parameters], data))


def signature(entry: Entry) -> str:
    return entry["name"] + "(" + ",".join(type_of(parameter) for parameter in entry["inputs"]) + ")"


def selector(entry: Entry) -> bytes:
    return bytes(keccak(text=signature(entry))[:4])


def deploy(evm: Evm, artifact: Artifact, *arguments: Any, sender: str, value: int = 0) -> Contract:
    """Creates a contract from its artifact."""
    inputs = next((entry["inputs"] for entry in artifact.abi if entry["type"] == "constructor"), ())
    values = [to_abi(parameter, item) for parameter, item in zip(inputs, arguments, strict=True)]
    data = bytes.fromhex(artifact.bytecode.removeprefix("0x")) + encode([type_of(item) for item in inputs], values)
    receipt = evm.transact(sender=sender, data=data, value=value)
    return Contract(evm, receipt.created, artifact.abi)
