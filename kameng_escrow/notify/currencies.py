"""How tokens' amounts are written, asked of the chain once each."""

import threading
import time

from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.errors import EscrowError

_RETRY_SECONDS = 60.0  # after a token, or the node, gave no answer


class ChainCurrencies:
    """The currencies of a chain. May be used from several threads.

    Args:
        client: asks the tokens; None: nobody can be asked, and amounts are in base units.
        coin: the native coin's symbol.
    """

    def __init__(self, client: EscrowClient | None, coin: str) -> None:
        self._client = client
        self._known = {NATIVE: Currency(NATIVE, coin, 18)}
        self._failed: dict[str, float] = {}
        self._lock = threading.Lock()

    def __call__(self, token: str) -> Currency:
        """The token's currency; of base units where it does not say, or the node does not answer. May ask a node."""
        with self._lock:
            known = self._known.get(token)
            rests = self._failed.get(token, 0.0) > time.monotonic()
        if known is not None:
            return known
        plain = Currency(token, f"{token[:6]}…{token[-4:]}", 0)
        if self._client is None or rests:
            return plain
        try:
            found = Currency(token, self._client.symbol(token)[:16], self._client.decimals(token))
        except EscrowError:
            with self._lock:
                self._failed[token] = time.monotonic() + _RETRY_SECONDS
            return plain
        with self._lock:
            self._known[token] = found
        return found
