"""`kameng receipt …` and `kameng watchtower`: acting without any service, and having somebody act who is awake."""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..domain.order import NATIVE
from ..domain.payments import PaymentMethod
from ..domain.states import State
from ..errors import EscrowError
from .command import CHAIN, NODE, STORE, both, command
from .deeds import receipt_data
from .documents import read_offer
from .files import read_json
from .forms import clock, iso, parse_duration, parse_hash, short
from .interrupts import heed
from .network import stop_on_signals
from .order_papers import OUTPUT, write_document
from .order_verbs import ORDER, ZERO_HASH
from .packing import LISTING_FILE, listing_of
from .problems import CHECK_FAILED, INTERRUPTED, BadInput, FileUnusable
from .screen import Answer
from .session import Session
from .subject import check_place, find_order
from .wording import state_text

if TYPE_CHECKING:
    from ..client.receipt import TermsReceipt

FILE = Annotated[Path, typer.Argument(metavar="FILE", help=both("条款凭据", "A terms receipt"))]
LARGEST = 4 * 1024 * 1024  # bytes of a receipt with the largest listing


def register(receipt: typer.Typer, app: typer.Typer) -> None:
    """Adds the commands to `kameng receipt`, and the watchtower to `app`."""
    command(
        receipt,
        "make",
        zh="做一份条款凭据：没有平台也能操作订单所需的一切",
        en="Make a terms receipt: all that acting without the platform needs",
        uses=CHAIN + STORE,
    )(make)
    command(
        receipt,
        "show",
        zh="核对条款凭据，并用大白话说明各个时限",
        en="Check a terms receipt, and tell its deadlines in plain words",
        uses=NODE,
    )(show)
    command(
        app,
        "watchtower",
        zh="瞭望塔：验货期快结束而买家没有动静时，提出他预签的争议",
        en="Watchtower: post a pre-signed dispute when the inspection is about to end and the buyer is silent",
        uses=CHAIN,
    )(watchtower)


def make(
    session: Session,
    order: ORDER,
    listing_file: LISTING_FILE = None,
    offer: Annotated[
        Path | None, typer.Option("--offer", metavar="FILE", help=both("卖家签的报价", "The seller's signed offer"))
    ] = None,
    dispute: Annotated[
        int,
        typer.Option(
            "--dispute",
            metavar="UNITS",
            help=both("买家预签一份争议：这么多张", "As the buyer, sign a dispute over so many units beforehand"),
        ),
    ] = 0,
    evidence: Annotated[
        str, typer.Option("--evidence", metavar="HASH", help=both("争议证据的哈希", "A hash of its evidence"))
    ] = ZERO_HASH,
    bond_by: Annotated[
        str,
        typer.Option(
            "--bond-by",
            metavar="METHOD",
            help=both(
                "争议押金怎么付：authorization、permit；缺省靠授权额度",
                "How its bond is paid: authorization or permit; else by an allowance",
            ),
        ),
    ] = "",
    output: OUTPUT = None,
) -> Answer:
    method = _method(bond_by)
    client = session.acting() if dispute else session.client()
    subject = find_order(session, order)
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
    signed = None
    if dispute:
        hashed = parse_hash(evidence, "--evidence")
        signed = client.sign_dispute(subject.terms, units=dispute, evidence=hashed, bond_by=method)
    made = client.receipt(
        subject.terms,
        currency=_currency(session, subject.terms.token),
        listing=None if listing_file is None else listing_of(listing_file, subject.terms),
        offer=promise,
        dispute=signed,
    )
    screen = session.screen
    lines = [screen.say("✓ 条款凭据，订单 ", "✓ Terms receipt of order ") + subject.order_id]
    if signed is not None:
        until = clock(signed.action.expiry)
        lines.append(
            screen.say(
                f"  含预签的争议（{dispute} 张，{until} 前有效）：谁拿到它，发货后随时可以提出，请只交给信得过的人。",
                f"  with a dispute over {dispute} units, good until {until}: whoever has it can post it as soon as the "
                "order is Delivered. Give it to nobody you don't trust with that.",
            )
        )
    return write_document(session, made.to_json(), output, lines)


