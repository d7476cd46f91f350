"""The models whose opinions are blended: boosted trees, a forest, a line.

They err differently. Boosting is best where there is much to learn; a forest remembers rows that come again nearly the
same; a line is hard to beat on few rows.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from .encoding import Feature
from .statistics import Integers
from .threads import jobs

Floats = NDArray[np.float64]

MANY: Final = 20_000  # rows, from which on there are data for larger trees
MOST: Final = 60_000  # rows, from which on steps are larger, or learning takes minutes
_ROUNDS: Final = 400
_ROUNDS_OF_MOST: Final = 250
_PATIENCE: Final = 25
_LEVELS_SHOWN: Final = 30  # of a category that the line tells apart


class Member(Protocol):
    """A model of a matrix. `fit` may be told rows that were kept back, to know when to stop."""

    name: str

    def fit(
        self, matrix: Floats, classes: Integers, kept: tuple[Floats, Integers] | None, rounds: int | None
    ) -> "Member": ...

    def predict(self, matrix: Floats) -> Floats: ...

    @property
    def rounds(self) -> int | None: ...


class Boosting:
    """Histogram gradient boosting, which splits by levels of categories as such and sends holes their own way."""

    name = "boosting"

    def __init__(self, features: Sequence[Feature], class_count: int, seed: int) -> None:
        self._coded = [place for place, feature in enumerate(features) if feature.coded]
        self._class_count = class_count
        self._seed = seed
        self._model: Any = None

    def fit(
        self, matrix: Floats, classes: Integers, kept: tuple[Floats, Integers] | None, rounds: int | None
    ) -> "Boosting":
        many, most = len(classes) >= MANY, len(classes) >= MOST
        self._model = HistGradientBoostingClassifier(
            learning_rate=0.12 if most else 0.08 if many else 0.05,
            max_iter=rounds or (_ROUNDS_OF_MOST if most else _ROUNDS),
            max_leaf_nodes=63 if many else 15,
            min_samples_leaf=20,
            l2_regularization=1.0,
            max_features=0.5,  # of the columns at each split, which makes its trees differ
            categorical_features=self._coded,
            early_stopping=kept is not None,
            n_iter_no_change=_PATIENCE,
            random_state=self._seed,
        )
        if kept is None:
            self._model.fit(matrix, classes)
        else:
            self._model.fit(matrix, classes, X_val=kept[0], y_val=kept[1])
        return self

    def predict(self, matrix: Floats) -> Floats:
        return spread(self._model.predict_proba(matrix), self._model.classes_, self._class_count)

    @property
    def rounds(self) -> int | None:
        """After how many rounds it was best: it has gone on for as long as its patience lasts."""
        stopped = int(self._model.n_iter_)
        return max(20, stopped - (_PATIENCE if stopped < self._model.max_iter else 0))


class Forest:
    """Many deep trees, each on its own way through the columns."""

    name = "forest"

    def __init__(self, class_count: int, seed: int, trees: int) -> None:
        self._class_count = class_count
        self._seed = seed
        self._trees = trees
        self._model: Any = None

    def fit(
        self, matrix: Floats, classes: Integers, kept: tuple[Floats, Integers] | None, rounds: int | None
    ) -> "Forest":
        del rounds
        self._model = ExtraTreesClassifier(
            self._trees if kept is None else max(30, self._trees // 3),  # a look needs fewer than the real thing
            min_samples_leaf=2,
            max_features="sqrt",
            n_jobs=jobs(),
            random_state=self._seed,
        )
        self._model.fit(matrix, classes)
        self._model.n_jobs = 1  # one row is scored faster by one thread
        return self

    def predict(self, matrix: Floats) -> Floats:
        return spread(self._model.predict_proba(matrix), self._model.classes_, self._class_count)

    @property
    def rounds(self) -> int | None:
        return None


class Line:
    """Logistic regression on standardised columns, holes marked, with a column for each common level."""

    name = "line"

    def __init__(self, features: Sequence[Feature], class_count: int) -> None:
        self._coded = np.array([feature.coded for feature in features])
        self._class_count = class_count
        self._model: Any = None
        self._centre = self._scale = np.zeros(0)
        self._holed: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._levels: list[int] = []

    def fit(
        self, matrix: Floats, classes: Integers, kept: tuple[Floats, Integers] | None, rounds: int | None
    ) -> "Line":
        del kept, rounds
        plain = matrix[:, ~self._coded]
        self._holed = np.isnan(plain).any(axis=0)
        seen = np.where(np.isnan(plain).all(axis=0), 0.0, plain)  # a column of holes has no middle
        low, self._centre, high = np.nanquantile(seen, [0.01, 0.5, 0.99], axis=0) if seen.size else np.zeros((3, 0))
        self._scale = np.nanstd(np.clip(seen, low, high), axis=0)
        self._scale[~(self._scale > 0)] = 1.0
        coded = matrix[:, self._coded]
        self._levels = [int(min(_LEVELS_SHOWN, column.max(initial=0) + 1)) for column in coded.T]
        self._model = LogisticRegression(C=0.3, max_iter=200, tol=1e-3)
        self._model.fit(self._prepared(matrix), classes)
        return self

    def predict(self, matrix: Floats) -> Floats:
        line = self._prepared(matrix) @ self._model.coef_.T + self._model.intercept_
        if line.shape[1] == 1:  # by hand, since the library's checks take longer than one row's sum
            line = np.column_stack([np.zeros(len(line)), line[:, 0]])
        odds = np.exp(line - line.max(axis=1, keepdims=True))
        return spread(odds / odds.sum(axis=1, keepdims=True), self._model.classes_, self._class_count)

    def _prepared(self, matrix: Floats) -> Floats:
        plain = matrix[:, ~self._coded]
        standard = np.clip((plain - self._centre) / self._scale, -5.0, 5.0)
        parts = [np.nan_to_num(standard, nan=0.0), np.isnan(plain[:, self._holed]).astype(np.float64)]
        for column, levels in zip(matrix[:, self._coded].T, self._levels, strict=True):
            parts.append((column[:, None] == np.arange(levels)).astype(np.float64))
        return np.column_stack(parts)

    @property
    def rounds(self) -> int | None:
        return None


def spread(found: Floats, classes: Integers, class_count: int) -> Floats:
    """Probabilities of the classes that a model saw, at the places of all."""
    if found.shape[1] == class_count:
        return np.asarray(found, dtype=np.float64)
    made = np.zeros((len(found), class_count))
    made[:, classes] = found
    return made
