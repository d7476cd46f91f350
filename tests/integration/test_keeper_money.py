"""What a keeper pays: more where fees rise, never above its cap, and never more than a day or an account has."""

import json
from collections.abc import Callable

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.nodes import RpcNode
from kameng_escrow.domain.states import State
from kameng_escrow.keeper import NewsKind
from kameng_escrow.keeper.rules import DAY_MS
from kameng_escrow.store import Store

from .escrow_world import EscrowWorld
from .keepers import (
    KEEPER,
    Listener,
    all_mined,
    assert_journal_is_true,
    due_orders,
    following,
    held,
    intents,
    keeper_of,
    pooled,
    sent_by,
    settle,
    states,
    until,
)
from .proxy import bad_line

GWEI = 10**9


@pytest.fixture
def world(anvil_world: EscrowWorld) -> EscrowWorld:
    return anvil_world


def base_fee(world: EscrowWorld, wei: int) -> None:
    """The next block's, and with it the market."""
    world.node.request("anvil_setNextBlockBaseFeePerGas", hex(wei))


# ----------------------------------------------------------------------------------------------------------------- fees


def test_what_is_stuck_is_offered_for_more_under_the_same_nonce(
    world: EscrowWorld, anvil: AnvilNode, store: Store
) -> None:
    due = due_orders(world, store, 3)
    listener = Listener()
    with held(anvil), keeper_of(world, store, listener=listener) as keeper, following(keeper):
        until(lambda: len(pooled(world)) == 1)
        [before] = pooled(world)
        base_fee(world, dear := 10 * int(before["maxFeePerGas"], 16))
        anvil.mine()  # takes nothing: the price has gone up
        assert sent_by(world) == []
        until(lambda: any(int(one["maxFeePerGas"], 16) > dear for one in pooled(world)))
        [after] = pooled(world)
        assert (after["nonce"], after["input"]) == (before["nonce"], before["input"])
        until(lambda: all_mined(world, store) or bool(anvil.mine()))
    assert states(world, due) == {State.Closed}
    [intent] = intents(world, store)
    assert len(intent.attempts) > 1
    assert len(sent_by(world)) == 1
    assert NewsKind.Raised in listener.kinds()
    assert_journal_is_true(world, store)


def test_more_is_offered_on_a_chain_without_eip_1559_too(world: EscrowWorld, anvil: AnvilNode, store: Store) -> None:
    due = due_orders(world, store, 3)

    def before_london(method: str, forward: Callable[[], bytes]) -> bytes:
        answer = json.loads(forward())
        if method == "eth_getBlockByNumber":
            answer["result"].pop("baseFeePerGas")
        return json.dumps(answer).encode()

    assert anvil.url is not None
    with (
        held(anvil),
        bad_line(anvil.url, before_london) as line,
        RpcNode(line) as node,
        keeper_of(world, store, node=node) as keeper,
        following(keeper),
    ):
        until(lambda: len(pooled(world)) == 1)
        [before] = pooled(world)
        until(lambda: any(int(one["gasPrice"], 16) > int(before["gasPrice"], 16) for one in pooled(world)))
        [after] = pooled(world)
        assert before["nonce"] == after["nonce"]
        assert before["type"] == after["type"] == "0x0"
        until(lambda: all_mined(world, store) or bool(anvil.mine()))
    assert states(world, due) == {State.Closed}
    assert_journal_is_true(world, store)


def test_nothing_is_paid_above_the_cap(world: EscrowWorld, store: Store) -> None:
    due = due_orders(world, store, 3)
    base_fee(world, 50 * GWEI)
    world.node.mine()
    listener = Listener()
    report = settle(world, store, max_fee=40 * GWEI, patience=0)
    assert [error.code for error in report.conditions] == ["gas_too_dear"]
    assert report.left == 3
    assert not report.complete
    assert pooled(world) == sent_by(world) == []
    with keeper_of(world, store, max_fee=40 * GWEI) as keeper, following(keeper, listener=listener):
        until(lambda: listener.troubles == ["gas_too_dear"])
        base_fee(world, 20 * GWEI)
        world.node.mine()
        until(lambda: states(world, due) == {State.Closed} and all_mined(world, store))
    assert all(int(one["effectiveGasPrice"], 16) <= 40 * GWEI for one in sent_by(world))


