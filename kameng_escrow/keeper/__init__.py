"""Finds orders whose clock has run out, and settles them. Anyone may; this is somebody who does."""

from .errors import (
    AccountDry,
    AccountLow,
    AccountShared,
    BatchReverted,
    BudgetSpent,
    GasTooDear,
    KeeperError,
    MirrorBehind,
    NonceTaken,
    NotLeading,
    NotTaken,
    OrderGivenUp,
    OrderStuck,
)
from .keeper import Keeper
from .metrics import KeeperMetrics
from .report import Announce, KeeperReport, News, NewsKind, Overview
from .rules import Rules
from .settling import BATCH, SettlingReport, settle_due
from .tending import Round

__all__ = [
    "BATCH",
    "AccountDry",
    "AccountLow",
    "AccountShared",
    "Announce",
    "BatchReverted",
    "BudgetSpent",
    "GasTooDear",
    "Keeper",
    "KeeperError",
    "KeeperMetrics",
    "KeeperReport",
    "MirrorBehind",
    "News",
    "NewsKind",
    "NonceTaken",
    "NotLeading",
    "NotTaken",
    "OrderGivenUp",
    "OrderStuck",
    "Overview",
    "Round",
    "Rules",
    "SettlingReport",
    "settle_due",
]
