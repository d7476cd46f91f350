"""Orders: lists, one with its clock, its history."""

from typing import Annotated

import orjson
from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from kameng_escrow.domain.states import State
from kameng_escrow.store.event_json import to_json
from kameng_escrow.store.order_lists import Capacity, ListQuery, Sorting

from ..callers import EVERYONE, Scope, access_to, account, order
from ..currencies import Currencies
from ..errors import BadRequest
from ..order_views import detail_view, order_view
from ..routing import Router, TheCaller, TheOrder, TheParts
from ..schemas.orders import HistoryView, OrderDetailView, OrdersView

routes = Router("orders")

LARGEST_PAGE = 200

StateName = Annotated[str, Field(max_length=16, json_schema_extra={"enum": [state.label for state in State]})]


class OrdersAsked(BaseModel):
    """Which of the caller's orders."""

    state: list[StateName] | None = Field(default=None, max_length=6, description="Only in these states.")
    role: list[Capacity] | None = Field(default=None, max_length=4, description="Only where the caller is this.")
    sort: Sorting = Field(default=Sorting.Newest, description="deadline: open orders only, the next to run out first.")
    limit: int = Field(default=50, ge=1, le=LARGEST_PAGE)
    cursor: str | None = Field(default=None, max_length=60, description="Of the page before.")


@routes.get("/v1/orders", access=account(Scope.OrdersRead), response_model=OrdersView)
def list_orders(
    request: Request,
    caller: TheCaller,
    parts: TheParts,
    asked: Annotated[OrdersAsked, Query()],
) -> Response:
    """The caller's orders: those it buys, sells, runs the platform of or mediates. Orders opened meanwhile don't shift
    the pages.
    """
    query = ListQuery(
        account=caller.known,
        capacities=frozenset(asked.role or Capacity),
        states=None if asked.state is None else frozenset(_state(label) for label in asked.state),
        sorting=asked.sort,
        limit=asked.limit,
        cursor=asked.cursor,
    )
    page = parts.book.listed(query)
    currencies: Currencies = request.app.state.currencies
    now = parts.clock()
    found = [access_to(one, caller.known, now) for one in page.orders]
    return _json({"orders": [order_view(one, currencies) for one in found], "cursor": page.cursor})


@routes.get("/v1/orders/{order_id}", access=order(EVERYONE, Scope.OrdersRead), response_model=OrderDetailView)
def read_order(request: Request, caller: TheCaller, held: TheOrder, parts: TheParts) -> Response:
    """One order, its clock (what happens when by itself), and what the caller may do now."""
    currencies: Currencies = request.app.state.currencies
    return _json(detail_view(held, caller.known, parts.chain_now(held.marks), currencies))


@routes.get("/v1/orders/{order_id}/history", access=order(EVERYONE, Scope.OrdersRead), response_model=HistoryView)
def read_history(held: TheOrder, parts: TheParts) -> Response:
    """All that happened to the order on the chain, with the transactions."""
    final = held.marks.final  # of no later moment than the events: what was final then still is
    events = [
        {
            "name": type(logged.event).__name__,
            "fields": to_json(logged.event),
            "block_number": logged.block_number,
            "block_hash": logged.block_hash,
            "timestamp": logged.timestamp,
            "transaction_hash": logged.transaction_hash,
            "transaction_url": parts.config.transaction_url(logged.transaction_hash),
            "log_index": logged.log_index,
            "final": logged.block_number <= final,
        }
        for logged in parts.book.history_of(held.mirrored)
    ]
    return _json({"order_id": held.id, "events": events})


def _state(label: str) -> State:
    try:
        return State.from_label(label)
    except ValueError as error:
        names = ", ".join(state.label for state in State)
        raise BadRequest(
            f"{label!r} is no state: it is one of {names}.", f"没有 {label!r} 这个状态：应为 {names} 之一。"
        ) from error


def _json(body: object) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
