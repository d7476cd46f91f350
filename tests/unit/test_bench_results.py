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


def test_figures_of_the_operations_are_of_the_shipped_contract():
    figures = json.loads((RESULTS / "operations.json").read_text("utf-8"))
    artifact = load_artifact("KamengEscrow")
    assert figures["source_hash"] == artifact.source_hash, "run `make bench-gas`, then `make docs`"
    writes = {one["name"] for one in artifact.abi if one.get("stateMutability") in ("nonpayable", "payable")}
    assert set(figures["operations"]) == writes
    payable = {one["name"] for one in artifact.abi if one.get("stateMutability") == "payable"}
    for name, gas in figures["operations"].items():
        assert gas.keys() in ({"any"}, {"erc20"}, {"erc20", "native"})
        assert "native" in gas or name not in payable
