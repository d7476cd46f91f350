"""Follows a chain into the store; undoes what a reorg took away; compares the two."""

from .endpoints import Endpoints
from .enrol import Target
from .errors import (
    BrokenEvents,
    LogsForeign,
    LogsMissing,
    MirrorError,
    NodeBehind,
    NodeForked,
    NodeInconsistent,
    NodesDisagree,
    ReorgTooDeep,
    StandingBy,
)
from .follow import WINDOW, Mirror
from .observe import Observer, Observers
from .reconcile import AuditReport, Drift, DriftKind, audit, reconcile
from .repair import RepairReport, repair
from .replay import final_header, replayed
from .report import MirrorReport, Progress, Reorg
from .source import ChainSource, Header
from .web3_source import Web3Source

__all__ = [
    "WINDOW",
    "AuditReport",
    "BrokenEvents",
    "ChainSource",
    "Drift",
    "DriftKind",
    "Endpoints",
    "Header",
    "LogsForeign",
    "LogsMissing",
    "Mirror",
    "MirrorError",
    "MirrorReport",
    "NodeBehind",
    "NodeForked",
    "NodeInconsistent",
    "NodesDisagree",
    "Observer",
    "Observers",
    "Progress",
    "Reorg",
    "ReorgTooDeep",
    "RepairReport",
    "StandingBy",
    "Target",
    "Web3Source",
    "audit",
    "final_header",
    "reconcile",
    "repair",
    "replayed",
]
