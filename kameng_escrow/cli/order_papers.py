"""`kameng order …`: what is written and signed off the chain. Terms, offers, splits, actions for a relayer.

Each command writes a JSON document to `--output`, or to stdout, with its summary beside it on stderr.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..domain.order import NATIVE
from ..domain.states import Right, Role, Verb
from .command import CHAIN, STORE, both, command
from .deeds import after
from .documents import (
    Place,
    SignedSplit,
    action_document,
    offer_document,
    read_action,
    read_split,
    split_document,
    terms_document,
)
from .files import write_text
from .forms import clock, parse_address, parse_hash, parse_time
from .order_verbs import ORDER, ZERO_HASH, held_now, parse_part
from .payment_option import PAYMENT, read_for
from .problems import BadInput
from .screen import Answer, to_json
from .session import Session
from .subject import Subject, check_place, find_order

if TYPE_CHECKING:
    from ..client import EscrowClient

OUTPUT = Annotated[
    Path | None,
    typer.Option("--output", "-o", help=both("写到这个文件；缺省写到标准输出", "Write to this file, not to stdout")),
]
EXPIRES = Annotated[
    str,
    typer.Option(
        "--expires",
        metavar="TIME",
        help=both("有效到何时：2h，或带时区的时间", "Until when: 2h, or a time with its zone"),
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the commands to `kameng order`."""
    signing = CHAIN + STORE
    command(
        app,
        "terms",
        zh="写一份条款文件，补全缺省项，并算出订单号",
        en="Write a terms file with the defaults filled in, and the order id",
        uses=CHAIN,
    )(terms)
    for name, function, zh, en in (
        ("offer", offer, "卖家签一份报价：买家凭它下单即接单", "The seller signs an offer to accept the order"),
        ("split", split, "起草并签署一份分配方案", "Draft a division of the money, and sign it"),
        ("countersign", countersign, "在对方的分配方案上签名", "Sign the other party's split"),
        ("agree", agree, "把双方同意的分配方案送上链", "Bring an agreed split to the chain"),
        ("sign", sign, "签一个动作，交给别人代为上链", "Sign an action for somebody else to bring to the chain"),
        ("relay", relay, "把别人签好的动作送上链", "Bring an action that somebody signed to the chain"),
    ):
        command(app, name, zh=zh, en=en, uses=signing)(function)


def terms(
    session: Session,
    seller: Annotated[str, typer.Option("--seller", metavar="ADDRESS", help=both("卖家", "The seller"))],
    price: Annotated[
        str, typer.Option("--price", metavar="AMOUNT", help=both("总价，如 12.50", "The whole price, such as 12.50"))
    ],
    policy: Annotated[str, typer.Option("--policy", metavar="HASH", help=both("规则编号", "The policy's id"))],
    buyer: Annotated[
        str,
        typer.Option(
            "--buyer", metavar="ADDRESS", help=both("买家；缺省是密钥的主人", "The buyer; else the key's owner")
        ),
    ] = "",
    token: Annotated[
        str,
        typer.Option("--token", metavar="ADDRESS", help=both("代币；缺省是原生币", "The token; else the native coin")),
    ] = "",
    units: Annotated[int, typer.Option("--units", help=both("几张卡", "How many cards"))] = 1,
    refund_to: Annotated[
        str,
        typer.Option(
            "--refund-to", metavar="ADDRESS", help=both("退款收款地址；缺省是买家", "Where refunds go; else the buyer")
        ),
    ] = "",
    pay_to: Annotated[
        str,
        typer.Option(
            "--pay-to", metavar="ADDRESS", help=both("卖家收款地址；缺省是卖家", "Where payment goes; else the seller")
        ),
    ] = "",
    listing: Annotated[
        str,
        typer.Option(
            "--listing", metavar="HASH", help=both("商品与平台单号的哈希", "Hash of the listing; else random")
        ),
    ] = "",
    open_by: Annotated[
        str,
        typer.Option(
            "--open-by", metavar="TIME", help=both("最迟何时付款：2h，或带时区的时间", "Pay until: 2h, or a time")
        ),
    ] = "24h",
    salt: Annotated[
        str,
        typer.Option(
            "--salt", metavar="HASH", help=both("区分相同订单的随机数", "Tells equal orders apart; else random")
        ),
    ] = "",
    output: OUTPUT = None,
) -> Answer:
    wanted: dict[str, Any] = {
        "seller": parse_address(seller, "--seller"),
        "policy_id": parse_hash(policy, "--policy"),
        "token": parse_address(token, "--token") if token else NATIVE,
        "buyer": parse_address(buyer, "--buyer") if buyer else None,
        "refund_to": parse_address(refund_to, "--refund-to") if refund_to else None,
        "pay_to": parse_address(pay_to, "--pay-to") if pay_to else None,
        "listing": parse_hash(listing, "--listing") if listing else None,
        "salt": parse_hash(salt, "--salt") if salt else None,
    }
    if not 1 <= units <= 0xFFFF:
        raise BadInput(f"数量应在 1 到 65535 之间，不能是 {units}。", f"Units must be 1 to 65,535, not {units}.")
    client = session.client() if wanted["buyer"] else session.acting()
    now = client.now()
    currency = session.currency(wanted["token"])
    amount = currency.parse(price, "价格", "The price")
    if amount == 0:
        raise BadInput("价格不能是 0。", "The price can't be zero.")
    until = parse_time(open_by, now, "付款期限", "The time to pay")
    made = client.terms(price=amount, units=units, open_by=until, **wanted)
    place = place_of(session, client.order_id(made))
    document = terms_document(place, made)
    screen = session.screen
    summary = [
        screen.say("✓ 订单号 ", "✓ Order ") + place.order_id,
        screen.say(
            f"  {currency.show(amount)}，{units} 件，最迟 {clock(until, now)} 付款",
            f"  {currency.show(amount)} for {units} units, to be paid until {clock(until, now)}",
        ),
    ]
    return write_document(session, document, output, summary)


