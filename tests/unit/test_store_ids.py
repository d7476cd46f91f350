"""Names for rows that others see: they sort by time, and nobody can guess one."""

import time

import pytest

from kameng_escrow.store.service.ids import LENGTH, is_id, new_id


def test_a_name_has_the_form_of_its_kind_only() -> None:
    name = new_id("lst")
    assert is_id(name, "lst")
    assert len(name) == LENGTH - 1
    assert not is_id(name, "ls")
    assert not is_id(name, "msg")
    assert not is_id(name.upper(), "lst")
    assert not is_id(name + "0", "lst")
    assert not is_id(name[:-1] + "i", "lst")  # no letter of the alphabet


def test_later_names_sort_later_and_none_comes_twice() -> None:
    first = [new_id("msg") for _ in range(100)]
    started = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 == started:
        pass
    later = [new_id("msg") for _ in range(100)]
    assert max(first) < min(later)
    assert len({*first, *later}) == 200


@pytest.mark.parametrize("kind", ["", "a", "abcde", "L", "a_b"])
def test_a_kind_is_a_short_word(kind: str) -> None:
    with pytest.raises(ValueError, match="no kind of name"):
        new_id(kind)
