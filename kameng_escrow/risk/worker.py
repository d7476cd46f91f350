"""The risk worker: in the keeper's rhythm, and never in a request's way.

What it does at each round are looks: of scores and warnings, and of whatever else learns from the mirror. A look that
fails is logged and tried again at the next round, and keeps no other from its turn. What takes minutes is done
aside, in a thread of its own, and seldom.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from kameng_escrow.store import Deposed, Leadership, Store, StoreBusy, StoreUnavailable

ROLE: Final = "risk"  # of the process that follows
ASIDE_SECONDS: Final = 3_600.0  # between two looks that are done aside
_LONGEST_PAUSE: Final = 60.0  # seconds between attempts while the store is away
_log = logging.getLogger("kameng.risk")

Look = Callable[[Store, threading.Event], object]  # does what there is to do; the store is of this term


class RiskWorker:
    """One contract's. Of several on one store one works, and the others stand by: see `store.leadership`.

    Args:
        store: of the newest schema.
        contract_id: the contract's, in the store.
        looks: what is done each round, by name.
        asides: what is done in between and takes long: rounds don't wait for it.
    """

    def __init__(
        self,
        store: Store,
        contract_id: int,
        looks: Sequence[tuple[str, Look]],
        asides: Sequence[tuple[str, Look]] = (),
    ) -> None:
        self._store = store
        self._contract_id = contract_id
        self._looks = tuple(looks)
        self._asides = tuple(asides)
        self._aside: threading.Thread | None = None
        self._aside_from = 0.0  # of the monotonic clock: when it is due
        self._aside_well = True

    def run(self, stop: threading.Event, *, poll_seconds: float = 5.0, once: bool = False) -> bool:
        """Works until `stop` is set, or for one round; stands by while another process does.

        Returns whether the last round went well throughout. A store that is away is waited for; so is, after one round
        or when told to stop, what is done aside.
        """
        try:
            return self._run(stop, poll_seconds, once)
        finally:
            if self._aside is not None:
                self._aside.join()  # it hears of `stop`, too

    def _run(self, stop: threading.Event, poll_seconds: float, once: bool) -> bool:
        well, pause = True, poll_seconds
        with Leadership(self._store, ROLE, str(self._contract_id)) as place:
            while not stop.is_set():
                try:
                    term = place.wait(stop)
                    if term is None:
                        break
                    store = self._store.under(term)
                    self._begin_aside(store, stop)
                    well = self._round(store, stop)
                    if once and self._aside is not None:
                        self._aside.join()
                        well = well and self._aside_well
                    pause = poll_seconds
                except (StoreBusy, StoreUnavailable, Deposed) as error:
                    _log.warning("risk waits", extra={"code": error.code, "reason": error.message})
                    well, pause = False, min(2 * pause, _LONGEST_PAUSE)
                if once:
                    break
                stop.wait(pause)
        return well

    def _begin_aside(self, store: Store, stop: threading.Event) -> None:
        if not self._asides or time.monotonic() < self._aside_from:
            return
        if self._aside is None or not self._aside.is_alive():
            self._aside = threading.Thread(target=self._do_aside, args=(store, stop), name="risk-aside", daemon=True)
            self._aside.start()

    def _do_aside(self, store: Store, stop: threading.Event) -> None:
        pause = ASIDE_SECONDS
        try:
            self._aside_well = self._round(store, stop, self._asides)
        except (StoreBusy, StoreUnavailable, Deposed) as error:
            _log.warning("risk waits", extra={"code": error.code, "reason": error.message})
            self._aside_well, pause = False, _LONGEST_PAUSE
        self._aside_from = time.monotonic() + pause

    def _round(self, store: Store, stop: threading.Event, looks: Sequence[tuple[str, Look]] | None = None) -> bool:
        well = True
        for name, look in self._looks if looks is None else looks:
            if stop.is_set():
                break
            try:
                look(store, stop)
            except (StoreBusy, StoreUnavailable, Deposed):
                raise
            except Exception:  # of a model or a detector; orders go on without it
                _log.exception("%s fails", name)
                well = False
        return well
