"""How often a mirror asks a node that wants less of it."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.mirror.limiter import MOST_AT_ONCE, Limiter, Resting


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def limiter(self) -> Limiter:
        return Limiter(clock=lambda: self.now, sleep=self.sleep)


def test_waits_as_long_as_the_node_says() -> None:
    clock = Clock()
    limiter = clock.limiter()
    assert limiter.refused(7.0) == 7.0
    with limiter.turn():
        pass
    assert clock.slept == [7.0]
    with limiter.turn():
        pass
    assert clock.slept == [7.0]


def test_nobody_waits_in_vain() -> None:
    """A rest that takes longer than whoever asks would wait is told of at once."""
    clock = Clock()
    limiter = clock.limiter()
    limiter.refused(86_400.0)
    with pytest.raises(Resting) as caught, limiter.turn(30.0):
        pass
    assert (caught.value.seconds, clock.slept) == (86_400.0, [])
    clock.now += 86_380.0
    with limiter.turn(30.0):
        pass
    assert clock.slept == [20.0]


def test_waits_longer_each_time_where_the_node_does_not_say() -> None:
    limiter = Clock().limiter()
    assert [limiter.refused() for _ in range(8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    limiter.answered()
    assert limiter.refused() == 0.5


def test_a_rest_that_makes_no_sense_is_not_taken() -> None:
    limiter = Clock().limiter()
    for nonsense in (-1.0, float("inf"), float("nan")):
        limiter.answered()
        assert limiter.refused(nonsense) == 0.5


@given(st.lists(st.booleans(), max_size=200))
def test_asks_as_much_as_goes_well_and_never_nothing(answers: list[bool]) -> None:
    limiter = Clock().limiter()
    for well in answers:
        before = limiter.at_once
        if well:
            limiter.answered()
            assert before <= limiter.at_once <= before + 1
        else:
            limiter.refused()
            assert limiter.at_once == max(1.0, before / 2)
        assert 1 <= limiter.at_once <= MOST_AT_ONCE


def test_no_more_than_so_many_ask_at_once() -> None:
    limiter = Clock().limiter()
    for _ in range(5):
        limiter.refused(0.0)
    inside, most, lock = 0, 0, threading.Lock()

    def ask() -> None:
        nonlocal inside, most
        for _ in range(200):
            with limiter.turn():
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
