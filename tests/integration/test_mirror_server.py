"""A mirror lives through what a database server does: restarts, crashes, and being away for a while."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from kameng_escrow.errors import EscrowError
from kameng_escrow.mirror import Mirror, StandingBy
from kameng_escrow.store import Deposed, Store, StoreUnavailable
from tests.postgres import Server, own_server

from .escrow_world import EscrowWorld
from .mirrors import assert_mirrors, book_of, mirror_of, news, news_on_chain

PATIENCE = 60.0  # seconds


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with own_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@contextmanager
def running(mirror: Mirror, troubles: list[EscrowError]) -> Iterator[None]:
    """A mirror that follows in a thread."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def follow() -> None:
        try:
            mirror.follow(stop, poll_seconds=0.05, trouble=troubles.append)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert failures == []


def await_head(world: EscrowWorld, store: Store) -> None:
    """Waits until the store is where the chain is."""
    ends = time.monotonic() + PATIENCE
    while True:
        head = int(world.node.request("eth_blockNumber"), 16)
        try:
            if book_of(world, store).info().marks.seen == head:
                return
        except EscrowError:  # the server is not back yet, or nothing was mirrored
            pass
        assert time.monotonic() < ends, "the mirror did not come to the head"
        time.sleep(0.02)


def crash(server: Server) -> None:
    server.kill()
    server.start()


@pytest.mark.parametrize("strike", [Server.restart, crash], ids=["restart", "crash"])
def test_a_server_that_goes_and_comes_back_loses_nothing(
    anvil_world: EscrowWorld, server: Server, strike: Callable[[Server], None]
) -> None:
    world = anvil_world
    troubles: list[EscrowError] = []
    with Store.open(server.create_database(), busy_seconds=2) as store:
        with running(mirror_of(world, store), troubles):
            world.confirmed()
            await_head(world, store)
            strike(server)
            world.everything()
            await_head(world, store)
        assert {type(trouble) for trouble in troubles} <= {StoreUnavailable, Deposed}
        assert_mirrors(world, store)
        assert news(store) == news_on_chain(world)


def test_of_two_that_lose_the_server_one_goes_on(anvil_world: EscrowWorld, server: Server) -> None:
    world = anvil_world
    one, other = list[EscrowError](), list[EscrowError]()
    url = server.create_database()
    with Store.open(url, busy_seconds=2) as store, Store.open(url, busy_seconds=2) as second:
        with running(mirror_of(world, store), one), running(mirror_of(world, second), other):
            world.confirmed()
            await_head(world, store)
            crash(server)
            world.disputed()
            await_head(world, store)
        assert StandingBy in {type(trouble) for trouble in [*one, *other]}
        assert_mirrors(world, store)
        assert news(store) == news_on_chain(world)


def test_a_folder_of_a_server_is_left_as_it_was_found(tmp_path: Path) -> None:
    """What the other tests rely on: a server that was stopped goes on with its data."""
    with own_server(tmp_path / "own") as server:
        url = server.create_database()
        with Store.open(url) as store:
            store.migrate()
    with own_server(tmp_path / "own"), Store.open(url) as store:
        store.check_schema()


def test_a_commit_is_one_also_where_the_server_is_told_to_be_quick_about_it(server: Server) -> None:
    """An outbox that was read, and a transaction that was sent, must not be forgotten by a server that dies."""
    url = server.create_database()
    with Store.open(url) as store:
        store.migrate()
        with store.writing() as session:
            database = session.scalar(text("SELECT current_database()"))
            session.execute(text(f'ALTER DATABASE "{database}" SET synchronous_commit = off'))
    for wanted, kept in (("off", "on"), ("remote_apply", "remote_apply")):
        with Store.open(url) as store, store.writing() as session:
            session.execute(text(f'ALTER DATABASE "{database}" SET synchronous_commit = {wanted}'))
        with Store.open(url) as store, store.writing() as session:
            assert session.scalar(text("SHOW synchronous_commit")) == kept
    server.drop_database(url)
