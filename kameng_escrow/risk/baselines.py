"""What the model must beat: a constant, logistic regression and a random forest, each as anybody would set it up."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from .columns import Column, Kind, numbers, seconds, texts
from .members import spread
from .statistics import Integers
from .threads import jobs

Floats = NDArray[np.float64]

BASELINES: Final = ("constant", "logistic", "forest")
_HOLE: Final = "?"
_DAY: Final = 86_400.0


def simple_table(frame: pd.DataFrame, columns: list[Column]) -> pd.DataFrame:
    """Numbers as they are, dates as days, categories and texts as words: the table as every tutorial has it."""
    made: dict[str, Any] = {}
    for column in columns:
        series = frame[column.name]
        if column.kind is Kind.NUMBER:
            made[column.name] = numbers(series)
        elif column.kind is Kind.DATE:
            made[column.name] = seconds(series, column.date_format) / _DAY
        elif column.kind is Kind.CATEGORY:
            made[column.name] = texts(series).fillna(_HOLE).to_numpy(dtype=object)
    return pd.DataFrame(made, index=frame.index) if made else pd.DataFrame({"nothing": np.zeros(len(frame))})


def predict_with(name: str, learnt: pd.DataFrame, classes: Integers, unseen: pd.DataFrame, class_count: int) -> Floats:
    """Fits a baseline to a simple table, and returns its probabilities for another."""
    words = [column for column in learnt.columns if learnt[column].dtype == object]
    plain = [column for column in learnt.columns if column not in words]
    model: Any
    if name == "constant":
        model = DummyClassifier(strategy="prior")
    elif name == "logistic":
        model = make_pipeline(
            ColumnTransformer(
                [
                    ("numbers", make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()), plain),
                    ("words", OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=100), words),
                ]
            ),
            LogisticRegression(max_iter=200, tol=1e-3),
        )
    else:
        encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        model = make_pipeline(
            ColumnTransformer(
                [
                    ("numbers", SimpleImputer(strategy="median", keep_empty_features=True), plain),
                    ("words", encode, words),
                ]
            ),
            RandomForestClassifier(100, n_jobs=jobs(), random_state=0),
        )
    model.fit(learnt, classes)
    return spread(model.predict_proba(unseen), model.classes_, class_count)
