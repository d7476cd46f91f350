"""The local nodes on which a market is held."""

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.chain.nodes import LocalNode

from .parameters import Parameters

_BEFORE = 3_600  # seconds of the chain's time before the market starts, in which everything is set up
_BLOCK_GAS = 2_000_000_000  # a whole tick fits in one
_DEV_ACCOUNTS = 10


def anvil_for(parameters: Parameters) -> AnvilNode:
    """An Anvil whose time begins before the market's. Raises `ToolUnavailable` where it is not installed."""
    options = (
        *("--timestamp", str(parameters.start - _BEFORE)),
        *("--gas-limit", str(_BLOCK_GAS)),
        *("--base-fee", "1"),
        *("--prune-history", "64"),  # of states: blocks and logs stay
    )
    return AnvilNode(accounts=_DEV_ACCOUNTS, options=options)


def in_process_for(parameters: Parameters) -> LocalNode:
    """A chain in this process, likewise."""
    return InProcessNode(accounts=_DEV_ACCOUNTS, genesis_timestamp=parameters.start - _BEFORE)
