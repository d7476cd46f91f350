"""How many false alarms the detectors raise, and how soon they find attacks: on simulated markets whose truth is known.

Alone: `python -m bench.risk_anomalies --orders 10000 --seeds 3`. `bench.risk` writes what it returns into
`bench/results/risk.json`.
"""

import argparse
import json
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from river import drift

from bench.risk_steps import steps_of
from kameng_escrow.risk.anomalies import Alarm, Kind, Role, Step, Watch
from kameng_escrow.risk.anomalies.failures import step_failed
from kameng_escrow.simulate.market import run
from kameng_escrow.simulate.parameters import load_parameters
from kameng_escrow.simulate.plan import Attack
from kameng_escrow.simulate.result import MarketRun
from kameng_escrow.simulate.twin_venue import TwinVenue

DAY = 86_400
AFTER = 3 * DAY  # an attack may still be told of so long after it ended: orders end late
# What an attack is found by.
FOUND_BY: dict[str, tuple[Kind, Role]] = {
    "ring": (Kind.Ring, Role.Seller),
    "velocity": (Kind.Velocity, Role.Buyer),
    "price-outlier": (Kind.Price, Role.Seller),
    "serial-disputer": (Kind.Disputer, Role.Buyer),
    "code-reuse": (Kind.CodeReuse, Role.Seller),
    "mediator-bias": (Kind.MediatorBias, Role.Mediator),
    "seller-failure": (Kind.Failure, Role.Seller),
    "category-failure": (Kind.Failure, Role.Category),
}
BAD = ("vanishing", "card-thief", "bad-codes", "overselling", "fraudulent", "accomplice")  # people who are so by nature


@dataclass(frozen=True, slots=True)
class Told:
    """An alarm, and what the truth says of it: "attack", "bad actor", "shock", or "false"."""

    alarm: Alarm
    truth: str


def measure(*, orders: int = 10_000, seeds: Iterable[int] = range(3), days: int = 60) -> dict[str, Any]:
    """False alarms by detector and delays by attack, over several markets.

    Returns:
        `false_alarms_per_1000` (orders, all detectors together), `delay_h` (the median over all attacks that were
        found), and both by detector and attack; `events_per_second` of this machine.
    """
    told: list[Told] = []
    delays: dict[str, list[float]] = defaultdict(list)
    planted: Counter[str] = Counter()
    reachable: Counter[str] = Counter()
    total = events = 0
    seconds = 0.0
    rivals: dict[str, Counter[str]] = {name: Counter() for name in RIVALS}
    for seed in seeds:
        market = run(load_parameters(overrides={"market": {"days": days}}), orders=orders, seed=seed, venue=TwinVenue())
        steps = list(steps_of(market))
        begun = time.perf_counter()
        alarms = _alarms(steps)
        seconds += time.perf_counter() - begun
        total, events = total + len(market.truths), events + len(steps)
        told += [Told(alarm, _truth(market, alarm)) for alarm in alarms]
        for attack in market.attacks:
            planted[attack.kind] += 1
            reachable[attack.kind] += _is_large(attack)
            found = [one.raised_at for one in alarms if _tells(one, attack)]
            if found:
                delays[attack.kind].append(max(0, min(found) - attack.since) / 3_600)
        for name, counts in rivals.items():
            counts.update(_rival(name, market, steps))
    false = Counter(str(one.alarm.kind) for one in told if one.truth == "false")
    return {
        "orders": total,
        "false_alarms_per_1000": round(1_000 * sum(false.values()) / total, 3),
        "delay_h": _median([hours for several in delays.values() for hours in several]),
        "events_per_second": round(events / seconds),
        "by_detector": {
            str(kind): {
                "alarms": sum(one.alarm.kind is kind for one in told),
                "of": dict(Counter(one.truth for one in told if one.alarm.kind is kind)),
                "false_alarms_per_1000": round(1_000 * false[str(kind)] / total, 3),
            }
            for kind in Kind
        },
        "by_attack": {
            kind: {
                "planted": planted[kind],
                "with_five_orders_or_rulings": reachable[kind],
                "found": len(delays[kind]),
                "delay_h": _median(delays[kind]),
                "slowest_h": round(max(delays[kind]), 1) if delays[kind] else None,
            }
            for kind in FOUND_BY
        },
        "failures_by_others": {name: dict(counts) for name, counts in rivals.items()},
    }


