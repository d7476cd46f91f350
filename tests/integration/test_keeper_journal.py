"""The keeper's journal in real databases: what is written is what is read, and nothing is due twice."""

from dataclasses import replace
from typing import Any

import pytest

from kameng_escrow.domain.states import State
from kameng_escrow.store import Agenda, Deposed, Journal, Leadership, Store
from kameng_escrow.store.keeping import (
    LONGEST_WAIT_MS,
    Attempt,
    BrokenJournal,
    Fee,
    Inclusion,
    Intent,
    Payload,
    Rejection,
    Stage,
    Trouble,
)

from .escrow_world import EscrowWorld
from .mirrors import book_of, mirror_of

ACCOUNT = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
CHAIN = 31_337
HUGE = 2**62  # wei a unit of gas


def attempt(name: str = "a", **changes: Any) -> Attempt:
    plain = Attempt(
        hash="0x" + name * 64,
        payload=Payload.Batch,
        fee=Fee(highest=HUGE, tip=3),
        gas=1_000_000,
        raw=b"\x02raw",
        signed_ms=1_763_000_000_000,
    )
    return replace(plain, **changes)


@pytest.fixture
def journal(store: Store, world: EscrowWorld) -> Journal:
    mirror_of(world, store).run_once()
    return Journal(store, chain_id=CHAIN, account=ACCOUNT)


def opened(journal: Journal, *order_ids: str, nonce: int = 7, name: str = "a") -> Intent:
    return journal.open(contract_id=1, nonce=nonce, order_ids=order_ids, attempt=attempt(name), at_ms=1_763_000_000_000)


def mined(intent: Intent, *closed: str, block: int = 10**6, cost: int = 10**30) -> Inclusion:
    return Inclusion(
        hash=intent.last.hash,
        block_number=block,
        block_hash="0x" + "bb" * 32,
        succeeded=True,
        gas_used=900_000,
        cost=cost,
        closed=closed,
    )


