"""The risk worker: in the keeper's rhythm, and never in a request's way.

What it does at each round are looks: of scores and warnings, and of whatever else learns from the mirror. A look that
fails is logged and tried again at the next round, and keeps no other from its turn.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from kameng_escrow.store import Deposed, Leadership, Store, StoreBusy, StoreUnavailable

ROLE: Final = "risk"  # of the process that follows
_LONGEST_PAUSE: Final = 60.0  # seconds between attempts while the store is away
_log = logging.getLogger("kameng.risk")

Look = Callable[[Store, threading.Event], object]  # does what there is to do; the store is of this term


class RiskWorker:
    """One contract's. Of several on one store one works, and the others stand by: see `store.leadership`.

    Args:
        store: of the newest schema.
        contract_id: the contract's, in the store.
        looks: what is done each round, by name.
    """

    def __init__(self, store: Store, contract_id: int, looks: Sequence[tuple[str, Look]]) -> None:
        self._store = store
        self._contract_id = contract_id
        self._looks = tuple(looks)

    def run(self, stop: threading.Event, *, poll_seconds: float = 5.0, once: bool = False) -> bool:
        """Works until `stop` is set, or for one round; stands by while another process does.

        Returns whether the last round went well throughout. A store that is away is waited for.
        """
        well, pause = True, poll_seconds
        with Leadership(self._store, ROLE, str(self._contract_id)) as place:
            while not stop.is_set():
                try:
                    term = place.wait(stop)
                    if term is None:
                        break
                    well = self._round(self._store.under(term), stop)
                    pause = poll_seconds
                except (StoreBusy, StoreUnavailable, Deposed) as error:
                    _log.warning("risk waits", extra={"code": error.code, "reason": error.message})
                    well, pause = False, min(2 * pause, _LONGEST_PAUSE)
                if once:
                    break
                stop.wait(pause)
        return well

    def _round(self, store: Store, stop: threading.Event) -> bool:
        well = True
        for name, look in self._looks:
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
