"""The store as a thing on a disk: exact, strict, and plain about what is wrong with it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.store import (
    BalanceKind,
    Book,
    InvalidCursor,
    SchemaMissing,
    Store,
    StoreBusy,
    StoreDamaged,
    StoreUnavailable,
    UnknownContract,
    UnknownOrder,
)
from kameng_escrow.store.models import BalanceRow, ChainRow, CheckpointRow, ContractRow, OrderRow
from tests.postgres import Server

from .escrow_world import EscrowWorld
from .mirrors import book_of, mirror_of

ADDRESS = "0x" + "11" * 20


@pytest.fixture
def filled(store: Store) -> Store:
    """A store with a contract and nothing of it, on each database in turn."""
    return fill(store)


@pytest.fixture
def filled_file(sqlite_store: Store) -> Store:
    """The same in an SQLite file."""
    return fill(sqlite_store)


def fill(store: Store) -> Store:
    store.migrate()
    with store.writing() as session:
        session.add(ChainRow(chain_id=1, genesis_hash="0x" + "00" * 32))
        session.flush()
        session.add(ContractRow(id=1, chain_id=1, address=ADDRESS, first_block=7))
        session.flush()
        session.add(CheckpointRow(contract_id=1, seen_number=6, seen_hash="0x", seen_at=0, final_number=0))
    return store


def put(store: Store, amounts: dict[str, int]) -> None:
    credit = {"contract_id": 1, "kind": BalanceKind.Credit, "token": ZERO_ADDRESS}
    rows = [{**credit, "holder": holder, "amount": amount} for holder, amount in amounts.items()]
    with store.writing() as session:
        session.execute(insert(BalanceRow), rows)


def test_amounts_are_exact_and_sort_as_numbers(filled: Store) -> None:
    amounts = [0, 1, 9, 10, 2**53 + 1, 2**63, 10**38, 2**127 - 1, 2**256 - 1]
    put(filled, {f"0x{number:040x}": amount for number, amount in enumerate(reversed(amounts))})
    with filled.reading() as session:
        assert session.scalars(select(BalanceRow.amount).order_by(BalanceRow.amount)).all() == amounts
        above = select(BalanceRow.amount).where(BalanceRow.amount > 2**63).order_by(BalanceRow.amount.desc())
        assert session.scalars(above).all() == amounts[:5:-1]


@pytest.mark.parametrize("amount", [-1, 10**78])
def test_what_is_no_amount_is_refused(filled: Store, amount: int) -> None:
    with pytest.raises(Exception, match="no amount"):
        put(filled, {ADDRESS: amount})


def test_words_are_kept_as_their_labels_and_no_others(filled: Store) -> None:
    put(filled, {ADDRESS: 5})
    with filled.engine.connect() as plain:
        found = plain.exec_driver_sql("SELECT kind, CAST(amount AS INTEGER) FROM balances").one()
        assert tuple(found) == ("Credit", 5)
        with pytest.raises(IntegrityError, match=r"(?i)check"):
            plain.exec_driver_sql("UPDATE balances SET kind = 'Debt'")


def test_rows_of_no_contract_are_refused(filled: Store) -> None:
    with pytest.raises(IntegrityError), filled.writing() as session:
        session.add(CheckpointRow(contract_id=2, seen_number=0, seen_hash="0x", seen_at=0, final_number=0))


def test_a_transaction_that_fails_leaves_nothing(filled: Store) -> None:
    def fail() -> None:
        with filled.writing() as session:
            session.add(ContractRow(id=2, chain_id=1, address=ZERO_ADDRESS, first_block=1))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with filled.reading() as session:
        assert session.get(ContractRow, 2) is None


def test_readers_see_one_moment_while_another_writes(filled: Store) -> None:
    with filled.reading() as reader:
        assert reader.scalars(select(BalanceRow)).all() == []
        put(filled, {ADDRESS: 5})
        assert reader.scalars(select(BalanceRow)).all() == []
    with filled.reading() as reader:
        assert len(reader.scalars(select(BalanceRow)).all()) == 1


def test_sqlite_is_set_up_to_keep_what_it_commits(filled_file: Store) -> None:
    with filled_file.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_who_writes_to_a_file_keeps_a_connection_and_its_large_cache(filled_file: Store) -> None:
    """Readers in between take none of it, and none of its memory."""

    def of(session: Session) -> tuple[object, int]:
        connection = session.connection()
        return connection.connection.dbapi_connection, connection.exec_driver_sql("PRAGMA cache_size").scalar_one()

    with filled_file.writing() as session:
        writer, cache = of(session)
    with filled_file.reading() as one, filled_file.reading() as other:
        readers = [of(one), of(other)]
    with filled_file.writing() as session:
        assert of(session) == (writer, cache)
    assert all(reader is not writer and size * 10 > cache for reader, size in readers)  # in KiB, below zero


def test_times_are_seconds_in_the_store_and_aware_outside() -> None:
    row = OrderRow(deadline=1_800_000_000, closed_at=None)
    assert row.deadline_time == datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
    assert row.closed_time is None


# -------------------------------------------------------------------------------------------------- what can be wrong


def test_a_url_that_is_none_is_refused() -> None:
    for url in ("://", "mysql://here/there", "nonsense://here"):
        with pytest.raises(StoreUnavailable, match=r"SQLite|sqlite"):
            Store.open(url)


def test_a_password_is_never_shown() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        Store.open("postgresql+nodriver://me:secret@localhost/db")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_does_not_hold_every_language_is_refused(postgres: Server, encoding: str) -> None:
    """A server that was set up without a locale makes databases of bytes: the driver would hand us those."""
    url = postgres.create_database(encoding=encoding)
    with Store.open(url) as store:
        reads: tuple[Callable[[], object], ...] = (
            store.migrate,
            store.check_schema,
            lambda: store.glance(lambda reader: None),
        )
        for read in reads:
            with pytest.raises(StoreUnavailable, match=rf"keeps text as {encoding}.*--encoding=UTF8"):
                read()
    postgres.drop_database(url)


def test_reading_makes_no_file(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "deep" / "store.sqlite")) as store:
        with pytest.raises(SchemaMissing, match="kameng mirror --once"), store.reading():
            pass
        assert list(tmp_path.iterdir()) == []
        store.migrate()
    assert (tmp_path / "deep" / "store.sqlite").exists()


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="folder"):
        Store.open(str(tmp_path)).migrate()


def test_a_folder_that_can_not_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailable, match="can't be made"):
        Store.open(str(tmp_path / "file" / "store.sqlite")).migrate()


def test_a_file_of_something_else_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, this is not a database, and it is long enough to be looked into." * 20)
    before = path.read_bytes()
    with Store.open(str(path)) as store:
        for touch in (store.check_schema, store.migrate):
            with pytest.raises(StoreDamaged, match=r"letter\.txt"):
                touch()
    assert path.read_bytes() == before


def test_a_lock_that_is_held_too_long_is_told_of(filled_file: Store) -> None:
    with Store.open(filled_file.where, busy_seconds=0.1) as other, filled_file.writing():
        with pytest.raises(StoreBusy, match="busy"), other.writing():
            pass
        with other.reading() as session:
            assert session.get(ContractRow, 1) is not None


def test_unknown_things_are_named(filled: Store) -> None:
    with pytest.raises(UnknownContract, match=f"{ZERO_ADDRESS} on chain 1"):
        Book(filled, 1, ZERO_ADDRESS)
    book = Book(filled, 1, ADDRESS)
    order_id = "0x" + "0d" * 32
    for ask in (book.order, book.history):
        with pytest.raises(UnknownOrder) as caught:
            ask(order_id)
        assert caught.value.order_id == order_id
    assert book.policy(order_id) is None
    assert book.bond(ADDRESS, ZERO_ADDRESS) == 0


def test_bad_questions_are_refused(filled: Store) -> None:
    book = Book(filled, 1, ADDRESS)
    for cursor in ("", "x", "1", "1-2-3", "1--2", "9" * 30 + "-1"):
        with pytest.raises(InvalidCursor):
            book.orders(cursor=cursor)
    for limit in (0, -1, 1_001):
        with pytest.raises(ValueError, match="1 to 1000"):
            book.orders(limit=limit)
    with pytest.raises(ValueError, match="no address"):
        book.orders(party="nobody")


def test_ids_are_found_however_they_are_written(world: EscrowWorld, store: Store) -> None:
    terms = world.opened()
    mirror_of(world, store).run_once()
    order_id = world.id_of(terms)
    book = Book(store, world.deployment.chain_id, world.address.lower())
    assert book.order("0x" + order_id[2:].upper()).order.id == order_id
    assert book.history(order_id.upper().replace("0X", "0x")) == book_of(world, store).history(order_id)
    assert book.bond(world.seller.address.lower(), ZERO_ADDRESS) == 50_000_000


def test_a_store_can_live_in_memory(world: EscrowWorld) -> None:
    with Store.open("sqlite://") as store:
        world.opened()
        mirror_of(world, store).run_once()
        assert len(book_of(world, store).orders().orders) == 1
