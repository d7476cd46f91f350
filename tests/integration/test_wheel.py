"""The wheel, installed in an empty environment, is a working SDK and a working `kameng`."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import kameng_escrow
from kameng_escrow.chain.compiler import SHIPPED

ROOT = Path(__file__).resolve().parents[2]
DEVELOPMENT_ONLY = ("ape", "hypothesis", "mypy", "pytest", "solcx")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    run(build, ROOT, dict(os.environ))
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheel, what it requires, and nothing else."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=True)
    # web3-8.txt is what an unconstrained install would choose, except that it does not move.
    constraint = ["--constraint", str(ROOT / "constraints" / "web3-8.txt")]
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *constraint]
    run([*pip, str(wheel)], folder, dict(os.environ))
    return folder / "bin"


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_wheel_carries_the_artifacts_and_the_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"kameng_escrow/artifacts/{name}.json" for name in SHIPPED} <= names
    assert "kameng_escrow/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "contracts/"))]


def test_command_and_sdk_work_alone(installed: Path, tmp_path: Path) -> None:
    """No compiler, no Node.js, no ape: PATH and the home folder have nothing to offer."""
    alone = {"PATH": str(installed), "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    kameng, python = str(installed / "kameng"), str(installed / "python")
    assert kameng_escrow.__version__ in run([kameng, "--version"], tmp_path, alone)
    assert "demo" in run([kameng, "--help"], tmp_path, alone)
    script = f"""
import importlib.util
from kameng_escrow.chain.artifacts import load_artifact

for name in {SHIPPED!r}:
    assert load_artifact(name).abi
for module in {DEVELOPMENT_ONLY!r}:
    assert importlib.util.find_spec(module) is None, module

from eth_tester import EthereumTester, PyEVMBackend
from web3 import EthereumTesterProvider, Web3

web3 = Web3(EthereumTesterProvider(EthereumTester(PyEVMBackend())))
escrow = load_artifact("KamengEscrow")
contract = web3.eth.contract(abi=escrow.abi, bytecode=escrow.bytecode)
receipt = web3.eth.wait_for_transaction_receipt(contract.constructor().transact())
assert web3.eth.get_code(receipt["contractAddress"])
"""
    run([python, "-W", "ignore", "-c", script], tmp_path, alone)
