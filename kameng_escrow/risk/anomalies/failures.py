"""Sellers and categories that suddenly fail.

Each order is a trial: it fails when nobody accepts it, when its seller declines, does not deliver or refunds, or when
the buyer disputes. What its buyer cancels, or the platform stops, says nothing of the seller. The share of failures is
held against the seller's own past (a new one against its category's) by a sequential test (`evidence.Rise`) with a
stated mean number of orders before a false alarm. The past does not learn while something is suspected.

A category fails when several of its sellers do: of each, the first few failures count. One that fails alone is told as
that seller.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from kameng_escrow.domain.events import OrderClosed, OrderDisputed
from kameng_escrow.domain.states import Fault, Outcome

from .alarms import Finding, Kind, Role, Severity
from .bounded import Bounded
from .evidence import Rise, Share
from .steps import Step

ORDERS: Final = 5_000  # that go by in the mean before a false alarm, of one seller or one category
SUSPECTED: Final = 100.0  # the level from which the past no longer learns
LEAST: Final = 4  # failures, below which nothing is said
PRIOR: Final = (0.10, 20.0)  # share of failures, and how many orders that is worth, before any is known
OF_SELLER: Final = 10.0  # how many orders the category's share is worth, for one of its sellers
ROOM: Final = 0.03  # besides 1.645 standard deviations: small changes are not sudden failures
RANGE: Final = (0.06, 0.60)  # of the share that passes
HALF_LIFE: Final = 30 * 24 * 3_600
SELLERS: Final = 3  # that make a category's failure
OF_ONE: Final = 6  # failures of one of them that count in it
LARGEST_PART: Final = 0.6  # that one of them may have in it

_BUYERS_OWN: Final = {Outcome.Cancelled, Outcome.Intervened}
_FAILED: Final = {Outcome.Expired, Outcome.Declined, Outcome.Undelivered, Outcome.Refunded}


@dataclass(slots=True)
class _Past:
    rise: list[object] = field(default_factory=Rise().dump)
    hits: float = 0.0  # failures, older ones weighing less
    misses: float = 0.0
    at: int = 0
    sellers: dict[str, int] = field(default_factory=dict)  # of categories: whose the failures of the rise are


class Failures:
    """Sudden failure of one seller, or of one category."""

    kind: ClassVar = Kind.Failure

    def __init__(self) -> None:
        self._sellers = Bounded(2_000, _Past)
        self._categories = Bounded(128, _Past)
        self._all = Share()

    def learn(self, step: Step) -> list[Finding]:
        failed = step_failed(step)
        if failed is None:
            return []
        order, at = step.order, step.at
        self._all.age(at, HALF_LIFE)
        platform, _ = self._all.expected(*PRIOR)
        category = self._categories.at(order.category)
        seller = self._sellers.at(order.seller)
        usual, _ = _share(category, at).expected(platform, PRIOR[1])
        alone = Rise.restore(seller.rise).level() > SUSPECTED
        found = [self._seller(step, seller, failed, usual)]
        if category.sellers.get(order.seller, 0) < OF_ONE:
            found.append(self._category(step, category, failed, platform))
        if not alone:
            self._all.learn(failed, at, HALF_LIFE)
        return [one for one in found if one is not None]

    def dump(self) -> Any:
        return [self._sellers.dump(), self._categories.dump(), [self._all.hits, self._all.misses, self._all.at]]

    def load(self, state: Any) -> None:
        self._sellers.load(state[0])
        self._categories.load(state[1])
        self._all = Share(*state[2])

    # ------------------------------------------------------------------------------------------------------- reckoning

    def _seller(self, step: Step, past: _Past, failed: bool, usual: float) -> Finding | None:
        rise, allowed = _watch(step, past, failed, usual, OF_SELLER)
        found = None
        if rise.level() >= ORDERS and rise.hits >= LEAST and failed:
            found = self._found(step, Role.Seller, step.order.seller, rise, allowed, ())
            rise.restart()
        past.rise = rise.dump()
        return found

    def _category(self, step: Step, past: _Past, failed: bool, usual: float) -> Finding | None:
        rise, allowed = _watch(step, past, failed, usual, PRIOR[1])
        if rise.trials == 0:
            past.sellers = {}
        elif failed:
            name = step.order.seller
            past.sellers[name] = past.sellers.pop(name, 0) + 1
            if len(past.sellers) > 100:
                del past.sellers[next(iter(past.sellers))]
        found = None
        if rise.level() >= ORDERS and rise.hits >= LEAST and failed and _are_several(past.sellers):
            whose = tuple(sorted(past.sellers, key=lambda name: -past.sellers[name])[:10])
            found = self._found(step, Role.Category, step.order.category, rise, allowed, whose)
            rise.restart()
            past.sellers = {}
        past.rise = rise.dump()
        return found

    def _found(self, step: Step, role: Role, who: str, rise: Rise, allowed: float, whose: tuple[str, ...]) -> Finding:
        share = rise.hits / rise.trials
        return Finding(
            kind=self.kind,
            role=role,
            who=who,
            with_whom=whose,
            since=rise.since,
            at=step.at,
            severity=Severity.High if role is Role.Category or share >= 0.5 else Severity.Medium,
            orders=tuple(rise.orders),
            numbers={
                "failed": rise.hits,
                "orders": rise.trials,
                "allowed_share": round(allowed, 3),
                "category": step.order.category,
                **({"sellers": len(whose)} if role is Role.Category else {}),
            },
        )


def step_failed(step: Step) -> bool | None:
    """Whether the step is a failure (true), a success (false), or none of both."""
    event = step.event
    if isinstance(event, OrderDisputed):
        return True
    if not isinstance(event, OrderClosed) or step.order.disputed_at is not None:
        return None  # a dispute was counted when it began
    if event.outcome in _BUYERS_OWN or event.fault is Fault.Buyer:
        return None
    if event.outcome is Outcome.Agreed:
        return event.to_seller == 0
    return event.outcome in _FAILED


def _watch(step: Step, past: _Past, failed: bool, usual: float, strength: float) -> tuple[Rise, float]:
    """The rise with this trial, and what was allowed."""
    share = _share(past, step.at)
    mean, deviation = share.expected(usual, strength)
    allowed = min(RANGE[1], max(RANGE[0], mean + 1.645 * deviation + ROOM))
    rise = Rise.restore(past.rise)
    if rise.learn(failed, allowed, step.at, step.order.order_id) <= SUSPECTED:
        share.learn(failed, step.at, HALF_LIFE)
    past.hits, past.misses, past.at = share.hits, share.misses, share.at
    return rise, allowed


def _share(past: _Past, at: int) -> Share:
    share = Share(past.hits, past.misses, past.at)
    share.age(at, HALF_LIFE)
    return share


def _are_several(sellers: dict[str, int]) -> bool:
    return len(sellers) >= SELLERS and max(sellers.values()) <= LARGEST_PART * sum(sellers.values())
