"""Row 16: the mediator whose half it is divides the sum in dispute."""

import pytest

from kameng_escrow.domain.events import MediationFeeCredited, OrderClosed, OrderRuled
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import (
    AmountOutOfRange,
    ConflictOfInterest,
    TooEarly,
    TooLate,
    Unauthorized,
    WrongState,
)
from kameng_escrow.domain.states import Fault, Outcome, State
from tests.contracts.harness.world import GROUNDS, NO_MEDIATOR, reverts

D = 30_000_003  # what three of ten units of the usual price are worth

# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("state", [State.Nothing, State.Opened, State.Accepted, State.Delivered, State.Closed])
def test_rule_reverts_in_every_other_state(escrow, world, mediator, state):
    order = world.in_state(state)
    with reverts(WrongState(order.id, state, State.Disputed)):
        escrow.rule(order.terms, 0, GROUNDS, sender=mediator)


def test_rule_reverts_while_the_parties_negotiate(escrow, world, disputed, mediator, backup, warp):
    order = disputed()
    for moment in (world.evm.now, order.mediation - 1):
        warp(moment)
        for account in (mediator, backup):
            with reverts(TooEarly(moment, order.mediation)):
                escrow.rule(order.terms, 0, GROUNDS, sender=account)


def test_rule_reverts_from_the_deadline_on(escrow, disputed, mediator, backup, warp):
    order = disputed()
    for moment in (order.deadline, order.deadline + 1):
        warp(moment)
        for account in (mediator, backup):
            with reverts(TooLate(moment, order.deadline)):
                escrow.rule(order.terms, 0, GROUNDS, sender=account)


@pytest.mark.parametrize("name", ["backup", "buyer", "seller", "platform", "operator", "stranger"])
def test_rule_reverts_in_the_first_half_for_everybody_but_the_mediator(escrow, disputed, mediator, warp, name, request):
    order = disputed()
    other = request.getfixturevalue(name)
    for moment in (order.mediation, order.backup - 1):
        warp(moment)
        with reverts(Unauthorized(other, mediator)):
            escrow.rule(order.terms, 0, GROUNDS, sender=other)


@pytest.mark.parametrize("name", ["mediator", "buyer", "seller", "platform", "operator", "stranger"])
def test_rule_reverts_in_the_second_half_for_everybody_but_the_backup(escrow, disputed, backup, warp, name, request):
    order = disputed()
    other = request.getfixturevalue(name)
    for moment in (order.backup, order.deadline - 1):
        warp(moment)
        with reverts(Unauthorized(other, backup)):
            escrow.rule(order.terms, 0, GROUNDS, sender=other)


def test_rule_reverts_under_a_policy_without_a_mediator(escrow, disputed, make_policy, stranger, warp):
    """Negotiation ends where the deadline is."""
    order = disputed(policy=make_policy(**NO_MEDIATOR))
    assert order.mediation == order.deadline
    warp(order.deadline - 1)
    with reverts(TooEarly(order.deadline - 1, order.deadline)):
        escrow.rule(order.terms, 0, GROUNDS, sender=stranger)
    warp(order.deadline)
    with reverts(TooLate(order.deadline, order.deadline)):
        escrow.rule(order.terms, 0, GROUNDS, sender=stranger)


@pytest.mark.parametrize("party", ["buyer", "seller"])
def test_rule_reverts_where_the_mediator_is_a_party(escrow, disputed, make_policy, warp, party, request):
    account = request.getfixturevalue(party)
    order = disputed(policy=make_policy(mediator=account))
    warp(order.mediation)
    with reverts(ConflictOfInterest(account)):
        escrow.rule(order.terms, 0, GROUNDS, sender=account)


@pytest.mark.parametrize("party", ["buyer", "seller"])
def test_rule_reverts_where_the_backup_is_a_party(escrow, disputed, make_policy, warp, party, request):
    account = request.getfixturevalue(party)
    order = disputed(policy=make_policy(backup_mediator=account))
    warp(order.backup)
    with reverts(ConflictOfInterest(account)):
        escrow.rule(order.terms, 0, GROUNDS, sender=account)


@pytest.mark.parametrize("award", [D + 1, 100_000_007, 2**256 - 1])
def test_rule_reverts_for_more_than_is_in_dispute(escrow, disputed, mediator, warp, award):
    order = disputed()
    warp(order.mediation)
    with reverts(AmountOutOfRange(award, D)):
        escrow.rule(order.terms, award, GROUNDS, sender=mediator)


