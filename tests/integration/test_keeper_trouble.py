"""What a keeper does when nonces are taken, nodes forget or talk nonsense, or blocks are undone."""

import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.calls import escrow_call
from kameng_escrow.chain.nodes import RpcNode
from kameng_escrow.domain.states import State
from kameng_escrow.keeper import NewsKind
from kameng_escrow.store import Leadership, Store
from kameng_escrow.store.keeping import Payload, Stage

from .escrow_world import EscrowWorld
from .keepers import (
    KEEPER,
    Listener,
    all_mined,
    assert_journal_is_true,
    due_orders,
    final,
    following,
    foreign,
    held,
    intents,
    keeper_of,
    pooled,
    sent_by,
    settle,
    states,
    until,
)
from .mirrors import mirror_of
from .proxy import bad_line

GWEI = 10**9
SEED = 20_261_123


@pytest.fixture
def world(anvil_world: EscrowWorld) -> EscrowWorld:
    return anvil_world


# --------------------------------------------------------------------------------------------------------------- nonces


def test_a_nonce_that_somebody_else_takes_is_healed(world: EscrowWorld, anvil: AnvilNode, store: Store) -> None:
    due = due_orders(world, store, 3)
    account = world.node.accounts[KEEPER]
    listener = Listener()
    with (
        held(anvil),
        keeper_of(world, store, listener=listener, stuck_seconds=60) as keeper,
        following(keeper, listener=listener),
    ):
        until(lambda: len(pooled(world)) == 1)
        theirs = foreign(world, account, 0, price=1_000 * GWEI)
        anvil.mine()
        assert anvil.request("eth_getTransactionReceipt", theirs)["status"] == "0x1"
        until(lambda: "nonce_taken" in listener.troubles)
        assert pooled(world) == []  # not planned anew before that is final
        anvil.mine(3)
        until(lambda: len(pooled(world)) == 1)
        until(lambda: all_mined(world, store) or bool(anvil.mine()))
    assert states(world, due) == {State.Closed}
    first, second = intents(world, store)
    assert (first.stage, first.nonce, second.nonce) == (Stage.Displaced, 0, 1)
    assert first.order_ids == second.order_ids
    assert NewsKind.Displaced in listener.kinds()
    assert len(sent_by(world)) == 2  # theirs and ours


def test_two_keepers_with_one_key_and_two_stores_do_not_bid_against_each_other(
    world: EscrowWorld, anvil: AnvilNode, store: Store, tmp_path: Path
) -> None:
    """Nobody should. They find out by the nonces, and neither pays more than once."""
    due = due_orders(world, store, 20)
    with Store.open(str(tmp_path / "other.sqlite")) as other:
        mirror_of(world, other).run_once()
        anvil.request("evm_setAutomine", False)
        anvil.request("evm_setIntervalMining", 1)
        patient = {"stuck_seconds": 60}
        with (
            keeper_of(world, store, **patient) as first,
            keeper_of(world, other, **patient) as second,
            following(first),
            following(second),
        ):
            until(lambda: states(world, due) == {State.Closed})
            until(lambda: all_mined(world, store) and all_mined(world, other))
        fees = [attempt.fee.highest for one in (store, other) for it in intents(world, one) for attempt in it.attempts]
        assert max(fees) < 10 * GWEI
        assert max(len(it.attempts) for one in (store, other) for it in intents(world, one)) <= 2


def test_a_gap_that_somebody_else_left_is_filled(world: EscrowWorld, anvil: AnvilNode, store: Store) -> None:
    due = due_orders(world, store, 3)
    account = world.node.accounts[KEEPER]
    with held(anvil), keeper_of(world, store, stuck_seconds=0.5) as keeper:
        foreign(world, account, 0)
        with following(keeper):
            until(lambda: len(pooled(world)) == 2)
            assert [intent.nonce for intent in intents(world, store)] == [1]
            anvil.request("anvil_dropAllTransactions")  # theirs is gone for good
            until(lambda: len(intents(world, store)) == 2)
            until(lambda: all_mined(world, store) or bool(anvil.mine()))
    assert states(world, due) == {State.Closed}
    ours, filler = intents(world, store)
    assert (filler.nonce, filler.order_ids, filler.last.payload) == (0, (), Payload.Nothing)
    assert ours.nonce == 1
    assert_journal_is_true(world, store)


