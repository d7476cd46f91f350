"""Rows by the ten thousand, inside a session's transaction, in the way that each database likes best.

SQLite gets one statement for some hundred rows: it works through it without the interpreter, which other threads can
have meanwhile, and what it needs for more would not stay in the processor's cache. PostgreSQL gets COPY, into the table
itself or, to change rows that are there, into a temporary one. Values are given as the column types of `types` would
make them of ours: see `Values`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from .engine import POSTGRESQL, of_driver

Row = Sequence[Any]
Names = Sequence[str]

_PARAMETERS = 4_096  # in a statement; SQLite takes eight times as many
_SHARES = (1, 8, 64)  # of so many: statements of few sizes, since each is compiled once


class Values:
    """How the values of our columns are written in one of the databases. Whatever is None stays so."""

    def __init__(self, dialect: str) -> None:
        self._padded = dialect != POSTGRESQL

    def amount(self, value: int | None, digits: int) -> str | int | None:
        """Base units, as `types.Amount` of so many digits keeps them."""
        return f"{value:0{digits}d}" if self._padded and value is not None else value


class Bulk(Protocol):
    """Writes many rows of one table at once. Raises SQLAlchemy's DBAPIError."""

    values: Values

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Adds rows. JSON as text, booleans as Python's."""
        ...

    def update(self, table: str, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Changes the rows that the keys name, which are there: each row is the keys' values, then the columns'."""
        ...

    def delete(self, table: str, keys: Sequence[str], rows: Sequence[Row]) -> None:
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

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """See `Bulk`."""
        into = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "
        one = f"({', '.join('?' * len(columns))})"
        for part in _statements(rows, len(columns)):
            self._run(into + ", ".join([one] * len(part)), part)

    def update(self, table: str, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Row]) -> None:
        """See `Bulk`."""
        names = (*keys, *columns)
        one = f"({', '.join('?' * len(names))})"
        changes = ", ".join(f"{name} = c.{name}" for name in columns)
        which = " AND ".join(f"{table}.{name} = c.{name}" for name in keys)
        for part in _statements(rows, len(names)):
            changed = f"WITH c ({', '.join(names)}) AS (VALUES {', '.join([one] * len(part))})"
            self._run(f"{changed} UPDATE {table} SET {changes} FROM c WHERE {which}", part)

    def delete(self, table: str, keys: Sequence[str], rows: Sequence[Row]) -> None:
        """See `Bulk`."""
        names = ", ".join(keys)
        one = f"({', '.join('?' * len(keys))})"
        for part in _statements(rows, len(keys)):
            self._run(f"DELETE FROM {table} WHERE ({names}) IN (VALUES {', '.join([one] * len(part))})", part)

    def _run(self, statement: str, rows: Sequence[Row]) -> None:
        self._connection.exec_driver_sql(statement, tuple(chain.from_iterable(rows)))


def _statements(rows: Sequence[Row], width: int) -> Iterator[Sequence[Row]]:
    """The rows in pieces for one statement each, of few sizes: each size is compiled once."""
    start = 0
    for size in (max(1, _PARAMETERS // width // share) for share in _SHARES):
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size
    if start < len(rows):
        yield rows[start:]


class PostgresBulk:
    """COPY in its text form, which the driver writes faster than we would."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.values = Values(connection.dialect.name)

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """See `Bulk`."""
        if rows:
            self._copy(table, columns, rows)

    def update(self, table: str, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Row]) -> None:
        """See `Bulk`."""
        changes = ", ".join(f"{name} = c.{name}" for name in columns)
        self._beside(table, keys, columns, rows, lambda c, which: f"UPDATE {table} t SET {changes} FROM {c} c {which}")

    def delete(self, table: str, keys: Sequence[str], rows: Sequence[Row]) -> None:
        """See `Bulk`."""
        self._beside(table, keys, (), rows, lambda c, which: f"DELETE FROM {table} t USING {c} c {which}")

    def _beside(
        self, table: str, keys: Names, columns: Names, rows: Sequence[Row], statement: Callable[[str, str], str]
    ) -> None:
        """Runs a statement with a table `c` of the rows beside the table `t` itself."""
        if not rows:
            return
        names = (*keys, *columns)
        beside = f"beside_{table}"
        which = " AND ".join(f"t.{name} = c.{name}" for name in keys)
        run = self._connection.exec_driver_sql
        run(f"CREATE TEMPORARY TABLE {beside} ON COMMIT DROP AS SELECT {', '.join(names)} FROM {table} WITH NO DATA")
        self._copy(beside, names, rows)
        run(statement(beside, f"WHERE {which}"))
        run(f"DROP TABLE {beside}")

    def _copy(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        driver: Any = self._connection.connection.driver_connection
        with self._our_errors(statement), driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    @contextmanager
    def _our_errors(self, statement: str) -> Iterator[None]:
        """What SQLAlchemy would have made of the driver's errors, had the statement gone through it."""
        dialect = self._connection.dialect
        try:
            yield
        except dialect.loaded_dbapi.Error as error:
            raise of_driver(dialect, statement, self._connection.connection.driver_connection, error) from error
