"""What nodes say to a transaction, in our words. Each has its own, few have codes; these are of Geth and its
descendants, Erigon, Nethermind, Besu, Reth and Anvil.
"""

from kameng_escrow.chain.errors import NodeError, NodeRefused
from kameng_escrow.store.keeping import Rejection

_KNOWN = ("already known", "already imported", "known transaction", "alreadyknown", "already exists", "same hash")

# In this order: a sentence may have a word of a later row in it.
_REJECTIONS: tuple[tuple[Rejection, tuple[str, ...]], ...] = (
    (
        Rejection.Funds,
        ("insufficient funds", "insufficientfunds", "insufficient balance", "exceeds account balance", "outoffund"),
    ),
    (
        Rejection.Unfit,
        (
            "exceeds block gas limit",
            "exceeds the configured cap",
            "exceeds the gas limit",
            "fee cap exceeded",
            "feecap exceeded",
            "gas limit too high",
            "gaslimitexceeded",
            "gas limit is too big",
            "intrinsic gas",
            "floor data gas",
            "oversized data",
            "maxtxsizeexceeded",
            "rlp too big",
            "type not supported",
            "maximum allowed gas",
            "transaction gas limit",
        ),
    ),
    (Rejection.Occupied, ("replacement", "to replace existing")),
    (
        Rejection.Underpriced,
        (
            "underpriced",
            "feetoolow",
            "fee too low",
            "less than block base fee",
            "below chain minimum",
            "below configured minimum",
            "gas price is less than",
            "gas price below",
            "gas price too low",
            "priority is too low",
        ),
    ),
    (Rejection.NonceUsed, ("nonce too low", "oldnonce", "nonce is too low", "nonce has already been used")),
    (Rejection.NonceGap, ("nonce too high", "noncegap", "nonce gap", "nonce is too", "too distant", "invalid nonce")),
)

# What an estimate says where the call goes through with more gas than it may have, or than a block has.
_TOO_MUCH_GAS = (
    "gas required exceeds",
    "out of gas",
    "outofgas",
    "exceeds block gas limit",
    "exceeds the gas limit",
    "gas limit",
    "gas too high",
    "intrinsic gas",
)

# What nodes say that would rather be asked later, whatever about.
_LATER = ("rate limit", "ratelimit", "too many requests", "limit exceeded", "capacity", "throttl", "try again", "busy")


def rejection_of(error: NodeError) -> Rejection | None:
    """Why a node that was given a transaction answered with an error; None: it has it already."""
    if not isinstance(error, NodeRefused):
        return Rejection.Unclear
    said = error.rpc_message.lower()
    if any(phrase in said for phrase in _KNOWN):
        return None
    for rejection, phrases in _REJECTIONS:
        if any(phrase in said for phrase in phrases):
            return rejection
    return Rejection.Unclear


def lacks_funds(error: NodeRefused) -> bool:
    """Whether an estimate failed because the account can't pay."""
    return rejection_of(error) is Rejection.Funds


def wants_later(error: NodeRefused) -> bool:
    """Whether the node did not look at what it was asked, and may do so later."""
    said = error.rpc_message.lower()
    return error.rpc_code == -32005 or any(phrase in said for phrase in _LATER)


def wants_less(error: NodeRefused) -> bool:
    """Whether an estimate failed because the call needs more gas than a block or the node allows."""
    said = error.rpc_message.lower()
    return any(phrase in said for phrase in _TOO_MUCH_GAS)
