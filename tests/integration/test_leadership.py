"""One process at a time holds a place, the next has it as soon as that one is gone, and a late one writes nothing."""

import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from kameng_escrow.store import Deposed, Leadership, Store, StoreUnavailable
from kameng_escrow.store.models import ChainRow
from tests.postgres import own_server

SCRIPT = Path(__file__).with_name("led.py")
PATIENCE = 30.0  # seconds that a busy machine may take for what takes a moment


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A store with nothing in it but the schema, on each database in turn."""
    with Store.open(store_url) as store:
        store.migrate()
        yield store


@contextmanager
def leading_process(url: str, role: str = "mirror", scope: str = "1:0xAA") -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the place, or is about to."""
    command = [sys.executable, str(SCRIPT), url, role, scope]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def heard(process: "subprocess.Popen[str]") -> str:
    """The next line it says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: "subprocess.Popen[str]") -> str:
    """Has it write under its term; what came of it."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return heard(process)


def add_chain(store: Store, chain_id: int) -> None:
    with store.writing() as session:
        session.add(ChainRow(chain_id=chain_id, genesis_hash="0x" + "00" * 32))


def test_one_holds_a_place_and_the_next_gets_it_back_with_a_higher_number(store: Store) -> None:
    with Leadership(store, "mirror", "1:0xAA") as first, Leadership(store, "mirror", "1:0xAA") as second:
        term = first.take()
        assert term is not None
        assert first.take() is term
        assert second.take() is None
        assert second.leader() == term
        first.release()
        later = second.take()
        assert later is not None
        assert (term.number, later.number) == (1, 2)
        assert first.take() is None


def test_places_do_not_stand_in_each_others_way(store: Store) -> None:
    places = [("mirror", "1:0xAA"), ("mirror", "1:0xBB"), ("mirror", "2:0xAA"), ("keeper", "1:0xAA")]
    held = [Leadership(store, role, scope) for role, scope in places]
    try:
        assert [leadership.take() is not None for leadership in held] == [True] * 4
    finally:
        for leadership in held:
            leadership.release()


def test_nobody_leads_a_place_that_nobody_took(store: Store) -> None:
    assert Leadership(store, "mirror", "1:0xAA").leader() is None


@pytest.mark.parametrize(("role", "scope"), [("", "1"), ("Mirror", "1"), ("mirror", ""), ("mirror", "x" * 129)])
def test_what_names_no_place_is_refused(store: Store, role: str, scope: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        Leadership(store, role, scope)


def test_a_term_that_is_over_writes_nothing(store: Store) -> None:
    with Leadership(store, "mirror", "1:0xAA") as first, Leadership(store, "mirror", "1:0xAA") as second:
        term = first.take()
        assert term is not None
        first.release()
        assert second.take() is not None
        with pytest.raises(Deposed) as caught:
            add_chain(store.under(term), 7)
        assert (caught.value.number, caught.value.current) == (1, 2)
    with store.reading() as session:
        assert session.get(ChainRow, 7) is None


def test_a_term_writes_while_it_lasts(store: Store) -> None:
    with Leadership(store, "mirror", "1:0xAA") as leadership:
        term = leadership.take()
        assert term is not None
        add_chain(store.under(term), 7)
    with store.reading() as session:
        assert session.get(ChainRow, 7) is not None


def test_a_new_term_waits_for_the_last_transaction_of_the_old_one(store: Store) -> None:
    """Otherwise the old one could pass its check, sleep, and write into the new one's rows."""
    first, second = Leadership(store, "mirror", "1:0xAA"), Leadership(store, "mirror", "1:0xAA")
    term = first.take()
    assert term is not None
    inside, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def write_slowly() -> None:
        with store.under(term).writing() as session:
            session.add(ChainRow(chain_id=7, genesis_hash="0x" + "00" * 32))
            inside.set()
            assert go_on.wait(PATIENCE)
            done.append("written")

    def take_over() -> None:
        assert second.wait(threading.Event(), poll_seconds=0.01) is not None
        done.append("taken")

    writing = threading.Thread(target=write_slowly)
    writing.start()
    assert inside.wait(PATIENCE)
    first.release()
    taking = threading.Thread(target=take_over)
    taking.start()
    go_on.set()
    writing.join()
    taking.join()
    second.release()
    assert done == ["written", "taken"]


def test_a_killed_leader_is_followed_within_seconds(store: Store, store_url: str) -> None:
    with leading_process(store_url) as process, Leadership(store, "mirror", "1:0xAA") as candidate:
        assert heard(process) == "took 1"
        assert candidate.take() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        began = time.monotonic()
        term = candidate.wait(threading.Event(), poll_seconds=0.05)
        assert term is not None
        assert term.number == 2
        assert time.monotonic() - began < PATIENCE  # a lease that only time ends would do as well as none


def test_candidates_queue_and_each_leads_once(store: Store, store_url: str) -> None:
    with leading_process(store_url) as one, leading_process(store_url) as two, leading_process(store_url) as three:
        waiting = {process.stdout: process for process in (one, two, three)}
        said = []
        while waiting:
            [speaking, *more], _, _ = select.select(list(waiting), [], [], PATIENCE)
            assert more == []
            leading = waiting.pop(speaking)
            said.append(heard(leading))
            leading.kill()
            leading.wait()
        assert said == ["took 1", "took 2", "took 3"]


def test_waiting_ends_when_told_to(store: Store) -> None:
    stop = threading.Event()
    with Leadership(store, "mirror", "1:0xAA") as leader, Leadership(store, "mirror", "1:0xAA") as candidate:
        assert leader.take() is not None
        threading.Timer(0.1, stop.set).start()
        assert candidate.wait(stop, poll_seconds=0.01) is None


def test_memory_has_places_too() -> None:
    with Store.open("sqlite://") as store, Store.open("sqlite://") as other:
        store.migrate()
        other.migrate()
        first, second = Leadership(store, "mirror", "1:0xAA"), Leadership(store, "mirror", "1:0xAA")
        assert first.take() is not None
        assert second.take() is None
        elsewhere = Leadership(other, "mirror", "1:0xAA")
        assert elsewhere.take() is not None
        first.release()
        assert second.take() is not None
        second.release()
        elsewhere.release()


def test_a_lock_that_can_not_be_made_is_told_of(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "store.sqlite")) as store:
        store.migrate()
        leadership = Leadership(store, "mirror", "1:0xAA")
        with leadership:
            assert leadership.take() is not None
        [lock] = tmp_path.glob("*.lock")
        lock.unlink()
        lock.mkdir()
        with pytest.raises(StoreUnavailable, match=lock.name):
            leadership.take()


