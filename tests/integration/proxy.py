"""A node with a bad line: an HTTP proxy that a test tells what to do with each request."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

_JSON = {"Content-Type": "application/json"}

Handling = Callable[[str, Callable[[], bytes]], "bytes | int | None"]
"""Given a method and how to forward the request: what to answer, an HTTP status instead, or None to hang up."""


@contextmanager
def bad_line(url: str, handle: Handling) -> Iterator[str]:
    """The URL of a proxy before `url` that handles requests as told."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            post = partial(requests.post, url, data=body, headers=_JSON, timeout=30)
            answer = handle(json.loads(body)["method"], lambda: post().content)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer if isinstance(answer, int) else 200)
            content = b"" if isinstance(answer, int) else answer
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
