"""The service's routes, a module a topic."""

from fastapi import APIRouter

from . import (
    accounts,
    advice,
    anomalies,
    deliveries,
    disputes,
    listings,
    meta,
    notifications,
    orders,
    preparing,
    quotes,
    receipts,
    records,
    relays,
    risk,
    stream,
    talk,
    webhooks,
)

ROUTERS: tuple[APIRouter, ...] = (
    orders.routes.router,  # first: routes are tried one after the other, and these are asked for most
    meta.routes.router,
    accounts.routes.router,
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
    anomalies.routes.router,
    risk.routes.router,
    advice.routes.router,
    webhooks.routes.router,
    notifications.routes.router,
)
