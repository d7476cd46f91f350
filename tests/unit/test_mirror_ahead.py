"""The ranges that a mirror reads ahead: in order, each once, and none that nobody may have."""

import threading

import pytest

from kameng_escrow.chain.errors import NodeTimeout, NodeUnreachable
from kameng_escrow.mirror.ahead import MOST_AHEAD, Ahead, ChainMoved
from kameng_escrow.mirror.errors import RangeTooLarge
from kameng_escrow.mirror.fetch import Chunk
from kameng_escrow.mirror.ranges import RangeSize
from kameng_escrow.mirror.source import Header

HEAD = 100


def hash_of(number: int) -> str:
    return f"0x{number:064x}"


class Chain:
    """Remembers who asked for what, and refuses, fails or changes when told to."""

    def __init__(self, *, most: int = 1_000) -> None:
        self.asked: list[tuple[int, int]] = []
        self.threads: set[str] = set()
        self.most = most
        self.fails: dict[int, Exception] = {}
        self.fork: int | None = None  # blocks above have other hashes
        self._lock = threading.Lock()

    def fetch(self, first: int, last: int, recent_from: int) -> Chunk:
        assert recent_from == HEAD
        with self._lock:
            self.asked.append((first, last))
            self.threads.add(threading.current_thread().name)
        if (error := self.fails.pop(first, None)) is not None:
            raise error
        if last - first + 1 > self.most:
            raise RangeTooLarge(f"limited to a {self.most} range", blocks=self.most)
        return Chunk(first, last, {number: self._header(number) for number in {first, last}}, ())

    def _header(self, number: int) -> Header:
        return Header(number, self.hash(number), self.hash(number - 1), number)

    def hash(self, number: int) -> str:
        return hash_of(number + 1_000_000) if self.fork is not None and number > self.fork else hash_of(number)


def ahead_of(chain: Chain, blocks: int, *, concurrent: bool = True) -> Ahead:
    return Ahead(chain.fetch, RangeSize(blocks), concurrent=concurrent)


def read_all(ahead: Ahead, chain: Chain, first: int = 1) -> list[tuple[int, int]]:
    """Every range up to the head, as a mirror would take them."""
    found = []
    while first <= HEAD:
        chunk = ahead.take(first, HEAD, parent_hash=chain.hash(first - 1), recent_from=HEAD)
        if chunk is not None:
            found.append((chunk.first, chunk.last))
            first = chunk.last + 1
    return found


@pytest.mark.parametrize("concurrent", [True, False])
def test_every_block_is_given_once_and_in_order(concurrent: bool) -> None:
    chain = Chain()
    found = read_all(ahead_of(chain, 7, concurrent=concurrent), chain)
    assert [number for first, last in found for number in range(first, last + 1)] == list(range(1, HEAD + 1))
    assert sorted(chain.asked) == found


def test_a_source_that_bears_one_question_at_a_time_gets_one() -> None:
    chain = Chain()
    read_all(ahead_of(chain, 7, concurrent=False), chain)
    assert chain.threads == {threading.current_thread().name}


def test_the_next_range_is_on_its_way_when_one_is_given() -> None:
    chain, asked = Chain(), threading.Event()
    fetch = chain.fetch

    def notice(first: int, last: int, recent_from: int) -> Chunk:
        if first > 7:
            asked.set()
        return fetch(first, last, recent_from)

    ahead = Ahead(notice, RangeSize(7), concurrent=True)
    ahead.take(1, HEAD, parent_hash=hash_of(0), recent_from=HEAD)
    assert asked.wait(10)


def test_a_single_range_is_read_here_and_now() -> None:
    chain = Chain()
    ahead_of(chain, 64).take(HEAD - 3, HEAD, parent_hash=hash_of(HEAD - 4), recent_from=HEAD)
    assert (chain.asked, chain.threads) == ([(HEAD - 3, HEAD)], {threading.current_thread().name})


def test_a_node_that_is_far_away_is_asked_for_more_at_once() -> None:
    chain, arrived, go = Chain(), threading.Semaphore(0), threading.Event()

    def slow(first: int, last: int, recent_from: int) -> Chunk:
        if first >= 50:
            arrived.release()
            assert go.wait(10)
        else:
            threading.Event().wait(0.02)  # on its way, and not working
        return chain.fetch(first, last, recent_from)

    ahead = Ahead(slow, RangeSize(7), concurrent=True)
    for first in range(1, 50, 7):
        ahead.take(first, HEAD, parent_hash=hash_of(first - 1), recent_from=HEAD)
    for _ in range(MOST_AHEAD - 1):
        assert arrived.acquire(timeout=10)
    go.set()


def test_a_limit_that_the_node_names_is_kept() -> None:
    chain = Chain(most=5)
    found = read_all(ahead_of(chain, 50), chain)
    assert all(last - first < 5 for first, last in found)
    assert found[0] == (1, 5)


def test_a_single_block_that_is_refused_is_an_error() -> None:
    chain = Chain(most=0)
    ahead = ahead_of(chain, 1)
    with pytest.raises(RangeTooLarge):
        ahead.take(1, HEAD, parent_hash=hash_of(0), recent_from=HEAD)


def test_a_failure_is_told_when_its_range_is_due_and_then_forgotten() -> None:
    chain = Chain()
    chain.fails[8] = NodeUnreachable("http://here")
    ahead = ahead_of(chain, 7)
    assert ahead.take(1, HEAD, parent_hash=hash_of(0), recent_from=HEAD) is not None
    with pytest.raises(NodeUnreachable):
        ahead.take(8, HEAD, parent_hash=hash_of(7), recent_from=HEAD)
    assert read_all(ahead, chain, 8)[-1][1] == HEAD


def test_a_node_that_took_too_long_is_asked_for_less() -> None:
    chain = Chain()
    chain.fails[1] = NodeTimeout("http://here")
    ahead = ahead_of(chain, 8)
    with pytest.raises(NodeTimeout):
        ahead.take(1, HEAD, parent_hash=hash_of(0), recent_from=HEAD)
    chunk = ahead.take(1, HEAD, parent_hash=hash_of(0), recent_from=HEAD)
    assert chunk is not None
    assert chunk.last == 4


def test_a_chain_that_moved_meanwhile_is_noticed_and_read_again() -> None:
    chain = Chain()
    ahead = ahead_of(chain, 7)
    ahead.take(1, HEAD, parent_hash=hash_of(0), recent_from=HEAD)
    chain.fork = 3
    with pytest.raises(ChainMoved):
        read_on(ahead)  # what was read before still fits
    assert read_all(ahead, chain, 4)[-1][1] == HEAD


def read_on(ahead: Ahead) -> None:
    for first in (8, 15, 22):
        ahead.take(first, HEAD, parent_hash=hash_of(first - 1), recent_from=HEAD)


def test_whoever_goes_on_elsewhere_gets_what_is_there() -> None:
    chain = Chain()
    ahead = ahead_of(chain, 7)
    ahead.take(1, HEAD, parent_hash=hash_of(0), recent_from=HEAD)
    chunk = ahead.take(50, HEAD, parent_hash=hash_of(49), recent_from=HEAD)
    assert chunk is not None
    assert chunk.first == 50
