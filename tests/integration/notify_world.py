"""A mirrored escrow with a notifier, receivers that write down what they hear, and a clock that stands still."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kameng_escrow.domain.currency import Currency
from kameng_escrow.notify import Deliveries, Endpoint, Endpoints, Messages, Notifier, People, Sealer, Senders, Texts
from kameng_escrow.notify.notifier import now_ms
from kameng_escrow.store import Book, Store
from kameng_escrow.store.news import News, read_news
from kameng_escrow.store.service.notifying import Delivery, Purpose
from kameng_escrow.webhooks import WebhookEvent, WebhookReceiver

from .escrow_world import EscrowWorld
from .mirrors import book_of, mirror_of

PUBLIC_URL = "https://escrow.example"
DAY_MS = 86_400_000
ANSWER = b"ok"  # the body of every answer


@dataclass
class Heard:
    """A request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Ear:
    """An HTTP server that writes down what it hears, and answers as it is told.

    `answer`: gives status and headers for a request, or sleeps, or closes; by default 200.
    """

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    answer: Callable[[Heard], tuple[int, dict[str, str]]] = lambda _: (200, {})

    @property
    def types(self) -> list[str]:
        return [one.json["type"] for one in self.heard]

    @property
    def ids(self) -> list[str]:
        return [one.headers["webhook-id"] for one in self.heard]

    def events(self, secret: str, at: float) -> list[WebhookEvent]:
        """What a receiver with the secret makes of it."""
        receiver = WebhookReceiver(secret, clock=lambda: at)
        return [receiver.verify(one.body, one.headers) for one in self.heard]

    def always(self, status: int, **headers: str) -> None:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = lambda _: (status, given)


@contextmanager
def listening(tls: Any = None) -> Iterator[Ear]:
    """An ear on this machine."""
    ear = Ear()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            heard = Heard(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            ear.heard.append(heard)
            status, headers = ear.answer(heard)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(ANSWER)))
            self.end_headers()
            self.wfile.write(ANSWER)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            pass  # who asked has gone, as it should

    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        ear.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
        try:
            yield ear
        finally:
            server.shutdown()
            thread.join()


class NotifyWorld:
    """What a test of the notifier needs. The clock begins at the chain's time, and moves when it is told to."""

    def __init__(self, world: EscrowWorld, store: Store, *, senders: Senders | None = None) -> None:
        self.world = world
        self.store = store
        self.now_ms = 1_000 * world.now()
        self.sealer = Sealer([bytes(32)])
        self.senders = senders or Senders()
        self.texts = Texts(lambda token: Currency(token, "TUSD", 6), PUBLIC_URL)
        store.migrate()
        self.mirror()

    @property
    def book(self) -> Book:
        return book_of(self.world, self.store)

    @property
    def contract_id(self) -> int:
        return self.book.info().id

    def mirror(self, **options: Any) -> None:
        mirror_of(self.world, self.store, **options).run_once()

    def endpoints(self) -> Endpoints:
        return Endpoints(self.contract_id, self.sealer, loopback=True, clock_ms=lambda: self.now_ms)

    def endpoint(
        self,
        url: str,
        *events: str,
        owner: str | None = None,
        delivery: Delivery = Delivery.Instant,
        purpose: Purpose | None = Purpose.Inform,
    ) -> tuple[Endpoint, str]:
        """An endpoint of the platform's, unless another owner is named, and its secret."""
        with self.store.writing() as session:
            return self.endpoints().create(
                session,
                owner or self.world.platform.address,
                url=url,
                events=events,
                delivery=delivery,
                purpose=purpose,
            )

    def people(self, **options: Any) -> People:
        return People(
            self.store,
            self.contract_id,
            self.sealer,
            self.senders,
            clock_ms=lambda: self.now_ms,
            **options,
        )

    def notifier(self, store: Store | None = None, **options: Any) -> Notifier:
        given: dict[str, Any] = {"loopback": True, "timeout_seconds": 5.0, "senders": self.senders}
        queue = options.pop("queue", {})
        return Notifier(
            store or self.store,
            self.book,
            deliveries=lambda origin: Deliveries(origin, self.sealer, chance=lambda: 0.0, **queue),
            messages=lambda origin: Messages(origin, self.sealer, self.texts, public_url=PUBLIC_URL),
            clock_ms=lambda: self.now_ms,
            **{**given, **options},
        )

    def send(self, **options: Any) -> Any:
        """Sends what is to be sent now, and mirrors nothing."""
        with self.notifier(**options) as notifier:
            return notifier.run_once()

    def tell(self, **options: Any) -> Any:
        """Mirrors, then sends what is to be sent now."""
        self.mirror()
        return self.send(**options)

    def recover(self, endpoint: Endpoint) -> int:
        """Everything that an endpoint missed: the mirror has seen it just now, by the machine's clock."""
        since = min(self.now_ms, now_ms()) - DAY_MS
        clock = lambda: since + DAY_MS  # noqa: E731
        recovering = Endpoints(self.contract_id, self.sealer, loopback=True, clock_ms=clock)
        return recovering.recover(self.store, endpoint.owner, endpoint.id, since)

    def later(self, seconds: float) -> None:
        self.now_ms += int(1_000 * seconds)

    def news(self) -> list[News]:
        """All that there is to tell of."""
        with self.store.reading() as session:
            return read_news(session, self.contract_id)
