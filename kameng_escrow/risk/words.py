"""What the words of a text say of how its row will end: log odds by naive regression on hashed words.

Chinese is written without spaces, so a word is a run of letters or digits, and of Chinese two characters that stand
together.
"""

import itertools
import re
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier

from .statistics import Integers, Partition

Floats = NDArray[np.float64]

_WIDTH: Final = 2**14
_CLIP: Final = 8.0  # log odds
_WORD: Final = re.compile(r"[a-z0-9]+|[\u2e80-\uffff]")


def words_of(text: str) -> list[str]:
    """The words of a text, and every two that stand together."""
    words = _WORD.findall(text.lower())
    return words + [f"{first} {second}" for first, second in itertools.pairwise(words)]


class WordOdds:
    """Log odds of each told class, from the words of a text."""

    def __init__(self) -> None:
        self._models: list[SGDClassifier | None] = []

    def fit(self, cells: pd.Series, classes: Integers, told: Integers, partition: Partition) -> Floats:
        """Learns, and returns for its own rows what other rows (earlier ones, where there is a time) say of them."""
        counts = _hashed(cells)
        own = np.zeros((len(cells), len(told)))
        # a handful of models rather than one for each block of time
        chunk = np.minimum(partition.groups * 4 // partition.count, 3) if partition.ordered else partition.groups
        for group in np.unique(chunk):
            mine = chunk == group
            others = chunk < group if partition.ordered else ~mine
            for place, one in enumerate(told):
                own[mine, place] = _odds(_fitted(counts[others], classes[others] == one), counts[mine])
        self._models = [_fitted(counts, classes == one) for one in told]
        return own

    def transform(self, cells: pd.Series) -> Floats:
        """Log odds of each told class for other rows."""
        counts = _hashed(cells)
        return np.column_stack([_odds(model, counts) for model in self._models])


def _hashed(cells: pd.Series) -> sparse.csr_matrix:
    vectorizer = HashingVectorizer(n_features=_WIDTH, analyzer=words_of, norm="l2", alternate_sign=False)
    return vectorizer.transform([cell or "" for cell in cells])


def _fitted(counts: sparse.csr_matrix, hits: NDArray[np.bool_]) -> SGDClassifier | None:
    if counts.shape[0] < 20 or hits.all() or not hits.any():
        return None
    model = SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=8, tol=None, random_state=0)
    return model.fit(counts, hits)


def _odds(model: SGDClassifier | None, counts: sparse.csr_matrix) -> Floats:
    if model is None:
        return np.zeros(counts.shape[0])
    return np.asarray(np.clip(model.decision_function(counts), -_CLIP, _CLIP), dtype=np.float64)
