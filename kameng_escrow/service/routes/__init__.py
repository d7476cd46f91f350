"""The service's routes, a module a topic."""

from fastapi import APIRouter

from . import accounts, deliveries, meta, orders, stream

ROUTERS: tuple[APIRouter, ...] = tuple(topic.routes.router for topic in (meta, accounts, orders, deliveries, stream))
