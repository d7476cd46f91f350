"""The cart: several orders in one transaction, all or none, and nothing stays behind."""

import pytest
from eth_account.messages import encode_typed_data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kameng_escrow.domain.events import OrderOpened
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import (
    BondShort,
    Expired,
    InvalidAddress,
    NothingToPay,
    PullFailed,
    PushFailed,
    ReentrancyGuardReentrantCall,
    TokenHasNoCode,
    TooLate,
    WrongAmountReceived,
    WrongState,
    WrongValue,
)
from kameng_escrow.domain.signed import Offer
from kameng_escrow.domain.states import State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.cast import CAST, KEYS
from tests.contracts.harness.evm import Reverted
from tests.contracts.harness.signing import sign
from tests.contracts.harness.world import MAX_UINT256, PRICE, reverts
from tests.contracts.test_tokens import Mood, Sight, called

NO_OFFER = Offer(expiry=0, signature=b"")
NO_PERMITS: list[tuple] = []


@pytest.fixture
def cart(world, compiled):
    contract = deploy(world.evm, compiled("KamengCart"), world.escrow.address, sender=CAST["stranger"])
    world.names[contract.address] = "cart"
    world.token.approve(contract.address, MAX_UINT256, sender=CAST["payer"])
    return contract


@pytest.fixture
def trusting(world, cart):
    """`trusting(token)`: everybody has plenty of the token, and the cart everybody's allowance."""

    def make(token):
        world.enrich(token)
        for account in CAST.values():
            token.approve(cart.address, MAX_UINT256, sender=account)
        return token

    return make


@pytest.fixture
def moody(world, compiled, trusting):
    return trusting(deploy(world.evm, compiled("MoodyToken"), sender=CAST["stranger"]))


def waiting(*orders):
    """Items without offers."""
    return [(order.terms, NO_OFFER) for order in orders]


def states(*orders):
    return [State(order.status.state) for order in orders]


# --------------------------------------------------------------------------------------------------------- refusals


def test_an_empty_cart_is_refused(cart, payer):
    with reverts(NothingToPay()):
        cart.open([], NO_PERMITS, sender=payer)


@pytest.mark.parametrize("field", ["buyer", "refund_to", "pay_to"])
def test_terms_that_name_the_cart_are_refused(cart, world, payer, field):
    """It could not act, and what came to it would be nobody's."""
    good, bad = world.order(), world.order(**{field: cart.address})
    with reverts(InvalidAddress(cart.address)):
        cart.open(waiting(good, bad), NO_PERMITS, sender=payer, value=2 * PRICE)


@pytest.mark.parametrize("sent", [0, PRICE, 2 * PRICE - 1, 2 * PRICE + 1])
def test_the_value_is_exactly_what_the_native_orders_take(cart, world, token, payer, sent):
    orders = world.order(), world.order(token=token.address), world.order()
    with reverts(WrongValue(sent, 2 * PRICE)):
        cart.open(waiting(*orders), NO_PERMITS, sender=payer, value=sent)


def test_tokens_alone_take_no_value(cart, world, token, payer):
    with reverts(WrongValue(1, 0)):
        cart.open(waiting(world.order(token=token.address)), NO_PERMITS, sender=payer, value=1)


def test_a_token_without_code_is_refused(cart, world, payer, stranger):
    with reverts(TokenHasNoCode(stranger)):
        cart.open(waiting(world.order(token=stranger)), NO_PERMITS, sender=payer)


def test_it_takes_from_its_caller_only(cart, world, token, payer, stranger):
    """Whose allowance it has is nobody else's to spend."""
    with reverts(PullFailed(token.address, stranger, PRICE)):
        cart.open(waiting(world.order(token=token.address)), NO_PERMITS, sender=stranger)
    assert token.allowance(payer, cart.address) == MAX_UINT256


def test_one_order_that_can_not_be_opened_stops_all(cart, world, token, payer, seller, warp):
    good, late = world.order(token=token.address), world.order(open_by=world.evm.now)
    warp(world.evm.now + 1)
    with world.moves(token.address, {}), reverts(TooLate(world.evm.now, late.terms.open_by + 1)):
        cart.open(waiting(good, late), NO_PERMITS, sender=payer, value=PRICE)
    assert states(good, late) == [State.Nothing, State.Nothing]


