"""The application: routes, problems, headers, and its description."""

import logging
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import problems
from .currencies import Currencies
from .identity import Identity
from .live import Live
from .manual import add_manual
from .parts import Parts
from .routes import ROUTERS
from .routing import ProblemView

_log = logging.getLogger("kameng.service.requests")
_REQUEST_ID: Final = re.compile(r"[0-9A-Za-z-]{8,64}")
_DESCRIPTION: Final = """
Orders whose money is in an escrow contract: what they are, what may be done with them, and what happens next.

Sign in with a wallet (`/v1/sign-in`), or send an API key as `Authorization: Bearer kmk_…`. Errors are problem details
(RFC 9457) whose `code` is the SDK's. A POST with an `Idempotency-Key` may be sent again. What is read has an ETag.
""".strip()


def make_app(parts: Parts) -> FastAPI:
    """The service of one deployment. It reads the store while it runs; who closes `parts` does so afterwards."""

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        live: Live = app.state.live
        await run_in_threadpool(live.start)
        try:
            yield
        finally:
            await run_in_threadpool(live.stop)

    app = FastAPI(
        title="kameng_escrow",
        version=version("kameng-escrow"),
        description=_DESCRIPTION,
        lifespan=running,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.parts = parts
    app.state.identity = Identity(parts)
    app.state.currencies = Currencies(parts.client, parts.config.native_symbol)
    app.state.live = Live(parts.store, parts.contract_id)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    add_manual(app)
    app.add_middleware(Envelope, secure=parts.config.secure)
    describe = app.openapi
    app.openapi = lambda: _described(describe())  # type: ignore[method-assign]  # as FastAPI's manual has it
    return app


def _described(document: dict[str, Any]) -> dict[str, Any]:
    """Adds what routes alone don't say: the ways to sign in, and the form of problems."""
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["ProblemView"] = ProblemView.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": "kameng", "description": "Set by /v1/sign-in."},
        "apiKey": {"type": "http", "scheme": "bearer", "description": "A platform's key, kmk_…"},
    }
    return document


class Envelope:
    """What every answer has around it: a number, headers that keep browsers careful, a line in the log."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._secure = secure

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
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = number
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers.setdefault("X-Frame-Options", "DENY")
                headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
                headers.setdefault("Cache-Control", "no-store")
                if self._secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            # The route's pattern and not the path: no names, no secrets, no line breaks of a stranger's.
            route = getattr(scope.get("route"), "path", "-")
            took = round((time.monotonic() - started) * 1000)
            _log.info(
                "request",
                extra={"id": number, "method": scope["method"], "route": route, "status": status, "ms": took},
            )


def _request_id(scope: Scope) -> str:
    """The one that came with the request, where it is a plain one; else a new one."""
    given = Headers(scope=scope).get("x-request-id", "")
    if _REQUEST_ID.fullmatch(given):
        return given
    return secrets.token_hex(8)
