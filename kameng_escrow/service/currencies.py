"""What tokens call themselves, asked once each: a page should not wait for a node to say what it has said before."""

import threading
import time
from dataclasses import dataclass, field
from typing import Final

from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.errors import EscrowError

from .schemas.common import Currency

NATIVE_SYMBOL = "ETH"
_RETRY_SECONDS: Final = 60.0  # after a token, or the node, gave no answer
_PATIENCE: Final = 2.0  # seconds after the question for which others wait for the answer too


class Currencies:
    """The symbols and decimals of tokens. May be used from several threads."""

    def __init__(self, client: EscrowClient, native_symbol: str = NATIVE_SYMBOL) -> None:
        self._client = client
        self._known = {NATIVE: Currency(token=NATIVE, symbol=native_symbol, decimals=18)}
        self._failed: dict[str, float] = {}
        self._asking: dict[str, _Asking] = {}
        self._lock = threading.Lock()

    def of(self, token: str) -> Currency:
        """The currency; without symbol and decimals where the token doesn't say, or nobody can be asked.

        One asks, and who comes meanwhile waits a moment for what it hears: a node that is silent holds up one thread,
        and not all of them.
        """
        now = time.monotonic()
        with self._lock:
            known = self._known.get(token)
            if known is not None:
                return known
            if self._failed.get(token, 0.0) > now:
                return _unknown(token)
            asking = self._asking.get(token)
            mine = asking is None
            if asking is None:
                asking = self._asking[token] = _Asking(now)
        if not mine:
            asking.over.wait(max(0.0, asking.since + _PATIENCE - now))
            return self._known.get(token) or _unknown(token)
        try:
            return self._ask(token)
        finally:
            with self._lock:
                del self._asking[token]
            asking.over.set()

    def _ask(self, token: str) -> Currency:
        try:
            found = Currency(token=token, symbol=self._client.symbol(token), decimals=self._client.decimals(token))
        except EscrowError:
            with self._lock:
                self._failed[token] = time.monotonic() + _RETRY_SECONDS
            return _unknown(token)
        with self._lock:
            self._known[token] = found
        return found


@dataclass(frozen=True, slots=True)
class _Asking:
    """Somebody asks for a currency."""

    since: float
    over: threading.Event = field(default_factory=threading.Event)


def _unknown(token: str) -> Currency:
    return Currency(token=token, symbol=None, decimals=None)
