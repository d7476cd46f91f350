"""`kameng status`, `kameng reconcile`, and mirrors that run as whoever runs them would have them run."""

import json
import os
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from kameng_escrow.store import Store
from tests.hand import Hand, bring_up
from tests.terminal import KAMENG

from .escrow_world import EscrowWorld
from .mirrors import assert_mirrors, news, news_on_chain

PATIENCE = 60.0  # seconds that a busy machine may take for what takes one


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Hand]:
    with bring_up(tmp_path, quick=True) as hand:
        hand.delivered("one.json")
        hand.opened("two.json")
        yield hand


def spoil(hand: Hand, statement: str) -> None:
    """Something that writes to the store and is no mirror."""
    path = hand.terminal.folder / ".local" / "share" / "kameng_escrow" / "store.sqlite"
    with sqlite3.connect(path) as plain:
        plain.execute(statement)
    plain.close()


def test_status_tells_all_in_one_screen(hand: Hand) -> None:
    assert hand.terminal.run("status").code == 6  # nothing was mirrored yet
    hand.terminal.ok("mirror", "--once")
    seen = hand.terminal.json("status")
    assert (seen["lag_blocks"], seen["due"], seen["node_error"]) == (0, 0, None)
    assert (seen["orders"]["Delivered"], seen["orders"]["Opened"]) == (1, 1)
    assert [leader["role"] for leader in seen["leaders"]] == ["mirror"]
    hand.opened("three.json")
    assert hand.terminal.json("status")["lag_blocks"] > 0
    text = hand.terminal.ok("status").out
    assert "blocks behind" in text
    assert len(text.splitlines()) < 12
    assert "落后" in hand.terminal.ok("status", LANG="zh_CN.UTF-8").out


def test_status_needs_no_node(hand: Hand) -> None:
    hand.terminal.ok("mirror", "--once")
    seen = hand.terminal.json("status", "--rpc-url", "http://127.0.0.1:9")
    assert (seen["head_block"], seen["node_error"]) == (None, "node_unreachable")
    assert "No node answers" in hand.terminal.ok("status", "--rpc-url", "http://127.0.0.1:9").out


def test_status_counts_what_is_due(hand: Hand) -> None:
    hand.terminal.ok("mirror", "--once")
    hand.rpc("evm_increaseTime", 30 * 86_400)
    hand.rpc("evm_mine")
    assert hand.terminal.json("status")["due"] == 2
    assert "due       2" in hand.terminal.ok("status").out


def test_reconcile_finds_and_repairs(hand: Hand) -> None:
    hand.terminal.ok("mirror", "--once")
    agreed = hand.terminal.json("reconcile")
    assert (agreed["orders"], agreed["drifts"]) == (2, [])
    spoil(hand, "UPDATE orders SET revision = 3 WHERE state = 'Opened'")
    found = hand.terminal.run("reconcile", "--json")
    assert found.code == 1
    [drift] = found.json()["drifts"]
    assert (drift["kind"], drift["field"], drift["mirrored"], drift["on_chain"]) == ("order", "revision", "3", "0")
    assert "不一致" in hand.terminal.run("reconcile", LANG="zh_CN.UTF-8").out
    mended = hand.terminal.json("reconcile", "--repair")
    assert mended["repair"]["tables"]["orders"] == {"added": 0, "changed": 1, "removed": 0}
    assert mended["left"]["drifts"] == []
    spoil(hand, "DELETE FROM events")
    assert hand.terminal.json("reconcile")["drifts"] == []  # rows are right; what they were folded from is not compared
    text = hand.terminal.ok("reconcile", "--repair").out  # but they are put right
    assert "rows put right" in text
    assert "mirror and chain agree" in text


def test_what_an_audit_does_not_look_at_is_repaired_too(hand: Hand) -> None:
    """A mirror that was not told of a policy stops at the first order under it, and says how to go on."""
    hand.terminal.ok("mirror", "--once")
    spoil(hand, "DELETE FROM policies")
    hand.opened("three.json")
    stuck = hand.terminal.run("mirror", "--once")
    assert stuck.code == 6
    assert "kameng reconcile --repair" in stuck.err
    assert "policies: 1 added" in hand.terminal.ok("reconcile", "--repair").out
    hand.terminal.ok("mirror", "--once", "--check")


