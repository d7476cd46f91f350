"""The service's routes, a module a topic."""

from fastapi import APIRouter

from . import (
    accounts,
    deliveries,
    disputes,
    listings,
    meta,
    orders,
    preparing,
    quotes,
    receipts,
    records,
    relays,
    stream,
    talk,
)

ROUTERS: tuple[APIRouter, ...] = (
    meta.routes.router,
    accounts.routes.router,
    orders.routes.router,
    deliveries.routes.router,
    receipts.routes.router,
    talk.routes.router,
    disputes.routes.router,
    stream.routes.router,
    listings.routes.router,
    quotes.routes.router,
    preparing.routes.router,
    relays.routes.router,
    records.routes.router,
from . import accounts, deliveries, meta, notifications, orders, stream, webhooks

ROUTERS: tuple[APIRouter, ...] = tuple(
    topic.routes.router for topic in (meta, accounts, orders, deliveries, webhooks, notifications, stream)
)
