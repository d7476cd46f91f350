"""What a webhook says: the spec's envelope around what the outbox has."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kameng_escrow.store.news import News
from kameng_escrow.webhooks.events import ORDER_TYPES, RETRACTED, TESTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The contract that a message is about."""

    contract_id: int  # within the store
    chain_id: int
    address: str


def message_id(endpoint_id: str, outbox_id: int) -> str:
    """The ``webhook-id`` of a row of the outbox for an endpoint: the same however often, and whoever, sends it."""
    return f"msg_{endpoint_id.partition('_')[2]}_{outbox_id}"


def test_id(endpoint_id: str, delivery_id: int) -> str:
    """The ``webhook-id`` of a test."""
    return f"msg_{endpoint_id.partition('_')[2]}_test_{delivery_id}"


def type_of_news(news: News) -> str:
    """The event type of a row of the outbox."""
    return ORDER_TYPES[news.name] if news.retracts is None else RETRACTED


def body_of(news: News, origin: Origin, endpoint_id: str, *, final: bool) -> bytes:
    """The message for a row of the outbox; the same bytes each time. `final`: as it was when it was queued."""
    data = news.payload()
    retracts = data.pop("retracts", None)
    return _body(
        type_of_news(news),
        news.timestamp,
        data,
        origin,
        final=final,
        retracts=None if retracts is None else message_id(endpoint_id, retracts),
    )


def test_body(origin: Origin, endpoint_id: str, created_ms: int) -> bytes:
    """The message of the test button. It is never final, so that nothing is ever released because of it."""
    return _body(TESTED, created_ms // 1_000, {"endpoint_id": endpoint_id}, origin, final=False, retracts=None)


def _body(kind: str, seconds: int, data: dict[str, Any], origin: Origin, *, final: bool, retracts: str | None) -> bytes:
    document: dict[str, Any] = {
        "type": kind,
        "timestamp": datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z"),
        "data": data,
        "final": final,
        "chain_id": origin.chain_id,
        "contract": origin.address,
    }
    if retracts is not None:
        document["retracts"] = retracts
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
