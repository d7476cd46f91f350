"""What tokens call themselves, asked once each: a page should not wait for a node to say what it has said before."""

import threading
import time

from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.errors import EscrowError

from .schemas.common import Currency

NATIVE_SYMBOL = "ETH"
_RETRY_SECONDS = 60.0  # after a token, or the node, gave no answer


class Currencies:
    """The symbols and decimals of tokens. May be used from several threads."""

    def __init__(self, client: EscrowClient, native_symbol: str = NATIVE_SYMBOL) -> None:
        self._client = client
        self._known = {NATIVE: Currency(token=NATIVE, symbol=native_symbol, decimals=18)}
        self._failed: dict[str, float] = {}
        self._lock = threading.Lock()

    def of(self, token: str) -> Currency:
        """The currency; without symbol and decimals where the token doesn't say, or nobody can be asked."""
        with self._lock:
            known = self._known.get(token)
            waiting = self._failed.get(token, 0.0) > time.monotonic()
        if known is not None:
            return known
        if waiting:
            return Currency(token=token, symbol=None, decimals=None)
        try:
            found = Currency(token=token, symbol=self._client.symbol(token), decimals=self._client.decimals(token))
        except EscrowError:
            with self._lock:
                self._failed[token] = time.monotonic() + _RETRY_SECONDS
            return Currency(token=token, symbol=None, decimals=None)
        with self._lock:
            self._known[token] = found
        return found
