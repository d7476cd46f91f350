"""Does the store say what the chain says?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from web3 import Web3

from kameng_escrow.chain.calls import token_call
from kameng_escrow.chain.codec import functions
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.store import BalanceKind, Book, Marks, Snapshot, Standing

from .errors import NodeBehind, NodeInconsistent
from .web3_source import Web3Source

_VIEWS = {BalanceKind.Bond: "bondOf", BalanceKind.Credit: "creditOf", BalanceKind.Fee: "feesOf"}
_COMPARED = tuple(field.name for field in fields(Standing) if field.name != "order_id")


class DriftKind(Enum):
    """What differs."""

    Order = "order"  # where an order stands
    Balance = "balance"  # a bond, credit or fee
    Custody = "custody"  # the contract holds less of a token than the store says that it owes


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A difference between store and chain at one block."""

    what: str  # an order id; of a balance "<kind> <holder> <token>"; of what the contract holds "Custody <token>"
    field: str
    mirrored: object
    on_chain: object

    @property
    def kind(self) -> DriftKind:
        """What differs."""
        if self.what.startswith("Custody "):
            return DriftKind.Custody
        return DriftKind.Balance if " " in self.what else DriftKind.Order


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What a comparison found."""

    block: int  # the block that store and chain were compared at
    orders: int  # compared
    balances: int  # compared: bonds, credits and fees
    tokens: int  # whose holdings were compared
    drifts: tuple[Drift, ...]

    def counts(self) -> dict[str, int]:
        """How many differences of each kind there are, kinds without any included."""
        return {kind.value: sum(drift.kind is kind for drift in self.drifts) for kind in DriftKind}


def reconcile(book: Book, w3: Web3, lens: str, *, batch: int = 500) -> list[Drift]:
    """The differences that `audit` finds among all orders; none: the store is right."""
    return list(audit(book, w3, lens, batch=batch).drifts)


def audit(book: Book, w3: Web3, lens: str, *, open_only: bool = False, batch: int = 500) -> AuditReport:
    """Compares orders and balances of a contract with the chain, at the block that the mirror has seen, and what the
    contract holds of each token with what it owes. (It may hold more: anyone may send it something.)

    Args:
        lens: the address of the contract's `KamengLens`.
        open_only: only open orders; closed ones never move again.
        batch: how many orders to ask for at once.

    Raises:
        NodeBehind: the node does not have that block: let it catch up.
        NodeInconsistent: the node has another block of that number: mirror first.
        InvalidInput: there is no lens at that address.
        NodeError: the node can't be asked, or has forgotten that block's state.
    """
    source = Web3Source(w3)
    snapshot = book.snapshot(open_only=open_only)
    block = snapshot.marks.seen
    _check_block(source, snapshot.marks)
    orders = snapshot.standings
    drifts = [
        drift
        for start in range(0, len(orders), batch)
        for drift in _compare_orders(source, lens, orders[start : start + batch], block)
    ]
    drifts += _compare_balances(source, book.address, snapshot)
    drifts += _compare_custody(source, book.address, snapshot)
    _check_block(source, snapshot.marks)
    return AuditReport(
        block=block,
        orders=len(orders),
        balances=len(snapshot.balances),
        tokens=len(snapshot.owed),
        drifts=tuple(drifts),
    )


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


def _compare_balances(source: Web3Source, address: str, snapshot: Snapshot) -> Iterator[Drift]:
    views = functions("KamengEscrow")
    asked = [(address, views[_VIEWS[kind]].encode(holder, token)) for kind, holder, token in snapshot.balances]
    answers = source.calls(asked, snapshot.marks.seen)
    for ((kind, holder, token), amount), answer in zip(snapshot.balances.items(), answers, strict=True):
        on_chain = views[_VIEWS[kind]].decode(answer)
        if on_chain != amount:
            yield Drift(what=f"{kind.label} {holder} {token}", field="amount", mirrored=amount, on_chain=on_chain)


def _compare_custody(source: Web3Source, address: str, snapshot: Snapshot) -> Iterator[Drift]:
    block = snapshot.marks.seen
    view = functions("TestToken")["balanceOf"]
    for token, owed in sorted(snapshot.owed.items()):
        if token == NATIVE:
            held = source.balance(address, block)
        else:
            held = int(view.decode(source.call(token, token_call(token, "balanceOf", address).data, block)))
        if held < owed:
            yield Drift(what=f"Custody {token}", field="balance", mirrored=owed, on_chain=held)
