"""In which order the contract can refuse, read out of the compiler's syntax tree of the sources."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kameng_escrow.chain.compiler import standard_input
from kameng_escrow.chain.solc import resolve_solc

ROOT = Path(__file__).resolve().parents[1]
CORE = "KamengEscrow"
Node = Mapping[str, Any]


def refusals(function: str) -> list[str]:
    """The errors that a function of the escrow can revert with, as a reader meets them from its first line on, with
    everything that it calls in place. Of branches that exclude each other both are in it.
    """
    return list(_walk(_overriding(_core(), function), ()))


@cache
def _nodes() -> dict[int, Node]:
    """Every node of the syntax tree that has a number, of the escrow and of all that it imports."""
    given = standard_input(ROOT, CORE)
    given["settings"]["outputSelection"] = {"*": {"": ["ast"]}}
    solc = resolve_solc(ROOT, download=False).path
    done = subprocess.run(
        [solc, "--standard-json"], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    found: dict[int, Node] = {}
    for source in json.loads(done.stdout)["sources"].values():
        waiting = [source["ast"]]
        while waiting:
            node = waiting.pop()
            if isinstance(node, dict):
                if "id" in node:
                    found[node["id"]] = node
                waiting += node.values()
            elif isinstance(node, list):
                waiting += node
    return found


def _core() -> Node:
    return next(node for node in _nodes().values() if _is(node, "ContractDefinition") and node["name"] == CORE)


def _is(node: Any, kind: str) -> bool:
    return isinstance(node, Mapping) and node.get("nodeType") == kind


def _overriding(contract: Node, function: str) -> Node:
    """The function as the most derived contract has it."""
    for base in contract["linearizedBaseContracts"]:
        for node in _nodes()[base]["nodes"]:
            if _is(node, "FunctionDefinition") and node["name"] == function and node.get("body"):
                return node
    raise LookupError(f"{CORE} has no function {function}")


def _walk(node: Any, inside: tuple[int, ...]) -> Iterator[str]:
    """The errors in a part of the tree, in the order of evaluation. `inside`: the functions that are being walked."""
    if isinstance(node, list):
        for part in node:
            yield from _walk(part, inside)
        return
    if not isinstance(node, Mapping):
        return
    kind = node.get("nodeType")
    if kind == "FunctionDefinition":
        if node["id"] not in inside:
            yield from _walk([*node["modifiers"], node["body"]], (*inside, node["id"]))
    elif kind == "ModifierInvocation":
        modifier = _nodes()[node["modifierName"]["referencedDeclaration"]]
        yield from _walk(modifier["body"], inside)
    elif kind == "RevertStatement":
        yield _nodes()[node["errorCall"]["expression"]["referencedDeclaration"]]["name"]
    elif kind == "FunctionCall":
        yield from _walk([node["expression"], node["arguments"]], inside)
        yield from _walk(_called(node["expression"]), inside)
    else:
        parts = [part for part in node.values() if isinstance(part, dict | list)]
        yield from _walk(sorted(_flat(parts), key=_place), inside)


def _called(expression: Node) -> Node | None:
    """The function of ours that is called, if it is one whose code is here."""
    declared = _nodes().get(expression.get("referencedDeclaration") or -1)
    if not _is(declared, "FunctionDefinition") or declared is None:
        return None
    if declared.get("body") is None:
        return _overriding(_core(), declared["name"]) if declared["visibility"] == "internal" else None
    return declared if declared["visibility"] in ("internal", "private") or _is_library(declared) else None


def _is_library(function: Node) -> bool:
    scope = _nodes()[function["scope"]]
    return scope.get("contractKind") == "library"


def _flat(parts: list[Any]) -> list[Node]:
    nodes = [node for part in parts for node in (part if isinstance(part, list) else [part])]
    return [node for node in nodes if isinstance(node, Mapping) and "nodeType" in node]


def _place(node: Node) -> int:
    return int(str(node.get("src", "0")).split(":")[0])
