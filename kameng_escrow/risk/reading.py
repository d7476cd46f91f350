"""A CSV file of anybody's as a table of texts: what the texts mean is for `columns.py` to find out.

Everything is read as text, so that `007`, a number of forty digits or a column that changes its type half-way arrives
as it was written. Encodings are tried in the order in which they can be told apart: a byte-order mark, UTF-8, then
GB 18030, of which GBK and GB 2312 are parts.
"""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from .errors import TableUnreadable

MAX_COLUMNS: Final = 2_000
_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SEPARATORS: Final = ",;\t|"
# What files write where they have nothing. `NA` and `None` may be words, but far oftener are holes.
MISSING: Final = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "none", "NaT", "<NA>", "#N/A", "-", "无", "空")


@dataclass(frozen=True)
class ReadTable:
    """A file as it was read."""

    frame: pd.DataFrame  # texts; a hole is NaN
    encoding: str
    separator: str
    notes: tuple[tuple[str, str], ...]  # what was put right while reading: in Chinese, in English


def read_csv(path: Path) -> ReadTable:
    """The table in a CSV file, in UTF-8 (with a mark or without), UTF-16 with a mark, GBK or GB 18030.

    Columns without a name are named by their place; of columns with the same name the later ones get their number.

    Raises:
        TableUnreadable: there is no such file, it is empty, is no text, or its lines don't fit its header.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TableUnreadable(path, error.strerror or str(error), f"系统说 {error.strerror or error}") from error
    text, encoding = _decoded(path, raw)
    if not text.strip():
        raise TableUnreadable(path, "it is empty", "文件是空的")
    separator = _separator(text)
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            dtype=str,
            header=None,
            keep_default_na=False,
            na_values=list(MISSING),
            skip_blank_lines=True,
            low_memory=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, ValueError) as error:
        raise TableUnreadable(
            path,
            f"its lines don't fit together ({error}); is {separator!r} what separates its columns?",
            f"各行对不上（{error}）；列之间是用 {separator!r} 分隔的吗",
        ) from error
    if frame.shape[1] > MAX_COLUMNS:
        raise TableUnreadable(
            path, f"it has {frame.shape[1]:,} columns, and {MAX_COLUMNS:,} are allowed", f"列数超过 {MAX_COLUMNS:,}"
        )
    names, notes = _named(["" if pd.isna(name) else str(name) for name in frame.iloc[0]])
    frame = frame.iloc[1:].reset_index(drop=True)
    frame.columns = pd.Index(names)
    return ReadTable(frame, encoding, separator, tuple(notes))


def _decoded(path: Path, raw: bytes) -> tuple[str, str]:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            try:
                return raw.decode(encoding), encoding
            except UnicodeDecodeError as error:
                raise TableUnreadable(path, f"it begins as {encoding} and goes on otherwise", "编码前后不一") from error
    if b"\x00" in raw:
        raise TableUnreadable(path, "it is no text: there are zero bytes in it", "不是文本：里面有零字节")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise TableUnreadable(
        path, "it is neither UTF-8 nor GBK; save it as UTF-8", "既不是 UTF-8 也不是 GBK；请另存为 UTF-8"
    )


def _separator(text: str) -> str:
    """The character that divides the first lines most evenly."""
    lines = [line for line in text[:100_000].splitlines()[:20] if line.strip()]
    counts = {mark: [next(csv.reader([line], delimiter=mark), []) for line in lines] for mark in _SEPARATORS}
    best, width = ",", 1
    for mark, rows in counts.items():
        usual, often = Counter(len(row) for row in rows).most_common(1)[0]
        if usual > width and often >= 0.7 * len(rows):
            best, width = mark, usual
    return best


def _named(header: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    names: list[str] = []
    notes: list[tuple[str, str]] = []
    for place, raw in enumerate(header, start=1):
        wanted = raw.strip()
        if not wanted:
            wanted = f"column {place}"
            notes.append((f"第 {place} 列没有名字：叫作 {wanted}", f"Column {place} has no name: called {wanted}"))
        name, number = wanted, 1
        while name in names:
            number += 1
            name = f"{wanted} ({number})"
        if number > 1:
            notes.append(
                (f"有 {number} 列都叫 {wanted}：第 {place} 列叫作 {name}", f"{wanted} comes again: now called {name}")
            )
        names.append(name)
    return names, notes
