"""What is out of the ordinary among a platform's orders, found while they happen."""

from .alarms import Alarm, Finding, Kind, Role, Severity, alarm_from_json, alarm_json
from .steps import OrderFacts, Repeat, Step
from .watch import StateUnreadable, Watch
from .words import sentence

__all__ = [
    "Alarm",
    "Finding",
    "Kind",
    "OrderFacts",
    "Repeat",
    "Role",
    "Severity",
    "StateUnreadable",
    "Step",
    "Watch",
    "alarm_from_json",
    "alarm_json",
    "sentence",
]
