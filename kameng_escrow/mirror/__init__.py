"""Follows a chain into the store; undoes what a reorg took away; compares the two."""

from .errors import (
    BrokenEvents,
    LogsForeign,
    LogsMissing,
    MirrorError,
    NodeBehind,
    NodeInconsistent,
    NodesDisagree,
    ReorgTooDeep,
)
from .follow import WINDOW, Mirror
from .reconcile import Drift, reconcile
from .report import MirrorReport, Progress, Reorg
from .source import ChainSource, Header
from .web3_source import Web3Source

__all__ = [
    "WINDOW",
    "BrokenEvents",
    "ChainSource",
    "Drift",
    "Header",
    "LogsForeign",
    "LogsMissing",
    "Mirror",
    "MirrorError",
    "MirrorReport",
    "NodeBehind",
    "NodeInconsistent",
    "NodesDisagree",
    "Progress",
    "Reorg",
    "ReorgTooDeep",
    "Web3Source",
    "reconcile",
]
