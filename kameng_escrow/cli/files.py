"""Files in and out: readable errors, and never half a file."""

import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from .problems import FileUnusable
from .reasons import reasons

LARGEST = 1024 * 1024  # bytes; our documents have one or two thousand
MOST_BRACKETS = 1_000  # ours have a handful; and Python's parser can crash on what is nested ten thousand deep


def read_json(path: Path, *, largest: int | None = None) -> Any:
    """What the JSON file holds, of at most `largest` bytes; left out, of what our documents may have.

    Raises:
        FileUnusable: it is missing, unreadable, too large, no UTF-8, or no (complete) JSON.
    """
    content = read_bytes(path, largest=LARGEST if largest is None else largest)
    if content.count(b"[") + content.count(b"{") > MOST_BRACKETS:
        raise FileUnusable(
            f"{path} 嵌套太多，不是这里用的文件。", f"{path} is nested too much to be meant for this.", path=str(path)
        )
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise FileUnusable(f"{path} 不是 UTF-8 文本。", f"{path} is not UTF-8 text.", path=str(path)) from error
    except ValueError as error:
        place = f"第 {error.lineno} 行" if isinstance(error, json.JSONDecodeError) else "开头"
        line = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "its start"
        raise FileUnusable(
            f"{path} 不是完整的 JSON（{place}出错）：文件可能被截断了，请重新生成或传输。",
            f"{path} is no complete JSON (it breaks at {line}): it may be cut off. Make or fetch it again.",
            path=str(path),
        ) from error


def read_bytes(path: Path, *, largest: int) -> bytes:
    """What the file holds. Raises `FileUnusable`: it is missing, unreadable, or has more than `largest` bytes."""
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileUnusable(
            f"读不了文件 {path}：{reason}。", f"{path} can't be read: {reason}.", path=str(path)
        ) from error
    if len(content) > largest:
        raise FileUnusable(f"文件 {path} 太大。", f"{path} is too large.", path=str(path))
    return content


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Writes the file in one step: readers and crashes see the old one or the new one. `private`: mode 0600.

    Raises:
        FileUnusable: the folder is missing or unwritable, or the disk is full; what was there is untouched.
    """
    fresh: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        fresh = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if not private:
            umask = os.umask(0)
            os.umask(umask)
            fresh.chmod(0o666 & ~umask)
        fresh.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if fresh is not None:
            fresh.unlink(missing_ok=True)


def require_writable(path: Path) -> None:
    """Finds out before a long piece of work, not after it, that its result can't be written.

    Raises:
        FileUnusable: as `write_text`.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        Path(name).unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> FileUnusable:
    zh, en = reasons(error)
    return FileUnusable(f"写不了文件 {path}：{zh}。", f"{path} can't be written: {en}.", path=str(path))
