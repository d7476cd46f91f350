"""Committed figures of the proofs are of the contract as it is."""

import json
from pathlib import Path

import pytest

from bench.verify.__main__ import RESULTS, STEPS, code_hashes, main, write_entry
from kameng_escrow.chain.compiler import find_root

ROOT = find_root(Path(__file__))


def entries() -> dict[str, dict[str, object]]:
    return json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}


def test_committed_figures_are_of_the_shipped_contracts():
    for name, entry in entries().items():
        assert entry["code"] == code_hashes(ROOT, entry["code"]), (
            f"run `make verify STEPS={name}` and commit its figures"
        )


def test_committed_figures_are_as_they_should_be():
    for name, entry in entries().items():
        assert STEPS[name](entry), f"{name}: {entry}"


def test_hash_is_another_for_another_contract():
    hashes = code_hashes(ROOT, ["KamengEscrow", "KamengLens"])
    assert hashes["KamengEscrow"] != hashes["KamengLens"]


def test_entry_is_put_among_the_others_in_the_order_of_the_steps(tmp_path):
    path = tmp_path / "verify.json"
    for name in ("mutation", "slither", "mutation"):
        write_entry(path, name, {"seconds": len(name)})
    assert list(json.loads(path.read_text("utf-8"))) == ["slither", "mutation"]


@pytest.mark.parametrize("arguments", [["nonsense"], ["slither,nonsense"], ["--calls", "0"], ["--jobs", "-1"]])
def test_wrong_arguments_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert ("no such step: nonsense" if "nonsense" in arguments[0] else "at least 1") in capsys.readouterr().err
