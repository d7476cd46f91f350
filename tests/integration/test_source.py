"""What is on the chain is what the sources here make, and explorers get what they need to see it."""

import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from kameng_escrow.chain import source as source_module
from kameng_escrow.chain.artifacts import load_artifact
from kameng_escrow.chain.compiler import SETTINGS, find_root
from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.deploy import deploy
from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.dev_accounts import dev_account
from kameng_escrow.chain.errors import CodeMismatch, ExplorerRefused, InvalidInput, NoDeployment
from kameng_escrow.chain.explorers import submit_to_etherscan, submit_to_sourcify
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.chain.parts import LENS
from kameng_escrow.chain.solc import resolve_solc
from kameng_escrow.chain.source import SourceBundle, verifying_source, write_bundle
from kameng_escrow.chain.steps import run
from kameng_escrow.errors import CompilationFailed

ROOT = find_root()
KEY = "an-api-key-that-nobody-may-see"


@pytest.fixture(scope="module")
def chain() -> Iterator[tuple[InProcessNode, Deployment]]:
    with InProcessNode() as node:
        yield node, deploy(node.w3, dev_account(0))


@pytest.fixture(scope="module")
def bundle(chain: tuple[InProcessNode, Deployment]) -> SourceBundle:
    """The lens's, since it compiles fastest."""
    node, record = chain
    return run(verifying_source(ROOT, LENS, record.lens), Connection(node.w3))


# -------------------------------------------------------------------------------------------------------- the bundle


def test_the_escrow_is_made_of_the_sources_here(chain: tuple[InProcessNode, Deployment]) -> None:
    node, record = chain
    made = run(verifying_source(ROOT, "KamengEscrow", record.address), Connection(node.w3))
    assert made.identifier == "contracts/KamengEscrow.sol:KamengEscrow"
    assert (made.constructor_arguments, made.creation_transaction) == ("", record.transaction)
    assert made.compiler == record.compiler


def test_a_bundle_has_all_that_it_takes(chain: tuple[InProcessNode, Deployment], bundle: SourceBundle) -> None:
    node, record = chain
    assert (bundle.chain_id, bundle.address) == (record.chain_id, record.lens)
    assert bundle.constructor_arguments == record.address[2:].lower().rjust(64, "0")
    settings = dict(bundle.standard_input["settings"])
    del settings["outputSelection"]
    assert settings == SETTINGS, "with the optimizer's very steps"
    assert set(bundle.standard_input["sources"]) == set(load_artifact(LENS).sources)
    made_by = node.w3.eth.get_transaction(bundle.creation_transaction)  # type: ignore[arg-type]
    assert bytes.fromhex(load_artifact(LENS).bytecode[2:]) in bytes(made_by["input"])


def test_a_bundle_is_two_files(bundle: SourceBundle, tmp_path: Path) -> None:
    source, facts = write_bundle(bundle, tmp_path)
    assert source.parent.name == f"31337-{bundle.address}"
    assert json.loads(source.read_text("utf-8")) == bundle.standard_input
    assert json.loads(facts.read_text("utf-8"))["contractIdentifier"] == "contracts/KamengLens.sol:KamengLens"


def test_repeating_the_bundle_makes_the_bytecode(bundle: SourceBundle) -> None:
    """Straight to the compiler, without our own code in between."""
    solc = resolve_solc(ROOT, download=False).path
    done = subprocess.run(
        [solc, "--standard-json"], input=json.dumps(bundle.standard_input), capture_output=True, text=True, check=True
    )
    path, name = bundle.identifier.split(":")
    made = json.loads(done.stdout)["contracts"][path][name]["evm"]["bytecode"]["object"]
    assert "0x" + made == load_artifact(LENS).bytecode


