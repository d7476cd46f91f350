"""Live updates: Server-Sent Events (HTML Living Standard, 9.2), which browsers resume with Last-Event-ID."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final

import orjson
from fastapi import Header, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from kameng_escrow.store.feed import Happening, happenings_of, last_id
from kameng_escrow.store.service.talk import RoomNews

from ..callers import EVERYONE, Scope, account, order
from ..errors import BadRequest
from ..live import Live
from ..parts import Parts
from ..routing import Router, TheCaller, TheOrder, TheParts

routes = Router("stream")

KEEP_ALIVE_SECONDS: Final = 15.0
LONGEST_SECONDS: Final = 1_800.0  # then the browser comes again, and who it is is looked at again
MOST_LOOKED_AT: Final = 100_000  # of everybody's happenings, among which those of one account are looked for
MOST_MISSED: Final = 5_000  # happenings that are told afterwards; beyond, the client is told to read its orders anew
_STREAM: Final = {
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
    "description": "Events as they come.",
}

LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", max_length=20, description="The id of the last event that was received.")
]


@routes.get("/v1/stream", access=account(Scope.OrdersRead), response_class=StreamingResponse, responses={200: _STREAM})
async def stream_orders(
    request: Request, caller: TheCaller, parts: TheParts, last_event_id: LastEventId = None
) -> StreamingResponse:
    """What happens to the caller's orders. Events are called ``order`` (it happened), ``retracted`` (a reorganisation
    undid it), ``room`` (something was said about one) and ``reset`` (more was missed than is told: read the orders
    anew).
    """
    return await _stream(request, parts, caller.known, None, last_event_id)


@routes.get(
    "/v1/orders/{order_id}/stream",
    access=order(EVERYONE, Scope.OrdersRead),
    response_class=StreamingResponse,
    responses={200: _STREAM},
)
async def stream_order(
    request: Request, caller: TheCaller, held: TheOrder, parts: TheParts, last_event_id: LastEventId = None
) -> StreamingResponse:
    """The same of one order."""
    return await _stream(request, parts, caller.known, held.id, last_event_id)


async def _stream(
    request: Request, parts: Parts, who: str, order_id: str | None, last_event_id: str | None
) -> StreamingResponse:
    after = None if last_event_id is None else _position(last_event_id)
    live: Live = request.app.state.live
    events = _events(live, parts, who, order_id, after)
    first = await anext(events)  # so that a refusal is answered as one
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_with(first, events), media_type="text/event-stream", headers=headers)


async def _with(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for one in rest:
        yield one


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadRequest(
            "Last-Event-ID is none that this stream gave: leave it out.", "Last-Event-ID 不是本流给出的：请去掉它。"
        )
    return int(text)


async def _events(live: Live, parts: Parts, who: str, order_id: str | None, after: int | None) -> AsyncIterator[bytes]:
    ends = asyncio.get_running_loop().time() + LONGEST_SECONDS
    with live.listen(who, order_id) as listening:
        told = await run_in_threadpool(_last, parts)
        yield f"retry: 2000\nid: {told if after is None else after}\n: hello\n\n".encode()
        if after is not None and told - after > MOST_LOOKED_AT:
            yield f"id: {told}\nevent: reset\ndata: {{}}\n\n".encode()
        elif after is not None and after < told:
            missed = await run_in_threadpool(_missed, parts, who, after, told)
            if len(missed) > MOST_MISSED:
                yield f"id: {told}\nevent: reset\ndata: {{}}\n\n".encode()
            else:
                for happening in missed:
                    if order_id in (None, happening.order_id):
                        yield _event(happening)
        while (left := ends - asyncio.get_running_loop().time()) > 0:
            try:
                async with asyncio.timeout(min(left, KEEP_ALIVE_SECONDS)):
                    news = await listening.queue.get()
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if news is None:
                return
            if isinstance(news, RoomNews):
                yield _room_event(news)
            elif news.id > told:
                yield _event(news)


def _room_event(one: RoomNews) -> bytes:
    """Without an id: who was away looks at its rooms anew."""
    data = {"order_id": one.order_id, "size": one.size, "head": one.head, "last_ms": one.last_ms}
    return b"event: room\ndata: %s\n\n" % orjson.dumps(data)


def _last(parts: Parts) -> int:
    with parts.store.reading() as session:
        return last_id(session, parts.contract_id)


def _missed(parts: Parts, who: str, after: int, until: int) -> list[Happening]:
    with parts.store.reading() as session:
        return happenings_of(session, parts.contract_id, who, after=after, until=until, limit=MOST_MISSED + 1)


def _event(one: Happening) -> bytes:
    data = {
        "order_id": one.order_id,
        "event": one.event,
        "retracts": one.retracts,
        "state": None if one.state is None else one.state.label,
        "outcome": None if one.outcome is None else one.outcome.label,
        "fault": None if one.fault is None else one.fault.label,
        "deadline": one.deadline,
    }
    kind = "order" if one.retracts is None else "retracted"
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (one.id, kind.encode(), orjson.dumps(data))