def test_every_step_is_read_as_it_was_written(journal: Journal) -> None:
    intent = opened(journal, "0x" + "01" * 32, "0x" + "02" * 32)
    steps = [
        intent,
        intent := intent.offered(intent.last.hash, 1_763_000_000_001, Rejection.Unclear),
        intent := intent.replaced(attempt("b", fee=Fee(highest=HUGE + HUGE // 2, tip=4))),
        intent := intent.offered(intent.last.hash, 1_763_000_000_002, None),
        intent := intent.included(mined(intent, "0x" + "02" * 32)),
        intent := intent.included(None),
        intent := intent.included(mined(intent, "0x" + "01" * 32)),
    ]
    for step in steps[1:]:
        journal.write(step, at_ms=1_763_000_000_003)
        assert journal.waiting() == [step]
        assert journal.intent(intent.id) == step
    end = intent.ended(Stage.Settled, intent.inclusion)
    journal.write(end, at_ms=1_763_000_000_009)
    assert journal.waiting() == []
    assert journal.latest(5) == [end]
    with pytest.raises(BrokenJournal, match="does not wait any more"):
        journal.write(intent, at_ms=1_763_000_000_010)
    with pytest.raises(LookupError):
        journal.intent(intent.id + 1)


def test_two_that_wait_never_have_the_same_nonce(journal: Journal) -> None:
    first = opened(journal, nonce=7)
    with pytest.raises(BrokenJournal, match="another intent waits with nonce 7"):
        opened(journal, nonce=7, name="b")
    journal.write(first.ended(Stage.Displaced, None), at_ms=1)
    again = opened(journal, nonce=7, name="b")  # the chain went further back than anybody thought possible
    earlier = opened(journal, nonce=3, name="c")
    assert journal.waiting() == [earlier, again]


def test_what_was_spent_is_what_was_paid_and_what_may_still_be(journal: Journal) -> None:
    first = opened(journal, nonce=1)
    assert journal.spent_since(0) == first.last.cost == 1_000_000 * HUGE
    journal.write(first.included(mined(first, cost=10**30)), at_ms=5_000)
    assert journal.spent_since(5_000) == 10**30
    assert journal.spent_since(5_001) == 0
    second = opened(journal, nonce=2, name="b")
    assert journal.spent_since(5_000) == 10**30 + second.reserved
    other = Journal(journal._store, chain_id=CHAIN, account="0x" + "00" * 20)
    assert other.spent_since(0) == 0
    assert other.waiting() == []


def test_a_keeper_that_was_replaced_writes_nothing(journal: Journal, store: Store) -> None:
    with Leadership(store, "keeper", ACCOUNT) as place:
        term = place.take()
        assert term is not None
        led = journal.under(store.under(term))
        intent = opened(led)
        place.release()
        with Leadership(store, "keeper", ACCOUNT) as other:
            assert other.take() is not None
            with pytest.raises(Deposed):
                led.write(intent.ended(Stage.Displaced, None), at_ms=1)
            with pytest.raises(Deposed):
                opened(led, nonce=8, name="b")
            assert journal.waiting() == [intent]


# --------------------------------------------------------------------------------------------------------------- agenda


@pytest.fixture
def agenda(store: Store, world: EscrowWorld) -> Agenda:
    for _ in range(5):
        world.opened()
    world.confirmed()
    mirror_of(world, store).run_once()
    return Agenda(store, book_of(world, store).info().id)


def ids(agenda: Agenda, at: int = 10**12, now_ms: int = 1_000, page: int = 2) -> list[str]:
    return [due.order_id for part in agenda.due(at, now_ms=now_ms, page=page) for due in part]


def test_pages_have_every_open_order_once_the_most_overdue_first(
    agenda: Agenda, store: Store, world: EscrowWorld
) -> None:
    expected = book_of(world, store).due(10**12)
    found = [due for part in agenda.due(10**12, now_ms=0, page=2) for due in part]
    assert found == expected
    assert len(found) == 5
    assert all(due.state is State.Opened for due in found)
    middle = expected[2].due_at
    assert [due.order_id for due in expected if due.due_at <= middle] == ids(agenda, middle)
    assert agenda.coming(middle, limit=2) == [due for due in expected if due.due_at > middle][:2]
    assert agenda.backlog(middle).orders == sum(due.due_at <= middle for due in expected)
    assert agenda.backlog(10**12).oldest == expected[0].due_at
    assert agenda.backlog(0).oldest is None
    assert agenda.terms([expected[1].order_id]) == {expected[1].order_id: expected[1]}


def test_what_is_under_way_is_not_due(agenda: Agenda, store: Store) -> None:
    journal = Journal(store, chain_id=CHAIN, account=ACCOUNT)
    every = ids(agenda)
    first, second, *rest = every
    intent = opened(journal, first, second)
    assert ids(agenda) == rest
    journal.write(intent := intent.included(mined(intent, first)), at_ms=1)
    assert ids(agenda) == [second, *rest]  # it was skipped: somebody moved it meanwhile, or its time had not come
    journal.write(intent := intent.included(None), at_ms=1)
    assert ids(agenda) == rest
    journal.write(intent := intent.ended(Stage.Settled, mined(intent, first)), at_ms=1)
    assert ids(agenda) == [second, *rest]  # still not mirrored


def test_what_the_mirror_knows_better_is_believed(agenda: Agenda, store: Store) -> None:
    """An order that was settled in a block below the mirror's, and is open there: that block was undone."""
    journal = Journal(store, chain_id=CHAIN, account=ACCOUNT)
    every = ids(agenda)
    intent = opened(journal, *every)
    journal.write(intent.ended(Stage.Settled, mined(intent, *every, block=1)), at_ms=1)
    assert ids(agenda) == every


def test_trouble_is_remembered_until_its_time_comes(agenda: Agenda, store: Store) -> None:
    journal = Journal(store, chain_id=CHAIN, account=ACCOUNT)
    first, second, *rest = ids(agenda)
    later = Trouble(order_id=first, failures=1, code="reverted", reason="No.", next_try_ms=2_000, since_ms=500)
    never = replace(later, order_id=second, failures=9, next_try_ms=None)
    journal.note_troubles(1, [later, never])
    assert journal.troubles(1) == {first: later, second: never}
    assert journal.troubles(1, [second, rest[0]]) == {second: never}
    assert journal.given_up(1) == 1
    assert never.given_up
    assert ids(agenda, now_ms=1_999) == rest
    assert ids(agenda, now_ms=2_000) == [first, *rest]
    journal.note_troubles(1, [again := replace(later, failures=2, next_try_ms=4_000)])
    assert journal.troubles(1, [first]) == {first: again}
    assert journal.forget_troubles(1, [second]) == 1
    assert ids(agenda, now_ms=0) == [second, *rest]
    assert journal.forget_troubles(1) == 1
    assert ids(agenda, now_ms=0) == [first, second, *rest]


def test_a_clock_that_was_set_back_keeps_no_order_waiting(agenda: Agenda, store: Store) -> None:
    """What is to be tried again in more than the longest wait was written by a clock that has been set back since."""
    journal = Journal(store, chain_id=CHAIN, account=ACCOUNT)
    first, *rest = ids(agenda)
    trouble = Trouble(order_id=first, failures=8, code="reverted", reason="No.", next_try_ms=10**12, since_ms=500)
    journal.note_troubles(1, [trouble])
    assert ids(agenda, now_ms=10**12 - LONGEST_WAIT_MS) == rest
    assert ids(agenda, now_ms=10**12 - LONGEST_WAIT_MS - 1) == [first, *rest]
