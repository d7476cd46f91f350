"""Files that appear together, whole, or not at all."""

import hashlib
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

_PIECE = 1 << 20  # bytes read at once


class Making:
    """Files in the making, beside where they will be. A context manager: takes away what was not finished."""

    def __init__(self, folder: Path) -> None:
        """Raises `OSError` where the folder can't be made or written."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._rough = tempfile.TemporaryDirectory(prefix=".kameng-", dir=folder)
        self._files: dict[str, IO[bytes]] = {}

    def open(self, name: str) -> IO[bytes]:
        """A new file to write to. It stays open."""
        path = Path(self._rough.name) / name
        self._files[name] = path.open("wb")
        return self._files[name]

    def described(self) -> list[dict[str, Any]]:
        """Each file's name, size and SHA-256, once all is written."""
        found = []
        for name, file in self._files.items():
            file.flush()
            size, digest = size_and_digest(Path(self._rough.name) / name)
            found.append({"name": name, "bytes": size, "sha256": digest})
        return found

    def finish(self) -> list[Path]:
        """Puts every file in its place, in the order in which they were opened; replaces what was there."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
            file.close()
        placed = []
        for name in self._files:
            path = Path(self._rough.name) / name
            placed.append(path.replace(self._folder / name))
        return placed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            try:
                file.close()
            except OSError:  # a full disk says so again
                continue
        self._rough.cleanup()


def size_and_digest(path: Path) -> tuple[int, str]:
    """How many bytes a file has, and their SHA-256. Raises `OSError`."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()