def test_what_waits_is_never_raised_above_the_cap(world: EscrowWorld, anvil: AnvilNode, store: Store) -> None:
    due_orders(world, store, 1)
    listener = Listener()
    with (
        held(anvil),
        keeper_of(world, store, max_fee=5 * GWEI) as keeper,
        following(keeper, listener=listener),
    ):
        until(lambda: "gas_too_dear" in listener.troubles)
        [waiting] = pooled(world)
        assert int(waiting["maxFeePerGas"], 16) <= 5 * GWEI
        until(lambda: all_mined(world, store) or bool(anvil.mine()))
    assert all(attempt.fee.highest <= 5 * GWEI for attempt in intents(world, store)[0].attempts)


# ---------------------------------------------------------------------------------------------------------------- money


def test_a_dry_account_is_told_and_goes_on_once_it_is_filled(world: EscrowWorld, store: Store) -> None:
    due = due_orders(world, store, 3)
    keeper_account = world.node.accounts[KEEPER].address
    world.node.request("anvil_setBalance", keeper_account, hex(10**12))
    report = settle(world, store, patience=0)
    assert [error.code for error in report.conditions] == ["account_dry"]
    assert pooled(world) == sent_by(world) == []
    listener = Listener()
    with keeper_of(world, store, low_balance=10**18) as keeper, following(keeper, listener=listener):
        until(lambda: set(listener.troubles) == {"account_dry", "account_low"})
        world.node.request("anvil_setBalance", keeper_account, hex(10**17))
        until(lambda: states(world, due) == {State.Closed} and all_mined(world, store))
    assert listener.troubles.count("account_low") == 1  # told once, though it is still low


def test_coins_that_somebody_takes_from_under_a_waiting_transaction_are_waited_for(
    world: EscrowWorld, anvil: AnvilNode, store: Store
) -> None:
    due = due_orders(world, store, 3)
    account = world.node.accounts[KEEPER].address
    listener = Listener()
    with held(anvil), keeper_of(world, store) as keeper, following(keeper, listener=listener):
        until(lambda: len(pooled(world)) == 1)
        anvil.request("anvil_setBalance", account, "0x0")
        anvil.request("anvil_dropAllTransactions")
        until(lambda: "account_dry" in listener.troubles)
        anvil.request("anvil_setBalance", account, hex(10**18))
        until(lambda: all_mined(world, store) or bool(anvil.mine()))
    assert states(world, due) == {State.Closed}
    assert len(sent_by(world)) == 1
    assert_journal_is_true(world, store)


def test_the_days_money_is_never_overdrawn(world: EscrowWorld, store: Store) -> None:
    due = due_orders(world, store, 10)
    spent = settle(world, store, max_fee=100 * GWEI).cost
    [first] = intents(world, store)
    now = [first.created_ms + 1_000]
    due += due_orders(world, store, 20)
    budget = spent + first.last.cost * 13 // 10  # what it paid, and what one more may cost, but not two
    with keeper_of(world, store, budget=budget) as keeper:
        keeper._clock_ms = lambda: now[0]
        report = keeper.run_once(patience_seconds=1)
        assert (report.transactions, report.left) == (1, 10)
        assert [error.code for error in report.conditions] == ["budget_spent"]
        now[0] += DAY_MS + 1_000  # a day later the first is not counted any more
        assert keeper.run_once(patience_seconds=5).complete
    assert states(world, due) == {State.Closed}
    assert len(sent_by(world)) == 3
