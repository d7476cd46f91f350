"""`kameng order deposit-…` and `open-cart`: an order paid by a plain transfer, and several paid at once."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ..domain.deposits import DepositRefund
from ..domain.order import NATIVE
from ..domain.signed import Offer
from .command import CHAIN, STORE, both, command
from .deeds import after, receipt_data, receipt_text
from .documents import Place, Reader, read_offer, read_terms
from .files import read_json
from .forms import clock, iso, parse_address, parse_time
from .order_papers import EXPIRES, OUTPUT, write_document
from .order_verbs import ORDER
from .problems import BadInput, FileUnusable
from .screen import Answer
from .session import Session
from .subject import Subject, check_place, find_order

KINDS = {"open": "opening", "refund": "refund"}  # what a deposit's signature may be for, and the kind of its file


def register(app: typer.Typer) -> None:
    """Adds the commands to `kameng order`."""
    uses = CHAIN + STORE
    for name, function, zh, en in (
        (
            "deposit-address",
            address,
            "收款地址：往那里普通转账即可付款，交易所提币也行",
            "The deposit address, paid by a plain transfer, an exchange's too; and what is there",
        ),
        (
            "deposit-sign",
            sign,
            "买家签名，让别人代为从收款地址开单，或把钱退回",
            "The buyer signs for others to open from the deposit address, or to send the money back",
        ),
        (
            "deposit-open",
            open_,
            "用收款地址上的钱下单（任何人凭报价或买家签名都可以）",
            "Open the order with the money there (anyone may, with an offer or the buyer's signature)",
        ),
        (
            "deposit-refund",
            refund,
            "买家把收款地址上的钱全部退到退款地址",
            "Send everything there back to refundTo: the buyer's right",
        ),
        (
            "deposit-sweep",
            sweep,
            "把多付的、过期的或别的币退到退款地址（任何人都可以）",
            "Send back to refundTo what is too much, too late or of another coin (anyone may)",
        ),
        (
            "deposit-rescue",
            rescue,
            "钱转错了链：在那条链上把它退到退款地址（任何人都可以）",
            "Sent on the wrong chain: send it back to refundTo there (anyone may)",
        ),
        (
            "open-cart",
            open_cart,
            "一笔交易付几笔订单，要么全成要么全不成",
            "Pay for several orders at once: all or none",
        ),
    ):
        command(app, name, zh=zh, en=en, uses=uses)(function)


SIGNED = Annotated[
    Path | None,
    typer.Option(
        "--signed", help=both("买家签名的文件（deposit-sign 写的）", "What the buyer signed with deposit-sign")
    ),
]
OFFER = Annotated[
    Path | None,
    typer.Option("--offer", help=both("卖家签名的报价文件：下单即接单", "The seller's signed offer: opens accepted")),
]


def address(session: Session, order: ORDER) -> Answer:
    client, screen = session.client(), session.screen
    subject = find_order(session, order)
    terms = subject.terms
    place = client.deposit_address(terms)
    found = client.deposit(terms)
    currency, now = session.currency(terms.token), client.now()
    lines = [
        screen.say("  订单 ", "  Order ") + subject.order_id,
        screen.say("  收款地址 ", "  Pay to ") + place,
        screen.say(f"  已到 {currency.show(found.balance)}", f"  There is {currency.show(found.balance)}")
        + (
            screen.say(
                f"，还差 {currency.show(found.missing)}，最迟 {clock(terms.open_by, now)}",
                f", {currency.show(found.missing)} is missing, to be opened until {clock(terms.open_by, now)}",
            )
            if found.missing
            else ""
        ),
    ]
    if terms.token != NATIVE:
        lines.append(screen.say("  代币 ", "  Token ") + terms.token)
    if found.returnable:
        lines.append(
            "  ! "
            + screen.say(
                f"其中 {currency.show(found.returnable)} 可用 kameng order deposit-sweep 退到 {terms.refund_to}",
                f"{currency.show(found.returnable)} of it can go back to {terms.refund_to}: see "
                "`kameng order deposit-sweep`",
            )
        )
    data = {
        "order_id": subject.order_id,
        "address": place,
        "token": terms.token,
        "price": str(terms.price),
        "balance": str(found.balance),
        "missing": str(found.missing),
        "returnable": str(found.returnable),
        "state": found.state.label,
        "open_by": iso(terms.open_by),
        "refund_to": terms.refund_to,
    }
    return Answer(data, lines)


def sign(
    session: Session,
    order: ORDER,
    back: Annotated[
        bool, typer.Option("--refund", help=both("签的是退款，不是开单", "Sign for a refund, not for the opening"))
    ] = False,
    expires: EXPIRES = "1h",
    output: OUTPUT = None,
) -> Answer:
    client = session.acting()
    subject = find_order(session, order)
    terms, screen = subject.terms, session.screen
    if client.address != terms.buyer:
        raise BadInput(
            f"{client.address} 不是这笔订单的买家：它的签名没有用。",
            f"{client.address} is not the buyer of this order: its signature would count for nothing.",
        )
    deployment = session.deployment()
    place = Place(chain_id=deployment.chain_id, contract=deployment.address, order_id=subject.order_id)
    if back:
        now = client.now()
        until = parse_time(expires, now, "有效期", "The expiry")
        will = client.sign_deposit_refund(terms, expiry=until)
        fields: dict[str, Any] = {"expiry": will.expiry, "signature": "0x" + will.signature.hex()}
        line = screen.say(
            f"✓ 退款已签，{clock(until, now)} 前有效；任何人可用 kameng order deposit-refund 送上链",
            f"✓ Refund signed, good until {clock(until, now)}; anyone may bring it with `kameng order deposit-refund`",
        )
    else:
        fields = {"signature": "0x" + client.sign_terms(terms).hex()}
        line = screen.say(
            "✓ 条款已签；钱到后任何人可用 kameng order deposit-open 送上链",
            "✓ Terms signed; once the money is there anyone may bring it with `kameng order deposit-open`",
        )
    kind = KINDS["refund" if back else "open"]
    return write_document(session, {"kind": f"kameng.{kind}", **asdict(place), **fields}, output, [line])


def open_(session: Session, order: ORDER, offer: OFFER = None, signed: SIGNED = None) -> Answer:
    if offer is not None and signed is not None:
        raise BadInput("--offer 和 --signed 只能给一个。", "Give --offer or --signed, not both.")
    client = session.acting()
    subject = find_order(session, order)
    promise = None if offer is None else _offer(session, offer, subject)
    signature = b"" if signed is None else _signed(session, signed, subject, "open").data("signature")
    receipt = client.open_from_deposit(subject.terms, offer=promise, signature=signature)
    return after(session, subject, receipt, "已用收款地址上的钱下单", "Opened with the money at the deposit address")


def refund(session: Session, order: ORDER, signed: SIGNED = None) -> Answer:
    client = session.acting()
    subject = find_order(session, order)
    will = None
    if signed is not None:
        document = _signed(session, signed, subject, "refund")
        will = DepositRefund(expiry=document.number("expiry"), signature=document.data("signature"))
    before = client.deposit(subject.terms).balance
    receipt = client.refund_deposit(subject.terms, refund=will)
    return _returned(session, subject, receipt, subject.terms.token, before)


def sweep(
    session: Session,
    order: ORDER,
    token: Annotated[
        str,
        typer.Option(
            "--token",
            metavar="ADDRESS",
            help=both(
                "要退的是哪种币；缺省是订单的币，native 是原生币", "Which coin; else the order's. native: the coin"
            ),
        ),
    ] = "",
) -> Answer:
    client = session.acting()
    subject = find_order(session, order)
    coin = subject.terms.token
    if token:
        coin = NATIVE if token == "native" else parse_address(token, "--token")
    place = client.deposit(subject.terms).address
    before = client.balance(account=place, token=coin)
    receipt = client.sweep_deposit(subject.terms, token=coin)
    return _returned(session, subject, receipt, coin, before - client.balance(account=place, token=coin))


def rescue(
    session: Session,
    terms: Annotated[Path, typer.Argument(metavar="FILE", help=both("那笔订单的条款文件", "The order's terms file"))],
    token: Annotated[
        str,
        typer.Option(
            "--token",
            metavar="ADDRESS",
            help=both("转错的代币在这条链上的地址；缺省是原生币", "The token's address on this chain; else the coin"),
        ),
    ] = "",
) -> Answer:
    coin = parse_address(token, "--token") if token else NATIVE
    place, lost = read_terms(terms)
    receipt = session.acting().rescue_deposit(lost, chain_id=place.chain_id, token=coin)
    line = session.screen.say(
        f"✓ 转错链的钱已退到 {lost.refund_to}", f"✓ What was sent on the wrong chain went back to {lost.refund_to}"
    )
    data = {"order_id": place.order_id, "token": coin, "to": lost.refund_to, **receipt_data(receipt)}
    return Answer(data, [line, receipt_text(session, receipt)])


def open_cart(
    session: Session,
    orders: Annotated[list[str], typer.Argument(metavar="ORDER", help=both("条款文件", "Terms files"))],
    offer: Annotated[
        list[Path] | None,
        typer.Option("--offer", help=both("卖家的报价文件，可重复", "A seller's offer; may be repeated")),
    ] = None,
) -> Answer:
    client, screen = session.acting(), session.screen
    subjects = [find_order(session, order) for order in orders]
    promises: dict[str, Offer] = {}
    for path in offer or ():
        place, promise = read_offer(path)
        check_place(session, place, None, path)
        if place.order_id not in {subject.order_id for subject in subjects}:
            raise FileUnusable(
                f"报价 {path} 是给订单 {place.order_id} 的，而它不在购物车里。",
                f"The offer {path} is for order {place.order_id}, which is not in the cart.",
                path=str(path),
            )
        promises[place.order_id] = promise
    receipt = client.open_cart([(one.terms, promises.get(one.order_id)) for one in subjects])
    lines = [screen.say(f"✓ 已付款下单 {len(subjects)} 笔", f"✓ {len(subjects)} orders opened: the money is in escrow")]
    opened = []
    for one, status in zip(subjects, client.statuses([one.order_id for one in subjects]), strict=True):
        currency = session.currency(one.terms.token)
        lines.append(f"  {one.order_id} {currency.show(one.terms.price)} {status.state.label}")
        opened.append({"order_id": one.order_id, "price": str(one.terms.price), "state": status.state.label})
    lines.append(receipt_text(session, receipt))
    return Answer({"orders": opened, **receipt_data(receipt)}, lines)


def _offer(session: Session, path: Path, subject: Subject) -> Offer:
    place, promise = read_offer(path)
    check_place(session, place, None, path)
    _require_same(path, place, subject)
    return promise


def _signed(session: Session, path: Path, subject: Subject, what: str) -> Reader:
    document = Reader(path, read_json(path), KINDS[what])
    place = document.place()
    check_place(session, place, None, path)
    _require_same(path, place, subject)
    return document


def _require_same(path: Path, place: Place, subject: Subject) -> None:
    if place.order_id != subject.order_id:
        raise FileUnusable(
            f"{path} 是给订单 {place.order_id} 的，不是 {subject.order_id}。",
            f"{path} is for order {place.order_id}, not {subject.order_id}.",
            path=str(path),
        )


def _returned(session: Session, subject: Subject, receipt: Any, coin: str, amount: int) -> Answer:
    currency, screen, to = session.currency(coin), session.screen, subject.terms.refund_to
    data = {
        "order_id": subject.order_id,
        "token": coin,
        "to": to,
        "amount": str(amount),
        **receipt_data(receipt),
    }
    line = screen.say(f"✓ {currency.show(amount)} 已退到 {to}", f"✓ {currency.show(amount)} went back to {to}")
    return Answer(data, [line, receipt_text(session, receipt)])