def show(session: Session, file: FILE) -> Answer:
    receipt = _read(file)
    client = session.client()
    client.verify_receipt(receipt)
    status, now = client.status(receipt.order_id), client.now()
    screen = session.screen
    words = receipt.summary_zh if screen.lang == "zh" else receipt.summary_en
    lines: list[Any] = [
        screen.say(
            "✓ 条款凭据属实：订单号、规则和每个签名都核对过",
            "✓ The receipt is true: order id, policy and every signature hold",
        ),
        screen.say("  订单 ", "  Order ") + receipt.order_id,
        screen.say("  合约 ", "  Contract ") + f"{receipt.deployment.address} ({receipt.deployment.chain_id})",
        screen.say("  状态 ", "  State ") + state_text(screen, status.state, status.outcome, status.fault),
    ]
    if status.state.is_open and status.deadline is not None:
        lines.append(screen.say("  时限 ", "  Deadline ") + clock(status.deadline, now))
    for word in words:
        lines.append(f"\n{word.removeprefix('# ')}" if word.startswith("# ") else f"  {word}")
    data = {
        "order_id": receipt.order_id,
        "state": status.state.label,
        "deadline": iso(status.deadline) if status.state.is_open else None,
        "offer": receipt.offer is not None,
        "dispute_units": None if receipt.dispute is None else receipt.dispute.action.number,
        "dispute_expires": None if receipt.dispute is None else iso(receipt.dispute.action.expiry),
        "listing": receipt.listing is not None,
        "summary": {"zh": list(receipt.summary_zh), "en": list(receipt.summary_en)},
    }
    return Answer(data, lines)


def watchtower(
    session: Session,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help=both("含预签争议的条款凭据", "Receipts with a pre-signed dispute")),
    ],
    margin: Annotated[
        str,
        typer.Option(
            "--margin",
            metavar="TIME",
            help=both("验货期结束前多久提出", "How long before the inspection ends it is posted"),
        ),
    ] = "30m",
    pay_bonds: Annotated[
        bool,
        typer.Option(
            "--pay-bonds",
            help=both(
                "原生币订单的争议押金由本账户垫付（赢了也退给买家）",
                "Pay the bond of orders in the native coin from this account (won, it goes to the buyer)",
            ),
        ),
    ] = False,
    once: Annotated[bool, typer.Option("--once", help=both("只看一次，供 cron 使用", "Look once: for cron"))] = False,
    poll: Annotated[
        float, typer.Option("--poll", min=0.05, max=3600, help=both("隔几秒看一次", "Seconds between looks"))
    ] = 30.0,
) -> Answer:
    seconds = parse_duration(margin, "提前量", "The margin")
    client = session.acting(watched=False)
    waiting: dict[Path, TermsReceipt] = {}
    for file in files:
        receipt = _read(file)
        client.verify_receipt(receipt)
        if receipt.dispute is None:
            raise FileUnusable(
                f"{file} 里没有预签的争议：请买家用 kameng receipt make --dispute 重做一份。",
                f"{file} has no pre-signed dispute: the buyer makes one with `kameng receipt make --dispute`.",
                path=str(file),
            )
        waiting[file] = receipt
    stop = threading.Event()
    results: dict[Path, dict[str, Any]] = {}
    troubled: set[Path] = set()
    with ExitStack() as stack:
        stop_on_signals(stack, stop)
        while waiting:
            for file in list(waiting):
                if stop.is_set():
                    break
                try:
                    result = _look(session, waiting[file], seconds, pay_bonds)
                    troubled.discard(file)
                except EscrowError as error:  # of one order; the others must not wait for it
                    _tell(session, file, error)
                    troubled.add(file)
                    continue
                if result["watch"] != "Wait":
                    del waiting[file]
                if result["watch"] != "Wait" or once:
                    results[file] = result
            if once or stop.wait(poll if waiting else 0) or stop.is_set():
                break
    heed()
    data = {
        "receipts": [{"file": str(file), **results[file]} for file in files if file in results],
        "failed": sorted(str(file) for file in troubled),
    }
    failed = bool(troubled) or any(result["watch"] == "Missed" for result in results.values())
    code = CHECK_FAILED if failed else INTERRUPTED if stop.is_set() and once else 0
    return Answer(data, [_line(session, file, results[file]) for file in files if file in results], exit_code=code)