def offer(session: Session, order: ORDER, expires: EXPIRES = "1h", output: OUTPUT = None) -> Answer:
    client = session.acting()
    subject = find_order(session, order)
    now = client.now()
    until = parse_time(expires, now, "有效期", "The expiry")
    _require_acceptor(client, subject)
    promise = client.sign_offer(subject.terms, expiry=until)
    document = offer_document(place_of(session, subject.order_id), promise)
    line = session.screen.say(
        f"✓ 报价已签，{clock(until, now)} 前有效；提前作废用 kameng order revise",
        f"✓ Offer signed, good until {clock(until, now)}; `kameng order revise` voids it earlier",
    )
    return write_document(session, document, output, [line])


def split(
    session: Session,
    order: ORDER,
    to_buyer: Annotated[
        str,
        typer.Option(
            "--to-buyer",
            metavar="AMOUNT|N%",
            help=both("托管款中分给买家的部分", "What the buyer gets of what is held"),
        ),
    ],
    expires: EXPIRES = "23h",
    output: OUTPUT = None,
) -> Answer:
    client = session.acting()
    subject = find_order(session, order)
    now = client.now()
    until = parse_time(expires, now, "有效期", "The expiry")
    held = held_now(session, subject.order_id, subject.terms)
    currency = session.currency(subject.terms.token)
    part = parse_part(to_buyer, held, currency)
    draft = client.split(subject.terms, to_buyer=part, expiry=until)
    signed = _sign(session, subject, SignedSplit(split=draft))
    document = split_document(place_of(session, subject.order_id), subject.terms, signed)
    line = session.screen.say(
        f"✓ 方案已签：托管的 {currency.show(held)} 中，买家得 {currency.show(part)}；{clock(until, now)} 前有效",
        f"✓ Split signed: of {currency.show(held)} held, {currency.show(part)} to the buyer; "
        f"good until {clock(until, now)}",
    )
    return write_document(session, document, output, [line])


FILE = Annotated[Path, typer.Argument(metavar="FILE", help=both("对方给的文件", "The file the other side gave you"))]


def countersign(session: Session, file: FILE, output: OUTPUT = None) -> Answer:
    place, order_terms, signed = read_split(file)
    session.signer()  # a key that is missing is told before the node is asked
    check_place(session, place, order_terms, file)
    subject = Subject(place.order_id, order_terms)
    document = split_document(place, order_terms, _sign(session, subject, signed))
    currency = session.currency(order_terms.token)
    line = session.screen.say(
        f"✓ 已签名：买家得 {currency.show(signed.split.to_buyer)}",
        f"✓ Signed: {currency.show(signed.split.to_buyer)} to the buyer",
    )
    return write_document(session, document, output, [line])


def agree(session: Session, file: FILE) -> Answer:
    place, order_terms, signed = read_split(file)
    client = session.acting()
    check_place(session, place, order_terms, file)
    receipt = client.agree(
        order_terms,
        split=signed.split,
        buyer_signature=signed.buyer_signature,
        seller_signature=signed.seller_signature,
    )
    return after(session, Subject(place.order_id, order_terms), receipt, "已按协议分配", "Divided as agreed")


