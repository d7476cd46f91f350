"""The committed artifacts are what the sources compile to, byte for byte."""

from pathlib import Path

import pytest

from kameng_escrow.chain.compiler import ARTIFACTS, SHIPPED, compile_contracts

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", SHIPPED)
def test_artifact_is_fresh(name: str) -> None:
    [artifact] = compile_contracts(ROOT, [name])
    committed = (ROOT / ARTIFACTS / f"{name}.json").read_text("utf-8")
    assert committed == artifact.to_json(), "run `make compile` and commit what it writes"
