"""The methods of the clients, read from their source."""

import ast
import re
from dataclasses import dataclass
from functools import cache

from .method_words import GROUPS, METHODS
from .text import ROOT, Lang, Text, table

CLIENT = ROOT / "kameng_escrow" / "client"


@dataclass(frozen=True, slots=True)
class Method:
    """One operation of the clients."""

    name: str
    arguments: str  # as in a call
    returns: str
    writes: bool  # sends a transaction, and has a `prepare_…`


@cache
def methods() -> dict[str, Method]:
    """Every operation, by name, in the order of the source."""
    found: dict[str, Method] = {}
    for path in sorted(CLIENT.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                found |= {method.name: method for method in map(_method, node.body) if method is not None}
    return found


def _method(node: ast.stmt) -> Method | None:
    if not isinstance(node, ast.FunctionDef):
        return None
    marks = {ast.unparse(one) for one in node.decorator_list}
    if not marks & {"read", "write", "stream"}:
        return None
    returns = ast.unparse(node.returns) if node.returns else ""
    if "write" in marks:
        returns = "Steps[Receipt]"
    elif "stream" in marks:  # a page of items and the cursor to the next, which the client keeps to itself
        returns = re.sub(r"Page\[(\w+), \w+\]", r"\1, …", returns)
        node.args.args = [one for one in node.args.args if one.arg != "cursor"]
    return Method(
        name=node.name,
        arguments=_arguments(node.args),
        returns=returns.removeprefix("Steps[").removesuffix("]"),
        writes="write" in marks,
    )


def _arguments(given: ast.arguments) -> str:
    names = [one.arg for one in given.args[1:]]
    optional = {
        one.arg for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is not None
    }
    return ", ".join(names + [f"[{one.arg}=]" if one.arg in optional else f"{one.arg}=" for one in given.kwonlyargs])


def method_tables(lang: Lang) -> str:
    """Every operation, by group."""
    heads = Text("方法 | 返回 | 做什么", "Method | Returns | What it does")[lang].split(" | ")
    parts = []
    for title, names in GROUPS:
        rows = []
        for name in names:
            method = methods()[name]
            call = f"`{name}({method.arguments})`"
            rows.append([call, f"`{method.returns}`", METHODS[name][lang]])
        parts += [f"### {title[lang]}", table(heads, rows)]
    return "\n\n".join(parts)
