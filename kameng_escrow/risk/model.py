"""`CancellationModel`: calibrated probabilities of how a row will end, learnt from any table.

The kinds of columns are found by what is in them (`columns.py`). A part of the rows is kept back, the last ones where
the table has a time: on it is found when to stop, how much each member is listened to (`blending.py`), and what their
figures mean. Then the members learn once more from all rows.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .blending import Calibration, blend, find_calibration, find_weights, log_loss
from .columns import Column, Dropped, Kind, find_columns, numbers, seconds, texts
from .encoding import Encoder, Feature
from .errors import ColumnsDiffer, TableUnusable, TargetUnusable
from .members import MANY, Boosting, Forest, Line, Member
from .statistics import Integers, Partition, at_random, in_time
from .threads import FEW_ROWS, at_most

Floats = NDArray[np.float64]

MIN_ROWS: Final = 40
MAX_CLASSES: Final = 20
MIN_OF_CLASS: Final = 5  # rows
MEMBERS: Final = ("boosting", "forest", "line")
_KEPT_SHARE: Final = 0.2  # of a large table's rows
_FOLDS: Final = 4  # of a small one's
_SMALL: Final = 6_000  # rows
_TREES: Final = 120


@dataclass(frozen=True)
class Fold:
    """Which rows are learnt from, and which are kept back."""

    learnt: Integers
    kept: Integers


class CancellationModel:
    """Learns from a table how its rows end; says of others how likely each ending is."""

    def __init__(
        self,
        *,
        members: Sequence[str] = MEMBERS,
        seed: int = 0,
        unused: Sequence[str] = (),
        threads: int | None = None,
    ) -> None:
        """Nothing is learnt yet.

        Args:
            members: which of "boosting", "forest" and "line" are asked.
            seed: makes the same of the same.
            unused: columns that may be there and tell nothing; a time is only the order of rows then.
            threads: at most so many; None: as many as there are cores.
        """
        self.members_asked = tuple(members)
        self.unused = tuple(unused)
        self.threads = threads
        self.seed = seed
        self.classes: list[str] = []
        self.columns: list[Column] = []
        self.dropped: list[Dropped] = []
        self.notes: list[tuple[str, str]] = []
        self.expected: list[str] = []  # names of columns that a table to be scored must have
        self.weights: dict[str, float] = {}
        self.kept_loss = float("nan")  # nats a row, on rows that were kept back
        self.rows = 0
        self._encoder = Encoder([])
        self._members: list[Member] = []
        self._weights: Floats = np.zeros(0)
        self._calibration = Calibration("none", [])

    # ------------------------------------------------------------------------------------------------------- learning

    def fit(self, table: pd.DataFrame, target: "pd.Series | str", *, time: str | None = None) -> "CancellationModel":
        """Learns from a table.

        Args:
            table: a row for each case. Columns may be of any type; their labels are used as text.
            target: how each row ended, or the name of the column that says so. Rows without an ending are left out.
            time: the name of a date column by which rows came; then no row learns from later ones, and what is kept
                back are the last ones.

        Raises:
            TargetUnusable: the target is missing, all of one kind, or of more than 20 kinds.
            TableUnusable: fewer than 40 rows, or no column to learn from.
        """
        frame, endings = split_target(table, target)
        self.classes, classes = classes_of(endings)
        there = classes >= 0
        frame, classes = frame[there].reset_index(drop=True), classes[there]
        _check(frame, classes, self.classes)
        times = times_of(frame, time) if time is not None else None
        if times is not None:
            order = np.argsort(np.nan_to_num(times, nan=-np.inf), kind="stable")
            frame, classes, times = frame.iloc[order].reset_index(drop=True), classes[order], times[order]
        frame = frame.drop(columns=[name for name in self.unused if name in frame.columns])
        self.expected = list(frame.columns)
        self.columns, self.dropped, self.notes = find_columns(frame)
        if not self.columns:
            raise TableUnusable(
                "No column is left to learn from: " + "; ".join(f"{one.name}: {one.reason}" for one in self.dropped),
                "没有可以学习的列：" + "；".join(f"{one.name}：{one.reason_zh}" for one in self.dropped),
            )
        self.rows = len(classes)
        random = np.random.default_rng(self.seed)
        with at_most(self.threads):
            rounds = self._find_blend(frame, classes, times, random)
            self._encoder, matrix = self._encoded(frame, classes, times, random)
            self._members = [
                self._member(name, self._encoder.features).fit(matrix, classes, None, rounds.get(name))
                for name in self.weights
            ]
        return self

    def _find_blend(
        self, frame: pd.DataFrame, classes: Integers, times: Floats | None, random: np.random.Generator
    ) -> dict[str, int]:
        """Weights and calibration, and how many rounds a member that learns in rounds should take."""
        kept_rows: list[Integers] = []
        opinions: list[Floats] = []
        rounds: dict[str, list[int]] = {}
        for fold in folds(len(classes), times, random):
            learnt = classes[fold.learnt]
            if len(np.unique(learnt)) < len(self.classes):
                continue
            encoder, matrix = self._encoded(
                frame.iloc[fold.learnt], learnt, None if times is None else times[fold.learnt], random
            )
            kept = encoder.transform(frame.iloc[fold.kept])
            said = []
            for name in self.members_asked:
                member = self._member(name, encoder.features)
                member.fit(matrix, learnt, (kept, classes[fold.kept]), None)
                said.append(member.predict(kept))
                if member.rounds is not None:
                    rounds.setdefault(name, []).append(member.rounds)
            kept_rows.append(fold.kept)
            opinions.append(np.stack(said))
        if not opinions:
            raise TargetUnusable(
                "Some ending is so rare that no part of the rows can be kept back with it left in the rest.",
                "有的结局太少，无法留出一部分来检验。",
            )
        rows, stacked = np.concatenate(kept_rows), np.concatenate(opinions, axis=1)
        weights = find_weights(stacked, classes[rows])
        mixed = blend(stacked, weights)
        # rows that stand together share their fate: by time, a half is a stretch of it
        halves = np.arange(len(rows), dtype=np.int64) % 2 if times is None else (2 * rows > rows.min() + rows.max()) * 1
        self._calibration = find_calibration(mixed, classes[rows], halves)
        self.kept_loss = log_loss(classes[rows], self._calibration.apply(mixed))
        self.weights = {
            name: float(weight) for name, weight in zip(self.members_asked, weights, strict=True) if weight > 0
        }
        self._weights = np.array(list(self.weights.values()))
        grown = len(classes) / (len(classes) - len(kept_rows[-1]))  # more rows bear a little more rounds
        return {name: int(np.median(found) * min(grown, 1.25)) for name, found in rounds.items()}

    def _encoded(
        self, frame: pd.DataFrame, classes: Integers, times: Floats | None, random: np.random.Generator
    ) -> tuple[Encoder, Floats]:
        encoder = Encoder(self.columns)
        partition: Partition = at_random(len(classes), random) if times is None else in_time(times)
        return encoder, encoder.fit(frame, classes, len(self.classes), partition)

    def _member(self, name: str, features: Sequence[Feature]) -> Member:
        if name == "boosting":
            return Boosting(features, len(self.classes), self.seed)
        if name == "forest":
            return Forest(len(self.classes), self.seed, _TREES)
        return Line(features, len(self.classes))

    # ------------------------------------------------------------------------------------------------------- applying

    def predict(self, table: pd.DataFrame) -> Floats:
        """Probabilities of each of `classes`, rows × classes. Levels that were never seen count as such.

        Raises:
            ColumnsDiffer: the table lacks columns that were learnt, or has others.
        """
        frame = labelled(table)
        check_columns(self.expected, list(frame.columns))
        if not len(frame):
            return np.zeros((0, len(self.classes)))
        return self.predict_matrix(self.encode(frame))

    def predict_one(self, row: Mapping[str, Any]) -> dict[str, float]:
        """The same of one row, by class; without the cost of a table.

        Raises:
            ColumnsDiffer: the row lacks columns that were learnt, or has others.
        """
        check_columns(self.expected, list(row))
        return self.predict_row(row)

    def predict_row(self, row: Mapping[str, Any]) -> dict[str, float]:
        """The same, of a row that is known to have the columns."""
        found = self.predict_matrix(self._encoder.transform_one(row))[0]
        return dict(zip(self.classes, found.tolist(), strict=True))

    def encode(self, frame: pd.DataFrame) -> Floats:
        """The matrix that members see of a table."""
        return self._encoder.transform(frame)

    def predict_matrix(self, matrix: Floats) -> Floats:
        """Probabilities from what `encode` made."""
        with at_most(1 if len(matrix) <= FEW_ROWS else self.threads):
            said = np.stack([member.predict(matrix) for member in self._members])
        return self._calibration.apply(blend(said, self._weights))

    @property
    def features(self) -> list[Feature]:
        """What the columns of `encode`'s matrix are."""
        return self._encoder.features

    @property
    def calibration(self) -> str:
        """How figures were calibrated: "none", "sigmoid" or "isotonic"."""
        return self._calibration.kind