# ----------------------------------------------------------------------------------------------------- nodes and chains


def test_a_node_that_forgets_gets_the_same_bytes_again(world: EscrowWorld, anvil: AnvilNode, store: Store) -> None:
    due = due_orders(world, store, 3)
    with held(anvil), keeper_of(world, store, stuck_seconds=60) as keeper, following(keeper):
        until(lambda: len(pooled(world)) == 1)
        [before] = pooled(world)
        anvil.request("anvil_dropAllTransactions")
        until(lambda: len(pooled(world)) == 1)
        [after] = pooled(world)
        assert before["hash"] == after["hash"]
        anvil.mine()
        until(lambda: all_mined(world, store))
    assert states(world, due) == {State.Closed}
    assert [len(intent.attempts) for intent in intents(world, store)] == [1]


def test_a_block_that_is_undone_is_waited_for_again(world: EscrowWorld, anvil: AnvilNode, store: Store) -> None:
    due = due_orders(world, store, 3)
    listener = Listener()
    patient = {"confirmations": 5, "stuck_seconds": 60}
    with keeper_of(world, store, listener=listener, **patient) as keeper, following(keeper):
        until(lambda: states(world, due) == {State.Closed} and all_mined(world, store))
        [first] = sent_by(world)
        anvil.request("anvil_reorg", 1, [])
        until(lambda: NewsKind.Undone in listener.kinds())
        until(lambda: states(world, due) == {State.Closed} and all_mined(world, store))
        until(final(world, store))
    [again] = sent_by(world)
    assert first["hash"] == again["hash"]
    assert first["blockHash"] != again["blockHash"]
    [intent] = intents(world, store)
    assert intent.stage is Stage.Settled
    assert_journal_is_true(world, store)


def test_answers_that_are_lost_send_nothing_twice(world: EscrowWorld, anvil: AnvilNode, store: Store) -> None:
    due = due_orders(world, store, 25)
    lost: list[Any] = []

    def handle(method: str, forward: Callable[[], bytes]) -> bytes | int | None:
        if method != "eth_sendRawTransaction":
            return forward()
        lost.append(method)
        match len(lost) % 3:
            case 0:
                return forward()
            case 1:
                forward()
                return None  # it arrived, and the line broke
            case _:
                return 503  # it did not arrive

    assert anvil.url is not None
    with bad_line(anvil.url, handle) as line, RpcNode(line) as node:
        report = settle(world, store, node=node)
    assert report.complete
    assert states(world, due) == {State.Closed}
    assert len(sent_by(world)) == report.transactions == 3
    assert_journal_is_true(world, store)


def test_a_node_that_is_away_is_waited_for(world: EscrowWorld, anvil: AnvilNode, store: Store) -> None:
    due = due_orders(world, store, 3)
    away = [True]

    def handle(_: str, forward: Callable[[], bytes]) -> bytes | int:
        return 503 if away[0] else forward()

    listener = Listener()
    assert anvil.url is not None
    with (
        bad_line(anvil.url, handle) as line,
        RpcNode(line) as node,
        keeper_of(world, store, node=node) as keeper,
        following(keeper, listener=listener),
    ):
        until(lambda: listener.troubles == ["node_error"])
        away[0] = False
        until(lambda: states(world, due) == {State.Closed} and all_mined(world, store))
        away[0] = True  # and when it is told to stop
        until(lambda: listener.troubles == ["node_error", "node_error"])


