"""The resolver: which compiler it takes, in which order, and what it says when there is none."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kameng_escrow.chain import solc
from kameng_escrow.chain.solc import SOLC_VERSION, resolve_solc
from kameng_escrow.errors import CompilerUnavailable

NODE = shutil.which("node")  # before a test narrows PATH
LONG_VERSION = f"{SOLC_VERSION}+commit.0badc0de"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """py-solc-x's folder, empty."""
    path = tmp_path / "solcx"
    monkeypatch.setenv("SOLCX_BINARY_PATH", str(path))
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH: it has a shell, and nothing else until a test puts it there."""
    path = tmp_path / "bin"
    path.mkdir()
    for tool in ("sh", "env", "cat", "sleep"):
        (path / tool).symlink_to(shutil.which(tool) or tool)
    monkeypatch.setenv("PATH", str(path))
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose `npm ci` installed a package that says it is the compiler."""
    root = tmp_path / "it's a checkout"
    package = root / "node_modules" / "solc"
    package.mkdir(parents=True)
    (package / "package.json").write_text(f'{{"version": "{SOLC_VERSION}", "main": "index.js"}}')
    (package / "index.js").write_text(
        f"exports.version = () => '{LONG_VERSION}.Emscripten.clang'\n"
        "exports.compile = (input, callbacks) => JSON.stringify({ input: JSON.parse(input),\n"
        "  found: callbacks.import('a.sol'), missing: callbacks.import('b.sol') })\n"
    )
    return root


@pytest.fixture
def node(path: Path) -> None:
    """Node.js, on PATH."""
    assert NODE, "these tests need Node.js"
    (path / "node").symlink_to(NODE)


def native(file: Path, version: str = LONG_VERSION) -> Path:
    """A program that says it is a native compiler of that version."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\necho 'Version: {version}.Linux.g++'\n")
    file.chmod(0o755)
    return file


def pretend_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Has the process that downloads find, as py-solc-x, a module with this `install_solc`."""
    module = tmp_path / "modules" / "solcx.py"
    module.parent.mkdir()
    module.write_text(
        f"import os, shutil, time\ndef get_installable_solc_versions(): pass\ndef install_solc(version):\n    {body}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(module.parent))
    monkeypatch.setattr(sys, "platform", "darwin")  # where py-solc-x serves every machine


def test_finds_a_native_compiler_in_the_folder(folder: Path, path: Path, tmp_path: Path) -> None:
    installed = native(folder / f"solc-v{SOLC_VERSION}")
    found = resolve_solc(tmp_path, download=False)
    assert (found.path, found.version, found.kind) == (installed, LONG_VERSION, "native")


def test_copies_a_native_compiler_from_the_path(folder: Path, path: Path, tmp_path: Path) -> None:
    native(path / "solc")
    found = resolve_solc(tmp_path, download=False)
    assert (found.path, found.kind) == (folder / f"solc-v{SOLC_VERSION}", "native")
    assert found.path.stat().st_mode & 0o111 == 0o111


def test_refuses_another_version_on_the_path(folder: Path, path: Path, tmp_path: Path) -> None:
    native(path / "solc", "0.8.30+commit.73712a01")
    with pytest.raises(CompilerUnavailable, match=f"no `solc` {SOLC_VERSION} on PATH"):
        resolve_solc(tmp_path, download=False)


def test_prefers_the_download_to_npm(
    folder: Path,
    path: Path,
    node: None,
    checkout: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served = native(tmp_path / "served")
    target = "os.environ['SOLCX_BINARY_PATH'] + '/solc-v' + version"
    pretend_download(tmp_path, monkeypatch, f"shutil.copy({str(served)!r}, {target})")
    found = resolve_solc(checkout)
    assert (found.path, found.kind) == (folder / f"solc-v{SOLC_VERSION}", "native")


@pytest.mark.parametrize("body", ["time.sleep(60)", "raise ConnectionError"])
def test_falls_through_to_npm_when_the_download_is_out_of_reach(
    folder: Path,
    path: Path,
    node: None,
    checkout: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: str,
) -> None:
    pretend_download(tmp_path, monkeypatch, body)
    monkeypatch.setattr(solc, "DOWNLOAD_TIMEOUT", 1)
    said: list[str] = []
    assert resolve_solc(checkout, report=said.append).kind == "npm"
    assert any("out of reach" in sentence for sentence in said)


def test_wrapper_answers_as_the_native_command_line_does(
    folder: Path, path: Path, node: None, checkout: Path, tmp_path: Path
) -> None:
    found = resolve_solc(checkout, download=False)
    assert (found.version, found.kind) == (LONG_VERSION, "npm")
    (tmp_path / "a.sol").write_text("// 卡\n", "utf-8")
    options = ["--allow-paths", "/", "--base-path", "/nowhere", f"--include-path={tmp_path}"]
    done = subprocess.run(
        [found.path, "--standard-json", *options],
        input='{"language": "卡"}',
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert json.loads(done.stdout) == {
        "input": {"language": "卡"},
        "found": {"contents": "// 卡\n"},
        "missing": {"error": "File not found."},
    }


def test_rewrites_a_wrapper_whose_checkout_is_gone(
    folder: Path, path: Path, node: None, checkout: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    first = resolve_solc(checkout, download=False)
    checkout.rename(moved)
    with pytest.raises(CompilerUnavailable, match="the npm package is not installed in"):
        resolve_solc(checkout, download=False)
    again = resolve_solc(moved, download=False)
    assert again == first
    assert str(moved) in again.path.read_text("utf-8")


def test_replaces_what_does_not_run(folder: Path, path: Path, node: None, checkout: Path) -> None:
    broken = folder / f"solc-v{SOLC_VERSION}"
    folder.mkdir()
    broken.write_bytes(b"half a download")
    broken.chmod(0o755)
    assert resolve_solc(checkout, download=False).kind == "npm"


def test_says_everything_that_was_tried(folder: Path, path: Path, checkout: Path) -> None:
    with pytest.raises(CompilerUnavailable) as refusal:
        resolve_solc(checkout, download=False)
    assert f"no `solc` {SOLC_VERSION} on PATH" in refusal.value.message
    assert "`node` is not on PATH" in refusal.value.message
    assert f"Run `npm ci` in {checkout}" in refusal.value.message
    assert not list(folder.iterdir()), "nothing half-written"


def test_needs_py_solc_x(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "solcx", None)
    with pytest.raises(CompilerUnavailable, match=r"pip install 'kameng-escrow\[dev\]'"):
        resolve_solc(tmp_path)