def test_the_same_order_twice_is_refused(cart, world, coin, payer):
    order = world.order(token=coin)
    with reverts(WrongState(order.id, State.Opened, State.Nothing)):
        cart.open(waiting(order, order), NO_PERMITS, sender=payer, value=2 * world.value(order.terms))


def test_an_expired_offer_and_a_short_bond_are_told_as_the_escrow_tells_them(cart, world, coin, payer, seller, warp):
    order = world.order(token=coin)
    offer = world.offer(order, expiry=world.evm.now + 60)
    with reverts(BondShort(seller, coin, 0, order.sums.B)):
        cart.open([(order.terms, offer)], NO_PERMITS, sender=payer, value=world.value(order.terms))
    warp(offer.expiry)
    with reverts(Expired(offer.expiry, offer.expiry)):
        cart.open([(order.terms, offer)], NO_PERMITS, sender=payer, value=world.value(order.terms))


def test_coins_sent_to_it_are_refused(cart, evm, payer):
    with pytest.raises(Reverted):
        evm.transact(sender=payer, to=cart.address, value=1)


# -------------------------------------------------------------------------------------------------------- successes


def test_it_opens_orders_in_both_coins_with_and_without_offers(cart, escrow, world, token, payer, stranger):
    native, promised = world.order(), world.order(token=token.address, price=PRICE + 5)
    third = world.order(token=token.address, seller=stranger)
    world.fund_bond(promised)
    items = [
        (native.terms, NO_OFFER),
        (promised.terms, world.offer(promised)),
        (third.terms, NO_OFFER),
    ]
    with world.moves(
        token.address,
        {
            "payer": -2 * PRICE - 5,
            "escrow": 2 * PRICE + 5,
            "bond of seller": -promised.sums.B,
            "payer, native": -PRICE,
            "escrow, native": PRICE,
        },
    ):
        receipt = cart.open(items, NO_PERMITS, sender=payer, value=PRICE)
    assert cart.returned("open", receipt) == [native.id, promised.id, third.id]
    assert escrow.events(receipt) == [
        OrderOpened(order_id=native.id, terms=native.terms, payer=cart.address, state=State.Opened),
        OrderOpened(order_id=promised.id, terms=promised.terms, payer=cart.address, state=State.Accepted),
        OrderOpened(order_id=third.id, terms=third.terms, payer=cart.address, state=State.Opened),
    ]
    assert token.allowance(cart.address, escrow.address) == 0


def test_an_order_from_the_cart_lives_on_as_any_other(cart, escrow, world, coin, payer, buyer):
    order = world.order(token=coin)
    cart.open(waiting(order), NO_PERMITS, sender=payer, value=world.value(order.terms))
    with world.moves(coin, {"escrow": -PRICE, "refund_to": PRICE}):
        escrow.cancel(order.terms, State.Opened, sender=buyer)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    picks=st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 2**126), st.booleans()),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_is_in_it_the_sums_are_right(cart, world, compiled, token, payer, picks):
    """Any mixture of coins, prices and offers."""
    snapshot = world.evm.snapshot()
    try:
        other = deploy(world.evm, compiled("TestToken"), "Other dollar", "OUSD", 18, sender=payer)
        coins = [NATIVE, token.address, other.address]
        for each in (token, other):
            each.mint(payer, 2**130, sender=payer)
            each.approve(cart.address, MAX_UINT256, sender=payer)
            each.mint(CAST["seller"], 2**130, sender=payer)
            each.approve(world.escrow.address, MAX_UINT256, sender=CAST["seller"])
        for name in ("payer", "seller"):
            world.evm.set_balance(CAST[name], 2**130)
        items, sums = [], dict.fromkeys(coins, 0)
        for which, price, promised in picks:
            order = world.order(token=coins[which], price=price)
            if promised:
                world.fund_bond(order)
            items.append((order.terms, world.offer(order) if promised else NO_OFFER))
            sums[coins[which]] += price
        before = {each: (world.balance(each, payer), world.balance(each, world.escrow.address)) for each in coins}
        cart.open(items, NO_PERMITS, sender=payer, value=sums[NATIVE])
        for each in coins:
            paid, held = before[each]
            assert world.balance(each, payer) == paid - sums[each]
            assert world.balance(each, world.escrow.address) == held + sums[each]
            assert world.balance(each, cart.address) == 0
    finally:
        world.evm.restore(snapshot)
        world.policies.clear()


# ---------------------------------------------------------------------------------------------------------- permits


