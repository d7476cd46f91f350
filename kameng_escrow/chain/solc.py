"""Finds the one Solidity compiler that the contracts are pinned to.

Native compilers are preferred because they are faster; the npm package is the same compiler in
WebAssembly and gives the same bytecode. Whatever is found ends up as `solc-v<version>` in
py-solc-x's folder, which is where `ape compile` looks and what forge's `solc =` can name.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from kameng_escrow.errors import CompilerUnavailable

SOLC_VERSION = "0.8.37"

PROBE_TIMEOUT = 10  # seconds for py-solc-x to fetch its list of releases, or to be out of reach
DOWNLOAD_TIMEOUT = 180  # seconds for a compiler of some 15 MB on a slow line
ANSWER_TIMEOUT = 30  # seconds for a compiler to say its version on a busy machine

_WRAPPER_MARK = b"kameng_escrow: npm solc wrapper"
_LONG_VERSION = re.compile(r"\d+\.\d+\.\d+\+commit\.[0-9a-f]+")


@dataclass(frozen=True)
class Solc:
    """A compiler that answered with the pinned version."""

    path: Path  # the executable in py-solc-x's folder
    version: str  # with the commit and without the platform: the same for native and npm
    kind: Literal["native", "npm"]


def resolve_solc(root: Path, *, download: bool = True, report: Callable[[str], None] | None = None) -> Solc:
    """The pinned compiler, installed into py-solc-x's folder if it is not there yet.

    In order: a native one in that folder or on PATH; the npm wrapper already in that folder; a
    download by py-solc-x (skipped if `download` is false); a new wrapper around
    `root`/node_modules/solc. `report` is told, in a sentence, what takes time.

    Raises:
        CompilerUnavailable: none of these works; the message says what each lacked.
    """
    say = report or (lambda _: None)
    root = root.resolve()
    target = _install_folder() / f"solc-v{SOLC_VERSION}"
    if target.exists() and not _is_wrapper(target) and (version := _ask_version(target)):
        return Solc(target, version, "native")
    if found := _import_from_path(target):
        return found
    if _is_wrapper(target) and (version := _ask_version(target)):
        return Solc(target, version, "npm")

    reasons = [f"no `solc` {SOLC_VERSION} on PATH"]
    if download:
        say(f"Asking py-solc-x for a native solc {SOLC_VERSION} ...")
        try:
            return _download(target)
        except CompilerUnavailable as error:
            reasons.append(str(error))
            say(f"{error}; using the npm package instead.")
    try:
        return _write_wrapper(target, root / "node_modules" / "solc")
    except CompilerUnavailable as error:
        reasons.append(str(error))
    raise CompilerUnavailable(
        f"No Solidity compiler {SOLC_VERSION}: {'; '.join(reasons)}. "
        f"Run `npm ci` in {root}, or install solc {SOLC_VERSION} and put it on PATH."
    )


def _install_folder() -> Path:
    try:
        import solcx
    except ImportError as error:
        raise CompilerUnavailable(
            "Compiling needs py-solc-x, which users of the package do not: pip install 'kameng-escrow[dev]'."
        ) from error
    try:
        folder = Path(solcx.get_solcx_install_folder())
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CompilerUnavailable(
            f"py-solc-x's folder for compilers cannot be made ({error}); set SOLCX_BINARY_PATH to a folder that can."
        ) from error
    return folder


def _is_wrapper(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _WRAPPER_MARK in file.read(200)
    except OSError:
        return False


def _ask_version(executable: Path) -> str | None:
    """What it answers to --version, if that is the pinned version; None if it does not run."""
    try:
        answer = subprocess.run([executable, "--version"], capture_output=True, text=True, timeout=ANSWER_TIMEOUT)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _LONG_VERSION.search(answer.stdout)
    if answer.returncode != 0 or match is None or not match[0].startswith(f"{SOLC_VERSION}+"):
        return None
    return match[0]


def _import_from_path(target: Path) -> Solc | None:
    """Copies the native compiler on PATH, as py-solc-x would; None if it is not the pinned one."""
    found = shutil.which("solc")
    if found is None or _ask_version(Path(found)) is None:
        return None
    return _put(target, Path(found).read_bytes())


def _download(target: Path) -> Solc:
    if sys.platform == "linux" and platform.machine() not in ("x86_64", "AMD64"):
        raise CompilerUnavailable(f"py-solc-x has no native compiler for {platform.machine()}")
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: py-solc-x sets no timeouts, and writes the file in place.
        environment = {**os.environ, "SOLCX_BINARY_PATH": folder}
        for call, timeout in (
            ("get_installable_solc_versions()", PROBE_TIMEOUT),
            (f"install_solc({SOLC_VERSION!r})", DOWNLOAD_TIMEOUT),
        ):
            try:
                subprocess.run(
                    [sys.executable, "-c", f"import solcx; solcx.{call}"],
                    capture_output=True,
                    check=True,
                    env=environment,
                    timeout=timeout,
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise CompilerUnavailable("py-solc-x's download is out of reach") from error
        content = (Path(folder) / target.name).read_bytes()
    solc = _put(target, content)
    if solc is None:
        raise CompilerUnavailable("py-solc-x's download does not run here")
    return solc


def _write_wrapper(target: Path, package: Path) -> Solc:
    node = shutil.which("node")
    if node is None:
        raise CompilerUnavailable("the npm package needs Node.js, and `node` is not on PATH")
    if not (package / "package.json").is_file():
        raise CompilerUnavailable(f"the npm package is not installed in {package}")
    load = f"process.stdout.write(require({json.dumps(str(package))}).version())"
    answer = subprocess.run([node, "-e", load], capture_output=True, text=True)
    version = answer.stdout.strip()
    if answer.returncode != 0 or not version.startswith(f"{SOLC_VERSION}+"):
        raise CompilerUnavailable(f"the npm package in {package} is solc {version or 'broken'}")
    template = resources.files("kameng_escrow.chain").joinpath("npm_solc.cjs").read_text("utf-8")
    # json.dumps minus its quotes escapes whatever a path may contain for JavaScript.
    wrapper = template.replace("@VERSION@", version).replace("'@PACKAGE@'", json.dumps(str(package)))
    solc = _put(target, wrapper.encode())
    if solc is None:
        raise CompilerUnavailable(f"the npm package in {package} does not run under {node}")
    return solc


def _put(target: Path, content: bytes) -> Solc | None:
    """Puts an executable in place in one step, so that a parallel run never sees half of it.

    None, and nothing in its place, if it does not answer with the pinned version.
    """
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".solc-")
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        fresh.chmod(0o755)
        version = _ask_version(fresh)
        if version is None:
            return None
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return Solc(target, version, "npm" if _is_wrapper(target) else "native")
