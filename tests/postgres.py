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

FOLDER = "KAMENG_TEST_POSTGRES"  # in the environment: where the run's processes find their server

# ------------------------------------------------------------------------------------------------ pytest's arrangements


def pytest_configure(config: pytest.Config) -> None:
    """Names the place of the run's server; nothing is there yet."""
    if not hasattr(config, "workerinput"):  # the process that starts the others, which inherit its environment
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="kameng-postgres-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the run's server, if it was ever started."""
    if hasattr(config, "workerinput"):
        return
    folder = Path(os.environ.pop(FOLDER))
    if (folder / "data").exists():
        Server(folder).stop()
    shutil.rmtree(folder, ignore_errors=True)


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
