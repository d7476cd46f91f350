"""What automation networks ask, and what they then do: settle what is due, pass over the rest."""

import pytest
from eth_abi import decode, encode

from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import InsufficientGas
from kameng_escrow.domain.states import Outcome, State
from tests.contracts.harness.abi import Contract, deploy, to_abi, type_of
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.evm import GAS, Reverted
from tests.contracts.harness.world import PRICE
from tests.contracts.test_tokens import Mood, Sight

OPEN = [State.Opened, State.Accepted, State.Delivered, State.Disputed]
NETWORK = "0x" + "cc" * 20
NEEDED = 600_000 + 600_000 // 63 + 20_000  # gas for one order


class Automation:
    """The adapter as networks see it: bytes in, bytes out, checks simulated and thrown away."""

    def __init__(self, world, contract: Contract) -> None:
        self.world, self.contract = world, contract
        [self.parameter] = self._inputs("settleDue")

    def _inputs(self, function):
        return next(entry["inputs"] for entry in self.contract.abi if entry.get("name") == function)

    def data(self, *orders) -> bytes:
        """abi.encode(OrderTerms[])."""
        terms = [order.terms for order in orders]
        return encode([type_of(self.parameter)], [to_abi(self.parameter, terms)])

    def named(self, data: bytes) -> list[bytes]:
        """The salts of the orders in such data."""
        [terms] = decode([type_of(self.parameter)], data)
        return [each[-1] for each in terms]

    def simulate(self, function, *arguments):
        data = self.contract.data(function, *arguments)
        receipt = self.world.evm.call(sender=NETWORK, to=self.contract.address, data=data)
        return self.contract.returned(function, receipt)

    def check(self, *orders):
        return self.simulate("checkUpkeep", self.data(*orders))

    def check_log(self, *orders):
        log = (0, self.world.evm.now, bytes(32), 1, bytes(32), CAST["stranger"], [b"\x01" * 32], b"whatever")
        return self.simulate("checkLog", log, self.data(*orders))

    def checker(self, *orders):
        return self.simulate("checker", [order.terms for order in orders])

    def perform(self, data: bytes, gas: int = GAS):
        return self.contract.performUpkeep(data, sender=NETWORK, gas=gas)


@pytest.fixture
def automation(world, compiled):
    contract = deploy(world.evm, compiled("KamengAutomation"), world.escrow.address, sender=CAST["stranger"])
    world.names[contract.address] = "automation"
    return Automation(world, contract)


def salts(*orders):
    return [bytes.fromhex(order.terms.salt[2:]) for order in orders]


# --------------------------------------------------------------------------------------------------------- checking


@pytest.mark.parametrize("state", OPEN)
def test_an_order_is_proposed_from_its_deadline_on(automation, world, state, warp):
    order = world.in_state(state)
    warp(order.deadline - 1)
    assert automation.check(order) == (False, b"")
    assert automation.check_log(order) == (False, b"")
    assert automation.checker(order) == (False, b"")
    warp(order.deadline)
    needed, data = automation.check(order)
    assert (needed, automation.named(data)) == (True, salts(order))
    assert automation.check_log(order) == (needed, data)
    execute, payload = automation.checker(order)
    assert execute
    assert payload == automation.contract.data("settleDue", [order.terms])


def test_only_what_is_due_is_proposed(automation, world, warp):
    """Not the unopened, the closed, or those whose clock still runs."""
    due = world.opened()
    others = [world.in_state(State.Nothing), world.closed(), world.accepted()]
    warp(due.deadline)
    _, data = automation.check(others[0], due, *others[1:])
    assert automation.named(data) == salts(due)
    assert automation.check(*others) == (False, b"")
    assert automation.check() == (False, b"")


