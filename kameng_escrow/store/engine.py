"""Connections to the two databases, and their failures in our words."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, StaticPool, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from .errors import SchemaMissing, StoreBusy, StoreDamaged, StoreError, StoreFull, StoreUnavailable

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
_TURN = 0x6B616D656E67  # "kameng": any number that other applications of the database are unlikely to lock
# A server that is gone without a word is noticed within ten seconds, and not after the system's two hours.
_NOTICE = {"keepalives_idle": 4, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
_GLANCING = 8  # connections of a process for `glances`
WRITE = "kameng_write"  # execution option of connections that are going to write


def parse_url(text: str) -> URL:
    """An SQLAlchemy URL as it is; anything else as the path of an SQLite file."""
    if "://" not in text:
        return URL.create(SQLITE, database=str(Path(text).expanduser()))
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise StoreUnavailable("The store's URL is none: it looks like sqlite:///path or postgresql://…") from error
    backend = url.get_backend_name()
    if backend not in (SQLITE, POSTGRESQL):
        raise StoreUnavailable(f"A store is SQLite or PostgreSQL; {backend!r} is neither.")
    return url.set(drivername="postgresql+psycopg") if url.drivername == POSTGRESQL else url


def is_file(url: URL) -> bool:
    """Whether the store is a file, and not a server or this process's memory."""
    return url.get_backend_name() == SQLITE and url.database not in (None, "", ":memory:")


def make_engine(url: URL, busy_seconds: float, **more: Any) -> Engine:
    """An engine for `url`; connects nowhere and makes nothing yet. `more` are SQLAlchemy's options.

    Raises:
        StoreUnavailable: its driver is missing.
    """
    options: dict[str, Any] = {"json_serializer": compact_json}
    if is_file(url):
        # The connection used last is used first: what it keeps of the file is good until another one writes.
        options |= {"connect_args": {"timeout": busy_seconds}, "pool_use_lifo": True}
    elif url.get_backend_name() == SQLITE:
        options |= {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    else:
        # UTF-8 whatever the server would choose: of a database of bytes the driver would not even read the version.
        connecting = {"connect_timeout": max(2, int(busy_seconds)), "client_encoding": "utf8", **_NOTICE}
        options |= {"pool_pre_ping": True, "connect_args": connecting}
    try:
        engine = create_engine(url, **options | more)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreUnavailable(
            f"The driver for {shown(url)} is not installed: pip install 'kameng-escrow[postgres]'."
        ) from error
    if url.get_backend_name() == SQLITE:
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _set_up_postgresql)
    return engine


def make_reading_engine(engine: Engine, busy_seconds: float) -> Engine:
    """An engine to the same database for sessions that read. Of a server and of SQLite's memory, the same engine.

    A connection to a file forgets what it keeps of it whenever another connection has written. A writer that has a
    connection to itself keeps what it needs from range to range; those who read beside it would gain nothing by a
    large cache.
    """
    if not is_file(engine.url):
        return engine
    reading = make_engine(engine.url, busy_seconds)
    event.listen(reading, "connect", _shrink_cache)
    return reading


def make_glancing_engine(engine: Engine, busy_seconds: float) -> Engine:
    """An engine to the same database whose connections commit by themselves, for `glances`. Of SQLite's memory, which
    has one connection, the same engine.
    """
    if isinstance(engine.pool, StaticPool):
        return engine
    # Few, since each is held for less than a millisecond, and none beyond them: a new one costs many reads. Those used
    # last are used first, and know the statements.
    options: dict[str, Any] = {
        "pool_size": _GLANCING,
        "max_overflow": 0,
        "pool_timeout": busy_seconds,
        "pool_use_lifo": True,
        "pool_reset_on_return": None,
    }
    if engine.dialect.name == POSTGRESQL:
        options |= {"isolation_level": "AUTOCOMMIT", "pool_pre_ping": False}
    return make_engine(engine.url, busy_seconds, **options)


def require_file(url: URL) -> None:
    """Raises `SchemaMissing` for a file that is not there: SQLite would make it, and reading should not."""
    if is_file(url) and not os.path.exists(url.database or ""):  # noqa: PTH110 - asked before every read
        raise SchemaMissing(f"There is no store at {shown(url)} yet: run `kameng mirror --once` to make it.")


