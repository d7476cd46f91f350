"""From a table of any types to a matrix of numbers.

A number stays as it is, holes included. A category becomes a code and, where it has many levels, what was seen of its
level; so does a number that is a code (whole, repeated, of many values). A date becomes its instant and what a calendar
says of it, and for two dates the time between them. A text becomes its length and the log odds that its words give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .columns import LARGEST, Column, Kind, numbers, seconds, texts
from .statistics import Integers, LevelStatistic, Partition, learn
from .words import WordOdds

Floats = NDArray[np.float64]

CODED_LEVELS: Final = 200  # of a category that boosting splits by as such; of what comes oftener
FEW_LEVELS: Final = 8  # up to which a code says all there is to say
_HOLE: Final = "\x00"  # the level of a cell that is missing
_DAY: Final = 86_400.0
_PAIRED_DATES: Final = 4  # of which the time between every two is told


@dataclass(frozen=True)
class Feature:
    """A column of the matrix."""

    name: str
    source: str  # the table's column
    coded: bool = False  # codes of a category, which have no order


@dataclass
class Levels:
    """The levels of a column, by how often they came."""

    places: dict[str, int]
    statistic: LevelStatistic | None
    index: pd.Index = field(repr=False)

    def codes(self, cells: pd.Series) -> Integers:
        """The level of each cell, -1 for one never seen."""
        return np.asarray(self.index.get_indexer(cells.fillna(_HOLE)), dtype=np.int64)


class Encoder:
    """Learns how a table becomes a matrix, and makes the same of other rows."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = list(columns)
        self.features: list[Feature] = []
        self._levels: dict[str, Levels] = {}
        self._words: dict[str, WordOdds] = {}
        self._timed: set[str] = set()  # dates with a time of day

    # ------------------------------------------------------------------------------------------------------- learning

    def fit(self, frame: pd.DataFrame, classes: Integers, class_count: int, partition: Partition) -> Floats:
        """Learns from a table, and returns the matrix of its own rows, which know nothing of their own ending."""
        told = np.arange(1, class_count) if class_count == 2 else np.arange(class_count)
        self.features.clear()
        parts: list[Floats] = []
        for column in self.columns:
            parts += self._fit(column, frame[column.name], classes, told, partition)
        parts += self._between(frame)
        return np.column_stack(parts)

    def _fit(
        self, column: Column, series: pd.Series, classes: Integers, told: Integers, partition: Partition
    ) -> list[Floats]:
        name = column.name
        if column.kind is Kind.NUMBER:
            values = numbers(series)
            self.features.append(Feature(name, name))
            parts = [values[:, None]]
            if _is_code(values):
                parts += self._fit_levels(name, _written(values), classes, told, partition, coded=False)
            return parts
        if column.kind is Kind.CATEGORY:
            return self._fit_levels(name, texts(series), classes, told, partition, coded=True)
        if column.kind is Kind.DATE:
            moments = seconds(series, column.date_format)
            there = moments[np.isfinite(moments)]
            if (np.mod(there, _DAY) != 0).any():
                self._timed.add(name)
            made = self._calendar(name, moments)
            self.features += [Feature(f"{name} ({part})", name) for part in _parts_of_date(name in self._timed)]
            return [made]
        words = WordOdds()
        self._words[name] = words
        cells = texts(series)
        self.features += [Feature(f"{name} ({part})", name) for part in ("characters", "words")]
        self.features += [Feature(f"{name} (log odds {one})", name) for one in told]
        return [_sizes(cells), words.fit(cells, classes, told, partition)]

    def _fit_levels(
        self, name: str, cells: pd.Series, classes: Integers, told: Integers, partition: Partition, *, coded: bool
    ) -> list[Floats]:
        filled = cells.fillna(_HOLE)
        index = pd.Index(filled.value_counts(sort=True).index, dtype=object)
        levels = Levels({str(level): place for place, level in enumerate(index)}, None, index)
        self._levels[name] = levels
        codes = levels.codes(cells)
        parts: list[Floats] = []
        if coded:
            self.features.append(Feature(f"{name} (level)", name, coded=True))
            parts.append(np.minimum(codes, CODED_LEVELS).astype(np.float64)[:, None])
        if not coded or len(index) > FEW_LEVELS:
            levels.statistic, own = learn(codes, len(index), classes, told, partition)
            self.features += [Feature(f"{name} (rate {one})", name) for one in told]
            self.features.append(Feature(f"{name} (how often)", name))
            parts.append(own)
        return parts

    # ------------------------------------------------------------------------------------------------------- applying

    def transform(self, frame: pd.DataFrame) -> Floats:
        """The matrix of rows that were not learnt from. The table has the columns that were learnt."""
        parts: list[Floats] = []
        for column in self.columns:
            series, name = frame[column.name], column.name
            if column.kind is Kind.NUMBER:
                values = numbers(series)
                parts.append(values[:, None])
                if name in self._levels:
                    parts.append(self._looked_up(name, _written(values), coded=False))
            elif column.kind is Kind.CATEGORY:
                parts.append(self._looked_up(name, texts(series), coded=True))
            elif column.kind is Kind.DATE:
                parts.append(self._calendar(name, seconds(series, column.date_format)))
            else:
                cells = texts(series)
                parts += [_sizes(cells), self._words[name].transform(cells)]
        parts += self._between(frame, learning=False)
        return np.column_stack(parts)

    def transform_one(self, row: Mapping[str, Any]) -> Floats:
        """The same of one row, without a table: 1 × features."""
        made: list[float] = []
        moments: dict[str, float] = {}
        for column in self.columns:
            name, value = column.name, row[column.name]
            if column.kind is Kind.NUMBER:
                number = _number(value)
                made.append(number)
                if name in self._levels:
                    made += self._looked_up_one(name, _written_one(number), coded=False)
            elif column.kind is Kind.CATEGORY:
                made += self._looked_up_one(name, None if _missing(value) else str(value).strip() or None, coded=True)
            elif column.kind is Kind.DATE:
                moments[name] = _moment(value, column.date_format)
                made += self._calendar(name, np.array([moments[name]]))[0].tolist()
            else:
                cells = texts(pd.Series([value], dtype=object))
                made += [*_sizes(cells)[0].tolist(), *self._words[name].transform(cells)[0].tolist()]
        for first, second in self._pairs():
            made.append((moments[second] - moments[first]) / _DAY)
        return np.array([made], dtype=np.float64)

    def _looked_up(self, name: str, cells: pd.Series, *, coded: bool) -> Floats:
        levels = self._levels[name]
        codes = levels.codes(cells)
        parts = []
        if coded:
            parts.append(np.where(codes < 0, CODED_LEVELS, np.minimum(codes, CODED_LEVELS)).astype(np.float64)[:, None])
        if levels.statistic is not None:
            parts.append(levels.statistic.look_up(codes))
        return np.column_stack(parts)

    def _looked_up_one(self, name: str, cell: str | None, *, coded: bool) -> list[float]:
        levels = self._levels[name]
        code = levels.places.get(_HOLE if cell is None else cell, -1)
        made = [float(CODED_LEVELS if code < 0 else min(code, CODED_LEVELS))] if coded else []
        if levels.statistic is not None:
            made += [*levels.statistic.rates[code].tolist(), float(levels.statistic.log_counts[code])]
        return made

    def _calendar(self, name: str, moments: Floats) -> Floats:
        there = np.isfinite(moments)
        days = np.floor(np.where(there, moments, 0.0) / _DAY)
        instants = days.astype("datetime64[D]")
        months = instants.astype("datetime64[M]")
        parts = [
            moments / _DAY,
            (months.astype("int64") % 12 + 1).astype(np.float64),
            (days + 4) % 7 + 1,  # Monday is 1; 1970 began on a Thursday
            (instants - months).astype("int64").astype(np.float64) + 1,
        ]
        if name in self._timed:
            parts.append(np.where(there, moments, 0.0) % _DAY / 3_600)
        made = np.column_stack(parts)
        made[~there] = np.nan
        return np.asarray(made, dtype=np.float64)

    def _pairs(self) -> list[tuple[str, str]]:
        dates = [column.name for column in self.columns if column.kind is Kind.DATE][:_PAIRED_DATES]
        return [(first, second) for place, first in enumerate(dates) for second in dates[place + 1 :]]

    def _between(self, frame: pd.DataFrame, *, learning: bool = True) -> list[Floats]:
        pairs = self._pairs()
        if not pairs:
            return []
        formats = {column.name: column.date_format for column in self.columns}
        moments = {name: seconds(frame[name], formats[name]) for name in {one for pair in pairs for one in pair}}
        if learning:
            self.features += [Feature(f"{second} - {first} (days)", second) for first, second in pairs]
        return [((moments[second] - moments[first]) / _DAY)[:, None] for first, second in pairs]


