"""What the columns of a table are: numbers, categories, dates or texts, found from what is in them.

A column from which nothing can be learnt is left out with its reason: empty, constant, or a name of the row itself,
which a model would learn by heart and never see again.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LARGEST: Final = 1e30  # in amount; a forest's numbers are of 32 bits
_NUMERIC_SHARE: Final = 0.98  # of the cells that are there, for a column to be numbers
_DATE_SHARE: Final = 0.95
_TEXT_WORDS: Final = 3.5  # words in a cell on average
_TEXT_CHARACTERS: Final = 24  # for what is written without spaces
_ID_SHARE: Final = 0.9  # distinct among the cells that are there
_FEW: Final = 50  # rows, from which on a column of nothing but different values names its rows
_DATE_LIKE: Final = re.compile(r"\d{1,4}\s*[-/.年]\s*\d{1,2}|\d{4}-?\d{2}-?\d{2}[T ]|[A-Za-z]{3,9}\.? \d{1,2},? \d{4}")
_CLUTTER: Final = re.compile(r"[,\s¥￥$€£%]")
_FORMATS: Final = (
    "ISO8601",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y.%m.%d",
    "%Y年%m月%d日",
    "%Y年%m月%d日 %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%m/%d/%y",
    "%d/%m/%y",
)


class Kind(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    CATEGORY = "category"
    DATE = "date"
    TEXT = "text"


@dataclass(frozen=True)
class Column:
    """A column that is used."""

    name: str
    kind: Kind
    date_format: str | None = None  # how its dates are written; None where they came as dates


@dataclass(frozen=True)
class Dropped:
    """A column that is not used, and why."""

    name: str
    reason: str
    reason_zh: str


def texts(series: pd.Series) -> pd.Series:
    """Every cell as a trimmed text, holes as None; any object a cell may hold is written out."""
    values = series.astype(object).where(series.notna(), None)
    written = [None if value is None else str(value).strip() for value in values]
    return pd.Series([value or None for value in written], index=series.index, dtype=object, name=series.name)


def numbers(series: pd.Series) -> Floats:
    """Every cell as a number; NaN where it is none, is missing or is beyond measure."""
    if pd.api.types.is_bool_dtype(series) or pd.api.types.is_numeric_dtype(series):
        found = pd.to_numeric(series, errors="coerce").astype("float64").to_numpy(copy=True, na_value=np.nan)
    else:
        found = _each_once(series, _parsed_numbers)
    found[~np.isfinite(found) | (np.abs(found) > LARGEST)] = np.nan
    return np.asarray(found, dtype=np.float64)


def seconds(series: pd.Series, date_format: str | None) -> Floats:
    """Every cell as seconds since 1970 in UTC; NaN where it is no date."""
    if pd.api.types.is_datetime64_any_dtype(series):
        moments = pd.to_datetime(series, utc=True, errors="coerce")
        return _since_1970(moments)
    return _each_once(series, lambda cells: _since_1970(_parsed_dates(cells, date_format)))


def find_columns(frame: pd.DataFrame) -> tuple[list[Column], list[Dropped], list[tuple[str, str]]]:
    """The columns of a table that can be learnt from, those that can't, and remarks (in Chinese, in English)."""
    used: list[Column] = []
    dropped: list[Dropped] = []
    notes: list[tuple[str, str]] = []
    for name in frame.columns:
        found = _find(frame[name], notes)
        if isinstance(found, Dropped):
            dropped.append(found)
        else:
            used.append(found)
    return used, dropped, notes


def _find(series: pd.Series, notes: list[tuple[str, str]]) -> Column | Dropped:
    name = str(series.name)
    if pd.api.types.is_datetime64_any_dtype(series):
        there = series.dropna()
        return _constant(name, len(series), len(there), there.nunique()) or Column(name, Kind.DATE)
    if pd.api.types.is_timedelta64_dtype(series):
        series = series.dt.total_seconds()
    if pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series):
        return _number(name, numbers(series))
    cells = texts(series)
    there = cells.dropna()
    distinct = there.unique()
    if constant := _constant(name, len(series), len(there), len(distinct)):
        return constant
    values = numbers(cells)
    read = int(np.isfinite(values).sum())
    if read >= _NUMERIC_SHARE * len(there):
        if strange := len(there) - read:
            notes.append(
                (f"{name}：{strange} 个单元格不是数字，当作缺失", f"{name}: {strange} cells are no numbers: missing")
            )
        return _number(name, values)
    if (date_format := _date_format(there)) is not None:
        bad = len(there) - int(np.isfinite(seconds(there, date_format)).sum())
        if bad:
            notes.append((f"{name}：{bad} 个单元格不是日期，当作缺失", f"{name}: {bad} cells are no dates: missing"))
        return Column(name, Kind.DATE, date_format)
    return _words(name, there, distinct)


