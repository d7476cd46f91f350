"""Orders that come much faster than an account's own past, and its category's, lets one expect.

An account with a past is held against that: its orders in the last hour against a negative binomial around its own
rate, raised by the hour's rhythm and by a surge that the rest of the category sees too (a promotion is nobody's fault).
One without is held against the busiest hours of others in its category.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from river.utils import SortedWindow

from kameng_escrow.domain.events import OrderOpened

from .alarms import Finding, Kind, Role, Severity
from .bounded import Bounded
from .evidence import count_tail, keep
from .steps import OrderFacts, Step

HOUR: Final = 3_600
LEAST: Final = 6  # orders in an hour, below which nothing is said
CHANCE: Final = 1e-6  # of so many orders in an hour, below which it is told
SHAPE: Final = 2.0  # of the negative binomial: hours differ by 70 % of their mean, besides chance
OWN_PAST: Final = (48 * HOUR, 12.0)  # seconds and orders that make a past of one's own
BUSIEST: Final = 3.0  # times the 99th part in a hundred of others' hours, for who has no past
HALF_LIFE: Final = 14 * 24 * HOUR
KNOWN: Final = 60  # orders of a category, from which its hours are known
MINUTE: Final = 60
MOST_ORDERS: Final = 20  # that are kept as evidence
MOST_PEAKS: Final = 400


@dataclass(slots=True)
class _Pace:
    last: list[list[int]] = field(default_factory=list)  # the last hour's orders by the minute: [its first, how many]
    orders: list[str] = field(default_factory=list)  # the last ones
    count: float = 0.0  # orders before the last hour, older ones weighing less
    hours: float = 0.0  # that they came in, likewise
    at: int = 0  # up to when these were brought
    first: int = 0


@dataclass(slots=True)
class _Flow:
    """A category's orders."""

    last: list[list[int]] = field(default_factory=list)  # as above
    rhythm: list[float] = field(default_factory=lambda: [0.0] * 24)  # orders by hour of the day (UTC)
    first: int = 0
    at: int = 0
    peaks: list[int] = field(default_factory=list)  # orders in an account's last hour, at each order; the last ones


class Velocity:
    """Bursts of one account's orders, as a buyer or as a seller."""

    kind: ClassVar = Kind.Velocity

    def __init__(self) -> None:
        self._paces = Bounded(4_000, _Pace)
        self._flows = Bounded(128, _Flow)
        self._peaks: dict[str, SortedWindow] = {}

    def learn(self, step: Step) -> list[Finding]:
        if not isinstance(step.event, OrderOpened):
            return []
        order, found = step.order, []
        for role, account in ((Role.Buyer, order.buyer), (Role.Seller, order.seller)):
            finding = self._learn(step, role, account)
            if finding is not None:
                found.append(finding)
        return found

    def dump(self) -> Any:
        return [self._paces.dump(), self._flows.dump()]

    def load(self, state: Any) -> None:
        self._paces.load(state[0])
        self._flows.load(state[1])
        self._peaks = {}

    # ------------------------------------------------------------------------------------------------------- reckoning

    def _learn(self, step: Step, role: Role, account: str) -> Finding | None:
        order, at = step.order, step.at
        pace = self._paces.at(f"{role}|{account}")
        _bring(pace, at)
        _add(pace.last, at)
        keep(pace.orders, order.order_id, MOST_ORDERS)
        count = _sum(pace.last)
        name = f"{role}|{order.category}"
        flow = self._flows.at(name)
        peaks = self._peaks_of(name, flow)
        rhythm, surge = _rhythm(flow, at), _surge(flow, pace, at)
        _count(flow, at)
        busiest = peaks[int(len(peaks) * 0.99)] if len(peaks) >= 50 else LEAST
        _add_peak(flow, peaks, count)
        if count < LEAST:
            return None
        has_past = at - pace.first >= OWN_PAST[0] and pace.count >= OWN_PAST[1]
        mean = (pace.count + 1) / (pace.hours + 12) * rhythm * surge if has_past else busiest * surge
        if count <= 2 * mean:
            return None
        chance = count_tail(count, mean, SHAPE) if has_past else None
        if chance is not None and chance > CHANCE:
            return None
        if chance is None and count < max(LEAST + 2, BUSIEST * mean):
            return None
        return self._found(role, account, pace, order, at, count, mean, chance)

    def _found(
        self,
        role: Role,
        account: str,
        pace: _Pace,
        order: OrderFacts,
        at: int,
        count: int,
        mean: float,
        chance: float | None,
    ) -> Finding:
        ratio = count / mean
        numbers: dict[str, int | float | str] = {
            "orders_in_an_hour": count,
            "expected": round(mean, 2),
            "category": order.category,
        }
        if chance is not None:
            numbers["chance"] = chance
        return Finding(
            kind=self.kind,
            role=role,
            who=account,
            since=pace.last[0][0],
            at=at,
            severity=Severity.High if ratio >= 20 and count >= 20 else Severity.Medium,
            orders=tuple(pace.orders[-count:]),
            numbers=numbers,
        )

    def _peaks_of(self, name: str, flow: _Flow) -> SortedWindow:
        found = self._peaks.get(name)
        if found is None:
            found = SortedWindow(MOST_PEAKS)
            for one in flow.peaks:
                found.append(one)
            if len(self._peaks) >= 256:  # flows that were forgotten
                known = set(self._flows)
                self._peaks = {one: kept for one, kept in self._peaks.items() if one in known}
            self._peaks[name] = found
        return found


