"""Does the store say what the chain says?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from web3 import Web3

from kameng_escrow.chain.codec import functions
from kameng_escrow.store import BalanceKind, Book, Marks, Standing

from .errors import NodeBehind, NodeInconsistent
from .web3_source import Web3Source

_VIEWS = {BalanceKind.Bond: "bondOf", BalanceKind.Credit: "creditOf", BalanceKind.Fee: "feesOf"}
_COMPARED = tuple(field.name for field in fields(Standing) if field.name != "order_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A difference between store and chain at one block."""

    what: str  # an order id; of a balance "<kind> <holder> <token>"
    field: str
    mirrored: object
    on_chain: object


def reconcile(book: Book, w3: Web3, lens: str, *, batch: int = 500) -> list[Drift]:
    """Compares every order and balance of a contract with the chain, at the block that the mirror has seen.

    Args:
        lens: the address of the contract's `KamengLens`.
        batch: how many orders to ask for at once.

    Returns:
        The differences; none: the store is right.

    Raises:
        NodeBehind: the node does not have that block: let it catch up.
        NodeInconsistent: the node has another block of that number: mirror first.
        InvalidInput: there is no lens at that address.
        NodeError: the node can't be asked.
    """
    source = Web3Source(w3)
    marks, orders, balances = book.standings()
    _check_block(source, marks)
    drifts = [
        drift
        for start in range(0, len(orders), batch)
        for drift in _compare_orders(source, lens, orders[start : start + batch], marks.seen)
    ]
    for (kind, holder, token), amount in balances.items():
        view = functions("KamengEscrow")[_VIEWS[kind]]
        on_chain = view.decode(source.call(book.address, view.encode(holder, token), marks.seen))
        if on_chain != amount:
            what = f"{kind.label} {holder} {token}"
            drifts.append(Drift(what=what, field="amount", mirrored=amount, on_chain=on_chain))
    _check_block(source, marks)
    return drifts


def _check_block(source: Web3Source, marks: Marks) -> None:
    header = source.header(marks.seen)
    if header is None:
        head = source.header("latest")
        raise NodeBehind(head.number if head else 0, marks.seen)
    if header.hash != marks.seen_hash:
        raise NodeInconsistent(
            f"The node has another block {marks.seen} than was mirrored: mirror again, then compare."
        )


def _compare_orders(source: Web3Source, lens: str, orders: Sequence[Standing], block: int) -> Iterator[Drift]:
    view = functions("KamengLens")["stateOf"]
    data = view.encode([order.order_id for order in orders])
    answers: Sequence[dict[str, Any]] = view.decode(source.call(lens, data, block))
    for order, answer in zip(orders, answers, strict=True):
        for name in _COMPARED:
            mirrored = getattr(order, name)
            if mirrored != answer[name]:
                yield Drift(what=order.order_id, field=name, mirrored=mirrored, on_chain=answer[name])
