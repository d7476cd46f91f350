"""A keeper on a real chain: everything that is due is settled, once, and the journal says what was paid for it."""

from dataclasses import replace

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.states import State
from kameng_escrow.keeper import Keeper, NewsKind
from kameng_escrow.store import Leadership, Store, WrongStore
from kameng_escrow.store.keeping import Stage

from .escrow_world import DAY, HOUR, EscrowWorld
from .keepers import (
    KEEPER,
    Listener,
    all_mined,
    assert_journal_is_true,
    due_orders,
    following,
    held,
    intents,
    keeper_of,
    pooled,
    sent_by,
    settle,
    states,
    until,
)
from .mirrors import assert_mirrors, mirror_of


def test_what_is_due_is_settled_in_as_few_transactions_as_may_be(anvil_world: EscrowWorld, store: Store) -> None:
    world = anvil_world
    due = due_orders(world, store, 25)
    early = world.opened()
    mirror_of(world, store).run_once()
    listener = Listener()
    report = settle(world, store, listener=listener)
    assert report.complete
    assert (report.settled, report.transactions, report.raised, report.wasted) == (25, 3, 0, 0)
    assert (report.left, report.waiting, report.given_up, report.conditions) == (0, 0, 0, ())
    assert states(world, due) == {State.Closed}
    assert states(world, [early]) == {State.Opened}
    assert report.cost == sum(int(one["gasUsed"], 16) * int(one["effectiveGasPrice"], 16) for one in sent_by(world))
    assert_journal_is_true(world, store)
    assert listener.kinds().count(NewsKind.Sent) == listener.kinds().count(NewsKind.Mined) == 3
    mirror_of(world, store).run_once()
    assert_mirrors(world, store)


def test_every_kind_of_timeout_in_every_coin_is_settled(anvil_world: EscrowWorld, store: Store) -> None:
    world = anvil_world
    kinds = (world.opened, world.accepted, world.delivered, world.disputed)
    orders = [make(token=token) for token in (NATIVE, world.token) for make in kinds]
    world.wait(4 * DAY)
    mirror_of(world, store).run_once()
    report = settle(world, store)
    assert report.complete
    assert (report.settled, report.transactions) == (8, 1)
    assert states(world, orders) == {State.Closed}
    mirror_of(world, store).run_once()
    assert_mirrors(world, store)


def test_nothing_due_sends_nothing(anvil_world: EscrowWorld, store: Store) -> None:
    world = anvil_world
    world.opened()
    mirror_of(world, store).run_once()
    report = settle(world, store)
    assert report.complete
    assert report.transactions == 0
    assert sent_by(world) == []


def test_a_mirror_that_lags_makes_nothing_settled_twice(anvil_world: EscrowWorld, store: Store) -> None:
    world = anvil_world
    due = due_orders(world, store, 5)
    assert settle(world, store).settled == 5
    assert settle(world, store).transactions == 0  # the mirror still has them as open
    [transaction] = sent_by(world)
    other = settle(world, store, account=9)  # nor does somebody whose journal does not know
    assert (other.settled, other.transactions) == (0, 0)
    assert len(sent_by(world)) == 1
    assert states(world, due) == {State.Closed}
    assert transaction["status"] == "0x1"


def test_blocks_make_it_final(anvil_world: EscrowWorld, store: Store) -> None:
    world = anvil_world
    due_orders(world, store, 3)
    settle(world, store)
    [intent] = intents(world, store)
    assert intent.stage is Stage.Mined
    assert intent.last.raw
    world.node.mine(2)
    settle(world, store)
    [intent] = intents(world, store)
    assert intent.stage is Stage.Settled
    assert intent.last.raw == b""
    assert_journal_is_true(world, store)


def test_a_follower_settles_what_comes_due(anvil_world: EscrowWorld, store: Store) -> None:
    world = anvil_world
    first = due_orders(world, store, 3)
    with keeper_of(world, store) as keeper, following(keeper):
        until(lambda: states(world, first) == {State.Closed})
        second = [world.opened() for _ in range(3)]
        mirror_of(world, store).run_once()
        world.wait(HOUR)
        until(lambda: states(world, second) == {State.Closed} and all_mined(world, store))
    assert len(sent_by(world)) == 2
    assert_journal_is_true(world, store)


def test_only_one_keeper_of_an_account_works(anvil_world: EscrowWorld, store: Store) -> None:
    world = anvil_world
    due_orders(world, store, 3)
    scope = f"{world.deployment.chain_id}:{world.node.accounts[KEEPER].address}"
    with Leadership(store, "keeper", scope) as place:
        assert place.take() is not None
        report = settle(world, store)
        assert not report.leading
        assert report.transactions == 0
        assert pooled(world) == sent_by(world) == []
    assert settle(world, store).settled == 3


def test_a_second_keeper_takes_over_when_the_first_is_gone(anvil_world: EscrowWorld, store: Store) -> None:
    world = anvil_world
    listener = Listener()
    mirror_of(world, store).run_once()
    with keeper_of(world, store) as first, keeper_of(world, store) as second:
        assert first.run_once().leading
        with following(second, listener=listener):
            until(lambda: listener.troubles == ["not_leading"])
            due = due_orders(world, store, 3)
            first.close()
            until(lambda: states(world, due) == {State.Closed} and all_mined(world, store))


def test_one_account_may_have_worked_for_another_contract(store: Store) -> None:
    """What still waits for the other one is looked after, and not taken for something that nobody wants."""
    with AnvilNode() as node:
        one, two = EscrowWorld(node), EscrowWorld(node, another=True)
        due_of_one, due_of_two = due_orders(one, store, 3), due_orders(two, store, 3)
        with held(node):
            assert settle(one, store, patience=0, stuck_seconds=60).waiting == 1
            report = settle(two, store, patience=0, stuck_seconds=60)
            assert (report.transactions, report.waiting, report.raised) == (1, 2, 0)
            node.mine()
            settle(two, store)
        assert states(one, due_of_one) == states(two, due_of_two) == {State.Closed}
        assert_journal_is_true(one, store)
        closed = [intent.inclusion.closed for intent in intents(one, store) if intent.inclusion]
        assert [len(ids) for ids in closed] == [3, 3]


def test_a_store_of_another_chain_is_not_used(anvil_world: EscrowWorld, store: Store) -> None:
    mirror_of(anvil_world, store).run_once()
    other = replace(anvil_world.deployment, genesis="0x" + "77" * 32)
    with pytest.raises(WrongStore, match="Use another store"):
        Keeper(store, anvil_world.node, other, anvil_world.node.accounts[KEEPER])
