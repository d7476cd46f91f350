"""The mirror on a quiet chain: everything comes over, once, whatever the size of the bites."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import event

from kameng_escrow.chain.errors import NoDeployment, WrongChain
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.states import Fault, Outcome, State
from kameng_escrow.mirror import Progress, step
from kameng_escrow.mirror.memory import Memory
from kameng_escrow.store import Book, Store, WrongStore, contracts

from .escrow_world import EscrowWorld
from .mirrors import all_news, assert_mirrors, book_of, mirror_of, news, news_on_chain, rows

Lived = tuple[EscrowWorld, dict[Outcome, OrderTerms]]


def test_mirror_equals_chain_for_every_ending(lived: Lived, store: Store) -> None:
    world, ended = lived
    report = mirror_of(world, store).run_once()
    assert report.caught_up
    assert report.events == len(rows(store)["events"])
    assert report.reorgs == ()
    assert_mirrors(world, store)
    assert set(ended) == set(Outcome) - {Outcome.Nothing}
    for outcome, terms in ended.items():
        mirrored = book_of(world, store).order(world.id_of(terms))
        assert (mirrored.order.outcome, mirrored.order.state, mirrored.order.terms) == (outcome, State.Closed, terms)


@pytest.mark.parametrize("range_blocks", [1, 2, 7])
def test_rows_do_not_depend_on_the_size_of_the_ranges(
    lived: Lived, store: Store, tmp_path: Path, range_blocks: int
) -> None:
    world, _ = lived
    mirror_of(world, store).run_once()
    with Store.open(str(tmp_path / "other.sqlite")) as other:
        report = mirror_of(world, other, range_blocks=range_blocks).run_once()
        assert report.caught_up
        assert rows(other) == rows(store)


def test_rows_do_not_depend_on_what_is_remembered(
    lived: Lived, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mirror without memory waits for the range that is being written wherever the next goes on from it."""
    world, _ = lived
    mirror_of(world, store).run_once()
    monkeypatch.setattr(step, "Memory", lambda: Memory(limit=0))
    with Store.open(str(tmp_path / "other.sqlite")) as other:
        assert mirror_of(world, other, range_blocks=1).run_once().caught_up
        assert rows(other) == rows(store)


def test_what_keeps_a_range_from_the_store_is_raised_and_leaves_those_before_it(lived: Lived, store: Store) -> None:
    """Though it was being written while the next was read."""
    world, _ = lived
    kept = [0]

    def fail(_: object, __: object, statement: str, *___: object) -> None:
        kept[0] += statement.startswith("UPDATE checkpoints")
        if kept[0] == 4:
            raise RuntimeError("the disk is on fire")

    event.listen(store.engine, "before_cursor_execute", fail)
    with pytest.raises(RuntimeError, match="on fire"):
        mirror_of(world, store, range_blocks=7).run_once()
    event.remove(store.engine, "before_cursor_execute", fail)
    seen = book_of(world, store).info().marks.seen
    assert seen == world.deployment.block - 1 + 3 * 7
    assert all(row["block_number"] <= seen for row in rows(store)["events"])
    mirror_of(world, store, range_blocks=7).run_once()
    assert_mirrors(world, store)


def test_second_run_changes_nothing(lived: Lived, store: Store) -> None:
    world, _ = lived
    mirror_of(world, store).run_once()
    before = rows(store)
    report = mirror_of(world, store).run_once()
    assert (report.blocks, report.events) == (0, 0)
    assert rows(store) == before


def test_two_mirrors_on_one_store_write_every_event_once(lived: Lived, store: Store) -> None:
    """Whoever comes second finds the work done and goes on from there."""
    world, _ = lived
    failures: list[BaseException] = []

    def run() -> None:
        try:
            mirror_of(world, store, range_blocks=1).run_once()
        except BaseException as error:
            failures.append(error)

    store.migrate()
    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert_mirrors(world, store)
    assert news(store) == news_on_chain(world)
    assert len(rows(store)["outbox"]) == len(news(store))


def test_follows_a_growing_chain_until_told_to_stop(world: EscrowWorld, store: Store) -> None:
    mirror = mirror_of(world, store)
    stop, seen = threading.Event(), threading.Semaphore(0)
    heads: list[int] = []

    def progress(progress: Progress) -> None:
        heads.append(progress.block)
        seen.release()

    def live() -> None:
        for _ in range(5):
            world.opened()
            while heads[-1:] != [int(world.node.request("eth_blockNumber"), 16)]:
                assert seen.acquire(timeout=30)
        stop.set()

    living = threading.Thread(target=live)
    living.start()
    report = mirror.follow(stop, poll_seconds=0.01, progress=progress)
    living.join()
    assert len(book_of(world, store).orders().orders) == 5
    assert_mirrors(world, store)
    assert report.caught_up
    assert report.seen == heads[-1]


def test_stops_early_with_what_it_has(lived: Lived, store: Store) -> None:
    world, _ = lived
    stop = threading.Event()
    report = mirror_of(world, store, range_blocks=5).run_once(lambda _: stop.set(), stop=stop)
    assert not report.caught_up
    assert book_of(world, store).info().marks.seen == report.seen
    mirror_of(world, store).run_once()
    assert_mirrors(world, store)


