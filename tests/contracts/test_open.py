"""Row 1: a payer opens an order, and the seller has the accept window to take it on."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.events import OrderOpened
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import (
    InvalidAddress,
    PolicyIsRetired,
    PolicyNotEffective,
    PolicyReviewOverdue,
    PolicyUnknown,
    PriceOutOfRange,
    PullFailed,
    TokenHasNoCode,
    TooLate,
    UnitsOutOfRange,
    WrongState,
    WrongValue,
)
from kameng_escrow.domain.reverts import RevertedSilently
from kameng_escrow.domain.states import Fault, Outcome, State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.signing import digest
from tests.contracts.harness.world import POLICY, PRICE, reverts

MAX_PRICE = 2**127 - 1
STARTED = [State.Opened, State.Accepted, State.Delivered, State.Disputed, State.Closed]


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("state", STARTED)
def test_open_reverts_for_an_id_that_was_opened_before(escrow, world, buyer, state):
    order = world.in_state(state)
    with reverts(WrongState(order.id, state, State.Nothing)):
        escrow.open(order.terms, sender=buyer, value=PRICE)


def test_open_reverts_without_a_buyer(escrow, world, payer):
    order = world.order(buyer=NATIVE)
    with reverts(InvalidAddress(NATIVE)):
        escrow.open(order.terms, sender=payer, value=PRICE)


def test_open_reverts_where_the_buyer_is_the_seller(escrow, world, buyer):
    order = world.order(seller=buyer)
    with reverts(InvalidAddress(buyer)):
        escrow.open(order.terms, sender=buyer, value=PRICE)


def test_open_reverts_without_a_seller(escrow, world, buyer):
    order = world.order(seller=NATIVE)
    with reverts(InvalidAddress(NATIVE)):
        escrow.open(order.terms, sender=buyer, value=PRICE)


@pytest.mark.parametrize("receiver", ["refund_to", "pay_to"])
def test_open_reverts_where_money_would_go_to_nobody_the_escrow_or_the_token(escrow, world, token, buyer, receiver):
    for nobody in (NATIVE, escrow.address, token.address):
        order = world.order(token=token.address, **{receiver: nobody})
        with reverts(InvalidAddress(nobody)):
            escrow.open(order.terms, sender=buyer)


@pytest.mark.parametrize("price", [0, MAX_PRICE + 1, 2**128 - 1])
def test_open_reverts_for_a_price_out_of_range(escrow, world, token, buyer, price):
    order = world.order(token=token.address, price=price)
    with reverts(PriceOutOfRange(price, MAX_PRICE)):
        escrow.open(order.terms, sender=buyer)


def test_open_reverts_without_units(escrow, world, buyer):
    order = world.order(units=0)
    with reverts(UnitsOutOfRange(0, 65_535)):
        escrow.open(order.terms, sender=buyer, value=PRICE)


def test_open_reverts_after_open_by(escrow, world, buyer, warp):
    order = world.order()
    for late in (1, 2, 1_000_000):
        warp(order.terms.open_by + late)
        with reverts(TooLate(world.evm.now, order.terms.open_by + 1)):
            escrow.open(order.terms, sender=buyer, value=PRICE)


def test_open_reverts_under_an_unknown_policy(escrow, world, buyer):
    terms = world.make_terms()  # under a policy that nobody registered
    with reverts(PolicyUnknown(terms.policy_id)):
        escrow.open(terms, sender=buyer, value=PRICE)


def test_open_reverts_under_a_retired_policy(escrow, world, buyer, platform):
    order = world.order()
    escrow.retirePolicy(order.terms.policy_id, sender=platform)
    with reverts(PolicyIsRetired(order.terms.policy_id)):
        escrow.open(order.terms, sender=buyer, value=PRICE)


def test_open_reverts_before_the_policy_is_effective(escrow, world, make_policy, buyer, warp):
    start = world.evm.now + 3_600
    order = world.order(policy=make_policy(effective_from=start))
    for early in (3_600, 1):
        warp(start - early)
        with reverts(PolicyNotEffective(world.evm.now, start)):
            escrow.open(order.terms, sender=buyer, value=PRICE)


def test_open_reverts_once_the_review_is_overdue(escrow, world, buyer, platform, warp):
    review_by = world.evm.now + 3_600
    policy = replace(POLICY, platform_fee_bps=1)
    escrow.registerPolicy(policy, review_by, sender=platform)
    terms = world.make_terms(policy=policy)
    for late in (1, 3_600):
        warp(review_by + late)
        with reverts(PolicyReviewOverdue(world.evm.now, review_by)):
            escrow.open(terms, sender=buyer, value=PRICE)


@pytest.mark.parametrize("value", [0, PRICE - 1, PRICE + 1])
def test_open_reverts_for_another_value_than_the_price(escrow, world, buyer, value):
    order = world.order()
    with reverts(WrongValue(value, PRICE)):
        escrow.open(order.terms, sender=buyer, value=value)


def test_open_reverts_for_value_beside_a_token(escrow, world, token, buyer):
    order = world.order(token=token.address)
    with reverts(WrongValue(1, 0)):
        escrow.open(order.terms, sender=buyer, value=1)


def test_open_reverts_for_a_token_without_code(escrow, world, buyer, stranger):
    order = world.order(token=stranger)
    with reverts(TokenHasNoCode(stranger)):
        escrow.open(order.terms, sender=buyer)


def test_open_reverts_where_the_payer_allows_too_little(escrow, world, token, buyer):
    order = world.order(token=token.address)
    token.approve(escrow.address, PRICE - 1, sender=buyer)
    with reverts(PullFailed(token.address, buyer, PRICE)):
        escrow.open(order.terms, sender=buyer)


def test_open_reverts_where_the_payer_has_too_little(escrow, world, token, buyer, stranger):
    order = world.order(token=token.address)
    token.transfer(stranger, token.balanceOf(buyer) - PRICE + 1, sender=buyer)
    with reverts(PullFailed(token.address, buyer, PRICE)):
        escrow.open(order.terms, sender=buyer)


def test_open_never_takes_from_the_buyer_what_another_pays(escrow, world, token, buyer, payer):
    order = world.order(token=token.address)
    token.approve(escrow.address, 0, sender=payer)
    with reverts(PullFailed(token.address, payer, PRICE)):
        escrow.open(order.terms, sender=payer)


def test_open_checks_its_guards_in_order(escrow, world, token, buyer, warp):
    """Everything is wrong at first; each step puts one thing right."""
    late = world.evm.now - 1
    wrong = world.make_terms(
        policy=POLICY,
        buyer=NATIVE,
        seller=NATIVE,
        refund_to=NATIVE,
        token=token.address,
        price=0,
        units=0,
        open_by=late,
    )
    token.approve(escrow.address, 0, sender=buyer)
    steps = [
        ({}, InvalidAddress(NATIVE)),
        ({"buyer": buyer}, InvalidAddress(NATIVE)),
        ({"seller": world.make_terms().seller}, InvalidAddress(NATIVE)),
        ({"refund_to": buyer}, PriceOutOfRange(0, MAX_PRICE)),
        ({"price": PRICE}, UnitsOutOfRange(0, 65_535)),
        ({"units": 1}, TooLate(world.evm.now, late + 1)),
        ({"open_by": world.evm.now}, PolicyUnknown(wrong.policy_id)),
    ]
    for change, refusal in steps:
        wrong = replace(wrong, **change)
        with reverts(refusal):
            escrow.open(wrong, sender=buyer, value=1)
    world.make_policy()
    with reverts(WrongValue(1, 0)):
        escrow.open(wrong, sender=buyer, value=1)
    with reverts(PullFailed(token.address, buyer, PRICE)):
        escrow.open(wrong, sender=buyer)
    token.approve(escrow.address, PRICE, sender=buyer)
    escrow.open(wrong, sender=buyer)
    with reverts(WrongState(world.escrow.toId(wrong), State.Opened, State.Nothing)):
        escrow.open(wrong, sender=buyer, value=1)


PADDED_FROM = {"address": 160, "uint128": 128, "uint16": 16, "uint40": 40}  # the first bit above the value


@pytest.mark.parametrize("field", ["buyer", "refundTo", "seller", "payTo", "token", "price", "units", "openBy"])
def test_open_reverts_for_terms_with_dirty_padding(escrow, world, evm, buyer, field):
    """Such terms hash to an id of their own; if they could be opened, wallets would show another order than the one
    signed. Of the padding, the bit next to the value and the one farthest from it."""
    order = world.order()
    [terms] = [entry["inputs"][0] for entry in escrow.abi if entry.get("name") == "open"]
    index = [part["name"] for part in terms["components"]].index(field)
    for bit in (PADDED_FROM[terms["components"][index]["type"]], 255):
        data = bytearray(escrow.data("open", order.terms))
        data[4 + 32 * index + 31 - bit // 8] |= 1 << bit % 8
        with reverts(RevertedSilently()):
            evm.transact(sender=buyer, to=escrow.address, data=bytes(data), value=PRICE)


# -------------------------------------------------------------------------------------------------------- successes


def test_open_holds_exactly_the_price(escrow, world, coin, buyer):
    order = world.order(token=coin)
    with world.moves(coin, {"buyer": -PRICE, "escrow": PRICE}):
        escrow.open(order.terms, sender=buyer, value=world.value(order.terms))


def test_open_takes_the_price_from_whoever_pays(escrow, world, coin, payer):
    order = world.order(token=coin)
    with world.moves(coin, {"payer": -PRICE, "escrow": PRICE}):
        escrow.open(order.terms, sender=payer, value=world.value(order.terms))


def test_open_starts_the_accept_window(escrow, world, buyer):
    order = world.order()
    escrow.open(order.terms, sender=buyer, value=PRICE)
    status = order.status
    assert status.state == State.Opened
    assert status.deadline == world.evm.now + POLICY.accept_window
    assert (status.outcome, status.fault) == (Outcome.Nothing, Fault.Nobody)
    assert (status.disputed_units, status.revision) == (0, 0)


def test_open_returns_the_id(escrow, world, buyer):
    order = world.order()
    receipt = escrow.open(order.terms, sender=buyer, value=PRICE)
    assert escrow.returned("open", receipt) == order.id


@pytest.mark.parametrize("price", [1, MAX_PRICE])
@pytest.mark.parametrize("units", [1, 65_535])
def test_open_takes_the_smallest_and_the_largest_numbers(escrow, world, token, buyer, price, units):
    order = world.order(token=token.address, price=price, units=units)
    token.mint(buyer, price, sender=buyer)
    with world.moves(token.address, {"buyer": -price, "escrow": price}):
        escrow.open(order.terms, sender=buyer)


def test_open_succeeds_in_the_second_of_open_by(escrow, world, buyer, warp):
    for early in (1, 0):
        order = world.order(open_by=world.evm.now + 100)
        warp(order.terms.open_by - early)
        escrow.open(order.terms, sender=buyer, value=PRICE)
        assert order.status.state == State.Opened


def test_open_succeeds_from_the_second_in_which_the_policy_is_effective(escrow, world, make_policy, buyer, warp):
    start = world.evm.now + 3_600
    for late in (0, 1):
        warp(start + late)
        order = world.order(policy=make_policy(effective_from=start))
        escrow.open(order.terms, sender=buyer, value=PRICE)
        assert order.status.state == State.Opened


def test_open_succeeds_in_the_second_of_review_by(escrow, world, buyer, platform, warp):
    review_by = world.evm.now + 3_600
    policy = replace(POLICY, platform_fee_bps=1)
    escrow.registerPolicy(policy, review_by, sender=platform)
    for early in (1, 0):
        warp(review_by - early)
        terms = world.make_terms(policy=policy)
        escrow.open(terms, sender=buyer, value=PRICE)


def test_open_keeps_the_revision_that_the_seller_raised_before(escrow, world, buyer, seller):
    order = world.order()
    escrow.revise(order.terms, 0, sender=seller)
    escrow.revise(order.terms, 1, sender=seller)
    escrow.open(order.terms, sender=buyer, value=PRICE)
    assert order.status.revision == 2


def test_open_takes_money_back_to_the_parties_themselves(escrow, world, coin, buyer, seller):
    order = world.order(token=coin, refund_to=buyer, pay_to=seller)
    escrow.open(order.terms, sender=buyer, value=world.value(order.terms))
    with world.moves(coin, {"escrow": -PRICE, "buyer": PRICE}):
        escrow.cancel(order.terms, State.Opened, sender=buyer)


# ----------------------------------------------------------------------------------------------------------- the id


def test_the_id_is_the_digest_that_a_wallet_signs(escrow, world):
    terms = world.make_terms(price=2**127 - 1, units=65_535, open_by=2**40 - 1)
    assert escrow.toId(terms) == digest(world.typed_data.terms(terms))


def test_the_id_binds_every_field(escrow, world, stranger):
    terms = world.make_terms()
    others = [
        replace(terms, **change)
        for change in (
            *({name: stranger} for name in ("buyer", "refund_to", "seller", "pay_to", "token")),
            {"price": terms.price + 1},
            {"units": terms.units + 1},
            {"open_by": terms.open_by + 1},
            *({name: "0x" + "77" * 32} for name in ("policy_id", "listing", "salt")),
        )
    ]
    assert len({escrow.toId(each) for each in (terms, *others)}) == 12


def test_the_id_binds_the_contract(escrow, world, compiled, stranger):
    terms = world.make_terms()
    other = deploy(world.evm, compiled("KamengEscrow"), sender=stranger)
    assert other.toId(terms) != escrow.toId(terms)


def test_the_id_binds_the_chain_at_deployment_and_survives_a_change_of_its_id(escrow, world, compiled, stranger):
    terms = world.make_terms()
    before = escrow.toId(terms)
    world.evm.chain_id += 1
    assert escrow.toId(terms) == before
    other = deploy(world.evm, compiled("KamengEscrow"), sender=stranger)
    assert other.toId(terms) != before


# ------------------------------------------------------------------------------------------------------------ events


def test_open_logs_the_terms_the_payer_and_the_state(escrow, world, coin, payer):
    order = world.order(token=coin)
    receipt = escrow.open(order.terms, sender=payer, value=world.value(order.terms))
    assert escrow.events(receipt) == [
        OrderOpened(order_id=order.id, terms=order.terms, payer=payer, state=State.Opened)
    ]