@pytest.fixture
def permitting(world, compiled):
    """A token with EIP-2612, of which the payer has plenty; nobody's allowance is given."""
    token = deploy(world.evm, compiled("AuthorizedToken"), "Permit dollar", "PUSD", 6, sender=CAST["stranger"])
    token.mint(CAST["payer"], 10 * PRICE, sender=CAST["stranger"])
    return token


def permit(world, token, cart, value, deadline, signer=CAST["payer"]):
    fields = "address owner,address spender,uint256 value,uint256 nonce,uint256 deadline"
    types = [dict(zip(("type", "name"), field.split(" "), strict=True)) for field in fields.split(",")]
    message = encode_typed_data(
        {
            "name": "Permit dollar",
            "version": "1",
            "chainId": world.evm.chain_id,
            "verifyingContract": token.address,
        },
        {"Permit": types},
        {
            "owner": signer,
            "spender": cart.address,
            "value": value,
            "nonce": token.nonces(signer),
            "deadline": deadline,
        },
    )
    return (token.address, value, deadline, sign(message, KEYS[signer]))


def test_a_permit_is_as_good_as_an_allowance(cart, world, permitting, payer):
    orders = [world.order(token=permitting.address) for _ in range(3)]
    signed = permit(world, permitting, cart, 3 * PRICE, world.evm.now + 60)
    with world.moves(permitting.address, {"payer": -3 * PRICE, "escrow": 3 * PRICE}):
        cart.open(waiting(*orders), [signed], sender=payer)


def test_a_permit_that_somebody_else_used_first_stops_nothing(cart, world, permitting, payer, stranger):
    order = world.order(token=permitting.address)
    address, value, deadline, signature = permit(world, permitting, cart, PRICE, world.evm.now + 60)
    r, s, v = signature[:32], signature[32:64], signature[64]
    permitting.permit(payer, cart.address, value, deadline, v, r, s, sender=stranger)
    cart.open(waiting(order), [(address, value, deadline, signature)], sender=payer)
    assert states(order) == [State.Opened]


@pytest.mark.parametrize("wrong", ["signer", "expired", "too little", "another spender", "garbage"])
def test_a_bad_permit_leaves_the_allowance_to_decide(cart, world, permitting, payer, stranger, wrong):
    order = world.order(token=permitting.address)
    live = world.evm.now + 60
    bad = {
        "signer": permit(world, permitting, cart, PRICE, live, signer=stranger),
        "expired": permit(world, permitting, cart, PRICE, world.evm.now - 1),
        "too little": permit(world, permitting, cart, PRICE - 1, live),
        "another spender": permit(world, permitting, world.escrow, PRICE, live),
        "garbage": (permitting.address, PRICE, live, b"\x07" * 12),
    }[wrong]
    with reverts(PullFailed(permitting.address, payer, PRICE)):
        cart.open(waiting(order), [bad], sender=payer)
    permitting.approve(cart.address, PRICE, sender=payer)
    if wrong != "too little":  # which would replace the allowance by the smaller one
        cart.open(waiting(order), [bad], sender=payer)
        assert states(order) == [State.Opened]


def test_a_permit_for_what_is_no_token_is_passed_over(cart, world, token, payer, stranger):
    order = world.order(token=token.address)
    permits = [(address, 1, 1, b"\x01" * 65) for address in (stranger, NATIVE, world.escrow.address, cart.address)]
    cart.open(waiting(order), permits, sender=payer)
    assert states(order) == [State.Opened]


# -------------------------------------------------------------------------------------------------------------- zoo


@pytest.mark.parametrize(
    "mood",
    [Mood.Denying, Mood.Refusing, Mood.Reverting, Mood.Short, Mood.Odd, Mood.Burning, Mood.Bombing, Mood.Breaking],
    ids=called,
)
def test_a_token_that_does_not_answer_true_is_refused(cart, world, moody, payer, mood):
    moody.setMoods(mood, Mood.Fair, sender=payer)
    with reverts(PullFailed(moody.address, payer, PRICE)):
        cart.open(waiting(world.order(token=moody.address)), NO_PERMITS, sender=payer)
    assert moody.trueBalanceOf(cart.address) == 0


