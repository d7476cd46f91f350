"""`kameng order …`: what changes an order on the chain, one command a verb."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from ..domain.order import OrderTerms
from ..domain.shares import sum_in_dispute
from ..domain.states import State
from .command import CHAIN, STORE, both, command
from .deeds import after, perform
from .delivery_service import ALLOW_DUPLICATES, SERVICE
from .documents import read_offer
from .forms import Currency, parse_hash
from .packing import (
    ALSO_TO,
    CODES,
    COLUMN,
    DELIVERY,
    LISTING_FILE,
    NOTE,
    SEALED,
    TO,
    commitment_for,
)
from .payment_option import PAYMENT, read_for
from .problems import BadInput, FileUnusable
from .screen import Answer
from .session import Session
from .subject import check_place, find_order

ORDER = Annotated[str, typer.Argument(metavar="ORDER", help=both("条款文件，或订单号", "A terms file, or an order id"))]
EXPECTED = Annotated[
    str,
    typer.Option(
        "--expected",
        metavar="STATE",
        help=both(
            "你以为订单现在的状态；不符就不执行。缺省以链上此刻的状态为准",
            "The state you believe the order is in; nothing happens in another. Without it, the one on chain now",
        ),
    ),
]
COMMITMENT = Annotated[
    str,
    typer.Option(
        "--commitment", metavar="HASH", help=both("交付内容的承诺哈希", "The hash that binds what is delivered")
    ),
]
ZERO_HASH = "0x" + "00" * 32


def register(app: typer.Typer) -> None:
    """Adds the commands to `kameng order`."""
    uses = CHAIN + STORE
    for name, function, zh, en in (
        ("open", open_, "付款下单", "Pay for an order"),
        ("accept", accept, "卖家接单，锁定保证金", "The seller takes the order; locks the bond"),
        (
            "deliver",
            deliver,
            "卖家发货：加密卡密，把承诺上链",
            "The seller delivers: seals the codes, puts the commitment on chain",
        ),
        ("confirm", confirm, "买家确认，款项付给卖家", "The buyer is content: the seller is paid"),
        ("cancel", cancel, "买家取消（接单后可能收取消费）", "The buyer withdraws, at a fee once accepted"),
        ("decline", decline, "卖家拒单（接单后赔半份保证金）", "The seller withdraws, at half the bond once accepted"),
        ("refund", refund, "卖家退款，并赔半份保证金", "The seller gives the money back, and half the bond"),
        ("dispute", dispute, "买家对部分或全部卡密提出争议", "The buyer disputes some or all units"),
        ("recommit", recommit, "卖家在协商期内补发卡密", "The seller replaces the codes while talks last"),
        ("rule", rule, "仲裁员裁决", "The mediator divides the sum in dispute"),
        ("concede", concede, "仲裁期内一方认输", "A party gives in while the mediator is in charge"),
        ("revise", revise, "作废此前签出的报价和分配方案", "Void every offer and split signed so far"),
        ("intervene", intervene, "平台在发货前全额退款", "The platform refunds the buyer before delivery"),
        ("settle", settle, "到期后结算（任何人都可以）", "End an order whose clock has run out (anyone may)"),
    ):
        command(app, name, zh=zh, en=en, uses=uses)(function)


def open_(
    session: Session,
    order: ORDER,
    offer: Annotated[
        Path | None,
        typer.Option(
            "--offer", help=both("卖家签名的报价文件：下单即接单", "The seller's signed offer: opens accepted")
        ),
    ] = None,
    payment: PAYMENT = None,
) -> Answer:
    client = session.acting()
    subject = find_order(session, order)
    signed = read_for(session, subject, payment)
    promise = None
    if offer is not None:
        place, promise = read_offer(offer)
        check_place(session, place, None, offer)
        if place.order_id != subject.order_id:
            raise FileUnusable(
                f"报价 {offer} 是给订单 {place.order_id} 的，不是 {subject.order_id}。",
                f"The offer {offer} is for order {place.order_id}, not {subject.order_id}.",
                path=str(offer),
            )
    receipt = client.open(subject.terms, offer=promise, payment=signed)
    return after(session, subject, receipt, "已付款下单", "Opened: the money is in escrow")


def accept(session: Session, order: ORDER) -> Answer:
    return perform(session, order, "已接单", "Accepted", lambda client, terms: client.accept(terms))


def deliver(
    session: Session,
    order: ORDER,
    commitment: COMMITMENT = "",
    delivery: DELIVERY = None,
    codes: CODES = None,
    output: SEALED = None,
    column: COLUMN = "",
    to: TO = "",
    listing_file: LISTING_FILE = None,
    also_to: ALSO_TO = None,
    note: NOTE = "",
    service: SERVICE = "",
    allow_duplicates: ALLOW_DUPLICATES = False,
) -> Answer:
    client = session.acting()
    subject = find_order(session, order)
    content = commitment_for(
        session,
        subject,
        commitment=commitment,
        delivery=delivery,
        codes=codes,
        output=output,
        column=column,
        to=to,
        listing_file=listing_file,
        also_to=also_to,
        note=note,
        service=service,
        allow_duplicates=allow_duplicates,
    )
    return after(session, subject, client.deliver(subject.terms, commitment=content), "已发货", "Delivered")


def confirm(session: Session, order: ORDER, expected: EXPECTED = "") -> Answer:
    state = _state(expected)
    return perform(
        session,
        order,
        "已确认收货，款项付给卖家",
        "Confirmed: the seller is paid",
        lambda client, terms: client.confirm(terms, expected=state),
    )


def cancel(session: Session, order: ORDER, expected: EXPECTED = "") -> Answer:
    state = _state(expected)
    return perform(session, order, "已取消", "Cancelled", lambda client, terms: client.cancel(terms, expected=state))


def decline(session: Session, order: ORDER, expected: EXPECTED = "") -> Answer:
    state = _state(expected)
    return perform(session, order, "已拒单", "Declined", lambda client, terms: client.decline(terms, expected=state))


def refund(session: Session, order: ORDER, expected: EXPECTED = "") -> Answer:
    state = _state(expected)
    return perform(session, order, "已退款", "Refunded", lambda client, terms: client.refund(terms, expected=state))


def dispute(
    session: Session,
    order: ORDER,
    units: Annotated[
        int, typer.Option("--units", min=1, help=both("有争议的数量", "How many of the units are in dispute"))
    ],
    evidence: Annotated[
        str, typer.Option("--evidence", metavar="HASH", help=both("证据的哈希", "A hash of the evidence"))
    ] = ZERO_HASH,
) -> Answer:
    proof = parse_hash(evidence, "--evidence")
    return perform(
        session,
        order,
        f"已对 {units} 件提出争议，其余款项已付给卖家",
        f"{units} units in dispute; the others are paid to the seller",
        lambda client, terms: client.dispute(terms, units=units, evidence=proof),
    )


def recommit(
    session: Session,
    order: ORDER,
    commitment: COMMITMENT = "",
    delivery: DELIVERY = None,
    codes: CODES = None,
    output: SEALED = None,
    column: COLUMN = "",
    to: TO = "",
    listing_file: LISTING_FILE = None,
    also_to: ALSO_TO = None,
    note: NOTE = "",
    service: SERVICE = "",
    allow_duplicates: ALLOW_DUPLICATES = False,
) -> Answer:
    client = session.acting()
    subject = find_order(session, order)
    content = commitment_for(
        session,
        subject,
        commitment=commitment,
        delivery=delivery,
        codes=codes,
        output=output,
        column=column,
        to=to,
        listing_file=listing_file,
        also_to=also_to,
        note=note,
        service=service,
        allow_duplicates=allow_duplicates,
    )
    receipt = client.recommit(subject.terms, commitment=content)
    return after(session, subject, receipt, "已补发卡密", "Replacement codes committed")


def rule(
    session: Session,
    order: ORDER,
    to_buyer: Annotated[
        str,
        typer.Option(
            "--to-buyer",
            metavar="AMOUNT|N%",
            help=both("争议金额中判给买家的部分", "What the buyer gets of the sum in dispute"),
        ),
    ],
    grounds: Annotated[
        str, typer.Option("--grounds", metavar="HASH", help=both("裁决理由的哈希", "A hash of the written grounds"))
    ] = ZERO_HASH,
) -> Answer:
    reasons = parse_hash(grounds, "--grounds")
    client = session.acting()
    subject = find_order(session, order)
    held = held_now(session, subject.order_id, subject.terms)
    award = parse_part(to_buyer, held, session.currency(subject.terms.token))
    receipt = client.rule(subject.terms, to_buyer=award, grounds=reasons)
    return after(session, subject, receipt, "已裁决", "Ruled")


def concede(session: Session, order: ORDER) -> Answer:
    return perform(session, order, "已认输", "Conceded", lambda client, terms: client.concede(terms))


def revise(session: Session, order: ORDER) -> Answer:
    return perform(
        session,
        order,
        "旧签名已作废",
        "What was signed before is void",
        lambda client, terms: client.revise(terms),
    )


def intervene(session: Session, order: ORDER, expected: EXPECTED = "") -> Answer:
    state = _state(expected)
    return perform(
        session,
        order,
        "平台已介入，全额退款给买家",
        "The platform refunded the buyer in full",
        lambda client, terms: client.intervene(terms, expected=state),
    )


def settle(session: Session, order: ORDER) -> Answer:
    return perform(session, order, "已结算", "Settled", lambda client, terms: client.settle(terms))


def held_now(session: Session, order_id: str, terms: OrderTerms) -> int:
    """What a split or ruling divides: the price, or the sum in dispute."""
    status = session.client().status(order_id)
    if status.state is State.Disputed:
        return sum_in_dispute(terms.price, terms.units, status.disputed_units)
    return terms.price


def parse_part(text: str, whole: int, currency: Currency) -> int:
    """Base units of "12.50", or of "40%" of `whole`, rounded down. Raises `BadInput`."""
    if not text.endswith("%"):
        return currency.parse(text)
    try:
        percent = Decimal(text[:-1])
        if not percent.is_finite() or not 0 <= percent <= 100 or percent.as_tuple().exponent < -4:  # type: ignore[operator]  # finite: an integer
            raise InvalidOperation
    except InvalidOperation:
        raise BadInput(
            f"百分比应在 0% 到 100% 之间、最多 4 位小数，不能是 {text!r}。",
            f"A percentage is 0% to 100% with 4 decimal places at most, not {text!r}.",
        ) from None
    return whole * int(percent * 10_000) // 1_000_000


def _state(label: str) -> State | None:
    if not label:
        return None
    try:
        return State.from_label(label)
    except ValueError:
        labels = ", ".join(state.label for state in State)
        raise BadInput(
            f"--expected 应为 {labels} 之一，不能是 {label!r}。",
            f"--expected must be one of {labels}, not {label!r}.",
        ) from None