def test_rule_checks_its_guards_in_order(escrow, disputed, make_policy, buyer, stranger, warp):
    order = disputed(policy=make_policy(mediator=buyer))
    with reverts(TooEarly(order.entered, order.mediation)):
        escrow.rule(order.terms, D + 1, GROUNDS, sender=stranger)
    warp(order.mediation)
    with reverts(Unauthorized(stranger, buyer)):
        escrow.rule(order.terms, D + 1, GROUNDS, sender=stranger)
    with reverts(ConflictOfInterest(buyer)):
        escrow.rule(order.terms, D + 1, GROUNDS, sender=buyer)


# -------------------------------------------------------------------------------------------------------- successes


@pytest.mark.parametrize("award", [0, 1, 10_000_000, D // 2, D // 2 + 1, D - 1, D])
def test_rule_divides_the_sum_and_both_bonds(escrow, world, disputed, coin, mediator, warp, award):
    order = disputed(token=coin)
    warp(order.mediation)
    sums, f = order.sums, order.sums.f
    assert sums.D == D
    to_buyer, earned = sums.Q - sums.S(award), D - award
    bond = sums.S(award) - earned
    assert to_buyer + earned + bond + sums.M == D + sums.E + sums.b  # all that is held
    with world.moves(
        coin,
        {
            "escrow": -(to_buyer + earned - f(earned)),
            "refund_to": to_buyer,
            "pay_to": earned - f(earned),
            "fees": f(earned),
            "bond of seller": bond,
            "credit of mediator": sums.M,
        },
    ):
        escrow.rule(order.terms, award, GROUNDS, sender=mediator)


def test_rule_in_numbers(escrow, world, disputed, coin, mediator, warp):
    """10,000,000 of 30,000,003 to the buyer, under 1.25 % fee, 30 % and 15 % bonds, 3 % mediation fee."""
    order = disputed(token=coin)
    warp(order.mediation)
    with world.moves(
        coin,
        {
            "escrow": -(14_200_000 + 19_750_003),
            "refund_to": 14_200_000,  # a third of 42,600,003, rounded up
            "pay_to": 19_750_003,  # 20,000,003 less the fee
            "fees": 250_000,
            "bond of seller": 8_400_000,  # two thirds of 42,600,003, less the 20,000,003
            "credit of mediator": 900_000,
        },
    ):
        escrow.rule(order.terms, 10_000_000, GROUNDS, sender=mediator)


@pytest.mark.parametrize(
    ("award", "fault"),
    [
        (0, Fault.Buyer),
        (14_999_999, Fault.Buyer),
        (15_000_000, Fault.Nobody),
        (15_000_001, Fault.Seller),
        (30_000_000, Fault.Seller),
    ],
)
def test_rule_finds_fault_with_who_gets_the_smaller_half(escrow, disputed, mediator, warp, award, fault):
    order = disputed(price=100_000_000)
    assert order.sums.D == 30_000_000
    warp(order.mediation)
    escrow.rule(order.terms, award, GROUNDS, sender=mediator)
    assert (order.status.outcome, order.status.fault) == (Outcome.Ruled, fault)


@pytest.mark.parametrize(("award", "fault"), [(D // 2, Fault.Buyer), (D // 2 + 1, Fault.Seller)])
def test_rule_does_not_round_the_half_of_an_odd_sum(escrow, disputed, mediator, warp, award, fault):
    order = disputed()
    warp(order.mediation)
    escrow.rule(order.terms, award, GROUNDS, sender=mediator)
    assert order.status.fault == fault


def test_rule_succeeds_for_the_mediator_in_the_first_half(escrow, disputed, mediator, warp):
    for moment in ("mediation", "backup"):
        order = disputed()
        warp(getattr(order, moment) - (moment == "backup"))
        escrow.rule(order.terms, 0, GROUNDS, sender=mediator)
        assert order.status.outcome == Outcome.Ruled


def test_rule_succeeds_for_the_backup_in_the_second_half(escrow, world, disputed, coin, backup, warp):
    for moment in ("backup", "deadline"):
        order = disputed(token=coin)
        warp(getattr(order, moment) - (moment == "deadline"))
        before = escrow.creditOf(backup, coin)
        escrow.rule(order.terms, 0, GROUNDS, sender=backup)
        assert order.status.outcome == Outcome.Ruled
        assert escrow.creditOf(backup, coin) - before == order.sums.M


def test_rule_leaves_the_whole_window_to_the_mediator_where_there_is_no_backup(
    escrow, disputed, make_policy, mediator, warp
):
    policy = make_policy(backup_mediator=NATIVE)
    for moment, early in (("mediation", 0), ("backup", 1), ("backup", 0), ("deadline", 1)):
        order = disputed(policy=policy)
        warp(getattr(order, moment) - early)
        escrow.rule(order.terms, 0, GROUNDS, sender=mediator)
        assert order.status.outcome == Outcome.Ruled


def test_rule_credits_nobody_where_the_policy_has_no_mediation_fee(
    escrow, world, disputed, make_policy, coin, mediator, warp
):
    order = disputed(token=coin, policy=make_policy(mediation_fee_bps=0))
    warp(order.mediation)
    sums = order.sums
    with world.moves(coin, {"escrow": -(sums.D + sums.E + sums.b), "refund_to": sums.D + sums.E + sums.b}):
        receipt = escrow.rule(order.terms, sums.D, GROUNDS, sender=mediator)
    assert [type(event) for event in escrow.events(receipt)] == [OrderRuled, OrderClosed]


def test_rule_takes_a_mediation_fee_of_the_whole_bonds(escrow, world, disputed, make_policy, coin, mediator, warp):
    """Then the winner gets just what was in dispute."""
    policy = make_policy(seller_bond_bps=5_000, dispute_bond_bps=5_000, mediation_fee_bps=5_000)
    order = disputed(token=coin, policy=policy)
    warp(order.mediation)
    sums = order.sums
    assert sums.E == sums.b == sums.M
    with world.moves(
        coin,
        {"escrow": -(sums.D + sums.E), "refund_to": sums.D + sums.E, "credit of mediator": sums.M},
    ):
        escrow.rule(order.terms, sums.D, GROUNDS, sender=mediator)


@pytest.mark.parametrize("award", [0, 2**126, 2**127 - 1])
def test_rule_divides_the_largest_sum_there_is(escrow, world, disputed, make_policy, token, mediator, warp, award):
    policy = make_policy(seller_bond_bps=5_000, dispute_bond_bps=5_000, mediation_fee_bps=0)
    price = 2**127 - 1
    for account in (world.make_terms().buyer, world.make_terms().seller):
        token.mint(account, 2 * price, sender=account)
    order = disputed(policy=policy, token=token.address, price=price, units=1, k=1)
    warp(order.mediation)
    sums, earned = order.sums, price - award
    with world.moves(
        token.address,
        {
            "escrow": -(sums.Q - sums.S(award) + earned - sums.f(earned)),
            "refund_to": sums.Q - sums.S(award),
            "pay_to": earned - sums.f(earned),
            "fees": sums.f(earned),
            "bond of seller": sums.S(award) - earned,
        },
    ):
        escrow.rule(order.terms, award, GROUNDS, sender=mediator)


@pytest.mark.parametrize("award", [0, 1])
def test_rule_divides_a_single_base_unit(escrow, world, disputed, coin, mediator, warp, award):
    order = disputed(token=coin, price=1, units=1, k=1)
    warp(order.mediation)
    winner = "refund_to" if award else "pay_to"
    with world.moves(coin, {"escrow": -1, winner: 1}):
        escrow.rule(order.terms, award, GROUNDS, sender=mediator)


def test_rule_closes_the_order(escrow, world, disputed, mediator, warp):
    order = disputed()
    warp(order.mediation + 17)
    escrow.rule(order.terms, 1, GROUNDS, sender=mediator)
    status = order.status
    assert (status.state, status.deadline, status.disputed_units) == (State.Closed, world.evm.now, 3)


# ----------------------------------------------------------------------------------------------------------- events


def test_rule_logs_the_award_the_fee_and_every_share(escrow, disputed, coin, mediator, warp):
    order = disputed(token=coin)
    warp(order.mediation)
    award = 10_000_000
    sums, earned = order.sums, D - award
    receipt = escrow.rule(order.terms, award, GROUNDS, sender=mediator)
    assert escrow.events(receipt) == [
        OrderRuled(order_id=order.id, mediator=mediator, to_buyer=award, grounds=GROUNDS),
        MediationFeeCredited(order_id=order.id, mediator=mediator, token=coin, fee=sums.M),
        OrderClosed(
            order_id=order.id,
            outcome=Outcome.Ruled,
            fault=Fault.Buyer,
            to_buyer=sums.Q - sums.S(award),
            to_seller=earned - sums.f(earned),
            platform_fee=sums.f(earned),
            bond_returned=sums.S(award) - earned,
        ),
    ]