def _parts_of_date(timed: bool) -> list[str]:
    return ["day", "month", "weekday", "day of month", *(["hour"] if timed else [])]


def _is_code(values: Floats) -> bool:
    """Whether a column of numbers may be names in truth: whole, of many values, each of which comes again and again."""
    there = values[np.isfinite(values)]
    if not (there == np.floor(there)).all():
        return False
    distinct = len(np.unique(there))
    return 12 <= distinct <= 20_000 and len(there) >= 8 * distinct


def _written(values: Floats) -> pd.Series:
    cells = pd.Series(values)
    codes, distinct = pd.factorize(cells, use_na_sentinel=True)
    names = np.array([*(_written_one(value) for value in distinct), None], dtype=object)
    return pd.Series(names[codes], dtype=object)


def _written_one(value: float) -> str | None:
    return None if value != value else repr(float(value))


def _sizes(cells: pd.Series) -> Floats:
    made = [(np.nan, np.nan) if cell is None else (float(len(cell)), float(len(cell.split()))) for cell in cells]
    return np.array(made, dtype=np.float64).reshape(-1, 2)


def _missing(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or value != value


def _number(value: Any) -> float:
    if _missing(value):
        return np.nan
    if isinstance(value, str | bytes):
        return float(numbers(pd.Series([value], dtype=object))[0])
    number = float(value)
    return number if abs(number) <= LARGEST else np.nan


def _moment(value: Any, date_format: str | None) -> float:
    if _missing(value):
        return np.nan
    if isinstance(value, datetime):  # pandas' own moments are datetimes, too
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    return float(seconds(pd.Series([value], dtype=object), date_format)[0])
