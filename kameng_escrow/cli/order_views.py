"""`kameng order show`, `kameng orders`: what the mirror knows, and the chain where it knows nothing."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from ..domain.actions import Possibility, possible
from ..domain.events import Logged
from ..domain.labels import label_of
from ..domain.lifecycle import Move, Who, negotiation_end
from ..domain.order import Order
from ..domain.shares import held, timeout
from ..domain.states import State
from ..errors import EscrowError
from .command import NODE, STORE, both, command
from .deeds import shares_data
from .documents import terms_data
from .forms import clock, iso, parse_address, short, span
from .order_verbs import ORDER
from .problems import BadInput
from .screen import Answer
from .session import Session
from .subject import ID, find_order
from .wording import Clockwork, clock_text, shares_text, state_text

if TYPE_CHECKING:
    from ..store import MirroredOrder

_NO_RECORD = ("no_deployment", "records_closed", "damaged_record")


def register(order: typer.Typer, root: typer.Typer) -> None:
    """Adds the commands to `kameng order` and `kameng`."""
    uses = NODE + STORE
    command(
        order,
        "show",
        zh="一笔订单：状态、时限、下一步、历史（kameng order 订单号 也可以）",
        en="One order: state, clock, next action, history (`kameng order ID` does the same)",
        uses=uses,
    )(show)
    command(root, "orders", zh="列出镜像里的订单", en="List the orders in the mirror", uses=uses)(orders)


def show(session: Session, order: ORDER) -> Answer:
    found, logs, now, source = _load(session, order)
    data = {**order_data(found, now), "source": source, "history": [_event_data(logged) for logged in logs]}
    return Answer(data, _page(session, found, logs, now, source))


STATE = Annotated[
    list[str] | None,
    typer.Option("--state", metavar="STATE", help=both("只看这种状态，可写多次", "Only in this state; repeatable")),
]


def orders(
    session: Session,
    state: STATE = None,
    party: Annotated[
        str, typer.Option("--party", metavar="ADDRESS", help=both("只看此人参与的", "Only with this account in it"))
    ] = "",
    due: Annotated[
        bool, typer.Option("--due", help=both("只看已到期、可以结算的", "Only those that anyone may settle"))
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help=both("最多几笔", "At most so many"))] = 50,
    cursor: Annotated[str, typer.Option("--cursor", help=both("接着上一页", "Go on from the page before"))] = "",
) -> Answer:
    states = [_state(label) for label in state or ()]
    who = parse_address(party, "--party") if party else None
    book = session.book()
    marks = book.info().marks
    now = marks.seen_at
    page = book.orders(
        states=states or None,
        party=who,
        due_before=now + 1 if due else None,
        limit=limit,
        cursor=cursor or None,
    )
    screen = session.screen
    data = {
        "orders": [{**order_data(row.order, now), "final": row.final} for row in page.orders],
        "cursor": page.cursor,
        "seen_block": marks.seen,
        "seen_at": iso(now),
    }
    if not page.orders:
        return Answer(data, [screen.say("没有符合条件的订单", "No orders match")])
    table = screen.table(("订单", "Order"), ("状态", "State"), ("金额", "Price"), ("时限", "Clock"), right=(2,))
    for row in page.orders:
        table.add_row(*_row(session, row, now))
    lines: list[Any] = [table, _mark(session, now, marks.seen)]
    if page.cursor:
        lines.append(screen.say(f"还有更多：--cursor {page.cursor}", f"There are more: --cursor {page.cursor}"))
    return Answer(data, lines)


def order_data(order: Order, now: int) -> dict[str, Any]:
    """An order for machines; `now` decides what is due."""
    coming = None
    if order.state.is_open and order.policy is not None:
        ending = timeout(order.policy, order.state, held(order))
        coming = {
            "due_at": iso(order.deadline),
            "due": order.deadline is not None and now >= order.deadline,
            "outcome": ending.outcome.label,
            "fault": ending.fault.label,
            "shares": shares_data(ending.shares),
        }
    return {
        "order_id": order.id,
        "state": order.state.label,
        "outcome": order.outcome.label,
        "fault": order.fault.label,
        "shares": shares_data(order.shares) if order.shares is not None else None,
        "undisputed": shares_data(order.undisputed) if order.undisputed is not None else None,
        "disputed_units": order.disputed_units,
        "revision": order.revision,
        "payer": order.payer,
        **{
            name: iso(getattr(order, name))
            for name in ("opened_at", "accepted_at", "delivered_at", "disputed_at", "closed_at", "deadline")
        },
        "commitment": order.commitment,
        "evidence": order.evidence,
        "grounds": order.grounds,
        "next": coming,
        "possible": [
            {"move": found.move.value, "who": found.who.value, "until": iso(found.until), "ends": found.ends}
            for found in possible_moves(order, now)
        ],
        "terms": terms_data(order.terms) if order.terms is not None else None,
        "policy": asdict(order.policy) if order.policy is not None else None,
    }


def possible_moves(order: Order, now: int) -> list[Possibility]:
    """Everything that can be done with the order at the chain's second `now`, once for everybody who may."""
    return [found for who in Who if who is not Who.Operator for found in possible(order, who, now) if found.who is who]