# ------------------------------------------------------------------------------------------------------------ helpers


def labelled(table: pd.DataFrame) -> pd.DataFrame:
    """The table with labels as text. Raises `TableUnusable` where two columns have the same."""
    if not isinstance(table, pd.DataFrame):
        raise TableUnusable(
            f"A table is a pandas DataFrame, not {type(table).__name__}.",
            f"表格应是 pandas DataFrame，而不是 {type(table).__name__}。",
        )
    names = [
        " ".join(str(part) for part in label) if isinstance(label, tuple) else str(label) for label in table.columns
    ]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TableUnusable(
            f"Several columns are called {', '.join(twice)}: give each its own name.",
            f"有多列同名：{'、'.join(twice)}。请给每列不同的名字。",
            columns=", ".join(twice),
        )
    frame = table.reset_index(drop=True)
    frame.columns = pd.Index(names)
    return frame


def split_target(table: pd.DataFrame, target: "pd.Series | str") -> tuple[pd.DataFrame, pd.Series]:
    """The table without its target, and the target."""
    frame = labelled(table)
    if not isinstance(target, str):
        values = pd.Series(target).reset_index(drop=True)
        if len(values) != len(frame):
            raise TargetUnusable(
                f"The target has {len(values):,} rows, and the table {len(frame):,}.",
                f"目标有 {len(values):,} 行，而表格有 {len(frame):,} 行。",
            )
        return frame, values
    if target not in frame.columns:
        raise TargetUnusable(
            f"There is no column {target!r}: the table has {', '.join(map(repr, frame.columns[:40]))}.",
            f"没有名为 {target!r} 的列：表格里有 {'、'.join(map(repr, frame.columns[:40]))}。",
            target=target,
        )
    return frame.drop(columns=[target]), frame[target]


