"""Files in and out: a clear sentence for whatever is wrong, and never half a file."""

import json
import os
import stat
from pathlib import Path

import pytest

from kameng_escrow.cli import files
from kameng_escrow.cli.files import read_json, require_writable, write_text
from kameng_escrow.cli.problems import FileUnusable


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_json_is_read(tmp_path: Path) -> None:
    path = tmp_path / "terms.json"
    path.write_text('{"price": "1"}', "utf-8")
    assert read_json(path) == {"price": "1"}
    path.write_text("\ufeff[1]", "utf-8")  # as Windows editors save it
    assert read_json(path) == [1]


@pytest.mark.parametrize(
    "content",
    [b"", b'{"price": "1', b"{", b"\xff\xfe", b"nonsense", b"[" * 100_000],
    ids=["empty", "cut in a string", "cut", "no text", "no json", "too deep"],
)
def test_json_that_is_none_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "terms.json"
    path.write_bytes(content)
    with pytest.raises(FileUnusable, match=r"terms\.json") as refused:
        read_json(path)
    assert "terms.json" in refused.value.message_zh


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.json", tmp_path):
        with pytest.raises(FileUnusable):
            read_json(path)


def test_a_file_too_large_to_be_meant_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 10)
    path = tmp_path / "large.json"
    path.write_text(json.dumps(["x" * 20]))
    with pytest.raises(FileUnusable, match="too large"):
        read_json(path)


def test_text_is_written_whole_and_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_text(path, "old")
    write_text(path, "新")
    assert path.read_text("utf-8") == "新"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    assert leftovers(tmp_path) == ["out.json"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.json"
    write_text(path, "old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileUnusable, match="No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert leftovers(tmp_path) == ["out.json"]


def test_a_missing_folder_is_found_out_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match="nowhere"):
        require_writable(tmp_path / "nowhere" / "out.json")
    with pytest.raises(FileUnusable, match="folder"):
        require_writable(tmp_path)
    require_writable(tmp_path / "out.json")
    assert leftovers(tmp_path) == []
