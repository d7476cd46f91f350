"""From the outbox to the queues of people's channels, and the reminders that follow."""

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.turns import turn_at
from kameng_escrow.store.news import News, read_news
from kameng_escrow.store.service import notifications as queries
from kameng_escrow.store.service.notification_rows import ChannelRow
from kameng_escrow.store.service.notifying import DisabledFor, Stage
from kameng_escrow.store.service.outbox import PEOPLE, cursor, outbox_end
from kameng_escrow.webhooks.events import ORDER_TYPES, RETRACTED

from .fanout import BATCH
from .reminders import plan
from .topics import CODE, DISABLED, REMINDED, STOCK_ASKED, told_of


def fan_out_people(session: Session, contract_id: int, now_ms: int) -> bool:
    """Queues what people are told, and their reminders; returns whether there may be more."""
    place = cursor(session, contract_id, PEOPLE)
    end = outbox_end(session, contract_id)  # first, as for endpoints
    if not queries.anybody_listens(session):
        place.outbox_id = max(place.outbox_id, end)
        return False
    read = read_news(session, contract_id, after=place.outbox_id, limit=BATCH)
    news = [one for one in read if one.id <= end]
    if not news:
        return False
    fresh = [one for one in news if one.retracts is None and one.retracted_by is None]
    orders = queries.orders_now(session, contract_id, {one.order_id for one in news})
    now = queries.chain_now(session, contract_id, now_ms)
    rows = _events(session, contract_id, fresh, orders, now, now_ms)
    rows += reminders(session, contract_id, orders.values(), now, now_ms)
    queries.enqueue(session, rows)
    for one in news:
        if one.retracts is not None:
            queries.enqueue(session, _retractions(session, contract_id, one, now_ms))
    place.outbox_id = news[-1].id
    return len(news) == BATCH


def reminders(
    session: Session,
    contract_id: int,
    orders: Iterable[Order],
    now: int,
    now_ms: int,
    *,
    only: Sequence[ChannelRow] | None = None,
) -> list[dict[str, Any]]:
    """Rows for the reminders of these orders; `only`: on these channels, which are new."""
    planned = [(order.id, *one) for order in orders for one in plan(order, now)]
    by_account: dict[str, list[ChannelRow]] = {}
    for channel in queries.channels_for(session, {one[1] for one in planned}) if only is None else only:
        by_account.setdefault(channel.account, []).append(channel)
    return [
        _row(
            channel,
            contract_id,
            order_id,
            REMINDED,
            key,
            details,
            now_ms=now_ms,
            at_ms=max(now_ms, now_ms + 1_000 * (at - now)),
            too_late_ms=now_ms + 1_000 * (int(details["until"]) - now),
        )
        for order_id, account, key, at, details in planned
        for channel in by_account.get(account, ())
    ]


def tell_disabled(session: Session, owner: str, endpoint_id: str, reason: DisabledFor, now_ms: int) -> None:
    """Queues for its owner that an endpoint was disabled."""
    details = {"endpoint_id": endpoint_id, "reason": reason.label}
    key = f"d:{endpoint_id}:{now_ms}"
    queries.enqueue(
        session,
        [
            _row(channel, None, None, DISABLED, key, details, now_ms=now_ms)
            for channel in queries.channels_for(session, {owner})
        ],
    )


def ask_for_stock(session: Session, contract_id: int, seller: str, order_id: str, now_ms: int) -> None:
    """Queues for a seller the question whether the goods of an order are there; of use until the order moves on."""
    rows = [
        _row(channel, contract_id, order_id, STOCK_ASKED, f"s:{order_id}", {}, now_ms=now_ms)
        for channel in queries.channels_for(session, {seller})
    ]
    if rows:
        queries.enqueue(session, rows)


def code_row(
    channel: ChannelRow, contract_id: int, details: dict[str, Any], now_ms: int, until_ms: int | None
) -> dict[str, Any]:
    """A row for a channel's code. `details`: the code, sealed; `until_ms`: until when it counts."""
    key = f"c:{now_ms}:{secrets.token_hex(4)}"
    return _row(channel, contract_id, None, CODE, key, details, now_ms=now_ms, too_late_ms=until_ms)


def _events(
    session: Session, contract_id: int, news: Sequence[News], orders: dict[str, Order], now: int, now_ms: int
) -> list[dict[str, Any]]:
    told = [(one, told_of(one, orders[one.order_id])) for one in news if one.order_id in orders]
    by_account: dict[str, list[ChannelRow]] = {}
    for channel in queries.channels_for(session, {account for _, accounts in told for account in accounts}):
        by_account.setdefault(channel.account, []).append(channel)
    rows = []
    for one, accounts in told:
        for account in sorted(accounts & by_account.keys()):
            turn = turn_at(orders[one.order_id], now)
            until = turn.until if turn is not None and turn.account == account else None
            details = {"event": one.payload(), "until": until}
            rows += [
                _row(
                    channel,
                    contract_id,
                    one.order_id,
                    ORDER_TYPES[one.name],
                    f"e:{one.id}",
                    details,
                    now_ms=now_ms,
                )
                for channel in by_account[account]
            ]
    return rows


def _retractions(session: Session, contract_id: int, news: News, now_ms: int) -> list[dict[str, Any]]:
    """For those who were told; who was about to be is not told any more."""
    rows = []
    for message, channel in queries.told(session, contract_id, news.order_id, f"e:{news.retracts}"):
        if message.stage is Stage.Waiting:
            message.stage, message.next_try_ms, message.ended_ms = Stage.Dropped, None, now_ms
        elif message.stage is Stage.Sent:
            details = {"event": news.payload(), "until": None}
            rows.append(_row(channel, contract_id, news.order_id, RETRACTED, f"e:{news.id}", details, now_ms=now_ms))
    return rows


def _row(
    channel: ChannelRow,
    contract_id: int | None,
    order_id: str | None,
    topic: str,
    key: str,
    details: dict[str, Any],
    *,
    now_ms: int,
    at_ms: int | None = None,
    too_late_ms: int | None = None,
) -> dict[str, Any]:
    return {
        "channel_id": channel.id,
        "contract_id": contract_id,
        "order_id": order_id,
        "topic": topic,
        "key": key,
        "details": details,
        "stage": Stage.Waiting,
        "attempts": 0,
        "created_ms": now_ms,
        "next_try_ms": now_ms if at_ms is None else at_ms,
        "too_late_ms": too_late_ms,
        "ended_ms": None,
        "error": None,
    }
