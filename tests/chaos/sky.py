"""What all processes of a run live under: how far the machine's clock is off, and whether SQLite's file may grow.

A few bytes in a file that every process has mapped, so that a change is everybody's at once.
"""

import mmap
import struct
from pathlib import Path
from typing import Self

_LAYOUT = struct.Struct("<d?")


class Sky:
    """The bytes in the file at a path."""

    def __init__(self, memory: mmap.mmap) -> None:
        """Use `make` or `at`."""
        self._memory = memory

    @classmethod
    def make(cls, path: Path) -> Self:
        """A clear one."""
        path.write_bytes(_LAYOUT.pack(0.0, False))
        return cls.at(path)

    @classmethod
    def at(cls, path: Path) -> Self:
        """One that was made."""
        with path.open("r+b") as file:
            return cls(mmap.mmap(file.fileno(), _LAYOUT.size))

    @property
    def clock_off(self) -> float:
        """Whole seconds between the machine's clock as the processes read it and as it is."""
        return float(_LAYOUT.unpack(self._memory[: _LAYOUT.size])[0])

    @property
    def no_pages(self) -> bool:
        """Whether SQLite's file may not grow."""
        return bool(_LAYOUT.unpack(self._memory[: _LAYOUT.size])[1])

    def change(self, *, clock_off: float | None = None, no_pages: bool | None = None) -> None:
        """From now on."""
        self._memory[: _LAYOUT.size] = _LAYOUT.pack(
            self.clock_off if clock_off is None else clock_off, self.no_pages if no_pages is None else no_pages
        )
