"""What no text may have, wherever it comes from: PostgreSQL keeps no NUL, and nobody half of a surrogate pair.

Looked for in one place, before any route sees the request: whatever a route does with a name, it is one that can be
kept, compared and written to a log.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import Request

from .errors import UnfitCharacters

_ESCAPED_NUL = b"\\u0000"  # how JSON spells it; as it is JSON has none


def check_address(request: Request) -> None:
    """Raises `UnfitCharacters` for a path or query with such a character."""
    for name, value in request.path_params.items():
        _check(str(value), f"path/{name}")
    for name, value in request.query_params.multi_items():
        _check(name, "query")
        _check(value, f"query/{name}")


def check_body(raw: bytes, document: Any) -> None:
    """Likewise for a body of JSON, `raw` and as read: surrogates in halves its reader has refused."""
    if _ESCAPED_NUL in raw:
        for text in _texts(document):
            _check(text, "body")


def _texts(document: Any) -> Iterator[str]:
    waiting = [document]
    while waiting:  # and not by calling itself: a document may be nested as deep as it is long
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one


def _check(text: str, place: str) -> None:
    try:
        if b"\0" not in text.encode():
            return
    except UnicodeEncodeError:  # half a pair
        pass
    raise UnfitCharacters(place)
