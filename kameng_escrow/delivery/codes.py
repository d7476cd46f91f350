"""Codes as sellers have them: one by one, or in the files that shops and spreadsheets write.

A file is text in UTF-8 (with or without a mark), UTF-16 with its mark, or GB18030, of which GBK and GB2312 are parts:
what Chinese spreadsheets export. One code a line, or CSV with commas, tabs or semicolons; quoted fields may hold them.
A first line of column names is recognised by them. Of several columns, such as number and password, one code is made
by joining them with ``----``, as card shops do, unless one column is named.
"""

import csv
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from kameng_escrow.domain.terms import MAX_UNITS

from .errors import CodesUnusable
from .normal import normal_form

LARGEST_FILE = 16 * 1024 * 1024  # bytes
LONGEST_CODE = 1_024  # characters
JOINT = "----"

_HEADERS = frozenset(
    (
        *("code", "codes", "card", "cards", "cardno", "cardnumber", "cardcode", "number", "no", "pin", "pwd", "pass"),
        *("password", "key", "cdk", "cdkey", "serial", "sn", "voucher", "卡", "卡号", "卡密", "密码", "卡密码", "卡片"),
        *("卡券", "券码", "序列号", "激活码", "兑换码", "充值码", "充值卡", "账号", "帐号", "序号", "编号"),
    )
)
_FORMULA = re.compile(r'="([^"]*)"')  # how spreadsheets are told to leave digits alone
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+\d+")
_ORNAMENTS = " \t\r\n\u00a0\u3000\ufeff\u200b"
_NO_TEXT = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}  # control, surrogates, private use, unassigned, separators of lines
_INVISIBLE = {*_NO_TEXT, "Cf"}  # and what turns or joins letters


def read_codes(content: bytes, *, column: str | int | None = None) -> list[str]:
    """The codes in a file, in its order.

    Args:
        content: the file's bytes.
        column: only this one of several, by name or counted from 1.

    Raises:
        CodesUnusable: it can't be read, a line is not like the others, or a code is there twice, is none, or was
            spoilt by a spreadsheet. Says which line.
    """
    if len(content) > LARGEST_FILE:
        raise CodesUnusable(
            f"The file has {len(content):,} bytes, and may have {LARGEST_FILE:,}: split it by orders.",
            f"文件有 {len(content):,} 字节，最多 {LARGEST_FILE:,} 字节：请按订单拆开。",
        )
    rows = _rows(_decode(content))
    if not rows:
        raise CodesUnusable("The file has no codes: it is empty.", "文件里没有卡密：是空的。")
    names = rows[0][1] if any(_is_header(cell) for cell in rows[0][1]) else None
    width = len(rows[0][1])
    found = []
    places: dict[str, int] = {}
    chosen = _chosen(column, names, width)
    for line, cells in rows[1:] if names else rows:
        if len(cells) != width:
            raise CodesUnusable(
                f"Line {line} has {len(cells)} columns, the first one {width}: put fields with commas in quotes.",
                f"第 {line} 行有 {len(cells)} 列，而首行有 {width} 列：含逗号的内容请加引号。",
                line=line,
            )
        code = JOINT.join(cells) if chosen is None else cells[chosen]
        _check_line(line, [code] if chosen is not None else cells)
        check_code(code, line=line)
        first = places.setdefault(normal_form(code, fold=False), line)
        if first != line:
            raise CodesUnusable(
                f"Lines {first} and {line} have the same code: every unit needs one of its own.",
                f"第 {first} 行和第 {line} 行是同一个卡密：每张都要有自己的卡密。",
                line=line,
            )
        found.append(code)
    if not found:
        raise CodesUnusable("The file has column names and no codes.", "文件里只有列名，没有卡密。")
    if len(found) > MAX_UNITS:
        raise _too_many(len(found))
    return found


def check_codes(codes: Sequence[Any]) -> None:
    """Passes 1 … 65,535 codes that can be delivered together. Raises `CodesUnusable`, whose `line` is the unit."""
    if not codes:
        raise CodesUnusable("There are no codes to deliver.", "没有可交付的卡密。")
    if len(codes) > MAX_UNITS:
        raise _too_many(len(codes))
    places: dict[str, int] = {}
    for unit, code in enumerate(codes, 1):
        check_code(code, line=unit)
        first = places.setdefault(normal_form(code, fold=False), unit)
        if first != unit:
            raise CodesUnusable(
                f"Units {first} and {unit} have the same code: every unit needs one of its own.",
                f"第 {first} 张和第 {unit} 张是同一个卡密：每张都要有自己的卡密。",
                line=unit,
            )


