"""The contracts as the compiler understands them: their syntax trees, with a place in the source for every node."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kameng_escrow.chain.compiler import SETTINGS, find_source, source_closure
from kameng_escrow.chain.solc import Solc, resolve_solc

Node = dict[str, Any]
OURS = "contracts/"

# What keeps the meaning and compiles in half the time.
UNOPTIMISED: Mapping[str, Any] = {
    **SETTINGS,
    "optimizer": {
        "enabled": False,
        "details": {"yul": True, "yulDetails": {"stackAllocation": True, "optimizerSteps": ":"}},
    },
}


@dataclass(frozen=True)
class Program:
    """Sources that belong together, by path, and what the compiler makes of them."""

    solc: Solc
    sources: dict[str, bytes]
    trees: dict[str, Node]

    @cached_property
    def declarations(self) -> dict[int, Node]:
        """Everything that can be referred to, by the compiler's number of it."""
        return {node["id"]: node for tree in self.trees.values() for node in nodes(tree) if "id" in node}

    def text(self, node: Node) -> str:
        file, start, end = self.place(node)
        return self.sources[file][start:end].decode()

    def place(self, node: Node) -> tuple[str, int, int]:
        """File, and where in its bytes the node begins and ends."""
        start, length, file = (int(part) for part in node["src"].split(":"))
        return self._files[file], start, start + length

    @cached_property
    def _files(self) -> dict[int, str]:
        return {int(tree["src"].split(":")[2]): path for path, tree in self.trees.items()}


def read_program(root: Path, names: list[str]) -> Program:
    """The contracts of these names in the checkout at `root`, with all that they import."""
    sources: dict[str, str] = {}
    for name in names:
        sources |= source_closure(root, find_source(root, name))
    return parse(resolve_solc(root), {path: text.encode() for path, text in sorted(sources.items())})


def parse(solc: Solc, sources: dict[str, bytes]) -> Program:
    settings = {"remappings": SETTINGS["remappings"], "outputSelection": {"*": {"": ["ast"]}}}
    output = run_compiler(solc, sources, settings)
    return Program(solc, sources, {path: source["ast"] for path, source in output["sources"].items()})


def run_compiler(solc: Solc, sources: Mapping[str, bytes], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The compiler's answer, errors among it."""
    question = {
        "language": "Solidity",
        "sources": {path: {"content": text.decode()} for path, text in sources.items()},
        "settings": dict(settings),
    }
    done = subprocess.run([solc.path, "--standard-json"], input=json.dumps(question).encode(), capture_output=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def nodes(tree: Any) -> Iterator[Node]:
    """All nodes of a tree, the outer ones first."""
    if isinstance(tree, dict):
        if "nodeType" in tree:
            yield tree
        for part in tree.values():
            yield from nodes(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from nodes(part)
