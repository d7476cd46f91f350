"""Files that nobody needs any more: forgotten, and taken from the disk."""

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from kameng_escrow.errors import EscrowError
from kameng_escrow.store import BlobStore, Store
from kameng_escrow.store.blobs import GRACE_SECONDS
from kameng_escrow.store.service import talk

EVERY_SECONDS: Final = 3_600.0
PENDING_MS: Final = 24 * 60 * 60 * 1_000  # that a file waits for an entry to show it


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """What went."""

    forgotten: int  # files that no entry showed
    blobs: int  # that no row names: what was forgotten, and what was erased
    bytes: int


def tidy(store: Store, blobs: BlobStore, *, now_ms: int, grace_seconds: float = GRACE_SECONDS) -> Tidied:
    """Forgets files that were sent more than a day ago and never shown, and takes from the disk what no row names, such
    as files of erased entries. May be run at any time, by several at once. `now_ms`: Unix milliseconds of our clock.

    Raises what `Store.writing` and `BlobStore.collect` raise.
    """
    with store.writing() as session:
        forgotten = talk.drop_pending(session, now_ms - PENDING_MS)

    def named(names: Collection[str]) -> Collection[str]:
        with store.reading() as session:
            return talk.named_blobs(session, names)

    gone = blobs.collect(named, grace_seconds=grace_seconds)
    return Tidied(forgotten=forgotten, blobs=gone.blobs, bytes=gone.bytes)


def keep_tidy(
    store: Store,
    blobs: BlobStore,
    stop: threading.Event,
    *,
    every_seconds: float = EVERY_SECONDS,
    trouble: Callable[[EscrowError], None] = lambda _: None,
) -> None:
    """Tidies now and then until `stop` is set. What goes wrong is told to `trouble`, and tried again the next time."""
    while not stop.is_set():
        try:
            tidy(store, blobs, now_ms=time.time_ns() // 1_000_000)
        except EscrowError as error:
            trouble(error)
        stop.wait(every_seconds)
