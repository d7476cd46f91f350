"""The interface's description (OpenAPI 3.1), with or without a running service."""

from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from .routes import ROUTERS
from .routing import ProblemView

TITLE: Final = "kameng_escrow"
TEXT: Final = """
Orders whose money is in an escrow contract: what they are, what may be done with them, and what happens next.

Sign in with a wallet (`/v1/sign-in`), or send an API key as `Authorization: Bearer kmk_…`. Errors are problem details
(RFC 9457) whose `code` is the SDK's. A POST with an `Idempotency-Key` may be sent again. What is read has an ETag.
""".strip()


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of an application's routes."""
    document = get_openapi(title=TITLE, version=version("kameng-escrow"), description=TEXT, routes=app.routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["ProblemView"] = ProblemView.model_json_schema(ref_template="#/components/schemas/{model}")
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own form of problems, which is never answered
        schemas.pop(unused, None)
    components["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": "kameng", "description": "Set by /v1/sign-in."},
        "apiKey": {"type": "http", "scheme": "bearer", "description": "A platform's key, kmk_…"},
    }
    return document


def description() -> dict[str, Any]:
    """The description of the service, as ``/openapi.json`` has it."""
    app = FastAPI()
    for router in ROUTERS:
        app.include_router(router)
    return describe(app)
