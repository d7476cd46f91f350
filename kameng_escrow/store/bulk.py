"""Rows by the ten thousand, inside a session's transaction, in the way that each database likes best.

SQLite gets one statement for some hundred rows: it works through it without the interpreter, which other threads can
have meanwhile, and what it needs for more would not stay in the processor's cache. PostgreSQL gets COPY, into the table
itself or, to change rows that are there, into a temporary one. Values are given as the column types of `types` would
make them of ours: see `Values`, which can also pack rows beforehand, so that to write them takes the interpreter hardly
at all.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, Protocol

import orjson
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from .engine import POSTGRESQL, of_driver

Row = Sequence[Any]
Names = Sequence[str]

_PARAMETERS = 4_096  # in a statement; SQLite takes eight times as many
_SHARES = (1, 8, 64)  # of so many: statements of few sizes, since each is compiled once
_ALTERNATIVES = 128  # in a condition: SQLite takes up to a thousand
_COPIED = 1_000  # rows in a piece
# Until the transaction ends. The server knows nothing of a table that was made a moment ago, and would rather read the
# whole of the other one, as long as that is small, than look the keys up.
_BY_KEY = "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)"
_CSV = r"(FORMAT csv, ESCAPE '\', NULL 'null')"
_ESCAPED = re.compile(rb"\\[bfnrtu]")  # in JSON, as it has characters that may not stand in it


class Packed:
    """Rows as they are handed to one of the databases. Whoever writes them takes them out: there are megabytes."""

    def __init__(self, pieces: Iterator[tuple[int, Any]]) -> None:
        self._pieces = deque(pieces)

    def __len__(self) -> int:
        return sum(count for count, _ in self._pieces)

    def take(self) -> Iterator[tuple[int, Any]]:
        """How many rows there are in a piece, and these."""
        while self._pieces:
            yield self._pieces.popleft()


class Values:
    """How the values of our columns are written in one of the databases. Whatever is None stays so."""

    def __init__(self, dialect: str) -> None:
        self._padded = dialect != POSTGRESQL

    def pack(self, rows: Sequence[Row]) -> Packed:
        """Rows of one length, for that database."""
        return Packed(_statements(rows) if self._padded else _copied(rows))

    def amount(self, value: int | None, digits: int) -> str | None:
        """Base units, as `types.Amount` of so many digits keeps them."""
        if value is None:
            return None
        return f"{value:0{digits}d}" if self._padded else str(value)


Rows = Sequence[Row] | Packed


class Bulk(Protocol):
    """Writes many rows of one table at once. Raises SQLAlchemy's DBAPIError."""

    values: Values

    def insert(self, table: str, columns: Names, rows: Rows) -> None:
        """Adds rows. JSON as text, booleans as Python's."""
        ...

    def update(self, table: str, keys: Names, columns: Names, rows: Rows) -> None:
        """Changes the rows that the keys name, which are there: each row is the keys' values, then the columns'."""
        ...

    def delete(self, table: str, keys: Names, rows: Rows) -> None:
        """Removes the rows that the keys name: each is the keys' values."""
        ...


def bulk_of(session: Session) -> Bulk:
    """What writes many rows in the session's transaction."""
    connection = session.connection()
    return PostgresBulk(connection) if connection.dialect.name == POSTGRESQL else SqliteBulk(connection)