def _alarms(steps: Sequence[Step]) -> list[Alarm]:
    """Of all platforms, as they stand in the end."""
    watches: dict[str, Watch] = {}
    found: dict[tuple[str, str], Alarm] = {}
    for step in steps:
        platform = step.order.platform
        if platform not in watches:
            watches[platform] = Watch()
        for alarm in watches[platform].learn(step):
            found[platform, alarm.id] = alarm
    return list(found.values())


def _tells(alarm: Alarm, attack: Attack) -> bool:
    """Whether an alarm tells of an attack."""
    kind, role = FOUND_BY[attack.kind]
    if alarm.kind is not kind or not attack.since <= alarm.raised_at <= attack.until + AFTER:
        return False
    if role is Role.Category:
        return alarm.role is Role.Category and alarm.who == attack.category
    return not {alarm.who, *alarm.with_whom}.isdisjoint(attack.actors) and alarm.role is not Role.Category


def _truth(market: MarketRun, alarm: Alarm) -> str:
    if any(_tells(alarm, attack) for attack in market.attacks):
        return "attack"
    if any(
        alarm.updated_at >= attack.since and not {alarm.who, *alarm.with_whom[:1]}.isdisjoint(attack.actors)
        for attack in market.attacks
    ):
        return "attack"  # by another trace than the one that it is named for
    kinds = market.cast.kinds
    if any(str(kinds.get(who, "")).endswith(BAD) for who in (alarm.who, *alarm.with_whom[:1])):
        return "bad actor"
    if alarm.kind is Kind.Failure and _in_trouble(market, alarm):
        return "shock"
    return "false"


def _in_trouble(market: MarketRun, alarm: Alarm) -> bool:
    """Whether the category was out of stock, or its codes failed, about then."""
    category = alarm.who if alarm.role is Role.Category else str(alarm.numbers["category"])
    spans = [(one.since, one.until) for one in market.weather.shocks[category].spans]
    spans += [(one.since, one.until) for one in market.attacks if one.category == category]
    return any(since <= alarm.updated_at and alarm.since <= until + AFTER for since, until in spans)


def _is_large(attack: Attack) -> bool:
    """Whether there was enough of it to be seen: an attack on one order of a shop is no pattern."""
    return len(attack.order_numbers) >= (1 if attack.kind == "price-outlier" else 5)


# ------------------------------------------------------------------------------------------ the same by river's own

RIVALS = {
    "ADWIN": lambda: drift.ADWIN(delta=0.0005),
    "PageHinkley": lambda: drift.PageHinkley(min_instances=10, threshold=4.0, mode="up"),
}


def _rival(name: str, market: MarketRun, steps: Sequence[Step]) -> Counter[str]:
    """What river's detectors of change say of each seller's failures: found attacks, and alarms about the honest."""
    detectors: dict[tuple[str, str], Any] = {}
    counts: Counter[str] = Counter()
    failing = [attack for attack in market.attacks if attack.kind == "seller-failure"]
    found: set[str] = set()
    for step in steps:
        failed = step_failed(step)
        if failed is None:
            continue
        key = (step.order.platform, step.order.seller)
        detector = detectors.setdefault(key, None) or RIVALS[name]()
        detectors[key] = detector
        before = getattr(detector, "estimation", 0.0)
        detector.update(int(failed))
        if not detector.drift_detected or (name == "ADWIN" and detector.estimation < before):
            continue
        mine = [one for one in failing if key[1] in one.actors and one.since <= step.at <= one.until + AFTER]
        if mine:
            found.update(one.name for one in mine)
        elif not str(market.cast.kinds.get(key[1], "")).endswith(BAD):
            counts["false"] += 1
    counts["found"] += len(found)
    counts["planted"] += len(failing)
    return counts


def _median(hours: Sequence[float]) -> float | None:
    return round(statistics.median(hours), 2) if hours else None


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--orders", type=int, default=10_000)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--days", type=int, default=60)
    given = arguments.parse_args()
    json.dump(measure(orders=given.orders, seeds=range(given.seeds), days=given.days), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
