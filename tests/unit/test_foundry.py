"""Foundry's binaries are found in the checkout, else on PATH, else missed in a clear sentence."""

import platform
import sys
from pathlib import Path

import pytest

from kameng_escrow.chain import foundry
from kameng_escrow.chain.foundry import find_foundry
from kameng_escrow.errors import ToolUnavailable


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux with an Arm processor, with nothing on PATH, and the package in no checkout."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(foundry, "__file__", str(tmp_path / "site-packages" / "foundry.py"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def put(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_takes_the_platforms_own_package_of_the_checkout(tmp_path: Path) -> None:
    put(tmp_path / "bin" / "anvil")
    binary = put(tmp_path / "node_modules/@foundry-rs/anvil-linux-arm64/bin/anvil")
    (tmp_path / "contracts").mkdir()
    assert find_foundry("anvil", tmp_path / "contracts") == binary


def test_takes_what_is_on_the_path(tmp_path: Path) -> None:
    put(tmp_path / "node_modules/@foundry-rs/anvil-darwin-arm64/bin/anvil")  # another machine's
    binary = put(tmp_path / "bin" / "anvil")
    assert find_foundry("anvil", tmp_path) == binary


def test_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ToolUnavailable, match="forge is not installed: run `npm ci`"):
        find_foundry("forge", tmp_path)
