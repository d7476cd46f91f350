"""Keeps every listing's stock in step with its orders: follows the mirror's outbox, lets quotes run out."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from kameng_escrow.store import Deposed, Leadership, Store, StoreBusy, StoreUnavailable
from kameng_escrow.store.service import inventory

ROLE: Final = "stock"  # of the process that follows
_LONGEST_PAUSE = 30.0  # seconds between attempts while the store is away
_log = logging.getLogger("kameng.trade")


class Stockkeeper:
    """One contract's. Of several on one store one works, and the others stand by: see `store.leadership`.

    Args:
        store: of the newest schema.
        contract_id: the contract's in the store.
        clock: Unix seconds of this machine.
        batch: rows of the outbox in one transaction.
    """

    def __init__(
        self,
        store: Store,
        contract_id: int,
        *,
        clock: Callable[[], int] = lambda: int(time.time()),
        batch: int = 1_000,
    ) -> None:
        self._store = store
        self._contract_id = contract_id
        self._clock = clock
        self._batch = batch

    @property
    def scope(self) -> str:
        """Of which contract."""
        return str(self._contract_id)

    def step(self, store: Store | None = None) -> bool:
        """One transaction of each kind; whether there may be more to do at once. Raises `StoreError`."""
        store = store or self._store
        with store.writing() as session:
            read = inventory.follow(session, self._contract_id, self._clock(), limit=self._batch)
        with store.writing() as session:
            over = inventory.lapse(session, self._contract_id, self._clock())
        return read >= self._batch or over > 0

    def catch_up(self) -> None:
        """Works until there is nothing to do. For one process alone. Raises `StoreError`."""
        while self.step():
            pass

    def run(self, stop: threading.Event, *, poll_seconds: float = 1.0) -> None:
        """Follows until `stop` is set; stands by while another process does. A store that is away is waited for."""
        pause = poll_seconds
        with Leadership(self._store, ROLE, self.scope) as place:
            while not stop.is_set():
                try:
                    term = place.wait(stop)
                    if term is None:
                        return
                    more = self.step(self._store.under(term))
                    pause = 0.0 if more else poll_seconds
                except (StoreBusy, StoreUnavailable, Deposed) as error:
                    _log.warning("the stock waits", extra={"code": error.code, "reason": error.message})
                    pause = min(max(2 * pause, poll_seconds), _LONGEST_PAUSE)
                stop.wait(pause)
