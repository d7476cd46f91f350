"""The whole contract as pure Python: what it would do, pay and refuse, without a chain.

The simulation lives in it, and a test drives it and the contract through the same histories. The files are those of
``contracts/``: the register of policies, what sellers let others do, the money, the lifecycle.
"""

from .books import Books, Registered
from .escrow import Escrow

__all__ = ["Books", "Escrow", "Registered"]
