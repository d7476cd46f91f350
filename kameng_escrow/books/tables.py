"""Statements as tables: CSV and Parquet, written and read line by line."""

import csv
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Protocol

from .errors import LibraryMissing, NotReadable
from .lines import COLUMNS, Line

_AT_ONCE = 10_000  # lines in one piece of a Parquet file


class Writer(Protocol):
    """Takes lines one by one."""

    def write(self, line: Line) -> None: ...

    def close(self) -> None:
        """Nothing more comes; the file that was given stays open."""
        ...


class CsvWriter:
    """RFC 4180, UTF-8, with a heading."""

    def __init__(self, file: IO[bytes]) -> None:
        self._text = TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._rows = csv.writer(self._text)
        self._rows.writerow(COLUMNS)

    def write(self, line: Line) -> None:
        self._rows.writerow(line.values())

    def close(self) -> None:
        self._text.detach()


class ParquetWriter:
    """Text in every column, as amounts have more digits than numbers of common programs: casts are up to the reader."""

    def __init__(self, file: IO[bytes]) -> None:
        self._arrow = _pyarrow()
        from pyarrow import parquet

        self._schema = self._arrow.schema([(name, self._arrow.string()) for name in COLUMNS])
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._waiting: list[Line] = []

    def write(self, line: Line) -> None:
        self._waiting.append(line)
        if len(self._waiting) == _AT_ONCE:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        columns = {name: [line[name] for line in self._waiting] for name in COLUMNS}
        self._writer.write_table(self._arrow.table(columns, schema=self._schema))
        self._waiting = []


def read_csv(path: Path) -> Iterator[dict[str, str]]:
    """The lines of a CSV file. Raises `NotReadable` where it is none, or has other columns."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file, strict=True)
            _check(path, next(rows, []))
            for row in rows:
                if len(row) != len(COLUMNS):
                    raise NotReadable(path, f"row {rows.line_num} has {len(row)} cells and not {len(COLUMNS)}")
                yield dict(zip(COLUMNS, row, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise NotReadable(path, _reason(error)) from error


def read_parquet(path: Path) -> Iterator[dict[str, str]]:
    """The lines of a Parquet file. Raises likewise."""
    arrow = _pyarrow()
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            _check(path, file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=_AT_ONCE):
                for row in batch.to_pylist():
                    yield {name: "" if row[name] is None else str(row[name]) for name in COLUMNS}
    except (OSError, arrow.ArrowException) as error:
        raise NotReadable(path, _reason(error)) from error


def _check(path: Path, names: Sequence[str]) -> None:
    if tuple(names) != COLUMNS:
        raise NotReadable(path, "its columns are not those of a statement")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).splitlines()[0]


def _pyarrow() -> Any:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise LibraryMissing("Parquet", "pyarrow") from error
    return pa