def check_code(code: Any, *, line: int) -> None:
    """Passes a code: 1 … 1,024 characters of one line, none of them invisible. Raises `CodesUnusable`."""
    if not isinstance(code, str) or not normal_form(code):
        raise CodesUnusable(f"Line {line} has no code.", f"第 {line} 行没有卡密。", line=line)
    if len(code) > LONGEST_CODE:
        raise CodesUnusable(
            f"The code on line {line} has {len(code):,} characters, and may have {LONGEST_CODE:,}.",
            f"第 {line} 行的卡密有 {len(code):,} 个字符，最多 {LONGEST_CODE:,} 个。",
            line=line,
        )
    if not is_printable(code):
        raise CodesUnusable(
            f"The code on line {line} has characters that nobody can see or type: export the file as UTF-8 and look.",
            f"第 {line} 行的卡密里有看不见、打不出的字符：请把文件另存为 UTF-8 再检查。",
            line=line,
        )


def is_printable(text: str) -> bool:
    """Whether a text has none but visible characters and blanks."""
    return text.isprintable() or not any(unicodedata.category(letter) in _INVISIBLE for letter in text)


def _decode(content: bytes) -> str:
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ("utf-16",) if marked else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if any(unicodedata.category(letter) in _NO_TEXT for letter in set(text) - set("\t\r\n")):
            break  # GB18030 would make letters of it, and they would be wrong
        return text
    raise CodesUnusable(
        "The file is no text in UTF-8, UTF-16 or GBK: save it as CSV (UTF-8) and try again.",
        "文件不是 UTF-8、UTF-16 或 GBK 文本：请另存为 CSV（UTF-8）再试。",
    )


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of its last line."""
    first = next((line for line in text.splitlines() if line.strip(_ORNAMENTS)), "")
    bare = re.sub(r'"[^"]*"', "", first)
    delimiter = next((mark for mark in "\t,;" if mark in bare), ",")
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    rows = []
    try:
        for row in reader:
            cells = [_clean(cell) for cell in row]
            if any(cells):
                rows.append((reader.line_num, cells))
    except csv.Error as error:
        line = reader.line_num
        raise CodesUnusable(
            f"Line {line} is no CSV: a quotation mark is missing or one too many.",
            f"第 {line} 行不是合法的 CSV：引号缺失或多余。",
            line=line,
        ) from error
    return rows


def _clean(cell: str) -> str:
    text = cell.strip(_ORNAMENTS)
    formula = _FORMULA.fullmatch(text)
    return formula[1].strip(_ORNAMENTS) if formula else text.removeprefix("'")


def _is_header(cell: str) -> bool:
    return normal_form(cell).replace("_", "") in _HEADERS


def _chosen(column: str | int | None, names: Sequence[str] | None, width: int) -> int | None:
    if column is None:
        return 0 if width == 1 else None
    if isinstance(column, str) and not column.isdecimal():
        wanted = normal_form(column)
        found = [place for place, name in enumerate(names or ()) if normal_form(name) == wanted]
        if len(found) != 1:
            listed = ", ".join(names) if names else "–"
            raise CodesUnusable(
                f"There is no column {column!r}; the file has: {listed}.",
                f"没有 {column!r} 这一列；文件里有：{listed}。",
            )
        return found[0]
    place = int(column) - 1
    if not 0 <= place < width:
        raise CodesUnusable(
            f"There is no column {column}: the file has 1 to {width}.",
            f"没有第 {column} 列：文件里是第 1 到第 {width} 列。",
        )
    return place


def _check_line(line: int, cells: Sequence[str]) -> None:
    for cell in cells:
        if not cell:
            raise CodesUnusable(
                f"Line {line} has an empty column: fill it in, or name the one column that has the codes.",
                f"第 {line} 行有一列是空的：请补上，或指定卡密所在的那一列。",
                line=line,
            )
        if _SCIENTIFIC.fullmatch(cell):
            raise CodesUnusable(
                f"A spreadsheet has turned the digits on line {line} into a number such as 1.23E+15, and some are "
                "lost: format the column as text, enter the codes again, and export anew.",
                f"第 {line} 行的数字被表格软件变成了 1.23E+15 这样的写法，部分数字已丢失：请把该列设为文本，"
                "重新录入后再导出。",
                line=line,
            )


def _too_many(count: int) -> CodesUnusable:
    return CodesUnusable(
        f"There are {count:,} codes, and an order has at most {MAX_UNITS:,} units.",
        f"有 {count:,} 个卡密，而一笔订单最多 {MAX_UNITS:,} 张。",
    )