def make_folder(url: URL) -> None:
    """Makes the folder of a file that is going to be written. Raises `StoreUnavailable`."""
    if not is_file(url):
        return
    path = Path(url.database or "")
    if path.is_dir():
        raise StoreUnavailable(f"{path} is a folder: name a file for the store.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"The folder {path.parent} can't be made: {error.strerror}.") from error


def compact_json(value: Any) -> str:
    """JSON as it is kept: without spaces, readable characters as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def shown(url: URL) -> str:
    """The URL for people: a file's path, or the URL without its password."""
    return str(url.database) if is_file(url) else url.render_as_string(hide_password=True)


def _set_up_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # We begin transactions ourselves (below): left to itself the driver begins them late and never for DDL.
    connection.isolation_level = None
    # WAL lets readers read while the mirror writes. FULL waits for the disk at every commit: the outbox's readers act
    # on what they have read, so that a commit must survive a power cut. A commit is a whole range of blocks, or at the
    # head one every block: milliseconds.
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    # Pages that range after range touches stay at hand (cache, in KiB), and go from log to file once every few ranges
    # (checkpoint, in pages of 4 KiB).
    for pragma in ("cache_size = -24576", "wal_autocheckpoint = 8192", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _shrink_cache(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA cache_size = -2048")


def _set_up_postgresql(connection: Any, _: object) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        name = connection.info.dbname
        connection.close()
        raise StoreUnavailable(
            f"The database {name!r} keeps text as {encoding}, which does not hold every language: make another one by "
            f"`createdb --template=template0 --encoding=UTF8`."
        )
    # A process that is stopped in the middle of a transaction must not keep its rows from everybody for ever.
    connection.execute("SET idle_in_transaction_session_timeout = '60s'")
    # Who has read the outbox acts on it, and what a keeper has written down it sends: a commit must outlive the server,
    # also where somebody has asked for less.
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once: one that started as a reader could not wait for it later.
    mode = "IMMEDIATE" if connection.get_execution_options().get(WRITE) else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {mode}")


def take_turn(connection: Connection) -> None:
    """Until the transaction ends, nobody else gets past this line on the same database.

    For what is done once and may be begun by several: making tables, or the rows that later ones hang on. SQLite's
    writers take turns anyway.
    """
    if connection.dialect.name == POSTGRESQL:
        connection.execute(select(func.pg_advisory_xact_lock(_TURN)))


def of_driver(dialect: Dialect, statement: str, connection: Any, error: BaseException) -> DBAPIError:
    """What SQLAlchemy would have made of a driver's error, had the statement gone through it."""
    gone = bool(getattr(connection, "broken", False) or getattr(connection, "closed", False))
    made = DBAPIError.instance(
        statement,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=gone,
        dialect=dialect,
    )
    assert isinstance(made, DBAPIError), "the error is one of the driver's"
    return made


@contextmanager
def in_our_words(url: URL) -> Iterator[None]:
    """Turns the databases' own failures into `StoreError`s; programming errors pass."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreBusy(f"The store at {shown(url)} is busy: every connection to it is in use. Try again.") from error
    except DBAPIError as error:
        translated = _translate(url, error)
        if translated is None:
            raise
        raise translated from error


def _translate(url: URL, error: DBAPIError) -> StoreError | None:
    where = shown(url)
    if isinstance(error.orig, sqlite3.Error):
        return _translate_sqlite(where, error.orig)
    state = getattr(error.orig, "sqlstate", None) or ""
    if state in ("53100", "53200") or (state == "XX000" and _may_not_grow(error.orig)):
        return StoreFull(f"There is no room left for the store at {where}: make room, then run again.")
    if state in ("55P03", "40001", "40P01", "57014"):
        return StoreBusy(f"The store at {where} is busy: another process holds its lock. Try again.")
    if state[:2] in ("08", "28", "3D", "42501", "53", "57", "58") or error.connection_invalidated or not state:
        reason = str(error.orig).strip().splitlines()[0] if error.orig else "no reason given"
        return StoreUnavailable(f"The store at {where} can't be reached: {reason}.")
    return None


def _may_not_grow(error: Any) -> bool:
    """Whether a file of PostgreSQL's may not be larger: only a disk that is full has a state of its own.

    The server's words may be in any language; the name of its function that says them is not.
    """
    return "could not extend file" in str(error) or "extend" in (error.diag.source_function or "")


def _translate_sqlite(where: str, error: sqlite3.Error) -> StoreError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(f"There is no room left for the store at {where}: make room, then run again.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(f"The store at {where} is busy: another process holds its lock. Try again.")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreDamaged(
            f"{where} is no store, or a damaged one ({error}): move it away and run `kameng mirror --once`."
        )
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM):
        return StoreUnavailable(f"The store at {where} can't be used ({error}): check its path, rights and disk.")
    return None
