"""The schema's version: told, brought up to date, or refused."""

from functools import cache
from importlib import resources
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from .engine import take_turn
from .errors import SchemaMissing, SchemaTooNew, SchemaTooOld

VERSION_TABLE = "kameng_schema"  # our own: a database may hold other applications' tables and migrations


def alembic_config() -> Config:
    """Alembic's configuration for the migrations inside this package."""
    config = Config()
    config.set_main_option("script_location", str(Path(str(resources.files("kameng_escrow.store") / "migrations"))))
    config.set_main_option("path_separator", "os")
    return config


def current_revision(connection: Connection) -> str | None:
    """The schema's revision; None where there is none."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def upgrade(connection: Connection, where: str) -> None:
    """Brings the schema to the newest revision, inside the connection's transaction.

    Raises:
        SchemaTooNew: the schema's revision is none that this package knows.
    """
    take_turn(connection)
    revision = current_revision(connection)
    if revision == _newest():
        return
    if revision is not None and not _known(revision):
        raise _too_new(where)
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def check(connection: Connection, where: str) -> None:
    """Raises `SchemaMissing`, `SchemaTooOld` or `SchemaTooNew` unless the schema is of the newest revision."""
    revision = current_revision(connection)
    if revision is None:
        raise SchemaMissing(f"Nothing was mirrored into {where} yet: run `kameng mirror --once`.")
    if revision == _newest():
        return
    if not _known(revision):
        raise _too_new(where)
    raise SchemaTooOld(
        f"The store at {where} was made by an older version of kameng-escrow: run `kameng mirror --once` to upgrade it."
    )


@cache
def scripts() -> ScriptDirectory:
    """The migrations: read once, since Alembic compiles and runs every one of their files to know them."""
    return ScriptDirectory.from_config(alembic_config())


def _newest() -> str | None:
    return scripts().get_current_head()


def _known(revision: str) -> bool:
    try:
        return scripts().get_revision(revision) is not None
    except CommandError:
        return False


def _too_new(where: str) -> SchemaTooNew:
    return SchemaTooNew(
        f"The store at {where} was made by a newer version of kameng-escrow: pip install --upgrade kameng-escrow."
    )
