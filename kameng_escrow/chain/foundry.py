"""Finds Foundry's binaries: on PATH, or inside the npm packages of a checkout."""

import platform
import shutil
import sys
from pathlib import Path

from kameng_escrow.errors import ToolUnavailable

_SYSTEMS = {"linux": "linux", "darwin": "darwin", "win32": "win32"}
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "arm64": "arm64", "aarch64": "arm64"}


def find_foundry(tool: str, start: Path | None = None) -> Path:
    """The binary of `tool` ("anvil", "forge"): the checkout's, which is pinned, before PATH's.

    The checkout is looked for from `start` (default: the current folder) upward, then around this
    package. The binary is taken from the platform's own package, so that npm need not have run
    any install script.

    Raises:
        ToolUnavailable: it is neither there nor on PATH.
    """
    system, machine = _SYSTEMS.get(sys.platform), _MACHINES.get(platform.machine().lower())
    if system and machine:
        binary = f"{tool}.exe" if system == "win32" else tool
        package = Path("node_modules/@foundry-rs") / f"{tool}-{system}-{machine}" / "bin" / binary
        for place in ((start or Path.cwd()).resolve(), Path(__file__).resolve()):
            for folder in (place, *place.parents):
                if (folder / package).is_file():
                    return folder / package
    if found := shutil.which(tool):
        return Path(found)
    raise ToolUnavailable(
        f"{tool} is not installed: run `npm ci` in a checkout of kameng_escrow, or install Foundry and put it on PATH."
    )
