"""How much each model is listened to, and what its figures mean: weights and calibration, found on rows kept back."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from .statistics import Integers

Floats = NDArray[np.float64]

TINY: Final = 1e-6  # no probability is nearer to nothing or to all
_ISOTONIC_ROWS: Final = 3_000  # kept back, from which on steps may be told from chance
_HALVES: Final = 2


def log_loss(classes: Integers, probabilities: Floats) -> float:
    """The mean of what each row's ending surprises by, in nats."""
    hit = probabilities[np.arange(len(classes)), classes]
    return float(-np.log(np.clip(hit, TINY, 1.0)).mean())


def blend(opinions: Floats, weights: Floats) -> Floats:
    """Weighted mean of probabilities: members × rows × classes to rows × classes."""
    return np.asarray(np.tensordot(weights, opinions, axes=1), dtype=np.float64)


def find_weights(opinions: Floats, classes: Integers) -> Floats:
    """The weights, none negative and one in sum, under which the blend surprises least."""
    members = len(opinions)
    if members == 1:
        return np.ones(1)
    hits = opinions[:, np.arange(len(classes)), classes]  # members × rows

    def surprise(raw: Floats) -> tuple[float, Floats]:
        weights = np.exp(raw - raw.max())
        weights /= weights.sum()
        mixed = np.maximum(weights @ hits, TINY)
        slope = -(hits / mixed).mean(axis=1)
        return float(-np.log(mixed).mean()), weights * (slope - weights @ slope)

    found = minimize(surprise, np.zeros(members), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    weights = np.exp(found.x - found.x.max())
    weights /= weights.sum()
    weights[weights < 0.02] = 0.0  # what says nearly nothing need not be asked
    return np.asarray(weights / weights.sum(), dtype=np.float64)


@dataclass
class Calibration:
    """What a blend's probability of each class comes to in truth."""

    kind: str  # "none", "sigmoid" or "isotonic"
    curves: list[Any]  # of each class; of the second only, where there are two

    def apply(self, probabilities: Floats) -> Floats:
        """Calibrated, and one in sum."""
        if self.kind == "none":
            return np.asarray(np.clip(probabilities, TINY, 1 - TINY), dtype=np.float64)
        if probabilities.shape[1] == 2:
            bad = np.clip(self._curve(0, probabilities[:, 1]), TINY, 1 - TINY)
            return np.column_stack([1 - bad, bad])
        made = np.column_stack([self._curve(one, probabilities[:, one]) for one in range(probabilities.shape[1])])
        made = np.clip(made, TINY, 1.0)
        return np.asarray(made / made.sum(axis=1, keepdims=True), dtype=np.float64)

    def _curve(self, one: int, values: Floats) -> Floats:
        curve = self.curves[one]
        if self.kind == "isotonic":
            knots, heights = curve
            return np.asarray(np.interp(values, knots, heights), dtype=np.float64)
        slope, shift = curve
        return np.asarray(1 / (1 + np.exp(-(slope * _odds(values) + shift))), dtype=np.float64)


def find_calibration(probabilities: Floats, classes: Integers, groups: Integers) -> Calibration:
    """Of none, sigmoid and isotonic the one that surprises least on rows it was not found on; none where it's close.

    `groups` (0 or 1 of each row) says which half a row is in.
    """
    candidates = ["none", "sigmoid", *(["isotonic"] if len(classes) >= _ISOTONIC_ROWS else [])]
    losses = {}
    for kind in candidates:
        losses[kind] = sum(
            log_loss(
                classes[groups == half],
                _fit(kind, probabilities[groups != half], classes[groups != half]).apply(probabilities[groups == half]),
            )
            * float((groups == half).mean())
            for half in range(_HALVES)
        )
    best = min(candidates, key=lambda kind: losses[kind] + {"none": 0.0, "sigmoid": 1e-4, "isotonic": 3e-4}[kind])
    return _fit(best, probabilities, classes)


def _fit(kind: str, probabilities: Floats, classes: Integers) -> Calibration:
    told = [1] if probabilities.shape[1] == 2 else list(range(probabilities.shape[1]))
    if kind == "none":
        return Calibration(kind, [])
    if kind == "isotonic":
        return Calibration(kind, [_isotonic(probabilities[:, one], classes == one) for one in told])
    return Calibration(kind, [_sigmoid(probabilities[:, one], classes == one) for one in told])


def _isotonic(values: Floats, hits: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    curve = IsotonicRegression(out_of_bounds="clip").fit(values, hits)
    rows = len(hits)
    heights = (curve.y_thresholds_ * rows + 0.5 * hits.mean()) / (rows + 0.5)  # never quite nothing
    return np.asarray(curve.X_thresholds_, dtype=np.float64), np.asarray(heights, dtype=np.float64)


def _sigmoid(values: Floats, hits: NDArray[np.bool_]) -> tuple[float, float]:
    odds = _odds(values)
    positive, negative = int(hits.sum()), int((~hits).sum())
    goal = np.where(hits, (positive + 1) / (positive + 2), 1 / (negative + 2))  # Platt's, against certainty

    def surprise(raw: Floats) -> tuple[float, Floats]:
        line = raw[0] * odds + raw[1]
        loss = np.logaddexp(0, line) - goal * line
        gap = 1 / (1 + np.exp(-line)) - goal
        return float(loss.mean()), np.array([(gap * odds).mean(), gap.mean()])

    found = minimize(surprise, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.05, 20.0), (-10.0, 10.0)])
    return float(found.x[0]), float(found.x[1])


def _odds(values: Floats) -> Floats:
    clipped = np.clip(values, TINY, 1 - TINY)
    return np.asarray(np.log(clipped / (1 - clipped)), dtype=np.float64)
