"""Codes as shops and spreadsheets write them; what can't be right is told by its line."""

import stat
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.delivery import CodesUnusable, DeliveryKeyUnusable, read_codes
from kameng_escrow.delivery.fingerprints import FingerprintKey, read_fingerprint_keys, tag_of
from kameng_escrow.delivery.normal import normal_form

KEY = FingerprintKey(id="2026", secret=bytes(range(32)))


# --------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        ("A1\nB2\n", ["A1", "B2"]),
        ("A1\r\n\r\n  B2  \r\n", ["A1", "B2"]),
        ("A1\rB2", ["A1", "B2"]),
        ("\ufeffcode\nA1\n", ["A1"]),
        ("卡号,密码\n1001,aa\n1002,bb\n", ["1001----aa", "1002----bb"]),
        ("1001\taa\n1002\tbb", ["1001----aa", "1002----bb"]),
        ("1001;aa\n1002;bb", ["1001----aa", "1002----bb"]),
        ('"A,1"\n"B,2"', ["A,1", "B,2"]),
        ('"say ""hi"""\n', ['say "hi"']),
        ('="0012"\n\'0013\n', ["0012", "0013"]),
        ("a\nA\n", ["a", "A"]),  # some codes are told apart by their case
        ("\u3000A1\u00a0\n", ["A1"]),
    ],
)
def test_files_are_read(content: str, codes: list[str]) -> None:
    assert read_codes(content.encode("utf-8")) == codes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030"])
def test_spreadsheets_of_china_are_read(encoding: str) -> None:
    assert read_codes("卡号,卡密\n点卡一,甲乙丙\n点卡二,丁戊己\n".encode(encoding)) == [
        "点卡一----甲乙丙",
        "点卡二----丁戊己",
    ]


def test_one_column_may_be_chosen() -> None:
    content = "序号,卡密,备注\n1,A1,x\n2,B2,y\n".encode()
    assert read_codes(content, column="卡密") == read_codes(content, column=2) == ["A1", "B2"]
    assert read_codes(content, column="2") == ["A1", "B2"]
    for column in ("卡号", 4, 0, "9"):
        with pytest.raises(CodesUnusable, match="no column"):
            read_codes(content, column=column)


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"", None, "empty"),
        (b"\n \n", None, "empty"),
        (b"code\n", None, "no codes"),
        (b"a,b\nc\n", 2, "1 columns, the first one 2"),
        (b"a\nb,c\n", 2, "2 columns, the first one 1"),
        (b"a,b\nc,\n", 2, "empty column"),
        (b"a\nb\na\n", 3, "Lines 1 and 3"),
        (b"a-1\n a1\n", 2, "Lines 1 and 2"),
        (b"1.23457E+15\n", 1, "format the column as text"),
        (b'a\n"b\n', 2, "quotation mark"),
        (b'"a"b\n', 1, "quotation mark"),
        (b'"a\nb"\n', 2, "nobody can see"),
        (b"---\n", 1, "no code"),
        (b"x" * 1025, 1, "1,025 characters"),
        (b"a\x00b", None, "no text"),
        (b"PK\x03\x04\x14\x00\x06\x00", None, "no text"),  # a spreadsheet itself
        (b"\xff\xfe\x41", None, "no text"),
        ("A\u202e1".encode(), 1, "nobody can see"),
    ],
)
def test_what_can_t_be_right_is_told(content: bytes, line: int | None, says: str) -> None:
    with pytest.raises(CodesUnusable) as refused:
        read_codes(content)
    assert says in refused.value.message
    assert refused.value.message_zh
    assert refused.value.line == line


def test_there_are_bounds() -> None:
    with pytest.raises(CodesUnusable, match="65,536 codes"):
        read_codes(b"\n".join(b"%d" % number for number in range(65_536)))
    assert len(read_codes(b"\n".join(b"%d" % number for number in range(65_535)))) == 65_535
    with pytest.raises(CodesUnusable, match="split it"):
        read_codes(bytes(16 * 1024 * 1024 + 1))


@given(st.binary(max_size=300))
def test_any_file_is_read_or_refused_in_words(content: bytes) -> None:
    with suppress(CodesUnusable):
        found = read_codes(content)
        assert found
        assert all(code.strip() for code in found)


# -------------------------------------------------------------------------------------------------------- fingerprints


@pytest.mark.parametrize(
    "written",
    ["AB12-CD34", "ab12cd34", " ab12 cd34 ", "ＡＢ１２－ＣＤ３４", "AB12–CD34", "A\u200bB12CD34", "AB12\u3000CD34\n"],
)
def test_every_way_of_writing_a_code_has_one_tag(written: str) -> None:
    tag_key = KEY.tag_key("0x" + "11" * 20)
    assert tag_of(written, tag_key) == tag_of("AB12CD34", tag_key)
    assert tag_of("AB12CD35", tag_key) != tag_of("AB12CD34", tag_key)


@given(st.text(st.characters(max_codepoint=127)))
def test_the_short_way_for_ascii_is_the_long_one(text: str) -> None:
    beside = "\u00e9"  # makes it go the long way
    assert normal_form(text + beside) == normal_form(text) + beside


@given(st.text())
def test_a_normal_form_is_its_own(text: str) -> None:
    assert normal_form(normal_form(text)) == normal_form(text)


def test_platforms_and_keys_are_told_apart() -> None:
    other = FingerprintKey(id="2027", secret=bytes(32))
    first, second = "0x" + "11" * 20, "0x" + "22" * 20
    assert len({key.tag_key(one) for key in (KEY, other) for one in (first, second)}) == 4
    tag = tag_of("A1", KEY.tag_key(first))
    assert len({KEY.fingerprint(tag), other.fingerprint(tag), tag}) == 3
    assert KEY.secret.hex() not in repr(KEY)


def test_keys_are_read_newest_first(tmp_path: Path) -> None:
    path = keys_file(tmp_path, f"# ours\n2027 0x{'11' * 32}\n2026 {'22' * 32} # the old one\n")
    assert [key.id for key in read_fingerprint_keys(path)] == ["2027", "2026"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "# nothing\n",
        "2026\n",
        f"2026 {'11' * 31}\n",
        f"a {'11' * 32}\na {'22' * 32}\n",
        f"{'k' * 17} {'11' * 32}\n",
    ],
)
def test_files_of_keys_that_are_none_are_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(DeliveryKeyUnusable, match="holds no fingerprint keys"):
        read_fingerprint_keys(keys_file(tmp_path, content))


def test_keys_that_others_may_read_are_refused(tmp_path: Path) -> None:
    path = keys_file(tmp_path, f"2026 {'11' * 32}\n")
    path.chmod(0o600 | stat.S_IRGRP)
    with pytest.raises(DeliveryKeyUnusable, match="chmod 600"):
        read_fingerprint_keys(path)
    with pytest.raises(DeliveryKeyUnusable, match="can't be read"):
        read_fingerprint_keys(tmp_path / "none")


def keys_file(folder: Path, content: str) -> Path:
    path = folder / "fingerprints"
    path.write_text(content, "utf-8")
    path.chmod(0o600)
    return path
