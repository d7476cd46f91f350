"""A real PostgreSQL server for tests.

Ask for the fixture `store_url`: the URL of a store of the test's own, on SQLite and on PostgreSQL; or for
`postgres_url`, an empty database. All processes of a run share one server, which starts when the first of them asks and
is gone, with its data, when the run ends. Whoever wants to restart or kill a server starts one of his own:
``with own_server(folder) as server``.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from bench.places import DISK, MEMORY, place_for
from bench.postgres import Server, own_server
from kameng_escrow.store import Store

__all__ = ["Server", "own_server"]

_PREFIX = "kameng-postgres-"
_OWNER = "owner"  # the file with the id of the process that the server belongs to
FOLDER = "KAMENG_TEST_POSTGRES"  # in the environment: where the run's processes find their server
_ROOM = 2 * 2**30  # bytes in memory, where to copy a database takes a tenth of the time

# ------------------------------------------------------------------------------------------------ pytest's arrangements


def pytest_configure(config: pytest.Config) -> None:
    """Names the place of the run's server; nothing is there yet."""
    if hasattr(config, "workerinput"):
        return
    # This is the process that starts the others, which inherit its environment.
    _sweep()
    os.environ[FOLDER] = tempfile.mkdtemp(prefix=_PREFIX, dir=place_for(_ROOM))
    (Path(os.environ[FOLDER]) / _OWNER).write_text(str(os.getpid()), "ascii")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the run's server, if it was ever started."""
    if hasattr(config, "workerinput"):
        return
    _clear(Path(os.environ.pop(FOLDER)))


def _clear(folder: Path) -> None:
    if (folder / "data").exists():
        Server(folder).stop()
    shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Ends the servers of runs that were killed, which nobody else would."""
    places = (MEMORY, DISK)  # also where there is no room by now: they may be why
    for owner in (owner for place in places for owner in place.glob(f"{_PREFIX}*/{_OWNER}")):
        try:
            os.kill(int(owner.read_text("ascii")), 0)
        except ProcessLookupError:
            _clear(owner.parent)
        except (OSError, ValueError):
            continue  # somebody else's, or it is just being made or cleared


@pytest.fixture(scope="session")
def postgres() -> Server:
    """The run's server. Make databases on it; don't stop it."""
    server = Server(Path(os.environ[FOLDER]), durable=False)
    server.start()
    return server


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[str]:
    """The URL of an empty database that is the test's own."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL or path of a store of the test's own, without a table: every test that asks runs on both databases."""
    if request.param == "sqlite":
        return str(tmp_path / "store.sqlite")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL or path of a store of the test's own, with today's tables and nothing in them, on both databases.

    It is a copy of one that was migrated: making the tables anew for each of a thousand tests takes minutes.
    """
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.create_database(like=request.getfixturevalue("_postgres_model"))
    yield url
    server.drop_database(url)


@pytest.fixture
def sqlite_url(_sqlite_model: Path, tmp_path: Path) -> str:
    """The path of a store of the test's own in a file, as of `store_url`."""
    return str(shutil.copyfile(_sqlite_model, tmp_path / "store.sqlite"))


@pytest.fixture(scope="session")
def _sqlite_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "store.sqlite"
    with Store.open(str(path)) as store:
        store.migrate()
    return path


@pytest.fixture(scope="session")
def _postgres_model(postgres: Server) -> str:
    """One for all processes of the run: the first of them migrates it."""
    named = Path(os.environ[FOLDER]) / "model.url"
    with FileLock(named.with_suffix(".lock")):
        if not named.exists():
            url = postgres.create_database()
            with Store.open(url) as store:
                store.migrate()
            named.write_text(url, "utf-8")
    return named.read_text("utf-8")
