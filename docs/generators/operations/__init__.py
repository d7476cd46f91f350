"""Every function of the contract that changes something: who, when, guards in order, money, events.

What the lifecycle's table or the interface already says (states, clock, signature) is not repeated here.
"""

from .accounts import ACCOUNTS
from .base import GROUPS, Operation
from .clocks import CLOCKS
from .disputes import DISPUTES
from .orders import ORDERS
from .payments import PAYMENTS

OPENINGS = tuple(one for one in PAYMENTS if one.group == "opening")
RELAYED = tuple(one for one in PAYMENTS if one.group == "relaying")
OPERATIONS = ORDERS[:2] + OPENINGS + ORDERS[2:] + DISPUTES + CLOCKS + RELAYED + ACCOUNTS

__all__ = ["GROUPS", "OPERATIONS", "Operation"]
