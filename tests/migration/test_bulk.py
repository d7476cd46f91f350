"""What an older version mirrored says the same after the migration to rows that are written in bulk (v0004)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, text

from kameng_escrow.store import Book, Store, schema
from kameng_escrow.store.loading import load_order_events, load_other_events
from kameng_escrow.store.news import read_news

BUYER, SELLER = ("0x" + digit * 40 for digit in "12")
ADDRESS = "0x" + "3" * 40
ORDER, POLICY, TX = ("0x" + byte * 32 for byte in ("0a", "01", "77"))
ZERO = "0x" + "00" * 20
TERMS = {
    **{"buyer": BUYER, "refund_to": BUYER, "seller": SELLER, "pay_to": SELLER, "token": ZERO, "price": "1000007"},
    **{"units": 10, "policy_id": POLICY, "listing": TX, "open_by": 1_800_000_000, "salt": TX},
}
OPENED = {"order_id": ORDER, "terms": TERMS, "payer": BUYER, "state": "Opened"}
STANDING = {"state": "Opened", "outcome": "None", "fault": "None", "revision": 0, "deadline": 1_700_000_600}
ACCEPTED = {**STANDING, "state": "Accepted", "deadline": 1_700_001_800}


def insert(connection: Connection, table: str, **columns: Any) -> None:
    names = ", ".join(columns)
    places = ", ".join(f":{name}" for name in columns)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), columns)


def block_hash(number: int) -> str:
    return f"0x{number:064x}"


def payload(name: str, fields: dict[str, Any], order: dict[str, Any] | None, **more: Any) -> str:
    said = {"event": name, "order_id": ORDER, "fields": fields, "order": order}
    return json.dumps({**said, "transaction_hash": TX, "timestamp": 1_700_000_000, **more})


@pytest.fixture
def store(empty_store_url: str) -> Iterator[Store]:
    with Store.open(empty_store_url) as store:
        yield store


@pytest.fixture
def older(store: Store) -> Store:
    """A store of the version before: an order that was opened, and accepted in a block that a reorg took away."""
    with store.writing() as session:
        connection = session.connection()
        config = schema.alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "v0003")
        insert(connection, "chains", chain_id=1, genesis_hash=TX)
        insert(connection, "contracts", id=1, chain_id=1, address=ADDRESS, first_block=1)
        insert(
            connection,
            "checkpoints",
            **{"contract_id": 1, "seen_number": 6, "seen_hash": block_hash(6), "seen_at": 1_700_000_000},
            final_number=0,
        )
        for number in (5, 6):
            insert(
                connection,
                "blocks",
                **{"contract_id": 1, "number": number, "hash": block_hash(number), "timestamp": 1_700_000_000},
                parent_hash=block_hash(number - 1),
                has_events=True,
            )
        amount = "1000007".zfill(39) if connection.dialect.name == "sqlite" else 1_000_007
        nothing = "0".zfill(39) if connection.dialect.name == "sqlite" else 0
        insert(
            connection,
            "orders",
            **{"contract_id": 1, "order_id": ORDER, "payer": BUYER, "opened_at": 1_700_000_000},
            **{**TERMS, **STANDING, "price": amount, "disputed_units": 0, "mediation_fee": nothing},
            **{"first_block": 5, "first_log_index": 2, "last_block": 5, "last_log_index": 2},
        )
        funded = {"seller": SELLER, "token": ZERO, "sender": SELLER, "amount": "5"}
        for place, name, subject, fields in (
            ((5, 2), "OrderOpened", ORDER, OPENED),
            ((6, 0), "BondFunded", SELLER, funded),
        ):
            insert(
                connection,
                "events",
                **{"contract_id": 1, "block_number": place[0], "log_index": place[1], "transaction_hash": TX},
                **{"name": name, "subject": subject, "fields": json.dumps(fields)},
            )
        shared = {"contract_id": 1, "order_id": ORDER, "created_ms": 7}
        gone = {"name": "OrderAccepted", "block_number": 6, "block_hash": TX, "log_index": 1}
        here = {"name": "OrderOpened", "block_number": 5, "block_hash": block_hash(5), "log_index": 2}
        accepted = {"order_id": ORDER}
        insert(connection, "outbox", **shared, **here, payload=payload("OrderOpened", OPENED, STANDING))
        insert(
            connection,
            "outbox",
            **{**shared, **gone, "payload": payload("OrderAccepted", accepted, ACCEPTED)},
        )
        insert(
            connection,
            "outbox",
            **{**shared, **gone, "payload": payload("OrderAccepted", accepted, STANDING, retracts=2), "retracts": 2},
        )
        connection.execute(text("UPDATE outbox SET retracted_by = 3 WHERE id = 2"))
    return store


def test_orders_keep_their_histories(older: Store) -> None:
    older.migrate()
    with older.reading() as session:
        [opened] = load_order_events(session, 1, [ORDER])
        [funded] = load_other_events(session, 1, [SELLER])
    assert (opened.block_number, opened.log_index, opened.event.order_id) == (5, 2, ORDER)  # type: ignore[union-attr]
    assert opened.event.terms.price == 1_000_007  # type: ignore[union-attr]
    assert (type(funded.event).__name__, funded.event.seller) == ("BondFunded", SELLER)  # type: ignore[union-attr]
    assert Book(older, 1, ADDRESS).history(ORDER) == [opened]


def test_the_outbox_says_what_it_said(older: Store) -> None:
    older.migrate()
    with older.reading() as session:
        opened, accepted, retracted = read_news(session, 1)
    assert opened.payload() == json.loads(payload("OrderOpened", OPENED, STANDING))
    assert accepted.payload() == json.loads(payload("OrderAccepted", {"order_id": ORDER}, ACCEPTED))
    assert retracted.payload() == json.loads(payload("OrderAccepted", {"order_id": ORDER}, STANDING, retracts=2))
    assert [item.block_hash for item in (opened, accepted, retracted)] == [block_hash(5), TX, TX]
    assert [item.retracted_by for item in (opened, accepted, retracted)] == [None, 3, None]


def test_ids_go_on(older: Store) -> None:
    """A reader who remembers the last id misses nothing that comes after the migration."""
    older.migrate()
    with older.writing() as session:
        row = {"contract_id": 1, "order_id": ORDER, "name": "OrderOpened", "block_number": 9, "log_index": 0}
        insert(session.connection(), "outbox", **row, created_ms=9)
        found = session.execute(text("SELECT id FROM outbox WHERE block_number = 9")).scalar_one()
    assert found == 4