def _bring(pace: _Pace, at: int) -> None:
    """What is older than an hour goes over into the past."""
    if not pace.first:
        pace.first = pace.at = at
        return
    gone = _drop(pace.last, at)
    left = 0.5 ** ((at - pace.at) / HALF_LIFE)
    pace.count = pace.count * left + sum(number for _, number in gone)
    pace.hours = pace.hours * left + (at - pace.at) / HOUR
    pace.at = at


def _add(last: list[list[int]], at: int) -> None:
    """One more, in the minute that it belongs to."""
    if last and last[-1][0] // MINUTE == at // MINUTE:
        last[-1][1] += 1
    else:
        last.append([at, 1])


def _drop(last: list[list[int]], at: int) -> list[list[int]]:
    """Takes away what is older than an hour, and returns it."""
    gone = 0
    while gone < len(last) and last[gone][0] <= at - HOUR:
        gone += 1
    taken = last[:gone]
    del last[:gone]
    return taken


def _sum(last: list[list[int]]) -> int:
    return sum(number for _, number in last)


def _rhythm(flow: _Flow, at: int) -> float:
    """How much busier than the mean this hour of the day is; at least 1."""
    total = sum(flow.rhythm)
    if total < KNOWN:
        return 3.0  # likewise
    return max(1.0, (flow.rhythm[at // HOUR % 24] + 1) * 24 / (total + 24))


def _surge(flow: _Flow, pace: _Pace, at: int) -> float:
    """How much busier the last hour was for all others than this hour of the day is used to be; at least 1."""
    total = sum(flow.rhythm)
    if total < KNOWN:
        return 3.0  # likewise
    days = max(1.0, min((at - flow.first) / (24 * HOUR), HALF_LIFE / (24 * HOUR) / 0.693))
    usual = (flow.rhythm[at // HOUR % 24] + flow.rhythm[(at // HOUR - 1) % 24]) / 2 / days
    recent = sum(number for first, number in flow.last if first > at - HOUR) - (_sum(pace.last) - 1)
    others = usual * (1 - min(0.95, pace.count / total))
    return max(1.0, recent / (others + 1))


def _count(flow: _Flow, at: int) -> None:
    if not flow.first:
        flow.first = flow.at = at
    if at - flow.at >= HOUR:
        left = 0.5 ** ((at - flow.at) / HALF_LIFE)
        flow.rhythm = [one * left for one in flow.rhythm]
        flow.at = at
    _add(flow.last, at)
    for first, number in _drop(flow.last, at):  # what is going on now is no part of what is usual
        flow.rhythm[first // HOUR % 24] += number


def _add_peak(flow: _Flow, peaks: SortedWindow, count: int) -> None:
    flow.peaks.append(count)
    peaks.append(count)
    if len(flow.peaks) > MOST_PEAKS:
        del flow.peaks[0]
