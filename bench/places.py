"""Where the files of benchmarks and tests go that are gone afterwards."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # where Linux keeps files in memory; inside a container it may be tiny
DISK: Final = Path(tempfile.gettempdir())


def place_for(room: int) -> Path:
    """Memory where it takes files and has so many bytes free, the disk otherwise."""
    in_memory = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= room
    return MEMORY if in_memory else DISK