def test_at_most_five_are_proposed_and_the_next_ones_next(automation, world, warp):
    """Their terms fit 2,000 bytes."""
    orders = [world.opened() for _ in range(7)]
    warp(orders[-1].deadline)
    _, first = automation.check(*orders)
    assert automation.named(first) == salts(*orders[:5])
    assert len(first) <= 2_000
    automation.perform(first)
    _, second = automation.check(*orders)
    assert automation.named(second) == salts(*orders[5:])


def test_fourteen_orders_fit_the_check_data(automation, world, warp):
    orders = [world.opened() for _ in range(14)]
    assert len(automation.data(*orders)) <= 5_000
    warp(orders[-1].deadline)
    rounds = 0
    while (found := automation.check(*orders))[0]:
        automation.perform(found[1])
        rounds += 1
    assert rounds == 3
    assert {order.status.state for order in orders} == {State.Closed}


def test_what_a_check_tries_is_thrown_away_with_the_simulation(automation, world, warp):
    order = world.opened()
    warp(order.deadline)
    automation.check(order)
    assert order.status.state == State.Opened


def test_a_check_in_a_transaction_settles_as_well_as_settle_does(automation, world, coin, warp):
    order = world.opened(token=coin)
    warp(order.deadline)
    with world.moves(coin, {"escrow": -PRICE, "refund_to": PRICE}):
        automation.contract.checkUpkeep(automation.data(order), sender=CAST["stranger"])
    assert order.status.outcome == Outcome.Expired


# ---------------------------------------------------------------------------------------------------------- settling


@pytest.mark.parametrize("state", OPEN)
def test_performing_pays_as_settling_does(automation, world, coin, state, warp):
    order = world.in_state(state, token=coin)
    warp(order.deadline)
    _, data = automation.check(order)
    before = world.evm.snapshot()
    books = world.books(coin)
    world.escrow.settle(order.terms, sender=CAST["stranger"])
    settled = {name: amount - books[name] for name, amount in world.books(coin).items()}
    world.evm.restore(before)
    with world.moves(coin, settled):
        automation.perform(data)


def test_doing_it_twice_is_harmless(automation, world, coin, warp):
    order = world.opened(token=coin)
    warp(order.deadline)
    _, data = automation.check(order)
    automation.perform(data)
    with world.moves(coin, {}):
        automation.perform(data)
    assert automation.check(order) == (False, b"")


def test_what_is_not_due_holds_up_nobody(automation, world, warp):
    due, later = world.opened(), world.accepted()
    warp(due.deadline)
    receipt = automation.contract.settleDue(
        [later.terms, world.order().terms, due.terms, due.terms], sender=CAST["stranger"]
    )
    assert automation.contract.returned("settleDue", receipt) == 1
    assert (due.status.state, later.status.state) == (State.Closed, State.Accepted)


def test_what_a_network_proposes_out_of_thin_air_settles_nothing(automation, world):
    order = world.accepted()
    with world.moves(NATIVE, {}):
        automation.perform(automation.data(order, world.order()))
    assert order.status.state == State.Accepted


def test_a_blocked_receiver_is_credited(automation, world, compiled, stranger, refund_to, warp):
    """Which takes the escrow more gas than it spends."""
    token = deploy(world.evm, compiled("BlockingToken"), "Blocking dollar", "BUSD", 6, sender=stranger)
    world.enrich(token)
    order = world.opened(token=token.address)
    token.setBlocked(refund_to, True, sender=stranger)
    warp(order.deadline)
    needed, data = automation.check(order)
    assert needed
    automation.perform(data, gas=NEEDED + 60_000)
    assert world.escrow.creditOf(refund_to, token.address) == PRICE


