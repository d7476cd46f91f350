"""The description's page, ``/docs``: Swagger UI from this machine, so that no other host hears who reads it."""

import base64
import hashlib
import re
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

_FILES = Path(fastapi_offline.__file__).parent / "static"
_AT = "/docs/files"


def add_manual(app: FastAPI) -> None:
    """Adds the page and its files."""
    app.mount(_AT, StaticFiles(directory=_FILES), name="manual-files")

    @app.get("/docs", include_in_schema=False)
    async def manual() -> HTMLResponse:
        page = get_swagger_ui_html(
            openapi_url=str(app.openapi_url),
            title=f"{app.title} {app.version}",
            swagger_js_url=f"{_AT}/swagger-ui-bundle.js",
            swagger_css_url=f"{_AT}/swagger-ui.css",
            swagger_favicon_url=f"{_AT}/favicon.png",
        )
        page.headers["Content-Security-Policy"] = (
            f"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self' "
            f"{' '.join(_hashes(bytes(page.body).decode()))}; frame-ancestors 'none'"
        )
        return page


def _hashes(page: str) -> list[str]:
    """What lets the page's own scripts run, and no others."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in scripts]
