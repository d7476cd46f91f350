"""Names for rows that others see."""

import re
import secrets
import time
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32
_TIME, _RANDOM = 10, 16  # letters: 48 bits of milliseconds, 80 random bits
_FORM = re.compile(rf"[a-z]{{2,4}}_[{_ALPHABET}]{{{_TIME + _RANDOM}}}")

LENGTH: Final = 31  # of the longest


def new_id(kind: str) -> str:
    """A name such as ``lst_01jbq…``: a ULID in lowercase behind its kind. Those made later sort later, to the
    millisecond; nobody can guess one.

    Args:
        kind: two to four lowercase letters that say what it names.
    """
    name = f"{kind}_{_letters(time.time_ns() // 1_000_000, _TIME)}{_letters(secrets.randbits(80), _RANDOM)}"
    if not _FORM.fullmatch(name):
        raise ValueError(f"{kind!r} is no kind of name")
    return name


def is_id(text: str, kind: str) -> bool:
    """Whether the text has the form of such a name."""
    return text.startswith(f"{kind}_") and _FORM.fullmatch(text) is not None


def _letters(number: int, length: int) -> str:
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (length - 1), -1, -5))
