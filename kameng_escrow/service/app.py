"""The application: routes, problems, headers, and its description."""

import logging
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import problems
from .currencies import Currencies
from .description import TITLE, describe
from .identity import Identity
from .live import Live
from .manual import add_manual
from .metrics import ServiceMetrics
from .parts import Parts
from .readers import Readers
from .records import Records
from .routes import ROUTERS

_log = logging.getLogger(__name__)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ALWAYS: Final = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
_STRICT: Final = (b"strict-transport-security", b"max-age=31536000")
_UNLESS_SAID: Final = [
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
]
_REQUEST_ID: Final = re.compile(r"[0-9A-Za-z-]{8,64}")


def make_app(parts: Parts, metrics: ServiceMetrics | None = None) -> FastAPI:
    """The service of one deployment. It reads the store while it runs; who closes `parts` does so afterwards."""
    counted = metrics or ServiceMetrics()

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        live: Live = app.state.live
        await run_in_threadpool(live.start)
        try:
            yield
        finally:
            await run_in_threadpool(live.stop)
            app.state.readers.stop()

    app = FastAPI(
        title=TITLE,
        version=version("kameng-escrow"),
        lifespan=running,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.parts = parts
    app.state.identity = Identity(parts)
    app.state.currencies = Currencies(parts.client, parts.config.native_symbol)
    app.state.records = Records(parts, app.state.currencies)
    app.state.readers = Readers()
    app.state.live = Live(parts.store, parts.contract_id, counted.streams)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    add_manual(app)
    app.add_middleware(Envelope, identity=app.state.identity, secure=parts.config.secure, metrics=counted)
    app.openapi = cache(lambda: describe(app))  # type: ignore[method-assign]  # as FastAPI's manual has it
    return app


class Envelope:
    """What every answer has around it: a number, headers that keep browsers careful, a line in the log."""

    def __init__(self, app: ASGIApp, *, identity: Identity, secure: bool, metrics: ServiceMetrics) -> None:
        self._app = app
        self._identity = identity
        self._always = [*_ALWAYS, _STRICT] if secure else _ALWAYS
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = number
        started = time.monotonic()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._refresh_cookie(scope, message)
                said = {name for name, _ in message["headers"]}
                more = (header for header in _UNLESS_SAID if header[0] not in said)
                message["headers"] = [*message["headers"], (b"x-request-id", number.encode()), *self._always, *more]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            # The route's pattern and not the path: no names, no secrets, no line breaks of a stranger's.
            route = getattr(scope.get("route"), "path", "-")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            took = time.monotonic() - started
            self._metrics.answered(method, route, status, took)
            said = {"id": number, "method": method, "route": route, "status": status, "ms": round(took * 1000)}
            _log.info("request", extra=said)

    def _refresh_cookie(self, scope: Scope, message: Message) -> None:
        state = scope.get("state", {})
        if not self._identity.has_news(state):
            return
        headers = MutableHeaders(scope=message)
        carrier = Response()
        if "set-cookie" in headers:
            carrier.headers["set-cookie"] = headers["set-cookie"]
        before = len(carrier.raw_headers)
        self._identity.refresh(state, carrier)
        for name, value in carrier.raw_headers[before:]:
            headers.append(name.decode("latin-1"), value.decode("latin-1"))


def _request_id(scope: Scope) -> str:
    """The one that came with the request, where it is a plain one; else a new one."""
    given = Headers(scope=scope).get("x-request-id", "")
    if _REQUEST_ID.fullmatch(given):
        return given
    return secrets.token_hex(8)