@pytest.mark.parametrize(
    ("mood", "received"),
    [(Mood.Pretending, 0), (Mood.Skimming, 2 * PRICE - 2 * PRICE // 100), (Mood.Generous, 2 * PRICE + 1)],
    ids=["Pretending", "Skimming", "Generous"],
)
def test_a_token_that_moves_another_amount_is_refused(cart, world, moody, payer, mood, received):
    orders = world.order(token=moody.address), world.order(token=moody.address)
    moody.setMoods(mood, Mood.Fair, sender=payer)
    with reverts(WrongAmountReceived(moody.address, received, 2 * PRICE)):
        cart.open(waiting(*orders), NO_PERMITS, sender=payer)


@pytest.mark.parametrize("sight", list(Sight)[1:], ids=called)
def test_a_token_that_hides_its_balances_is_refused(cart, world, moody, payer, sight):
    moody.setSight(sight, sender=payer)
    with reverts(WrongAmountReceived(moody.address, 0, PRICE)):
        cart.open(waiting(world.order(token=moody.address)), NO_PERMITS, sender=payer)


@pytest.mark.parametrize("mood", [Mood.Silent, Mood.Flooding], ids=called)
def test_a_token_that_answers_oddly_and_moves_is_taken(cart, world, moody, payer, mood):
    order = world.order(token=moody.address)
    moody.setMoods(mood, Mood.Fair, sender=payer)
    cart.open(waiting(order), NO_PERMITS, sender=payer)
    assert states(order) == [State.Opened]


def test_a_token_that_changes_allowances_from_zero_only_is_taken_again_and_again(
    cart, world, compiled, trusting, payer
):
    token = trusting(deploy(world.evm, compiled("ZeroFirstToken"), sender=payer))
    for _ in range(2):
        orders = [world.order(token=token.address) for _ in range(2)]
        cart.open(waiting(*orders), NO_PERMITS, sender=payer)
        assert states(*orders) == [State.Opened, State.Opened]


def test_a_token_that_grants_no_allowance_is_told_as_the_escrow_tells_it(cart, world, compiled, payer):
    token = deploy(world.evm, compiled("GrudgingToken"), sender=payer)
    token.mint(payer, PRICE, sender=payer)
    token.allow(cart.address, PRICE, sender=payer)
    with reverts(PullFailed(token.address, cart.address, PRICE)):
        cart.open(waiting(world.order(token=token.address)), NO_PERMITS, sender=payer)


def test_what_a_token_gives_meanwhile_goes_to_the_caller(cart, world, compiled, trusting, payer):
    """And what was there before stays: it is nobody's."""
    token = trusting(deploy(world.evm, compiled("RebatingToken"), sender=payer))
    token.mint(cart.address, 1_000, sender=payer)
    orders = [world.order(token=token.address) for _ in range(3)]
    with world.moves(token.address, {"payer": -3 * PRICE + 1 + 3, "escrow": 3 * PRICE}):
        cart.open(waiting(*orders), NO_PERMITS, sender=payer)


def test_where_nothing_is_left_nothing_is_sent_back(cart, world, moody, payer):
    """Not even zero, which a token may refuse."""
    order = world.order(token=moody.address)
    moody.setMoods(Mood.Fair, Mood.Reverting, sender=payer)
    cart.open(waiting(order), NO_PERMITS, sender=payer)
    assert states(order) == [State.Opened]


def test_where_what_is_left_can_not_go_back_nothing_is_opened(cart, world, compiled, trusting, payer):
    token = trusting(deploy(world.evm, compiled("RebatingToken"), sender=payer))
    order = world.order(token=token.address)
    token.setStuck(True, sender=payer)
    with reverts(PushFailed(token.address, payer, 1)):
        cart.open(waiting(order), NO_PERMITS, sender=payer)
    assert states(order) == [State.Nothing]


def test_a_token_that_calls_back_gets_nowhere(cart, world, compiled, trusting, payer, stranger):
    """Neither while it is paid in nor while the escrow takes it: it calls at every transfer."""
    token = trusting(deploy(world.evm, compiled("ReenteringToken"), sender=stranger))
    inner = world.order(token=world.token.address)
    world.token.mint(token.address, PRICE, sender=stranger)
    world.token.approve(cart.address, PRICE, sender=token.address)
    token.aim(cart.address, cart.data("open", waiting(inner), NO_PERMITS), sender=stranger)
    order = world.order(token=token.address)
    cart.open(waiting(order), NO_PERMITS, sender=payer)
    assert (token.called(), token.succeeded()) == (True, False)
    assert token.answer()[:4] == ReentrancyGuardReentrantCall.selector()
    assert states(order, inner) == [State.Opened, State.Nothing]
