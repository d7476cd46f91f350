"""Requests are counted by sliding minutes: refused past the limit, and let through again when it says."""

import pytest

from kameng_escrow.service.callers import Caller
from kameng_escrow.service.errors import TooMany
from kameng_escrow.service.limits import Limits
from kameng_escrow.service.parts import ServiceConfig

CONFIG = ServiceConfig(public_url="https://escrow.example", rate_limit=4, rate_limit_anonymous=2)


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def allowed(limits: Limits, who: str = "a", per_minute: int = 10) -> int:
    """How many go through at once."""
    for number in range(1_000):
        try:
            limits.count("route", who, per_minute)
        except TooMany:
            return number
    raise AssertionError("nothing was refused")


def refusal(limits: Limits, who: str = "a", per_minute: int = 10) -> int:
    """The seconds that somebody is told to wait."""
    with pytest.raises(TooMany) as caught:
        limits.count("route", who, per_minute)
    return caught.value.retry_after


@pytest.mark.parametrize("begin", [0.0, 59.9, 600.0, 1_234.5])
def test_nobody_gets_more_than_the_limit_and_a_window_s_edge_is_no_way_around_it(begin: float) -> None:
    clock = Clock(begin)
    limits = Limits(CONFIG, clock)
    assert allowed(limits) == 10
    clock.now += 1.0
    assert allowed(limits) <= 1
    clock.now = begin + 120.0
    assert allowed(limits) == 10


@pytest.mark.parametrize("passed", [0.0, 0.5, 17.0, 30.0, 59.0, 59.999])
@pytest.mark.parametrize("per_minute", [1, 2, 7, 10, 1_000 - 1])
def test_who_comes_back_when_told_is_let_through(passed: float, per_minute: int) -> None:
    clock = Clock(60.0 + passed)
    limits = Limits(CONFIG, clock)
    assert allowed(limits, per_minute=per_minute) == per_minute
    for _ in range(5):
        wait = refusal(limits, per_minute=per_minute)
        assert 1 <= wait <= 120
        clock.now += wait
        assert allowed(limits, per_minute=per_minute) >= 1


def test_what_is_refused_does_not_count() -> None:
    clock = Clock(60.0)
    limits = Limits(CONFIG, clock)
    allowed(limits)
    for _ in range(500):
        refusal(limits)
    clock.now += 90.0  # half of the ten still weigh
    assert allowed(limits) == 5


def test_everybody_and_everything_has_a_count_of_its_own() -> None:
    limits = Limits(CONFIG, Clock(60.0))
    assert [allowed(limits, who) for who in ("a", "b")] == [10, 10]
    limits.count("other", "a", 1)
    for address, account, limit in (("1", None, 2), ("2", None, 2), ("1", "0xA", 4), ("1", "0xB", 4)):
        for _ in range(limit):
            limits.count_caller(Caller(account=account, address=address))
        with pytest.raises(TooMany):
            limits.count_caller(Caller(account=account, address=address))


def test_who_is_gone_takes_no_room() -> None:
    clock = Clock(60.0)
    limits = Limits(CONFIG, clock)
    for number in range(1_000):
        limits.count("route", str(number), 10)
    assert len(limits._counts) == 1_000
    clock.now += 120.0
    limits.count("route", "again", 10)
    assert len(limits._counts) == 1
