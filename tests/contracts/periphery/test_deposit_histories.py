"""Whatever is done in whatever order, what came to a deposit address is in the order, at refundTo, or still there."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.states import State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.evm import Reverted
from tests.contracts.harness.world import PRICE
from tests.contracts.periphery.deposit_order import DepositOrder

AMOUNTS = st.sampled_from([PRICE, PRICE // 2, 1, PRICE - 1, PRICE + 1, 3 * PRICE])
ANYBODY = st.sampled_from(["buyer", "seller", "payer", "stranger", "refund_to"])
COINS = st.sampled_from([0, 1, 2])
SECONDS = st.sampled_from([1, 60, 3_600, 43_200])
ACTIONS = st.one_of(
    st.tuples(st.just("pay"), AMOUNTS),
    st.tuples(st.just("pay"), AMOUNTS),
    st.tuples(st.just("pay_in_any_coin"), COINS, AMOUNTS),
    st.tuples(st.just("open"), ANYBODY, st.booleans()),
    st.tuples(st.just("open_with_offer"), ANYBODY),
    st.tuples(st.just("refund"), ANYBODY, st.booleans()),
    st.tuples(st.just("sweep"), ANYBODY, COINS),
    st.tuples(st.just("sweep"), ANYBODY, COINS),
    st.tuples(st.just("wait"), SECONDS),
)


class History:
    """One deposit address, paid in three coins, and everything that anybody may do with it."""

    def __init__(self, world, deposits, coins, coin):
        self.world, self.deposits, self.coins = world, deposits, coins
        no_bond = world.make_policy(dispute_bond_bps=0, mediation_fee_bps=0)
        self.order = DepositOrder(world, deposits, world.order(policy=no_bond, token=coins[coin]))
        self.offer = self.order.offer(expiry=self.order.terms.open_by + 60)
        self.expiry = self.order.terms.open_by - 3_600
        self.refund_signature = self.order.sign_refund(self.expiry)
        self.terms_signature = self.order.sign_terms()
        self.received = Counter()
        self.start_of_refund_to = {coin: world.balance(coin, CAST["refund_to"]) for coin in coins}
        self.start_of_escrow = {coin: world.balance(coin, world.escrow.address) for coin in coins}
        self.paid_elsewhere = False

    def attempt(self, call):
        try:
            call()
        except Reverted:
            return False
        return True

    def pay(self, amount):
        self.pay_in_any_coin(self.coins.index(self.order.terms.token), amount)
        return True

    def pay_in_any_coin(self, coin, amount):
        self.order.receive(amount, self.coins[coin])
        self.received[self.coins[coin]] += amount
        return True

    def open(self, who, signed):
        before = self.order.balance()
        signature = self.terms_signature if signed else b""
        done = self.attempt(lambda: self.deposits.open(self.order.terms, signature, sender=CAST[who]))
        assert not done or ((signed or who == "buyer") and before >= PRICE)
        return done

    def open_with_offer(self, who):
        return self.attempt(lambda: self.deposits.openWithOffer(self.order.terms, self.offer, sender=CAST[who]))

    def open_elsewhere(self):
        terms = self.order.terms
        value = self.world.value(terms)
        done = self.attempt(lambda: self.world.escrow.open(terms, sender=CAST["payer"], value=value))
        self.paid_elsewhere |= done
        return done

    def refund(self, who, signed):
        signature = self.refund_signature if signed else b""
        in_time = self.world.evm.now < self.expiry
        done = self.attempt(lambda: self.deposits.refund(self.order.terms, self.expiry, signature, sender=CAST[who]))
        assert not done or who == "buyer" or (signed and in_time)
        return done

    def sweep(self, who, coin):
        order, before = self.order, self.order.balance()
        waits = order.state == State.Nothing and self.world.evm.now <= order.terms.open_by
        done = self.attempt(lambda: self.deposits.sweep(order.terms, self.coins[coin], sender=CAST[who]))
        same = self.coins[coin] == order.terms.token
        assert order.balance() == (before if not same else min(before, PRICE) if waits else 0)
        return done

    def wait(self, seconds):
        self.world.warp(self.world.evm.now + seconds)
        return True

    def check(self):
        """All that came in is accounted for."""
        world, order = self.world, self.order
        opened_here = order.state != State.Nothing and not self.paid_elsewhere
        for coin in self.coins:
            is_price = coin == order.terms.token
            held = world.balance(coin, world.escrow.address) - self.start_of_escrow[coin]
            assert held == (PRICE if is_price and order.state != State.Nothing else 0)
            at_refund_to = world.balance(coin, CAST["refund_to"]) - self.start_of_refund_to[coin]
            spent = PRICE if is_price and opened_here else 0
            assert self.received[coin] == order.balance(coin) + at_refund_to + spent
            assert world.balance(coin, self.deposits.address) == 0

    def end(self):
        """In the end anybody brings all of it to refundTo."""
        self.world.warp(max(self.world.evm.now, self.order.terms.open_by + 1))
        for coin in self.coins:
            if self.order.balance(coin):
                self.deposits.sweep(self.order.terms, coin, sender=CAST["stranger"])
            assert self.order.balance(coin) == 0
        self.check()


def test_what_came_in_is_in_the_order_at_refund_to_or_still_there(world, deposits, compiled):
    other = deploy(world.evm, compiled("TestToken"), "Other dollar", "OUSD", 18, sender=CAST["stranger"])
    world.enrich(other)
    start, done = world.evm.snapshot(), Counter()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        coin=COINS, elsewhere=st.sampled_from([None, None, 3, 9]), actions=st.lists(ACTIONS, min_size=6, max_size=20)
    )
    @example(1, None, [("pay", PRICE), ("open", "stranger", True), ("pay", 1), ("sweep", "seller", 1)])
    @example(0, None, [("pay", 3 * PRICE), ("sweep", "payer", 0), ("open_with_offer", "payer")])
    @example(2, 1, [("pay", PRICE), ("open", "buyer", False), ("refund", "stranger", True)])
    def tell(coin, elsewhere, actions):
        world.evm.restore(start)
        world.policies.clear()
        history = History(world, deposits, (NATIVE, world.token.address, other.address), coin)
        if elsewhere is not None:
            actions = [*actions[:elsewhere], ("open_elsewhere",), *actions[elsewhere:]]
        for name, *arguments in actions:
            done[name] += getattr(history, name)(*arguments)
            history.check()
        history.end()

    tell()
    assert {"open", "open_with_offer", "open_elsewhere", "refund", "sweep"} <= {name for name in done if done[name]}


@pytest.mark.parametrize("payments", [[PRICE], [PRICE // 2, PRICE - PRICE // 2], [2 * PRICE]])
def test_a_whole_story(deposits, world, make_order, coin, stranger, buyer, seller, payments):
    """Paid in parts, opened with an offer, confirmed, what was too much sent back: nobody but the seller gains."""
    order = make_order(token=coin)
    offer = order.offer()
    f = order.order.sums.f
    with world.moves(
        coin,
        {
            "payer": -sum(payments),
            "pay_to": PRICE - f(PRICE),
            "fees": f(PRICE),
            "escrow": f(PRICE),
            "refund_to": sum(payments) - PRICE,
        },
    ):
        for amount in payments:
            order.receive(amount)
        deposits.openWithOffer(order.terms, offer, sender=stranger)
        world.escrow.confirm(order.terms, State.Accepted, sender=buyer)
        if sum(payments) > PRICE:
            deposits.sweep(order.terms, coin, sender=stranger)
