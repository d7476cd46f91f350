"""A mirror's second process: it reads what the mirror would, gives back what is odd, and never outlives it."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.log_helper import READY, send
from kameng_escrow.chain.logs import read_logs
from kameng_escrow.mirror import Web3Source, step
from kameng_escrow.mirror.help import Helper
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .mirrors import assert_mirrors, mirror_of, rows
from .proxy import bad_line

SECONDS = 30.0  # to start in, on a busy machine


@pytest.fixture(scope="module")
def lived_on_anvil() -> Iterator[EscrowWorld]:
    """A chain behind a URL on which everything has happened. Look, don't touch."""
    with AnvilNode() as node:
        world = EscrowWorld(node)
        world.everything()
        yield world


@pytest.fixture
def helper() -> Iterator[Helper]:
    with Helper() as helper:
        helper.start()
        assert helper.ready.wait(SECONDS)
        yield helper


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> list[Helper]:
    """Mirrors that get help from the first event on, and wait until it is there; the helpers that they had."""
    helpers: list[Helper] = []
    start = Helper.start

    def start_and_wait(helper: Helper) -> None:
        start(helper)
        if helper not in helpers:
            helpers.append(helper)
            assert helper.ready.wait(SECONDS)

    monkeypatch.setattr(Helper, "start", start_and_wait)
    monkeypatch.setattr(step, "_MUCH", 1)
    monkeypatch.setattr(step, "_FURTHER", 1)
    return helpers


def head_of(world: EscrowWorld) -> int:
    return int(world.node.request("eth_blockNumber"), 16)


def asked(world: EscrowWorld) -> dict[str, object]:
    return {"address": world.address, "fromBlock": "0x0", "toBlock": "latest"}


def framed(value: Any) -> bytes:
    """As it goes through the pipe."""
    pipe = io.BytesIO()
    send(pipe, value)
    return pipe.getvalue()


