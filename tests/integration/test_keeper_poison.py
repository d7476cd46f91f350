"""Orders that spoil a whole batch: found out, kept apart, and if nothing helps left to a person, loudly."""

from collections.abc import Callable

import pytest

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import State
from kameng_escrow.keeper import NewsKind
from kameng_escrow.store import Store

from .escrow_world import HOUR, EscrowWorld
from .keepers import (
    Listener,
    assert_journal_is_true,
    due_orders,
    intents,
    journal_of,
    keeper_of,
    sent_by,
    settle,
    states,
)
from .mirrors import assert_mirrors, book_of, mirror_of
from .sdk_cast import call_contract, deploy_code


@pytest.fixture
def world(anvil_world: EscrowWorld) -> EscrowWorld:
    return anvil_world


class Sly:
    """A token that makes what was rehearsed with success fail in a block."""

    def __init__(self, world: EscrowWorld, artifact: Artifact) -> None:
        self._world, self._artifact = world, artifact
        self.address = deploy_code(world.node, artifact, "Sly Dollar", "SUSD", 6)
        buyer = world.node.accounts.index(world.buyer)
        call_contract(world.node, self.address, artifact, "mint", world.buyer.address, 10**12, sender=buyer)
        call_contract(world.node, self.address, artifact, "approve", world.address, 10**12, sender=buyer)

    def begin(self) -> None:
        call_contract(self._world.node, self.address, self._artifact, "beSly")


@pytest.fixture
def sly(world: EscrowWorld, compiled: Callable[[str], Artifact]) -> Sly:
    return Sly(world, compiled("SlyToken"))


def mixed(world: EscrowWorld, store: Store, sly: Sly) -> tuple[list[OrderTerms], list[OrderTerms]]:
    """Good orders and one bad one among them, all due; and the token shows its face."""
    good = [world.opened() for _ in range(7)]
    bad = [world.opened(token=sly.address)]
    world.wait(HOUR)
    sly.begin()
    mirror_of(world, store).run_once()
    return good, bad


def test_what_fails_in_a_block_is_tried_again_apart_and_with_more_gas(
    world: EscrowWorld, store: Store, sly: Sly
) -> None:
    good, bad = mixed(world, store, sly)
    listener = Listener()
    report = settle(world, store, listener=listener, patience=10)
    assert report.complete, report
    assert report.reverted >= 1
    assert states(world, good + bad) == {State.Closed}
    assert NewsKind.Reverted in listener.kinds()
    assert journal_of(world, store).troubles(book_of(world, store).info().id) == {}  # forgotten once it went well
    assert_journal_is_true(world, store)
    mirror_of(world, store).run_once()
    assert_mirrors(world, store)
    assert book_of(world, store).credit(world.buyer.address, sly.address) == bad[0].price  # the token burnt the push


def test_one_that_nothing_helps_is_given_up_loudly_and_the_others_are_settled(
    world: EscrowWorld, store: Store, sly: Sly
) -> None:
    """A keeper that may not spend the gas that the token burns."""
    good, bad = mixed(world, store, sly)
    listener = Listener()
    report = settle(world, store, listener=listener, patience=3, gas_limit=300_000, attempts=4)
    assert not report.complete
    assert (report.left, report.given_up) == (1, 1)
    assert states(world, good) == {State.Closed}
    assert states(world, bad) == {State.Opened}
    [given_up] = [one.error for one in listener.news if one.kind is NewsKind.GivenUp]
    assert given_up is not None
    assert given_up.code == "order_given_up"
    assert world.id_of(bad[0]) in given_up.message
    # The good ones were not dragged along: each failed at most once for each halving.
    assert report.reverted <= 4
    sent = len(sent_by(world))
    again = settle(world, store, patience=0, gas_limit=300_000)
    assert (again.transactions, again.left, again.given_up) == (0, 1, 1)
    assert len(sent_by(world)) == sent
    with keeper_of(world, store) as keeper:  # somebody looked, and allows more gas
        assert keeper.try_again() == 1
        assert keeper.run_once(patience_seconds=5).complete
    assert states(world, bad) == {State.Closed}
    assert_journal_is_true(world, store)


def test_one_that_does_not_even_pass_a_rehearsal_costs_nothing(world: EscrowWorld, store: Store) -> None:
    """Blocks too small for it: found by halving in rehearsals, before anything is sent."""
    due = due_orders(world, store, 6)
    report = settle(world, store, patience=0, gas_limit=100_000, attempts=1)
    assert report.reverted == 0
    assert states(world, due) == {State.Closed}  # one or two fit in each transaction
    assert report.transactions > 1
    assert all(int(one["gas"], 16) <= 100_000 for one in sent_by(world))


def test_one_that_never_passes_a_rehearsal_is_given_up_without_being_sent(
    world: EscrowWorld, store: Store, sly: Sly
) -> None:
    heavy = world.opened(token=sly.address)
    sly.begin()
    world.wait(HOUR)
    mirror_of(world, store).run_once()
    listener = Listener()
    report = settle(world, store, listener=listener, patience=2, gas_limit=300_000, attempts=2)
    assert (report.given_up, report.transactions) == (1, 0)
    assert listener.kinds() == [NewsKind.Stuck, NewsKind.GivenUp]
    assert intents(world, store) == sent_by(world) == []
    assert states(world, [heavy]) == {State.Opened}
    with keeper_of(world, store) as keeper:
        assert keeper.try_again() == 1
        assert keeper.run_once(patience_seconds=5).complete
