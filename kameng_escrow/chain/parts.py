"""Which contracts belong together, and where the deployment proxy puts them."""

from functools import cache
from typing import Any

from eth_abi.abi import encode

from .artifacts import artifact_names, load_artifact
from .create2 import create2_address

CORE = "KamengEscrow"
LENS = "KamengLens"


@cache
def companion_names() -> tuple[str, ...]:
    """The packaged contracts that are made for one escrow, the lens first: those whose constructor takes an escrow."""
    found = [name for name in artifact_names() if _is_companion(name)]
    return tuple(sorted(found, key=lambda name: (name != LENS, name)))


def _is_companion(name: str) -> bool:
    artifact = load_artifact(name)
    return artifact.bytecode != "0x" and [
        item["internalType"] for entry in artifact.abi if entry["type"] == "constructor" for item in entry["inputs"]
    ] == ["contract IKamengEscrow"]


def init_code(name: str, *arguments: Any) -> bytes:
    """What creates a packaged contract: its creation code and its constructor's arguments."""
    artifact = load_artifact(name)
    types = [item["type"] for entry in artifact.abi if entry["type"] == "constructor" for item in entry["inputs"]]
    return bytes.fromhex(artifact.bytecode[2:]) + encode(types, arguments)


def core_address() -> str:
    """Where the proxy puts this package's escrow, on every chain."""
    return create2_address(init_code(CORE))


def companions(escrow: str) -> dict[str, str]:
    """Where the proxy puts each companion of the escrow at that address, on every chain; the lens first."""
    return {name: create2_address(init_code(name, escrow)) for name in companion_names()}
