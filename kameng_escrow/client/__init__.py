"""The SDK's front door: `EscrowClient`, and `AsyncEscrowClient` with the same methods to await.

Amounts are integers in base units, times Unix seconds of the chain's clock, hashes and ids 0x-hex strings.
"""

from .clients import AsyncEscrowClient, EscrowClient
from .errors import UnknownOrder
from .results import Deposit, OrderStatus, Receipt, RegisteredPolicy

__all__ = [
    "AsyncEscrowClient",
    "Deposit",
    "EscrowClient",
    "OrderStatus",
    "Receipt",
    "RegisteredPolicy",
    "UnknownOrder",
]
