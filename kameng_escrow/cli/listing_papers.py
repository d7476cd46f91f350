"""`kameng order listing`: binds what is sold, and the buyer's delivery key, into terms; for who has no platform."""

from pathlib import Path
from typing import Annotated

import typer

from ..delivery.keys import new_nonce
from ..domain.categories import Category
from ..domain.currency import Currency
from .command import CHAIN, both, command
from .deliveries import NONCE, identity_of
from .documents import Place, read_terms, terms_document
from .files import require_writable, write_text
from .forms import parse_hash
from .problems import BadInput
from .screen import Answer, to_json
from .session import Session
from .subject import check_place

_CATEGORIES = ", ".join(category.value for category in Category)


def register(app: typer.Typer) -> None:
    """Adds the command to `kameng order`."""
    command(
        app,
        "listing",
        zh="买家：把商品和交付公钥写进条款，另存商品文件（订单号随之改变）",
        en="Buyer: bind what is sold and the delivery key into terms; gives the order its final id",
        uses=(*CHAIN, "delivery_key_file"),
    )(listing)


def listing(
    session: Session,
    draft: Annotated[Path, typer.Argument(metavar="TERMS", help=both("起草的条款文件", "The terms, as drafted"))],
    title: Annotated[str, typer.Option("--title", help=both("商品名称", "What is sold"))],
    output: Annotated[
        Path, typer.Option("--output", "-o", help=both("商品文件写到这里", "Where the listing document goes"))
    ],
    terms_file: Annotated[
        Path, typer.Option("--terms", metavar="FILE", help=both("最终条款写到这里", "Where the final terms go"))
    ],
    category: Annotated[
        str,
        typer.Option("--category", metavar="WORD", help=both(f"类别：{_CATEGORIES}", f"One of {_CATEGORIES}")),
    ] = Category.GameCard.value,
    description: Annotated[str, typer.Option("--description", help=both("商品说明", "More about it"))] = "",
    delivery_key: Annotated[
        str,
        typer.Option(
            "--delivery-key",
            metavar="age1…",
            help=both("买家的交付公钥；缺省由本机密钥派生", "The buyer's delivery key; else made of the key here"),
        ),
    ] = "",
    nonce: NONCE = "",
) -> Answer:
    from ..delivery.keys import recipient_of
    from ..domain.listing import Goods, make_document
    from ..domain.typed_data import Domain, order_id

    if delivery_key and not nonce:
        raise BadInput(
            "用 --delivery-key 时请同时给出做它的 --nonce，否则买家找不回密钥。",
            "With --delivery-key give the --nonce that it was made of, or the buyer won't find the key again.",
        )
    place, terms = read_terms(draft)
    check_place(session, place, terms, draft)
    for path in (output, terms_file):
        require_writable(path)
    chosen = parse_hash(nonce, "--nonce") if nonce else new_nonce()
    public = delivery_key or recipient_of(identity_of(session, chosen))
    client, currency = session.client(), session.currency(terms.token)
    document = make_document(
        domain=Domain(place.chain_id, place.contract),
        goods=Goods(id="-", revision=1, title=title, category=category, description=description),
        platform_order="",
        delivery_key=public,
        terms=terms,
        policy=client.policy(terms.policy_id).policy,
        currency=Currency(terms.token, currency.symbol, currency.decimals),
        nonce=chosen,
    )
    made = document.complete(terms.salt)
    final = Place(chain_id=place.chain_id, contract=place.contract, order_id=order_id(made, document.domain))
    write_text(output, document.canonical().decode("utf-8"))
    write_text(terms_file, to_json(terms_document(final, made)) + "\n")
    screen = session.screen
    words = document.summary_zh if screen.lang == "zh" else document.summary_en
    data = {"order_id": final.order_id, "listing": made.listing, "delivery_key": public, "nonce": chosen}
    lines = [
        screen.say("✓ 订单号 ", "✓ Order ") + final.order_id,
        screen.say("  交付公钥 ", "  Delivery key ") + public,
        *(f"\n{word.removeprefix('# ')}" if word.startswith("# ") else f"  {word}" for word in words),
    ]
    return Answer(data, lines)