class SqliteBulk:
    """Statements as large as they may be, of which SQLite's driver keeps the compiled form."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.values = Values(connection.dialect.name)

    def insert(self, table: str, columns: Names, rows: Rows) -> None:
        """See `Bulk`."""
        into = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "
        one = _places(columns)
        self._run(rows, lambda count: into + ", ".join([one] * count))

    def update(self, table: str, keys: Names, columns: Names, rows: Rows) -> None:
        """See `Bulk`."""
        names = (*keys, *columns)
        one = _places(names)
        changes = ", ".join(f"{name} = c.{name}" for name in columns)
        which = " AND ".join(f"{table}.{name} = c.{name}" for name in keys)
        changed, update = (
            f"WITH c ({', '.join(names)}) AS (VALUES ",
            f") UPDATE {table} SET {changes} FROM c WHERE {which}",
        )
        self._run(rows, lambda count: changed + ", ".join([one] * count) + update)

    def delete(self, table: str, keys: Names, rows: Rows) -> None:
        """See `Bulk`."""
        # Each alternative is looked up by its key. Of `(a, b) IN (VALUES …)` SQLite reads the whole table.
        one = f"({' AND '.join(f'{name} = ?' for name in keys)})"
        which = f"DELETE FROM {table} WHERE "
        self._run(rows, lambda count: which + " OR ".join([one] * count), most=_ALTERNATIVES)

    def _run(self, rows: Rows, statement: Callable[[int], str], most: int = _PARAMETERS) -> None:
        """Runs it for every piece, of at most so many rows at once."""
        packed = rows if isinstance(rows, Packed) else self.values.pack(rows)
        for count, values in packed.take():
            width = len(values) // count
            for start in range(0, count, most):
                part = values[start * width : (start + most) * width]
                self._connection.exec_driver_sql(statement(len(part) // width), part)


def _places(names: Names) -> str:
    return f"({', '.join('?' * len(names))})"


def _statements(rows: Sequence[Row]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The rows in pieces for one statement each, of few sizes: each size is compiled once."""
    start = 0
    width = len(rows[0]) if rows else 1
    for size in (max(1, _PARAMETERS // width // share) for share in _SHARES):
        while len(rows) - start >= size:
            yield size, tuple(chain.from_iterable(rows[start : start + size]))
            start += size
    if start < len(rows):
        yield len(rows) - start, tuple(chain.from_iterable(rows[start:]))


class PostgresBulk:
    """COPY, in CSV."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.values = Values(connection.dialect.name)

    def insert(self, table: str, columns: Names, rows: Rows) -> None:
        """See `Bulk`."""
        if len(rows):
            self._copy(table, columns, rows)

    def update(self, table: str, keys: Names, columns: Names, rows: Rows) -> None:
        """See `Bulk`."""
        changes = ", ".join(f"{name} = c.{name}" for name in columns)
        self._beside(table, keys, columns, rows, lambda c, which: f"UPDATE {table} t SET {changes} FROM {c} c {which}")

    def delete(self, table: str, keys: Names, rows: Rows) -> None:
        """See `Bulk`."""
        self._beside(table, keys, (), rows, lambda c, which: f"DELETE FROM {table} t USING {c} c {which}")

    def _beside(
        self, table: str, keys: Names, columns: Names, rows: Rows, statement: Callable[[str, str], str]
    ) -> None:
        """Runs a statement with a table `c` of the rows beside the table `t` itself."""
        if not len(rows):
            return
        names = (*keys, *columns)
        beside = f"beside_{table}"
        which = " AND ".join(f"t.{name} = c.{name}" for name in keys)
        run = self._connection.exec_driver_sql
        run(f"CREATE TEMPORARY TABLE {beside} ON COMMIT DROP AS SELECT {', '.join(names)} FROM {table} WITH NO DATA")
        self._copy(beside, names, rows)
        run(_BY_KEY)
        run(statement(beside, f"WHERE {which}"))
        run(f"DROP TABLE {beside}")

    def _copy(self, table: str, columns: Names, rows: Rows) -> None:
        packed = rows if isinstance(rows, Packed) else self.values.pack(rows)
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN {_CSV}"
        driver: Any = self._connection.connection.driver_connection
        with self._our_errors(statement), driver.cursor() as cursor, cursor.copy(statement) as copy:
            for _, text in packed.take():
                copy.write(text)

    @contextmanager
    def _our_errors(self, statement: str) -> Iterator[None]:
        """What SQLAlchemy would have made of the driver's errors, had the statement gone through it."""
        dialect = self._connection.dialect
        try:
            yield
        except dialect.loaded_dbapi.Error as error:
            raise of_driver(dialect, statement, self._connection.connection.driver_connection, error) from error


def _copied(rows: Sequence[Row]) -> Iterator[tuple[int, bytes]]:
    """The rows in pieces of what COPY reads."""
    for start in range(0, len(rows), _COPIED):
        part = rows[start : start + _COPIED]
        yield len(part), _lines(part)


def _lines(rows: Sequence[Row]) -> bytes:
    """Rows as CSV, which JSON nearly is: a line's values are an array's, if none has a character that CSV has no escape
    for. JSON is written faster than anything that goes from value to value here.
    """
    dumps = orjson.dumps
    text = b"\n".join([dumps(row)[1:-1] for row in rows]) + b"\n"
    if not _ESCAPED.search(text):
        return text
    return "".join([",".join(map(_field, row)) + "\n" for row in rows]).encode()


def _field(value: Any) -> str:
    if value is None:
        return "null"
    return '"' + str(value).replace("\\", r"\\").replace('"', r"\"") + '"'