def ended(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_it_reads_what_the_node_has(lived_on_anvil: EscrowWorld, helper: Helper) -> None:
    world = lived_on_anvil
    reading = helper.read(str(world.node.url), 30, world.address, 0, head_of(world))
    assert reading is not None
    assert reading.blocks == read_logs(world.node.request("eth_getLogs", asked(world)), world.address)
    assert reading.work > 0


def test_several_questions_at_once_get_their_own_answers(lived_on_anvil: EscrowWorld, helper: Helper) -> None:
    world = lived_on_anvil
    found: dict[int, list[int]] = {}

    def ask(block: int) -> None:
        reading = helper.read(str(world.node.url), 30, world.address, block, block)
        assert reading is not None
        found[block] = [one.number for one in reading.blocks]

    expected = {block.number for block in read_logs(world.node.request("eth_getLogs", asked(world)), world.address)}
    threads = [threading.Thread(target=ask, args=(block,)) for block in range(1, head_of(world) + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {block: [block] if block in expected else [] for block in range(1, head_of(world) + 1)}


@pytest.mark.parametrize(
    "answer",
    [
        429,
        503,
        None,
        b"no JSON",
        b'{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"query returned more than 10000 results"}}',
        b'{"jsonrpc":"2.0","id":1,"result":null}',
        b'{"jsonrpc":"2.0","id":1,"result":[{"address":"0x"}]}',
        b"[]",
    ],
    ids=["too often", "broken", "hung up", "no JSON", "refused", "nothing", "half a log", "a list"],
)
def test_what_is_out_of_the_ordinary_is_given_back(
    lived_on_anvil: EscrowWorld, helper: Helper, answer: bytes | int | None
) -> None:
    with bad_line(str(lived_on_anvil.node.url), lambda *_: answer) as url:
        assert helper.read(url, 30, lived_on_anvil.address, 0, 10) is None
    assert helper.read(str(lived_on_anvil.node.url), 30, lived_on_anvil.address, 0, 10) is not None


@pytest.mark.parametrize(
    "said",
    [
        (8).to_bytes(8) + b"no value",
        b"\xff" * 8,
        framed(None),
        framed((7, None, 0.0)),
        framed((0, [3], 0.0)),
        framed((0, [(1,)], 0.0)),
    ],
    ids=["damaged", "endless", "no answer", "to no question", "no block", "half a block"],
)
def test_nobody_waits_for_a_helper_that_talks_nonsense(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked is given back at once, and not when its time is out."""
    program = f"import sys; o = sys.stdout.buffer; o.write({framed(READY)!r}); o.flush(); sys.stdin.buffer.read(8); "
    program += f"o.write({said!r}); o.flush(); sys.stdin.buffer.read()"
    start = subprocess.Popen

    def start_another(_: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return start([sys.executable, "-c", program], **options)

    monkeypatch.setattr(subprocess, "Popen", start_another)
    with Helper() as helper:
        helper.start()
        assert helper.ready.wait(SECONDS)
        began = time.monotonic()
        assert helper.read("http://127.0.0.1:1", 600, "0x" + "00" * 20, 0, 1) is None
        assert time.monotonic() - began < SECONDS
        assert not helper.ready.is_set()


def test_nobody_sees_the_url_among_the_processes(lived_on_anvil: EscrowWorld, helper: Helper) -> None:
    """There may be a key in it."""
    assert helper.read(str(lived_on_anvil.node.url), 30, lived_on_anvil.address, 0, 1) is not None
    assert helper.pid is not None
    process = psutil.Process(helper.pid)
    shown = [*process.cmdline(), *process.environ().values()]
    assert not [word for word in shown if str(lived_on_anvil.node.url) in word]


def test_mirrored_with_help_is_mirrored_the_same(
    lived_on_anvil: EscrowWorld, store: Store, tmp_path: Path, eager: list[Helper]
) -> None:
    world = lived_on_anvil
    mirror_of(world, store, range_blocks=4).run_once()
    assert len(eager) == 1
    assert_mirrors(world, store)
    with Store.open(str(tmp_path / "alone.sqlite")) as alone:
        mirror_of(world, alone, range_blocks=head_of(world)).run_once()
        assert rows(alone) == rows(store)
    assert [helper.pid for helper in eager] == [None]  # and has ended


def test_a_helper_that_is_killed_is_done_without(
    lived_on_anvil: EscrowWorld, store: Store, eager: list[Helper]
) -> None:
    world = lived_on_anvil
    killed: list[int] = []

    def kill(*_: object) -> None:
        for helper in eager:
            if (pid := helper.pid) is not None and not killed:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    mirror_of(world, store, range_blocks=2).run_once(kill)
    assert len(killed) == 1
    assert ended(killed[0])
    assert_mirrors(world, store)


def test_a_helper_that_can_not_start_is_done_without(
    lived_on_anvil: EscrowWorld, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(Path(__file__).with_suffix(".nowhere")))
    monkeypatch.setattr(step, "_MUCH", 1)
    monkeypatch.setattr(step, "_FURTHER", 1)
    mirror_of(lived_on_anvil, store, range_blocks=4).run_once()
    assert_mirrors(lived_on_anvil, store)


def test_a_chain_in_this_process_needs_no_help(world: EscrowWorld, store: Store, eager: list[Helper]) -> None:
    world.everything()
    mirror_of(world, store, source=Web3Source(world.node.w3), range_blocks=2).run_once()
    assert eager == []


def test_it_ends_with_its_mirror_however_that_ends() -> None:
    script = (
        "from kameng_escrow.mirror.help import Helper\n"
        "helper = Helper(); helper.start(); helper.ready.wait(30); print(helper.pid, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as mirror:
        assert mirror.stdout is not None
        pid = int(mirror.stdout.readline())
        assert not ended(pid)
        mirror.kill()
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=SECONDS)
    assert ended(pid)
