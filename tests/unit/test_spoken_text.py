"""What people say to each other, before it is kept."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.domain.plain_text import TextLength, TextUnfit
from kameng_escrow.domain.spoken_text import LONGEST_NAME, MOST_MARKS, clean_message, clean_name

REFUSED = {
    "nothing": "",
    "blanks": " \n\t ",
    "only what nobody sees": "\u202e\u2066\ufeff",
    "NUL": "a\x00b",
    "an escape sequence": "\x1b[2J",
    "a bell": "ding\x07",
    "a C1 control": "a\x9bb",
    "half of a pair": "a\ud800",
    "no character": "a\uffff",
    "no character of another plane": "a\U0001fffe",
    "too many marks": "Z" + "\u0335" * (MOST_MARKS + 1),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_no_text_is_refused(text: str) -> None:
    with pytest.raises((TextUnfit, TextLength)) as caught:
        clean_message(text, "text")
    assert caught.value.field == "text"
    assert caught.value.message_zh != caught.value.message


def test_a_text_is_as_long_as_allowed_and_no_longer() -> None:
    assert clean_message("卡" * 10, "text", most=10) == "卡" * 10
    for text in ("卡" * 11, "卡" * 1_000_000):
        with pytest.raises(TextLength, match="10"):
            clean_message(text, "text", most=10)


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("  hello\r\nworld\r!  ", "hello\nworld\n!"),
        ("cafe\u0301", "café"),
        ("code \u202e4321-DCBA\u202c", "code 4321-DCBA"),
        ("\u2066left\u2069 \u200fright", "left right"),
        ("soft\u00adhyphen\ufeff", "softhyphen"),
        ("hidden\U000e0041\U000e0042", "hidden"),
        ("👨\u200d👩\u200d👧 می\u200cخواهم", "👨\u200d👩\u200d👧 می\u200cخواهم"),
        ("price: 1\t2", "price: 1\t2"),
        ("שלום עולם", "שלום עולם"),
    ],
)
def test_what_nobody_sees_is_taken_out_and_the_rest_stays(given_text: str, kept: str) -> None:
    assert clean_message(given_text, "text") == kept


@given(st.text(max_size=300))
def test_what_is_kept_is_kept_again(text: str) -> None:
    try:
        kept = clean_message(text, "text")
    except (TextUnfit, TextLength):
        return
    assert clean_message(kept, "text") == kept
    assert unicodedata.is_normalized("NFC", kept)
    assert kept == kept.strip()


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("", "file"),
        ("..", "file"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\secret.png", "secret.png"),
        ("a\r\nSet-Cookie: x=1.png", "aSet-Cookie x=1.png".replace("Cookie x", "Cookie: x")),
        ('quo"te;.png', 'quo"te;.png'),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("截图 2026.png", "截图 2026.png"),
        ("\x00\x1b\x9b", "file"),
        ("   spaced   out  .txt ", "spaced out .txt"),
        ("/", "file"),
    ],
)
def test_a_name_is_a_label_in_one_line(given_name: str, shown: str) -> None:
    assert clean_name(given_name) == shown


@given(st.text(max_size=500))
def test_every_name_gives_one_that_can_be_shown(name: str) -> None:
    shown = clean_name(name)
    assert 0 < len(shown) <= LONGEST_NAME
    assert not set(shown) & set("/\\\r\n\t\x00")
    assert all(unicodedata.category(letter)[0] != "C" for letter in shown)
    shown.encode("utf-8")


def test_a_long_name_keeps_its_ending() -> None:
    assert clean_name("x" * 400 + ".jpeg").endswith("x.jpeg")
