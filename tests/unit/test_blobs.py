"""Files by the hash of what is in them: whole or not there, and never others than they were."""

import hashlib
import os
import resource
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.store import BlobDamaged, BlobMissing, BlobStore, StoreFull, StoreUnavailable
from kameng_escrow.store.blobs import CHUNK, Blob, Collected

HELLO = b"hello"
LARGE = bytes(range(256)) * 4_000  # several chunks


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "files")


def files_in(blobs: BlobStore) -> list[str]:
    return sorted(str(path.relative_to(blobs.folder)) for path in blobs.folder.rglob("*") if path.is_file())


def place_of(blobs: BlobStore, blob: Blob) -> Path:
    return blobs.folder / "objects" / blob.sha256[:2] / blob.sha256


def make_old(blobs: BlobStore, blob: Blob) -> None:
    os.utime(place_of(blobs, blob), (0, 0))


# ---------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 31 + "/.", "é" * 64])
def test_what_is_no_name_is_not_there(blobs: BlobStore, name: str) -> None:
    blobs.put(HELLO)
    assert_missing(blobs, name)


def test_what_was_not_put_is_not_there(blobs: BlobStore) -> None:
    assert_missing(blobs, hashlib.sha256(HELLO).hexdigest())


def assert_missing(blobs: BlobStore, name: str) -> None:
    with pytest.raises(BlobMissing) as caught:
        blobs.read(name)
    assert caught.value.sha256 == name
    with pytest.raises(BlobMissing):
        blobs.has(name) or blobs.read(name)


@pytest.mark.parametrize("spoiled", [b"hellO", b"", HELLO + b"!"])
def test_a_file_that_changed_is_not_given_out(blobs: BlobStore, spoiled: bytes) -> None:
    blob = blobs.put(HELLO)
    place_of(blobs, blob).write_bytes(spoiled)
    with pytest.raises(BlobDamaged) as caught:
        blobs.stream(blob.sha256)
    assert caught.value.sha256 == blob.sha256
    assert blobs.put(HELLO) == blob  # and whoever has it puts it right
    assert blobs.read(blob.sha256) == HELLO


def test_what_exceeds_the_quota_leaves_nothing(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "files", max_bytes=10)
    kept = blobs.put(HELLO)
    for content in (b"six more", iter([b"six", b" more"])):
        with pytest.raises(StoreFull, match="10 bytes"):
            blobs.put(content)
    assert files_in(blobs) == [f"objects/{kept.sha256[:2]}/{kept.sha256}"]
    assert blobs.used_bytes() == 5
    assert blobs.put(HELLO) == kept  # takes no more than it does
    blobs.put(b"world")


def test_a_quota_stops_what_would_not_end(tmp_path: Path) -> None:
    blobs, given_out = BlobStore(tmp_path / "files", max_bytes=3 * CHUNK), 0

    def endless() -> Iterator[bytes]:
        nonlocal given_out
        while True:
            given_out += 1
            yield bytes(CHUNK)

    with pytest.raises(StoreFull):
        blobs.put(endless())
    assert given_out == 4
    assert files_in(blobs) == []


def test_others_keep_their_part_of_the_disk(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "files", keep_free_bytes=1 << 60)
    with pytest.raises(StoreFull, match="make room"):
        blobs.put(HELLO)
    assert not blobs.folder.exists()


def test_a_full_disk_leaves_nothing_half_written(blobs: BlobStore) -> None:
    """The system refuses to write on, as it does when the disk is full."""
    blobs.put(HELLO)
    before = files_in(blobs)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK, limits[1]))
    try:
        with pytest.raises(StoreFull, match="no room left"):
            blobs.put(LARGE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert files_in(blobs) == before
    assert blobs.read(blobs.put(LARGE).sha256) == LARGE


def test_a_source_that_breaks_off_leaves_nothing(blobs: BlobStore) -> None:
    def broken() -> Iterator[bytes]:
        yield HELLO
        raise ConnectionResetError("gone")

    with pytest.raises(StoreUnavailable):
        blobs.put(broken())
    assert files_in(blobs) == []


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file")
    with pytest.raises(StoreUnavailable, match="files"):
        BlobStore(tmp_path / "files").put(HELLO)


# --------------------------------------------------------------------------------------------------------- successes


@settings(max_examples=30)
@given(content=st.binary(max_size=2_000), cut=st.integers(1, 500))
def test_what_is_put_comes_back(tmp_path_factory: pytest.TempPathFactory, content: bytes, cut: int) -> None:
    blobs = BlobStore(tmp_path_factory.mktemp("blobs"))
    blob = blobs.put(content[at : at + cut] for at in range(0, len(content), cut))
    assert blob == Blob(hashlib.sha256(content).hexdigest(), len(content))
    assert blobs.read(blob.sha256) == content
    assert blobs.used_bytes() == len(content)


def test_large_files_come_in_chunks(blobs: BlobStore) -> None:
    chunks = list(blobs.stream(blobs.put(LARGE).sha256))
    assert b"".join(chunks) == LARGE
    assert max(map(len, chunks)) == CHUNK


def test_equal_files_are_kept_once_and_nobody_else_may_look(blobs: BlobStore) -> None:
    blob = blobs.put(HELLO)
    assert blobs.put(iter([b"hel", b"lo"])) == blob
    assert files_in(blobs) == [f"objects/{blob.sha256[:2]}/{blob.sha256}"]
    assert blobs.has(blob.sha256)
    place = place_of(blobs, blob)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_only_what_is_old_and_unnamed_is_collected(blobs: BlobStore) -> None:
    named, unnamed, young = blobs.put(b"named"), blobs.put(b"unnamed"), blobs.put(b"young")
    for blob in (named, unnamed):
        make_old(blobs, blob)
    torn = blobs.folder / "incoming" / "torn"
    torn.write_bytes(b"half")
    os.utime(torn, (0, 0))

    assert blobs.collect(lambda _: {named.sha256}) == Collected(1, 7)
    assert files_in(blobs) == sorted(f"objects/{blob.sha256[:2]}/{blob.sha256}" for blob in (named, young))
    assert blobs.used_bytes() == 10
    assert blobs.collect(lambda _: {named.sha256}) == Collected(0, 0)


def test_nothing_is_collected_where_nothing_is(blobs: BlobStore) -> None:
    assert blobs.collect(lambda _: ()) == Collected(0, 0)


def test_putting_a_file_again_begins_its_grace_anew(blobs: BlobStore) -> None:
    blob = blobs.put(HELLO)
    make_old(blobs, blob)
    blobs.put(HELLO)
    assert blobs.collect(lambda _: ()) == Collected(0, 0)


def test_a_file_that_is_put_while_it_is_collected_stays(blobs: BlobStore) -> None:
    """Whatever the two do at once: once `put` has returned, the file is there within a moment."""
    ends = time.monotonic() + 1.0
    stopped = threading.Event()

    def collect() -> None:
        while not stopped.is_set():
            blobs.collect(lambda _: ())

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        while time.monotonic() < ends:
            blob = blobs.put(HELLO)
            while True:  # it may be looked at just now, and then goes back to its place
                assert time.monotonic() < ends + 10, "the file was taken away"
                with suppress(FileNotFoundError):
                    make_old(blobs, blob)
                    break
    finally:
        stopped.set()
        collector.join()
