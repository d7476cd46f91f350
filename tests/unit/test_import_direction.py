"""Imports point downward: from the doors (cli, service) to the rules (domain), never back."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import kameng_escrow

PACKAGE = Path(kameng_escrow.__file__).parent

# Who may import whom. A new part must take its place here, and say by that where it stands.
# `errors` may be imported by everyone, and everyone may import itself.
DOMAIN = {"domain"}
GROUND = {"chain", "store", "delivery"} | DOMAIN
SDK = {"client", "telemetry", "webhooks"} | GROUND
WORKERS = {"mirror", "books", "keeper", "relay", "risk", "notify", "talk", "trade"} | SDK
DOORS = {"service", "gateway", "simulate"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "settings": set(),  # what the environment says; bootstrap hands it on, so that no part reads it by itself
    "platform": set(),  # a client of the service over HTTP, which needs nothing else of ours
    "telemetry": set(),  # what a process says about itself
    "chinese": set(),  # Chinese for the errors that only speak English
    "keyfile": set(),  # how a key is read from a file
    "domain": set(),
    "chain": DOMAIN,
    "store": DOMAIN,
    "delivery": DOMAIN,
    "client": GROUND,
    "webhooks": DOMAIN,  # what a receiver needs, and the sender too
    "mirror": SDK,
    "keeper": SDK,
    "relay": {"keeper"} | SDK,  # brings what others signed by the keeper's machinery
    "risk": SDK,
    "books": SDK | {"mirror"},  # what can be proved: it mirrors the chain anew, and compares
    "notify": SDK,
    "talk": SDK,
    "trade": {"platform"} | SDK,  # a seller's program calls a service
    "service": WORKERS | {"chinese"},
    "gateway": WORKERS,
    "simulate": WORKERS,
    "demo": WORKERS | {"simulate", "bootstrap", "settings"},
    "connecting": SDK | {"settings", "keyfile"},
    "bootstrap": WORKERS | DOORS | {"connecting", "settings", "keyfile"},
    "doctor": WORKERS | DOORS | {"__init__", "bootstrap", "settings", "keyfile"},
    "__init__": SDK,  # what `import kameng_escrow` offers
    "cli": WORKERS | DOORS | {"__init__", "bootstrap", "chinese", "demo", "doctor", "platform", "settings", "keyfile"},
}

# The rules of an order are arithmetic: these suffice, and none reads a file, clock or socket.
PURE = {
    "__future__",
    "abc",
    "collections",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "eth_abi",
    "eth_hash",
    "eth_typing",
    "eth_utils",
    "fractions",
    "functools",
    "hashlib",
    "itertools",
    "math",
    "operator",
    "re",
    "rfc8785",
    "types",
    "typing",
    "unicodedata",
}


def part_of(path: Path) -> str:
    """The folder or module directly under the package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def modules_imported(path: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, inside functions too."""
    package = ("kameng_escrow", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            if module == "kameng_escrow":  # `from kameng_escrow import client` names a part
                yield from (f"{module}.{alias.name}" for alias in node.names)
            else:
                yield module


def parts_imported(path: Path) -> Iterator[str]:
    """The parts of this package that a file imports; `__init__` for a name defined there."""
    for module in modules_imported(path):
        parts = module.split(".")
        if parts[0] != "kameng_escrow":
            continue
        name = parts[1] if len(parts) > 1 else "__init__"
        exists = (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()
        yield name if exists else "__init__"


SOURCES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downward(path: Path) -> None:
    part = part_of(path)
    assert part in MAY_IMPORT, f"{part} has no place yet in the table of this test"
    upward = set(parts_imported(path)) - MAY_IMPORT[part] - {part, "errors"}
    assert not upward, f"{part} may not import {', '.join(sorted(upward))}"


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if part_of(path) == "domain"],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_domain_does_no_io(path: Path) -> None:
    tops = {module.split(".")[0] for module in modules_imported(path)} - {"kameng_escrow"}
    assert tops <= PURE, f"domain may not import {', '.join(sorted(tops - PURE))}"
    called = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"open", "print", "input"}
