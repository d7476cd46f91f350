"""The compiled contracts that the wheel ships, so that users need no compiler.

`kameng compile` writes them (see `compiler.py`); a test compiles again and compares every byte.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Self

from kameng_escrow.errors import UnknownArtifact


@dataclass(frozen=True)
class Artifact:
    """One compiled contract or interface. Shared: treat what is inside as read-only."""

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: str  # creation code, 0x-hex; "0x" for an interface
    deployed_bytecode: str  # runtime code, 0x-hex, with immutables still zero
    immutables: tuple[tuple[int, int], ...]  # (start, length) in bytes: where those zeros are
    compiler: str  # "0.8.37+commit.…": the same for the native and the npm compiler
    settings: Mapping[str, Any]  # the compiler's settings, for verifying on an explorer
    sources: Mapping[str, str]  # source path → SHA-256 of its text, imports included
    source_hash: str  # SHA-256 of everything the compiler was given; 0x-hex

    def to_json(self) -> str:
        """The file's text: keys in a fixed order, one trailing newline."""
        document = {
            "contractName": self.name,
            "compiler": {"version": self.compiler, "settings": self.settings},
            "sourceHash": self.source_hash,
            "sources": self.sources,
            "abi": self.abi,
            "bytecode": self.bytecode,
            "deployedBytecode": self.deployed_bytecode,
            "immutableReferences": self.immutables,
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The reverse of `to_json`."""
        document = json.loads(text)
        return cls(
            name=document["contractName"],
            abi=tuple(document["abi"]),
            bytecode=document["bytecode"],
            deployed_bytecode=document["deployedBytecode"],
            immutables=tuple((start, length) for start, length in document["immutableReferences"]),
            compiler=document["compiler"]["version"],
            settings=document["compiler"]["settings"],
            sources=document["sources"],
            source_hash=document["sourceHash"],
        )


def artifact_names() -> tuple[str, ...]:
    """The names that `load_artifact` knows, sorted."""
    folder = resources.files("kameng_escrow") / "artifacts"
    names = (file.name for file in folder.iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))


@cache
def load_artifact(name: str) -> Artifact:
    """The shipped artifact of that name, `load_artifact("KamengEscrow")` for one.

    Raises:
        UnknownArtifact: the package ships none of that name.
    """
    if name not in artifact_names():
        known = ", ".join(artifact_names()) or "none"
        raise UnknownArtifact(f"The package ships no contract named {name!r}; it ships {known}.")
    file = resources.files("kameng_escrow") / "artifacts" / f"{name}.json"
    return Artifact.from_json(file.read_text("utf-8"))
