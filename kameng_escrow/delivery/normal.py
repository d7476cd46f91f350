"""One form for all ways of writing the same code."""

import re
import unicodedata

_DROPPED = {"Zs", "Zl", "Zp", "Cc", "Cf", "Pd"}  # blanks, control and format characters, dashes
_DROPPED_ASCII = re.compile(r"[\x00-\x20\x7f-]")  # those of ASCII


def normal_form(code: str, *, fold: bool = True) -> str:
    """The code without what people and shops change when they copy it: compatibility forms (full-width digits and
    letters) made plain by NFKC, blanks, dashes and invisible characters left out, and with `fold` the case too.
    """
    if code.isascii():  # nearly all are, and this is ten times as fast
        short = _DROPPED_ASCII.sub("", code)
        return short.lower() if fold else short
    plain = unicodedata.normalize("NFKC", code)
    if fold:
        plain = unicodedata.normalize("NFKC", plain.casefold())
    short = "".join(letter for letter in plain if unicodedata.category(letter) not in _DROPPED)
    return unicodedata.normalize("NFKC", short)
