"""What the interface and the artifacts say: signatures, selectors, events, errors, views."""

import re
from functools import cache
from typing import Any

from eth_utils.abi import event_abi_to_log_topic, function_abi_to_4byte_selector

from kameng_escrow.chain.artifacts import load_artifact

from .text import ROOT

SOURCE = ROOT / "contracts" / "IKamengEscrow.sol"
LENS_SOURCE = ROOT / "contracts" / "KamengLens.sol"


@cache
def entries(kind: str, contract: str = "KamengEscrow") -> dict[str, Any]:
    """The ABI's functions, events or errors, by name; a name stands for one."""
    found = [entry for entry in load_artifact(contract).abi if entry["type"] == kind]
    assert len({entry["name"] for entry in found}) == len(found), "overloads need a page each"
    return {entry["name"]: entry for entry in found}


def writes() -> list[str]:
    """The functions that change something."""
    return [
        name for name, entry in entries("function").items() if entry["stateMutability"] in ("nonpayable", "payable")
    ]


def views(contract: str = "KamengEscrow") -> list[str]:
    """The functions that only read."""
    return [
        name for name, entry in entries("function", contract).items() if entry["stateMutability"] in ("view", "pure")
    ]


def selector(function: str, contract: str = "KamengEscrow") -> str:
    return "0x" + function_abi_to_4byte_selector(entries("function", contract)[function]).hex()


def topic(event: str) -> str:
    return "0x" + event_abi_to_log_topic(entries("event")[event]).hex()


def declaration(kind: str, name: str, lens: bool = False) -> str:
    """A function, event or error as the source declares it."""
    text = (LENS_SOURCE if lens else SOURCE).read_text("utf-8")
    found = re.search(rf"^    ({kind} {name}\(.*?)\s*[;{{]", text, re.DOTALL | re.MULTILINE)
    assert found, f"{kind} {name} is not declared in {SOURCE.name}"
    lines = found.group(1).split("\n")
    return "\n".join([lines[0], *(line.removeprefix("    ") for line in lines[1:])]) + ";"


def fields(kind: str, name: str) -> list[tuple[str, str]]:
    """Name and type of what an event or error carries; structs and enums by their Solidity names."""
    return [(entry["name"], _type(entry)) for entry in entries(kind)[name]["inputs"]]


def _type(entry: Any) -> str:
    internal = entry.get("internalType", entry["type"])
    return internal.removeprefix("struct ").removeprefix("enum ").removeprefix("contract ")
