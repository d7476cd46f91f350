"""A store: where it is, whether its schema fits, and transactions on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy.orm import Session


class Store:
    """An SQLite file or a PostgreSQL database that holds mirrored contracts. A context manager: closes on exit."""

    @classmethod
    def open(cls, url: str, *, busy_seconds: float = 30.0) -> Self:
        """Opens an SQLAlchemy URL, or a path of an SQLite file (made if it is not there).

        Args:
            url: ``sqlite:///store.sqlite``, ``postgresql://…``, or a path.
            busy_seconds: how long to wait for another process's lock.

        Raises:
            StoreUnavailable: the URL is none, its driver is missing, or nothing can be opened there.
        """
        raise NotImplementedError

    def migrate(self) -> None:
        """Brings the schema to this package's version, in one transaction; does nothing where it is.

        Raises:
            SchemaTooNew: a newer version of the package made it.
            StoreError: as `writing`.
        """
        raise NotImplementedError

    def check_schema(self) -> None:
        """Raises `SchemaMissing`, `SchemaTooOld` or `SchemaTooNew` where the schema is not this package's."""
        raise NotImplementedError

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees the store at one moment. Raises StoreUnavailable, StoreBusy, StoreDamaged."""
        yield Session()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits at the end, or not at all. Raises also StoreFull."""
        yield Session()

    def close(self) -> None:
        """Lets go of all connections. May be called twice."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
