"""Files that people sent, given out so that no browser does anything with them but keep or show them.

Types are the service's own, by what is in a file. A name stands in a header only in the encoded form of RFC 8187, which
has neither quotes nor line ends; before it comes a plain one for whoever does not know that form (RFC 6266).
"""

from typing import Final
from urllib.parse import quote

from kameng_escrow.talk.file_types import ENDINGS

_ALSO: Final = {"jpg": ("jpeg",), "txt": ("csv", "log", "md")}  # endings that say the same
_CHARSET: Final = {"text/plain": "text/plain; charset=utf-8"}


def download_headers(name: str, media_type: str) -> dict[str, str]:
    """The headers of a download. `name`: for people; it gets the ending of its type where it has another."""
    ending = ENDINGS.get(media_type, "bin")
    if not name.lower().endswith(tuple(f".{one}" for one in (ending, *_ALSO.get(ending, ())))):
        name = f"{name}.{ending}"
    return {
        "Content-Type": _CHARSET.get(media_type, media_type),
        "Content-Disposition": f"attachment; filename=\"file.{ending}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, max-age=86400, immutable",
    }
