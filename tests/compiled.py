"""Compiled contracts for tests, each compiled once per change of its sources."""

from functools import cache
from pathlib import Path

from filelock import FileLock

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.chain.compiler import (
    ARTIFACTS,
    SHIPPED,
    compile_contracts,
    source_hash,
    write_artifacts,
)

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "compiled"


@cache
def compiled(name: str) -> Artifact:
    """The artifact of any contract under contracts/, as the sources are now.

    A shipped artifact serves if it is fresh. Otherwise the contract is compiled into .cache/, by
    whichever parallel worker asks first; the others wait for it.
    """
    wanted = source_hash(ROOT, name)
    if name in SHIPPED and (shipped := _read(ROOT / ARTIFACTS, name, wanted)):
        return shipped
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / f"{name}.lock"):
        if cached := _read(CACHE, name, wanted):
            return cached
        [artifact] = compile_contracts(ROOT, [name])
        write_artifacts([artifact], CACHE)
        return artifact


def _read(folder: Path, name: str, wanted: str) -> Artifact | None:
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    artifact = Artifact.from_json(path.read_text("utf-8"))
    return artifact if artifact.source_hash == wanted else None
