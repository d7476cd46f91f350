"""The store's schema: the same whether made anew or migrated, brought up to date whole or not at all."""

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from kameng_escrow.store import SchemaMissing, SchemaTooNew, SchemaTooOld, Store, schema
from kameng_escrow.store.engine import parse_url
from kameng_escrow.store.models import Base
from kameng_escrow.store.schema import VERSION_TABLE
from tests.postgres import Server

SECOND = '''
"""A step further."""

import sqlalchemy as sa
from alembic import op

revision = "further"
down_revision = "{newest}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Integer(), primary_key=True))
    {more}


def downgrade() -> None:
    op.drop_table("later")
'''


@pytest.fixture
def store(empty_store_url: str) -> Iterator[Store]:
    """An empty store, on each database in turn."""
    with Store.open(empty_store_url) as store:
        yield store


@pytest.fixture
def other_url(empty_store_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A second empty store on the same kind of database."""
    if not empty_store_url.startswith("postgresql"):
        yield str(tmp_path / "other.sqlite")
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.create_database()
    yield url
    server.drop_database(url)


def described(store: Store) -> dict[str, Any]:
    """Every table with its columns, keys, checks and indexes."""
    with store.engine.connect() as connection:
        found = inspect(connection)
        return {
            table: {
                "columns": [{**column, "type": str(column["type"])} for column in found.get_columns(table)],
                "primary key": found.get_pk_constraint(table),
                "foreign keys": sorted(found.get_foreign_keys(table), key=str),
                "unique": sorted(found.get_unique_constraints(table), key=str),
                "checks": sorted(found.get_check_constraints(table), key=str),
                "indexes": sorted(
                    (
                        {**index, "dialect_options": {k: str(v) for k, v in index.get("dialect_options", {}).items()}}
                        for index in found.get_indexes(table)
                    ),
                    key=str,
                ),
            }
            for table in found.get_table_names()
            if table != VERSION_TABLE
        }


def test_migrated_schema_is_the_fresh_one(store: Store, other_url: str) -> None:
    store.migrate()
    with Store.open(other_url) as fresh:
        Base.metadata.create_all(fresh.engine)
        assert described(store) == described(fresh)
    assert len(described(store)) == len(Base.metadata.tables)
    assert described(store)["orders"]["checks"] != []


def test_alembic_finds_nothing_to_change(store: Store) -> None:
    store.migrate()
    with store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(store: Store) -> None:
    store.migrate()
    before = described(store)
    store.migrate()
    assert described(store) == before
    store.check_schema()


def test_several_may_migrate_at_once(empty_store_url: str) -> None:
    failures: list[BaseException] = []
    together = threading.Barrier(4)

    def migrate() -> None:
        with Store.open(empty_store_url) as store:
            together.wait()
            try:
                store.migrate()
            except BaseException as error:
                failures.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Store.open(empty_store_url) as store:
        store.check_schema()


def test_one_process_may_migrate_several_stores_at_once(tmp_path: Path) -> None:
    together = threading.Barrier(3)

    def migrate(name: str) -> None:
        with Store.open(str(tmp_path / name)) as store:
            together.wait()
            store.migrate()
            store.check_schema()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, ("a.sqlite", "b.sqlite", "c.sqlite")))


def test_other_tables_in_the_database_are_left_alone(empty_store_url: str) -> None:
    theirs = create_engine(parse_url(empty_store_url), poolclass=NullPool)
    with theirs.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('theirs')")
    with Store.open(empty_store_url) as store:
        with pytest.raises(SchemaMissing):
            store.check_schema()
        store.migrate()
        with store.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == "theirs"


# ------------------------------------------------------------------------------------------------- older, newer, none


@pytest.fixture
def next_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the package a release further on, with one more migration; `more` is the end of its upgrade."""

    def release(more: str = "") -> None:
        original = schema.alembic_config()
        folder = tmp_path / "migrations"
        shutil.copytree(str(original.get_main_option("script_location")), folder)
        newest = ScriptDirectory.from_config(original).get_current_head()
        (folder / "versions" / "further.py").write_text(SECOND.format(more=more, newest=newest), "utf-8")

        def config() -> Config:
            changed = Config()
            changed.set_main_option("script_location", str(folder))
            changed.set_main_option("path_separator", "os")
            return changed

        monkeypatch.setattr(schema, "alembic_config", config)
        monkeypatch.setattr(schema, "scripts", lambda: ScriptDirectory.from_config(config()))

    return release


def test_an_empty_store_says_what_to_run(tmp_path: Path) -> None:
    with (
        Store.open(str(tmp_path / "none.sqlite")) as store,
        pytest.raises(SchemaMissing, match="kameng mirror --once"),
    ):
        store.check_schema()
    assert list(tmp_path.iterdir()) == []


def test_an_older_store_says_what_to_run_and_is_upgraded(store: Store, next_release: Any) -> None:
    store.migrate()
    next_release()
    with pytest.raises(SchemaTooOld, match="kameng mirror --once"):
        store.check_schema()
    store.migrate()
    store.check_schema()
    assert "later" in described(store)


def test_a_newer_store_is_not_touched(store: Store, next_release: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context():
        next_release()
        store.migrate()
    before = described(store)
    monkeypatch.undo()
    for touch in (store.check_schema, store.migrate):
        with pytest.raises(SchemaTooNew, match="pip install --upgrade"):
            touch()
    assert described(store) == before


def test_a_migration_that_fails_half_way_leaves_the_schema_as_it_was(store: Store, next_release: Any) -> None:
    store.migrate()
    before = described(store)
    next_release(more='raise RuntimeError("half way")')
    with pytest.raises(RuntimeError, match="half way"):
        store.migrate()
    assert described(store) == before
    with pytest.raises(SchemaTooOld):
        store.check_schema()


# ------------------------------------------------------------------------------------------------------- PostgreSQL


def test_postgresql_has_exact_amounts_and_json() -> None:
    dialect = postgresql.dialect()
    made = {name: str(CreateTable(table).compile(dialect=dialect)) for name, table in Base.metadata.tables.items()}
    assert "price NUMERIC(39, 0)" in made["orders"]
    assert "amount NUMERIC(78, 0)" in made["balances"]
    assert "fields JSONB" in made["events"]
    assert "id BIGSERIAL" in made["outbox"]
    for table in Base.metadata.tables.values():
        for index in table.indexes:
            name = str(CreateIndex(index).compile(dialect=dialect)).split()[2]
            assert len(name) <= 63, "PostgreSQL cuts longer names"
