"""The service's routes, a module a topic."""

from fastapi import APIRouter

from . import accounts, deliveries, listings, meta, orders, quotes, stream

ROUTERS: tuple[APIRouter, ...] = tuple(
    topic.routes.router for topic in (meta, accounts, orders, deliveries, stream, listings, quotes)
)
