"""Anyone ends all that is due at once; neighbours with the same token and receiver share a transfer."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.events import OrderClosed
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.states import Outcome, State
from tests.contracts.harness.abi import deploy
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.world import PRICE

OPEN = [State.Opened, State.Accepted, State.Delivered, State.Disputed]


def transfers(token, receipt, sender):
    """Who got how much of a token from `sender`, in order."""
    return [(event.to, event.value) for event in token.events(receipt) if event.sender == sender]


def test_settle_many_of_nothing_ends_nothing(escrow, keeper):
    assert escrow.returned("settleMany", escrow.settleMany([], sender=keeper)) == 0


def test_settle_many_ends_what_is_due_and_skips_the_rest(escrow, world, keeper, warp):
    orders = [world.in_state(state) for state in State]
    warp(orders[1].deadline)  # Opened has the shortest window
    receipt = escrow.settleMany([order.terms for order in orders], sender=keeper)
    assert escrow.returned("settleMany", receipt) == 1
    assert [order.status.state for order in orders] == [
        State.Nothing,
        State.Closed,
        State.Accepted,
        State.Delivered,
        State.Disputed,
        State.Closed,
    ]
    assert [event.order_id for event in escrow.events(receipt)] == [orders[1].id]


def test_settle_many_skips_the_second_before_the_deadline(escrow, opened, keeper, warp):
    order = opened()
    warp(order.deadline - 1)
    receipt = escrow.settleMany([order.terms], sender=keeper)
    assert escrow.returned("settleMany", receipt) == 0
    assert order.status.state == State.Opened


def test_settle_many_ends_an_order_named_twice_once(escrow, world, opened, keeper, warp):
    order = opened()
    warp(order.deadline)
    with world.moves(NATIVE, {"escrow": -PRICE, "refund_to": PRICE}):
        receipt = escrow.settleMany([order.terms] * 3, sender=keeper)
    assert escrow.returned("settleMany", receipt) == 1


@pytest.mark.parametrize("late", [0, 1])
def test_settle_many_pays_what_settle_would(escrow, world, coin, keeper, warp, late):
    orders = [world.in_state(state, token=coin) for state in OPEN for _ in range(2)]
    warp(max(order.deadline for order in orders) + late)
    snapshot = world.evm.snapshot()
    before = world.books(coin)
    for order in orders:
        escrow.settle(order.terms, sender=keeper)
    after = world.books(coin)
    ends = [order.status for order in orders]
    world.evm.restore(snapshot)
    with world.moves(coin, {name: after[name] - before[name] for name in after}):
        receipt = escrow.settleMany([order.terms for order in orders], sender=keeper)
    assert escrow.returned("settleMany", receipt) == len(orders)
    assert [order.status for order in orders] == ends


def test_settle_many_pays_neighbours_in_one_transfer(escrow, delivered, token, keeper, pay_to, warp):
    orders = [delivered(token=token.address, price=price) for price in (1_000, 20_000, 300_000)]
    warp(max(order.deadline for order in orders))
    receipt = escrow.settleMany([order.terms for order in orders], sender=keeper)
    earned = sum(order.sums.P - order.sums.f(order.sums.P) for order in orders)
    assert transfers(token, receipt, escrow.address) == [(pay_to, earned)]


def test_settle_many_pays_in_the_order_of_the_list(escrow, world, delivered, token, compiled, keeper, pay_to, warp):
    """Another token or receiver between two orders keeps their payments apart."""
    other = deploy(world.evm, compiled("TestToken"), "Other", "O", 18, sender=keeper)
    world.enrich(other)
    policy = world.make_policy(platform_fee_bps=0)
    orders = [
        delivered(token=token.address, price=1, policy=policy),
        delivered(token=token.address, price=2, policy=policy, pay_to=CAST["stranger"]),
        delivered(token=token.address, price=3, policy=policy),
        delivered(token=other.address, price=4, policy=policy),
        delivered(token=token.address, price=5, policy=policy),
        delivered(token=token.address, price=6, policy=policy),
    ]
    warp(max(order.deadline for order in orders))
    receipt = escrow.settleMany([order.terms for order in orders], sender=keeper)
    assert transfers(token, receipt, escrow.address) == [
        (pay_to, 1),
        (CAST["stranger"], 2),
        (pay_to, 3),
        (pay_to, 11),
    ]
    assert transfers(other, receipt, escrow.address) == [(pay_to, 4)]


def test_settle_many_keeps_fees_and_bonds_of_policies_sellers_and_coins_apart(
    escrow, world, delivered, token, make_policy, keeper, warp, seller, stranger
):
    cheap, dear = make_policy(platform_fee_bps=100), make_policy(platform_fee_bps=1_000)
    orders = []
    for policy in (cheap, dear, cheap):
        for coin in (NATIVE, token.address):
            for who in (seller, stranger, seller):
                orders.append(delivered(policy=policy, token=coin, seller=who))
    expected = {}
    for order in orders:
        key = (world.policy_id(order.policy), order.terms.token)
        expected[key] = expected.get(key, 0) + order.sums.f(PRICE)
    warp(max(order.deadline for order in orders))
    escrow.settleMany([order.terms for order in orders], sender=keeper)
    assert {key: escrow.feesOf(*key) for key in expected} == expected
    for coin in (NATIVE, token.address):
        assert escrow.bondOf(seller, coin) == 6 * orders[0].sums.B
        assert escrow.bondOf(stranger, coin) == 3 * orders[0].sums.B


def test_settle_many_keeps_a_fee_and_a_bond_of_one_base_unit(
    escrow, world, delivered, coin, make_policy, keeper, warp, seller
):
    """The least that there is, which rounds to nothing nowhere."""
    policy = make_policy(platform_fee_bps=100, seller_bond_bps=100, mediation_fee_bps=0)
    order = delivered(policy=policy, token=coin, price=100)
    assert (order.sums.f(100), order.sums.B) == (1, 1)
    fees, bond = escrow.feesOf(world.policy_id(policy), coin), escrow.bondOf(seller, coin)
    warp(order.deadline)
    escrow.settleMany([order.terms], sender=keeper)
    assert escrow.feesOf(world.policy_id(policy), coin) == fees + 1
    assert escrow.bondOf(seller, coin) == bond + 1


def test_settle_many_holds_up_nobody_for_one_receiver_that_refuses(
    escrow, world, opened, compiled, keeper, stranger, warp
):
    receiver = deploy(world.evm, compiled("Receiver"), sender=keeper)
    receiver.setMood(1, sender=keeper)
    world.names[receiver.address] = "receiver"
    orders = [opened(), opened(refund_to=receiver.address), opened(refund_to=stranger)]
    warp(orders[0].deadline)
    with world.moves(
        NATIVE, {"escrow": -2 * PRICE, "refund_to": PRICE, "stranger": PRICE, "credit of receiver": PRICE}
    ):
        escrow.settleMany([order.terms for order in orders], sender=keeper)


def test_settle_many_pays_both_sides_of_every_order(escrow, world, disputed, coin, keeper, warp):
    """Two payments an order, and no neighbours alike: as many as there can be."""
    orders = [disputed(token=coin) for _ in range(5)]
    sums = orders[0].sums
    to_buyer, to_seller = sums.D - sums.s + sums.E, sums.s
    warp(max(order.deadline for order in orders))
    moved = {
        "escrow": -5 * (to_buyer + to_seller),
        "refund_to": 5 * to_buyer,
        "pay_to": 5 * to_seller,
        "bond of seller": 5 * sums.b,
    }
    with world.moves(coin, moved):
        receipt = escrow.settleMany([order.terms for order in orders], sender=keeper)
    assert escrow.returned("settleMany", receipt) == 5


def test_settle_many_takes_fifty_orders_at_once(escrow, world, opened, keeper, warp):
    orders = [opened() for _ in range(50)]
    warp(orders[0].deadline)
    with world.moves(NATIVE, {"escrow": -50 * PRICE, "refund_to": 50 * PRICE}):
        receipt = escrow.settleMany([order.terms for order in orders], sender=keeper)
    assert escrow.returned("settleMany", receipt) == 50
    assert receipt.gas_used < 50 * 30_000


def test_settle_many_logs_every_ending(escrow, world, keeper, warp):
    orders = [world.in_state(state) for state in OPEN]
    warp(max(order.deadline for order in orders))
    events = escrow.events(escrow.settleMany([order.terms for order in orders], sender=keeper))
    assert [(type(event), event.order_id, event.outcome) for event in events] == [
        (OrderClosed, order.id, outcome)
        for order, outcome in zip(
            orders, (Outcome.Expired, Outcome.Undelivered, Outcome.Released, Outcome.Defaulted), strict=True
        )
    ]


def test_settle_many_skips_terms_that_were_changed(escrow, opened, keeper, warp):
    """They are another order, which nobody opened."""
    order = opened()
    warp(order.deadline)
    forged = replace(order.terms, refund_to=keeper)
    assert escrow.returned("settleMany", escrow.settleMany([forged], sender=keeper)) == 0