def _load(session: Session, word: str) -> tuple[Order, list[Logged], int, str]:
    """The order, its events, the chain's time as its source knows it, and the source."""
    if ID.fullmatch(word):
        order_id = word.lower()
    elif Path(word).exists() or word.endswith(".json"):
        order_id = find_order(session, word).order_id
    else:
        raise BadInput(
            f"{word!r} 既不是订单号（0x 加 64 位十六进制），也不是条款文件。",
            f"{word!r} is neither an order's id (0x and 64 hex digits) nor a terms file.",
        )
    from ..store import StoreError

    try:
        book = session.book()
        row = book.order(order_id)
        marks = book.info().marks
        return row.order, book.history(order_id), marks.seen_at, "mirror"
    except EscrowError as error:
        if not isinstance(error, StoreError) and error.code not in _NO_RECORD:
            raise
        client = session.client()  # the mirror can't tell: the chain can
        found = client.order(order_id)
        return found, list(client.events(order_id=order_id)), client.now(), "chain"


def _row(session: Session, row: "MirroredOrder", now: int) -> tuple[str, ...]:
    order, screen = row.order, session.screen
    assert order.terms is not None  # the list has opened orders only
    currency = session.currency(order.terms.token)
    state = state_text(screen, order.state, order.outcome, order.fault)
    if order.deadline is None or not order.state.is_open:
        until = screen.say("结束于 ", "ended ") + clock(order.closed_at or 0, now)
    elif now >= order.deadline:
        until = screen.say("已到期，可结算", "due: anyone may settle")
    else:
        until = f"{clock(order.deadline, now)}（{span(order.deadline - now, screen.lang)}）"
    return order.id, state, currency.show(order.terms.price), until


def _page(session: Session, order: Order, logs: list[Logged], now: int, source: str) -> list[Any]:
    screen = session.screen
    lines: list[Any] = [
        screen.say("订单 ", "Order ") + order.id,
        screen.say("状态 ", "State ") + state_text(screen, order.state, order.outcome, order.fault),
    ]
    if order.terms is None:
        return lines
    terms = order.terms
    currency = session.currency(terms.token)
    lines.append(
        screen.say(
            f"金额 {currency.show(terms.price)}，{terms.units} 件",
            f"Price {currency.show(terms.price)} for {terms.units} units",
        )
    )
    lines.append(screen.say(f"买家 {terms.buyer}", f"Buyer {terms.buyer}"))
    lines.append(screen.say(f"卖家 {terms.seller}", f"Seller {terms.seller}"))
    if order.state.is_open and order.policy is not None and order.deadline is not None:
        ending = timeout(order.policy, order.state, held(order))
        work = Clockwork(
            state=order.state,
            due_at=order.deadline,
            shares=ending.shares,
            mediation_from=negotiation_end(order) if order.policy.mediate_window else None,
        )
        lines.append(screen.say("时限 ", "Clock ") + clock_text(screen, work, currency, now))
        lines.append(screen.say("可做 ", "Next  ") + _moves_text(session, order, now))
    if order.undisputed is not None:
        lines.append(screen.say("无争议部分 ", "Undisputed part ") + shares_text(screen, order.undisputed, currency))
    if order.shares is not None:
        lines.append(screen.say("分配 ", "Paid ") + shares_text(screen, order.shares, currency))
    lines += ["", _history(session, logs), ""]
    if source == "mirror":
        lines.append(_mark(session, now, None))
    else:
        lines.append(
            screen.say("（直接读自链上：镜像里没有这笔订单）", "(read from the chain: the mirror does not have it)")
        )
    return lines


