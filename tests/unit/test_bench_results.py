"""Committed figures are of the contract as it is."""

import json
from pathlib import Path

from kameng_escrow.chain.artifacts import load_artifact

RESULTS = Path(__file__).resolve().parents[2] / "bench" / "results"


def test_gas_figures_are_of_the_shipped_contract():
    figures = json.loads((RESULTS / "gas.json").read_text("utf-8"))
    artifact = load_artifact("KamengEscrow")
    assert figures["source_hash"] == artifact.source_hash, "run `make bench-gas` and commit what it writes"
    assert figures["core_bytes"] == len(artifact.deployed_bytecode) // 2 - 1
