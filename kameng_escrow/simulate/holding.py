"""Holds a market at one of the three places, start to end."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kameng_escrow.store import Store

from .chain_venue import ChainVenue
from .figures import Figures, figures_of
from .market import Progress, run
from .nodes import anvil_for, in_process_for
from .parameters import Parameters
from .result import MarketRun
from .twin_venue import TwinVenue
from .venue import Venue


class Place(StrEnum):
    """Where a market is held."""

    Anvil = "anvil"
    InProcess = "in-process"
    Twin = "twin"


USUAL_ORDERS = {Place.Anvil: 10_000, Place.InProcess: 40, Place.Twin: 2_000}
"""What a few minutes, or seconds, hold."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A market that was held, what it came to, and how long that took."""

    market: MarketRun
    figures: Figures
    seconds: float

    @property
    def good(self) -> bool:
        """Whether the books close and the mirror is the chain."""
        return self.figures.conserved and self.figures.mirror_equals_chain is not False


def hold(
    parameters: Parameters,
    *,
    orders: int,
    seed: int,
    place: Place,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> Held:
    """A market, with all that it needs: started and ended here.

    `keep`: where the mirror's store (SQLite) is to stay; left out, it goes with the chain. The twin has none.

    Raises:
        ToolUnavailable: Anvil is not installed.
        MarketStuck, NodeError, StoreError: see `run`.
    """
    began = time.monotonic()
    with _venue(parameters, place, keep) as venue:
        market = run(parameters, orders=orders, seed=seed, venue=venue, progress=progress)
    figures = figures_of(market)
    return Held(market=market, figures=figures, seconds=time.monotonic() - began)


@contextmanager
def _venue(parameters: Parameters, place: Place, keep: Path | None) -> Iterator[Venue]:
    if place is Place.Twin:
        yield TwinVenue()
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kameng-simulate-")))
        local = anvil_for(parameters) if place is Place.Anvil else in_process_for(parameters)
        node = stack.enter_context(local)
        store = stack.enter_context(Store.open(str(keep or folder / "store.sqlite")))
        yield ChainVenue(node, store)
