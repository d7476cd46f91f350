"""Mediators whose rulings go to one side more often than can be expected.

What to expect is what the platform's other mediators do, give or take what chance and other cases explain; where there
are none, anything between a quarter and three quarters. Beyond that, each side's share is watched by a sequential test
(`evidence.Rise`): however long it goes on, at least so many rulings go by in the mean before a false alarm. A mediator
may also be fair to all sellers but one: then the other sellers before the same mediator are what to expect.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from kameng_escrow.domain.events import OrderRuled

from .alarms import Finding, Kind, Role, Severity
from .bounded import Bounded
from .evidence import Rise, Share
from .steps import Step

LEAST: Final = 8  # rulings, below which nothing is said
RULINGS: Final = 500  # that go by in the mean before a false alarm, for one mediator and one side
RULINGS_OF_PAIR: Final = 5_000  # likewise, for one mediator and one seller: there are many pairs
ALONE: Final = (0.25, 0.75)  # the share of the buyers' that passes where there is nothing to compare with
ENOUGH: Final = 20  # rulings of others that make something to compare with
ROOM: Final = 0.10  # besides chance, since mediators see other cases
HALF_LIFE: Final = 180 * 24 * 3_600
BUYER, SELLER = "buyer", "seller"


@dataclass(slots=True)
class _Mediator:
    buyer: list[object] = field(default_factory=Rise().dump)  # a rise of rulings for buyers, written down
    seller: list[object] = field(default_factory=Rise().dump)
    hits: float = 0.0  # rulings for the buyer, older ones weighing less
    misses: float = 0.0
    at: int = 0
    rulings: int = 0


@dataclass(slots=True)
class _Pair:
    rise: list[object] = field(default_factory=Rise().dump)
    rulings: int = 0
    hits: float = 0.0  # rulings for the seller
    misses: float = 0.0
    at: int = 0


class Mediators:
    """Bias of a mediator for buyers, for sellers, or for one seller."""

    kind: ClassVar = Kind.MediatorBias

    def __init__(self) -> None:
        self._mediators = Bounded(128, _Mediator)
        self._pairs = Bounded(2_000, _Pair)

    def learn(self, step: Step) -> list[Finding]:
        event = step.event
        if not isinstance(event, OrderRuled):
            return []
        disputed = step.order.sum_in_dispute
        if disputed == 0 or 2 * event.to_buyer == disputed:
            return []  # for neither
        for_buyer = 2 * event.to_buyer > disputed
        low, high = self._expected(event.mediator, step.at)
        mine = self._mediators.at(event.mediator)
        pair = self._pairs.at(f"{event.mediator}|{step.order.seller}")
        found = [self._pair(step, event.mediator, mine, pair, for_buyer)]
        found.append(self._side(step, event.mediator, mine, BUYER, for_buyer, high))
        found.append(self._side(step, event.mediator, mine, SELLER, not for_buyer, 1 - low))
        mine.rulings += 1
        _learn(mine, for_buyer, step.at)
        pair.rulings += 1
        _learn(pair, not for_buyer, step.at)
        return [one for one in found if one is not None]

    def dump(self) -> Any:
        return [self._mediators.dump(), self._pairs.dump()]

    def load(self, state: Any) -> None:
        self._mediators.load(state[0])
        self._pairs.load(state[1])

    # ------------------------------------------------------------------------------------------------------- reckoning

    def _expected(self, mediator: str, at: int) -> tuple[float, float]:
        """Between which shares the rulings for buyers may lie."""
        others = Share()
        for name in self._mediators:
            one = self._mediators.peek(name)
            if name != mediator and one is not None:
                left = 0.5 ** ((at - one.at) / HALF_LIFE)
                others.hits += one.hits * left
                others.misses += one.misses * left
        if others.hits + others.misses < ENOUGH:
            return ALONE
        mean, deviation = others.expected(0.5, 2.0)
        room = 1.96 * deviation + ROOM
        return max(0.05, mean - room), min(0.95, mean + room)

    def _side(self, step: Step, mediator: str, mine: _Mediator, side: str, hit: bool, allowed: float) -> Finding | None:
        rise = Rise.restore(mine.buyer if side == BUYER else mine.seller)
        level = rise.learn(hit, allowed, step.at, step.order.order_id)
        found = None
        if level >= RULINGS and rise.trials >= LEAST and hit:
            found = self._found(step, mediator, side, rise, allowed)
            rise.restart()
        if side == BUYER:
            mine.buyer = rise.dump()
        else:
            mine.seller = rise.dump()
        return found

    def _pair(self, step: Step, mediator: str, mine: _Mediator, pair: _Pair, for_buyer: bool) -> Finding | None:
        """Whether this seller wins more often than others do before the same mediator."""
        others = Share(hits=max(0.0, mine.misses - pair.hits), misses=max(0.0, mine.hits - pair.misses))
        if others.hits + others.misses >= ENOUGH:
            mean, deviation = others.expected(0.5, 2.0)
            allowed = min(0.95, max(0.3, mean + 1.96 * deviation + ROOM))
        else:
            allowed = ALONE[1]
        rise = Rise.restore(pair.rise)
        level = rise.learn(not for_buyer, allowed, step.at, step.order.order_id)
        found = None
        if level >= RULINGS_OF_PAIR and rise.trials >= LEAST and not for_buyer:
            found = self._found(step, mediator, SELLER, rise, allowed, seller=step.order.seller)
            rise.restart()
        pair.rise = rise.dump()
        return found

    def _found(
        self, step: Step, mediator: str, side: str, rise: Rise, allowed: float, seller: str | None = None
    ) -> Finding:
        return Finding(
            kind=self.kind,
            role=Role.Mediator,
            who=mediator,
            about=side if seller is None else seller,
            with_whom=() if seller is None else (seller,),
            since=rise.since,
            at=step.at,
            severity=Severity.High if seller is not None else Severity.Medium,
            orders=tuple(rise.orders),
            numbers={
                "side": side,
                "rulings": rise.trials,
                "for_that_side": rise.hits,
                "allowed_share": round(allowed, 3),
                **({} if seller is None else {"seller": seller}),
            },
        )


def _learn(one: _Mediator | _Pair, hit: bool, at: int) -> None:
    share = Share(one.hits, one.misses, one.at)
    share.learn(hit, at, HALF_LIFE)
    one.hits, one.misses, one.at = share.hits, share.misses, share.at
