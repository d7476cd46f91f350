"""What the guide to deploying says works as written: in a checkout, beside a local chain."""

import os
import sys
from pathlib import Path

from kameng_escrow.chain.deployments import load_deployments
from kameng_escrow.chain.parts import core_address
from tests.acceptance.markdown import ROOT, blocks
from tests.acceptance.test_readme import bash, free_port, running

CHECKOUT = ("ape-config.yaml", "contracts", "node_modules", "scripts")


def test_commands_of_the_guide_work(tmp_path: Path) -> None:
    terminals: dict[int, str] = {}
    for block in blocks((ROOT / "docs" / "deploying.md").read_text("utf-8")):
        if block.terminal is not None:
            terminals[block.terminal] = terminals.get(block.terminal, "") + block.code
    assert sorted(terminals) == [1, 2]
    for name in CHECKOUT:  # so that what the commands write is not written among the sources
        (tmp_path / name).symlink_to(ROOT / name)
    with free_port() as port:
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "KAMENG_RPC_URL": f"http://127.0.0.1:{port}",
            "KAMENG_DEPLOYMENTS": str(tmp_path / "records"),
            "KAMENG_LANG": "en",
        }
        with running(terminals[1], tmp_path, environment, port):
            said = bash(terminals[2], tmp_path, environment)
    [record] = load_deployments(tmp_path / "records")
    assert record.address == core_address()
    assert said.count("Nothing was sent") == 1
    assert (tmp_path / "abi" / "KamengEscrow.json").is_file()
    assert len(list((tmp_path / "bundles").iterdir())) == 1
