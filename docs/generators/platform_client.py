"""The platform client's types and operations, from the interface's description."""

import re
import subprocess
import sys
from keyword import iskeyword
from typing import Any

from kameng_escrow.service.description import description

_HEAD = '"""{title}: made from the interface\'s description by `make docs`. Not to be edited."""\n\n'
_SIMPLE = {"string": "str", "integer": "int", "boolean": "bool", "number": "float", "null": "None"}
_STREAMS = "text/event-stream"
_PAGES = "text/html"  # for people


def client_files() -> dict[str, str]:
    """The generated modules, by name."""
    document = description()
    operations = [
        _Operation(method.upper(), path, spec)
        for path, methods in document["paths"].items()
        for method, spec in methods.items()
        if not {_STREAMS, _PAGES} & _success(spec).keys()
    ]
    texts = {"types": _types(document["components"]["schemas"]), "operations": _operations(operations)}
    return {name: _formatted(text) for name, text in texts.items()}


def _formatted(text: str) -> str:
    """As ruff lays it out, so that a fresh file is a formatted one."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", "generated.py", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _success(spec: dict[str, Any]) -> dict[str, Any]:
    """What a success holds, by media type."""
    found: dict[str, Any] = next(
        answer.get("content", {}) for status, answer in spec["responses"].items() if status.startswith("2")
    )
    return found


# -------------------------------------------------------------------------------------------------------------- types


def _types(schemas: dict[str, Any]) -> str:
    parts = [_HEAD.format(title="What the service's requests and answers look like")]
    parts.append("from typing import Any, Literal, NotRequired, TypedDict\n")
    parts += [_type(name, schema) for name, schema in sorted(schemas.items())]
    return "\n".join(parts)


def _type(name: str, schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return f"\n{name} = {_annotation(schema)}\n"
    if any(iskeyword(field) for field in schema.get("properties", {})):
        pairs = ", ".join(f"{field!r}: {_annotation(spec)}" for field, spec in schema["properties"].items())
        return f"\n{name} = TypedDict({name!r}, {{{pairs}}})\n"
    required = set(schema.get("required", []))
    answered = name.endswith("View")  # answers have every field; of what is sent, some may be left out
    lines = [f"\nclass {name}(TypedDict):", *_docstring(schema.get("description"))]
    for field, spec in schema.get("properties", {}).items():
        annotation = _annotation(spec)
        lines.append(f"    {field}: {annotation if answered or field in required else f'NotRequired[{annotation}]'}")
    return "\n".join(lines) + "\n"


def _docstring(text: str | None, indent: str = "    ") -> list[str]:
    words = " ".join((text or "").split()).replace("\\", "\\\\")
    return [f'{indent}"""{words}"""', ""] if words else [f'{indent}""""""', ""]


def _annotation(spec: dict[str, Any], prefix: str = "") -> str:
    if "$ref" in spec:
        name = spec["$ref"].rpartition("/")[2]
        return prefix + name if prefix else f'"{name}"'
    if "const" in spec:
        return f"Literal[{spec['const']!r}]"
    if "enum" in spec:
        return f"Literal[{', '.join(repr(one) for one in spec['enum'])}]"
    if "anyOf" in spec:
        return " | ".join(dict.fromkeys(_annotation(one, prefix) for one in spec["anyOf"])) if prefix else _union(spec)
    if spec.get("type") == "array":
        return f"list[{_annotation(spec['items'], prefix)}]"
    if spec.get("type") == "object" or "additionalProperties" in spec:
        values = spec.get("additionalProperties")
        return f"dict[str, {_annotation(values, prefix) if isinstance(values, dict) else 'Any'}]"
    return _SIMPLE.get(spec.get("type", ""), "Any")


def _union(spec: dict[str, Any]) -> str:
    """In quotes as a whole, since a name in quotes can't be joined to others."""
    parts = dict.fromkeys(_annotation(one).replace('"', "") for one in spec["anyOf"])
    return f'"{" | ".join(parts)}"'


# --------------------------------------------------------------------------------------------------------- operations


class _Operation:
    """A route as a method."""

    def __init__(self, method: str, path: str, spec: dict[str, Any]) -> None:
        self.method, self.name = method, spec["operationId"]
        self.path = re.sub(r"\{\w+\}", "{}", path)
        self.doc = " ".join(spec.get("description", "").split())
        parameters = spec.get("parameters", [])
        self.parts = re.findall(r"\{(\w+)\}", path)
        self.query = [one for one in parameters if one["in"] == "query"]
        self.once = any(one["name"] == "Idempotency-Key" for one in parameters)
        content = spec.get("requestBody", {}).get("content", {})
        self.body = content.get("application/json", {}).get("schema")
        self.content = "application/octet-stream" in content
        answer = _success(spec)
        schema = answer.get("application/json", {}).get("schema")
        self.raw = schema is None
        self.result = "bytes" if schema is None else _annotation(schema, "types.")

    @property
    def parameters(self) -> list[str]:
        found = [f"{part}: str" for part in self.parts]
        if self.body is not None:
            found.append(f"body: {_annotation(self.body, 'types.')}")
        if self.content:
            found.append("content: bytes")
        named = []
        for one in self.query:
            annotation = _annotation(one["schema"], "types.")
            if one.get("required"):
                named.append(f"{one['name']}: {annotation}")
            else:
                named.append(f"{one['name']}: {annotation.removesuffix(' | None')} | None = None")
        if self.once:
            named.append("idempotency_key: str | None = None")
        return [*found, *(["*", *sorted(named, key=lambda text: "=" in text)] if named else [])]

    @property
    def call(self) -> str:
        words = [repr(self.method), repr(self.path), *self.parts]
        if self.query:
            pairs = ", ".join(f"{one['name']!r}: {one['name']}" for one in self.query)
            words.append(f"query={{{pairs}}}")
        words += ["body=body"] if self.body is not None else []
        words += ["content=content"] if self.content else []
        words += ["idempotency_key=idempotency_key", "once=True"] if self.once else []
        words += ["raw=True"] if self.raw else []
        return f"make_call({', '.join(words)})"


def _operations(operations: list[_Operation]) -> str:
    parts = [_HEAD.format(title="The service's routes as methods")]
    parts.append(
        "from abc import ABC, abstractmethod\nfrom typing import Any, Literal\n\n"
        "from . import types\nfrom .calls import Call, make_call\n"
    )
    for name, awaits, doc in (
        ("Operations", "", "Every route of the service; each returns what it answers."),
        ("AsyncOperations", "async ", "Every route of the service; each is awaited."),
    ):
        waits = "await " if awaits else ""
        parts += [f"\n\nclass {name}(ABC):", f'    """{doc} Raises `PlatformError`."""\n']
        parts += ["    @abstractmethod", f"    {awaits}def _call(self, call: Call) -> Any: ...\n"]
        for one in operations:
            head = ", ".join(["self", *one.parameters])
            parts += [
                f"    {awaits}def {one.name}({head}) -> {one.result}:",
                f'        """{one.doc}"""',
                f"        answer: {one.result} = {waits}self._call({one.call})",
                "        return answer\n",
            ]
    return "\n".join(parts)
