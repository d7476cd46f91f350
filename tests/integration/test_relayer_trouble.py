"""Stuck, overtaken, displaced, undone: a relay is brought once all the same, or not at all and says why."""

from collections.abc import Iterator
from typing import Any

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import State, Verb
from kameng_escrow.keeper.report import News, NewsKind
from kameng_escrow.relay import Act
from kameng_escrow.store import Store
from kameng_escrow.store.keeping import Payload, Stage
from kameng_escrow.store.relaying import Relay, RelayStage
from kameng_escrow.store.service import relays

from .relayers import RELAYER, bring, found, intake_of, intents_of, mine, mirror, relayer_of, sent_by
from .sdk_cast import Cast, make_cast


@pytest.fixture
def cast() -> Iterator[Cast]:
    """On an Anvil, whose pool can be looked into."""
    with AnvilNode() as node:
        yield make_cast(node)


@pytest.fixture
def delivered(cast: Cast, sqlite_store: Store) -> OrderTerms:
    terms = cast.order(State.Delivered)
    mirror(cast, sqlite_store)
    return terms


def accepted(cast: Cast, store: Store, terms: OrderTerms) -> Relay:
    action = cast.buyer.action(terms, verb=Verb.Confirm)
    request = Act(terms=terms, action=action, signature=cast.buyer.sign_action(terms, action))
    return intake_of(cast, store).accept(request, account=None)


def automine(cast: Cast, on: bool) -> None:
    cast.node.request("evm_setAutomine", on)


def foreign(cast: Cast, nonce: int) -> None:
    """Somebody else sends from the relayer's account."""
    account = cast.node.accounts[RELAYER]
    fields: dict[str, Any] = {
        "chainId": cast.deployment.chain_id,
        "nonce": nonce,
        "to": account.address,
        "value": 1,
        "gas": 30_000,
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 10**11,
    }
    raw = bytes(account.sign_transaction(fields).raw_transaction)
    cast.node.request("eth_sendRawTransaction", "0x" + raw.hex())


def test_what_is_stuck_is_offered_for_more_under_the_same_nonce(
    cast: Cast, sqlite_store: Store, delivered: OrderTerms
) -> None:
    relay = accepted(cast, sqlite_store, delivered)
    automine(cast, False)
    news: list[News] = []
    with relayer_of(cast, sqlite_store, news=news, stuck_seconds=0.1) as relayer:
        relayer.run_once(patience_seconds=0.6)
        assert NewsKind.Raised in [one.kind for one in news]
        cast.node.mine()
        relayer.run_once(patience_seconds=0.3)
    automine(cast, True)
    [intent] = intents_of(cast, sqlite_store)
    assert len(intent.attempts) > 1
    assert {attempt.payload for attempt in intent.attempts} == {Payload.Call}
    assert cast.state(delivered) is State.Closed
    assert len(sent_by(cast)) == 1
    assert found(cast, sqlite_store, relay).stage is RelayStage.Mined


def test_a_relay_that_somebody_outran_is_withdrawn_and_says_why(
    cast: Cast, sqlite_store: Store, delivered: OrderTerms
) -> None:
    relay = accepted(cast, sqlite_store, delivered)
    automine(cast, False)
    bring(cast, sqlite_store, patience=0.1, stuck_seconds=60)
    cast.node.request("anvil_dropAllTransactions")
    automine(cast, True)
    cast.buyer.confirm(delivered)
    mine(cast, 1)
    for _ in range(2):
        bring(cast, sqlite_store, patience=0.5, stuck_seconds=60)
        mine(cast, 3)
    told = found(cast, sqlite_store, relay)
    assert (told.stage, told.code) == (RelayStage.Refused, "wrong_state")
    [intent] = intents_of(cast, sqlite_store)
    assert intent.stage is Stage.Withdrawn
    assert intent.inclusion is not None
    assert intent.inclusion.gas_used < 30_000
    with sqlite_store.reading() as session:
        cost, hashes = relays.cost_of(session, relay.id)
    assert cost == intent.inclusion.cost
    assert len(hashes) == 2


def test_a_nonce_that_somebody_took_is_healed_by_another(
    cast: Cast, sqlite_store: Store, delivered: OrderTerms
) -> None:
    relay = accepted(cast, sqlite_store, delivered)
    automine(cast, False)
    bring(cast, sqlite_store, patience=0.1, stuck_seconds=60)
    cast.node.request("anvil_dropAllTransactions")
    automine(cast, True)
    foreign(cast, intents_of(cast, sqlite_store)[0].nonce)
    mine(cast, 4)
    report = bring(cast, sqlite_store, patience=1.5, stuck_seconds=60)
    assert report.displaced == 1
    mine(cast, 3)
    bring(cast, sqlite_store, patience=0.3)
    first, second = intents_of(cast, sqlite_store)
    assert (first.stage, second.stage) == (Stage.Displaced, Stage.Settled)
    assert found(cast, sqlite_store, relay).stage is RelayStage.Done
    assert cast.state(delivered) is State.Closed


def test_a_block_that_is_undone_is_waited_for_again(cast: Cast, sqlite_store: Store, delivered: OrderTerms) -> None:
    relay = accepted(cast, sqlite_store, delivered)
    before = cast.node.snapshot()
    bring(cast, sqlite_store, patience=0.2)
    assert found(cast, sqlite_store, relay).stage is RelayStage.Mined
    cast.node.revert(before)
    assert cast.state(delivered) is State.Delivered
    bring(cast, sqlite_store, patience=0.5)
    assert cast.state(delivered) is State.Closed
    mine(cast, 3)
    bring(cast, sqlite_store, patience=0.2)
    assert found(cast, sqlite_store, relay).stage is RelayStage.Done
    [intent] = intents_of(cast, sqlite_store)
    assert intent.stage is Stage.Settled


def test_what_expired_while_the_account_was_dry_is_refused(
    cast: Cast, sqlite_store: Store, delivered: OrderTerms
) -> None:
    relay = accepted(cast, sqlite_store, delivered)
    account = cast.node.accounts[RELAYER].address
    cast.node.request("anvil_setBalance", account, "0x0")
    report = bring(cast, sqlite_store, patience=0.3, low_balance=1)
    assert {error.code for error in report.conditions} == {"account_dry", "account_low"}
    assert found(cast, sqlite_store, relay).stage is RelayStage.Accepted
    cast.node.warp(cast.reader.now() + 3_601)
    cast.node.request("anvil_setBalance", account, hex(10**18))
    bring(cast, sqlite_store, patience=0.3)
    told = found(cast, sqlite_store, relay)
    assert (told.stage, told.code) == (RelayStage.Refused, "expired")
    assert sent_by(cast) == []
