"""All mutants in one program, of which a number read at run time chooses one: thousands of them cost one compilation.

The number is what PREVRANDAO answers, which no contract of ours reads. Zero is none of them: the program as it is. A
place with mutants 7 and 8 of `a < b` becomes `(block.prevrandao == 7 ? (a <= b) : block.prevrandao == 8 ? (a > b) :
a < b)`; of statements, an `if`; and constants become functions, so that their mutants can be chosen too. What reads the
number is no longer pure, so `pure` becomes `view`. Mutants of which the compiler does not take this form, and those in
assembly, are compiled one by one.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bench.mutation.mutants import Mutant
from bench.mutation.syntax import OURS, Node, Program, nodes, run_compiler

CHOICE = "block.prevrandao == "
_CHOSEN = re.compile(rb"block\.prevrandao == (\d+)")
_AT_CHOICE = re.compile(rb"(?:uint256)?\(*block\.prevrandao == (\d+)")
_MARK = re.compile(rb"/\*(?:(\d+)<|>)\*/")  # around what a mutant makes of a place
_PURE = re.compile(rb"\bpure\b")
_STATEMENTS = {"ExpressionStatement", "EmitStatement", "RevertStatement", "Return", "Continue", "Break"}
_WHOLE_STATEMENTS = {"IfStatement", "ForStatement", "InlineAssembly", "Block", "UncheckedBlock"}


@dataclass
class _Span:
    """A piece of a file, and how it is written, given what its inner pieces become."""

    start: int
    end: int
    level: int  # of two that are alike, the outer one has the lower level
    write: Callable[[str], str]
    inner: list["_Span"] = field(default_factory=list)


def plain(program: Program, mutant: Mutant) -> dict[str, bytes]:
    """The sources with one mutant written into them."""
    text, end, changed = program.sources[mutant.file], mutant.end, mutant.changed
    if mutant.shape == "before":
        changed = f"{changed} {mutant.original}"
    elif mutant.shape == "statement":
        end, changed = _end(text, end), "{ }"
    return {**program.sources, mutant.file: text[: mutant.start] + changed.encode() + text[end:]}


def _end(text: bytes, end: int) -> int:
    """Where the statement ends that the compiler says ends at `end`: behind its semicolon, if it has one."""
    return end if text[end - 1 : end] in (b"}", b";") else text.index(b";", end) + 1


def write_schema(program: Program, mutants: Iterable[Mutant]) -> dict[str, bytes]:
    """The sources with these mutants, to be chosen by number; those whose shape is "plain" are left out."""
    by_file: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        if mutant.shape != "plain":
            by_file[mutant.file].append(mutant)
    sources = dict(program.sources)
    constants = _constants(program, by_file)
    for path in program.sources:
        if path.startswith(OURS) and path in program.trees:
            sources[path] = _File(program, path, by_file[path], constants).written()
    return sources


def compile_schema(
    program: Program, mutants: Iterable[Mutant], settings: Mapping[str, Any]
) -> tuple[dict[str, Any], set[int]]:
    """The compiler's answer, and the mutants that are in it. Those that the compiler did not take are not.

    Raises:
        RuntimeError: it complains of something that is no mutant's fault.
    """
    taken = {mutant.number: mutant for mutant in mutants if mutant.shape != "plain"}
    while True:
        sources = write_schema(program, taken.values())
        answer = run_compiler(program.solc, sources, {**settings, "outputSelection": {}})
        errors = [error for error in answer.get("errors", ()) if error["severity"] == "error"]
        if not errors:
            return run_compiler(program.solc, sources, settings), set(taken)
        refused = {_culprit(sources, error) for error in errors} & set(taken)
        if not refused or any(error["type"] == "ParserError" for error in errors):
            raise RuntimeError("\n".join(error["formattedMessage"] for error in errors[:5]))
        for number in refused:
            del taken[number]


def _culprit(sources: Mapping[str, bytes], error: Mapping[str, Any]) -> int:
    """The mutant that an error is about: the choice that it points at, the one it points into, or the first that it
    encloses; 0 if it is none's."""
    place = error.get("sourceLocation") or {}
    start, end = place.get("start", -1), place.get("end", -1)
    if start < 0:
        return 0
    text = sources[place["file"]]
    if found := _AT_CHOICE.match(text, start):
        return int(found[1])
    opened: list[int] = []
    for mark in _MARK.finditer(text, 0, start):
        if mark[1]:
            opened.append(int(mark[1]))
        else:
            opened.pop()
    if opened:
        return opened[-1]
    found = _CHOSEN.search(text, start, end)
    return int(found[1]) if found else 0


