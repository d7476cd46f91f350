"""A delivery is given to its buyer when the chain can't take it back, and not before."""

from typing import Any

import pytest

from kameng_escrow.delivery.release import Release, Stage, commitments_in, release_of
from kameng_escrow.domain.events import Logged, OrderAccepted, OrderDelivered, OrderRecommitted
from kameng_escrow.domain.states import Outcome

ORDER, FIRST, SECOND = ("0x" + digits * 32 for digits in ("01", "c1", "c2"))


def logged(event: Any, block: int) -> Logged:
    return Logged(
        event=event,
        block_number=block,
        block_hash="0x" + "bb" * 32,
        timestamp=1,
        transaction_hash="0x" + "77" * 32,
        log_index=0,
    )


HISTORY = [
    logged(OrderAccepted(order_id=ORDER), 9),
    logged(OrderDelivered(order_id=ORDER, commitment=FIRST), 10),
    logged(OrderRecommitted(order_id=ORDER, commitment=SECOND, revision=1), 20),
]


@pytest.mark.parametrize(
    ("commitment", "final", "expected"),
    [
        (SECOND[:-1] + "3", 99, Release(stage=Stage.Stored)),
        (FIRST, 9, Release(stage=Stage.Pending, block_number=10, blocks_left=1)),
        (FIRST, 10, Release(stage=Stage.Released, block_number=10)),
        (SECOND, 10, Release(stage=Stage.Pending, block_number=20, blocks_left=10)),
        (SECOND, 19, Release(stage=Stage.Pending, block_number=20, blocks_left=1)),
        (SECOND, 20, Release(stage=Stage.Released, block_number=20)),
    ],
)
def test_it_waits_for_the_final_block_of_its_own_commitment(commitment: str, final: int, expected: Release) -> None:
    assert release_of(commitment, HISTORY, outcome=Outcome.Nothing, final=final, was_read=False) == expected


def test_a_reorg_takes_it_back_to_stored() -> None:
    assert release_of(FIRST, HISTORY[:0], outcome=Outcome.Nothing, final=99, was_read=False).stage is Stage.Stored


@pytest.mark.parametrize("final", [0, 99])
def test_what_was_refunded_unread_is_not_given_away(final: int) -> None:
    unread = release_of(FIRST, HISTORY, outcome=Outcome.Refunded, final=final, was_read=False)
    assert unread.stage is Stage.Withheld
    assert release_of(FIRST, HISTORY, outcome=Outcome.Refunded, final=99, was_read=True).stage is Stage.Released


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.Refunded])
def test_however_else_it_ended_the_buyer_may_read(outcome: Outcome) -> None:
    assert release_of(FIRST, HISTORY, outcome=outcome, final=10, was_read=False).stage is Stage.Released


def test_what_is_erased_is_gone() -> None:
    erased = release_of(FIRST, HISTORY, outcome=Outcome.Nothing, final=99, was_read=True, is_erased=True)
    assert erased.stage is Stage.Erased


def test_the_last_commitment_counts() -> None:
    assert commitments_in(HISTORY) == (FIRST, SECOND)
