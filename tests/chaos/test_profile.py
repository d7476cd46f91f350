"""Two minutes of everything that can go wrong, a minute on each database: `make chaos` for as long as you like."""

import os
import random
from itertools import pairwise
from pathlib import Path

import pytest

from kameng_escrow.mirror.dialects import DIALECTS, Dialect, TooLarge, understand

from .lines import words_of
from .run import Chaos, results_of
from .schedule import Blow, LineFault, Strike, Trouble, draw, fates

SECONDS = 25.0  # of things going wrong; then everything has to come to its end
SEED = "CHAOS_SEED"  # in the environment: of a run to be repeated


@pytest.mark.parametrize("postgresql", [False, True], ids=["sqlite", "postgresql"])
def test_whatever_goes_wrong_all_is_as_the_chain_has_it(tmp_path: Path, postgresql: bool) -> None:
    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(10**9))
    outcome = Chaos(tmp_path, postgresql=postgresql, seed=seed, seconds=SECONDS).run()
    said = f"{SEED}={seed} draws the same schedule"
    assert not outcome.unforeseen, said
    assert {kind: words for kind, words in outcome.verdict.found.items() if words} == {}, said
    results = results_of({"this": outcome}, seed)
    for what in ("faults", "kills", "reorgs", "orders", "intents"):
        assert results[what] > 0, f"no {what}: {said}"


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.who)
def test_a_limit_is_told_in_the_words_of_whoever_has_it(dialect: Dialect) -> None:
    match understand(words_of(dialect, first=100, most=40), -32_602):
        case TooLarge(blocks):
            assert blocks in (None, 40, 3_000)  # Ankr has one limit, and does not tell it
        case other:
            raise AssertionError(other)


def test_a_seed_draws_one_schedule() -> None:
    assert draw(7, 60, postgresql=True) == draw(7, 60, postgresql=True)
    assert draw(7, 60, postgresql=True) != draw(8, 60, postgresql=True)
    assert draw(7, 60, postgresql=True) != draw(7, 60, postgresql=False)
    first, again, other = fates(7, "keeper-1"), fates(7, "keeper-1"), fates(7, "keeper-2")
    drawn = [next(first) for _ in range(50)]
    assert drawn == [next(again) for _ in range(50)]
    assert drawn != [next(other) for _ in range(50)]


@pytest.mark.parametrize("postgresql", [False, True], ids=["sqlite", "postgresql"])
def test_a_long_schedule_has_everything(postgresql: bool) -> None:
    events = draw(1, 600, postgresql=postgresql)
    assert {event.trouble for event in events if isinstance(event, LineFault)} == set(Trouble)
    elsewhere = {Blow.NoPages, Blow.NoSpace} if postgresql else {Blow.RestartServer, Blow.KillServer, Blow.FillServer}
    assert {event.blow for event in events if isinstance(event, Strike)} == set(Blow) - elsewhere
    assert [event.at for event in events] == sorted(event.at for event in events)
    for line in range(2):  # one trouble after the other on each line
        faults = [event for event in events if isinstance(event, LineFault) and event.line == line]
        assert all(one.at + one.seconds <= other.at for one, other in pairwise(faults))
