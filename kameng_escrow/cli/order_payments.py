"""`kameng order …`: paying by what the payer signs, for somebody else to bring."""

from typing import Annotated

import typer

from ..domain.payments import Payment, PaymentMethod
from .command import CHAIN, STORE, both, command
from .documents import payment_document
from .forms import clock, parse_address, parse_time
from .order_papers import EXPIRES, OUTPUT, place_of, write_document
from .order_verbs import ORDER
from .problems import BadInput
from .screen import Answer
from .session import Session
from .subject import find_order


def register(app: typer.Typer) -> None:
    """Adds the commands to `kameng order`."""
    command(
        app,
        "payment",
        zh="付款人签一份付款，交给别人代为上链",
        en="The payer signs a payment for somebody else to bring",
        uses=CHAIN + STORE,
    )(payment)
    command(
        app,
        "approve-permit2",
        zh="允许 Permit2 动用一种代币（每种代币一次）",
        en="Let Permit2 take a token, once before the first payment by permit2",
        uses=CHAIN,
    )(approve_permit2)


def payment(
    session: Session,
    order: ORDER,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="METHOD",
            help=both("方式：permit、authorization、permit2", "How: permit, authorization or permit2"),
        ),
    ] = PaymentMethod.Authorization.value,
    units: Annotated[
        int,
        typer.Option(
            "--dispute",
            metavar="UNITS",
            help=both(
                "付的是对这么多件的争议押金，而不是货款", "Pay the bond of a dispute on so many units, not the price"
            ),
        ),
    ] = 0,
    expires: EXPIRES = "1h",
    output: OUTPUT = None,
) -> Answer:
    method = _method(by)
    session.signer()  # a key that is missing is told before the node is asked
    client = session.acting()
    subject = find_order(session, order)
    now = client.now()
    until = parse_time(expires, now, "有效期", "The expiry")
    if units:
        draft = client.dispute_payment(subject.terms, units=units, method=method, deadline=until)
    else:
        draft = client.payment(subject.terms, method=method, deadline=until)
    signed = client.sign_payment(subject.terms, draft)
    document = payment_document(place_of(session, subject.order_id), subject.terms, signed)
    amount = session.currency(signed.token).show(signed.amount)
    line = session.screen.say(
        f"✓ 付款已签：{amount}，{clock(until, now)} 前有效；{_bringer(signed, zh=True)}",
        f"✓ Payment of {amount} signed, good until {clock(until, now)}; {_bringer(signed, zh=False)}",
    )
    return write_document(session, document, output, [line])


def approve_permit2(
    session: Session,
    token: Annotated[str, typer.Option("--token", metavar="ADDRESS", help=both("代币", "The token"))],
) -> Answer:
    client = session.acting()
    receipt = client.approve_permit2(parse_address(token, "--token"))
    line = session.screen.say(
        "✓ 今后凭本账户的签名，Permit2 可以动用这种代币",
        "✓ Permit2 may now take this token wherever this account signs",
    )
    return Answer({"token": token, "transaction_hash": receipt.transaction_hash}, [line])


def _method(by: str) -> PaymentMethod:
    try:
        return PaymentMethod(by.lower())
    except ValueError:
        listed = ", ".join(method.value for method in PaymentMethod)
        raise BadInput(
            f"没有 {by!r} 这种付款方式；可用的有 {listed}。", f"There is no way to pay {by!r}: choose {listed}."
        ) from None


def _bringer(signed: Payment, *, zh: bool) -> str:
    if signed.method is PaymentMethod.Permit:
        return "由本账户自己使用" if zh else "for this account's own use"
    return "任何人可用 --payment 送上链" if zh else "anyone may bring it with --payment"
