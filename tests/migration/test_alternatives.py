"""Rows, indexes and ids are what they were after the migration to checks that cost less (v0012)."""

from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from kameng_escrow.store import Store, schema

TABLES = ("events", "orders", "outbox")
HASH = "0x" + "0a" * 32
EVENT = {"contract_id": 1, "block_number": 5, "log_index": 2, "transaction_hash": HASH, "name": "OrderOpened"}
ORDER = {"contract_id": 1, "order_id": HASH, "state": "Opened", "outcome": "None", "fault": "None", "revision": 0}
PLACES = {"first_block": 5, "first_log_index": 2, "last_block": 5, "last_log_index": 2}
ENTRY = {"contract_id": 1, "order_id": HASH, "name": "OrderOpened", "block_number": 5, "log_index": 2, "created_ms": 7}


def insert(store: Store, table: str, **columns: Any) -> None:
    names, places = ", ".join(columns), ", ".join(f":{name}" for name in columns)
    with store.writing() as session:
        session.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), columns)


def rows(store: Store) -> dict[str, list[Any]]:
    with store.reading() as session:
        return {table: list(session.execute(text(f"SELECT * FROM {table}")).mappings()) for table in TABLES}


@pytest.fixture
def store(empty_store_url: str) -> Iterator[Store]:
    """A store of the version before, with an order, its event and two messages, of which the last was deleted."""
    with Store.open(empty_store_url) as store:
        with store.writing() as session:
            config = schema.alembic_config()
            config.attributes["connection"] = session.connection()
            command.upgrade(config, "v0011")
        insert(store, "chains", chain_id=1, genesis_hash=HASH)
        insert(store, "contracts", id=1, chain_id=1, address="0x" + "3" * 40, first_block=1)
        insert(store, "events", **EVENT, subject=HASH, fields="{}")
        nothing = "0".zfill(39) if store.path else 0
        insert(store, "orders", **ORDER, **PLACES, disputed_units=0, mediation_fee=nothing, deadline=9)
        for _ in range(2):
            insert(store, "outbox", **ENTRY)
        with store.writing() as session:
            session.execute(text("DELETE FROM outbox WHERE id = 2"))
        yield store


def test_every_row_stays(store: Store) -> None:
    before = rows(store)
    store.migrate()
    assert rows(store) == before
    assert all(before.values())


def test_ids_go_on(store: Store) -> None:
    store.migrate()
    insert(store, "outbox", **ENTRY)
    assert [row["id"] for row in rows(store)["outbox"]] == [1, 3]


def test_words_are_still_checked(store: Store) -> None:
    store.migrate()
    for table, column in (("events", "name"), ("orders", "state"), ("orders", "outcome"), ("outbox", "name")):
        with pytest.raises(IntegrityError), store.writing() as session:
            session.execute(text(f"UPDATE {table} SET {column} = 'Nonsense'"))


def test_an_order_is_still_there_once_only(store: Store) -> None:
    store.migrate()
    with pytest.raises(IntegrityError):
        insert(store, "orders", **ORDER, **PLACES, disputed_units=0, mediation_fee="0".zfill(39))
