"""What a slip of the pen could have made of the contracts: every place, and every change at it.

The kinds are slither-mutate's where it has them, named as there, and some more:

    AOR    another arithmetic operator          ROR   another comparison
    AOD    one operand alone                    LOR   another logical operator, or one side alone
    BOR    another bitwise operator or shift    UOR   another unary operator, or none
    ASOR   another assignment operator          LIR   another number (one more, one less, zero)
    MIA    a condition always or never true     MVIV  zero for what a variable begins with
    CR     a statement left out                 RR    a block that reverts at once
    RET    zero, or the contrary, returned      MOD   a modifier left out
    ENUM   a neighbouring member of an enum     COND  one branch of a choice alone
    FIELD  a neighbouring field, same type      ARG   two neighbouring arguments exchanged, same type
    FUN    a sibling function, same type        YUL   any of these inside assembly

Left out is what is known not to change anything: another comparison of an unsigned number with zero that means the
same; `^` for `|`, which here only ever joins bits that lie apart; and a second mutant that leaves out the same thing
(the revert of an `if` that reverts).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from bench.mutation.syntax import OURS, Node, Program, nodes

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
ARITHMETIC = ("+", "-", "*", "/", "%")
BITWISE = ("&", "|")
SHIFTS = ("<<", ">>")
LOGICAL = ("&&", "||")
YUL_SWAPS = {
    "add": ("sub",),
    "sub": ("add",),
    "mul": ("add",),
    "div": ("mul",),
    "shl": ("shr",),
    "shr": ("shl",),
    "and": ("or",),
    "or": ("and",),
    "xor": ("or",),
    "gt": ("lt", "eq"),
    "lt": ("gt", "eq"),
    "eq": ("lt", "gt"),
}
NO_MUTANTS = ("IKamengEscrow.sol", "contracts/test/")


@dataclass(frozen=True)
class Mutant:
    """One change of one place."""

    number: int
    kind: str
    file: str
    start: int  # bytes
    end: int
    original: str
    changed: str
    line: int
    where: str  # the function or constant it is in
    shape: str  # how it can be chosen at run time: as an expression, a call, a statement …; or not: "plain"

    def __str__(self) -> str:
        def short(text: str) -> str:
            flat = " ".join(text.split())
            return flat if len(flat) <= 60 else flat[:57] + "..."

        return f"{self.file}:{self.line} {self.where}: {self.kind} `{short(self.original)}` → `{short(self.changed)}`"


Change = tuple[str, Node, str, str]  # kind, node, what becomes of it, shape


def mutants_of(program: Program) -> list[Mutant]:
    """All mutants of our own sources, in the order of the text, no two the same."""
    found: list[Mutant] = []
    seen: set[tuple[str, int, int, str]] = set()
    for path, tree in program.trees.items():
        if not path.startswith(OURS) or any(part in path for part in NO_MUTANTS):
            continue
        for where, change in _changes_in(program, tree):
            kind, node, changed, shape = change
            file, start, end = program.place(node)
            original = program.text(node)
            if (file, start, end, changed) in seen or changed == original:
                continue
            seen.add((file, start, end, changed))
            line = program.sources[file][:start].count(b"\n") + 1
            found.append(Mutant(len(found) + 1, kind, file, start, end, original, changed, line, where, shape))
    return found


def _changes_in(program: Program, tree: Node) -> Iterator[tuple[str, Change]]:
    for definition in (node for node in nodes(tree) if node["nodeType"] == "ContractDefinition"):
        if definition["contractKind"] == "interface":
            continue
        for part in definition["nodes"]:
            if part["nodeType"] == "FunctionDefinition" and part.get("body"):
                name = part["name"] or part["kind"]
                for change in _Changes(program).of_function(part):
                    yield f"{definition['name']}.{name}", change
            elif part["nodeType"] == "VariableDeclaration" and part.get("constant"):
                choosable = part["typeName"].get("name", "string") != "string"
                for kind, node, changed, shape in _Changes(program).of_expression(part["value"]):
                    change = (kind, node, changed, shape if choosable else "plain")
                    yield f"{definition['name']}.{part['name']}", change


class _Changes:
    def __init__(self, program: Program) -> None:
        self.program = program

    def text(self, node: Node) -> str:
        return self.program.text(node)

    # ------------------------------------------------------------------------------------------------------ statements

    def of_function(self, function: Node) -> Iterator[Change]:
        for modifier in function["modifiers"]:
            if modifier.get("kind") == "modifierInvocation":
                yield "MOD", modifier, "", "plain"
        yield from self.of_block(function["body"])

    def of_block(self, block: Node) -> Iterator[Change]:
        statements = block["statements"]
        if statements and statements[0]["nodeType"] != "RevertStatement":
            yield "RR", statements[0], "revert();", "before"
        for statement in statements:
            yield from self.of_statement(statement)

    def of_statement(self, statement: Node) -> Iterator[Change]:
        kind = statement["nodeType"]
        match kind:
            case "Block" | "UncheckedBlock":
                yield from self.of_block(statement)
            case "IfStatement":
                yield from self.of_if(statement)
            case "ForStatement":
                yield from self.of_for(statement)
            case "InlineAssembly":
                yield "CR", statement, "", "statement"
                yield from self.of_assembly(statement)
            case "VariableDeclarationStatement":
                yield from self.of_declaration(statement)
            case "Return":
                yield from self.of_return(statement)
            case "RevertStatement":
                yield from self.of_expression(statement["errorCall"])
            case "EmitStatement":
                yield "CR", statement, "", "statement"
                yield from self.of_expression(statement["eventCall"])
            case "ExpressionStatement":
                yield "CR", statement, "", "statement"
                if statement["expression"]["nodeType"] == "Assignment":
                    yield from self.of_assignment(statement["expression"])
                else:
                    yield from self.of_expression(statement["expression"])
            case "Continue":
                yield "CR", statement, "", "statement"
            case _:
                raise NotImplementedError(f"{kind} in {self.program.place(statement)}: say how to mutate it")

    def of_if(self, statement: Node) -> Iterator[Change]:
        condition = statement["condition"]
        yield "MIA", condition, "true", "expression"
        yield "MIA", condition, "false", "expression"
        yield from self.of_expression(condition)
        for branch in (statement["trueBody"], statement.get("falseBody")):
            if branch is None:
                continue
            single = branch["nodeType"] not in ("Block", "UncheckedBlock")
            for change in self.of_statement(branch):
                # With its condition never true, a single statement is left out already.
                if not (single and change[0] == "CR" and change[1] is branch and not statement.get("falseBody")):
                    yield change

    def of_for(self, statement: Node) -> Iterator[Change]:
        if statement.get("condition"):
            yield "MIA", statement["condition"], "false", "expression"
            yield from self.of_expression(statement["condition"])
        if statement.get("loopExpression"):
            yield from self.of_expression(statement["loopExpression"]["expression"])
        yield from self.of_statement(statement["body"])

    def of_declaration(self, statement: Node) -> Iterator[Change]:
        value, declared = statement.get("initialValue"), statement["declarations"]
        if value is None:
            return
        if len(declared) == 1 and (zero := _zero(declared[0])):
            yield "MVIV", value, zero, "expression"
        yield from self.of_expression(value)

    def of_return(self, statement: Node) -> Iterator[Change]:
        value = statement.get("expression")
        yield "CR", statement, "", "statement"
        if value is None:
            return
        kind = value["typeDescriptions"].get("typeString", "")
        if kind == "bool":
            yield "RET", value, f"!({self.text(value)})", "expression"
            yield "RET", value, "true", "expression"
            yield "RET", value, "false", "expression"
        elif zero := _zero(value):
            yield "RET", value, zero, "expression"
        yield from self.of_expression(value)

    def of_assignment(self, assignment: Node) -> Iterator[Change]:
        left, right = assignment["leftHandSide"], assignment["rightHandSide"]
        whole, before = self.text(assignment), self.text(left)
        after = whole[len(before) :].lstrip()
        operator = assignment["operator"]
        rest = after[len(operator) :]
        others = {"+=": ("-=", "="), "-=": ("+=", "="), "*=": ("/=",), "|=": ("&=", "="), "&=": ("|=", "=")}
        for other in others.get(operator, ()):
            yield "ASOR", assignment, f"{before} {other}{rest}", "assignment"
        for kind, node, changed, _ in self.of_expression(left):
            # The left side can't be chosen at run time: the whole assignment is.
            _, start, end = self.program.place(node)
            begin = self.program.place(assignment)[1]
            cut = whole.encode()
            other = cut[: start - begin] + changed.encode() + cut[end - begin :]
            yield kind, assignment, other.decode(), "assignment"
        yield from self.of_expression(right)

    # ----------------------------------------------------------------------------------------------------- expressions

    def of_expression(self, node: Node | None) -> Iterator[Change]:
        if node is None:
            return
        match node["nodeType"]:
            case "BinaryOperation":
                yield from self.of_binary(node)
            case "UnaryOperation":
                yield from self.of_unary(node)
            case "Conditional":
                yes, no = self.text(node["trueExpression"]), self.text(node["falseExpression"])
                yield "COND", node, f"({yes})", "expression"
                yield "COND", node, f"({no})", "expression"
                for part in ("condition", "trueExpression", "falseExpression"):
                    yield from self.of_expression(node[part])
            case "Literal":
                yield from self.of_literal(node)
            case "MemberAccess":
                yield from self.of_member(node)
            case "FunctionCall":
                yield from self.of_call(node)
            case "IndexAccess":
                yield from self.of_expression(node["baseExpression"])
                yield from self.of_expression(node["indexExpression"])
            case "TupleExpression":
                for part in node["components"]:
                    yield from self.of_expression(part)
            case _:
                return

    def of_binary(self, node: Node) -> Iterator[Change]:
        operator = node["operator"]
        left, right = self.text(node["leftExpression"]), self.text(node["rightExpression"])
        number = _is_number(node["leftExpression"]) and _is_number(node["rightExpression"])
        for kind, family in (("ROR", COMPARISONS), ("AOR", ARITHMETIC), ("BOR", BITWISE), ("BOR", SHIFTS)):
            if operator not in family:
                continue
            for other in family:
                if other == operator or (kind == "ROR" and not number and other not in ("==", "!=")):
                    continue
                if kind == "ROR" and right == "0" and {operator, other} in ({"!=", ">"}, {"==", "<="}):
                    continue  # means the same
                yield kind, node, f"({left} {other} {right})", "expression"
        if operator in LOGICAL:
            other = LOGICAL[1 - LOGICAL.index(operator)]
            for changed in (f"({left} {other} {right})", left, right):
                yield "LOR", node, f"({changed})", "expression"
        if operator in ARITHMETIC + BITWISE:
            for alone in (left, right):
                yield "AOD", node, f"({alone})", "expression"
        if operator in SHIFTS:
            yield "AOD", node, f"({left})", "expression"
        yield from self.of_expression(node["leftExpression"])
        yield from self.of_expression(node["rightExpression"])

    def of_unary(self, node: Node) -> Iterator[Change]:
        operand, operator = self.text(node["subExpression"]), node["operator"]
        if operator in ("!", "~", "-"):
            yield "UOR", node, f"({operand})", "expression"
        elif operator in ("++", "--"):
            other = "--" if operator == "++" else "++"
            yield "UOR", node, f"{other}{operand}" if node["prefix"] else f"{operand}{other}", "expression"
            return  # the operand is written to
        if operator != "delete":
            yield from self.of_expression(node["subExpression"])

    def of_literal(self, node: Node) -> Iterator[Change]:
        text = self.text(node)
        if node["kind"] == "bool":
            yield "LIR", node, "false" if text == "true" else "true", "expression"
        elif node["kind"] == "number":
            value = node["value"].replace("_", "")
            size = int(value, 0) if not node.get("subdenomination") else 2
            yield "LIR", node, f"({text} + 1)", "expression"
            if size:
                yield "LIR", node, f"({text} - 1)", "expression"
            if size > 1:
                yield "LIR", node, "0", "expression"
        elif node["kind"] == "string" and text != '""':
            yield "LIR", node, '""', "plain"

    def of_member(self, node: Node) -> Iterator[Change]:
        base = self.text(node["expression"])
        declared = self.program.declarations.get(node.get("referencedDeclaration") or -1)
        if declared is None or declared["nodeType"] not in ("EnumValue", "VariableDeclaration"):
            yield from self.of_expression(node["expression"])
            return
        parent = self._parent(declared)
        if declared["nodeType"] == "EnumValue":
            members = [member["name"] for member in parent["members"]]
            at = members.index(declared["name"])
            for other in {(at + 1) % len(members), (at - 1) % len(members)}:
                yield "ENUM", node, f"{base}.{members[other]}", "expression"
        elif parent["nodeType"] == "StructDefinition":
            if other := _neighbour(declared, parent["members"]):
                yield "FIELD", node, f"{base}.{other}", "expression"
            yield from self.of_expression(node["expression"])
        else:
            yield from self.of_expression(node["expression"])

    def of_call(self, node: Node) -> Iterator[Change]:
        function, arguments = node["expression"], node["arguments"]
        if node["kind"] == "functionCall":
            yield from self.of_callee(node, function)
        texts = [self.text(argument) for argument in arguments]
        if node["kind"] == "typeConversion" and texts == ["0"]:
            yield "LIR", node, f"{self.text(function)}(1)", "expression"
            return
        if not node.get("names"):
            kinds = [argument["typeDescriptions"].get("typeString") for argument in arguments]
            for at, (one, two) in enumerate(pairwise(kinds)):
                if one == two and one is not None:
                    exchanged = [*texts[:at], texts[at + 1], texts[at], *texts[at + 2 :]]
                    yield "ARG", node, f"{self.text(function)}({', '.join(exchanged)})", "call"
        if function["nodeType"] == "MemberAccess":
            yield from self.of_expression(function["expression"])
        elif function["nodeType"] == "FunctionCallOptions":
            for option in function["options"]:
                yield from self.of_expression(option)
        for argument in arguments:
            yield from self.of_expression(argument)

    def of_callee(self, node: Node, function: Node) -> Iterator[Change]:
        declared = self.program.declarations.get(function.get("referencedDeclaration") or -1)
        if declared is None or declared["nodeType"] != "FunctionDefinition":
            return
        parent = self._parent(declared)
        siblings = [
            part
            for part in parent.get("nodes", ())
            if part["nodeType"] == "FunctionDefinition" and part["visibility"] == declared["visibility"]
        ]
        if not self.program.place(declared)[0].startswith(OURS) or not declared["returnParameters"]["parameters"]:
            return
        if other := _neighbour(declared, siblings):
            whole, name = self.text(node), function.get("memberName") or function["name"]
            callee = self.text(function)
            yield "FUN", node, callee[: len(callee) - len(name)] + other + whole[len(callee) :], "call"

    def _parent(self, declared: Node) -> Node:
        """The definition that the declaration is part of."""
        if "scope" in declared:
            return self.program.declarations[declared["scope"]]
        return next(
            node
            for node in self.program.declarations.values()
            if node["nodeType"] == "EnumDefinition" and declared in node["members"]
        )

    # -------------------------------------------------------------------------------------------------------- assembly

    def of_assembly(self, statement: Node) -> Iterator[Change]:
        cases = [id(node["value"]) for node in nodes(statement["AST"]) if node["nodeType"] == "YulCase"]
        for node in nodes(statement["AST"]):
            match node["nodeType"]:
                case "YulLiteral" if id(node) in cases:
                    continue  # the case of a switch: not an expression
                case "YulFunctionCall":
                    name, arguments = node["functionName"]["name"], node["arguments"]
                    texts = [self.text(argument) for argument in arguments]
                    for other in YUL_SWAPS.get(name, ()):
                        yield "YUL", node, f"{other}({', '.join(texts)})", "yul"
                    if name in ("sub", "div", "gt", "lt", "shl", "shr"):
                        yield "YUL", node, f"{name}({', '.join(reversed(texts))})", "yul"
                case "YulLiteral" if node["kind"] == "number":
                    value = int(node["value"], 0)
                    for other in {value + 1, max(value - 1, 0), 0} - {value}:
                        yield "YUL", node, str(other), "yul"
                case "YulAssignment" | "YulExpressionStatement" | "YulIf":
                    yield "YUL", node, "", "yul statement"


def _type(node: Node) -> str:
    return str(node.get("typeDescriptions", {}).get("typeString", ""))


def _is_number(node: Node) -> bool:
    return _type(node).startswith(("uint", "int"))


def _zero(node: Node) -> str | None:
    """Nothing, as a value of the node's type; None where that has no literal."""
    kind = _type(node)
    if kind.startswith("uint") and kind[4:].isdigit():
        return f"{kind}(0)"
    if kind.startswith("bytes") and kind[5:].isdigit():
        return f"{kind}(0)"
    return {"bool": "false", "address": "address(0)"}.get(kind)


def _signature(node: Node) -> object:
    if node["nodeType"] != "FunctionDefinition":
        return _type(node)
    sides = (node["parameters"]["parameters"], node["returnParameters"]["parameters"])
    return tuple(tuple((_type(part), part["storageLocation"]) for part in side) for side in sides)


def _neighbour(declared: Node, siblings: Iterable[Node]) -> str | None:
    """The name of the next of the siblings with the same type, after the last the first; None if there is none."""
    alike = [part["name"] for part in siblings if _signature(part) == _signature(declared)]
    at = alike.index(declared["name"])
    return alike[(at + 1) % len(alike)] if len(alike) > 1 else None
