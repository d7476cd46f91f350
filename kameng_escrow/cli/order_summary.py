"""`kameng order summary`: what an order comes to, in plain words; and whether a listing document is the order's."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..domain.currency import Currency
from ..domain.listing import ListingDocument, parse_document, verify_document
from ..domain.summary import summarize
from ..domain.summary_text import TEXT_VERSION, lines
from ..domain.typed_data import Domain
from .command import NODE, STORE, both, command
from .files import read_json
from .forms import iso
from .order_verbs import ORDER
from .screen import Answer
from .session import Session
from .subject import find_order

if TYPE_CHECKING:
    from ..domain.summary import Summary

LARGEST = 256 * 1024  # bytes of a listing document: two summaries and a long description


def register(order: typer.Typer) -> None:
    """Adds the command to `kameng order`."""
    command(
        order,
        "summary",
        zh="这笔订单约定了什么：谁能做什么、最晚何时到账、退出的代价（--document 核对商品文件）",
        en="What an order comes to: who may do what, when the money arrives at the latest, what giving up costs "
        "(--document checks its listing document)",
        uses=NODE + STORE,
    )(summary)


def summary(
    session: Session,
    order: ORDER,
    document: Annotated[
        Path | None,
        typer.Option(
            "--document",
            metavar="FILE",
            help=both("商品文件（JSON）：与订单逐项核对", "The listing document (JSON): held against the order"),
        ),
    ] = None,
) -> Answer:
    subject = find_order(session, order)
    client, terms = session.client(), subject.terms
    policy = client.policy(terms.policy_id).policy
    goods: list[str] = []
    data: dict[str, Any] = {"order_id": subject.order_id, "listing": terms.listing, "document": None}
    found = session.currency(terms.token)
    currency = Currency(found.token, found.symbol, found.decimals)
    if document is not None:
        read = parse_document(read_json(document, largest=LARGEST))
        deployment = session.deployment()
        domain = Domain(deployment.chain_id, deployment.address)
        verify_document(read, terms, policy, domain, decimals=found.decimals)
        data["document"] = read.to_json()
        currency = read.currency
        goods = _goods(session, read)
    told = summarize(terms, policy)
    english, chinese = lines(told, currency)
    data |= {"text_version": TEXT_VERSION, **_facts(told), "en": list(english), "zh": list(chinese)}
    words = chinese if session.screen.lang == "zh" else english
    return Answer(data, [*goods, *(_line(line) for line in words)])


def _goods(session: Session, read: ListingDocument) -> list[str]:
    say = session.screen.say
    return [
        say("✓ 商品文件与订单相符", "✓ The listing document is the order's"),
        say(
            f"  商品：{read.goods.title}（{read.goods.id} 第 {read.goods.revision} 版）",
            f"  Goods: {read.goods.title} ({read.goods.id}, revision {read.goods.revision})",
        ),
        say(f"  平台订单号：{read.platform_order or '无'}", f"  Platform's number: {read.platform_order or 'none'}"),
        say(f"  收货公钥：{read.delivery_key}", f"  Delivery key: {read.delivery_key}"),
        "",
    ]


def _line(text: str) -> str:
    return text.removeprefix("# ") if text.startswith("# ") else f"  {text}"


def _facts(told: "Summary") -> dict[str, Any]:
    """For machines: amounts as strings of base units."""
    return {
        "latest": iso(told.latest),
        "stages": [
            {
                "state": stage.state.label,
                "lasts": stage.lasts,
                "latest_end": iso(stage.latest_end),
                "outcome": stage.timeout.outcome.label,
                "shares": {name: str(amount) for name, amount in asdict(stage.timeout.shares).items()},
            }
            for stage in told.stages
        ],
        "leavings": [
            {
                "state": leaving.state.label,
                "who": str(leaving.who),
                "move": None if leaving.move is None else str(leaving.move),
                "cost": str(leaving.cost),
            }
            for leaving in told.leavings
        ],
    }
