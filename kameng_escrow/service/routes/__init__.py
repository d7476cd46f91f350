"""The service's routes, a module a topic."""

from fastapi import APIRouter

from . import accounts, meta, orders, stream

ROUTERS: tuple[APIRouter, ...] = tuple(topic.routes.router for topic in (meta, accounts, orders, stream))
