"""How nodes say that they are asked too often."""

import re

TOO_MANY_REQUESTS = 429  # HTTP's, which some give as JSON-RPC's

_TOO_OFTEN = re.compile(r"\brate\b|per (second|minute|day)|too many requests|request count|quota", re.IGNORECASE)


def too_often(words: str, code: int | None) -> bool:
    """Whether a node that refused a question, any question, meant that we ask too often."""
    return code == TOO_MANY_REQUESTS or _TOO_OFTEN.search(words) is not None