def test_what_is_not_made_of_the_sources_is_refused(
    chain: tuple[InProcessNode, Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    node, record = chain
    connection = Connection(node.w3)
    with pytest.raises(CodeMismatch):
        run(verifying_source(ROOT, LENS, record.address), connection)
    with pytest.raises(NoDeployment):
        run(verifying_source(ROOT, LENS, dev_account(3).address), connection)
    with pytest.raises(InvalidInput, match="KamengEscrow"):
        run(verifying_source(ROOT, "TestToken", record.address), connection)
    older = replace(load_artifact(LENS), bytecode="0x00")
    monkeypatch.setattr(source_module, "load_artifact", lambda name: older)
    with pytest.raises(CompilationFailed, match="check out the package's version"):
        run(verifying_source(ROOT, LENS, record.lens), connection)


# ------------------------------------------------------------------------------------------------------------ explorers


class Explorer:
    """A server that answers as it is told, and remembers what it was asked."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        waiting = list(answers)
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                asked.append((self.command, self.path, self.rfile.read(length)))
                status, answer = waiting.pop(0)
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/server"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> "Explorer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_sourcify_gets_the_bundle_and_is_waited_for(bundle: SourceBundle) -> None:
    answers = (202, {"verificationId": "job-1"}), (200, {"isJobCompleted": False})
    done = {"isJobCompleted": True, "contract": {"match": "match"}}
    with Explorer(*answers, (200, done)) as explorer:
        assert submit_to_sourcify(bundle, server=explorer.url, poll_seconds=0.01) == "match"
    method, path, body = explorer.asked[0]
    assert (method, path) == ("POST", f"/server/v2/verify/31337/{bundle.address}")
    assert json.loads(body) == {
        "stdJsonInput": bundle.standard_input,
        "compilerVersion": bundle.compiler,
        "contractIdentifier": bundle.identifier,
        "creationTransactionHash": bundle.creation_transaction,
    }
    assert explorer.asked[1:] == [("GET", "/server/v2/verify/job-1", b"")] * 2


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([(400, {"customCode": "unsupported_chain", "message": "The chain is unknown."})], "The chain is unknown"),
        ([(500, b"<html>")], "HTTP 500 and no JSON"),
        ([(200, b"[]")], "no JSON object"),
        (
            [
                (202, {"verificationId": "j"}),
                (200, {"isJobCompleted": True, "contract": {"match": None}, "error": {"message": "no match"}}),
            ],
            "no match",
        ),
    ],
)
def test_what_sourcify_refuses_is_told(bundle: SourceBundle, answers: list[Any], why: str) -> None:
    with Explorer(*answers) as explorer, pytest.raises(ExplorerRefused, match=why):
        submit_to_sourcify(bundle, server=explorer.url, poll_seconds=0.01)


def test_what_sourcify_has_already_is_well(bundle: SourceBundle) -> None:
    with Explorer((409, {"customCode": "already_verified", "message": "…"})) as explorer:
        assert submit_to_sourcify(bundle, server=explorer.url) == "exact_match"


def test_etherscan_gets_the_bundle_and_the_key_stays_out_of_the_url(bundle: SourceBundle) -> None:
    answers = (200, {"status": "1", "result": "guid"}), (200, {"status": "0", "result": "Pending in queue"})
    with Explorer(*answers, (200, {"status": "1", "result": "Pass - Verified"})) as explorer:
        said = submit_to_etherscan(bundle, KEY, server=explorer.url, poll_seconds=0.01)
    assert said == "Pass - Verified"
    assert all(KEY not in path for _, path, _ in explorer.asked)
    form = {name: values[0] for name, values in parse_qs(explorer.asked[0][2].decode()).items()}
    assert form["apikey"] == KEY
    assert json.loads(form["sourceCode"]) == bundle.standard_input
    assert form["contractname"] == bundle.identifier
    assert form["compilerversion"] == f"v{bundle.compiler}"
    assert form["constructorArguements"] == bundle.constructor_arguments
    assert parse_qs(explorer.asked[1][2].decode())["guid"] == ["guid"]


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([(200, {"status": "0", "result": "Invalid API Key"})], "Invalid API Key"),
        ([(200, {"status": "1", "result": "g"}), (200, {"status": "0", "result": "Fail - Unable"})], "Fail - Unable"),
    ],
)
def test_what_etherscan_refuses_is_told_without_the_key(bundle: SourceBundle, answers: list[Any], why: str) -> None:
    with Explorer(*answers) as explorer, pytest.raises(ExplorerRefused, match=why) as caught:
        submit_to_etherscan(bundle, KEY, server=explorer.url, poll_seconds=0.01)
    assert KEY not in str(caught.value)


def test_an_explorer_that_is_not_there_is_told_without_the_key(bundle: SourceBundle) -> None:
    with Explorer() as gone:
        pass
    for submit in (
        lambda: submit_to_sourcify(bundle, server=gone.url),
        lambda: submit_to_etherscan(bundle, KEY, server=gone.url),
    ):
        with pytest.raises(ExplorerRefused, match="can't be reached") as caught:
            submit()
        assert KEY not in str(caught.value)