def _words(name: str, there: pd.Series, distinct: NDArray[Any]) -> Column | Dropped:
    sample = [str(value) for value in distinct[:2_000]]
    words = float(np.mean([len(value.split()) for value in sample]))
    characters = float(np.mean([len(value) for value in sample]))
    unspaced = words < 1.5 and any(ord(letter) > 0x2E80 for value in sample for letter in value[:8])
    share = len(distinct) / len(there)
    if share > 0.3 and (words >= _TEXT_WORDS or (unspaced and characters >= _TEXT_CHARACTERS)):
        return Column(name, Kind.TEXT)
    if share > _ID_SHARE and len(there) >= _FEW:
        return Dropped(
            name,
            f"names its row: {len(distinct):,} different values in {len(there):,} cells",
            f"像是行的编号：{len(there):,} 格里有 {len(distinct):,} 种值",
        )
    return Column(name, Kind.CATEGORY)


def _number(name: str, values: Floats) -> Column | Dropped:
    there = values[np.isfinite(values)]
    distinct = np.unique(there)
    if constant := _constant(name, len(values), len(there), len(distinct)):
        return constant
    whole = bool((there == np.floor(there)).all())
    counts = len(there) >= _FEW and whole and len(distinct) == len(there)
    if counts and (distinct[-1] - distinct[0] < 1.5 * len(there) or distinct[0] > 2**53):
        return Dropped(name, "numbers its rows: every value comes once", "像是行号：每个值只出现一次")
    return Column(name, Kind.NUMBER)


def _constant(name: str, rows: int, there: int, distinct: int) -> Dropped | None:
    if not there:
        return Dropped(name, "empty", "整列为空")
    if distinct == 1 and there == rows:
        return Dropped(name, "constant: the same value everywhere", "全是同一个值")
    return None


def _each_once(series: pd.Series, read: Callable[[pd.Series], Floats]) -> Floats:
    """What a reader makes of each different cell, spread over all of them: columns repeat themselves."""
    codes, distinct = pd.factorize(series, use_na_sentinel=True)
    found = np.append(read(pd.Series(distinct, dtype=object)), np.nan)  # the last for -1, a hole
    return np.asarray(found[codes], dtype=np.float64)


def _parsed_numbers(cells: pd.Series) -> Floats:
    found = pd.to_numeric(cells, errors="coerce").astype("float64").to_numpy(copy=True)
    unread = np.isnan(found)
    if unread.any():
        found[unread] = [_float(_CLUTTER.sub("", str(cell))) for cell in cells[unread]]
    return np.asarray(found, dtype=np.float64)


def _float(text: str) -> float:
    """A number with separators, a unit or more digits than pandas reads; NaN where it is none."""
    try:
        return float(text) if "_" not in text else float("nan")
    except ValueError:
        return float("nan")


def _parsed_dates(cells: pd.Series, date_format: str | None) -> pd.Series:
    return pd.to_datetime(cells.astype(str), errors="coerce", utc=True, format=date_format or "ISO8601")


def _since_1970(moments: pd.Series) -> Floats:
    found = moments.dt.tz_convert(None).to_numpy(dtype="datetime64[ns]")
    values = found.astype("int64").astype("float64") / 1e9
    values[np.isnat(found)] = np.nan
    return np.asarray(values, dtype=np.float64)


def _date_format(there: pd.Series) -> str | None:
    """How a column's dates are written, where nearly all its cells are dates."""
    sample = there.iloc[:: max(1, len(there) // 3_000)].astype(str)
    if sample.str.contains(_DATE_LIKE).mean() < _DATE_SHARE:
        return None
    best, share = None, 0.0
    for date_format in _FORMATS:
        read = float(_parsed_dates(sample, date_format).notna().mean())
        if read > share:
            best, share = date_format, read
        if share == 1.0:
            break
    return best if share >= _DATE_SHARE else None
