"""Files, kept in a folder under the hash of what is in them.

A blob's name is the SHA-256 of its bytes, so that equal files are kept once and a changed one can't pass for another:
every read is checked against the name. A blob is whole or not there: it is written beside its place, forced to the
disk, and moved there in one step. Who may see a blob, and whether anybody still needs it, is known to the tables that
name it and not here; `collect` asks them.

    FOLDER/objects/ab/abcdef…   blobs, by the first byte of their name
    FOLDER/incoming/            being written; left behind only by a process that was killed, and swept
"""

import errno
import hashlib
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from .errors import BlobDamaged, BlobMissing, StoreFull, StoreUnavailable

CHUNK: Final = 256 * 1024  # bytes read and written at once
GRACE_SECONDS: Final = 24 * 60 * 60  # that a blob is kept though nobody names it yet
_RECOUNT_SECONDS: Final = 60.0  # that a count of the folder is believed: others may write to it too
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_HEX: Final = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Blob:
    """A file in the store."""

    sha256: str  # 64 lowercase hex digits
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection took away."""

    blobs: int
    bytes: int


class BlobStore:
    """A folder of blobs. May be used by several threads and processes at once, on one machine or a shared disk."""

    def __init__(self, folder: Path, *, max_bytes: int | None = None, keep_free_bytes: int = 0) -> None:
        """Makes nothing yet.

        Args:
            folder: where the blobs are; made when the first is put.
            max_bytes: how much all blobs may take together; None: no bound.
            keep_free_bytes: how much of the disk is left to others, such as a database beside the folder.
        """
        self.folder = folder
        self._objects = folder / "objects"
        self._incoming = folder / "incoming"
        self._max_bytes = max_bytes
        self._keep_free_bytes = keep_free_bytes
        self._lock = threading.Lock()
        self._used = 0
        self._counted_at: float | None = None

    # -------------------------------------------------------------------------------------------------------- writing

    def put(self, content: bytes | Iterable[bytes]) -> Blob:
        """Keeps the bytes; once it returns, a power cut does not take them.

        Raises:
            StoreFull: the quota or the disk has no room. Nothing of it is left.
            StoreUnavailable: the folder can't be used.
        """
        chunks = (content,) if isinstance(content, bytes) else content
        self._require_room(len(content) if isinstance(content, bytes) else 0)
        with self._in_our_words():
            self._make_folders()
            beside = self._incoming / secrets.token_hex(16)
            try:
                blob = self._write(beside, chunks)
                self._place(beside, blob)
            finally:
                beside.unlink(missing_ok=True)
        return blob

    def _write(self, path: Path, chunks: Iterable[bytes]) -> Blob:
        digest, size = hashlib.sha256(), 0
        with _new_file(path) as file:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                if size > CHUNK:
                    self._require_room(size)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        return Blob(digest.hexdigest(), size)

    def _place(self, beside: Path, blob: Blob) -> None:
        place = self._path(blob.sha256)
        if self._renew(place):
            return
        self._require_room(blob.size)
        if not place.parent.exists():
            place.parent.mkdir(mode=0o700, exist_ok=True)
            _sync(self._objects)
        beside.replace(place)
        _sync(place.parent)
        with self._lock:
            self._used += blob.size

    def _renew(self, place: Path) -> bool:
        """Whether the blob is there already and whole, in which case its grace begins anew."""
        try:
            os.utime(place)
            with place.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == place.name
        except FileNotFoundError:
            return False

    # -------------------------------------------------------------------------------------------------------- reading

    def read(self, sha256: str) -> bytes:
        """A blob's bytes, all at once. Raises as `stream`."""
        return b"".join(self.stream(sha256))

    def stream(self, sha256: str) -> Iterator[bytes]:
        """A blob's bytes in chunks. It is checked whole before the first of them is given out.

        Raises:
            BlobMissing: it is not there.
            BlobDamaged: its bytes are no longer those that were put.
            StoreUnavailable: the folder can't be used.
        """
        with self._in_our_words():
            file = self._open(sha256)
        try:
            with self._in_our_words():
                digest = hashlib.sha256()
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
                if digest.hexdigest() != sha256:
                    raise BlobDamaged(sha256)
                file.seek(0)
        except BaseException:
            file.close()
            raise
        return self._chunks(file)

    def _chunks(self, file: IO[bytes]) -> Iterator[bytes]:
        with file, self._in_our_words():
            while chunk := file.read(CHUNK):
                yield chunk

    def has(self, sha256: str) -> bool:
        """Whether the blob is there; says nothing about its bytes."""
        with self._in_our_words():
            return self._path(sha256).is_file()

    def _open(self, sha256: str) -> IO[bytes]:
        try:
            return self._path(sha256).open("rb")
        except FileNotFoundError:
            raise BlobMissing(sha256) from None

    # ----------------------------------------------------------------------------------------------------- collecting

    def collect(
        self, named: Callable[[Collection[str]], Collection[str]], *, grace_seconds: float = GRACE_SECONDS
    ) -> Collected:
        """Takes away the blobs that nobody names.

        Args:
            named: of some blobs, those that a table names.
            grace_seconds: how long ago a blob must have been put last. It must be longer than it takes from putting a
                blob to committing the row that names it.
        """
        found, taken = Collected(0, 0), 0
        with self._in_our_words():
            if not self._objects.is_dir():
                return found
            before = time.time() - grace_seconds
            self._sweep(before)
            for folder in sorted(self._objects.iterdir()):
                old = {path.name: path for path in folder.iterdir() if _put_before(path, before)}
                for name in old.keys() - set(named(tuple(old))):
                    if (size := self._take(old[name], before)) is not None:
                        found, taken = Collected(found.blobs + 1, found.bytes + size), taken + size
        with self._lock:
            self._used -= taken
        return found

    def _take(self, path: Path, before: float) -> int | None:
        """Takes a blob away; None where somebody has put it again meanwhile, in which case it stays."""
        aside = self._incoming / f"{path.name}.{secrets.token_hex(8)}"
        try:
            path.replace(aside)  # from here on, whoever puts the same bytes finds them missing, and writes them anew
            found = aside.stat()
            if found.st_mtime >= before:
                aside.replace(path)
                return None
            aside.unlink()
        except FileNotFoundError:  # another collection was there first
            return None
        return found.st_size

    def _sweep(self, before: float) -> None:
        """Clears what killed processes left half-written."""
        for path in self._incoming.iterdir():
            if _put_before(path, before):
                path.unlink(missing_ok=True)

    # ------------------------------------------------------------------------------------------------------- the room

    def used_bytes(self) -> int:
        """How much the blobs take together; counted anew now and then, since others may write to the folder too."""
        with self._lock:
            now = time.monotonic()
            if self._counted_at is None or now - self._counted_at > _RECOUNT_SECONDS:
                self._used, self._counted_at = self._count(), now
            return self._used

    def _count(self) -> int:
        total = 0
        for folder in self._objects.iterdir() if self._objects.is_dir() else ():
            with os.scandir(folder) as entries:
                total += sum(entry.stat().st_size for entry in entries)
        return total

    def _require_room(self, size: int) -> None:
        if self._max_bytes is not None and self.used_bytes() + size > self._max_bytes:
            raise StoreFull(
                f"The files in {self.folder} may take {self._max_bytes} bytes together, and {size} more do not fit: "
                "raise the quota, or let what is no longer needed be erased. Nothing was written."
            )
        if self._keep_free_bytes and self._free_bytes() - size < self._keep_free_bytes:
            raise StoreFull(
                f"The disk of {self.folder} would have less than {self._keep_free_bytes} bytes left: make room. "
                "Nothing was written."
            )

    def _free_bytes(self) -> int:
        place = self.folder
        while not place.exists() and place != place.parent:
            place = place.parent
        return shutil.disk_usage(place).free

    # -------------------------------------------------------------------------------------------------------- helpers

    def _path(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256) <= _HEX:
            raise BlobMissing(sha256)
        return self._objects / sha256[:2] / sha256

    def _make_folders(self) -> None:
        for folder in (self._incoming, self._objects):  # in this order: where there are objects, a collection may begin
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _in_our_words(self) -> "_InOurWords":
        return _InOurWords(self.folder)


class _InOurWords:
    """Turns the system's failures into the store's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, OSError):
            return
        if error.errno in _FULL:
            raise StoreFull(
                f"There is no room left for files in {self._folder}: make room, then try again. Nothing was written."
            ) from error
        raise StoreUnavailable(
            f"The files in {self._folder} can't be used ({error.strerror or error}): check the path, its rights and "
            "the disk."
        ) from error


def _new_file(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _put_before(path: Path, before: float) -> bool:
    """Whether the file is there, and was put or touched last before that Unix second."""
    try:
        return path.stat().st_mtime < before
    except FileNotFoundError:
        return False


def _sync(folder: Path) -> None:
    """Forces a folder's names to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