def test_reconcile_says_when_the_mirror_is_of_another_chain(hand: Hand) -> None:
    """A block that was undone is for the mirror to undo, not for a repair."""
    hand.terminal.ok("mirror", "--once")
    spoil(hand, f"UPDATE checkpoints SET seen_hash = '0x{'ab' * 32}'")
    outcome = hand.terminal.run("reconcile", "--repair")
    assert outcome.code == 5
    assert "mirror again" in outcome.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("mirror", "--rpc-fallbacks", "ftp://x"), 3, "http://127.0.0.1:8545"),
        (("mirror", "--ws-url", "http://127.0.0.1:1"), 3, "ws://127.0.0.1:8545"),
        (("mirror", "--follow", "--metrics", "0"), 2, "--metrics"),
        (("reconcile",), 6, "kameng mirror --once"),
    ],
)
def test_what_can_not_be_is_refused(hand: Hand, words: tuple[str, ...], code: int, says: str) -> None:
    outcome = hand.terminal.run(*words)
    assert outcome.code == code
    assert says in outcome.err
    assert "Traceback" not in outcome.text


def test_a_port_that_is_taken_is_refused_by_name(hand: Hand) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        outcome = hand.terminal.run("mirror", "--follow", "--metrics", port)
    assert outcome.code == 3
    assert str(port) in outcome.err


# ------------------------------------------------------------------------------------------------- as others would run


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def follower(world: EscrowWorld, store_url: str, folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A mirror with everything on, in a process of its own."""
    url = str(world.node.url)
    record = folder / "deployment.json"
    record.write_text(world.deployment.to_json(), "utf-8")
    settings = {"KAMENG_RPC_URL": url, "KAMENG_RPC_FALLBACKS": f"http://127.0.0.1:9,{url}"}
    settings |= {"KAMENG_WS_URL": url.replace("http", "ws"), "KAMENG_STORE": store_url, "KAMENG_CONTRACT": str(record)}
    words = ["mirror", "--follow", "--final-depth", "3", "--audit", "1", "--metrics", str(port), "--log-json"]
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen([*KAMENG, *words], env=os.environ | settings, stdout=subprocess.DEVNULL, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ready(port: int) -> dict[str, Any]:
    """What a mirror says of itself; nothing, while it does not speak."""
    try:
        answer: dict[str, Any] = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=10).json()
    except requests.ConnectionError:
        return {}
    return answer


def await_ready(port: int, **wanted: object) -> None:
    """Waits until a mirror says all this of itself."""
    ends = time.monotonic() + PATIENCE
    while not wanted.items() <= (said := ready(port)).items():
        assert time.monotonic() < ends, said
        time.sleep(0.05)


def head_of(world: EscrowWorld) -> int:
    return int(world.node.request("eth_blockNumber"), 16)


def test_a_killed_mirror_is_followed_by_one_that_stands_by(
    anvil_world: EscrowWorld, store_url: str, tmp_path: Path
) -> None:
    world, first, second = anvil_world, free_port(), free_port()
    with follower(world, store_url, tmp_path, first) as leading:
        await_ready(first, leader=True, term=1)
        with follower(world, store_url, tmp_path, second):
            await_ready(second, leader=False, ok=True)
            world.confirmed()
            await_ready(first, seen_block=head_of(world))
            leading.kill()
            world.disputed()
            await_ready(second, leader=True, term=2, seen_block=head_of(world), drifts=0)
            world.everything()
            await_ready(second, ok=True, seen_block=head_of(world))
            with Store.open(store_url) as store:
                assert_mirrors(world, store)
                assert news(store) == news_on_chain(world)
            text = requests.get(f"http://127.0.0.1:{second}/metrics", timeout=10).text
            assert "kameng_mirror_leader 1.0" in text
    lines = [json.loads(line) for line in (tmp_path / f"{second}.log").read_text("utf-8").splitlines()]
    assert {"leading", "mirrored"} <= {line["message"] for line in lines}
    assert all(line["level"] != "error" for line in lines)