def classes_of(endings: pd.Series) -> tuple[list[str], Integers]:
    """The different endings as texts, what counts as "no" first where that can be told; and each row's, -1 for none."""
    worded = pd.api.types.is_datetime64_any_dtype(endings) or pd.api.types.is_bool_dtype(endings)
    values = np.full(len(endings), np.nan) if worded else numbers(endings)
    cells = texts(endings)
    if np.isfinite(values).sum() == cells.notna().sum():  # 1, 1.0 and "1" are one ending
        cells = pd.Series(
            [None if value != value else str(int(value)) if value == int(value) else repr(value) for value in values],
            dtype=object,
        )
    names = [str(one) for one in cells.dropna().unique()]
    if len(names) < 2:
        raise TargetUnusable(
            f"The target has {len(names)} kind of ending, and at least two are needed to tell them apart.",
            f"目标只有 {len(names)} 种取值，至少要有两种才能区分。",
            kinds=len(names),
        )
    if len(names) > MAX_CLASSES:
        raise TargetUnusable(
            f"The target has {len(names):,} different values, and at most {MAX_CLASSES} can be foretold: is it an "
            "amount or a name? Put it into a few kinds first.",
            f"目标有 {len(names):,} 种取值，最多能预测 {MAX_CLASSES} 种：它是金额或名称吗？请先归成几类。",
            kinds=len(names),
        )
    numeric = all(_is_number(name) for name in names)
    names.sort(key=(lambda name: float(name)) if numeric else (lambda name: (name.lower() not in _NO, name)))
    places = {name: place for place, name in enumerate(names)}
    return names, np.array([-1 if cell is None else places[str(cell)] for cell in cells], dtype=np.int64)


