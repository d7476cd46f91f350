"""Which windows, bonds and fees would have served better: from a platform's own history, by replaying it.

The history is drawn anew with replacement for every replay and fitted each time, so that what few orders leave open
shows in the intervals. In each replay every candidate meets the same people with the same luck.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.policy_check import check_policy
from kameng_escrow.domain.policy_warnings import PolicyWarning
from kameng_escrow.domain.states import State

from .candidates import Change, changes_of
from .errors import NoHistory
from .fitting import Fit, fit
from .parameters import Parameters
from .replays import Interval, Measures, compared, measure, replay

ENOUGH = 60  # orders that have ended: with fewer, the parameters weigh as much as the history
REPLAYS = 12
ORDERS = 150  # in each replay
_SOON, _LATER, _LATE = 30, 90, 180  # days until the next review
_FIELDS = 4  # that are usually tried together, for the progress alone
_HISTORY = 2_000  # the latest orders that are looked at: people change

Progress = Callable[[int, int], None]  # replays done, replays in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What some changes would do: by how much each measure differs from now."""

    changes: tuple[Change, ...]
    differences: dict[str, Interval]  # by the name of the measure

    @property
    def better(self) -> bool:
        """Whether it surely costs less."""
        return self.differences["cost_fen"].high < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What the history of one category, or of one policy, speaks for."""

    group: str  # the category, or the policy's id
    policy: Policy  # as it is
    price_fen: int  # of the median order
    orders: int  # that were looked at
    fit: Fit  # of the history as it was
    now: Measures  # as the replays have it, on average
    tried: tuple[Effect, ...]  # single changes, the best first
    advised: Policy  # the same as `policy` where nothing is surely better
    effect: Effect | None  # of all advised changes together; None: nothing is advised
    warnings: tuple[PolicyWarning, ...]  # that the advised policy would bring
    replays: int
    seed: int

    @property
    def enough(self) -> bool:
        """Whether the history says more than the parameters do."""
        return self.orders >= ENOUGH

    @property
    def review_days(self) -> int:
        """When to look again: sooner where little is known, or much changes."""
        if not self.enough:
            return _SOON
        return _LATER if self.effect is not None else _LATE


def advise(
    history: Sequence[Order],
    policy: Policy,
    priors: Parameters,
    *,
    group: str,
    price_fen: int,
    instant: bool = True,
    replays: int = REPLAYS,
    orders: int = ORDERS,
    seed: int = 1,
    progress: Progress | None = None,
) -> Advice:
    """Replays the history under every candidate.

    Args:
        history: the group's orders; those that have not ended are left out.
        policy: under which they were opened.
        priors: what is taken to be of what the history does not show.
        price_fen: what its median order costs, in fen (1/100 yuan).
        instant: whether the goods are in stock; the policy checker asks.
        replays: how often; more make the intervals narrower.
        orders: in each replay.

    Raises:
        NoHistory: no order has ended.
    """
    ended = [one for one in history if one.state is State.Closed and one.terms is not None][-_HISTORY:]
    if not ended:
        raise NoHistory(group)
    table = _Table(ended, policy, priors, price_fen, replays, orders, seed)
    candidates = list(changes_of(policy, price_fen, instant=instant))
    total = replays * (len(candidates) + 1 + _FIELDS)
    told = table.telling(progress, total)
    before = table.measures(policy, told)
    tried = [
        Effect(changes=(change,), differences=compared(before, table.measures(change.applied(policy), told), seed))
        for change in candidates
    ]
    tried.sort(key=lambda one: one.differences["cost_fen"].mean)
    effect = _together(table, policy, before, tried, seed, told)
    advised = _applied(policy, effect.changes) if effect is not None else policy
    if progress is not None:
        progress(total, total)
    return Advice(
        group=group,
        policy=policy,
        price_fen=price_fen,
        orders=len(ended),
        fit=table.whole,
        now=_average(before),
        tried=tuple(tried),
        advised=advised,
        effect=effect,
        warnings=tuple(check_policy(advised, price_fen, instant=instant)) if effect is not None else (),
        replays=replays,
        seed=seed,
    )


class _Table:
    """Replays of one history: fitted once each, measured once for each policy."""

    def __init__(
        self,
        history: Sequence[Order],
        policy: Policy,
        priors: Parameters,
        price_fen: int,
        replays: int,
        orders: int,
        seed: int,
    ) -> None:
        self._orders, self._seed, self._weights = orders, seed, priors.advice
        self.whole = fit(history, policy, priors, price_fen=price_fen)
        self._worlds: list[Parameters] = []
        for number in range(replays):
            luck = random.Random(f"{seed} {number}")
            drawn = luck.choices(history, k=len(history))
            self._worlds.append(fit(drawn, policy, priors, price_fen=price_fen).parameters)

    def measures(self, policy: Policy, told: Iterator[None]) -> list[Measures]:
        """Of every replay under the policy."""
        found = []
        for number, world in enumerate(self._worlds):
            market = replay(world, policy, orders=self._orders, seed=self._seed + number)
            found.append(measure(market, self._weights))
            next(told)
        return found

    @staticmethod
    def telling(progress: Progress | None, total: int) -> Iterator[None]:
        """Tells how many replays are done, each time that one is."""
        done = 0
        while True:
            done += 1
            if progress is not None:
                progress(min(done, total), total)
            yield


def _together(
    table: _Table,
    policy: Policy,
    before: Sequence[Measures],
    tried: Sequence[Effect],
    seed: int,
    told: Iterator[None],
) -> Effect | None:
    """The best change, and of the others those that surely cost less when it is made already: what one change mends,
    another need not mend again."""
    best: dict[str, Effect] = {}
    for effect in tried:
        if effect.better:
            best.setdefault(effect.changes[0].field, effect)
    if not best:
        return None
    first, *others = best.values()
    changes = first.changes
    current = table.measures(_applied(policy, changes), told)
    for other in others:
        more = table.measures(_applied(policy, (*changes, *other.changes)), told)
        if compared(current, more, seed)["cost_fen"].high < 0:
            changes, current = (*changes, *other.changes), more
    return Effect(changes=changes, differences=compared(before, current, seed))


def _applied(policy: Policy, changes: Sequence[Change]) -> Policy:
    for change in changes:
        policy = change.applied(policy)
    return policy


def _average(several: Sequence[Measures]) -> Measures:
    names = Measures.__dataclass_fields__
    first = several[0]
    return replace(first, **{name: sum(getattr(one, name) for one in several) / len(several) for name in names})
