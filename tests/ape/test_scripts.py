"""`ape run …`: what is sent where, what is only told, and what is refused, all through ape itself."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.artifacts import artifact_names, load_artifact
from kameng_escrow.chain.deployments import load_deployments, verify_deployment
from kameng_escrow.chain.parts import CORE, companion_names, companions, core_address

ROOT = Path(__file__).resolve().parents[2]
APE = Path(sys.executable).with_name("ape")
MEDIATOR = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
HASH = re.compile("0x[0-9a-f]{64}")


@dataclass(frozen=True)
class Said:
    """What a script printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Scripts:
    """Runs scripts as people do, on one network, with records in a folder of their own."""

    folder: Path
    network: str

    def run(self, *words: str, code: int = 0) -> Said:
        environment = {**os.environ, "KAMENG_DEPLOYMENTS": str(self.records), "NO_COLOR": "1"}
        done = subprocess.run(
            [APE, "run", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    def on_chain(self, name: str, *words: str, code: int = 0) -> Said:
        return self.run(name, "--network", self.network, *words, code=code)

    @property
    def records(self) -> Path:
        return self.folder / "records"


@pytest.fixture(scope="module")
def local_chain() -> Iterator[AnvilNode]:
    with AnvilNode() as node:
        yield node


@pytest.fixture(scope="module")
def public_chain() -> Iterator[AnvilNode]:
    """As Base's nodes would answer, but for what is on it."""
    with AnvilNode(chain_id=8_453) as node:
        yield node


@pytest.fixture
def local(local_chain: AnvilNode, tmp_path: Path) -> Iterator[Scripts]:
    before = local_chain.snapshot()
    yield Scripts(tmp_path, f"ethereum:anvil:{local_chain.url}")
    local_chain.revert(before)


@pytest.fixture
def public(public_chain: AnvilNode, tmp_path: Path) -> Iterator[Scripts]:
    before = public_chain.snapshot()
    yield Scripts(tmp_path, f"base:mainnet:{public_chain.url}")
    public_chain.revert(before)


def height(node: AnvilNode) -> int:
    return int(node.request("eth_blockNumber"), 16)


# -------------------------------------------------------------------------------------------------------------- deploy


def test_deploy_sends_on_a_local_network_and_records(local: Scripts, local_chain: AnvilNode) -> None:
    said = local.on_chain("deploy")
    [record] = load_deployments(local.records)
    assert record.address == core_address()
    assert set(record.periphery) | {"KamengLens"} == set(companion_names())
    verify_deployment(record, local_chain.w3)
    assert record.address in said.out
    at = height(local_chain)
    again = local.on_chain("deploy")
    assert again.out.count("is there") == 1 + len(companion_names())
    assert height(local_chain) == at
    assert load_deployments(local.records) == (record,)


def test_deploy_works_on_ape_s_own_chain_and_leaves_nothing(tmp_path: Path) -> None:
    scripts = Scripts(tmp_path, "ethereum:local:test")
    said = scripts.on_chain("deploy")
    assert f"The escrow is at {core_address()}, on a chain that ends with this command." in said.out
    assert "lacks the deployment proxy" in said.out
    assert not scripts.records.exists()


def test_deploy_only_tells_on_a_public_network(public: Scripts, public_chain: AnvilNode) -> None:
    at = height(public_chain)
    said = public.on_chain("deploy")
    assert "Nothing was sent" in said.out
    for name in (CORE, *companion_names()):
        assert re.search(rf"{name} +0x\w{{40}} +to be deployed, [\d,]+ gas", said.out)
    assert re.search(r"[\d,]+ gas: 0\.\d+ of the chain's coin", said.out)
    assert height(public_chain) == at
    assert not public.records.exists()


def test_deploy_broadcasts_when_told(public: Scripts, public_chain: AnvilNode) -> None:
    public.on_chain("deploy", "--broadcast", "--account", "TEST::3", "--records", str(public.folder / "kept"))
    [record] = load_deployments(public.folder / "kept")
    assert record.deployer == public_chain.accounts[3].address
    assert record.chain_id == 8_453


def test_a_public_chain_behind_a_local_name_is_public(public_chain: AnvilNode, tmp_path: Path) -> None:
    """Ape takes any node for local that is named so; what counts is what the node says."""
    at = height(public_chain)
    said = Scripts(tmp_path, f"ethereum:local:{public_chain.url}").on_chain("deploy")
    assert "Nothing was sent" in said.out
    assert height(public_chain) == at


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--broadcast",), "Sending needs an account"),
        (("--broadcast", "--account", "nobody"), "Account with alias 'nobody' not found"),
        (("--escrow", "0x12"), "--escrow"),
    ],
)
def test_deploy_refuses(public: Scripts, words: tuple[str, ...], why: str) -> None:
    done = public.on_chain("deploy", *words, code=1 if "--escrow" in words else 2)
    assert why in done.err
    assert "Traceback" not in done.err


