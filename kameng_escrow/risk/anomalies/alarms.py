"""Alarms: what a detector found, said once. The same again is the same alarm, brought up to date."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

DAY: Final = 24 * 60 * 60  # seconds
MOST_LIVE: Final = 2_000
MOST_ORDERS: Final = 20

Number = int | float | str  # what evidence consists of; amounts are decimal strings


class Kind(StrEnum):
    """What is out of the ordinary."""

    Velocity = "velocity"
    Ring = "ring"
    Price = "price"
    Disputer = "disputer"
    CodeReuse = "code_reuse"
    MediatorBias = "mediator_bias"
    Failure = "failure"


# Seconds without the same finding, after which it is a new alarm: what goes on for weeks is told once.
QUIET: Final = {
    Kind.Velocity: DAY,
    Kind.Ring: 7 * DAY,
    Kind.Price: DAY,
    Kind.Disputer: 7 * DAY,
    Kind.CodeReuse: 7 * DAY,
    Kind.MediatorBias: 30 * DAY,
    Kind.Failure: DAY,
}


class Role(StrEnum):
    """In what an alarm's subject takes part."""

    Buyer = "buyer"
    Seller = "seller"
    Mediator = "mediator"
    Category = "category"


class Severity(StrEnum):
    """How soon somebody should look."""

    Low = "low"  # when there is time
    Medium = "medium"  # today
    High = "high"  # now


_RANK = {Severity.Low: 0, Severity.Medium: 1, Severity.High: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a detector has to say at one step."""

    kind: Kind
    role: Role
    who: str  # an account; of categories, the name
    about: str = ""  # what else tells it from others of the kind about the same subject
    with_whom: tuple[str, ...] = ()  # other accounts that take part
    since: int  # Unix seconds; when it began, as far as can be told
    at: int  # Unix seconds; of the step
    severity: Severity
    orders: tuple[str, ...]  # evidence, oldest first
    numbers: Mapping[str, Number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Findings of one kind about one subject that followed each other without a longer pause (`QUIET`)."""

    id: str  # follows from kind, role, subject and the first finding's time: the same stream gives the same ids
    kind: Kind
    role: Role
    who: str
    about: str
    with_whom: tuple[str, ...]
    since: int  # Unix seconds; when it began
    raised_at: int  # of the first finding
    updated_at: int  # of the last
    findings: int
    severity: Severity  # the highest so far
    orders: tuple[str, ...]  # at most 20, the latest
    numbers: Mapping[str, Number]  # of the last finding

    @property
    def delay(self) -> int:
        """Seconds from when it began to when it was told."""
        return max(0, self.raised_at - self.since)


class AlarmBook:
    """The alarms that may still be brought up to date, by what they are about."""

    def __init__(self) -> None:
        self._live: dict[str, Alarm] = {}  # in the order of their last finding

    def take(self, finding: Finding) -> Alarm:
        """The alarm that a finding belongs to, as it is with it."""
        key = _key(finding)
        known = self._live.pop(key, None)
        if known is None or finding.at - known.updated_at > QUIET[finding.kind]:
            alarm = Alarm(
                id=_id(key, finding.at),
                kind=finding.kind,
                role=finding.role,
                who=finding.who,
                about=finding.about,
                with_whom=finding.with_whom,
                since=finding.since,
                raised_at=finding.at,
                updated_at=finding.at,
                findings=1,
                severity=finding.severity,
                orders=finding.orders[-MOST_ORDERS:],
                numbers=dict(finding.numbers),
            )
        else:
            alarm = replace(
                known,
                with_whom=_joined(known.with_whom, finding.with_whom),
                since=min(known.since, finding.since),
                updated_at=finding.at,
                findings=known.findings + 1,
                severity=max(known.severity, finding.severity, key=_RANK.__getitem__),
                orders=_joined(known.orders, finding.orders),
                numbers=dict(finding.numbers),
            )
        self._live[key] = alarm
        while len(self._live) > MOST_LIVE:
            del self._live[next(iter(self._live))]
        return alarm

    def dump(self) -> list[dict[str, Any]]:
        """As JSON."""
        return [alarm_json(alarm) for alarm in self._live.values()]

    def load(self, state: list[dict[str, Any]]) -> None:
        """Takes the place of what is there."""
        alarms = [alarm_from_json(one) for one in state]
        self._live = {_key(alarm): alarm for alarm in alarms}


def alarm_json(alarm: Alarm) -> dict[str, Any]:
    """An alarm as JSON."""
    return {
        name: list(value) if isinstance(value, tuple) else str(value) if isinstance(value, StrEnum) else value
        for name, value in asdict(alarm).items()
    }


def alarm_from_json(document: Mapping[str, Any]) -> Alarm:
    """The alarm that `alarm_json` took apart."""
    return Alarm(
        **{
            **document,
            "kind": Kind(document["kind"]),
            "role": Role(document["role"]),
            "severity": Severity(document["severity"]),
            "with_whom": tuple(document["with_whom"]),
            "orders": tuple(document["orders"]),
        }
    )


def _key(one: Finding | Alarm) -> str:
    return f"{one.kind}|{one.role}|{one.who}|{one.about}"


def _joined(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """Each once, the latest last, not too many."""
    return tuple(dict.fromkeys([*(one for one in known if one not in more), *more]))[-MOST_ORDERS:]


def _id(key: str, at: int) -> str:
    return "alm_" + blake2b(f"{key}|{at}".encode(), digest_size=13).hexdigest()
