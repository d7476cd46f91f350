"""Histories of one order to each state and each ending, with every amount worked out by hand.

P = 1,000,007 · B = 300,002 · f(P) = 12,500 · of 10 units 3 in dispute: U = 700,004 · D = 300,003 · b = 90,000 ·
E = 45,000 · M = 9,000 · Q = 426,003.
"""

from typing import Any

import pytest

from kameng_escrow.domain.events import (
    Logged,
    MediationFeeCredited,
    OrderAccepted,
    OrderClosed,
    OrderDelivered,
    OrderDisputed,
    OrderEvent,
    OrderOpened,
    OrderRecommitted,
    OrderRevised,
    OrderRuled,
)
from kameng_escrow.domain.fold import fold
from kameng_escrow.domain.order import NATIVE, Order, OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import Fault, Outcome, State


def account(number: int) -> str:
    """An address that is its own checksum: digits only."""
    return f"0x{number:040d}"


BUYER, REFUND_TO, SELLER, PAY_TO, PAYER = (account(number) for number in range(1, 6))
PLATFORM, MEDIATOR, BACKUP, FEE_RECEIVER, STRANGER = (account(number) for number in range(11, 16))
ORDER = "0x" + "0a" * 32
OTHER = "0x" + "0b" * 32
POLICY_ID = "0x" + "01" * 32
COMMITMENT, EVIDENCE, GROUNDS = ("0x" + byte * 32 for byte in ("c0", "e1", "91"))

POLICY = Policy(
    platform=PLATFORM,
    accept_window=600,
    deliver_window=1_200,
    inspect_window=86_400,
    negotiate_window=43_200,
    mediate_window=172_801,
    platform_fee_bps=125,
    cancel_fee_bps=500,
    seller_bond_bps=3_000,
    dispute_bond_bps=1_500,
    mediation_fee_bps=300,
    silence_share_bps=4_000,
    mediator=MEDIATOR,
    backup_mediator=BACKUP,
    fee_receiver=FEE_RECEIVER,
    effective_from=0,
)

OPENED, ACCEPTED, DELIVERED, DISPUTED = (1_800_000_000 + step for step in (0, 100, 200, 300))  # when, Unix seconds
NEGOTIATED = DISPUTED + 43_200  # n
HALF = NEGOTIATED + 86_400  # h
DEADLINES = {
    State.Opened: OPENED + 600,
    State.Accepted: ACCEPTED + 1_200,
    State.Delivered: DELIVERED + 86_400,
    State.Disputed: NEGOTIATED + 172_801,
}

TERMS = OrderTerms(
    buyer=BUYER,
    refund_to=REFUND_TO,
    seller=SELLER,
    pay_to=PAY_TO,
    token=NATIVE,
    price=1_000_007,
    units=10,
    policy_id=POLICY_ID,
    listing="0x" + "11" * 32,
    open_by=OPENED,
    salt="0x" + "22" * 32,
)

OPEN_STATES = [state for state in State if state.is_open]

Told = tuple[int, OrderEvent]  # when, Unix seconds, and what


def opened(at: int = OPENED, state: State = State.Opened, **changes: Any) -> Told:
    return at, OrderOpened(**{"order_id": ORDER, "terms": TERMS, "payer": PAYER, "state": state, **changes})


def accepted(at: int = ACCEPTED) -> Told:
    return at, OrderAccepted(order_id=ORDER)


def delivered(at: int = DELIVERED) -> Told:
    return at, OrderDelivered(order_id=ORDER, commitment=COMMITMENT)


def disputed(at: int = DISPUTED, **changes: Any) -> Told:
    values = {
        "order_id": ORDER,
        "units": 3,
        "evidence": EVIDENCE,
        "dispute_bond": 45_000,
        "to_seller": 691_254,
        "platform_fee": 8_750,
        "bond_returned": 210_002,
    }
    return at, OrderDisputed(**{**values, **changes})


def ruled(at: int = NEGOTIATED, mediator: str = MEDIATOR, to_buyer: int = 200_000) -> Told:
    return at, OrderRuled(order_id=ORDER, mediator=mediator, to_buyer=to_buyer, grounds=GROUNDS)


def fee_credited(at: int = NEGOTIATED, mediator: str = MEDIATOR, fee: int = 9_000) -> Told:
    return at, MediationFeeCredited(order_id=ORDER, mediator=mediator, token=NATIVE, fee=fee)


def revised(at: int, revision: int = 1) -> Told:
    return at, OrderRevised(order_id=ORDER, revision=revision)


def recommitted(at: int, revision: int = 1, commitment: str = "0x" + "c1" * 32) -> Told:
    return at, OrderRecommitted(order_id=ORDER, commitment=commitment, revision=revision)


def closed(at: int, outcome: Outcome, fault: Fault, *amounts: int) -> Told:
    """Amounts: to the buyer, to the seller, platform fee, bond returned."""
    to_buyer, to_seller, platform_fee, bond_returned = amounts
    return at, OrderClosed(
        order_id=ORDER,
        outcome=outcome,
        fault=fault,
        to_buyer=to_buyer,
        to_seller=to_seller,
        platform_fee=platform_fee,
        bond_returned=bond_returned,
    )


