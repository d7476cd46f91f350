"""Brings what somebody signed to the chain, and opens orders that are paid at their deposit addresses."""

from .errors import (
    DepositNotOpenable,
    NativeBondNotRelayed,
    RefundToDisagrees,
    RelayBudgetSpent,
    RelayError,
    RelayLimitReached,
    RelayReverted,
    RelayTooCostly,
    UnknownDeposit,
    UnknownRelay,
)
from .intake import Intake, Limits
from .metrics import RelayerMetrics
from .relayer import Relayer
from .report import RelayOverview, RelayReport
from .requests import (
    Act,
    Agreement,
    DepositOpening,
    DepositRefunding,
    DepositSweeping,
    Opening,
    Request,
)

__all__ = [
    "Act",
    "Agreement",
    "DepositNotOpenable",
    "DepositOpening",
    "DepositRefunding",
    "DepositSweeping",
    "Intake",
    "Limits",
    "NativeBondNotRelayed",
    "Opening",
    "RefundToDisagrees",
    "RelayBudgetSpent",
    "RelayError",
    "RelayLimitReached",
    "RelayOverview",
    "RelayReport",
    "RelayReverted",
    "RelayTooCostly",
    "Relayer",
    "RelayerMetrics",
    "Request",
    "UnknownDeposit",
    "UnknownRelay",
]