def test_deploy_refuses_who_can_not_pay_and_what_is_not_ours(local: Scripts, local_chain: AnvilNode) -> None:
    poor = local_chain.accounts[7].address
    local_chain.request("anvil_setBalance", poor, "0x1")
    told = local.on_chain("deploy", "--account", "TEST::7", "--dry-run")
    assert "The account has 0.000000000000000001, which is not enough." in told.out
    assert f"{poor} has 0.000000000000000001" in local.on_chain("deploy", "--account", "TEST::7", code=1).err
    local_chain.request("anvil_setCode", core_address(), "0x600160015500")
    assert "is not that of this package's KamengEscrow" in local.on_chain("deploy", code=1).err
    assert not local.records.exists()


def test_deploy_on_the_wrong_chain_is_refused(local_chain: AnvilNode, tmp_path: Path) -> None:
    said = Scripts(tmp_path, f"base:mainnet:{local_chain.url}").on_chain("deploy", code=1)
    assert "'31337', which does not match network chain ID '8453'" in " ".join((said.out + said.err).split())


# ------------------------------------------------------------------------------------------------------------ policies


def test_policies_are_registered_and_retired(local: Scripts, local_chain: AnvilNode) -> None:
    file = local.folder / "policy.json"
    draft = [Path(sys.executable).with_name("kameng"), "policy", "draft", "--mediator", MEDIATOR, "-o", file]
    subprocess.run(draft, check=True, capture_output=True)
    assert "There is no contract" in local.on_chain("register_policy", str(file), code=1).err
    local.on_chain("deploy")
    at = height(local_chain)
    told = local.on_chain("register_policy", str(file), "--dry-run")
    assert "Nothing was sent" in told.out
    assert height(local_chain) == at
    said = local.on_chain("register_policy", str(file))
    policy = HASH.search(said.out)[0]  # type: ignore[index]
    assert policy in told.out
    assert "registered already" in local.on_chain("register_policy", str(file), code=1).err
    stranger = local.on_chain("retire_policy", policy, "--account", "TEST::5", code=1)
    assert stranger.err.startswith("Error: ")
    assert "Sent in transaction" in local.on_chain("retire_policy", policy).out
    assert "is retired" in local.on_chain("retire_policy", policy, code=1).err
    assert "no hash" in local.on_chain("retire_policy", "0x12", code=1).err


# ---------------------------------------------------------------------------------------------------------------- ABIs


def test_abis_are_written_as_they_are(tmp_path: Path) -> None:
    scripts = Scripts(tmp_path, "")
    scripts.run("export_abi", "--folder", str(tmp_path / "abi"))
    assert {path.stem for path in (tmp_path / "abi").iterdir()} == set(artifact_names())
    for path in (tmp_path / "abi").iterdir():
        assert json.loads(path.read_text("utf-8")) == list(load_artifact(path.stem).abi)
    said = scripts.run("export_abi", "KamengEscrow", "Nothing", "--folder", str(tmp_path / "none"), code=1)
    assert "no contract named 'Nothing'" in said.err
    assert not (tmp_path / "none").exists()


# ------------------------------------------------------------------------------------------------------------- sources


def test_sources_are_compared_and_packed(local: Scripts) -> None:
    folder = ("--folder", str(local.folder / "bundles"))
    assert "There is no contract" in local.on_chain("verify_source", "KamengLens", *folder, code=1).err
    local.on_chain("deploy")
    assert "is made of the sources here" in local.on_chain("verify_source", "KamengLens", *folder).out
    [bundle] = (local.folder / "bundles").iterdir()
    facts = json.loads((bundle / "verification.json").read_text("utf-8"))
    assert facts["address"] == companions(core_address())["KamengLens"]
    assert facts["constructorArguments"].endswith(core_address()[2:].lower())
    wrong = local.on_chain("verify_source", "KamengLens", "--address", core_address(), *folder, code=1)
    assert "is not that of this package's KamengLens" in wrong.err
    assert "set ETHERSCAN_API_KEY" in local.on_chain("verify_source", "--submit", "etherscan", *folder, code=2).err
    assert "goes with --submit" in local.on_chain("verify_source", "--server", "http://x", *folder, code=2).err