def test_progress_goes_from_nothing_to_everything(lived: Lived, store: Store) -> None:
    world, _ = lived
    steps: list[Progress] = []
    report = mirror_of(world, store, range_blocks=20).run_once(steps.append)
    assert [step.done for step in steps] == sorted({step.done for step in steps})
    assert (steps[-1].done, steps[-1].block) == (steps[-1].total, report.head)
    assert steps[-1].events == report.events
    assert 0 < steps[0].done < steps[0].total
    assert steps[0].seconds_left is not None
    assert steps[-1].seconds_left == 0


# ----------------------------------------------------------------------------------------------------------- two marks


def test_an_order_is_final_once_its_last_event_is_deep_enough(world: EscrowWorld, store: Store) -> None:
    terms = world.accepted()
    mirror = mirror_of(world, store, final_depth=3)
    mirror.run_once()
    book, order_id = book_of(world, store), world.id_of(terms)
    assert not book.order(order_id).final
    world.node.mine(2)
    mirror.run_once()
    assert not book.order(order_id).final
    world.node.mine()
    mirror.run_once()
    assert book.order(order_id).final
    assert book.info().marks.final == book.info().marks.seen - 3


def test_without_a_depth_the_node_says_what_is_final(anvil_world: EscrowWorld, store: Store) -> None:
    """Anvil calls everything 64 blocks below its head final."""
    terms = anvil_world.opened()
    mirror = mirror_of(anvil_world, store, final_depth=None)
    mirror.run_once()
    book, order_id = book_of(anvil_world, store), anvil_world.id_of(terms)
    assert not book.order(order_id).final
    anvil_world.node.mine(64)
    mirror.run_once()
    finalized = anvil_world.node.request("eth_getBlockByNumber", "finalized", False)
    assert book.info().marks.final == int(finalized["number"], 16)
    assert book.order(order_id).final


# -------------------------------------------------------------------------------------------------------------- outbox


def test_every_event_of_an_order_is_in_the_outbox_once(lived: Lived, store: Store) -> None:
    world, _ = lived
    mirror_of(world, store, range_blocks=3).run_once()
    assert news(store) == news_on_chain(world)
    ids = [row["id"] for row in rows(store)["outbox"]]
    assert ids == list(range(1, len(ids) + 1))


def test_outbox_says_how_the_order_stood_after_the_event(world: EscrowWorld, store: Store) -> None:
    without_bond = world.register(world.policy(seller_bond_bps=0, mediation_fee_bps=0))
    terms = world.accepted(price=10**21, policy_id=without_bond)
    mirror_of(world, store).run_once()
    opened, accepted = (item.payload() for item in all_news(store))
    order = book_of(world, store).order(world.id_of(terms)).order
    assert opened["fields"]["terms"]["price"] == "1" + "0" * 21
    assert opened["order"]["state"] == "Opened"
    assert accepted["event"] == "OrderAccepted"
    assert accepted["order"] == {
        "state": "Accepted",
        "outcome": "None",
        "fault": "None",
        "revision": 0,
        "deadline": order.deadline,
    }


# --------------------------------------------------------------------------------------------- which chain, which store


def test_one_store_holds_several_contracts_of_several_chains(store: Store) -> None:
    with InProcessNode(chain_id=1_001) as one, InProcessNode(chain_id=1_002) as two:
        worlds = [EscrowWorld(one), EscrowWorld(one, another=True), EscrowWorld(two)]
        for number, world in enumerate(worlds):
            for _ in range(number + 1):
                world.opened()
        for world in worlds:
            mirror_of(world, store).run_once()
        for number, world in enumerate(worlds):
            assert_mirrors(world, store)
            assert book_of(world, store).statistics().states == {State.Opened: number + 1}
        places = {(world.deployment.chain_id, world.address) for world in worlds}
        assert [(info.chain_id, info.address) for info in contracts(store)] == sorted(places)
        assert len(places) == len(worlds)


def test_refuses_a_node_of_another_chain(world: EscrowWorld, store: Store) -> None:
    with pytest.raises(WrongChain) as caught:
        mirror_of(world, store, chain_id=1).run_once()
    assert (caught.value.expected, caught.value.got) == (1, world.deployment.chain_id)


def test_refuses_a_chain_that_began_otherwise(world: EscrowWorld, store: Store) -> None:
    with pytest.raises(WrongChain) as caught:
        mirror_of(world, store, genesis="0x" + "00" * 32).run_once()
    assert caught.value.got == world.deployment.genesis


def test_refuses_a_chain_without_the_contract(world: EscrowWorld, store: Store) -> None:
    with pytest.raises(NoDeployment):
        mirror_of(world, store, address=world.stranger.address).run_once()