def test_a_token_that_burns_gas_is_passed_over_and_holds_up_nobody(automation, world, compiled, stranger, warp):
    """It would keep an upkeep busy for ever; anybody may still settle it directly."""
    token = deploy(world.evm, compiled("MoodyToken"), sender=stranger)
    world.enrich(token)
    policy = world.make_policy(silence_share_bps=5_000)
    hostile = world.disputed(token=token.address, policy=policy)
    good = world.disputed(policy=policy)
    token.setMoods(Mood.Fair, Mood.Burning, sender=stranger)
    token.setSight(Sight.Burning, sender=stranger)
    warp(good.deadline)
    needed, data = automation.check(hostile, good)
    assert (needed, automation.named(data)) == (True, salts(good))
    automation.perform(automation.data(hostile, good), gas=2 * NEEDED + 60_000)
    assert (hostile.status.state, good.status.state) == (State.Disputed, State.Closed)
    world.escrow.settle(hostile.terms, sender=stranger)
    assert hostile.status.state == State.Closed


@pytest.mark.parametrize("mood", [1, 2, 3], ids=["Refusing", "Burning", "Bombing"])
def test_receivers_that_refuse_hold_up_nobody(automation, world, compiled, stranger, warp, mood):
    receiver = deploy(world.evm, compiled("Receiver"), sender=stranger)
    bad, good = world.opened(refund_to=receiver.address), world.opened()
    receiver.setMood(mood, sender=stranger)
    warp(good.deadline)
    _, data = automation.check(bad, good)
    assert automation.named(data) == salts(bad, good)
    automation.perform(data)
    assert (bad.status.state, good.status.state) == (State.Closed, State.Closed)
    assert world.escrow.creditOf(receiver.address, NATIVE) == PRICE


# --------------------------------------------------------------------------------------------------------------- gas


def test_too_little_gas_for_one_order_is_told(automation, world, warp):
    order = world.opened()
    warp(order.deadline)
    data = automation.data(order)
    with pytest.raises(Reverted) as refused:
        automation.perform(data, gas=NEEDED)
    refusal = InsufficientGas.from_wire(decode(["uint256", "uint256"], refused.value.data[4:]))
    assert refused.value.data[:4] == InsufficientGas.selector()
    assert refusal.required == NEEDED
    assert NEEDED - 60_000 < refusal.available < NEEDED


def test_as_many_as_the_gas_lasts_for_are_settled(automation, world, warp):
    """The next round finds the others."""
    orders = [world.opened() for _ in range(5)]
    warp(orders[-1].deadline)
    automation.perform(automation.data(*orders), gas=NEEDED + 100_000)
    states = [order.status.state for order in orders]
    closed = states.count(State.Closed)
    assert 1 <= closed < 5
    assert states == [State.Closed] * closed + [State.Opened] * (5 - closed)


def test_a_check_with_little_gas_proposes_less(automation, world, warp):
    orders = [world.opened() for _ in range(5)]
    warp(orders[-1].deadline)
    call = automation.contract.data("checkUpkeep", automation.data(*orders))
    to = automation.contract.address
    few = world.evm.call(sender=NETWORK, to=to, data=call, gas=NEEDED + 100_000)
    needed, data = automation.contract.returned("checkUpkeep", few)
    assert needed
    assert 1 <= len(automation.named(data)) < 5
    none = world.evm.call(sender=NETWORK, to=to, data=call, gas=NEEDED)
    assert automation.contract.returned("checkUpkeep", none) == (False, b"")


def test_data_that_is_none_is_refused(automation):
    for function in ("checkUpkeep", "performUpkeep"):
        with pytest.raises(Reverted):
            automation.simulate(function, b"\x01")


def test_it_knows_its_escrow(automation, escrow):
    assert automation.contract.escrow() == escrow.address


def test_the_networks_selectors_are_theirs(automation):
    """As published: AutomationCompatibleInterface and ILogAutomation."""
    assert automation.contract.data("checkUpkeep", b"")[:4].hex() == "6e04ff0d"
    assert automation.contract.data("performUpkeep", b"")[:4].hex() == "4585e33b"
    log = (0, 0, bytes(32), 0, bytes(32), NATIVE, [], b"")
    assert automation.contract.data("checkLog", log, b"")[:4].hex() == "40691db4"
