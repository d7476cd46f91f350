"""Probabilities of each bad ending for orders of the mirror, by a model of their history or, before there is one, by
their category's rates.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from ..model import CancellationModel
from .chronicle import FEATURES, Chronicle, Finished, Snapshot, Value
from .endings import BAD, Ending, Stage

ENOUGH: Final = 400  # stages of closed orders, from which on there is a model
_RARE: Final = 12  # stages; an ending that came more seldom is not foretold
_ONE_OFF: Final = frozenset({"waited", "spent", "deadline_in"})


@dataclass(frozen=True, slots=True)
class Score:
    """How likely each bad ending is."""

    order_id: str
    stage: Stage
    at: int  # Unix seconds: as its snapshot's
    buyer: float
    seller: float
    dispute: float

    @property
    def bad(self) -> float:
        """How likely any of them is."""
        return min(1.0, self.buyer + self.seller + self.dispute)


@dataclass(frozen=True)
class Example:
    """A look at a stage of an order that has ended."""

    snapshot: Snapshot
    ending: Ending
    closed_at: int  # Unix seconds


def table_of(snapshots: Sequence[Snapshot]) -> pd.DataFrame:
    """A row for each snapshot. Numbers are numbers, whatever is in them."""
    columns: dict[str, Any] = {}
    for name in FEATURES:
        cells = [one.values[name] for one in snapshots]
        words = name in ("stage", "category", "platform")
        columns[name] = np.array(cells, dtype=object if words else np.float64)
    return pd.DataFrame(columns)


class Examples:
    """Joins what was known with how it ended, as both come along."""

    def __init__(self) -> None:
        self._open: dict[str, list[Snapshot]] = {}
        self.closed: list[Example] = []
        self.stages = 0  # of orders that have ended, each counted once, however often it was looked at

    def add(self, found: Snapshot | Finished | None) -> None:
        """What a chronicle said."""
        if isinstance(found, Snapshot):
            self._open.setdefault(found.order_id, []).append(found)
        elif isinstance(found, Finished):
            for snapshot in self._open.pop(found.order_id, []):
                ending = found.endings.get(snapshot.stage)
                if ending is not None:
                    self.stages += snapshot.is_new
                    self.closed.append(Example(snapshot, ending, found.at))


class OrderModel:
    """A `CancellationModel` of orders' stages."""

    def __init__(
        self, model: CancellationModel, trained_until: int, spread: Mapping[str, tuple[list[float], list[float]]]
    ):
        self.model = model
        self.trained_until = trained_until  # Unix seconds: the last ending that it learnt from
        self.spread = dict(spread)  # by feature: edges of ten bins, and the shares in them
        self.typical: dict[str, Value] = {}

    @classmethod
    def fit(cls, examples: Sequence[Example], *, seed: int = 0, threads: int = 1) -> "OrderModel | None":
        """Learns from what has ended; None where that is too little, or nothing ended badly.

        Examples are put in the order in which they were known, and no example learns from a later one. `threads`: at
        most so many.
        """
        ordered = sorted(examples, key=lambda one: one.snapshot.at)
        counts = Counter(one.ending for one in ordered if one.snapshot.is_new)
        ordered = [one for one in ordered if counts[one.ending] >= _RARE]
        kinds = {one.ending for one in ordered}
        if sum(one.snapshot.is_new for one in ordered) < ENOUGH or Ending.Well not in kinds or len(kinds) < 2:
            return None
        table = table_of([one.snapshot for one in ordered])
        table["at"] = [float(one.snapshot.at) for one in ordered]
        target = pd.Series([one.ending.value for one in ordered], dtype=object)
        model = CancellationModel(members=("boosting", "line"), seed=seed, unused=("at",), threads=threads)
        model.fit(table, target, time="at")
        made = cls(model, max(one.closed_at for one in ordered), _spread(table))
        made.typical = _typical(table[(target == Ending.Well.value).to_numpy()])
        return made

    def score(self, snapshots: Sequence[Snapshot]) -> list[Score]:
        """Scores of many at once."""
        if not snapshots:
            return []
        said = self.model.predict_matrix(self.model.encode(table_of(snapshots)))
        places = {name: place for place, name in enumerate(self.model.classes)}
        return [
            _score(one, {ending: float(row[places[ending]]) if ending in places else 0.0 for ending in BAD})
            for one, row in zip(snapshots, said, strict=True)
        ]

    def score_one(self, snapshot: Snapshot) -> Score:
        """The score of one."""
        said = self.model.predict_row(snapshot.values)
        return _score(snapshot, {ending: said.get(ending, 0.0) for ending in BAD})

    def causes(self, snapshot: Snapshot, *, most: int = 3) -> list[str]:
        """The features that raise its risk most: by how much it would fall were each as in a usual order that went
        well.
        """
        names = [name for name in FEATURES if name in self.typical and name != "stage"]
        rows = [snapshot.values, *({**snapshot.values, name: self.typical[name]} for name in names)]
        said = self.score([_with(snapshot, values) for values in rows])
        drops = [(said[0].bad - one.bad, name) for one, name in zip(said[1:], names, strict=True)]
        return [name for drop, name in sorted(drops, reverse=True)[:most] if drop > 0.005]


