"""Which order is meant: a terms file, or an id that the mirror or the chain knows."""

import re
from dataclasses import dataclass
from pathlib import Path

from ..domain.order import OrderTerms
from ..errors import EscrowError
from .documents import Place, read_terms
from .problems import BadInput, FileUnusable, OrderUnknown
from .session import Session

ID = re.compile(r"0x[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Subject:
    """An order to act on."""

    order_id: str
    terms: OrderTerms


def names_order(word: str) -> bool:
    """Whether a word of the command line can only mean an order."""
    return word.startswith("0x") or word.endswith(".json")


def find_order(session: Session, word: str) -> Subject:
    """The order that a word of the command line means.

    Raises:
        FileUnusable, BadInput: the terms file is damaged, or it is not for this chain and contract.
        OrderUnknown: neither mirror nor chain knows the id.
    """
    if ID.fullmatch(word):
        return _by_id(session, word.lower())
    path = Path(word)
    if word.startswith("0x") and not path.exists():
        raise BadInput(
            f"订单号应为 0x 加 64 位十六进制数字，不能是 {word!r}。",
            f"An order's id is 0x and 64 hex digits, not {word!r}.",
        )
    place, terms = read_terms(path)
    check_place(session, place, terms, path)
    return Subject(place.order_id, terms)


def check_place(session: Session, place: Place, terms: OrderTerms | None, path: Path) -> None:
    """Whether a document is for the contract in use, and its terms are those that its order id was made of.

    Raises:
        FileUnusable: it is not, or they are not.
    """
    client = session.client()
    deployment = session.deployment()
    if (place.chain_id, place.contract) != (deployment.chain_id, deployment.address):
        raise FileUnusable(
            f"{path} 是给链 {place.chain_id} 上的合约 {place.contract} 的，"
            f"而现在用的是链 {deployment.chain_id} 上的 {deployment.address}。请换用对应的节点或合约。",
            f"{path} is for contract {place.contract} on chain {place.chain_id}, but {deployment.address} on chain "
            f"{deployment.chain_id} is in use: change the node or the contract.",
            path=str(path),
        )
    if terms is not None and client.order_id(terms) != place.order_id:
        raise FileUnusable(
            f"{path} 里的条款与订单号 {place.order_id} 对不上：文件被改动过。请向对方索取原件。",
            f"The terms in {path} are not those of order {place.order_id}: the file was changed. Ask for the original.",
            path=str(path),
        )


def _by_id(session: Session, order_id: str) -> Subject:
    try:
        terms = session.book().order(order_id).order.terms
    except EscrowError:  # no store, an old one, or one that has not come so far: the chain itself knows
        terms = None
    if terms is None:
        terms = session.client().order(order_id).terms
    if terms is None:
        raise OrderUnknown(
            f"链上没有打开过订单 {order_id}：请改用条款文件。",
            f"No order was opened as {order_id}: name its terms file instead.",
        )
    return Subject(order_id, terms)
