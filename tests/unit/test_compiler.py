"""What is compiled: the closure of a contract's imports, its hash, and the artifact's file."""

import json
import re
from pathlib import Path

import pytest

from kameng_escrow.chain.artifacts import Artifact, artifact_names, load_artifact
from kameng_escrow.chain.compiler import (
    EVM_VERSION,
    OPTIMIZER_RUNS,
    REMAPPINGS,
    SHIPPED,
    compile_contracts,
    find_root,
    find_source,
    source_closure,
    source_hash,
    stale_artifacts,
    write_artifacts,
)
from kameng_escrow.chain.solc import SOLC_VERSION, Solc, resolve_solc
from kameng_escrow.errors import CompilationFailed, UnknownArtifact

ROOT = Path(__file__).resolve().parents[2]
HEADER = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.28;\n"


def put(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Three contracts, one of them importing from a package, and one imported by nobody."""
    put(tmp_path, "package.json", "{}")
    put(
        tmp_path,
        "contracts/Shop.sol",
        HEADER
        + 'import {\n  Price\n} from "./libraries/Price.sol";\n'
        + 'import "@openzeppelin/contracts/Base.sol";\n'
        + '// import "./Gone.sol";\n/* import "./Gone.sol"; */\n'
        + "contract Shop is Base {\n"
        + "  uint256 public immutable opened = block.timestamp;\n"
        + "  function ask(uint256 x) external pure returns (uint256) { return Price.triple(x); }\n"
        + "}\n",
    )
    put(
        tmp_path,
        "contracts/libraries/Price.sol",
        HEADER
        + "library Price {\n"
        + "  function triple(uint256 x) internal pure returns (uint256) { return 3 * x; }\n"
        + "}\n",
    )
    put(
        tmp_path,
        "node_modules/@openzeppelin/contracts/Base.sol",
        HEADER + "abstract contract Base { error Never(); }\n",
    )
    put(
        tmp_path,
        "contracts/test/Doubles.sol",
        HEADER + "interface IOne { function one() external; }\ncontract Two {}\n",
    )
    return tmp_path


@pytest.fixture(scope="module")
def solc() -> Solc:
    return resolve_solc(ROOT)


def test_closure_follows_imports_and_remappings(checkout: Path) -> None:
    assert list(source_closure(checkout, "contracts/Shop.sol")) == [
        "contracts/Shop.sol",
        "contracts/libraries/Price.sol",
        "node_modules/@openzeppelin/contracts/Base.sol",
    ]


def test_closure_names_a_missing_import(checkout: Path) -> None:
    (checkout / "node_modules/@openzeppelin/contracts/Base.sol").unlink()
    with pytest.raises(CompilationFailed, match=r"Base.sol is missing in .*; run `npm ci`"):
        source_closure(checkout, "contracts/Shop.sol")


def test_find_source_finds_one_of_several_in_a_file(checkout: Path) -> None:
    assert find_source(checkout, "Two") == "contracts/test/Doubles.sol"
    assert find_source(checkout, "IOne") == "contracts/test/Doubles.sol"
    with pytest.raises(CompilationFailed, match="defines Three"):
        find_source(checkout, "Three")


def test_find_root_looks_upward_and_passes_other_projects(checkout: Path) -> None:
    put(checkout, "contracts/KamengEscrow.sol", "")
    put(checkout, "another/contracts/Token.sol", "")
    assert find_root(checkout / "another" / "contracts") == checkout


def test_hash_changes_with_an_import_but_not_with_a_neighbour(checkout: Path) -> None:
    before = source_hash(checkout, "Shop")
    put(checkout, "contracts/test/Doubles.sol", HEADER + "contract Two { uint256 x; }\n")
    assert source_hash(checkout, "Shop") == before
    put(checkout, "node_modules/@openzeppelin/contracts/Base.sol", HEADER + "contract Base {}\n")
    assert source_hash(checkout, "Shop") != before


def test_artifact_does_not_depend_on_the_folder_or_the_neighbours(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, solc: Solc
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "a longer name"
    for path, text in source_closure(checkout, "contracts/Shop.sol").items():
        put(elsewhere, path, text)
    [here] = compile_contracts(checkout, ["Shop"], solc=solc)
    [there] = compile_contracts(elsewhere, ["Shop"], solc=solc)
    assert here.to_json() == there.to_json()
    assert here.source_hash == source_hash(checkout, "Shop")
    assert here.compiler.startswith(f"{SOLC_VERSION}+commit.")
    assert [length for _, length in here.immutables] == [32]
    assert Artifact.from_json(here.to_json()) == here


def test_interface_has_no_bytecode(checkout: Path, solc: Solc) -> None:
    [artifact] = compile_contracts(checkout, ["IOne"], solc=solc)
    assert artifact.bytecode == artifact.deployed_bytecode == "0x"
    assert [entry["name"] for entry in artifact.abi] == ["one"]


def test_writes_only_what_changed(checkout: Path, tmp_path: Path, solc: Solc) -> None:
    artifacts = compile_contracts(checkout, ["IOne", "Two"], solc=solc)
    folder = tmp_path / "artifacts"
    assert [path.name for path in write_artifacts(artifacts, folder)] == ["IOne.json", "Two.json"]
    assert write_artifacts(artifacts, folder) == []


@pytest.mark.parametrize(
    ("line", "complaint"),
    [("uint256 x = true;", "TypeError"), ("function f() external { uint256 x; }", "Warning")],
)
def test_errors_and_warnings_fail(checkout: Path, solc: Solc, line: str, complaint: str) -> None:
    put(checkout, "contracts/Bad.sol", HEADER + f"contract Bad {{ {line} }}\n")
    with pytest.raises(CompilationFailed, match=complaint):
        compile_contracts(checkout, ["Bad"], solc=solc)


def test_every_shipped_contract_has_an_artifact() -> None:
    assert set(artifact_names()) == set(SHIPPED)
    assert stale_artifacts(ROOT) == []


def test_unknown_artifacts_are_refused_by_name() -> None:
    for name in ("Nobody", "../errors", ""):
        with pytest.raises(UnknownArtifact, match=r"it ships .*KamengEscrow"):
            load_artifact(name)


def test_ape_and_npm_use_the_same_compiler_settings_and_libraries() -> None:
    config = (ROOT / "ape-config.yaml").read_text("utf-8")
    packages = json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]
    [library] = [prefix.rstrip("/") for prefix in REMAPPINGS]
    for line in (
        f"version: {SOLC_VERSION}",
        f"evm_version: {EVM_VERSION}",
        "via_ir: true",
        "optimize: true",
        f"optimization_runs: {OPTIMIZER_RUNS}",
        f'npm: "{library}"',
        f"version: {packages[library]}",
        f'- "{library}=openzeppelin/{packages[library]}"',
    ):
        assert re.search(rf"^\s*{re.escape(line)}$", config, re.MULTILINE), line
    assert packages["solc"] == SOLC_VERSION
