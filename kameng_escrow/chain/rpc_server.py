"""JSON-RPC over HTTP in a thread, for wallets and other processes on this machine."""

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .errors import NodeError

MAX_BODY = 4 * 2**20  # bytes; a contract's deployment is far below


@contextmanager
def serve(respond: Callable[[bytes], bytes], host: str, port: int) -> Iterator[str]:
    """Answers POSTed requests with `respond` until the context ends; its value is the URL. Port 0: any free one.

    Any web page may ask, as wallets need: serve nothing that is worth something.

    Raises:
        NodeError: the port is taken, or the host is not one of this machine's.
    """

    class Handler(_Handler):
        answer = staticmethod(respond)

    try:
        server = _Server((host, port), Handler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NodeError(
            f"Can't listen on {host}:{port} ({reason}): choose another port, or end who uses it.",
            f"无法监听 {host}:{port}（{reason}）：请换一个端口，或结束占用它的程序。",
        ) from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="rpc", daemon=True)
    thread.start()
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    """Ends its connections when it ends: clients keep them open for the next request."""

    daemon_threads = True  # what a client that went silent leaves behind does not keep us from ending

    def __init__(self, *args: Any) -> None:
        self._connections: set[Any] = set()
        super().__init__(*args)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serves one connection until it ends."""
        self._connections.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            self._connections.discard(request)

    def server_close(self) -> None:
        """Ends listening and every connection."""
        super().server_close()
        for connection in tuple(self._connections):
            with suppress(OSError):  # it has just ended by itself
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that went away in the middle of a request; of anything else as usual."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer: Callable[[bytes], bytes]
    timeout = 60  # seconds that a silent connection is kept
    disable_nagle_algorithm = (
        True  # header and body are two writes: the second would wait 40 ms for the first's receipt
    )

    def do_POST(self) -> None:
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            self._send(411, b"Content-Length is needed")
            return
        if not 0 <= length <= MAX_BODY:
            self.close_connection = True  # what follows is not read, so it can't be told from a next request
            self._send(413, b"the request is too large")
            return
        self._send(200, self.answer(self.rfile.read(length)), "application/json")

    def do_OPTIONS(self) -> None:
        self._send(204, b"")

    def do_GET(self) -> None:
        self._send(405, b"POST JSON-RPC requests here")

    def _send(self, status: int, body: bytes, content_type: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Methods", "POST, OPTIONS")
        self.send_header("Access-Control-Allow-Headers", self.headers.get("Access-Control-Request-Headers") or "*")
        self.send_header("Access-Control-Allow-Private-Network", "true")  # from pages of the internet to this machine
        self.send_header("Access-Control-Max-Age", "600")
        if status != 204:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing: whoever serves says what matters."""
