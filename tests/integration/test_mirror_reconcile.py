"""Comparing the store with the chain finds what is wrong, and only that."""

import pytest
from sqlalchemy import delete, insert, update

from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.states import Fault, Outcome, State
from kameng_escrow.mirror import Drift, NodeBehind, NodeInconsistent, reconcile
from kameng_escrow.store import BalanceKind, Store
from kameng_escrow.store.models import BalanceRow, OrderRow

from .escrow_world import EscrowWorld
from .mirrors import book_of, mirror_of


def drifts(world: EscrowWorld, store: Store, batch: int = 500) -> list[Drift]:
    return reconcile(book_of(world, store), world.node.w3, world.deployment.lens, batch=batch)


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_finds_orders_that_stand_elsewhere(world: EscrowWorld, store: Store, batch: int) -> None:
    first, closed, _ = world.accepted(), world.confirmed(), world.disputed()
    mirror_of(world, store).run_once()
    assert drifts(world, store, batch) == []
    wrong, ended = world.id_of(first), world.id_of(closed)
    deadline = book_of(world, store).order(wrong).order.deadline
    assert deadline is not None
    with store.writing() as session:
        session.execute(update(OrderRow).where(OrderRow.order_id == wrong).values(deadline=deadline + 1, revision=2))
        session.execute(update(OrderRow).where(OrderRow.order_id == ended).values(outcome=Outcome.Agreed))
    assert sorted(drifts(world, store, batch), key=lambda drift: drift.field) == [
        Drift(what=wrong, field="deadline", mirrored=deadline + 1, on_chain=deadline),
        Drift(what=ended, field="outcome", mirrored=Outcome.Agreed, on_chain=Outcome.Confirmed),
        Drift(what=wrong, field="revision", mirrored=2, on_chain=0),
    ]


def test_finds_an_order_that_never_was(world: EscrowWorld, store: Store) -> None:
    terms = world.terms()
    world.opened()
    mirror_of(world, store).run_once()
    made_up = {"order_id": world.id_of(terms), "contract_id": 1, "first_block": 0, "first_log_index": 0}
    more = {"state": State.Closed, "outcome": Outcome.Nothing, "fault": Fault.Nobody, "revision": 0}
    rest = {"disputed_units": 0, "mediation_fee": 0, "last_block": 0, "last_log_index": 0}
    with store.writing() as session:
        session.execute(insert(OrderRow), [{**made_up, **more, **rest}])
    assert drifts(world, store) == [
        Drift(what=world.id_of(terms), field="state", mirrored=State.Closed, on_chain=State.Nothing)
    ]


def test_finds_money_that_is_missing_and_money_that_is_not_there(world: EscrowWorld, store: Store) -> None:
    world.confirmed()
    mirror_of(world, store).run_once()
    seller, stranger = world.seller.address, world.stranger.address
    with store.writing() as session:
        session.execute(delete(BalanceRow).where(BalanceRow.token == world.token, BalanceRow.holder == seller))
        credit = {"contract_id": 1, "kind": BalanceKind.Credit, "holder": stranger, "token": NATIVE, "amount": 7}
        session.execute(insert(BalanceRow), [credit])
    assert drifts(world, store) == [
        Drift(what=f"Bond {seller} {world.token}", field="amount", mirrored=0, on_chain=50_000_000),
        Drift(what=f"Credit {stranger} {NATIVE}", field="amount", mirrored=7, on_chain=0),
        Drift(what=f"Custody {NATIVE}", field="balance", mirrored=50_000_007, on_chain=50_000_000),
    ]


def test_compares_at_the_block_that_was_mirrored(world: EscrowWorld, store: Store) -> None:
    """What has happened since is no drift."""
    terms = world.opened()
    mirror_of(world, store).run_once()
    world.send(world.seller, "accept", terms)
    assert drifts(world, store) == []


def test_does_not_compare_with_another_chain(world: EscrowWorld, store: Store) -> None:
    world.opened()
    snapshot = world.node.snapshot()
    world.opened()
    mirror_of(world, store).run_once()
    world.node.revert(snapshot)
    with pytest.raises(NodeBehind):
        drifts(world, store)
    world.wait(100)
    with pytest.raises(NodeInconsistent, match="mirror again"):
        drifts(world, store)


def test_says_when_there_is_no_lens(world: EscrowWorld, store: Store) -> None:
    world.opened()
    mirror_of(world, store).run_once()
    with pytest.raises(InvalidInput):
        reconcile(book_of(world, store), world.node.w3, world.stranger.address)
