"""Files that people send, and what hostile ones try."""

import io
import struct
import threading
import tracemalloc
import zipfile
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kameng_escrow.store import StoreBusy
from kameng_escrow.talk import files
from kameng_escrow.talk.errors import FileRefused, FileTooLarge
from kameng_escrow.talk.file_types import ENDINGS
from kameng_escrow.talk.files import MOST_BOXES, MOST_FRAMES, MOST_PIXELS, CleanFile, clean_file

LIMIT = 5_000_000
PLACE = b"GPS-31.2304N-121.4737E"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!DOCTYPE html><script>alert(document.cookie)</script>"
PDF = b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n"


def clean(content: bytes) -> CleanFile:
    return clean_file(content, max_bytes=LIMIT)


def picture(kind: str, size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> bytes:
    image = Image.new(mode, size, 128 if mode in ("L", "1") else "teal")
    made = io.BytesIO()
    image.save(made, kind, **options)
    return made.getvalue()


def animation(kind: str, frames: int, size: tuple[int, int] = (20, 10)) -> bytes:
    images = [Image.new("RGB", size, (n * 5 % 256, 100, 200)) for n in range(frames)]
    made = io.BytesIO()
    images[0].save(made, kind, save_all=True, append_images=images[1:], duration=50)
    return made.getvalue()


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def video(brand: bytes = b"isom") -> bytes:
    """As phones make it: pictures and sound, and where it was taken, at every place that there is for it."""
    track = box(b"trak", box(b"tkhd", b"track") + box(b"udta", box(b"name", PLACE)) + box(b"mdia", b"media"))
    moov = box(b"moov", box(b"mvhd", b"header") + track + box(b"udta", box(b"\xa9xyz", PLACE)) + box(b"meta", PLACE))
    return box(b"ftyp", brand + b"\x00\x00\x02\x00" + brand) + box(b"mdat", b"pictures") + moov + box(b"uuid", PLACE)


def nested(levels: int) -> bytes:
    """A box in a box in a box …"""
    sizes = (8 * (levels - level) for level in range(levels))
    return b"".join(struct.pack(">I", size) + b"moov" for size in sizes)


def png_claiming(width: int, height: int) -> bytes:
    """A few bytes that say they are a picture of that size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(10_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def zipped(name: str, content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()


# ---------------------------------------------------------------------------------------------------------- refusals

PNG, JPEG, GIF, WEBP = picture("PNG"), picture("JPEG"), picture("GIF"), picture("WEBP")
REFUSED = {
    "nothing": b"",
    "SVG": SVG,
    "SVG behind blanks": b"\n\t  " + SVG,
    "SVG behind a mark of byte order": b"\xef\xbb\xbf" + SVG,
    "HTML": HTML,
    "HTML in UTF-16": HTML.decode().encode("utf-16"),
    "a script": b"#!/bin/sh\nrm -rf /\n",
    "a program": b"\x7fELF" + bytes(200),
    "a program for Windows": b"MZ" + bytes(200),
    "a Java class": b"\xca\xfe\xba\xbe" + bytes(200),
    "an archive": zipped("a.txt", b"hello"),
    "an archive bomb": zipped("zeros", bytes(3_000_000)),
    "a gzip bomb": zlib.compress(bytes(3_000_000), wbits=31),
    "an office document": zipped("word/document.xml", b"<w:document/>"),
    "bytes of no meaning": bytes(range(256)),
    "text with a NUL": b"hello\x00world",
    "text with an escape sequence": b"\x1b]0;gone\x07",
    "text in GBK": "卡密无效".encode("gbk"),
    "half of a PNG": PNG[: len(PNG) // 2],
    "half of a JPEG": JPEG[: len(JPEG) // 2],
    "half of a GIF": animation("GIF", 3)[:40],
    "half of a WebP": WEBP[: len(WEBP) // 2],
    "the beginning of a PNG, then a page": PNG[:16] + HTML,
    "the beginning of a JPEG, then a page": JPEG[:12] + HTML,
    "the beginning of a GIF, then a script": b"GIF89a/*" + b"*/=alert(1)//",
    "a BMP": picture("BMP"),
    "a TIFF": picture("TIFF"),
    "an icon": picture("ICO"),
    "PostScript": picture("EPS"),
    "half of a PDF": PDF[:-10],
    "a page, then a PDF": HTML + PDF,
    "half of a video": video()[:-10],
    "a video without pictures": box(b"ftyp", b"isom\x00\x00\x02\x00isom"),
    "a video of boxes in boxes": box(b"ftyp", b"isom\x00\x00\x02\x00") + nested(20_000),
    "HTML behind many blanks": b" " * 30_000 + HTML,
    "a video with a box that never ends": box(b"ftyp", b"isom\x00\x00\x02\x00") + b"\xff\xff\xff\xffmoov",
    "a video with a box of no size": box(b"ftyp", b"isom\x00\x00\x02\x00") + b"\x00\x00\x00\x01moov" + bytes(8),
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_is_not_taken_is_refused(content: bytes) -> None:
    with pytest.raises(FileRefused) as caught:
        clean(content)
    assert caught.value.message_zh != caught.value.message


def test_too_many_bytes_are_refused_before_a_look() -> None:
    with pytest.raises(FileTooLarge) as caught:
        clean_file(PNG, max_bytes=len(PNG) - 1)
    assert (caught.value.size, caught.value.limit) == (len(PNG), len(PNG) - 1)


@pytest.mark.parametrize("size", [(7_072, 7_071), (65_535, 65_535), (200_000, 300), (1, MOST_PIXELS + 1)])
def test_pictures_that_would_fill_the_memory_are_not_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(FileTooLarge):
        clean(png_claiming(*size))


def test_animations_without_end_are_not_decoded() -> None:
    with pytest.raises(FileTooLarge, match="frames"):
        clean(animation("GIF", MOST_FRAMES + 1))


@pytest.mark.parametrize("place", ["beside the film", "in the film", "in a track"])
def test_videos_of_nothing_but_boxes_are_not_looked_through(place: str) -> None:
    def made_of(boxes: int) -> bytes:
        empty = box(b"free", b"") * boxes
        film = {"beside the film": box(b"moov", b"") + empty, "in the film": box(b"moov", empty)}
        return box(b"ftyp", b"isom\x00\x00\x02\x00isom") + film.get(place, box(b"moov", box(b"trak", empty)))

    around = 3 if place == "in a track" else 2
    assert clean(made_of(MOST_BOXES - around)).media_type == "video/mp4"
    with pytest.raises(FileRefused, match="boxes"):
        clean(made_of(MOST_BOXES - around + 1))

    bomb = made_of(600_000)
    tracemalloc.start()
    try:
        with pytest.raises(FileRefused, match="boxes"):
            clean(bomb)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(bomb)  # a copy, and no list of what is in it
    finally:
        tracemalloc.stop()


def test_pictures_and_videos_wait_for_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = threading.BoundedSemaphore(1)
    monkeypatch.setattr(files, "_AT_ONCE", turns)
    monkeypatch.setattr(files, "_PATIENCE_SECONDS", 0.01)
    with turns:
        for content in (PNG, video(), video(b"qt  ")):
            with pytest.raises(StoreBusy):
                clean(content)
        assert clean(b"text").media_type == "text/plain"
    for _ in range(2):
        assert clean(video()).media_type == "video/mp4"
        with pytest.raises(FileRefused):
            clean(video()[:-10])  # which gives its turn back, too


def test_text_in_a_picture_that_would_fill_the_memory_is_refused() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    bomb = chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(100_000_000)))
    with pytest.raises(FileRefused):
        clean(PNG[:33] + bomb + PNG[33:])


@settings(max_examples=60)
@given(st.data())
def test_whatever_is_sent_is_taken_whole_or_refused(data: st.DataObject) -> None:
    """Any file, with any bytes changed or cut."""
    content = bytearray(data.draw(st.sampled_from([PNG, JPEG, GIF, WEBP, PDF, video(), b"text", SVG])))
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(1, len(content))) :]
    try:
        taken = clean(bytes(content))
    except (FileRefused, FileTooLarge):
        return
    assert taken.media_type in ENDINGS
    assert clean(taken.content).media_type == taken.media_type


# --------------------------------------------------------------------------------------------------------- successes

TAKEN = {
    "image/png": PNG,
    "image/jpeg": JPEG,
    "image/gif": GIF,
    "image/webp": WEBP,
    "application/pdf": PDF,
    "video/mp4": video(),
    "video/quicktime": video(b"qt  "),
    "text/plain": '卡号,密码\r\nABCD-1234,\t"x < y"\n'.encode(),
}


@pytest.mark.parametrize(("media_type", "content"), TAKEN.items(), ids=TAKEN)
def test_what_is_taken_is_told_by_its_content(media_type: str, content: bytes) -> None:
    assert clean(content).media_type == media_type


def test_every_type_has_an_example_here() -> None:
    assert set(TAKEN) == set(ENDINGS)


@pytest.mark.parametrize("content", [PDF, TAKEN["text/plain"]])
def test_documents_are_kept_as_they_are(content: bytes) -> None:
    assert clean(content).content == content


@pytest.mark.parametrize("word", [b"GET the code from me", b"BM is my name", b"PK said so", b"II of II"])
def test_words_that_begin_other_formats_are_text_all_the_same(word: bytes) -> None:
    assert clean(word).media_type == "text/plain"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_place_of_a_photograph_is_gone(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = PLACE.decode()  # its description
    exif.get_ifd(0x8825)[2] = (31.0, 13.0, 49.0)  # where it was taken
    content = picture(kind, exif=exif)
    assert PLACE in content

    taken = clean(content)
    assert PLACE not in taken.content
    with Image.open(io.BytesIO(taken.content)) as image:
        assert dict(image.getexif()) == {}
        assert dict(image.getexif().get_ifd(0x8825)) == {}


def test_comments_profiles_and_what_follows_a_picture_are_gone() -> None:
    for content in (
        picture("JPEG", comment=PLACE, icc_profile=PLACE) + zipped("a", PLACE) + HTML,
        picture("GIF", comment=PLACE) + HTML,
        picture("PNG", icc_profile=PLACE) + HTML,
    ):
        taken = clean(content).content
        assert PLACE not in taken
        assert HTML not in taken
        assert b"PK\x03\x04" not in taken


def test_a_photograph_stays_the_right_way_up() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright
    taken = clean(picture("JPEG", (60, 40), exif=exif))
    assert (taken.width, taken.height) == (40, 60)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA"])
def test_pictures_of_every_mode_come_through(mode: str) -> None:
    taken = clean(picture("PNG", mode=mode))
    with Image.open(io.BytesIO(taken.content)) as image:
        assert image.size == (60, 40)
        assert ("A" in image.mode) == ("A" in mode)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_animations_go_on_moving(kind: str) -> None:
    with Image.open(io.BytesIO(clean(animation(kind, 4)).content)) as image:
        assert getattr(image, "n_frames", 1) == 4


def test_videos_lose_places_and_descriptions_and_nothing_else() -> None:
    content = video()
    taken = clean(content).content
    assert content.count(PLACE) == 4
    assert PLACE not in taken
    assert len(taken) == len(content)  # they point into themselves by place
    for kept in (b"pictures", b"header", b"track", b"media"):
        assert taken.index(kept) == content.index(kept)
