"""Every intent ends exactly once, whatever happens on the way: kills, lost answers, reorganisations, other senders."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kameng_escrow.keeper.machine import (
    PATIENCE,
    End,
    Note,
    Offer,
    Replace,
    Sight,
    Wait,
    Why,
    gap,
    judge,
    next_nonce,
)
from kameng_escrow.store.keeping import (
    Attempt,
    BrokenJournal,
    Fee,
    Inclusion,
    Intent,
    Payload,
    Rejection,
    Stage,
)

from .keeper_world import ACCOUNT, PACE, World

FATES = st.sampled_from(["", "", "", "", "blind", "killed", "lost", "unsent"])


class Histories(RuleBasedStateMachine):
    """Everything that can happen, in any order; afterwards the world calms down and every intent has to end."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @precondition(lambda self: len(self.world.held()) < 6)
    @rule()
    def plan(self) -> None:
        self.world.plan()

    @precondition(lambda self: len(self.world.held()) < 6)
    @rule()
    def everything_goes_well(self) -> None:
        self.world.plan()
        self.world.tend_all()
        self.world.mine()
        self.world.tend_all()

    @rule()
    def fill_a_gap(self) -> None:
        self.world.plan(filler=True)

    @precondition(lambda self: self.world.journal)
    @rule(pick=st.integers(0, 99), fate=FATES)
    def tend(self, pick: int, fate: str) -> None:
        waiting = [one.id for one in self.world.journal if not one.stage.has_ended] or [0]
        self.world.tend(waiting[pick % len(waiting)], fate=fate)

    @rule()
    def tend_all(self) -> None:
        self.world.tend_all()

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule(milliseconds=st.sampled_from([1, 1_000, 4_000, 20_000, -3_000, -60_000]))
    def time_passes(self, milliseconds: int) -> None:
        self.world.now_ms = max(0, self.world.now_ms + milliseconds)

    @rule(blocks=st.integers(1, 5))
    def mine(self, blocks: int) -> None:
        for _ in range(blocks):
            self.world.mine()

    @rule(depth=st.integers(1, 3), drop=st.booleans())
    def reorganise(self, depth: int, drop: bool) -> None:
        self.world.reorganise(depth, drop=drop)

    @rule(mined=st.booleans(), price=st.sampled_from([50, 1_000, 10**6]))
    def somebody_else_sends(self, mined: bool, price: int) -> None:
        self.world.somebody_else_sends(mined=mined, price=price)

    @rule(base_fee=st.sampled_from([10, 100, 1_000, 50_000]))
    def fees_move(self, base_fee: int) -> None:
        self.world.base_fee = base_fee

    @rule()
    def the_node_forgets_its_pool(self) -> None:
        self.world.pool.clear()

    @precondition(lambda self: self.world.journal)
    @rule(pick=st.integers(0, 99))
    def somebody_else_settles(self, pick: int) -> None:
        self.world.unwanted.add(pick % len(self.world.journal))

    @invariant()
    def holds(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        self.world.calm_down()
        self.world.check()
        self.world.check_ends()


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


# -------------------------------------------------------------------------------------------------------- one at a time


def attempt(**changes: Any) -> Attempt:
    plain = Attempt(
        hash="0xa", payload=Payload.Batch, fee=Fee(highest=100, tip=2), gas=10, raw=b"raw", signed_ms=0, offered_ms=0
    )
    return replace(plain, **changes)


def intent(**changes: Any) -> Intent:
    plain = Intent(
        id=1,
        contract_id=1,
        chain_id=1,
        account=ACCOUNT,
        nonce=7,
        order_ids=("order",),
        created_ms=0,
        attempts=(attempt(),),
    )
    return replace(plain, **changes)


def sight(**changes: Any) -> Sight:
    plain = Sight(
        now_ms=1_000,
        head=100,
        latest_nonce=7,
        deep_nonce=7,
        market=Fee(highest=100, tip=2),
        inclusion=None,
    )
    return replace(plain, **changes)


MINED = Inclusion(hash="0xa", block_number=99, block_hash="0xb", succeeded=True, gas_used=5, cost=500)


def test_what_was_signed_and_perhaps_never_sent_is_sent() -> None:
    fresh = intent(attempts=(attempt(offered_ms=None),))
    assert judge(fresh, sight(), PACE) == Offer("0xa")


def test_what_waits_is_left_alone_until_the_node_may_have_lost_it() -> None:
    assert judge(intent(), sight(now_ms=PACE.resend_ms - 1), PACE) == Wait(Why.Block)
    assert judge(intent(), sight(now_ms=PACE.resend_ms), PACE) == Offer("0xa")


def test_what_is_stuck_pays_more() -> None:
    stuck = sight(now_ms=PACE.stuck_ms)
    assert judge(intent(), stuck, PACE) == Replace(Payload.Batch, Fee(highest=113, tip=3))
    dear = replace(stuck, market=Fee(highest=500, tip=9))
    assert judge(intent(), dear, PACE) == Replace(Payload.Batch, Fee(highest=500, tip=9))


def test_what_is_stuck_never_pays_more_than_it_may() -> None:
    stuck = sight(now_ms=PACE.stuck_ms, market=Fee(highest=500, tip=9))
    assert judge(intent(), stuck, replace(PACE, fee_cap=120)) == Replace(Payload.Batch, Fee(highest=120, tip=9))
    just_offered = intent(attempts=(attempt(offered_ms=PACE.stuck_ms),))
    assert judge(just_offered, stuck, replace(PACE, fee_cap=112)) == Wait(Why.Cap)
    assert judge(intent(), stuck, replace(PACE, fee_cap=112)) == Offer("0xa")


def test_a_legacy_chain_raises_the_gas_price() -> None:
    legacy = intent(attempts=(attempt(fee=Fee(highest=100, tip=None)),))
    stuck = sight(now_ms=PACE.stuck_ms, market=Fee(highest=90, tip=None))
    assert judge(legacy, stuck, PACE) == Replace(Payload.Batch, Fee(highest=113, tip=None))


def test_what_nobody_wants_any_more_is_withdrawn() -> None:
    assert judge(intent(), sight(wanted=False), PACE) == Replace(Payload.Nothing, Fee(highest=113, tip=3))
    withdrawn = intent(attempts=(attempt(), attempt(hash="0xb", payload=Payload.Nothing, fee=Fee(highest=113, tip=3))))
    assert judge(withdrawn, sight(wanted=False), PACE) == Wait(Why.Block)
    assert judge(intent(), sight(wanted=False), replace(PACE, fee_cap=100)) == Wait(Why.Block)


@pytest.mark.parametrize(
    ("rejection", "why"),
    [(Rejection.Funds, Why.Funds), (Rejection.Unclear, Why.Node), (Rejection.NonceGap, Why.Node)],
)
def test_what_a_node_refused_is_offered_again_unchanged(rejection: Rejection, why: Why) -> None:
    refused = intent(attempts=(attempt(rejection=rejection),))
    assert judge(refused, sight(now_ms=PACE.retry_ms - 1), PACE) == Wait(why)
    assert judge(refused, sight(now_ms=PACE.retry_ms), PACE) == Offer("0xa")


def test_what_pays_too_little_pays_more_at_once() -> None:
    refused = intent(attempts=(attempt(rejection=Rejection.Underpriced),))
    assert judge(refused, sight(), PACE) == Replace(Payload.Batch, Fee(highest=113, tip=3))
    assert judge(refused, sight(), replace(PACE, fee_cap=112)) == Wait(Why.Cap)


def test_nobody_bids_against_somebody_else_for_a_nonce() -> None:
    occupied = intent(attempts=(attempt(rejection=Rejection.Occupied),))
    assert judge(occupied, sight(), PACE) == Wait(Why.Foreign)
    assert judge(occupied, sight(now_ms=PACE.retry_ms), PACE) == Offer("0xa")
    assert judge(occupied, sight(now_ms=PACE.stuck_ms), PACE) == Replace(Payload.Batch, Fee(highest=113, tip=3))
    our_own = (attempt(), attempt(hash="0xb", fee=Fee(highest=113, tip=3), rejection=Rejection.Occupied))
    assert judge(intent(attempts=our_own), sight(), PACE) == Replace(Payload.Batch, Fee(highest=128, tip=4))


def test_what_no_node_will_ever_take_gives_its_nonce_to_an_empty_one() -> None:
    unfit = intent(attempts=(attempt(rejection=Rejection.Unfit),))
    assert judge(unfit, sight(), PACE) == Replace(Payload.Nothing, Fee(highest=113, tip=3))
    empty = intent(attempts=(attempt(payload=Payload.Nothing, rejection=Rejection.Unfit),))
    assert judge(empty, sight(now_ms=PACE.retry_ms), PACE) == Offer("0xa")


def test_a_block_is_noted_and_waited_for_until_it_is_final() -> None:
    seen = sight(inclusion=MINED, latest_nonce=8)
    assert judge(intent(), seen, PACE) == Note(MINED)
    noted = intent(stage=Stage.Mined, inclusion=MINED)
    assert judge(noted, seen, PACE) == Wait(Why.Depth)
    assert judge(noted, replace(seen, head=101), PACE) == Wait(Why.Depth)
    assert judge(noted, replace(seen, head=102), PACE) == End(Stage.Settled, MINED)


def test_a_transaction_that_was_refused_in_a_block_ends_as_reverted() -> None:
    refused = replace(MINED, succeeded=False)
    assert judge(intent(), sight(inclusion=refused, head=102), PACE) == End(Stage.Reverted, refused)


def test_a_block_that_is_gone_is_noted_and_the_same_bytes_are_sent_again() -> None:
    noted = intent(stage=Stage.Mined, inclusion=MINED)
    assert judge(noted, sight(), PACE) == Note(None)
    assert judge(noted.included(None), sight(now_ms=PACE.resend_ms), PACE) == Offer("0xa")
    elsewhere = replace(MINED, block_number=100, block_hash="0xc")
    assert judge(noted, sight(inclusion=elsewhere, latest_nonce=8), PACE) == Note(elsewhere)


def test_a_nonce_that_somebody_else_used_is_believed_only_once_it_is_final_and_seen_again() -> None:
    assert judge(intent(), sight(latest_nonce=8), PACE) == Wait(Why.Foreign)
    final = sight(latest_nonce=8, deep_nonce=8)
    assert judge(intent(), replace(final, looks_without=PATIENCE - 1), PACE) == Wait(Why.Foreign)
    assert judge(intent(), replace(final, looks_without=PATIENCE), PACE) == End(Stage.Displaced, None)


def test_a_clock_that_was_set_back_a_little_only_makes_it_wait() -> None:
    now_ms = sight().now_ms
    ahead = intent(attempts=(attempt(signed_ms=now_ms, offered_ms=now_ms + PACE.resend_ms - 1),))
    assert judge(ahead, sight(), PACE) == Wait(Why.Block)


def test_a_clock_that_was_set_back_by_days_does_not_make_it_wait_for_days() -> None:
    """A node may have lost what was offered, and nobody knows how long ago that was."""
    now_ms = sight().now_ms
    ahead = intent(attempts=(attempt(signed_ms=now_ms, offered_ms=10**9),))
    assert judge(ahead, sight(), PACE) == Offer("0xa")
    ahead = intent(attempts=(attempt(signed_ms=10**9, offered_ms=10**9),))
    assert judge(ahead, sight(), PACE) == Replace(Payload.Batch, Fee(highest=113, tip=3))


# ------------------------------------------------------------------------------------------ steps that may not be taken


def test_a_journal_refuses_what_could_pay_twice() -> None:
    one = intent()
    with pytest.raises(BrokenJournal, match="does not pay more"):
        one.replaced(attempt(hash="0xb"))
    with pytest.raises(BrokenJournal, match="is there already"):
        one.replaced(attempt(fee=Fee(highest=200, tip=3)))
    with pytest.raises(BrokenJournal, match="is none of intent 1"):
        one.included(replace(MINED, hash="0xdead"))
    with pytest.raises(BrokenJournal, match="can't end as Settled"):
        one.ended(Stage.Settled, None)
    with pytest.raises(BrokenJournal, match="can't end as Mined"):
        one.ended(Stage.Mined, MINED)
    done = one.ended(Stage.Settled, MINED)
    assert done.last.raw == b""
    for step in (
        lambda: done.ended(Stage.Displaced, None),
        lambda: done.included(None),
        lambda: done.offered("0xa", 1, None),
        lambda: done.replaced(attempt(hash="0xb", fee=Fee(highest=200, tip=3))),
    ):
        with pytest.raises(BrokenJournal, match="intent 1 is Settled"):
            step()


def test_what_may_still_be_spent() -> None:
    two = intent().replaced(attempt(hash="0xb", gas=21, fee=Fee(highest=113, tip=3)))
    assert two.reserved == 21 * 113
    assert two.included(MINED).reserved == 0


# -------------------------------------------------------------------------------------------- nonces


@pytest.mark.parametrize(
    ("latest", "pending", "held", "wanted", "hole"),
    [
        (5, 5, set(), 5, None),
        (5, 7, set(), 7, None),  # somebody else's two wait in the pool
        (5, 6, {5}, 6, None),
        (5, 5, {5, 6}, 7, None),  # the pool lost ours, which are offered again
        (5, 5, {6}, 5, 5),  # the pool lost somebody else's, and ours waits behind
        (5, 6, {7}, 6, 6),
        (5, 5, {3}, 5, None),  # displaced, and not yet final
        (5, 3, set(), 5, None),  # a node that counts late
    ],
)
def test_nonces(latest: int, pending: int, held: set[int], wanted: int, hole: int | None) -> None:
    assert next_nonce(latest, pending, frozenset(held)) == wanted
    assert gap(latest, pending, frozenset(held)) == hole
