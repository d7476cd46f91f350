"""How good probabilities are: ranking, sharpness, and whether they come true as often as they say."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from .blending import log_loss
from .statistics import Integers

Floats = NDArray[np.float64]

BINS: Final = 10  # of equal size, by probability
TOP: Final = 0.1  # of the rows: those the model fears most


@dataclass(frozen=True)
class Reliability:
    """A bin of rows with similar probabilities."""

    rows: int
    said: float  # mean probability
    came: float  # share that ended so


@dataclass(frozen=True)
class Scores:
    """How good one model's probabilities are on rows that it did not learn from."""

    auc: float  # the chance that a row that ended badly was given more than one that did not; 0.5 is guessing
    average_precision: float  # mean precision over all thresholds; the share of the bad is guessing
    brier: float  # mean squared error of probabilities, summed over classes where there are several
    log_loss: float  # nats a row
    calibration_error: float  # mean gap between what was said and what came, over bins of equal size
    lift: float  # among the tenth that is feared most: how many times as many ended badly as among all


def scores(classes: Integers, probabilities: Floats) -> Scores:
    """Scores of two classes (of the second), or the means over several, weighted by how often each comes."""
    count = probabilities.shape[1]
    told = [1] if count == 2 else [one for one in range(count) if 0 < (classes == one).mean() < 1]
    weights = np.array([(classes == one).mean() for one in told]) if count > 2 else np.ones(1)
    parts = np.array([_of_class(classes == one, probabilities[:, one]) for one in told])
    auc, precision, brier, error, lift = np.average(parts, axis=0, weights=weights) if len(told) else [np.nan] * 5
    if count > 2:
        brier = float(((probabilities - np.eye(count)[classes]) ** 2).sum(axis=1).mean())
    return Scores(
        float(auc), float(precision), float(brier), log_loss(classes, probabilities), float(error), float(lift)
    )


def reliability(hits: NDArray[np.bool_], said: Floats) -> list[Reliability]:
    """What was said and what came, in bins of equal size; equal probabilities share a bin."""
    edges = np.unique(np.quantile(said, np.linspace(0, 1, BINS + 1)))
    place = np.clip(np.searchsorted(edges, said, side="right") - 1, 0, max(0, len(edges) - 2))
    bins = [place == one for one in np.unique(place)]
    return [Reliability(int(one.sum()), float(said[one].mean()), float(hits[one].mean())) for one in bins]


def _of_class(hits: NDArray[np.bool_], said: Floats) -> tuple[float, float, float, float, float]:
    if not hits.any() or hits.all():
        return (np.nan, np.nan, float(((said - hits) ** 2).mean()), float(abs(said.mean() - hits.mean())), np.nan)
    bins = reliability(hits, said)
    error = sum(one.rows * abs(one.said - one.came) for one in bins) / len(hits)
    top = _share_of_top(hits, said)
    return (
        float(roc_auc_score(hits, said)),
        float(average_precision_score(hits, said)),
        float(((said - hits) ** 2).mean()),
        float(error),
        float(top / hits.mean()),
    )


def _share_of_top(hits: NDArray[np.bool_], said: Floats) -> float:
    """The share of hits among the most feared; of rows with equal probabilities, each counts by its chance."""
    count = max(1, round(TOP * len(hits)))
    edge = np.sort(said)[-count]
    above, at = said > edge, said == edge
    rest = count - int(above.sum())
    return float((hits[above].sum() + rest * hits[at].mean()) / count)
