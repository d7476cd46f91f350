"""Does the store say what the chain says?"""

from dataclasses import dataclass

from web3 import Web3

from kameng_escrow.store import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A difference between store and chain at one block."""

    what: str  # an order id, or "<kind> <holder> <token>" of a balance
    field: str
    mirrored: object
    on_chain: object


def reconcile(book: Book, w3: Web3, lens: str, *, batch: int = 500) -> list[Drift]:
    """Compares every order and balance of a contract with the chain, at the block that the mirror has seen.

    Args:
        lens: the address of the contract's `KamengLens`.
        batch: how many orders to ask for at once.

    Raises:
        NodeBehind: the node does not have that block (any more): mirror first.
        NodeError: the node can't be asked.
    """
    raise NotImplementedError