def _marked(mutant: Mutant, changed: str) -> str:
    return f"/*{mutant.number}<*/{changed}/*>*/"


def _constants(program: Program, by_file: Mapping[str, list[Mutant]]) -> dict[int, Node]:
    """The constants that have mutants, by the compiler's number."""
    found = {}
    for path, tree in program.trees.items():
        places = [(mutant.start, mutant.end) for mutant in by_file.get(path, ())]
        for node in nodes(tree):
            if node["nodeType"] == "VariableDeclaration" and node.get("constant"):
                _, start, end = program.place(node)
                choosable = node["typeName"].get("name", "string") != "string"
                if choosable and any(start <= one and two <= end for one, two in places):
                    found[node["id"]] = node
    return found


class _File:
    def __init__(self, program: Program, path: str, mutants: list[Mutant], constants: Mapping[int, Node]) -> None:
        self.program, self.path, self.constants = program, path, constants
        self.text = program.sources[path]
        self.tree = program.trees[path]
        self.at: dict[tuple[int, int], list[Mutant]] = defaultdict(list)
        for mutant in mutants:
            self.at[mutant.start, mutant.end].append(mutant)
        self.spans: list[_Span] = []

    def written(self) -> bytes:
        parts = list(nodes(self.tree))
        stated = {id(self._expression(node)) for node in parts if node["nodeType"] in _STATEMENTS}
        for node in parts:
            match node["nodeType"]:
                case "FunctionDefinition":
                    self._function(node)
                case "VariableDeclaration" if node["id"] in self.constants:
                    self._constant(node)
                case "Identifier" | "MemberAccess" if node.get("referencedDeclaration") in self.constants:
                    _, start, end = self.program.place(node)
                    self.spans.append(_Span(start, end, 9, lambda inner: inner + "_()"))
                case kind if kind in _STATEMENTS | _WHOLE_STATEMENTS | {"VariableDeclarationStatement"}:
                    self._statement(node)
                case "YulFunctionCall" | "YulLiteral":
                    self._chosen_yul(node)
                case "YulAssignment" | "YulExpressionStatement" | "YulIf":
                    self._chosen_yul_statement(node)
            if "typeDescriptions" in node:
                self._chosen_expression(node, ("expression",) if id(node) in stated else ("expression", "call"))
        return self._write().encode()

    def _expression(self, statement: Node) -> Node | None:
        """What a statement consists of."""
        for part in ("eventCall", "errorCall"):
            if part in statement:
                return statement[part]
        return statement.get("expression") if statement["nodeType"] == "ExpressionStatement" else None

    def _function(self, node: Node) -> None:
        _, start, end = self.program.place(node)
        if node.get("body"):
            end = self.program.place(node["body"])[1]
        if found := _PURE.search(self.text, start, end):
            self.spans.append(_Span(found.start(), found.end(), 0, lambda _: "view"))

    def _constant(self, node: Node) -> None:
        """The constant as it is, for assembly, and a function beside it, for everything else."""
        _, start, end = self.program.place(node)
        _, value, value_end = self.program.place(node["value"])
        kind = node["typeDescriptions"]["typeString"]
        as_it_is = self.text[start:end].decode()
        cast = f"{kind}(" if kind.startswith("uint") else "("
        head = f"{as_it_is}; function {node['name']}_() internal view returns ({kind}) {{ return {cast}"
        semicolon = self.text.index(b";", end)
        self.spans.append(_Span(start, value, 0, lambda _: head))
        self.spans.append(_Span(value_end, semicolon + 1, 0, lambda _: "); }"))

    def _statement(self, node: Node) -> None:
        _, start, end = self.program.place(node)
        inside = self._expression(node)
        before = [mutant for mutant in self.at[start, end] if mutant.shape == "before"]
        others = [(mutant, mutant.changed) for mutant in self.at[start, end] if mutant.shape == "statement"]
        if inside is not None:
            _, begin, stop = self.program.place(inside)
            others += [
                (mutant, (self.text[start:begin] + mutant.changed.encode() + b";").decode())
                for mutant in self.at[begin, stop]
                if mutant.shape in ("assignment", "call")
            ]
        if not before and not others:
            return
        end = _end(self.text, end)
        first = "".join(f"if ({CHOICE}{mutant.number}) revert(); " for mutant in before)
        choices = "".join(f"if ({CHOICE}{one.number}) {{ {_marked(one, changed)} }} else " for one, changed in others)
        if node["nodeType"] == "VariableDeclarationStatement":
            self.spans.append(_Span(start, end, 1, lambda inner: first + inner))
        else:
            self.spans.append(_Span(start, end, 1, lambda inner: f"{{ {first}{choices}{{ {inner} }} }}"))

    def _chosen_expression(self, node: Node, shapes: tuple[str, ...]) -> None:
        _, start, end = self.program.place(node)
        mutants = [mutant for mutant in self.at[start, end] if mutant.shape in shapes]
        if not mutants:
            return
        # A choice of two literals is as narrow as they are: as wide as can be is what they were.
        cast = "uint256" if node["typeDescriptions"].get("typeString", "").startswith("int_const") else ""
        choices = "".join(f"{CHOICE}{one.number} ? {cast}({_marked(one, one.changed)}) : " for one in mutants)
        self.spans.append(_Span(start, end, 5, lambda inner: f"({choices}{cast}({inner}))"))
        self.at[start, end] = [mutant for mutant in self.at[start, end] if mutant not in mutants]

    def _chosen_yul(self, node: Node) -> None:
        """Yul has no choice within an expression: what differs is put in by exclusive or."""
        mutants = self._of_shape(node, "yul")
        _, start, end = self.program.place(node)
        as_it_is = self.text[start:end].decode()

        def write(inner: str) -> str:
            for mutant in mutants:
                differs = f"xor({as_it_is}, {_marked(mutant, mutant.changed)})"
                inner = f"xor({inner}, mul(eq(prevrandao(), {mutant.number}), {differs}))"
            return inner

        if mutants:
            self.spans.append(_Span(start, end, 5, write))

    def _chosen_yul_statement(self, node: Node) -> None:
        _, start, end = self.program.place(node)
        for mutant in self._of_shape(node, "yul statement"):
            condition = f"if iszero(eq(prevrandao(), {mutant.number}))"
            self.spans.append(_Span(start, end, 1, partial("{} {{ {} }}".format, condition)))

    def _of_shape(self, node: Node, shape: str) -> list[Mutant]:
        _, start, end = self.program.place(node)
        return [mutant for mutant in self.at[start, end] if mutant.shape == shape]

    # ---------------------------------------------------------------------------------------------------------- writing

    def _write(self) -> str:
        root = _Span(0, len(self.text), -1, lambda inner: inner)
        stack = [root]
        for span in sorted(self.spans, key=lambda one: (one.start, -one.end, one.level)):
            while not (stack[-1].start <= span.start and span.end <= stack[-1].end):
                stack.pop()
            stack[-1].inner.append(span)
            stack.append(span)
        return self._render(root)

    def _render(self, span: _Span) -> str:
        pieces, at = [], span.start
        for inner in span.inner:
            pieces += [self.text[at : inner.start].decode(), self._render(inner)]
            at = inner.end
        pieces.append(self.text[at : span.end].decode())
        return span.write("".join(pieces))
