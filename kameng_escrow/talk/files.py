"""Files that people send: what is taken, told by what is in it, and cleared of what it should not carry.

Neither a file's name nor what the sender says of its type is believed. Pictures are decoded and encoded anew, so that
nothing stays of them but what is seen: no place where a photograph was taken, no text behind the last pixel. Videos
keep their pictures and sound, while the boxes for descriptions and places are blanked. PDF and plain text are kept as
they are; every file is given out as an attachment that no browser runs.
"""

import io
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import puremagic
from PIL import Image, ImageOps, ImageSequence

from kameng_escrow.store import StoreBusy

from .errors import FileRefused, FileTooLarge
from .file_types import ENDINGS

MOST_PIXELS: Final = 50_000_000  # of a picture, all frames together: 200 MB while it is decoded
MOST_FRAMES: Final = 300
_QUALITY: Final = 90  # of pictures that are encoded anew
_SNIFFED: Final = 4_096  # bytes that tell a type
_AT_ONCE = threading.BoundedSemaphore(2)  # pictures and videos that are cleaned at the same time: each takes memory
_PATIENCE_SECONDS: Final = 10.0  # for a turn
_DEEPEST: Final = 4  # boxes in boxes of a video that are looked into
MOST_BOXES: Final = 10_000  # of a video that are looked at: twenty megabytes could be millions of empty ones
_NOT_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}


@dataclass(frozen=True, slots=True)
class CleanFile:
    """A file as it is kept."""

    content: bytes
    media_type: str  # one of ENDINGS
    width: int | None = None  # pixels, of pictures; likewise below
    height: int | None = None


def clean_file(content: bytes, *, max_bytes: int) -> CleanFile:
    """The file as it may be kept.

    Args:
        content: as it was sent.
        max_bytes: how large it may be, before and after.

    Raises:
        FileTooLarge: it has too many bytes or pixels.
        FileRefused: it is of no kind that is taken, or not what it begins like: cut short, or made up.
        StoreBusy: too many pictures and videos are being looked at.
    """
    if len(content) > max_bytes:
        raise FileTooLarge(len(content), max_bytes)
    if not content:
        raise FileRefused("it is empty", "文件是空的")
    clean = _CLEANERS[_type_of(content)](content)
    if len(clean.content) > max_bytes:
        raise FileTooLarge(len(clean.content), max_bytes)
    return clean


def _type_of(content: bytes) -> str:
    """The type that the content begins like. Raises `FileRefused`."""
    try:
        matches = puremagic.magic_string(content[:_SNIFFED])
    except puremagic.PureError:
        return "text/plain"  # nothing has that beginning, so that it is text or refused
    best = max((match.confidence for match in matches), default=0.0)
    likely = [match.mime_type for match in matches if match.confidence == best]
    for kind in ENDINGS:
        if kind in likely:
            return kind
    if _is_plain(content):  # words such as "GET" begin formats of their own
        return "text/plain"
    raise FileRefused(f"it looks like {likely[0] or 'none of them'}", f"它看起来是 {likely[0] or '未知类型'}")


# ---------------------------------------------------------------------------------------------------------- pictures


def _in_turn(cleaner: Callable[[bytes, str], CleanFile], media_type: str) -> Callable[[bytes], CleanFile]:
    """The cleaner of a type, a few at a time."""

    def clean(content: bytes) -> CleanFile:
        if not _AT_ONCE.acquire(timeout=_PATIENCE_SECONDS):
            raise StoreBusy("Too many pictures and videos are being looked at just now: send it again in a moment.")
        try:
            return cleaner(content, media_type)
        finally:
            _AT_ONCE.release()

    return clean


def _encoded_anew(content: bytes, media_type: str) -> CleanFile:
    kind = _FORMATS[media_type]
    made = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content), formats=(kind,)) as image:
            frames, durations = _frames(image, still=kind in ("JPEG", "PNG"))
        if len(frames) == 1:
            frames[0].save(made, kind, quality=_QUALITY)
        else:
            options = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
            frames[0].save(made, kind, quality=_QUALITY, **options)
    except FileTooLarge:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise FileTooLarge(Image.MAX_IMAGE_PIXELS or 0, MOST_PIXELS, "pixels or more", "或更多像素") from None
    except Exception as error:  # decoders of damaged files fail in every way there is
        raise FileRefused("it is damaged, or no picture at all", "图片已损坏，或根本不是图片") from error
    return CleanFile(made.getvalue(), media_type, frames[0].width, frames[0].height)


