"""Whatever is done in whatever order, what came to a deposit address is in the order, at refundTo, or still there."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.states import State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.evm import Reverted
from tests.contracts.harness.world import PRICE
from tests.contracts.periphery.deposit_order import DepositOrder

AMOUNTS = st.sampled_from([1, PRICE // 2, PRICE - 1, PRICE, PRICE + 1, 3 * PRICE])
ANYBODY = st.sampled_from(["buyer", "seller", "payer", "stranger", "refund_to"])


class Deposits(RuleBasedStateMachine):
    """Plain transfers of three coins, openings from here and from elsewhere, refunds, sweeps, time."""

    world: object
    deposits: object
    coins: tuple[str, str, str]  # the native coin and two tokens

    @initialize(coin=st.integers(0, 2))
    def start(self, coin):
        world = self.world
        self.order = DepositOrder(
            world,
            self.deposits,
            world.order(policy=world.make_policy(dispute_bond_bps=0, mediation_fee_bps=0), token=self.coins[coin]),
        )
        self.offer = self.order.offer(expiry=self.order.terms.open_by + 60)
        self.expiry = self.order.terms.open_by - 3_600
        self.refund_signature = self.order.sign_refund(self.expiry)
        self.terms_signature = self.order.sign_terms()
        self.received = Counter()
        self.start_of_refund_to = {coin: world.balance(coin, CAST["refund_to"]) for coin in self.coins}
        self.start_of_escrow = {coin: world.balance(coin, world.escrow.address) for coin in self.coins}
        self.paid_elsewhere = False
        self.wanted = False  # the buyer asked for its money back

    def attempt(self, call):
        try:
            call()
        except Reverted:
            return False
        return True

    @rule(coin=st.integers(0, 2), amount=AMOUNTS)
    def transfer(self, coin, amount):
        self.order.receive(amount, self.coins[coin])
        self.received[self.coins[coin]] += amount

    @rule(who=ANYBODY, signed=st.booleans())
    def open(self, who, signed):
        before = self.order.balance()
        signature = self.terms_signature if signed else b""
        done = self.attempt(lambda: self.deposits.open(self.order.terms, signature, sender=CAST[who]))
        assert not done or ((signed or who == "buyer") and before >= PRICE)

    @rule(who=ANYBODY)
    def open_with_offer(self, who):
        self.attempt(lambda: self.deposits.openWithOffer(self.order.terms, self.offer, sender=CAST[who]))

    @rule()
    def open_elsewhere(self):
        terms = self.order.terms
        value = self.world.value(terms)
        if self.attempt(lambda: self.world.escrow.open(terms, sender=CAST["payer"], value=value)):
            self.paid_elsewhere = True

    @rule(who=ANYBODY, signed=st.booleans())
    def refund(self, who, signed):
        signature = self.refund_signature if signed else b""
        done = self.attempt(lambda: self.deposits.refund(self.order.terms, self.expiry, signature, sender=CAST[who]))
        in_time = self.world.evm.now < self.expiry
        assert not done or who == "buyer" or (signed and in_time)
        self.wanted = self.wanted or done

    @rule(who=ANYBODY, coin=st.integers(0, 2))
    def sweep(self, who, coin):
        order, before = self.order, self.order.balance()
        waits = order.state == State.Nothing and self.world.evm.now <= order.terms.open_by
        self.attempt(lambda: self.deposits.sweep(order.terms, self.coins[coin], sender=CAST[who]))
        if waits:
            same = self.coins[coin] == order.terms.token
            assert order.balance() == (min(before, PRICE) if same else before)

    @rule(seconds=st.sampled_from([1, 3_600, 43_200, 86_400]))
    def wait(self, seconds):
        self.world.warp(self.world.evm.now + seconds)

    @invariant()
    def all_is_accounted_for(self):
        world, order = self.world, self.order
        opened_here = order.state != State.Nothing and not self.paid_elsewhere
        for coin in self.coins:
            is_price = coin == order.terms.token
            held = world.balance(coin, world.escrow.address) - self.start_of_escrow[coin]
            assert held == (PRICE if is_price and order.state != State.Nothing else 0)
            at_refund_to = world.balance(coin, CAST["refund_to"]) - self.start_of_refund_to[coin]
            assert at_refund_to >= 0
            spent = PRICE if is_price and opened_here else 0
            assert self.received[coin] == order.balance(coin) + at_refund_to + spent
            assert world.balance(coin, self.deposits.address) == 0

    def teardown(self):
        """In the end anybody brings all of it to refundTo."""
        if not hasattr(self, "order"):
            return
        self.world.warp(max(self.world.evm.now, self.order.terms.open_by + 1))
        for coin in self.coins:
            if self.order.balance(coin):
                self.deposits.sweep(self.order.terms, coin, sender=CAST["stranger"])
            assert self.order.balance(coin) == 0
        self.all_is_accounted_for()


def test_what_came_in_is_in_the_order_at_refund_to_or_still_there(world, deposits, compiled):
    other = deploy(world.evm, compiled("TestToken"), "Other dollar", "OUSD", 18, sender=CAST["stranger"])
    world.enrich(other)
    start = world.evm.snapshot()

    class Machine(Deposits):
        def __init__(self):
            super().__init__()
            world.evm.restore(start)
            world.policies.clear()
            self.world, self.deposits = world, deposits
            self.coins = (NATIVE, world.token.address, other.address)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        ),
    )


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