def _look(session: Session, receipt: "TermsReceipt", margin: int, pay_bonds: bool) -> dict[str, Any]:
    """Posts the receipt's dispute if it is time, and says what was done."""
    from ..client.receipts import Watch, watch

    client, dispute = session.acting(watched=False), receipt.dispute
    assert dispute is not None, "checked when it was read"
    status, now = client.status(receipt.order_id), client.now()
    found = watch(dispute, status, now, margin=margin)
    data: dict[str, Any] = {
        "order_id": receipt.order_id,
        "watch": str(found.what),
        "state": status.state.label,
        "look_at": iso(found.look_at),
    }
    if found.what is not Watch.Post:
        return data
    if receipt.terms.token == NATIVE and receipt.policy.dispute_bond_bps and not pay_bonds:
        raise BadInput(
            f"订单 {receipt.order_id} 的争议押金要用原生币垫付，胜诉也退给买家：确实要垫付请加 --pay-bonds。",
            f"The dispute bond of order {receipt.order_id} is in the native coin, and goes to the buyer even when won: "
            "to pay it from this account, say --pay-bonds.",
        )
    done = client.act(receipt.terms, action=dispute.action, signature=dispute.signature, payment=dispute.payment)
    session.screen.note(f"已替买家提出争议：{receipt.order_id}", f"Posted the buyer's dispute: {receipt.order_id}")
    return {**data, "state": State.Disputed.label, **receipt_data(done)}


def _line(session: Session, file: Path, result: dict[str, Any]) -> str:
    say, order_id = session.screen.say, short(result["order_id"])
    words = {
        "Post": (f"✓ {file}：已替买家提出争议（{order_id}）", f"✓ {file}: the buyer's dispute is posted ({order_id})"),
        "Done": (
            f"· {file}：不用了，订单 {order_id} 是 {result['state']}",
            f"· {file}: not needed, {order_id} is {result['state']}",
        ),
        "Missed": (f"✗ {file}：已来不及（{order_id}）", f"✗ {file}: too late for {order_id}"),
        "Wait": (
            f"· {file}：还早（{order_id} 是 {result['state']}）",
            f"· {file}: not yet, {order_id} is {result['state']}",
        ),
    }
    return say(*words[result["watch"]])


def _tell(session: Session, file: Path, error: EscrowError) -> None:
    from ..chinese import chinese

    session.screen.note(f"! {file}：{chinese(error)}", f"! {file}: {error.message}")


def _read(file: Path) -> "TermsReceipt":
    from ..client.receipt import parse_receipt

    return parse_receipt(read_json(file, largest=LARGEST))


def _method(text: str) -> PaymentMethod | None:
    if not text:
        return None
    if text not in (PaymentMethod.Permit.value, PaymentMethod.Authorization.value):
        raise BadInput(
            f"--bond-by 应为 authorization 或 permit，不能是 {text!r}。",
            f"--bond-by must be authorization or permit, not {text!r}.",
        )
    return PaymentMethod(text)


def _currency(session: Session, token: str) -> Any:
    from ..domain.currency import Currency

    shown = session.currency(token)
    return Currency(token, shown.symbol, shown.decimals)
