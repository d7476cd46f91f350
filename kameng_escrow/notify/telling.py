"""What telling others takes, in one place: for the notifier that does it, and the service where people arrange it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kameng_escrow.domain.currency import Currency
from kameng_escrow.store import Book, Store

from .deliveries import Deliveries
from .endpoints import Endpoints
from .messages import Messages
from .notifier import Notifier
from .people import People
from .sealing import Sealer
from .senders import Senders
from .texts import Currencies, Texts
from .wire import Resolver


def _base_units(token: str) -> Currency:
    return Currency(token, f"{token[:6]}…{token[-4:]}", 0)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How one contract's accounts are told."""

    public_url: str  # the origin that links begin with
    sealer: Sealer = field(default_factory=Sealer)
    senders: Senders = field(default_factory=Senders)
    currencies: Currencies = _base_units
    hosts: tuple[str, ...] = ()  # further ones that Bark and ntfy may be at
    loopback: bool = False  # whether endpoints may be on this machine: for a local chain only
    clock_ms: Callable[[], int] = _now_ms  # Unix milliseconds
    resolver: Resolver | None = None  # of names; None: the machine's own
    tls: Any = True  # an `ssl.SSLContext` other than the system's

    @property
    def texts(self) -> Texts:
        return Texts(self.currencies, self.public_url)

    def endpoints(self, contract_id: int) -> Endpoints:
        """Webhook endpoints, for their owners."""
        return Endpoints(contract_id, self.sealer, loopback=self.loopback, clock_ms=self.clock_ms)

    def people(self, store: Store, contract_id: int) -> People:
        """Channels and preferences, for their people."""
        return People(
            store,
            contract_id,
            self.sealer,
            self.senders,
            hosts=self.hosts,
            clock_ms=self.clock_ms,
        )

    def notifier(self, store: Store, book: Book, *, queue: dict[str, Any] | None = None, **options: Any) -> Notifier:
        """What does the telling. `queue`: options of `Deliveries`; others are `Notifier`'s."""
        return Notifier(
            store,
            book,
            deliveries=lambda origin: Deliveries(origin, self.sealer, **(queue or {})),
            messages=lambda origin: Messages(origin, self.sealer, self.texts, public_url=self.public_url),
            senders=self.senders,
            loopback=self.loopback,
            resolver=self.resolver,
            tls=self.tls,
            clock_ms=self.clock_ms,
            **options,
        )
