"""Writes marks into the contracts' sources that tell, when they run, which statements ran and which way choices went.

A mark copies nothing from calldata to a place in memory that names it: `calldatacopy(MARKS + n, 0, 0)`. That is allowed
even in pure functions, changes no state and no memory, and can be seen by whoever runs the opcodes. Before every
statement stands a mark; every condition (of `if`, `?:`, loops, the left side of `&&` and `||`, and `if` in assembly)
has two, of which it leaves one.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kameng_escrow.chain.compiler import find_source, source_closure, standard_input
from kameng_escrow.chain.solc import resolve_solc

MARKS = 0xC0DE000000  # far beyond any place in memory that could be paid for

Node = Mapping[str, Any]

_BODIES = {"IfStatement": ("trueBody", "falseBody"), "ForStatement": ("body",), "WhileStatement": ("body",)}
_CONDITIONS = {"IfStatement", "ForStatement", "WhileStatement", "Conditional"}
_BLOCKS = ("Block", "UncheckedBlock")
_HELPER = """
function _marked(uint256 mark, bool way) pure returns (bool) {
    assembly ("memory-safe") {
        calldatacopy(add(mark, iszero(way)), 0, 0)
    }
    return way;
}
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to be reached: a statement, or one way of a condition."""

    number: int
    file: str
    line: int
    way: str  # "" for a statement; "true" or "false" for a condition
    text: str  # the first line of it


@dataclass
class Instrumented:
    """Sources with marks in them, by path."""

    sources: dict[str, str] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)


def instrument(root: Path, names: tuple[str, ...]) -> Instrumented:
    """Our own sources of these contracts, each file once; what they import from others stays as it is."""
    done = Instrumented()
    for name in names:
        trees = _trees(root, name)
        for path in source_closure(root, find_source(root, name)):
            if path.startswith("contracts/") and path not in done.sources:
                _File(root, path, trees[path], done).write()
    return done


def _trees(root: Path, name: str) -> dict[str, Node]:
    question = standard_input(root, name)
    question["settings"]["outputSelection"] = {"*": {"": ["ast"]}}
    solc = resolve_solc(root).path
    answer = subprocess.run([solc, "--standard-json"], input=json.dumps(question), capture_output=True, text=True)
    return {path: source["ast"] for path, source in json.loads(answer.stdout)["sources"].items()}


class _File:
    def __init__(self, root: Path, path: str, tree: Node, done: Instrumented) -> None:
        self._path, self._tree, self._done = path, tree, done
        self._text = (root / path).read_bytes()
        self._insertions: list[tuple[int, int, int, str]] = []  # where, closing before opening, inner before outer

    def write(self) -> None:
        for node, depth in _walk(self._tree, 0):
            self._mark(node, depth)
        pieces, at = [], 0
        for where, _, _, inserted in sorted(self._insertions):
            pieces += [self._text[at:where], inserted.encode()]
            at = where
        pieces.append(self._text[at:])
        text = b"".join(pieces).decode()
        self._done.sources[self._path] = text + _HELPER if "_marked(" in text else text

    def _mark(self, node: Node, depth: int) -> None:
        kind = node["nodeType"]
        if kind in _BLOCKS:
            for statement in node["statements"]:
                if statement["nodeType"] not in _BLOCKS:
                    self._insert(statement, depth + 1, self._statement(statement) + " ", "")
        for body in _BODIES.get(kind, ()):
            if (statement := node.get(body)) and statement["nodeType"] not in _BLOCKS:
                self._insert(statement, depth + 1, "{ " + self._statement(statement) + " ", " }")
        if kind in _CONDITIONS and node.get("condition"):
            self._choice(node["condition"], depth)
        elif kind == "BinaryOperation" and node["operator"] in ("&&", "||"):
            self._choice(node["leftExpression"], depth)
        elif kind == "YulIf":
            condition = self._slice(node["condition"])
            number = self._number(node["condition"], ("true", "false"))
            self._insert(node, depth, f"calldatacopy(add({number}, iszero({condition})), 0, 0) ", "")

    def _statement(self, node: Node) -> str:
        return f'assembly ("memory-safe") {{ calldatacopy({self._number(node, ("",))}, 0, 0) }}'

    def _choice(self, node: Node, depth: int) -> None:
        self._insert(node, depth + 1, f"_marked({self._number(node, ('true', 'false'))}, ", ")")

    def _number(self, node: Node, ways: tuple[str, ...]) -> int:
        """The first of the new marks."""
        start, _ = _place(node)
        line = self._text.count(b"\n", 0, start) + 1
        text = self._slice(node).splitlines()[0]
        first = MARKS + len(self._done.marks)
        for way in ways:
            self._done.marks.append(Mark(MARKS + len(self._done.marks), self._path, line, way, text))
        return first

    def _insert(self, node: Node, depth: int, before: str, after: str) -> None:
        start, end = _place(node)
        self._insertions.append((start, 1, depth, before))
        if after.endswith("}") and self._text[end : end + 1] == b";":
            end += 1  # which the compiler does not count among a statement
        if after:
            self._insertions.append((end, 0, -depth, after))

    def _slice(self, node: Node) -> str:
        start, end = _place(node)
        return self._text[start:end].decode()


def _place(node: Node) -> tuple[int, int]:
    start, length, _ = (int(part) for part in node["src"].split(":"))
    return start, start + length


def _walk(tree: Any, depth: int) -> Iterator[tuple[Node, int]]:
    """Every node of functions with code, and how deep it lies."""
    if isinstance(tree, list):
        for part in tree:
            yield from _walk(part, depth)
    elif isinstance(tree, dict):
        if "nodeType" in tree:
            yield tree, depth
        for part in tree.values():
            yield from _walk(part, depth + 1)
