"""From the outbox to the endpoints' queues: what each is to hear, in the transaction that moves the cursor."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kameng_escrow.store.models import OutboxRow
from kameng_escrow.store.news import News, read_news
from kameng_escrow.store.service import webhooks as queries
from kameng_escrow.store.service.notifying import Delivery, Stage
from kameng_escrow.store.service.outbox import FINAL, INSTANT, concerned, cursor, final_mark, outbox_end
from kameng_escrow.store.service.webhook_rows import EndpointRow

from .envelope import type_of_news
from .rules import wants

BATCH = 500  # rows of the outbox in a transaction


def fan_out_instant(session: Session, contract_id: int, now_ms: int) -> bool:
    """Queues what endpoints hear at once; returns whether there may be more."""
    place = cursor(session, contract_id, INSTANT)
    # The end first: what comes after it waits for the next look, so that whoever begins to listen meanwhile hears it.
    end = outbox_end(session, contract_id)
    listeners = queries.listening(session, contract_id, Delivery.Instant)
    if not listeners:
        place.outbox_id = max(place.outbox_id, end)
        return False
    read = read_news(session, contract_id, after=place.outbox_id, limit=BATCH)
    news = [one for one in read if one.id <= end]
    if not news:
        return False
    final = final_mark(session, contract_id)
    # What was taken back before anybody was told needs no telling, and neither does its retraction.
    fresh = [one for one in news if one.retracts is None and one.retracted_by is None]
    rows = deliveries(session, contract_id, listeners, fresh, now_ms, final=final)
    queries.enqueue(session, rows)
    for one in news:
        if one.retracts is not None:
            queries.enqueue(session, _retractions(session, listeners, one, now_ms))
    place.outbox_id = news[-1].id
    return len(news) == BATCH


def fan_out_final(session: Session, contract_id: int, now_ms: int) -> bool:
    """Queues what endpoints hear once it is final; returns whether there may be more."""
    place = cursor(session, contract_id, FINAL)
    final = final_mark(session, contract_id)
    beginning = place.outbox_id
    news = read_news(session, contract_id, after=place.outbox_id, limit=BATCH)
    passed: list[News] = []
    for one in news:
        gone = one.retracts is not None or one.retracted_by is not None
        if not gone and one.block_number > final:
            break  # those after it are in the same block or above: they wait too
        place.outbox_id = one.id
        if not gone:
            passed.append(one)
    listeners = queries.listening(session, contract_id, Delivery.Final)
    if listeners and passed:
        queries.enqueue(session, deliveries(session, contract_id, listeners, passed, now_ms, final=final))
    return len(news) == BATCH and place.outbox_id > beginning


@dataclass(frozen=True, slots=True)
class Missed:
    """The part of the outbox in which an endpoint may have missed something."""

    after: int
    end: int  # the last id that its reader has come to


def missed(session: Session, endpoint: EndpointRow, since_ms: int) -> Missed:
    """What there was since then, as far as its reader has come."""
    contract_id = endpoint.contract_id
    reader = FINAL if endpoint.delivery is Delivery.Final else INSTANT
    end = cursor(session, contract_id, reader).outbox_id
    first = select(OutboxRow.id).where(OutboxRow.contract_id == contract_id, OutboxRow.created_ms >= since_ms)
    return Missed((session.scalar(first.order_by(OutboxRow.id).limit(1)) or end + 1) - 1, end)


def recover(session: Session, endpoint: EndpointRow, part: Missed, now_ms: int) -> tuple[int, Missed | None]:
    """Queues what an endpoint missed in the first rows of a part, while it was disabled or gave up; returns how much
    at most, and what is left of the part."""
    contract_id = endpoint.contract_id
    news = [one for one in read_news(session, contract_id, after=part.after, limit=BATCH) if one.id <= part.end]
    if not news:
        return 0, None
    final = final_mark(session, contract_id)
    standing = [
        one
        for one in news
        if one.retracts is None
        and one.retracted_by is None
        and (endpoint.delivery is Delivery.Instant or one.block_number <= final)
    ]
    rows = deliveries(session, contract_id, [endpoint], standing, now_ms, final=final)
    queries.enqueue(session, rows)
    return len(rows), Missed(news[-1].id, part.end) if len(news) == BATCH else None


def deliveries(
    session: Session,
    contract_id: int,
    listeners: Iterable[EndpointRow],
    news: Sequence[News],
    now_ms: int,
    *,
    final: int,
) -> list[dict[str, Any]]:
    """What these endpoints are to hear of these news. `final`: the last block that is."""
    by_owner: dict[str, list[EndpointRow]] = {}
    for listener in listeners:
        by_owner.setdefault(listener.owner, []).append(listener)
    parties = concerned(session, contract_id, (one.order_id for one in news))
    return [
        _row(endpoint.id, one, now_ms, final=one.block_number <= final)
        for one in news
        if one.order_id in parties
        for owner in sorted(parties[one.order_id].accounts & by_owner.keys())
        for endpoint in by_owner[owner]
        if wants(endpoint.events, one.name)
    ]


def _retractions(session: Session, listeners: Sequence[EndpointRow], news: News, now_ms: int) -> list[dict[str, Any]]:
    """For those who were told, or are about to be: whoever was not has nothing to take back."""
    before = queries.told(session, [one.id for one in listeners], news.retracts or 0)
    return [_row(one.endpoint_id, news, now_ms, final=False) for one in before]


def _row(endpoint_id: str, news: News, now_ms: int, *, final: bool) -> dict[str, Any]:
    return {
        "endpoint_id": endpoint_id,
        "outbox_id": news.id,
        "order_id": news.order_id,
        "type": type_of_news(news),
        "final": final,
        "stage": Stage.Waiting,
        "attempts": 0,
        "created_ms": now_ms,
        "next_try_ms": now_ms,
        "ended_ms": None,
    }
