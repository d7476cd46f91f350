"""How the ABI's words become the domain's: a struct is the domain's class of the same name, a field the attribute of
the same name in Python's spelling, an enum its member.
"""

import re
from collections.abc import Mapping
from typing import Any

from kameng_escrow.domain import states

AbiEntry = Mapping[str, Any]

_CLASHES = {"from": "sender"}  # what Python reserves


def python_name(name: str) -> str:
    """``refundTo`` → ``refund_to``."""
    snake = re.sub(r"(?<!^)([A-Z])", lambda match: "_" + match.group().lower(), name)
    return _CLASHES.get(snake, snake)


def type_of(entry: AbiEntry) -> str:
    """The canonical type: a struct as its fields' types in parentheses."""
    kind: str = entry["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(type_of(item) for item in entry['components'])}){kind.removeprefix('tuple')}"


def enum_of(entry: AbiEntry) -> type[Any] | None:
    """The domain's enum that a parameter is; None: it is no enum."""
    internal: str = entry.get("internalType", "")
    return getattr(states, internal.removeprefix("enum ")) if internal.startswith("enum ") else None
