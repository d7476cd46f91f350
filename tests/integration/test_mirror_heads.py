"""New blocks are heard of at once over a WebSocket, and without one, or while it is down, found all the same."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.sync.server import ServerConnection, serve

from kameng_escrow.mirror import Progress
from kameng_escrow.mirror.heads import HeadBell
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .mirrors import assert_mirrors, mirror_of

PATIENCE = 30.0


def ws_of(world: EscrowWorld) -> str:
    """Anvil speaks WebSocket on the port of its HTTP."""
    return str(world.node.url).replace("http://", "ws://")


@contextmanager
def following(world: EscrowWorld, store: Store, bell: HeadBell, *, poll_seconds: float) -> Iterator[list[int]]:
    """A mirror that follows in a thread; gives the blocks it has come to."""
    stop = threading.Event()
    blocks: list[int] = []
    mirror = mirror_of(world, store)

    def progress(progress: Progress) -> None:
        blocks.append(progress.block)

    thread = threading.Thread(
        target=mirror.follow, args=(stop,), kwargs={"poll_seconds": poll_seconds, "progress": progress, "bell": bell}
    )
    thread.start()
    try:
        yield blocks
    finally:
        stop.set()
        thread.join()


def await_block(blocks: list[int], wanted: int) -> float:
    """The seconds until the mirror has come to a block."""
    began = time.monotonic()
    while not blocks or blocks[-1] < wanted:
        assert time.monotonic() - began < PATIENCE, "the block did not come"
        time.sleep(0.005)
    return time.monotonic() - began


def head_of(world: EscrowWorld) -> int:
    return int(world.node.request("eth_blockNumber"), 16)


def test_a_block_is_heard_of_long_before_the_next_look(anvil_world: EscrowWorld, store: Store) -> None:
    with HeadBell(ws_of(anvil_world)) as bell, following(anvil_world, store, bell, poll_seconds=60) as blocks:
        await_block(blocks, head_of(anvil_world))
        while not bell.connected:
            time.sleep(0.005)
        for _ in range(3):
            anvil_world.opened()
            await_block(blocks, head_of(anvil_world))  # which would fail after half a minute; a look takes a whole one
    assert bell.rings >= 4
    assert_mirrors(anvil_world, store)


def test_without_a_line_the_mirror_looks_by_itself(world: EscrowWorld, store: Store) -> None:
    with HeadBell("ws://127.0.0.1:9") as bell, following(world, store, bell, poll_seconds=0.05) as blocks:
        world.opened()
        await_block(blocks, head_of(world))
        assert not bell.connected
    assert_mirrors(world, store)


def test_what_happened_while_the_line_was_down_is_not_lost(anvil_world: EscrowWorld, store: Store) -> None:
    """A line that breaks after every word: whatever it leaves out, ranges bring."""
    broken = threading.Semaphore(0)

    def hang_up(line: ServerConnection) -> None:
        line.recv()
        line.send('{"jsonrpc":"2.0","id":1,"result":"0x1"}')
        broken.release()

    with serve(hang_up, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.socket.getsockname()[1]
        bell = HeadBell(f"ws://127.0.0.1:{port}")
        with bell, following(anvil_world, store, bell, poll_seconds=60) as blocks:
            anvil_world.confirmed()
            assert broken.acquire(timeout=PATIENCE)
            assert broken.acquire(timeout=PATIENCE)
            await_block(blocks, head_of(anvil_world))
        server.shutdown()
    assert_mirrors(anvil_world, store)


@pytest.mark.parametrize("answer", ["not JSON", '{"id":1,"error":{"code":-32601}}', "", "[]"])
def test_a_line_that_makes_no_sense_rings_nothing(answer: str) -> None:
    heard = threading.Event()

    def babble(line: ServerConnection) -> None:
        line.recv()
        line.send(answer)
        heard.set()
        line.recv()

    with serve(babble, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with HeadBell(f"ws://127.0.0.1:{server.socket.getsockname()[1]}") as bell:
            assert heard.wait(PATIENCE)
            began = time.monotonic()
            bell.wait(threading.Event(), 0.3)
            assert time.monotonic() - began >= 0.3
            assert (bell.rings, bell.connected) == (0, False)
        server.shutdown()


def test_waiting_ends_at_once_when_told_to() -> None:
    bell, stop = HeadBell("ws://127.0.0.1:9"), threading.Event()
    threading.Timer(0.05, stop.set).start()
    began = time.monotonic()
    bell.wait(stop, PATIENCE)
    assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize("url", ["http://127.0.0.1", "ws://", "127.0.0.1:8545"])
def test_what_is_no_websocket_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="ws://"):
        HeadBell(url)
