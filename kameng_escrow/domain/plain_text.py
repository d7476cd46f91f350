"""Text that people wrote and others are going to read: what it may be made of.

Nothing is corrected in silence but spaces at the ends and the way of composing letters (Unicode's NFC), since others
sign or hash what comes out. What could make a text look like another (control characters, marks that turn its
direction, characters without width) is refused.
"""

import unicodedata

from .inputs import Malformed, WrongType

# Control, formatting (direction, zero width), half characters, private and unassigned ones, line and paragraph marks.
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINER = "\u200d"  # a formatting character too, without which many emoji fall apart


class TextUnfit(Malformed):
    """A text has a character that does not belong in one. `position` counts from zero."""

    field: str
    character: str  # as U+XXXX
    position: int


class TextLength(Malformed):
    """A text is too short or too long, in characters."""

    field: str
    length: int
    min: int
    max: int


def clean_text(value: object, field: str, *, least: int = 0, most: int, lines: bool = False) -> str:
    """The text in NFC, without spaces at its ends.

    Args:
        value: what was written.
        field: names it in errors.
        least: how many characters it must have.
        most: how many it may have.
        lines: whether it may have several lines; their ends become ``\\n``.

    Raises:
        WrongType: it is no text.
        TextUnfit, TextLength: it can't be one of these.
    """
    if not isinstance(value, str):
        raise WrongType(field, type(value).__name__, "str")
    if lines:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    if len(value) > 4 * most:  # before anything is done with it
        raise TextLength(field, len(value), least, most)
    for position, letter in enumerate(value):
        if unicodedata.category(letter) in _REFUSED and letter != _JOINER and not (lines and letter == "\n"):
            raise TextUnfit(field, f"U+{ord(letter):04X}", position)
    text = unicodedata.normalize("NFC", value).strip()
    if not least <= len(text) <= most:
        raise TextLength(field, len(text), least, most)
    return text
