"""Records of what was deployed where, and whether it is still true."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest
from eth_typing import HexStr

from kameng_escrow.chain.artifacts import Artifact, load_artifact
from kameng_escrow.chain.create2 import PROXY
from kameng_escrow.chain.deploy import deploy
from kameng_escrow.chain.deployments import (
    Deployment,
    default_folder,
    load_deployment,
    load_deployments,
    save_deployment,
    verify_deployment,
)
from kameng_escrow.chain.dev_accounts import dev_account
from kameng_escrow.chain.errors import CodeMismatch, DamagedRecord, NoDeployment, RecordsClosed, WrongChain
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.chain.parts import companions, core_address
from kameng_escrow.connecting import find_deployment
from kameng_escrow.domain.inputs import MalformedAddress
from kameng_escrow.settings import Settings

from .sdk_cast import Cast, deploy_code

RECORD = Deployment(
    chain_id=8_453,
    genesis="0x" + "ab" * 32,
    address="0x5FbDB2315678afecb367f032d93F642f64180aa3",
    lens="0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512",
    transaction="0x" + "cd" * 32,
    block=12,
    deployer="0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    source_hash="0x" + "ef" * 32,
    compiler="0.8.37+commit.f401782d",
    deployed_at=1_700_000_000,
)
ELSEWHERE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


# ------------------------------------------------------------------------------------------------------------- a record


def test_a_record_is_json_that_people_can_read() -> None:
    text = RECORD.to_json()
    assert json.loads(text) == asdict(RECORD) | {"deployed_at": "2023-11-14T22:13:20Z"}
    assert Deployment.from_json(text) == RECORD
    assert text.endswith("}\n")


def test_a_time_in_another_zone_is_the_same_time() -> None:
    assert Deployment.from_json(RECORD.to_json().replace("22:13:20Z", "23:13:20+01:00")) == RECORD


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("{", "", "no deployment record"),
        ('"lens"', '"lenz"', "lens is missing"),
        ("0x5FbDB2315678afecb367f032d93F642f64180aa3", "0x5fbDB2315678afecb367f032d93F642f64180aa3", "checksum"),
        ("0x5FbDB2315678afecb367f032d93F642f64180aa3", "0x12", "0x"),
        ("0x" + "ab" * 32, "0xAB", "no deployment record"),
        ("8453", '"8453"', "no deployment record"),
        ("8453", "-1", "no deployment record"),
        ("22:13:20Z", "22:13:20", "time zone"),
        ("2023-11-14T22:13:20Z", "yesterday", "no deployment record"),
        ('"periphery": {}', '"periphery": 5', "no deployment record"),
        ('"periphery": {}', '"periphery": {"KamengCart": "0x12"}', "0x12"),
        ("0x" + "cd" * 32, "0xcd", "0xcd"),
    ],
)
def test_what_is_no_record_is_refused(old: str, new: str, why: str) -> None:
    with pytest.raises(DamagedRecord, match=why):
        Deployment.from_json(RECORD.to_json().replace(old, new))


@pytest.mark.parametrize("text", ["", "[]", "5", "null", '"record"'])
def test_json_of_something_else_is_no_record(text: str) -> None:
    with pytest.raises(DamagedRecord):
        Deployment.from_json(text)


def test_a_record_with_an_address_that_is_none_can_not_be_made() -> None:
    with pytest.raises(MalformedAddress):
        replace(RECORD, lens="0x12")


def test_the_schema_of_the_manual_is_of_the_record() -> None:
    """A record as it is written has the properties of the schema, each of its type and form."""
    schema = json.loads((Path(__file__).parents[2] / "docs" / "deployment.schema.json").read_text("utf-8"))
    kinds = {"integer": int, "string": str, "null": type(None), "object": dict}
    whole = replace(RECORD, periphery={"KamengCart": ELSEWHERE})
    by_another_contract = replace(whole, transaction=None, deployer=None)
    for record in (whole, by_another_contract):
        document = json.loads(record.to_json())
        assert list(document) == list(schema["properties"])
        assert set(document) - set(schema["required"]) == {"periphery"}
        for name, value in document.items():
            rules = schema["properties"][name]
            types = rules["type"] if isinstance(rules["type"], list) else [rules["type"]]
            assert isinstance(value, tuple(kinds[one] for one in types)), name
            if "pattern" in rules and value is not None:
                assert re.search(rules["pattern"], value), name
    places = schema["properties"]["periphery"]["additionalProperties"]
    assert all(re.search(places["pattern"], place) for place in whole.periphery.values())


@pytest.mark.parametrize("lang", ["", ".zh"])
def test_the_manual_tells_every_field_of_a_record(lang: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / f"deploying{lang}.md").read_text("utf-8")
    told = re.findall(r"^\| `(\w+)` \|", text.partition("{ #records }")[2], re.MULTILINE)
    assert told == [one.name for one in fields(Deployment)]


# ---------------------------------------------------------------------------------------------------------------- files


def test_a_record_is_saved_and_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    path = save_deployment(RECORD, folder)
    assert path.parent == folder
    assert Deployment.from_json(path.read_text("utf-8")) == RECORD
    assert load_deployments(folder) == (RECORD,)
    assert load_deployment(8_453, folder=folder) == RECORD
    assert list(folder.iterdir()) == [path], "nothing else is left in the folder"


def test_saving_again_replaces_the_record(tmp_path: Path) -> None:
    save_deployment(RECORD, tmp_path)
    later = replace(RECORD, block=13)
    save_deployment(later, tmp_path)
    assert load_deployments(tmp_path) == (later,)


def test_a_record_that_can_not_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_deployment(RECORD, tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_deployment(replace(RECORD, block=13), tmp_path)
    assert load_deployments(tmp_path) == (RECORD,)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_newest_record_of_the_chain_is_taken(tmp_path: Path) -> None:
    newer = replace(RECORD, address=ELSEWHERE, deployed_at=RECORD.deployed_at + 1)
    other = replace(RECORD, chain_id=1, deployed_at=RECORD.deployed_at + 9)
    for record in (newer, RECORD, other):
        save_deployment(record, tmp_path)
    assert load_deployments(tmp_path) == (other, newer, RECORD)
    assert load_deployment(8_453, folder=tmp_path) == newer
    assert load_deployment(8_453, address=RECORD.address, folder=tmp_path) == RECORD


def test_chains_of_one_number_are_told_apart(tmp_path: Path) -> None:
    restarted = replace(RECORD, genesis="0x" + "12" * 32, deployed_at=RECORD.deployed_at + 1)
    for record in (RECORD, restarted):
        save_deployment(record, tmp_path)
    assert load_deployment(8_453, genesis=RECORD.genesis, folder=tmp_path) == RECORD
    assert load_deployment(8_453, genesis=restarted.genesis, folder=tmp_path) == restarted
    with pytest.raises(NoDeployment, match="another chain of that number"):
        load_deployment(8_453, genesis="0x" + "34" * 32, folder=tmp_path)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"chain_id": 1}, "No deployment on chain 1 is recorded in"),
        ({"chain_id": 8_453, "address": ELSEWHERE}, f"No deployment at {ELSEWHERE} on chain 8453"),
    ],
)
def test_what_is_not_recorded_is_not_found(tmp_path: Path, wanted: dict[str, Any], says: str) -> None:
    save_deployment(RECORD, tmp_path)
    with pytest.raises(NoDeployment, match=says):
        load_deployment(**wanted, folder=tmp_path)


def test_an_empty_or_missing_folder_has_no_records(tmp_path: Path) -> None:
    assert load_deployments(tmp_path) == load_deployments(tmp_path / "missing") == ()


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"{}"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    save_deployment(RECORD, tmp_path)
    broken = tmp_path / "1-broken.json"
    broken.write_bytes(content)
    with pytest.raises(DamagedRecord, match=r"1-broken\.json is damaged"):
        load_deployment(8_453, folder=tmp_path)


def test_a_folder_that_can_not_be_looked_into_is_named(tmp_path: Path) -> None:
    """As that of a user whose home is closed to a service. (To root nothing is; a link that leads in a circle is.)"""
    folder = tmp_path / "circle"
    folder.symlink_to(folder)
    with pytest.raises(RecordsClosed, match=rf"{folder} can't be looked into .*KAMENG_DEPLOYMENTS"):
        load_deployments(folder)


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    save_deployment(RECORD, tmp_path)
    broken = tmp_path / "1-broken.json"
    broken.symlink_to(broken)
    with pytest.raises(DamagedRecord, match=r"1-broken\.json can't be read"):
        load_deployment(8_453, folder=tmp_path)


def test_the_folder_is_the_users_unless_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAMENG_DEPLOYMENTS", str(tmp_path / "here"))
    assert default_folder() == tmp_path / "here"
    save_deployment(RECORD)
    assert load_deployment(8_453) == RECORD
    monkeypatch.delenv("KAMENG_DEPLOYMENTS")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert default_folder().is_relative_to(tmp_path)
    assert default_folder().parts[-2:] == ("kameng_escrow", "deployments")


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("linux", "XDG_DATA_HOME", "data/kameng_escrow/deployments"),
        ("win32", "LOCALAPPDATA", "data/kameng_escrow/deployments"),
        ("darwin", "XDG_DATA_HOME", "Library/Application Support/kameng_escrow/deployments"),
    ],
)
def test_the_folder_is_where_the_system_keeps_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, variable: str, folder: str
) -> None:
    monkeypatch.delenv("KAMENG_DEPLOYMENTS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(variable, str(tmp_path / "data"))
    monkeypatch.setattr("sys.platform", platform)
    assert default_folder() == tmp_path / folder


# ------------------------------------------------------------------------------------------------------------ the chain


def test_deploying_returns_what_is_there(cast: Cast) -> None:
    record = cast.deployment
    w3 = cast.node.w3
    assert record.transaction is not None
    receipt = w3.eth.get_transaction_receipt(HexStr(record.transaction))
    block = w3.eth.get_block(record.block)
    assert (receipt["to"], receipt["blockNumber"]) == (PROXY, record.block)
    assert record.address == core_address()
    assert {"KamengLens": record.lens, **record.periphery} == companions(record.address)
    assert (record.chain_id, record.deployer) == (31_337, cast.platform.address)
    assert record.genesis == "0x" + bytes(w3.eth.get_block(0)["hash"]).hex()
    assert record.deployed_at == block["timestamp"]
    artifact = load_artifact("KamengEscrow")
    assert (record.source_hash, record.compiler) == (artifact.source_hash, artifact.compiler)
    verify_deployment(record, w3)


def test_where_records_are_closed_a_contract_is_found_by_its_name_and_none_is_guessed(
    cast: Cast, tmp_path: Path
) -> None:
    folder = tmp_path / "circle"
    folder.symlink_to(folder)
    named = {"KAMENG_DEPLOYMENTS": str(folder), "KAMENG_CONTRACT": cast.deployment.address}
    assert find_deployment(Settings.load(named), cast.node).address == cast.deployment.address
    unnamed = Settings.load({"KAMENG_DEPLOYMENTS": str(folder)})
    assert cast.deployment.address == core_address(), "it would have been found there"
    with pytest.raises(RecordsClosed):
        find_deployment(unnamed, cast.node)


def test_a_record_of_another_chain_does_not_verify(cast: Cast) -> None:
    with pytest.raises(WrongChain):
        verify_deployment(replace(cast.deployment, chain_id=1), cast.node.w3)
    with InProcessNode() as other:
        again = deploy(other.w3, dev_account(0))
        assert (again.address, again.chain_id) == (cast.deployment.address, cast.deployment.chain_id)
        with pytest.raises(WrongChain, match="with the genesis"):
            verify_deployment(cast.deployment, other.w3)


def test_a_record_without_a_contract_does_not_verify(cast: Cast) -> None:
    nowhere = cast.stranger.address
    for wrong in (replace(cast.deployment, address=nowhere), replace(cast.deployment, lens=nowhere)):
        with pytest.raises(NoDeployment, match=f"There is no contract at {nowhere}"):
            verify_deployment(wrong, cast.node.w3)


def test_a_record_of_something_else_does_not_verify(cast: Cast, compiled: Callable[[str], Artifact]) -> None:
    with pytest.raises(CodeMismatch, match="KamengEscrow"):
        verify_deployment(replace(cast.deployment, address=cast.token), cast.node.w3)
    with pytest.raises(CodeMismatch, match="KamengLens"):
        verify_deployment(replace(cast.deployment, lens=cast.token), cast.node.w3)
    other = deploy_code(cast.node, compiled("KamengEscrow"))
    with pytest.raises(CodeMismatch, match=f"is of the escrow {cast.deployment.address}, not of {other}"):
        verify_deployment(replace(cast.deployment, address=other), cast.node.w3)


def test_one_changed_byte_is_another_contract(cast: Cast, compiled: Callable[[str], Artifact]) -> None:
    """Outside of the immutables, which every deployment fills in differently."""
    honest = compiled("KamengEscrow")
    code = bytearray(bytes.fromhex(honest.bytecode[2:]))
    code[-60] ^= 1
    forged = deploy_code(cast.node, replace(honest, bytecode="0x" + code.hex()))
    with pytest.raises(CodeMismatch):
        verify_deployment(replace(cast.deployment, address=forged), cast.node.w3)