TO = {
    State.Nothing: (),
    State.Opened: (opened(),),
    State.Accepted: (opened(), accepted()),
    State.Delivered: (opened(), accepted(), delivered()),
    State.Disputed: (opened(), accepted(), delivered(), disputed()),
}
"""The shortest history to each state."""


def tell(order: Order | None, *events: Told, policy: Policy = POLICY) -> Order:
    """The order after these events as well."""
    for index, (timestamp, event) in enumerate(events):
        logged = Logged(
            event=event,
            block_number=index,
            block_hash="0x" + "bb" * 32,
            timestamp=timestamp,
            transaction_hash="0x" + "cc" * 32,
            log_index=0,
        )
        order = fold(order, logged, {POLICY_ID: policy})
    assert order is not None
    return order


def order_in(state: State, policy: Policy = POLICY) -> Order:
    """An order that has come to an open state by the shortest way."""
    return tell(None, *TO[state], policy=policy)


AFTER = 10  # seconds past a deadline, where the time does not matter to the row
ENDINGS = [
    # row, from, what is told, and what ends it
    (4, State.Opened, (), closed(OPENED, Outcome.Cancelled, Fault.Nobody, 1_000_007, 0, 0, 0)),
    (4, State.Opened, (), closed(DEADLINES[State.Opened], Outcome.Declined, Fault.Nobody, 1_000_007, 0, 0, 0)),
    (4, State.Opened, (), closed(DEADLINES[State.Opened], Outcome.Expired, Fault.Nobody, 1_000_007, 0, 0, 0)),
    (5, State.Opened, (), closed(OPENED + 599, Outcome.Intervened, Fault.Platform, 1_000_007, 0, 0, 0)),
    (7, State.Accepted, (), closed(ACCEPTED, Outcome.Cancelled, Fault.Buyer, 950_007, 50_000, 0, 300_002)),
    (8, State.Accepted, (), closed(ACCEPTED, Outcome.Declined, Fault.Seller, 1_150_008, 0, 0, 150_001)),
    (9, State.Accepted, (), closed(ACCEPTED, Outcome.Intervened, Fault.Platform, 1_000_007, 0, 0, 300_002)),
    (
        10,
        State.Accepted,
        (),
        closed(DEADLINES[State.Accepted], Outcome.Undelivered, Fault.Seller, 1_300_009, 0, 0, 0),
    ),
    (11, State.Accepted, (), closed(ACCEPTED, Outcome.Confirmed, Fault.Nobody, 0, 987_507, 12_500, 300_002)),
    (
        11,
        State.Delivered,
        (),
        closed(DEADLINES[State.Delivered] + AFTER, Outcome.Confirmed, Fault.Nobody, 0, 987_507, 12_500, 300_002),
    ),
    (
        11,
        State.Delivered,
        (),
        closed(DEADLINES[State.Delivered], Outcome.Released, Fault.Nobody, 0, 987_507, 12_500, 300_002),
    ),
    (12, State.Delivered, (), closed(DELIVERED, Outcome.Refunded, Fault.Seller, 1_150_008, 0, 0, 150_001)),
    (14, State.Disputed, (), closed(NEGOTIATED - 1, Outcome.Refunded, Fault.Seller, 390_003, 0, 0, 45_000)),
    (
        15,
        State.Disputed,
        (),
        closed(NEGOTIATED - 1, Outcome.Confirmed, Fault.Nobody, 45_000, 296_253, 3_750, 90_000),
    ),
    (
        16,
        State.Disputed,
        (ruled(), fee_credited()),
        closed(NEGOTIATED, Outcome.Ruled, Fault.Seller, 284_000, 98_753, 1_250, 42_000),
    ),
    (
        16,
        State.Disputed,
        (fee_credited(HALF, BACKUP),),
        closed(HALF, Outcome.Conceded, Fault.Seller, 426_003, 0, 0, 0),
    ),
    (
        16,
        State.Disputed,
        (fee_credited(),),
        closed(NEGOTIATED, Outcome.Conceded, Fault.Buyer, 0, 296_253, 3_750, 126_000),
    ),
    (
        17,
        State.Disputed,
        (),
        closed(DEADLINES[State.Disputed], Outcome.Defaulted, Fault.Mediator, 165_002, 180_001, 0, 90_000),
    ),
    (18, State.Opened, (), closed(OPENED, Outcome.Agreed, Fault.Nobody, 1_000_007, 0, 0, 0)),
    (18, State.Accepted, (), closed(ACCEPTED, Outcome.Agreed, Fault.Nobody, 400_000, 592_507, 7_500, 300_002)),
    (
        18,
        State.Disputed,
        (),
        closed(DEADLINES[State.Disputed] + AFTER, Outcome.Agreed, Fault.Nobody, 145_000, 197_503, 2_500, 90_000),
    ),
]
each_ending = pytest.mark.parametrize(
    ("state", "before", "end"),
    [ending[1:] for ending in ENDINGS],
    ids=[f"{row}-{state.label}-{end[1].outcome.label}-{end[1].fault.label}" for row, state, _, end in ENDINGS],
)