_NO: Final = frozenset(
    {"no", "false", "n", "f", "否", "正常", "none", "ok", "good", "well", "not_canceled", "completed"}
)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def times_of(frame: pd.DataFrame, time: str) -> Floats:
    """When each row came, in seconds or in the column's own unit.

    Raises:
        TableUnusable: there is no such column, or it holds neither dates nor numbers.
    """
    if time not in frame.columns:
        raise TableUnusable(
            f"There is no column {time!r} to tell the time by, only {', '.join(map(repr, frame.columns[:40]))}.",
            f"没有名为 {time!r} 的时间列：表格里有 {'、'.join(map(repr, frame.columns[:40]))}。",
            time=time,
        )
    used, _, _ = find_columns(frame[[time]])
    kind = used[0].kind if used else None
    values = seconds(frame[time], used[0].date_format) if kind is Kind.DATE else numbers(frame[time])
    if np.isfinite(values).mean() < 0.5 or len(np.unique(values[np.isfinite(values)])) < 2:
        raise TableUnusable(
            f"The column {time!r} tells no time: fewer than half of its cells are dates or numbers, or all are one.",
            f"{time!r} 列说不出时间：一半以上的单元格既不是日期也不是数字，或者全都一样。",
            time=time,
        )
    return values


def folds(rows: int, times: Floats | None, random: np.random.Generator) -> list[Fold]:
    """How rows (in order of time, if there is one) are divided to be learnt from and to be kept back."""
    if times is not None:
        if rows >= _SMALL:
            cuts = [(int(rows * (1 - _KEPT_SHARE)), rows)]
        else:
            edges = [int(rows * share) for share in (0.55, 0.7, 0.85, 1.0)]
            cuts = list(itertools.pairwise(edges))
        return [Fold(np.arange(start), np.arange(start, end)) for start, end in cuts]
    shuffled = random.permutation(rows)
    count = 1 if rows >= _SMALL else _FOLDS
    parts = [shuffled[: int(rows * _KEPT_SHARE)]] if count == 1 else np.array_split(shuffled, count)
    return [Fold(np.sort(np.setdiff1d(shuffled, part)), np.sort(part)) for part in parts]


def check_columns(expected: Sequence[str], found: Sequence[str]) -> None:
    """Raises `ColumnsDiffer` unless both name the same."""
    if set(expected) != set(found):
        raise ColumnsDiffer(
            [name for name in expected if name not in set(found)], [name for name in found if name not in set(expected)]
        )


def _check(frame: pd.DataFrame, classes: Integers, names: Sequence[str]) -> None:
    if len(frame) < MIN_ROWS:
        raise TableUnusable(
            f"{len(frame)} rows with an ending are too few to learn from: at least {MIN_ROWS} are needed.",
            f"有结局的只有 {len(frame)} 行，太少了：至少要 {MIN_ROWS} 行。",
            rows=len(frame),
        )
    counts = np.bincount(classes, minlength=len(names))
    if counts.min() < MIN_OF_CLASS:
        rare = names[int(counts.argmin())]
        raise TargetUnusable(
            f"Only {counts.min()} rows end as {rare!r}, and at least {MIN_OF_CLASS} are needed: leave them out, or put "
            "them together with another ending.",
            f"结局为 {rare!r} 的只有 {counts.min()} 行，至少要 {MIN_OF_CLASS} 行：请去掉它们，或与别的结局合并。",
            ending=rare,
            rows=int(counts.min()),
        )


__all__ = ["MANY", "MEMBERS", "CancellationModel"]
