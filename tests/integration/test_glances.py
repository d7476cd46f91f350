"""Glances say what sessions say, see one moment where they should, and come back after their server did."""

from pathlib import Path

import pytest
from sqlalchemy import Integer, String, bindparam, insert, select, text

from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.signed import OperatorGrant
from kameng_escrow.domain.states import Right, State
from kameng_escrow.store import SchemaMissing, Store, StoreBusy, StoreDamaged, StoreUnavailable, order_lists
from kameng_escrow.store.engine import POSTGRESQL
from kameng_escrow.store.glances import Prepared, Reader
from kameng_escrow.store.models import ChainRow
from kameng_escrow.store.order_lists import Capacity, ListQuery, Sorting

from .escrow_world import EscrowWorld
from .mirrors import book_of, mirror_of, orders_on_chain

CHAINS = Prepared(
    select(ChainRow.chain_id, ChainRow.genesis_hash).where(ChainRow.chain_id > bindparam("above", type_=Integer))
)
RIGHTS = int(Right.Accept | Right.Deliver)


def add_chain(store: Store, number: int) -> None:
    with store.writing() as session:
        session.execute(insert(ChainRow), [{"chain_id": number, "genesis_hash": f"0x{number}"}])


@pytest.fixture
def chains(store: Store) -> Store:
    """A store that knows one chain."""
    store.migrate()
    add_chain(store, 1)
    return store


def test_every_order_is_seen_as_its_events_tell_it(world: EscrowWorld, store: Store) -> None:
    world.everything()
    mirror_of(world, store).run_once()
    book, marks = book_of(world, store), book_of(world, store).info().marks
    told = orders_on_chain(world)
    for order_id, order in told.items():
        seen = book.seen(order_id, world.buyer.address)
        assert seen.mirrored.order == order
        assert (seen.marks, seen.grant) == (marks, None)
        assert seen.mirrored.final is (seen.mirrored.last.block_number <= marks.final)
    assert book.marks() == marks
    assert {one.order.id: one for one in book.orders(limit=1_000).orders} == {id_: book.order(id_) for id_ in told}


def test_a_grant_is_seen_by_whom_it_was_given(world: EscrowWorld, store: Store) -> None:
    terms = world.opened()
    operator, expiry = world.mediator.address, world.now() + 3_600
    grant = OperatorGrant(rights=RIGHTS, expiry=expiry, max_price=10**18)
    world.send(world.seller, "setOperator", operator, terms.token, terms.policy_id, grant)
    mirror_of(world, store).run_once()
    book = book_of(world, store)
    assert book.seen(world.id_of(terms), operator).grant == grant
    assert book.seen(world.id_of(terms), world.buyer.address).grant is None
    [listed] = book.listed(ListQuery(account=world.seller.address, capacities=frozenset({Capacity.Seller}))).orders
    assert listed.grant is None


@pytest.mark.parametrize("sorting", Sorting)
def test_pages_follow_one_another_however_they_are_cut(world: EscrowWorld, store: Store, sorting: Sorting) -> None:
    orders = [world.opened() for _ in range(3)] + [world.accepted()]
    mirror_of(world, store).run_once()
    book = book_of(world, store)
    wanted = frozenset({State.Opened, State.Accepted})

    def pages(limit: int) -> list[str]:
        found, cursor = [], None
        while True:
            query = {"states": wanted, "sorting": sorting, "limit": limit, "cursor": cursor}
            page = book.listed(ListQuery(account=world.seller.address, **query))
            found += [one.mirrored.order.id for one in page.orders]
            cursor = page.cursor
            if cursor is None:
                return found

    whole = pages(50)
    assert sorted(whole) == sorted(world.id_of(terms) for terms in orders)
    assert pages(1) == pages(3) == whole
    if sorting is not Sorting.Deadline:
        placed = sorted(whole, key=lambda id_: book.order(id_).first)
        assert whole == (placed if sorting is Sorting.Oldest else placed[::-1])


