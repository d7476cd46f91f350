"""Bonds, credits, fees, operators and policies through the SDK."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.domain.events import (
    BondFunded,
    BondWithdrawn,
    Credited,
    CreditPaid,
    FeesClaimed,
    OperatorSet,
    OrderClosed,
    OrderOpened,
    PayToRegistered,
    PolicyRegistered,
    PolicyRetired,
    PolicyReviewed,
)
from kameng_escrow.domain.inputs import MalformedAddress, NumberOutOfRange, WrongType
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.policy import MAX_REVIEW_PERIOD
from kameng_escrow.domain.refusals import (
    BondShort,
    NoRight,
    NothingToPay,
    PayToNotRegistered,
    PolicyExists,
    PolicyIsRetired,
    PolicyOutOfBounds,
    PolicyUnknown,
    PriceAboveGrant,
    PushFailed,
    Unauthorized,
    UnknownRights,
)
from kameng_escrow.domain.signed import OperatorGrant
from kameng_escrow.domain.states import Outcome, PolicyField, Right, State
from kameng_escrow.domain.typed_data import policy_id

from .sdk_cast import COMMITMENT, DAY, PRICE, Cast, call_contract

pytestmark = pytest.mark.usefixtures("cast")


@pytest.fixture(params=["native", "token"])
def coin(request: pytest.FixtureRequest, cast: Cast) -> str:
    return NATIVE if request.param == "native" else cast.token


# ---------------------------------------------------------------------------------------------------------------- bonds


def test_a_bond_is_funded_and_withdrawn(cast: Cast, coin: str) -> None:
    before = cast.seller.bond(token=coin)
    funded = cast.seller.fund_bond(amount=1_000, token=coin).event(BondFunded)
    assert (funded.seller, funded.sender, funded.token, funded.amount) == (
        cast.seller.address,
        cast.seller.address,
        coin,
        1_000,
    )
    assert cast.seller.bond(token=coin) == before + 1_000
    had = cast.stranger.balance(token=coin)
    withdrawn = cast.seller.withdraw_bond(amount=400, token=coin, to=cast.stranger.address).event(BondWithdrawn)
    assert withdrawn.to == cast.stranger.address
    assert cast.stranger.balance(token=coin) == had + 400
    assert cast.reader.bond(seller=cast.seller.address, token=coin) == before + 600


def test_anybody_funds_a_sellers_bond(cast: Cast) -> None:
    before = cast.seller.bond(token=cast.token)
    cast.stranger.fund_bond(amount=5, token=cast.token, seller=cast.seller.address.lower())
    assert cast.seller.bond(token=cast.token) == before + 5
    assert cast.stranger.allowance(cast.token) == 0


def test_no_more_than_is_free_is_withdrawn(cast: Cast, coin: str) -> None:
    free = cast.seller.bond(token=coin)
    with pytest.raises(BondShort) as refused:
        cast.seller.withdraw_bond(amount=free + 1, token=coin)
    assert refused.value == BondShort(cast.seller.address, coin, free, free + 1)


@pytest.mark.parametrize(("amount", "error"), [(0, NothingToPay), (-1, NumberOutOfRange), (1.0, WrongType)])
def test_amounts_are_whole_and_positive(cast: Cast, coin: str, amount: Any, error: type[Exception]) -> None:
    for act in (cast.seller.fund_bond, cast.seller.withdraw_bond):
        with pytest.raises(error):
            act(amount=amount, token=coin)


# -------------------------------------------------------------------------------------------------------------- credits


def test_who_refuses_money_is_credited_and_paid_later(cast: Cast, compiled: Callable[[str], Artifact]) -> None:
    terms = cast.order(State.Delivered, token=cast.token)
    blocking = compiled("BlockingToken")
    call_contract(cast.node, cast.token, blocking, "setBlocked", cast.seller.address, True)
    closed = cast.buyer.confirm(terms)
    owed = closed.event(OrderClosed).to_seller
    assert closed.event(Credited) == Credited(account=cast.seller.address, token=cast.token, amount=owed)
    assert cast.reader.credit(account=cast.seller.address, token=cast.token) == owed
    with pytest.raises(PushFailed):
        cast.stranger.pay_credit(account=cast.seller.address, token=cast.token)
    before = cast.operator.balance(token=cast.token)
    paid = cast.seller.withdraw_credit(token=cast.token, to=cast.operator.address).event(CreditPaid)
    assert (paid.account, paid.to, paid.amount) == (cast.seller.address, cast.operator.address, owed)
    assert cast.operator.balance(token=cast.token) == before + owed
    assert cast.seller.credit(token=cast.token) == 0


def test_nothing_owed_is_nothing_paid(cast: Cast, coin: str) -> None:
    with pytest.raises(NothingToPay):
        cast.seller.withdraw_credit(token=coin)
    with pytest.raises(NothingToPay):
        cast.stranger.pay_credit(account=cast.seller.address, token=coin)


# ----------------------------------------------------------------------------------------------------------------- fees


def test_fees_are_claimed_for_the_platform(cast: Cast, coin: str) -> None:
    cast.buyer.confirm(cast.order(State.Delivered, token=coin))
    fee = PRICE * 125 // 10_000
    assert cast.reader.fees(cast.policy_id, token=coin) == fee
    before = cast.platform.balance(token=coin)
    claimed = cast.stranger.claim_fees(cast.policy_id.upper().replace("X", "x"), token=coin).event(FeesClaimed)
    assert (claimed.receiver, claimed.amount) == (cast.platform.address, fee)
    assert cast.platform.balance(token=coin) == before + fee
    with pytest.raises(NothingToPay):
        cast.stranger.claim_fees(cast.policy_id, token=coin)
    with pytest.raises(PolicyUnknown):
        cast.stranger.claim_fees("0x" + "11" * 32, token=coin)


# ------------------------------------------------------------------------------------------------------------ operators


def grant(cast: Cast, rights: int, **overrides: Any) -> OperatorGrant:
    return OperatorGrant(**{"rights": rights, "expiry": cast.node.now() + DAY, "max_price": PRICE} | overrides)


def test_an_operator_acts_within_its_grant(cast: Cast) -> None:
    given = grant(cast, Right.Accept | Right.Deliver)
    event = cast.seller.set_operator(cast.operator.address, policy_id=cast.policy_id, grant=given).event(OperatorSet)
    assert (event.operator, event.rights, event.max_price) == (cast.operator.address, 3, PRICE)
    assert cast.seller.operator(cast.operator.address, policy_id=cast.policy_id) == given
    assert cast.reader.operator(cast.operator.address, policy_id=cast.policy_id, seller=cast.seller.address) == given
    terms = cast.order()
    cast.operator.accept(terms)
    with pytest.raises(NoRight) as refused:
        cast.operator.decline(terms)
    assert refused.value == NoRight(cast.operator.address, Right.Decline)
    cast.operator.deliver(terms, commitment=COMMITMENT)
    cast.seller.set_operator(
        cast.operator.address, policy_id=cast.policy_id, grant=OperatorGrant(rights=0, expiry=0, max_price=0)
    )
    with pytest.raises(NoRight):
        cast.operator.accept(cast.order())


def test_an_operator_promises_within_its_grant(cast: Cast) -> None:
    cast.seller.set_operator(cast.operator.address, policy_id=cast.policy_id, grant=grant(cast, Right.Accept))
    terms = cast.terms()
    offer = cast.operator.sign_offer(terms, expiry=cast.node.now() + 60)
    assert offer.operator == cast.operator.address
    assert cast.buyer.open(terms, offer=offer).event(OrderOpened).state is State.Accepted


def test_an_operator_stays_below_its_price_and_pays_the_registered_address(cast: Cast) -> None:
    cast.seller.set_operator(cast.operator.address, policy_id=cast.policy_id, grant=grant(cast, Right.Accept))
    with pytest.raises(PriceAboveGrant):
        cast.operator.accept(cast.order(price=PRICE + 1))
    elsewhere = cast.order(pay_to=cast.stranger.address)
    with pytest.raises(PayToNotRegistered):
        cast.operator.accept(elsewhere)
    registered = cast.seller.register_pay_to(cast.stranger.address).event(PayToRegistered)
    assert registered.pay_to == cast.stranger.address
    assert cast.reader.pay_to(seller=cast.seller.address) == cast.seller.pay_to() == cast.stranger.address
    cast.operator.accept(elsewhere)


def test_an_operator_gives_in_for_the_seller(cast: Cast) -> None:
    cast.seller.set_operator(cast.operator.address, policy_id=cast.policy_id, grant=grant(cast, Right.Refund))
    terms = cast.order(State.Disputed)
    cast.to_mediation(terms)
    assert cast.operator.concede(terms).event(OrderClosed).outcome is Outcome.Conceded


def test_rights_that_are_none_are_refused(cast: Cast) -> None:
    with pytest.raises(UnknownRights) as refused:
        cast.seller.set_operator(cast.operator.address, policy_id=cast.policy_id, grant=grant(cast, 16))
    assert refused.value == UnknownRights(16, 15)
    with pytest.raises(NumberOutOfRange):
        cast.seller.set_operator(cast.operator.address, policy_id=cast.policy_id, grant=grant(cast, 256))
    with pytest.raises(MalformedAddress):
        cast.seller.set_operator("operator", policy_id=cast.policy_id, grant=grant(cast, 1))


# ------------------------------------------------------------------------------------------------------------- policies


def test_a_policy_is_registered_reviewed_and_retired(cast: Cast) -> None:
    policy = replace(cast.policy, platform_fee_bps=7)
    until = cast.node.now() + DAY
    registered = cast.platform.register_policy(policy, review_by=until)
    identity = policy_id(policy)
    assert registered.policy_id == identity
    assert registered.event(PolicyRegistered) == PolicyRegistered(
        policy_id=identity, platform=cast.platform.address, policy=policy, review_by=until
    )
    found = cast.reader.policy(identity)
    assert (found.policy, found.review_by, found.retired) == (policy, until, False)
    reviewed = cast.platform.review_policy(identity, review_by=until + 5)
    assert (reviewed.policy_id, reviewed.event(PolicyReviewed).review_by) == (identity, until + 5)
    assert cast.platform.retire_policy(identity).event(PolicyRetired).policy_id == identity
    assert cast.reader.policy(identity).retired
    with pytest.raises(PolicyIsRetired):
        cast.buyer.open(cast.terms(policy_id=identity))


def test_without_a_date_a_policy_serves_as_long_as_the_contract_lets_it(cast: Cast) -> None:
    now = cast.node.now()
    registered = cast.platform.register_policy(replace(cast.policy, platform_fee_bps=8))
    assert registered.event(PolicyRegistered).review_by == now + MAX_REVIEW_PERIOD
    cast.node.warp(now + DAY)
    assert cast.platform.review_policy(registered.policy_id).event(PolicyReviewed).review_by == (
        now + DAY + MAX_REVIEW_PERIOD
    )


def test_a_policy_is_its_platforms_and_stays_as_it_is(cast: Cast) -> None:
    with pytest.raises(PolicyExists):
        cast.platform.register_policy(cast.policy)
    with pytest.raises(Unauthorized) as refused:
        cast.stranger.register_policy(replace(cast.policy, platform_fee_bps=9))
    assert refused.value == Unauthorized(cast.stranger.address, cast.platform.address)
    with pytest.raises(Unauthorized):
        cast.stranger.retire_policy(cast.policy_id)


def test_a_policy_keeps_its_bounds(cast: Cast) -> None:
    with pytest.raises(PolicyOutOfBounds) as refused:
        cast.platform.register_policy(replace(cast.policy, accept_window=60))
    assert refused.value.field is PolicyField.AcceptWindow
    with pytest.raises(NumberOutOfRange):
        cast.platform.register_policy(replace(cast.policy, accept_window=2**32))


def test_a_policy_that_nobody_registered_is_unknown(cast: Cast) -> None:
    for ask in (cast.reader.policy, cast.platform.retire_policy, cast.platform.review_policy):
        with pytest.raises(PolicyUnknown):
            ask("0x" + "11" * 32)
