"""Reading what is asked for all the time: statements that are compiled once and handed to the driver as they are.

An ORM's session costs many times what these reads take by themselves, and a transaction costs a server three answers
where one is enough. So a glance reads on a connection that commits by itself; several statements that must see the same
moment say so. What columns hold is made ours by the same column types.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import Dialect, Engine, Select, StaticPool
from sqlalchemy.exc import DBAPIError

from .engine import POSTGRESQL, of_driver

Row = tuple[Any, ...]
T = TypeVar("T")

_ONE_MOMENT: Final = {POSTGRESQL: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}


class Prepared:
    """A SELECT all of whose values are named parameters, given as the drivers take them: numbers and text."""

    def __init__(self, select: Select[*tuple[Any, ...]]) -> None:
        self._select = select
        self._compiled: dict[str, _Compiled] = {}

    def on(self, dialect: Dialect) -> "_Compiled":
        """The statement for a database."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _Compiled(self._select, dialect)
        return found


class _Compiled:
    def __init__(self, select: Select[*tuple[Any, ...]], dialect: Dialect) -> None:
        compiled = select.compile(dialect=dialect)
        self.text = str(compiled)
        self._places: list[str] | None = getattr(compiled, "positiontup", None)
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._types = [column.type for column in select.selected_columns]
        self._dialect = dialect
        self._readers: list[tuple[int, Callable[[Any], Any]]] | None = None

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """As the driver takes them."""
        named = {**self._fixed, **values}
        return named if self._places is None else tuple([named[name] for name in self._places])

    def rows(self, cursor: Any) -> list[Row]:
        """What a cursor has found, as our column types have it."""
        readers = self._readers
        if readers is None:  # what a driver makes of a column by itself is known once it has found some
            readers = self._readers = list(self._readers_of(cursor.description))
        return [_ours(row, readers) for row in cursor.fetchall()]

    def _readers_of(self, description: Any) -> Iterator[tuple[int, Callable[[Any], Any]]]:
        for index, (kind, (_, code, *_)) in enumerate(zip(self._types, description, strict=True)):
            reader = kind.dialect_impl(self._dialect).result_processor(self._dialect, code)
            if reader is not None:
                yield index, reader


def _ours(row: Row, readers: list[tuple[int, Callable[[Any], Any]]]) -> Row:
    read = list(row)
    for index, reader in readers:
        if read[index] is not None:
            read[index] = reader(read[index])
    return tuple(read)


class Reader:
    """A connection to read on."""

    def __init__(self, connection: Any, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect = dialect

    def all(self, statement: Prepared, **values: Any) -> list[Row]:
        """The rows."""
        compiled = statement.on(self._dialect)
        return compiled.rows(self._run(compiled.text, compiled.parameters(values)))

    def first(self, statement: Prepared, **values: Any) -> Row | None:
        """The first row; None where there is none."""
        rows = self.all(statement, **values)
        return rows[0] if rows else None

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """All that is read inside is as it was at one moment."""
        self._run(_ONE_MOMENT.get(self._dialect.name, "BEGIN"), ())
        try:
            yield
        finally:
            self._run("ROLLBACK", ())

    def _run(self, text: str, parameters: Any) -> Any:
        try:
            return self._connection.execute(text, parameters)
        except self._dialect.loaded_dbapi.Error as error:
            raise of_driver(self._dialect, text, self._connection, error) from error


class Glances:
    """Connections to read on, apart from those of transactions. May be used from several threads."""

    def __init__(self, engine: Engine) -> None:
        """`engine`: of connections that commit by themselves."""
        self._engine = engine

    def read(self, read: Callable[[Reader], T]) -> T:
        """What `read` finds. It is asked again, once, where a connection turns out to be broken: a server was started
        anew. Raises SQLAlchemy's DBAPIError.
        """
        try:
            return self._read(read)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        self._engine.dispose()  # the others were to the same server
        return self._read(read)

    def _read(self, read: Callable[[Reader], T]) -> T:
        dialect = self._engine.dialect
        try:
            held = self._engine.raw_connection()
        except dialect.loaded_dbapi.Error as error:
            raise of_driver(dialect, "", None, error) from error
        try:
            return read(Reader(held.driver_connection, dialect))
        except DBAPIError as error:
            if error.connection_invalidated:
                held.invalidate()
            raise
        finally:
            held.close()

    def close(self) -> None:
        """Lets go of all connections."""
        if not isinstance(self._engine.pool, StaticPool):
            self._engine.dispose()
