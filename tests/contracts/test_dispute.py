"""Row 13: the buyer disputes some of the units; the rest is paid at once."""

import pytest

from kameng_escrow.domain.events import OrderDisputed
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import PullFailed, TooLate, Unauthorized, UnitsOutOfRange, WrongState, WrongValue
from kameng_escrow.domain.states import Fault, Outcome, State
from tests.contracts.harness.world import EVIDENCE, POLICY, UNITS, reverts

NOTHING = "0x" + "00" * 32

# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("state", [State.Nothing, State.Opened, State.Accepted, State.Disputed, State.Closed])
def test_dispute_reverts_in_every_other_state(escrow, world, buyer, state):
    order = world.in_state(state)
    with reverts(WrongState(order.id, state, State.Delivered)):
        escrow.dispute(order.terms, 1, EVIDENCE, sender=buyer)


@pytest.mark.parametrize("name", ["seller", "refund_to", "payer", "platform", "mediator", "operator", "stranger"])
def test_dispute_reverts_for_everybody_but_the_buyer(escrow, delivered, buyer, name, request):
    order = delivered()
    other = request.getfixturevalue(name)
    with reverts(Unauthorized(other, buyer)):
        escrow.dispute(order.terms, 1, EVIDENCE, sender=other)


def test_dispute_reverts_from_the_deadline_on(escrow, world, delivered, buyer, warp):
    order = delivered()
    for late in (0, 1, 1_000_000):
        warp(order.deadline + late)
        with reverts(TooLate(world.evm.now, order.deadline)):
            escrow.dispute(order.terms, 1, EVIDENCE, sender=buyer)


@pytest.mark.parametrize("units", [0, UNITS + 1, 65_535])
def test_dispute_reverts_for_no_units_or_more_than_ordered(escrow, delivered, buyer, units):
    order = delivered()
    with reverts(UnitsOutOfRange(units, UNITS)):
        escrow.dispute(order.terms, units, EVIDENCE, sender=buyer)


@pytest.mark.parametrize("wrong", [-4_500_000, -1, 1])
def test_dispute_reverts_for_another_value_than_the_dispute_bond(escrow, delivered, buyer, wrong):
    order = delivered()
    order.k = 3
    with reverts(WrongValue(order.sums.E + wrong, order.sums.E)):
        escrow.dispute(order.terms, 3, EVIDENCE, sender=buyer, value=order.sums.E + wrong)


def test_dispute_reverts_for_value_beside_a_token(escrow, delivered, token, buyer):
    order = delivered(token=token.address)
    with reverts(WrongValue(1, 0)):
        escrow.dispute(order.terms, 3, EVIDENCE, sender=buyer, value=1)


def test_dispute_reverts_where_the_buyer_allows_too_little(escrow, delivered, token, buyer):
    order = delivered(token=token.address)
    order.k = 3
    token.approve(escrow.address, order.sums.E - 1, sender=buyer)
    with reverts(PullFailed(token.address, buyer, order.sums.E)):
        escrow.dispute(order.terms, 3, EVIDENCE, sender=buyer)


def test_dispute_checks_its_guards_in_order(escrow, delivered, buyer, stranger, warp):
    order = delivered()
    with reverts(UnitsOutOfRange(0, UNITS)):
        escrow.dispute(order.terms, 0, EVIDENCE, sender=buyer, value=1)
    warp(order.deadline)
    with reverts(Unauthorized(stranger, buyer)):
        escrow.dispute(order.terms, 0, EVIDENCE, sender=stranger, value=1)
    with reverts(TooLate(order.deadline, order.deadline)):
        escrow.dispute(order.terms, 0, EVIDENCE, sender=buyer, value=1)
    escrow.settle(order.terms, sender=stranger)
    with reverts(WrongState(order.id, State.Closed, State.Delivered)):
        escrow.dispute(order.terms, 0, EVIDENCE, sender=stranger, value=1)


# -------------------------------------------------------------------------------------------------------- successes


@pytest.mark.parametrize("units", [1, 3, UNITS])
def test_dispute_takes_the_bond_and_pays_what_is_not_disputed(escrow, world, delivered, coin, buyer, units):
    order = delivered(token=coin)
    order.k = units
    U, B, b, E, f = order.sums.U, order.sums.B, order.sums.b, order.sums.E, order.sums.f
    with world.moves(
        coin,
        {
            "buyer": -E,
            "escrow": E - (U - f(U)),
            "pay_to": U - f(U),
            "fees": f(U),
            "bond of seller": B - b,
        },
    ):
        escrow.dispute(order.terms, units, EVIDENCE, sender=buyer, value=world.value(order.terms, E))


