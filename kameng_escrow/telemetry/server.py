"""A small HTTP server beside a worker: ``/metrics`` for Prometheus, ``/healthz`` and ``/readyz`` for who runs it."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of a probe: 200 where `good`, 503 where not."""

    good: bool
    details: Mapping[str, Any] = field(default_factory=dict)  # JSON, shown with it; no secrets


Probe = Callable[[], Health]


@contextmanager
def serve(
    registry: CollectorRegistry, *, alive: Probe, ready: Probe, port: int, host: str = "127.0.0.1"
) -> Iterator[str]:
    """Serves until the block ends; gives its URL.

    Args:
        alive: for ``/healthz``: whether the process should be left running.
        ready: for ``/readyz``: whether what it keeps may be relied upon.
        port: 0: any that is free.

    Raises:
        OSError: the port can't be had.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                encode, kind = choose_encoder(self.headers.get("Accept", ""))
                self._answer(200, kind, encode(registry))
            elif path in ("/healthz", "/readyz"):
                health = alive() if path == "/healthz" else ready()
                body = json.dumps({"ok": health.good, **health.details}, ensure_ascii=False).encode()
                self._answer(200 if health.good else 503, "application/json; charset=utf-8", body)
            else:
                self._answer(404, "text/plain; charset=utf-8", b"/metrics /healthz /readyz\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass  # a probe every few seconds is no news

    with ThreadingHTTPServer((host, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="telemetry")
        thread.daemon = True
        thread.start()
        try:
            yield f"http://{host}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
