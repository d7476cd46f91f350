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
    relays,
    stream,
    talk,
)

ROUTERS: tuple[APIRouter, ...] = tuple(
    topic.routes.router
    for topic in (meta, accounts, orders, deliveries, talk, disputes, stream, listings, quotes, preparing, relays)
)
