"""A delivery is given to its buyer when the chain can't take it back, and not before."""

from typing import Any

import pytest

from kameng_escrow.delivery.release import Release, Stage, commitments_in, release_of
from kameng_escrow.domain.events import (
    Logged,
    OrderAccepted,
    OrderClosed,
    OrderDelivered,
    OrderDisputed,
    OrderRecommitted,
)
from kameng_escrow.domain.states import Fault, Outcome

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
    assert release_of(commitment, HISTORY, final=final, was_read=False) == expected


def test_a_reorg_takes_it_back_to_stored() -> None:
    assert release_of(FIRST, HISTORY[:0], final=99, was_read=False).stage is Stage.Stored


def closed(outcome: Outcome, to_seller: int, platform_fee: int = 0) -> list[Logged]:
    event = OrderClosed(
        order_id=ORDER,
        outcome=outcome,
        fault=Fault.Nobody,
        to_buyer=100 - to_seller - platform_fee,
        to_seller=to_seller,
        platform_fee=platform_fee,
        bond_returned=7,
    )
    return [*HISTORY, logged(event, 30)]


def disputed(to_seller: int) -> list[Logged]:
    event = OrderDisputed(
        order_id=ORDER,
        units=1,
        evidence="0x" + "e1" * 32,
        dispute_bond=5,
        to_seller=to_seller,
        platform_fee=0,
        bond_returned=3,
    )
    return [logged(event, 25)]


BACK = [Outcome.Refunded, Outcome.Conceded, Outcome.Agreed, Outcome.Ruled, Outcome.Defaulted]


@pytest.mark.parametrize("final", [0, 99])
@pytest.mark.parametrize("outcome", BACK)
def test_whoever_has_all_the_money_back_does_not_get_unread_codes_too(outcome: Outcome, final: int) -> None:
    history = closed(outcome, 0) + disputed(0)
    assert release_of(FIRST, history, final=final, was_read=False).stage is Stage.Withheld
    assert release_of(FIRST, history, final=99, was_read=True).stage is Stage.Released


@pytest.mark.parametrize("outcome", BACK)
def test_what_was_paid_for_may_be_read_however_it_ended(outcome: Outcome) -> None:
    for history in (closed(outcome, 1), closed(outcome, 0, platform_fee=1), disputed(60) + closed(outcome, 0)):
        assert release_of(FIRST, history, final=10, was_read=False).stage is Stage.Released


def test_in_dispute_the_buyer_may_still_look() -> None:
    assert release_of(FIRST, HISTORY + disputed(0), final=10, was_read=False).stage is Stage.Released


def test_what_is_erased_is_gone() -> None:
    erased = release_of(FIRST, HISTORY, final=99, was_read=True, is_erased=True)
    assert erased.stage is Stage.Erased


def test_the_last_commitment_counts() -> None:
    assert commitments_in(HISTORY) == (FIRST, SECOND)