def sign(
    session: Session,
    verb: Annotated[str, typer.Argument(metavar="VERB", help=both("动作，如 confirm", "What to do, such as confirm"))],
    order: ORDER,
    units: Annotated[int, typer.Option("--units", help=both("dispute：有争议的数量", "dispute: units in dispute"))] = 0,
    content: Annotated[
        str,
        typer.Option(
            "--content",
            metavar="HASH",
            help=both("deliver、recommit：承诺；dispute：证据", "deliver, recommit: the commitment; dispute: evidence"),
        ),
    ] = ZERO_HASH,
    role: Annotated[
        str,
        typer.Option(
            "--role", metavar="ROLE", help=both("以何身份：Buyer、Seller、Operator", "Buyer, Seller or Operator")
        ),
    ] = "",
    expires: EXPIRES = "1h",
    output: OUTPUT = None,
) -> Answer:
    named = {member.label.lower(): member for member in Verb}.get(verb.lower())
    if named is None:
        listed = ", ".join(member.label.lower() for member in Verb)
        raise BadInput(
            f"没有 {verb!r} 这个动作；可签的有 {listed}。", f"There is no {verb!r} to sign: choose {listed}."
        )
    as_role = {member.label.lower(): member for member in Role}.get(role.lower()) if role else None
    if role and as_role is None:
        raise BadInput(f"没有 {role!r} 这种身份。", f"There is no role {role!r}: choose Buyer, Seller or Operator.")
    hashed = parse_hash(content, "--content")
    client = session.acting()
    subject = find_order(session, order)
    now = client.now()
    until = parse_time(expires, now, "有效期", "The expiry")
    action = client.action(
        subject.terms,
        verb=named,
        role=as_role,
        number=units if named is Verb.Dispute else None,
        content=hashed,
        expiry=until,
    )
    signature = client.sign_action(subject.terms, action)
    document = action_document(place_of(session, subject.order_id), subject.terms, action, signature)
    line = session.screen.say(
        f"✓ 已签 {named.label}，{clock(until, now)} 前有效；任何人可用 kameng order relay 送上链",
        f"✓ {named.label} signed, good until {clock(until, now)}; anyone may bring it with `kameng order relay`",
    )
    return write_document(session, document, output, [line])


def relay(session: Session, file: FILE, payment: PAYMENT = None) -> Answer:
    place, order_terms, action, signature = read_action(file)
    client = session.acting()
    check_place(session, place, order_terms, file)
    subject = Subject(place.order_id, order_terms)
    signed = read_for(session, subject, payment)
    receipt = client.act(order_terms, action=action, signature=signature, payment=signed)
    return after(session, subject, receipt, f"已代为执行 {action.verb.label}", f"{action.verb.label} relayed")


def _require_acceptor(client: "EscrowClient", subject: Subject) -> None:
    """Raises `BadInput` where the account's offer would be refused at the opening."""
    terms = subject.terms
    if client.address == terms.seller:
        return
    grant = client.operator(client.address, seller=terms.seller, token=terms.token, policy_id=terms.policy_id)
    if not grant.rights & Right.Accept:
        raise BadInput(
            f"{client.address} 不是卖家，也没有代卖家接单的权限：它签的报价不会被承认。",
            f"{client.address} is not the seller and may not accept for it: its offer would count for nothing.",
        )


def place_of(session: Session, order_id: str) -> Place:
    """Where a document about the order belongs."""
    deployment = session.deployment()
    return Place(chain_id=deployment.chain_id, contract=deployment.address, order_id=order_id)


def _sign(session: Session, subject: Subject, signed: SignedSplit) -> SignedSplit:
    client = session.acting()
    if client.address == subject.terms.buyer:
        return replace(signed, buyer_signature=client.sign_split(subject.terms, signed.split))
    if client.address == subject.terms.seller:
        return replace(signed, seller_signature=client.sign_split(subject.terms, signed.split))
    raise BadInput(
        f"{client.address} 既不是这笔订单的买家也不是卖家，签了也没有用。",
        f"{client.address} is neither buyer nor seller of this order: its signature would count for nothing.",
    )


def write_document(session: Session, document: dict[str, Any], output: Path | None, summary: list[str]) -> Answer:
    """The document to its file or to stdout, and the summary where it does not get in the way."""
    if output is not None:
        write_text(output, to_json(document) + "\n")
        place = session.screen.say(f"  已写入 {output}", f"  written to {output}")
        return Answer(document, [*summary, place])
    if not session.screen.as_json:
        for line in summary:
            session.screen.beside(line)
    session.screen.document(to_json(document) + "\n")
    return Answer(document, printed=True)