def test_a_platform_s_orders_are_one_list_however_many_policies_it_has(
    world: EscrowWorld, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = world.platform.address
    policies = [world.register(world.policy(platform_fee_bps=fee)) for fee in (1, 2, 3)]
    orders = [world.opened(policy_id=policy) for policy in policies * 2]
    orders.append(world.opened(policy_id=policies[0], seller=platform, pay_to=platform))  # listed once all the same
    world.opened()  # of another policy of its
    mirror_of(world, store).run_once()
    book = book_of(world, store)
    wanted = sorted(map(world.id_of, orders), key=lambda id_: book.order(id_).first)

    def pages(limit: int, sorting: Sorting) -> list[str]:
        found, cursor = [], None
        while True:
            page = book.listed(ListQuery(account=platform, sorting=sorting, limit=limit, cursor=cursor))
            found += [one.mirrored.order.id for one in page.orders]
            cursor = page.cursor
            if cursor is None:
                return found

    for together in (1, 2, 8):  # runs of a statement
        monkeypatch.setattr(order_lists, "_TOGETHER", together)
        assert pages(3, Sorting.Oldest)[: len(wanted)] == wanted
        assert pages(50, Sorting.Newest)[1:] == pages(2, Sorting.Newest)[1:] == wanted[::-1]
        assert pages(2, Sorting.Deadline) == pages(200, Sorting.Deadline)
        assert sorted(pages(4, Sorting.Deadline)) == sorted(pages(300, Sorting.Oldest))


def test_a_platform_s_closed_orders_are_those_that_no_clock_runs_for(world: EscrowWorld, store: Store) -> None:
    told = [world.confirmed(), world.opened(), world.cancelled(), world.delivered(), world.refunded(), world.disputed()]
    mirror_of(world, store).run_once()
    book, by_platform = book_of(world, store), frozenset({Capacity.Platform})

    def listed(*states: State) -> list[str]:
        query = {"states": frozenset(states), "capacities": by_platform, "sorting": Sorting.Oldest}
        page = book.listed(ListQuery(account=world.platform.address, **query))
        assert all(one.mirrored.order.state in states for one in page.orders)
        return [one.mirrored.order.id for one in page.orders]

    ids = [world.id_of(terms) for terms in told]
    assert listed(State.Closed) == [ids[0], ids[2], ids[4]]
    assert listed(State.Closed, State.Delivered) == [ids[0], ids[2], ids[3], ids[4]]
    assert listed(*State) == ids


def test_several_statements_see_one_moment_where_they_ask_for_it(chains: Store) -> None:
    def look(reader: Reader) -> tuple[int, int, int]:
        with reader.one_moment():
            before = len(reader.all(CHAINS, above=0))
            add_chain(chains, 2)
            within = len(reader.all(CHAINS, above=0))
        return before, within, len(reader.all(CHAINS, above=0))

    assert chains.glance(look) == (1, 1, 2)


def test_a_failure_in_one_moment_leaves_the_connection_good(chains: Store) -> None:
    def fail(reader: Reader) -> None:
        with reader.one_moment():
            raise RuntimeError("of the caller's")

    for _ in range(3):
        with pytest.raises(RuntimeError, match="caller"):
            chains.glance(fail)
    add_chain(chains, 2)
    assert chains.glance(lambda reader: reader.first(CHAINS, above=1)) == (2, "0x2")


def test_values_are_never_part_of_the_statement(chains: Store) -> None:
    named = Prepared(select(ChainRow.chain_id).where(ChainRow.genesis_hash == bindparam("hash", type_=String)))
    found = chains.glance(lambda reader: reader.all(named, hash="0x1' OR '1'='1"))
    assert found == []
    assert chains.glance(lambda reader: reader.all(named, hash="0x1")) == [(1,)]


def test_a_server_that_broke_its_connections_is_asked_again(chains: Store) -> None:
    if chains.engine.dialect.name != POSTGRESQL:
        return  # a file has no server
    assert chains.glance(lambda reader: reader.first(CHAINS, above=0)) == (1, "0x1")
    with chains.writing() as session:
        ended = session.scalars(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND datname = current_database()"
            )
        ).all()
    assert ended
    assert chains.glance(lambda reader: reader.first(CHAINS, above=0)) == (1, "0x1")


def test_what_is_wrong_with_a_store_is_told(tmp_path: Path) -> None:
    def look(reader: Reader) -> object:
        return reader.all(CHAINS, above=0)

    with Store.open(str(tmp_path / "none.sqlite")) as store, pytest.raises(SchemaMissing):
        store.glance(look)
    (tmp_path / "wrong.sqlite").write_bytes(b"no database" * 1_000)
    with Store.open(str(tmp_path / "wrong.sqlite")) as store, pytest.raises(StoreDamaged):
        store.glance(look)
    away = Store.open("postgresql://nobody@127.0.0.1:1/none", busy_seconds=2)
    with away as store, pytest.raises(StoreUnavailable):
        store.glance(look)


def test_a_store_in_memory_has_the_one_connection_for_all(world: EscrowWorld) -> None:
    with Store.open("sqlite://") as store:
        terms = world.opened()
        mirror_of(world, store).run_once()
        seen = book_of(world, store).seen(world.id_of(terms), world.buyer.address)
        assert seen.mirrored.order.terms is not None
        assert seen.mirrored.order.terms.token == terms.token == NATIVE


def test_who_finds_every_connection_in_use_is_told_so(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "store.sqlite"), busy_seconds=0.2) as store:
        store.migrate()

        def nested(depth: int) -> None:
            store.glance(lambda _: nested(depth - 1) if depth else None)

        nested(7)
        with pytest.raises(StoreBusy, match="every connection"):
            nested(8)
        nested(7)