def prior_score(chronicle: Chronicle, snapshot: Snapshot) -> Score:
    """What is said before there is a model: how often orders of the category end so."""
    rates = {ending: chronicle.rate(ending, snapshot.category) for ending in BAD}
    if snapshot.stage is Stage.Delivered:  # what has been delivered can't be cancelled, and rarely fails
        rates = {Ending.Buyer: 0.0, Ending.Seller: rates[Ending.Seller] / 4, Ending.Dispute: rates[Ending.Dispute]}
    return _score(snapshot, rates)


def drift(model: OrderModel, recent: Sequence[Snapshot]) -> dict[str, float]:
    """The population stability index of each feature: how far recent orders are from those that were learnt from.

    Below 0.1 is nothing, above 0.25 a change that should be looked at.
    """
    if not recent:
        return {}
    table = table_of(recent)
    found = {}
    for name, (edges, shares) in model.spread.items():
        now = _shares(table[name].to_numpy(dtype=np.float64), np.array(edges))
        then = np.array(shares)
        found[name] = float(((now - then) * np.log(now / then)).sum())
    return found


def _score(snapshot: Snapshot, rates: Mapping[Ending, float]) -> Score:
    return Score(
        snapshot.order_id,
        snapshot.stage,
        snapshot.at,
        rates[Ending.Buyer],
        rates[Ending.Seller],
        rates[Ending.Dispute],
    )


def _with(snapshot: Snapshot, values: Mapping[str, Value]) -> Snapshot:
    return Snapshot(
        snapshot.order_id,
        snapshot.stage,
        snapshot.at,
        snapshot.seller,
        snapshot.buyer,
        snapshot.platform,
        snapshot.category,
        snapshot.deadline,
        dict(values),
    )


def _spread(table: pd.DataFrame) -> dict[str, tuple[list[float], list[float]]]:
    made = {}
    for name in table.columns:
        if table[name].dtype == object or name in ("at", *_ONE_OFF):
            continue
        values = table[name].to_numpy(dtype=np.float64)
        there = values[np.isfinite(values)]
        if len(np.unique(there)) < 2:
            continue
        edges = np.unique(np.quantile(there, np.linspace(0, 1, 11)[1:-1]))
        made[str(name)] = (edges.tolist(), _shares(values, edges).tolist())
    return made


def _shares(values: "np.ndarray[Any, np.dtype[np.float64]]", edges: "np.ndarray[Any, Any]") -> Any:
    """The share of values in each bin, holes in one of their own; none is quite empty."""
    places = np.where(np.isfinite(values), np.searchsorted(edges, values, side="right"), len(edges) + 1)
    counts = np.bincount(places, minlength=len(edges) + 2) + 0.5
    return counts / counts.sum()


def _typical(table: pd.DataFrame) -> dict[str, Value]:
    made: dict[str, Value] = {}
    for name in table.columns:
        if name == "at":
            continue
        if table[name].dtype == object:
            continue
        middle = float(table[name].median())
        made[str(name)] = None if math.isnan(middle) else middle
    return made