# ------------------------------------------------------------------------------------------------- only a server can


def test_a_leader_that_is_stopped_but_not_dead_loses_its_place_and_writes_nothing(postgres_url: str) -> None:
    with Store.open(postgres_url) as store, leading_process(postgres_url) as process:
        store.migrate()
        assert heard(process) == "took 1"
        assert tell(process) == "wrote"
        process.send_signal(signal.SIGSTOP)
        with Leadership(store, "mirror", "1:0xAA", stale_seconds=1.0) as candidate:
            assert candidate.take() is None
            assert candidate.wait(threading.Event(), poll_seconds=0.1) is not None
            process.send_signal(signal.SIGCONT)
            assert tell(process) == "deposed"


def test_a_live_leader_is_never_taken_for_a_silent_one(postgres_url: str) -> None:
    with Store.open(postgres_url) as store:
        store.migrate()
        with (
            Leadership(store, "mirror", "1:0xAA", beat_seconds=0.1) as leader,
            Leadership(store, "mirror", "1:0xAA", stale_seconds=5.0) as candidate,
        ):
            assert leader.take() is not None
            ends = time.monotonic() + 2
            while time.monotonic() < ends:
                assert candidate.take() is None
            assert leader.term is not None


def test_a_leader_whose_session_is_ended_knows_it(postgres_url: str) -> None:
    with Store.open(postgres_url) as store:
        store.migrate()
        with Leadership(store, "mirror", "1:0xAA", beat_seconds=0.05) as leader:
            assert leader.take() is not None
            with store.engine.connect() as connection:
                connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"),
                    {"name": "kameng leader"},
                )
            ends = time.monotonic() + PATIENCE
            while leader.term is not None:
                assert time.monotonic() < ends
            later = leader.take()
            assert later is not None
            assert later.number == 2


def test_a_server_that_restarts_gives_the_place_to_one(tmp_path: Path) -> None:
    with own_server(tmp_path / "server") as server:
        url = server.create_database()
        with Store.open(url) as store:
            store.migrate()
            leaders = [Leadership(store, "mirror", "1:0xAA", beat_seconds=0.05) for _ in range(3)]
            assert [leader.take() is not None for leader in leaders] == [True, False, False]
            server.stop()
            with pytest.raises(StoreUnavailable):
                leaders[1].take()
            ends = time.monotonic() + PATIENCE
            while leaders[0].term is not None:
                assert time.monotonic() < ends
            server.start()
            terms = [term for leader in leaders if (term := leader.take()) is not None]
            assert [term.number for term in terms] == [2]
            for leader in leaders:
                leader.release()
