"""What a seller's program has signed, line by line on the disk before anybody gets it: so that what it may sign in a
day is not forgotten when it is killed, nor when two of it run.
"""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from filelock import FileLock, Timeout

from .offer_rules import RulesUnusable

DAY: Final = 24 * 60 * 60


class SignedLog:
    """A file of JSON lines. A context manager: one process at a time.

    Raises:
        RulesUnusable: another process has it, or it can't be read or written, or was tampered with.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path.with_name(f"{path.name}.lock"), timeout=0)
        self._orders: dict[str, tuple[int, str, int]] = {}  # by order: when first, of what, how many units

    def __enter__(self) -> Self:
        try:
            self._lock.acquire()
        except Timeout:
            raise RulesUnusable(self._path, "another process signs with it already", "另一个进程已在用它签署") from None
        except OSError as error:
            raise self._unusable(error) from error
        try:
            self._read()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def used(self, listing: str, now: int, *, but: str) -> int:
        """Units of a listing that were signed away in the last 24 hours, but for those of the order `but`."""
        return sum(
            units
            for order_id, (at, what, units) in self._orders.items()
            if what == listing and at > now - DAY and order_id != but
        )

    def write(self, order_id: str, listing: str, units: int, now: int) -> None:
        """Takes note of an offer that is going to be given out. On the disk when this returns."""
        if order_id in self._orders:
            return
        line = json.dumps({"at": now, "listing": listing, "order_id": order_id, "units": units}) + "\n"
        try:
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
                file.write(line.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error) from error
        self._orders[order_id] = (now, listing, units)

    def _read(self) -> None:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unusable(error) from error
        *lines, torn = content.split(b"\n")
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                self._orders[str(entry["order_id"])] = (int(entry["at"]), str(entry["listing"]), int(entry["units"]))
            except (ValueError, KeyError, TypeError) as error:
                raise RulesUnusable(
                    self._path, f"line {number} is none of its own", f"第 {number} 行不是它自己写的"
                ) from error
        if torn:  # a kill in the middle of a line, after which nobody got the signature
            try:
                with self._path.open("r+b") as file:
                    file.truncate(len(content) - len(torn))
            except OSError as error:
                raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> RulesUnusable:
        reason = error.strerror or str(error)
        return RulesUnusable(self._path, reason, reason)
