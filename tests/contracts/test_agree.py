"""Row 18: both parties agree on a split."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.events import OrderClosed
from kameng_escrow.domain.refusals import (
    AmountOutOfRange,
    Expired,
    ExpiryTooFar,
    InvalidSignature,
    NotPossible,
    WrongDisputedUnits,
    WrongRevision,
    WrongState,
)
from kameng_escrow.domain.states import Fault, Outcome, Right, State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.world import DAY, EVIDENCE, reverts

OPEN = [State.Opened, State.Accepted, State.Delivered, State.Disputed]
NOBODY = b""


@pytest.fixture
def signed(world, buyer, seller):
    """`signed(order, split)`: the signatures of both."""

    def sign(order, split):
        return [world.sign_split(order, split, party) for party in (buyer, seller)]

    return sign


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("expected", list(State))
def test_agree_reverts_in_another_state_than_signed(escrow, world, signed, stranger, expected):
    for actual in State:
        if actual != expected:
            order = world.in_state(actual)
            split = world.split(order, 0, state=expected)
            with reverts(WrongState(order.id, actual, expected)):
                escrow.agree(order.terms, split, *signed(order, split), sender=stranger)


@pytest.mark.parametrize("state", [State.Nothing, State.Closed])
def test_agree_reverts_where_nothing_is_held(escrow, world, signed, stranger, state):
    order = world.in_state(state)
    split = world.split(order, 0)
    with reverts(NotPossible(order.id, state)):
        escrow.agree(order.terms, split, *signed(order, split), sender=stranger)


def test_agree_reverts_for_another_number_of_disputed_units_than_signed(escrow, world, disputed, signed, stranger):
    order = disputed(k=3)
    for wrong in (0, 2, 4):
        split = world.split(order, 0, disputed_units=wrong)
        with reverts(WrongDisputedUnits(wrong, 3)):
            escrow.agree(order.terms, split, *signed(order, split), sender=stranger)


def test_agree_reverts_for_disputed_units_outside_a_dispute(escrow, world, delivered, signed, stranger):
    order = delivered()
    split = world.split(order, 0, disputed_units=1)
    with reverts(WrongDisputedUnits(1, 0)):
        escrow.agree(order.terms, split, *signed(order, split), sender=stranger)


def test_agree_reverts_for_another_revision_than_signed(escrow, world, accepted, signed, buyer, stranger):
    order = accepted()
    escrow.revise(order.terms, 0, sender=buyer)
    for wrong in (0, 2):
        split = world.split(order, 0, revision=wrong)
        with reverts(WrongRevision(wrong, 1)):
            escrow.agree(order.terms, split, *signed(order, split), sender=stranger)


def test_agree_reverts_from_the_expiry_on(escrow, world, accepted, signed, stranger, warp):
    order = accepted()
    split = world.split(order, 0, expiry=world.evm.now + 60)
    for late in (0, 1, 1_000):
        warp(split.expiry + late)
        with reverts(Expired(world.evm.now, split.expiry)):
            escrow.agree(order.terms, split, *signed(order, split), sender=stranger)


def test_agree_reverts_for_an_expiry_more_than_a_day_ahead(escrow, world, accepted, signed, stranger):
    order = accepted()
    now = world.evm.now
    split = world.split(order, 0, expiry=now + DAY + 1)
    with reverts(ExpiryTooFar(now + DAY + 1, now + DAY)):
        escrow.agree(order.terms, split, *signed(order, split), sender=stranger)


@pytest.mark.parametrize("name", ["seller", "refund_to", "platform", "mediator", "operator", "stranger"])
def test_agree_reverts_where_another_than_the_buyer_signed(escrow, world, accepted, buyer, seller, name, request):
    order = accepted()
    split = world.split(order, 0)
    wrong = world.sign_split(order, split, request.getfixturevalue(name))
    right = world.sign_split(order, split, seller)
    with reverts(InvalidSignature(buyer, world.split_digest(order, split))):
        escrow.agree(order.terms, split, wrong, right, sender=seller)


@pytest.mark.parametrize("name", ["buyer", "pay_to", "platform", "mediator", "operator", "stranger"])
def test_agree_reverts_where_another_than_the_seller_signed(escrow, world, accepted, buyer, seller, name, request):
    """No operator either, whatever its rights."""
    order = accepted()
    world.grant(order.terms, sum(Right))
    split = world.split(order, 0)
    right = world.sign_split(order, split, buyer)
    wrong = world.sign_split(order, split, request.getfixturevalue(name))
    with reverts(InvalidSignature(seller, world.split_digest(order, split))):
        escrow.agree(order.terms, split, right, wrong, sender=buyer)


def test_agree_reverts_where_a_party_that_does_not_call_has_not_signed(
    escrow, world, accepted, buyer, seller, stranger
):
    order = accepted()
    split = world.split(order, 0)
    mine = {party: world.sign_split(order, split, party) for party in (buyer, seller)}
    digest = world.split_digest(order, split)
    with reverts(InvalidSignature(buyer, digest)):
        escrow.agree(order.terms, split, NOBODY, mine[seller], sender=stranger)
    with reverts(InvalidSignature(seller, digest)):
        escrow.agree(order.terms, split, mine[buyer], NOBODY, sender=stranger)
    with reverts(InvalidSignature(seller, digest)):
        escrow.agree(order.terms, split, mine[buyer], NOBODY, sender=buyer)
    with reverts(InvalidSignature(buyer, digest)):
        escrow.agree(order.terms, split, NOBODY, mine[seller], sender=seller)


@pytest.mark.parametrize(
    "change",
    [{"state": State.Delivered}, {"disputed_units": 1}, {"revision": 1}, {"to_buyer": 8}, {"expiry": 1_800_000_001}],
)
def test_agree_reverts_where_another_split_was_signed(escrow, world, accepted, buyer, seller, stranger, change):
    order = accepted()
    split = world.split(order, 7)
    other = replace(split, **change)
    signatures = [world.sign_split(order, other, party) for party in (buyer, seller)]
    with reverts(InvalidSignature(buyer, world.split_digest(order, split))):
        escrow.agree(order.terms, split, *signatures, sender=stranger)


def test_agree_reverts_where_the_split_of_another_order_was_signed(escrow, world, accepted, signed, buyer, stranger):
    order, other = accepted(), accepted()
    split = world.split(order, 7)
    with reverts(InvalidSignature(buyer, world.split_digest(order, split))):
        escrow.agree(order.terms, split, *signed(other, split), sender=stranger)


@pytest.mark.parametrize("state", OPEN)
def test_agree_reverts_for_more_than_is_held(escrow, world, signed, stranger, state):
    order = world.in_state(state)
    held = order.sums.D if state == State.Disputed else order.sums.P
    for above in (held + 1, 2**256 - 1):
        split = world.split(order, above)
        with reverts(AmountOutOfRange(above, held)):
            escrow.agree(order.terms, split, *signed(order, split), sender=stranger)


def test_agree_checks_its_guards_in_order(escrow, world, disputed, signed, buyer, stranger, warp):
    order = disputed(k=3)
    warp(world.evm.now + 10)
    now, held = world.evm.now, order.sums.D
    wrong = world.split(order, held + 1, state=State.Opened, disputed_units=2, revision=1, expiry=now)
    steps = [
        ({"state": State.Disputed}, WrongDisputedUnits(2, 3)),
        ({"disputed_units": 3}, WrongRevision(1, 0)),
        ({"revision": 0}, Expired(now, now)),
        ({"expiry": now + DAY + 1}, ExpiryTooFar(now + DAY + 1, now + DAY)),
    ]
    with reverts(WrongState(order.id, State.Disputed, State.Opened)):
        escrow.agree(order.terms, wrong, NOBODY, NOBODY, sender=stranger)
    for change, refusal in steps:
        wrong = replace(wrong, **change)
        with reverts(refusal):
            escrow.agree(order.terms, wrong, NOBODY, NOBODY, sender=stranger)
    wrong = replace(wrong, expiry=now + DAY)
    with reverts(InvalidSignature(buyer, world.split_digest(order, wrong))):
        escrow.agree(order.terms, wrong, NOBODY, NOBODY, sender=stranger)
    with reverts(AmountOutOfRange(held + 1, held)):
        escrow.agree(order.terms, wrong, *signed(order, wrong), sender=stranger)


# -------------------------------------------------------------------------------------------------------- successes


@pytest.mark.parametrize("part", [0, 3, 1], ids=["all to the seller", "a third to the buyer", "all to the buyer"])
@pytest.mark.parametrize("state", OPEN)
def test_agree_divides_what_is_held_and_gives_the_bonds_back(escrow, world, coin, signed, stranger, state, part):
    order = world.in_state(state, token=coin)
    sums, f = order.sums, order.sums.f
    held = sums.D if state == State.Disputed else sums.P
    dispute_bond = sums.E if state == State.Disputed else 0
    seller_bond = {State.Opened: 0, State.Disputed: sums.b}.get(state, sums.B)
    x = held // part if part else 0
    rest = held - x
    split = world.split(order, x)
    with world.moves(
        coin,
        {
            "escrow": -(x + dispute_bond + rest - f(rest)),
            "refund_to": x + dispute_bond,
            "pay_to": rest - f(rest),
            "fees": f(rest),
            "bond of seller": seller_bond,
        },
    ):
        escrow.agree(order.terms, split, *signed(order, split), sender=stranger)


@pytest.mark.parametrize("caller", ["buyer", "seller"])
def test_agree_counts_a_calling_party_as_having_signed(escrow, world, accepted, buyer, seller, caller, request):
    order = accepted()
    split = world.split(order, 1)
    signatures = {
        "buyer": [NOBODY, world.sign_split(order, split, seller)],
        "seller": [world.sign_split(order, split, buyer), NOBODY],
    }[caller]
    escrow.agree(order.terms, split, *signatures, sender=request.getfixturevalue(caller))
    assert order.status.outcome == Outcome.Agreed


@pytest.mark.parametrize("state", OPEN)
def test_agree_succeeds_at_any_time_before_somebody_settles(escrow, world, signed, stranger, warp, state):
    for late in (-1, 0, 1, 1_000_000):
        order = world.in_state(state)
        warp(order.deadline + late)
        split = world.split(order, 1)
        escrow.agree(order.terms, split, *signed(order, split), sender=stranger)
        assert order.status.outcome == Outcome.Agreed


def test_agree_succeeds_until_the_second_before_the_expiry(escrow, world, accepted, signed, stranger, warp):
    order = accepted()
    split = world.split(order, 1)
    signatures = signed(order, split)
    warp(split.expiry - 1)
    escrow.agree(order.terms, split, *signatures, sender=stranger)
    assert order.status.outcome == Outcome.Agreed


def test_agree_takes_a_split_of_the_current_revision(escrow, world, accepted, signed, seller, stranger):
    order = accepted()
    escrow.revise(order.terms, 0, sender=seller)
    split = world.split(order, 1, revision=1)
    escrow.agree(order.terms, split, *signed(order, split), sender=stranger)
    assert order.status.outcome == Outcome.Agreed


def test_agree_takes_contract_wallets_signatures(escrow, world, compiled, buyer, seller, stranger):
    wallets = [deploy(world.evm, compiled("Wallet"), owner, sender=owner).address for owner in (buyer, seller)]
    order = world.order(buyer=wallets[0], seller=wallets[1])
    escrow.open(order.terms, sender=stranger, value=order.terms.price)
    order.moved(State.Opened)
    split = world.split(order, 1)
    signatures = [world.sign_split(order, split, owner) for owner in (buyer, seller)]
    with reverts(InvalidSignature(wallets[0], world.split_digest(order, split))):
        escrow.agree(order.terms, split, *reversed(signatures), sender=stranger)
    escrow.agree(order.terms, split, *signatures, sender=stranger)
    assert order.status.outcome == Outcome.Agreed


def test_a_split_stops_no_clock(escrow, world, delivered, signed, stranger, keeper, warp):
    order = delivered()
    warp(order.deadline - 1)
    split = world.split(order, 1)
    signatures = signed(order, split)
    warp(order.deadline)
    escrow.settle(order.terms, sender=keeper)
    with reverts(WrongState(order.id, State.Closed, State.Delivered)):
        escrow.agree(order.terms, split, *signatures, sender=stranger)


def test_a_split_signed_before_a_dispute_does_not_apply_to_it(escrow, world, delivered, signed, buyer, stranger):
    order = delivered()
    split = world.split(order, 1)
    signatures = signed(order, split)
    order.k = 3
    escrow.dispute(order.terms, 3, EVIDENCE, sender=buyer, value=order.sums.E)
    with reverts(WrongState(order.id, State.Disputed, State.Delivered)):
        escrow.agree(order.terms, split, *signatures, sender=stranger)


@pytest.mark.parametrize("state", OPEN)
def test_agree_closes_the_order(escrow, world, signed, stranger, warp, state):
    order = world.in_state(state)
    warp(world.evm.now + 17)
    split = world.split(order, 1)
    escrow.agree(order.terms, split, *signed(order, split), sender=stranger)
    status = order.status
    assert (status.state, status.outcome, status.fault) == (State.Closed, Outcome.Agreed, Fault.Nobody)
    assert status.deadline == world.evm.now


# ----------------------------------------------------------------------------------------------------------- events


@pytest.mark.parametrize("state", OPEN)
def test_agree_logs_every_share(escrow, world, signed, stranger, state):
    order = world.in_state(state)
    sums, f = order.sums, order.sums.f
    held = sums.D if state == State.Disputed else sums.P
    rest = held - 9_999
    split = world.split(order, 9_999)
    receipt = escrow.agree(order.terms, split, *signed(order, split), sender=stranger)
    assert escrow.events(receipt) == [
        OrderClosed(
            order_id=order.id,
            outcome=Outcome.Agreed,
            fault=Fault.Nobody,
            to_buyer=9_999 + (sums.E if state == State.Disputed else 0),
            to_seller=rest - f(rest),
            platform_fee=f(rest),
            bond_returned={State.Opened: 0, State.Disputed: sums.b}.get(state, sums.B),
        )
    ]