def _frames(image: Image.Image, *, still: bool) -> tuple[list[Image.Image], list[int]]:
    """The picture's frames, bare, and how many milliseconds each is shown; of a still picture the first. No more is
    decoded than is taken: the header says how large a frame is.
    """
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise FileTooLarge(pixels, MOST_PIXELS, "pixels", "像素")
    frames: list[Image.Image] = []
    durations: list[int] = []
    pixels = 0
    for frame in ImageSequence.Iterator(image):
        if len(frames) == MOST_FRAMES:
            raise FileTooLarge(MOST_FRAMES + 1, MOST_FRAMES, "frames or more", "帧或更多")
        pixels += frame.width * frame.height  # of each: later ones may be larger than the first
        if pixels > MOST_PIXELS:
            raise FileTooLarge(pixels, MOST_PIXELS, "pixels or more", "像素或更多")
        frames.append(_bare(frame))
        durations.append(int(frame.info.get("duration", 100)))
        if still:
            break
    return frames, durations


def _bare(frame: Image.Image) -> Image.Image:
    """The frame's pixels the right way up, without anything beside them."""
    upright = ImageOps.exif_transpose(frame)
    alpha = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    bare = upright.convert("RGBA" if alpha else "L" if upright.mode[0] in "1LIF" else "RGB")
    bare.info = {}
    return bare


# ------------------------------------------------------------------------------------------------------------ videos

_BLANKED: Final = frozenset({b"udta", b"meta", b"uuid"})  # descriptions, places, and whatever a maker puts there
_ENTERED: Final = frozenset({b"moov", b"trak"})  # the boxes around those


def _blanked(content: bytes, media_type: str) -> CleanFile:
    first, moov = b"", False
    for _, kind, _, _ in _boxes(content, 0, len(content), iter(range(MOST_BOXES))):
        first, moov = first or kind, moov or kind == b"moov"
    if first != b"ftyp" or not moov:
        raise FileRefused("it is a video cut short, or none at all", "视频不完整，或根本不是视频")
    blank = bytearray(content)
    _blank(blank, 0, len(blank), _DEEPEST, iter(range(MOST_BOXES)))
    return CleanFile(bytes(blank), media_type)


def _blank(content: bytearray, start: int, end: int, depth: int, turns: Iterator[int]) -> None:
    """Makes free space of the boxes that tell more than pictures and sound. Nothing moves: videos point into
    themselves by place.
    """
    if not depth:
        raise FileRefused("its boxes are nested deeper than any video's", "视频的结构嵌套过深")
    for at, kind, body, after in _boxes(content, start, end, turns):
        if kind in _BLANKED:
            content[body:after] = bytes(after - body)
            content[at + 4 : at + 8] = b"free"
        elif kind in _ENTERED:
            _blank(content, body, after, depth - 1, turns)


def _boxes(
    content: bytes | bytearray, start: int, end: int, turns: Iterator[int]
) -> Iterator[tuple[int, bytes, int, int]]:
    """The boxes (ISO/IEC 14496-12) of a part of a file: where each begins, its kind, where its body begins and ends.
    Each takes one of the turns, which all parts of the file share.
    """
    while start < end:
        if next(turns, None) is None:
            raise FileRefused(f"it has more than {MOST_BOXES} boxes", f"视频的结构块超过 {MOST_BOXES} 个")
        size, kind, body = int.from_bytes(content[start : start + 4], "big"), bytes(content[start + 4 : start + 8]), 8
        if size == 1:
            size, body = int.from_bytes(content[start + 8 : start + 16], "big"), 16
        elif size == 0:
            size = end - start
        if size < body or start + size > end:
            raise FileRefused("it is a video cut short, or none at all", "视频不完整，或根本不是视频")
        yield start, kind, start + body, start + size
        start += size


# --------------------------------------------------------------------------------------------------------- documents


def _pdf(content: bytes) -> CleanFile:
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-1_024:]:
        raise FileRefused("it is a PDF cut short, or none at all", "PDF 不完整，或根本不是 PDF")
    return CleanFile(content, "application/pdf")


def _plain_text(content: bytes) -> CleanFile:
    if not _is_plain(content):
        raise FileRefused("it is neither one of these nor plain text in UTF-8", "它既不是这些类型，也不是 UTF-8 纯文本")
    return CleanFile(content, "text/plain")


def _is_plain(content: bytes) -> bool:
    """Whether it is text that nothing takes for a page or a program."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not _NOT_TEXT.search(text) and not text.lstrip("\ufeff \t\r\n").startswith(("<", "#!", "%!"))


_CLEANERS: dict[str, Callable[[bytes], CleanFile]] = {
    **{kind: _in_turn(_encoded_anew, kind) for kind in _FORMATS},
    "video/mp4": _in_turn(_blanked, "video/mp4"),
    "video/quicktime": _in_turn(_blanked, "video/quicktime"),
    "application/pdf": _pdf,
    "text/plain": _plain_text,
}