def _moves_text(session: Session, order: Order, now: int) -> str:
    screen = session.screen
    whose: dict[Who, list[str]] = {}
    for found in possible_moves(order, now):
        if found.move is not Move.Revise:  # always possible, and seldom what somebody looks for
            whose.setdefault(found.who, []).append(_move_word(screen.lang, found.move))
    name = _WHO_ZH if screen.lang == "zh" else {who: who.value for who in Who}
    return screen.say("；", "; ").join(
        f"{name[who]}{screen.say('：', ': ')}{screen.say('、', ', ').join(moves)}" for who, moves in whose.items()
    )


def _move_word(lang: str, move: Move) -> str:
    if lang == "en":
        return move.value
    return label_of(move.verb).zh if move.verb is not None else _MOVE_ZH[move]


_WHO_ZH = {
    Who.Payer: "付款人", Who.Buyer: "买家", Who.Seller: "卖家", Who.Operator: "代理操作员", Who.Parties: "双方",
    Who.Mediator: "仲裁员", Who.Platform: "平台", Who.Anyone: "任何人",
}  # fmt: skip
_MOVE_ZH = {Move.Rule: "裁决", Move.Agree: "协议分配", Move.Intervene: "介入退款", Move.Settle: "到期结算"}


def _history(session: Session, logs: list[Logged]) -> Table:
    screen = session.screen
    table = screen.table(("时间", "Time"), ("事件", "Event"), ("区块", "Block"), ("交易", "Transaction"), right=(2,))
    for logged in logs:
        name = type(logged.event).__name__
        text = f"{_EVENT_ZH.get(name, '')} {name}".strip() if screen.lang == "zh" else name
        table.add_row(clock(logged.timestamp), text, str(logged.block_number), short(logged.transaction_hash))
    return table


_EVENT_ZH = {
    "OrderOpened": "付款下单", "OrderAccepted": "接单", "OrderDelivered": "发货", "OrderDisputed": "提出争议",
    "OrderRecommitted": "补发卡密", "OrderRevised": "作废旧签名", "OrderRuled": "裁决",
    "MediationFeeCredited": "仲裁费入账", "OrderClosed": "结束",
}  # fmt: skip


def _event_data(logged: Logged) -> dict[str, Any]:
    from ..store.event_json import to_json as event_json

    return {
        "event": type(logged.event).__name__,
        "timestamp": iso(logged.timestamp),
        "block_number": logged.block_number,
        "transaction_hash": logged.transaction_hash,
        "log_index": logged.log_index,
        "fields": event_json(logged.event),
    }


def _mark(session: Session, now: int, block: int | None) -> str:
    place = "" if block is None else session.screen.say(f"区块 {block}，", f"block {block}, ")
    return session.screen.say(
        f"（镜像截至{place}链上时间 {clock(now)}）", f"(mirrored up to {place}chain time {clock(now)})"
    )


def _state(label: str) -> State:
    for state in State:
        if state.label.lower() == label.lower():
            return state
    labels = ", ".join(state.label for state in State)
    raise BadInput(f"没有 {label!r} 这种状态；可选 {labels}。", f"There is no state {label!r}: choose {labels}.")
