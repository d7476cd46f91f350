"""A real PostgreSQL server for tests.

Ask for the fixture `postgres_url`: the URL of an empty database of the test's own. All processes of a run share one
server, which starts when the first of them asks and is gone, with its data, when the run ends. Whoever wants to restart
or kill a server starts one of his own: ``with own_server(folder) as server``.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.postgres import Server, own_server

__all__ = ["Server", "own_server"]

_PREFIX = "kameng-postgres-"
_OWNER = "owner"  # the file with the id of the process that the server belongs to
FOLDER = "KAMENG_TEST_POSTGRES"  # in the environment: where the run's processes find their server

# ------------------------------------------------------------------------------------------------ pytest's arrangements


def pytest_configure(config: pytest.Config) -> None:
    """Names the place of the run's server; nothing is there yet."""
    if hasattr(config, "workerinput"):
        return
    # This is the process that starts the others, which inherit its environment.
    _sweep()
    os.environ[FOLDER] = tempfile.mkdtemp(prefix=_PREFIX)
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
    for owner in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_OWNER}"):
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
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL or path of an empty store that is the test's own: every test that asks runs on both databases."""
    if request.param == "sqlite":
        return str(tmp_path / "store.sqlite")
    return str(request.getfixturevalue("postgres_url"))
