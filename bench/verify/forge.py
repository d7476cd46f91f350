"""Forge, with the compiler and the folders of this checkout."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from kameng_escrow.chain.foundry import find_foundry
from kameng_escrow.chain.solc import resolve_solc


def run_forge(
    root: Path, profile: str, arguments: list[str], settings: Mapping[str, object]
) -> subprocess.CompletedProcess[str]:
    """Forge's answer under a profile of foundry.toml. `settings` are set for this run: FOUNDRY_<name>.

    Raises:
        ToolUnavailable: there is no forge.
        CompilerUnavailable: there is no compiler of the pinned version.
    """
    environment = {
        **os.environ,
        "FOUNDRY_PROFILE": profile,
        "FOUNDRY_SOLC": str(resolve_solc(root).path),
        **{f"FOUNDRY_{name}": str(value) for name, value in settings.items()},
    }
    forge = find_foundry("forge", root)
    return subprocess.run([forge, *arguments], cwd=root, env=environment, capture_output=True, text=True)
