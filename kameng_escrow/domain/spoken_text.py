"""What people say to each other, before it is kept: readable by everyone, and nothing that hides in it.

Other than text that is going to be signed (`plain_text`), which refuses whatever is odd, this is typed and pasted in
haste. Text is composed (NFC), its line ends are ``\\n``, and what nobody sees is taken out: characters that turn the
direction of what follows (a card's code would read as another), tags, marks of byte order. Joiners stay, without which
emoji and some scripts fall apart. What can't be text is refused: control characters, halves of surrogate pairs, code
points that stand for no character, and more marks on a letter than any language has.
"""

import unicodedata
from typing import Final

from .plain_text import TextLength, TextUnfit

LONGEST_MESSAGE: Final = 4_000  # code points
LONGEST_NAME: Final = 120  # of a file; code points
MOST_MARKS: Final = 8  # combining marks on one letter: more of them spill over the neighbouring lines

_TURNS = frozenset({*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C})
_UNSEEN = _TURNS | {*range(0xE0000, 0xE0080), *range(0xFFF9, 0xFFFC), 0xFEFF, 0x00AD, 0x2060, 0x180E}
_TAKEN_OUT = dict.fromkeys(_UNSEEN)
_NAMELESS = "file"  # what a file is called whose name had nothing to be kept


def clean_message(text: str, field: str, *, most: int = LONGEST_MESSAGE) -> str:
    """The text as it is kept, without blanks around it.

    Args:
        text: as it was sent.
        field: names it in errors.
        most: how many code points it may have.

    Raises:
        TextUnfit: it has what can't be text.
        TextLength: it is empty or too long.
    """
    if len(text) > 4 * most:  # before anything is done with it
        raise TextLength(field, len(text), 1, most)
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_TAKEN_OUT)
    _check_characters(text, field)
    text = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(text) <= most:
        raise TextLength(field, len(text), 1, most)
    return text


def clean_name(name: str) -> str:
    """A file's name as people are shown it: the last part of what was given, in one line, never empty.

    Whatever is given gives a name: it is a label, under which nothing is stored or found.
    """
    last = name[-4 * LONGEST_NAME :].replace("\\", "/").rsplit("/", 1)[-1].translate(_TAKEN_OUT)
    kept = "".join(letter for letter in last if unicodedata.category(letter)[0] not in "CZ" or letter == " ")
    kept = " ".join(unicodedata.normalize("NFC", kept).split()).strip(". ")
    stem, dot, ending = kept.rpartition(".")
    if len(kept) > LONGEST_NAME:
        kept = f"{stem[: LONGEST_NAME - 11]}.{ending}" if dot and len(ending) <= 10 else kept[:LONGEST_NAME]
    return kept or _NAMELESS


def _check_characters(text: str, field: str) -> None:
    marks = 0
    for position, letter in enumerate(text):
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        control = kind == "Cc" and letter not in "\n\t"
        if control or kind == "Cs" or ord(letter) & 0xFFFE == 0xFFFE or marks > MOST_MARKS:
            raise TextUnfit(field, f"U+{ord(letter):04X}", position)
