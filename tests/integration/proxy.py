"""A node with a bad line: an HTTP proxy that a test tells what to do with each request."""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

_JSON = {"Content-Type": "application/json"}

Handling = Callable[[str, Callable[[], bytes]], "bytes | int | None"]
"""Given a method and how to forward the request: what to answer, an HTTP status instead, or None to hang up."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with everything about it."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None  # send only so many bytes of the body, and hang up


Forward = Callable[[Any], bytes]
Responding = Callable[[Any, Forward], "Answer | None"]
"""Given a request's JSON (one call, or a list of them) and how to ask the node: what to answer, or None to hang up."""


@contextmanager
def bad_line(url: str, handle: Handling) -> Iterator[str]:
    """The URL of a proxy before `url` that handles requests, each of one call, as told."""

    def respond(asked: Any, forward: Forward) -> Answer | None:
        answer = handle(asked["method"], lambda: forward(asked))
        if answer is None:
            return None
        return Answer(status=answer) if isinstance(answer, int) else Answer(answer)

    with proxy(url, respond) as line:
        yield line


@contextmanager
def proxy(url: str, respond: Responding) -> Iterator[str]:
    """The URL of a proxy before `url` that responds as told, and keeps connections as servers do."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.url, server.respond = url, respond
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    url: str
    respond: Responding

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that had enough of waiting; of anything else as usual."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._node = requests.Session()

    def finish(self) -> None:
        self._node.close()
        with suppress(OSError):
            super().finish()

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # whoever asked has died in the middle of it
            self.close_connection = True
            return
        answer = self.server.respond(json.loads(body), self._forward)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: answer.cut])
        self.close_connection |= answer.cut is not None

    def _forward(self, asked: Any) -> bytes:
        body = json.dumps(asked).encode()
        return self._node.post(self.server.url, data=body, headers=_JSON, timeout=30).content

    def log_message(self, *_: Any) -> None:
        pass
