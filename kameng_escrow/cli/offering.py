"""`kameng offers`: a seller's program that makes offers by itself, with the seller's key and by the seller's rules."""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..chinese import chinese
from ..errors import EscrowError
from .command import KEY, both, command
from .forms import iso
from .network import stop_on_signals
from .platform_service import check_url
from .screen import Answer
from .session import Session

if TYPE_CHECKING:
    from ..trade.offer_rules import OfferRules
    from ..trade.offering import Made

_STATEMENT = "Sign in to make offers. This sends no transaction and moves no money."
_LARGEST = 8 * 1024 * 1024  # bytes of an answer


def register(offers: typer.Typer) -> None:
    """Adds the commands to the group."""
    command(
        offers,
        "serve",
        zh="自动签署报价：向平台取来等待报价的询价单，符合规则文件的就签（一直运行到 Ctrl-C；--once 只看一次）",
        en="Make offers by itself: ask the service which quotes want one, sign what the rules allow (until Ctrl-C, or "
        "--once)",
        uses=KEY,
    )(serve)
    command(
        offers,
        "check",
        zh="检查规则文件，说出它允许签什么",
        en="Check a file of rules, and say what it lets be signed",
    )(check)


RulesFile = Annotated[
    Path, typer.Option("--rules", metavar="FILE", help=both("规则文件（TOML）", "The seller's rules (TOML)"))
]


def serve(
    session: Session,
    service: Annotated[
        str, typer.Option("--service", metavar="URL", help=both("平台服务的地址（https）", "The service's URL (https)"))
    ],
    rules: RulesFile,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="FILE",
            help=both(
                "记下签过什么的文件（缺省在规则文件旁）", "Where to write what was signed (else beside the rules)"
            ),
        ),
    ] = None,
    seconds: Annotated[
        int,
        typer.Option("--seconds", min=30, max=86_400, help=both("报价有效几秒", "Seconds that an offer lives")),
    ] = 600,
    once: Annotated[
        bool, typer.Option("--once", help=both("处理完现有的就结束", "End with what is there now"))
    ] = False,
) -> Answer:
    from ..platform import PlatformClient, WalletSignIn
    from ..trade.offer_rules import read_rules
    from ..trade.offering import WAIT, AtService, Offerer
    from ..trade.signed_log import SignedLog

    check_url(service)
    by = read_rules(rules)
    account = session.signer()
    stop = threading.Event()
    with ExitStack() as stack:
        signed = stack.enter_context(SignedLog(log or rules.with_name(f"{rules.name}.signed")))
        wallet = WalletSignIn(account=account, chain_id=by.domain.chain_id, statement=_STATEMENT)
        # What fails is tried again by the program itself, which says so.
        place = PlatformClient(service, wallet=wallet, timeout_seconds=WAIT + 15, retries=0, largest_bytes=_LARGEST)
        stack.callback(place.close)
        stop_on_signals(stack, stop)
        works = Offerer(
            service=AtService(place),
            account=account,
            rules=by,
            log=signed,
            seconds=seconds,
            on_made=lambda made: session.screen.show(_made(session, made)),
            on_refused=lambda error: _trouble(session, error),
        )
        done = works.run(stop, once=once)
    data = {"account": account.address, "made": done.made, "refused": done.refused, "away": done.away}
    return Answer(data, [_done(session, done.made, done.refused)])


def check(session: Session, rules: RulesFile) -> Answer:
    from ..trade.offer_rules import read_rules

    by = read_rules(rules)
    lines = [
        session.screen.say(
            f"卖家 {by.seller}，合约 {by.domain.contract}（链 {by.domain.chain_id}）",
            f"seller {by.seller}, contract {by.domain.contract} (chain {by.domain.chain_id})",
        )
    ]
    for rule in by.goods.values():
        lines.append(
            session.screen.say(
                f"  {rule.listing}：单价不低于 {rule.unit_price} 个最小单位，每单最多 {rule.max_units} 件，"
                f"24 小时最多 {rule.units_per_day} 件",
                f"  {rule.listing}: {rule.unit_price} base units or more for one, {rule.max_units} in an order, "
                f"{rule.units_per_day} in 24 hours",
            )
        )
    return Answer(_data(by), lines)


def _made(session: Session, made: "Made") -> str:
    return session.screen.say(
        f"✓ {made.order_id} · {made.listing} · {made.units} 件 · {made.price} · 有效至 {iso(made.expiry)}",
        f"✓ {made.order_id} · {made.listing} · {made.units} units · {made.price} · lives until {iso(made.expiry)}",
    )


def _trouble(session: Session, error: EscrowError) -> None:
    session.screen.note(f"! {chinese(error)}", f"! {error.message}")


def _done(session: Session, made: int, refused: int) -> str:
    return session.screen.say(f"签署 {made} 份报价，拒绝 {refused} 份", f"{made} offers made, {refused} refused")


def _data(by: "OfferRules") -> dict[str, Any]:
    return {
        "chain_id": by.domain.chain_id,
        "contract": by.domain.contract,
        "seller": by.seller,
        "goods": [
            {
                "listing": rule.listing,
                "token": rule.token,
                "unit_price": str(rule.unit_price),
                "policies": sorted(rule.policies),
                "max_units": rule.max_units,
                "units_per_day": rule.units_per_day,
                "pay_to": rule.pay_to,
            }
            for rule in by.goods.values()
        ],
    }