def test_one_that_stands_by_outlives_a_store_that_fails_when_it_asks_who_leads(
    world: EscrowWorld, store: Store, store_url: str
) -> None:
    due, listener, failures = due_orders(world, store, 3), Listener(), []

    def fail_once(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM leaders" in statement and not failures:
            failures.append(statement)
            away = sqlite3.OperationalError("disk I/O error")
            away.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise OperationalError(statement, None, away)

    account = world.node.accounts[KEEPER].address
    with (
        Leadership(store, "keeper", f"{world.deployment.chain_id}:{account}") as first,
        Store.open(store_url) as other,
        keeper_of(world, other) as second,
    ):
        assert first.take() is not None
        with following(second, listener=listener):
            until(lambda: listener.troubles == ["not_leading"])
            event.listen(other.reading_engine, "before_cursor_execute", fail_once)
            until(lambda: listener.troubles == ["not_leading", "store_unavailable", "not_leading"])
            first.release()
            until(lambda: states(world, due) == {State.Closed})


@pytest.mark.parametrize(
    "answer",
    [
        b'{"jsonrpc":"2.0","id":1,"result":null}',
        b'{"jsonrpc":"2.0","id":1,"result":"0x"}',
        b'{"jsonrpc":"2.0","id',
        b"{}",
    ],
    ids=["nothing", "empty", "truncated", "no JSON-RPC"],
)
def test_nonsense_is_waited_out(world: EscrowWorld, anvil: AnvilNode, store: Store, answer: bytes) -> None:
    due = due_orders(world, store, 3)
    dice = random.Random(SEED)
    odd = [True]

    def handle(_: str, forward: Callable[[], bytes]) -> bytes:
        return answer if odd[0] and dice.random() < 0.3 else forward()

    listener = Listener()
    assert anvil.url is not None
    with (
        bad_line(anvil.url, handle) as line,
        RpcNode(line) as node,
        keeper_of(world, store, node=node) as keeper,
        following(keeper, listener=listener),
    ):
        until(lambda: listener.troubles != [])
        odd[0] = False
        until(lambda: states(world, due) == {State.Closed} and all_mined(world, store))
    assert_journal_is_true(world, store)


def test_what_no_node_takes_is_withdrawn_and_tried_in_smaller_parts(
    world: EscrowWorld, anvil: AnvilNode, store: Store
) -> None:
    """A node has limits of its own on what a transaction may be."""
    due = due_orders(world, store, 8)
    refusal = {"jsonrpc": "2.0", "id": 0, "error": {"code": -32000, "message": "oversized data"}}

    asked: list[str] = []

    def handle(method: str, forward: Callable[[], bytes]) -> bytes:
        if method == "eth_sendRawTransaction":
            asked.append(method)
            if len(asked) == 1:
                return json.dumps(refusal).encode()
        return forward()

    assert anvil.url is not None
    listener = Listener()
    with bad_line(anvil.url, handle) as line, RpcNode(line) as node:
        report = settle(world, store, node=node, listener=listener, patience=10)
    assert report.complete, report
    assert states(world, due) == {State.Closed}
    assert NewsKind.Withdrawn in listener.kinds()
    assert_journal_is_true(world, store)


# ----------------------------------------------------------------------------------------------------------- the others


def test_what_others_settle_while_ours_waits_is_withdrawn(world: EscrowWorld, anvil: AnvilNode, store: Store) -> None:
    due = due_orders(world, store, 10)
    listener = Listener()
    with (
        held(anvil),
        keeper_of(world, store, listener=listener, stuck_seconds=60, resend_seconds=60) as keeper,
        following(keeper),
    ):
        until(lambda: len(pooled(world)) == 1)
        anvil.request("anvil_dropAllTransactions")  # ours is late
        world_settles(world, due)
        until(lambda: NewsKind.Withdrawn in listener.kinds() and len(pooled(world)) == 1)
        [empty] = pooled(world)
        assert (empty["input"], empty["nonce"]) == ("0x", "0x0")
        until(final(world, store))
    [intent] = intents(world, store)
    assert intent.stage is Stage.Withdrawn
    [transaction] = sent_by(world)
    assert int(transaction["gasUsed"], 16) == 21_000


def world_settles(world: EscrowWorld, orders: list[Any]) -> None:
    """Somebody else does, in the next block."""
    client = world.node.w3.eth
    before = client.block_number
    call = escrow_call(world.address, "settleMany", orders)
    world.node.request(
        "eth_sendTransaction",
        {"from": world.stranger.address, "to": world.address, "data": "0x" + call.data.hex(), "gas": hex(5_000_000)},
    )
    world.node.request("evm_mine")
    assert client.block_number == before + 1
