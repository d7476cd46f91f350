"""Row 16: a party gives in while the mediator is in charge."""

import pytest

from kameng_escrow.domain.events import MediationFeeCredited, OrderClosed
from kameng_escrow.domain.refusals import NoRight, TooEarly, TooLate, Unauthorized, WrongState
from kameng_escrow.domain.states import Fault, Outcome, Right, Role, State
from tests.contracts.harness.world import NO_MEDIATOR, reverts

# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("state", [State.Nothing, State.Opened, State.Accepted, State.Delivered, State.Closed])
def test_concede_reverts_in_every_other_state(escrow, world, buyer, seller, state):
    order = world.in_state(state)
    for role, party in ((Role.Buyer, buyer), (Role.Seller, seller)):
        with reverts(WrongState(order.id, state, State.Disputed)):
            escrow.concede(order.terms, role, sender=party)


@pytest.mark.parametrize("name", ["seller", "refund_to", "mediator", "platform", "operator", "stranger"])
def test_concede_reverts_for_who_is_not_the_buyer(escrow, disputed, buyer, warp, name, request):
    order = disputed()
    warp(order.mediation)
    other = request.getfixturevalue(name)
    with reverts(Unauthorized(other, buyer)):
        escrow.concede(order.terms, Role.Buyer, sender=other)


@pytest.mark.parametrize("name", ["buyer", "pay_to", "mediator", "platform", "operator", "stranger"])
def test_concede_reverts_for_who_is_not_the_seller(escrow, disputed, seller, warp, name, request):
    order = disputed()
    warp(order.mediation)
    other = request.getfixturevalue(name)
    with reverts(Unauthorized(other, seller)):
        escrow.concede(order.terms, Role.Seller, sender=other)


@pytest.mark.parametrize("name", ["buyer", "seller", "operator", "stranger"])
def test_concede_reverts_for_an_operator_without_the_right(escrow, disputed, warp, name, request):
    order = disputed()
    warp(order.mediation)
    other = request.getfixturevalue(name)
    with reverts(NoRight(other, Right.Refund)):
        escrow.concede(order.terms, Role.Operator, sender=other)


def test_concede_reverts_from_the_deadline_on(escrow, disputed, buyer, seller, warp):
    order = disputed()
    for moment in (order.deadline, order.deadline + 1):
        warp(moment)
        for role, party in ((Role.Buyer, buyer), (Role.Seller, seller)):
            with reverts(TooLate(moment, order.deadline)):
                escrow.concede(order.terms, role, sender=party)


def test_concede_reverts_while_the_parties_negotiate(escrow, disputed, buyer, seller, warp):
    """Then confirm and refund do it, without a mediation fee."""
    order = disputed()
    for moment in (order.entered, order.mediation - 1):
        warp(moment)
        for role, party in ((Role.Buyer, buyer), (Role.Seller, seller)):
            with reverts(TooEarly(moment, order.mediation)):
                escrow.concede(order.terms, role, sender=party)


def test_concede_is_never_possible_without_a_mediator(escrow, disputed, make_policy, buyer, warp):
    order = disputed(policy=make_policy(**NO_MEDIATOR))
    warp(order.deadline - 1)
    with reverts(TooEarly(order.deadline - 1, order.deadline)):
        escrow.concede(order.terms, Role.Buyer, sender=buyer)
    warp(order.deadline)
    with reverts(TooLate(order.deadline, order.deadline)):
        escrow.concede(order.terms, Role.Buyer, sender=buyer)


def test_concede_checks_its_guards_in_order(escrow, disputed, buyer, stranger, warp):
    order = disputed()
    with reverts(Unauthorized(stranger, buyer)):
        escrow.concede(order.terms, Role.Buyer, sender=stranger)
    warp(order.deadline)
    with reverts(Unauthorized(stranger, buyer)):
        escrow.concede(order.terms, Role.Buyer, sender=stranger)
    escrow.settle(order.terms, sender=stranger)
    with reverts(WrongState(order.id, State.Closed, State.Disputed)):
        escrow.concede(order.terms, Role.Buyer, sender=stranger)


# -------------------------------------------------------------------------------------------------------- successes


def test_concede_by_the_buyer_gives_the_seller_everything_less_both_fees(escrow, world, disputed, coin, buyer, warp):
    order = disputed(token=coin)
    warp(order.mediation)
    D, E, b, M, f = order.sums.D, order.sums.E, order.sums.b, order.sums.M, order.sums.f
    with world.moves(
        coin,
        {
            "escrow": -(D - f(D)),
            "pay_to": D - f(D),
            "fees": f(D),
            "bond of seller": E + b - M,
            "credit of mediator": M,
        },
    ):
        escrow.concede(order.terms, Role.Buyer, sender=buyer)
    assert (order.status.outcome, order.status.fault) == (Outcome.Conceded, Fault.Buyer)


@pytest.mark.parametrize("role", [Role.Seller, Role.Operator])
def test_concede_by_the_seller_gives_the_buyer_everything_less_the_mediation_fee(
    escrow, world, disputed, coin, seller, operator, warp, role
):
    order = disputed(token=coin)
    world.grant(order.terms, Right.Refund)
    warp(order.mediation)
    D, E, b, M = order.sums.D, order.sums.E, order.sums.b, order.sums.M
    won = D + E + b - M
    with world.moves(coin, {"escrow": -won, "refund_to": won, "credit of mediator": M}):
        escrow.concede(order.terms, role, sender=seller if role == Role.Seller else operator)
    assert (order.status.outcome, order.status.fault) == (Outcome.Conceded, Fault.Seller)


@pytest.mark.parametrize(
    ("moment", "early", "whose"),
    [("mediation", 0, "mediator"), ("backup", 1, "mediator"), ("backup", 0, "backup"), ("deadline", 1, "backup")],
)
def test_concede_credits_the_mediator_whose_half_it_is(escrow, world, disputed, seller, warp, moment, early, whose):
    order = disputed()
    warp(getattr(order, moment) - early)
    sums = order.sums
    with world.moves(order.terms.token, {"escrow": -sums.Q, "refund_to": sums.Q, f"credit of {whose}": sums.M}):
        escrow.concede(order.terms, Role.Seller, sender=seller)


# ----------------------------------------------------------------------------------------------------------- events


def test_concede_logs_the_fee_and_every_share(escrow, disputed, coin, buyer, mediator, warp):
    order = disputed(token=coin)
    warp(order.mediation)
    D, E, b, M, f = order.sums.D, order.sums.E, order.sums.b, order.sums.M, order.sums.f
    receipt = escrow.concede(order.terms, Role.Buyer, sender=buyer)
    assert escrow.events(receipt) == [
        MediationFeeCredited(order_id=order.id, mediator=mediator, token=coin, fee=M),
        OrderClosed(
            order_id=order.id,
            outcome=Outcome.Conceded,
            fault=Fault.Buyer,
            to_buyer=0,
            to_seller=D - f(D),
            platform_fee=f(D),
            bond_returned=E + b - M,
        ),
    ]
