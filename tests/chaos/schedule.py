"""What goes wrong when: drawn from a seed, all of it before anything begins.

Only what is done to the machinery is drawn. How it falls in with what the processes are at in that moment is not: they
run on a machine with others, and two runs of one schedule are alike, not equal.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from kameng_escrow.mirror import WINDOW

T = TypeVar("T")


class Trouble(Enum):
    """What a node's line does to what is asked over it."""

    Silence = "silence"  # no answer before the asker has had enough
    HangUp = "hang_up"
    TooMany = "too_many"  # 429
    RestSeconds = "rest_seconds"  # 429, with Retry-After in seconds
    RestDate = "rest_date"  # likewise, as a date
    TooManyCalls = "too_many_calls"  # the same as a JSON-RPC error
    ServerError = "server_error"  # 500, 502, 503 or 504
    Truncated = "truncated"  # half the JSON, and nothing looks wrong with it from outside
    Broken = "broken"  # half the body, and the line goes dead
    Nonsense = "nonsense"  # JSON-RPC with a result that none can be
    WrongChain = "wrong_chain"  # another chain answers
    Stale = "stale"  # a node that has come no further than some blocks ago
    MissingLogs = "missing_logs"  # blocks near the head come without their logs
    RepeatedLogs = "repeated_logs"
    RangeLimit = "range_limit"  # eth_getLogs refused, in somebody's words


class Blow(Enum):
    """What is done to processes, their machine and their chain."""

    KillMirror = "kill_mirror"
    KillKeeper = "kill_keeper"
    Reorg = "reorg"
    Clock = "clock"  # the machine's is set
    NoPages = "no_pages"  # SQLite: its file may not grow
    NoSpace = "no_space"  # the system lets no file of these processes grow: a short write, then none
    RestartServer = "restart_server"  # PostgreSQL, as an administrator does
    KillServer = "kill_server"  # as a failing machine does
    FillServer = "fill_server"  # it can't write its log any more, and ends


class Rewriting(Enum):
    """What a reorg makes of the blocks that it undoes."""

    Empty = "empty"  # as many others without any transaction
    Repacked = "repacked"  # the same transactions in other blocks
    Shorter = "shorter"  # nothing: the chain is shorter, and grows again


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """A line that misbehaves for a while."""

    at: float  # seconds since the beginning
    seconds: float
    line: int
    trouble: Trouble
    share: float  # of the answers that are spoiled
    number: int  # blocks that a stale node is behind; which dialect; and the like


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """Something that happens to the machinery."""

    at: float
    blow: Blow
    seconds: float = 0.0  # full disks: for how long
    number: int = 0  # Reorg: blocks; Clock: seconds that it is off from now on; KillMirror, KillKeeper: which process
    rewriting: Rewriting = Rewriting.Empty


Event = LineFault | Strike


def draw(seed: int, seconds: float, *, postgresql: bool, lines: int = 2) -> tuple[Event, ...]:
    """Everything that is to go wrong in so many seconds, in order."""
    dice = random.Random(f"{seed}/{'postgresql' if postgresql else 'sqlite'}/{seconds:g}")
    events: list[Event] = []
    for line in range(lines):
        events += _faults_of_line(dice, seconds, line)
    events += _kills(dice, seconds)
    events += _reorgs(dice, seconds)
    events += _clocks(dice, seconds)
    events += _store_faults(dice, seconds, postgresql)
    return tuple(sorted(events, key=lambda event: event.at))


def _faults_of_line(dice: random.Random, seconds: float, line: int) -> Iterator[LineFault]:
    """The first line is bad for most of the time, the others for less. All kinds come up before one comes again."""
    calm = (0.2, 1.2) if line == 0 else (1.5, 4.0)
    kinds = _dealt(dice, list(Trouble))
    at = dice.uniform(*calm)
    while at < seconds:
        trouble = next(kinds)
        lasts = min(dice.uniform(0.4, 2.5), seconds - at)
        # What is asked in one look is a dozen questions or more: with every answer spoiled nothing else would be met.
        share = 1.0 if trouble in (Trouble.WrongChain, Trouble.Stale) else dice.choice((0.15, 0.4, 1.0))
        yield LineFault(at=at, seconds=lasts, line=line, trouble=trouble, share=share, number=dice.randint(1, 60))
        at += lasts + dice.uniform(*calm)


def _kills(dice: random.Random, seconds: float) -> Iterator[Strike]:
    blows = _dealt(dice, [Blow.KillMirror, Blow.KillKeeper])
    at = dice.uniform(1, 3)
    while at < seconds:
        yield Strike(at=at, blow=next(blows), number=dice.randint(0, 1))
        at += dice.uniform(1.0, 4.0)


def _reorgs(dice: random.Random, seconds: float) -> Iterator[Strike]:
    """Mostly shallow ones, and every so often one of the whole window."""
    rewritings = _dealt(dice, list(Rewriting))
    at = dice.uniform(1, 4)
    while at < seconds:
        depth = WINDOW if dice.random() < 0.15 else round(2 ** dice.uniform(0, 6.5))
        yield Strike(at=at, blow=Blow.Reorg, number=depth, rewriting=next(rewritings))
        at += dice.uniform(1.5, 5.0)


def _clocks(dice: random.Random, seconds: float) -> Iterator[Strike]:
    at = dice.uniform(2, 6)
    while at < seconds:
        off = round(dice.choice((-1, 1)) * 10 ** dice.uniform(0, 5.3))  # from a second to more than two days
        yield Strike(at=at, blow=Blow.Clock, number=off)
        at += dice.uniform(3.0, 8.0)


def _store_faults(dice: random.Random, seconds: float, postgresql: bool) -> Iterator[Strike]:
    ours = [Blow.RestartServer, Blow.KillServer, Blow.FillServer] if postgresql else [Blow.NoPages, Blow.NoSpace]
    blows = _dealt(dice, ours)
    at = dice.uniform(3, 6)
    while at < seconds:
        lasts = min(dice.uniform(0.5, 2.5), seconds - at)
        yield Strike(at=at, blow=next(blows), seconds=lasts, number=dice.randint(0, 9_000))
        # A server takes some seconds to come back; in between there has to be something that it can be taken from.
        at += lasts + (dice.uniform(7.0, 14.0) if postgresql else dice.uniform(3.0, 8.0))


def _dealt(dice: random.Random, cards: Sequence[T]) -> Iterator[T]:
    """The cards in random order, again and again: each comes before any comes a second time."""
    while True:
        yield from dice.sample(cards, len(cards))


def fates(seed: int, name: str) -> Iterator[str]:
    """At which point of its work a process of that name kills itself, one for each time that it is started.

    The points are those of `killed_mirror` and `killed_keeper`; every other process lives until somebody else kills it.
    """
    dice = random.Random(f"{seed}/{name}")
    kinds = ["statement", "commit", "committed"] + (["sending", "sent"] if name.startswith("keeper") else [])
    while True:
        kind = dice.choice(kinds)
        yield f"{kind}:{dice.randint(1, 400 if kind == 'statement' else 12)}" if dice.random() < 0.5 else "never"
