"""Whatever is wrong in the rows, an audit finds it and a repair puts it right, and tells who was told wrongly."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from kameng_escrow.domain.order import NATIVE
from kameng_escrow.errors import EscrowError
from kameng_escrow.mirror import (
    AuditReport,
    DriftKind,
    NodeInconsistent,
    RepairReport,
    Target,
    Web3Source,
    audit,
    repair,
)
from kameng_escrow.mirror.auditor import Auditor
from kameng_escrow.store import Leadership, Store, StoreBusy
from kameng_escrow.store.models import BalanceRow, BlockRow, EventRow, OperatorRow, OrderRow, PolicyRow

from .escrow_world import EscrowWorld
from .mirrors import assert_mirrors, book_of, mirror_of, news, news_on_chain, rows


def look(world: EscrowWorld, store: Store, **options: Any) -> AuditReport:
    return audit(book_of(world, store), world.node.w3, world.deployment.lens, **options)


def put_right(world: EscrowWorld, store: Store) -> RepairReport:
    record = world.deployment
    target = Target(chain_id=record.chain_id, address=record.address, first_block=record.block, genesis=record.genesis)
    return repair(store, Web3Source(world.node.w3), target)


def test_an_audit_says_what_it_compared(world: EscrowWorld, store: Store) -> None:
    world.everything()
    mirror_of(world, store).run_once()
    whole, part = look(world, store), look(world, store, open_only=True)
    assert whole.drifts == part.drifts == ()
    assert whole.orders == sum(book_of(world, store).statistics().states.values())
    states = book_of(world, store).statistics().states
    assert part.orders == sum(count for state, count in states.items() if state.is_open)
    assert (whole.tokens, whole.balances) == (2, part.balances)
    assert whole.counts() == {"order": 0, "balance": 0, "custody": 0}


def test_what_the_contract_holds_is_at_least_what_it_owes(world: EscrowWorld, store: Store) -> None:
    world.disputed(token=world.token)
    world.accepted()
    mirror_of(world, store).run_once()
    assert look(world, store).drifts == ()
    world.send_token(world.seller, "transfer", world.address, 5)  # anybody may send it something
    mirror_of(world, store).run_once()
    assert look(world, store).drifts == ()
    with store.writing() as session:
        bond = session.scalars(select(BalanceRow).where(BalanceRow.token == world.token)).first()
        assert bond is not None
        bond.amount += 6
    found = look(world, store)
    assert [drift.kind for drift in found.drifts] == [DriftKind.Balance, DriftKind.Custody]
    custody = found.drifts[1]
    assert (custody.what, custody.mirrored) == (f"Custody {world.token}", int(str(custody.on_chain)) + 1)


def spoil_order(session: Any) -> None:
    session.execute(update(OrderRow).values(revision=OrderRow.revision + 1))


def lose_orders(session: Any) -> None:
    session.execute(delete(OrderRow))


def lose_events(session: Any) -> None:
    """Two of every three."""
    session.execute(delete(EventRow).where(EventRow.block_number % 3 > 0))


def make_up_event(session: Any) -> None:
    event = session.scalars(select(EventRow).where(EventRow.name == "OrderOpened")).first()
    columns = {column.name: getattr(event, column.name) for column in EventRow.__table__.columns}
    session.execute(insert(EventRow), [{**columns, "log_index": 99}])


def change_event(session: Any) -> None:
    session.execute(update(EventRow).where(EventRow.name == "OrderClosed").values(transaction_hash="0x" + "00" * 32))


def lose_the_rest(session: Any) -> None:
    session.execute(delete(BalanceRow))
    session.execute(delete(PolicyRow))
    session.execute(update(OperatorRow).values(rights=0))


def lose_a_block(session: Any) -> None:
    block = session.scalars(select(BlockRow).where(BlockRow.has_events)).first()
    session.delete(block)


@pytest.mark.parametrize(
    "spoil", [spoil_order, lose_orders, lose_events, make_up_event, change_event, lose_the_rest, lose_a_block]
)
def test_every_row_is_put_right(world: EscrowWorld, store: Store, spoil: Callable[[Any], None]) -> None:
    world.everything()
    mirror_of(world, store).run_once()
    right = rows(store, without=("outbox", "blocks"))
    with store.writing() as session:
        spoil(session)
    report = put_right(world, store)
    assert report.changes > 0
    assert rows(store, without=("outbox", "blocks")) == right
    assert_mirrors(world, store)
    assert put_right(world, store).changes == 0
    world.confirmed()
    mirror_of(world, store).run_once()
    assert_mirrors(world, store)


def test_a_repair_tells_what_was_left_out_and_takes_back_what_never_was(world: EscrowWorld, store: Store) -> None:
    """As if the mirror had been lied to: events and outbox agree with each other, and not with the chain."""
    world.confirmed()
    mirror_of(world, store).run_once()
    true = news_on_chain(world)
    with store.writing() as session:
        closed = session.scalars(select(EventRow).where(EventRow.name == "OrderClosed")).one()
        moved = {column.name: getattr(closed, column.name) for column in EventRow.__table__.columns}
        session.delete(closed)
        session.flush()
        session.execute(insert(EventRow), [{**moved, "log_index": 7}])
        session.connection().exec_driver_sql("UPDATE outbox SET log_index = 7 WHERE name = 'OrderClosed'")
    report = put_right(world, store)
    assert (report.told, report.retracted) == (1, 1)
    assert news(store) == true
    [retraction] = [row for row in rows(store)["outbox"] if row["retracts"] is not None]
    assert (retraction["name"], retraction["log_index"]) == ("OrderClosed", 7)
    assert retraction["withdrawn"]["fields"] == moved["fields"]


def test_a_right_store_is_left_as_it_is(world: EscrowWorld, store: Store) -> None:
    world.everything()
    mirror_of(world, store).run_once()
    before = rows(store)
    assert put_right(world, store).changes == 0
    assert rows(store) == before


def test_nothing_is_repaired_under_a_mirror_that_writes(world: EscrowWorld, store: Store) -> None:
    world.opened()
    mirror_of(world, store).run_once()
    with store.writing() as session:
        spoil_order(session)
    before = rows(store)
    scope = f"{world.deployment.chain_id}:{world.address}"
    with Leadership(store, "mirror", scope) as other:
        assert other.take() is not None
        with pytest.raises(StoreBusy, match="stop it"):
            put_right(world, store)
    assert rows(store) == before


def test_nothing_is_repaired_from_another_chain_of_blocks(anvil_world: EscrowWorld, store: Store) -> None:
    anvil_world.opened()
    mirror_of(anvil_world, store).run_once()
    anvil_world.node.request("anvil_reorg", 1, [])
    before = rows(store)
    with pytest.raises(NodeInconsistent, match="mirror again"):
        put_right(anvil_world, store)
    assert rows(store) == before


def test_audits_beside_the_mirror_find_what_went_wrong(world: EscrowWorld, store: Store) -> None:
    world.opened()
    mirror_of(world, store).run_once()
    found: list[AuditReport] = []
    troubles: list[EscrowError] = []
    stop = threading.Event()

    def note(report: AuditReport) -> None:
        found.append(report)
        if len(found) == 1:
            with store.writing() as session:
                spoil_order(session)
        elif report.drifts:
            stop.set()

    auditor = Auditor(
        lambda: book_of(world, store),
        world.node.w3,
        world.deployment.lens,
        every_seconds=0.01,
        found=note,
        trouble=troubles.append,
    )
    auditor.run(stop)
    assert troubles == []
    assert found[0].drifts == ()
    assert [drift.field for drift in found[-1].drifts] == ["revision"]


def test_balances_of_many_accounts_are_compared_in_batches(anvil_world: EscrowWorld, store: Store) -> None:
    for account in anvil_world.node.accounts:
        anvil_world.send(anvil_world.seller, "fundBond", account.address, NATIVE, 7, value=7)
    mirror_of(anvil_world, store).run_once()
    assert look(anvil_world, store).balances > 10
    assert look(anvil_world, store).drifts == ()
