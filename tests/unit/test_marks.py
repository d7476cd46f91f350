"""Marks stand before every statement and at both ways of every condition, and change nothing else."""

import re
from pathlib import Path

import pytest

from bench.verify.coverage import CONTRACTS
from bench.verify.instrument import MARKS, instrument

ROOT = Path(__file__).resolve().parents[2]
LENS = "contracts/KamengLens.sol"
_STATEMENT = re.compile(r'assembly \("memory-safe"\) \{ calldatacopy\(\d+, 0, 0\) \} ')
_BRACES = re.compile(r"\{ (.*;) \}")  # around what follows an `if` on its line
_CONDITION = re.compile(r"_marked\(\d+, ")


@pytest.fixture(scope="module")
def marked():
    return instrument(ROOT, CONTRACTS)


def test_every_mark_has_a_number_of_its_own(marked):
    assert [mark.number for mark in marked.marks] == list(range(MARKS, MARKS + len(marked.marks)))


def test_every_mark_is_written_into_its_file(marked):
    for mark in marked.marks:
        number = mark.number - (mark.way == "false")
        assert marked.sources[mark.file].count(str(number)) == 1, mark


def test_a_mark_knows_its_line(marked):
    for mark in marked.marks:
        line = (ROOT / mark.file).read_text("utf-8").splitlines()[mark.line - 1]
        assert mark.text in line, mark


def test_a_loop_a_choice_and_a_statement_are_marked(marked):
    found = {(mark.way, mark.text) for mark in marked.marks if mark.file == LENS}
    assert ("true", "i < orderIds.length") in found
    assert ("false", "i < orderIds.length") in found
    assert ("", "if (action.dueAt == 0) continue") in found


def test_without_the_marks_a_file_is_what_it_was(marked):
    text = _STATEMENT.sub("", marked.sources[LENS])
    while (found := _CONDITION.search(text)) is not None:
        text = _unwrapped(text, found.start(), found.end())
    original = (ROOT / LENS).read_text("utf-8")
    assert _BRACES.sub(r"\1", text.split("\nfunction _marked")[0]) == original


def _unwrapped(text: str, start: int, inner: int) -> str:
    depth, at = 1, inner
    while depth:
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return text[:start] + text[inner : at - 1] + text[at:]
