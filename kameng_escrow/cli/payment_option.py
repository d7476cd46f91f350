"""`--payment FILE`: what a payer signed, where a command takes it."""

from pathlib import Path
from typing import Annotated

import typer

from ..domain.order import OrderTerms
from ..domain.payments import Payment
from .command import both
from .documents import read_payment
from .problems import FileUnusable
from .session import Session
from .subject import Subject, check_place

PAYMENT = Annotated[
    Path | None,
    typer.Option(
        "--payment",
        metavar="FILE",
        help=both(
            "付款人签好的付款文件（kameng order payment）：由他付款，本账户只出 gas",
            "What a payer signed (`kameng order payment`): that account pays, this one only the gas",
        ),
    ),
]


def read_for(session: Session, subject: Subject, file: Path | None) -> Payment | None:
    """The payment in a file, if there is one, once it is known to be of this order on this chain.

    Raises `FileUnusable`, `BadInput`.
    """
    if file is None:
        return None
    place, terms, signed = read_payment(file)
    check_place(session, place, terms, file)
    _require_same(subject, place.order_id, terms, file)
    return signed


def _require_same(subject: Subject, order_id: str, terms: OrderTerms, file: Path) -> None:
    if order_id != subject.order_id or terms != subject.terms:
        raise FileUnusable(
            f"付款文件 {file} 是给订单 {order_id} 的，不是 {subject.order_id}。",
            f"The payment {file} is for order {order_id}, not {subject.order_id}.",
            path=str(file),
        )