def test_refuses_a_store_of_another_chain_with_the_same_id(world: EscrowWorld, store: Store) -> None:
    """A local chain that was started anew: the same id, the same addresses, another history."""
    world.opened()
    mirror_of(world, store).run_once()
    before = rows(store)
    with InProcessNode(genesis_timestamp=1_700_000_000) as node, pytest.raises(WrongStore, match="another chain"):
        mirror_of(EscrowWorld(node), store, genesis=None).run_once()
    assert rows(store) == before


# -------------------------------------------------------------------------------------------------------------- queries


def test_a_revision_before_the_opening_is_not_forgotten(world: EscrowWorld, store: Store) -> None:
    """Not by the mirror that saw it, nor by one that finds only its row."""
    first, second = mirror_of(world, store), world.terms()
    for terms, mirrors in ((world.terms(), lambda: first), (second, lambda: mirror_of(world, store))):
        world.send(world.seller, "revise", terms, 0)
        mirrors().run_once()
        world.send(world.buyer, "open", terms, value=terms.price)
        mirrors().run_once()
        assert book_of(world, store).order(world.id_of(terms)).order.revision == 1
        assert_mirrors(world, store)


def test_statistics_count_orders_of_each_kind(lived: Lived, store: Store) -> None:
    world, _ = lived
    mirror_of(world, store).run_once()
    statistics = book_of(world, store).statistics()
    open_states = (State.Nothing, State.Opened, State.Accepted, State.Delivered, State.Disputed)
    assert statistics.states == dict.fromkeys(open_states, 1) | {State.Closed: 13}
    assert statistics.outcomes == dict.fromkeys(set(Outcome) - {Outcome.Nothing}, 1) | {Outcome.Cancelled: 2}
    assert sum(statistics.faults.values()) == 13
    assert statistics.faults[Fault.Mediator] == 1


def test_due_orders_are_those_whose_clock_has_run_out(world: EscrowWorld, store: Store) -> None:
    late, early = world.accepted(), world.opened()
    world.confirmed()
    mirror_of(world, store).run_once()
    book = book_of(world, store)
    first, second = (book.order(world.id_of(terms)).order.deadline for terms in (early, late))
    assert first is not None
    assert second is not None
    assert book.due(first - 1) == []
    assert [(due.order_id, due.terms, due.state, due.due_at) for due in book.due(first)] == [
        (world.id_of(early), early, State.Opened, first)
    ]
    assert [due.terms for due in book.due(second)] == [early, late]
    assert [due.terms for due in book.due(second, limit=1)] == [early]


def test_pages_do_not_shift_while_orders_come_in(world: EscrowWorld, store: Store) -> None:
    ids = [world.id_of(world.opened()) for _ in range(5)]
    mirror = mirror_of(world, store)
    mirror.run_once()
    book = book_of(world, store)
    first = book.orders(limit=2)
    assert [mirrored.order.id for mirrored in first.orders] == ids[:2:-1]
    world.opened()
    mirror.run_once()
    second = book.orders(limit=2, cursor=first.cursor)
    assert [mirrored.order.id for mirrored in second.orders] == ids[2:0:-1]
    last = book.orders(limit=2, cursor=second.cursor)
    assert ([mirrored.order.id for mirrored in last.orders], last.cursor) == (ids[:1], None)


def test_lists_can_be_narrowed(lived: Lived, store: Store) -> None:
    world, ended = lived
    mirror_of(world, store).run_once()
    book = book_of(world, store)
    disputed = book.orders(states=[State.Disputed]).orders
    assert [mirrored.order.state for mirrored in disputed] == [State.Disputed]
    deadline = disputed[0].order.deadline
    assert deadline is not None
    everybody = sum(book.statistics().states.values()) - 1  # less the one that was never opened
    assert len(book.orders(party=world.buyer.address.lower(), limit=100).orders) == everybody
    assert len(book.orders(party=world.seller.address, limit=100).orders) == everybody
    assert book.orders(party=world.platform.address).orders == ()
    assert {mirrored.order.state for mirrored in book.orders(due_before=deadline).orders} == {
        State.Opened,
        State.Accepted,
        State.Delivered,
    }
    assert len(book.orders(due_before=deadline + 1).orders) == 4
    assert len(ended) == 12


def test_registers_know_policies_and_grants(lived: Lived, store: Store) -> None:
    world, _ = lived
    mirror_of(world, store).run_once()
    book: Book = book_of(world, store)
    first = book.policy(world.policy_id)
    assert first is not None
    assert (first.policy, first.retired) == (world.policy(), False)
    [second] = [found for found in book.policies(platform=world.platform.address) if found.policy_id != world.policy_id]
    assert second.retired
    assert second.review_by - first.review_by > 20 * 86_400
    assert book.credit(world.buyer.address, world.token) == 1_000_007
    assert book.credit(world.mediator.address, world.token) == 0
    assert book.credit(world.mediator.address, NATIVE) == 9_000
    assert book.fees(world.policy_id, NATIVE) == 0
    assert book.fees(world.policy_id, world.token) > 0
    [grant] = rows(store)["operators"]
    assert (grant["operator"], grant["rights"], grant["max_price"]) == (world.operator.address, 15, 10**9)
    assert [row["pay_to"] for row in rows(store)["pay_to"]] == [world.stranger.address]
