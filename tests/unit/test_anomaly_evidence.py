"""The statistics that detectors decide by, against independent reckonings."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kameng_escrow.risk.anomalies.bounded import Bounded
from kameng_escrow.risk.anomalies.evidence import Rise, Share, binomial_tail, count_tail, keep, share_tail


@pytest.mark.parametrize(("count", "mean", "shape"), [(1, 0.5, 4.0), (8, 2.0, 4.0), (40, 10.0, 2.0)])
def test_count_tail_is_that_of_the_negative_binomial(count: int, mean: float, shape: float) -> None:
    assert count_tail(count, mean, shape) == pytest.approx(
        stats.nbinom.sf(count - 1, shape, shape / (shape + mean)), rel=1e-9
    )


@pytest.mark.parametrize(("hits", "trials", "mean"), [(0, 5, 0.1), (4, 4, 0.05), (7, 20, 0.2), (20, 20, 0.5)])
def test_share_tail_is_that_of_the_beta_binomial(hits: int, trials: int, mean: float) -> None:
    expected = stats.betabinom.sf(hits - 1, trials, 30 * mean, 30 * (1 - mean))
    assert share_tail(hits, trials, mean, 30.0) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("hits", "trials", "probability"), [(0, 5, 0.1), (5, 5, 0.1), (3, 20, 0.05)])
def test_binomial_tail(hits: int, trials: int, probability: float) -> None:
    assert binomial_tail(hits, trials, probability) == pytest.approx(
        stats.binom.sf(hits - 1, trials, probability), rel=1e-9
    )


def test_a_rise_keeps_its_promise_about_false_alarms() -> None:
    """At the very edge of what is allowed, at least `threshold` trials go by in the mean before it is reached."""
    draw, threshold, waits = random.Random(5), 60.0, []
    for _ in range(120):
        rise, trials = Rise(), 0
        while trials < 2_000:
            trials += 1
            if rise.learn(draw.random() < 0.2, 0.2, trials, "0x") >= threshold:
                break
        waits.append(trials)
    assert sum(waits) / len(waits) >= threshold


def test_a_rise_tells_when_it_began_and_what_it_consists_of() -> None:
    rise = Rise()
    for at in range(100):
        rise.learn(False, 0.1, at, f"good {at}")
    for at in range(100, 110):
        rise.learn(True, 0.1, at, f"bad {at}")
    assert rise.level() > 20_000
    assert (rise.since, rise.hits, rise.trials) == (100, 10, 10)
    assert rise.orders == [f"bad {at}" for at in range(100, 110)]
    rise.restart()
    assert (rise.level(), rise.trials, rise.orders) == (0, 0, [])


def test_two_rises_made_from_one_state_are_two() -> None:
    state = Rise().dump()
    first, second = Rise.restore(state), Rise.restore(Rise.restore(state).dump())
    first.learn(True, 0.1, 1, "0x")
    assert second.level() == 0


def test_what_is_old_weighs_half_after_a_half_life() -> None:
    share = Share()
    for _ in range(8):
        share.learn(True, 1_000, 500)
    share.age(1_500, 500)
    assert (share.hits, share.misses) == (4, 0)
    assert share.expected(0.5, 4.0)[0] == pytest.approx((4 + 2) / 8)


@given(st.lists(st.integers(0, 30), max_size=200), st.integers(1, 8))
def test_bounded_memory_forgets_what_was_used_longest_ago(keys: list[int], most: int) -> None:
    memory = Bounded(most, Share)
    for key in keys:
        memory.at(str(key)).hits += 1
    recent = list(dict.fromkeys(reversed(keys)))[:most]
    assert sorted(memory) == sorted(map(str, recent))
    again = Bounded(most, Share)
    again.load(memory.dump())
    assert again.dump() == memory.dump()


def test_keep_has_each_once_and_not_too_many() -> None:
    items: list[str] = []
    for item in "abcab":
        keep(items, item, 2)
    assert items == ["a", "b"]