def test_dispute_of_three_units_of_ten_in_numbers(escrow, world, delivered, coin, buyer):
    order = delivered(token=coin)
    with world.moves(
        coin,
        {
            "buyer": -4_500_000,  # 15 % of the 30,000,003 in dispute
            "escrow": 4_500_000 - 69_125_004,
            "pay_to": 69_125_004,  # 70,000,004 not in dispute, less the fee
            "fees": 875_000,  # 1.25 % of them
            "bond of seller": 21_000_002,  # 30,000,002 held, 9,000,000 still needed
        },
    ):
        escrow.dispute(order.terms, 3, EVIDENCE, sender=buyer, value=world.value(order.terms, 4_500_000))


def test_dispute_of_everything_pays_nobody(escrow, world, delivered, coin, buyer):
    order = delivered(token=coin)
    order.k = UNITS
    E = order.sums.E
    with world.moves(coin, {"buyer": -E, "escrow": E}):
        escrow.dispute(order.terms, UNITS, EVIDENCE, sender=buyer, value=world.value(order.terms, E))


@pytest.mark.parametrize(
    ("price", "units", "disputed"), [(1, 65_535, 1), (1, 1, 1), (7, 3, 1), (2**127 - 1, 65_535, 65_534)]
)
def test_dispute_rounds_what_is_not_disputed_down(escrow, world, delivered, token, buyer, price, units, disputed):
    """So there is always something in dispute, were it one base unit."""
    token.mint(buyer, 2 * price, sender=buyer)
    token.mint(world.make_terms().seller, price, sender=buyer)
    order = delivered(token=token.address, price=price, units=units)
    order.k = disputed
    U, B, b, E, f = order.sums.U, order.sums.B, order.sums.b, order.sums.E, order.sums.f
    assert order.sums.D > 0
    with world.moves(
        token.address,
        {"buyer": -E, "escrow": E - (U - f(U)), "pay_to": U - f(U), "fees": f(U), "bond of seller": B - b},
    ):
        escrow.dispute(order.terms, disputed, EVIDENCE, sender=buyer)


def test_dispute_takes_nothing_where_the_policy_asks_no_bond(escrow, world, delivered, make_policy, coin, buyer):
    order = delivered(token=coin, policy=make_policy(dispute_bond_bps=0, mediation_fee_bps=0))
    if coin != NATIVE:
        world.token.approve(escrow.address, 0, sender=buyer)
    with reverts(WrongValue(1, 0)):
        escrow.dispute(order.terms, UNITS, EVIDENCE, sender=buyer, value=1)
    with world.moves(coin, {}):
        escrow.dispute(order.terms, UNITS, EVIDENCE, sender=buyer)


def test_dispute_starts_negotiation_and_mediation(escrow, delivered, buyer, world, warp):
    order = delivered()
    order.k = 3
    warp(world.evm.now + 17)
    escrow.dispute(order.terms, 3, EVIDENCE, sender=buyer, value=order.sums.E)
    status = order.status
    assert status.state == State.Disputed
    assert status.deadline == world.evm.now + POLICY.negotiate_window + POLICY.mediate_window
    assert status.disputed_units == 3
    assert (status.outcome, status.fault) == (Outcome.Nothing, Fault.Nobody)


def test_dispute_keeps_the_revision(escrow, delivered, buyer, seller):
    order = delivered()
    order.k = 5
    escrow.revise(order.terms, 0, sender=seller)
    escrow.dispute(order.terms, order.k, EVIDENCE, sender=buyer, value=order.sums.E)
    assert order.status.revision == 1
    assert order.status.disputed_units == order.k


def test_dispute_succeeds_until_the_second_before_the_deadline(escrow, delivered, buyer, warp):
    order = delivered()
    order.k = 1
    warp(order.deadline - 1)
    escrow.dispute(order.terms, 1, EVIDENCE, sender=buyer, value=order.sums.E)
    assert order.status.state == State.Disputed


def test_dispute_needs_no_evidence(escrow, delivered, buyer):
    order = delivered()
    order.k = 1
    escrow.dispute(order.terms, 1, NOTHING, sender=buyer, value=order.sums.E)
    assert order.status.state == State.Disputed


# ----------------------------------------------------------------------------------------------------------- events


def test_dispute_logs_the_units_the_evidence_and_every_share(escrow, world, delivered, coin, buyer):
    order = delivered(token=coin)
    order.k = 3
    U, B, b, E, f = order.sums.U, order.sums.B, order.sums.b, order.sums.E, order.sums.f
    receipt = escrow.dispute(order.terms, 3, EVIDENCE, sender=buyer, value=world.value(order.terms, E))
    assert escrow.events(receipt) == [
        OrderDisputed(
            order_id=order.id,
            units=3,
            evidence=EVIDENCE,
            dispute_bond=E,
            to_seller=U - f(U),
            platform_fee=f(U),
            bond_returned=B - b,
        )
    ]
