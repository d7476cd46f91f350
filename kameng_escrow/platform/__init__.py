"""The platform service's client: every route as a method, called or awaited, with types made from its description.

>>> with PlatformClient("https://escrow.example", api_key=key) as service:
...     for order in service.orders(state=["Disputed"]):
...         print(order["order_id"], order["clock"])
"""

from .client import AsyncPlatformClient, PlatformClient
from .errors import (
    AnswerTooLarge,
    InvalidUrl,
    PlatformError,
    ServiceBusy,
    ServiceNonsense,
    ServiceProblem,
    ServiceUnreachable,
)
from .stream import StreamEvent
from .wallet import WalletSignIn

__all__ = [
    "AnswerTooLarge",
    "AsyncPlatformClient",
    "InvalidUrl",
    "PlatformClient",
    "PlatformError",
    "ServiceBusy",
    "ServiceNonsense",
    "ServiceProblem",
    "ServiceUnreachable",
    "StreamEvent",
    "WalletSignIn",
]
