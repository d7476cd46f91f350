"""Keepers for tests, what they are to settle, and ways to disturb them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.slots import decode_slot
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import State
from kameng_escrow.keeper import Keeper, News, NewsKind, Rules
from kameng_escrow.store import Journal, Store
from kameng_escrow.store.keeping import Intent

from .escrow_world import HOUR, EscrowWorld
from .mirrors import mirror_of

KEEPER = 8  # among the node's accounts: nobody else sends from it
RULES = Rules(
    batch=10,
    confirmations=3,
    stuck_seconds=0.2,
    resend_seconds=0.2,
    retry_seconds=0.05,
    spread_seconds=0,
    budget=None,
    low_balance=0,
)


@dataclass
class Listener:
    """Everything that a keeper said."""

    news: list[News] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def kinds(self) -> list[NewsKind]:
        return [one.kind for one in self.news]


@contextmanager
def keeper_of(
    world: EscrowWorld,
    store: Store,
    *,
    account: int = KEEPER,
    listener: Listener | None = None,
    node: Any = None,
    **rules: Any,
) -> Iterator[Keeper]:
    """A keeper of the world's escrow that hurries."""
    heard = listener or Listener()
    with Keeper(
        store,
        node or world.node,
        world.deployment,
        world.node.accounts[account],
        replace(RULES, **rules),
        announce=heard.news.append,
    ) as keeper:
        yield keeper


def settle(world: EscrowWorld, store: Store, *, patience: float = 5.0, **options: Any) -> Any:
    """One run of a keeper; its report."""
    with keeper_of(world, store, **options) as keeper:
        return keeper.run_once(patience_seconds=patience)


def due_orders(world: EscrowWorld, store: Store, count: int, **changes: Any) -> list[OrderTerms]:
    """Orders that nobody accepted in time, mirrored."""
    orders = [world.opened(**changes) for _ in range(count)]
    world.wait(HOUR)
    mirror_of(world, store).run_once()
    return orders


def states(world: EscrowWorld, orders: list[OrderTerms]) -> set[State]:
    """Where orders stand on the chain."""
    found = (
        world.node.w3.eth.contract(address=world.address, abi=_SLOT_OF).functions.slotOf(world.id_of(one)).call()
        for one in orders
    )
    return {decode_slot(slot).state for slot in found}


_SLOT_OF = [
    {
        "type": "function",
        "name": "slotOf",
        "stateMutability": "view",
        "inputs": [{"name": "orderId", "type": "bytes32"}],
        "outputs": [{"name": "", "type": "uint256"}],
    }
]


def journal_of(world: EscrowWorld, store: Store, account: int = KEEPER) -> Journal:
    return Journal(store, chain_id=world.deployment.chain_id, account=world.node.accounts[account].address)


def intents(world: EscrowWorld, store: Store, account: int = KEEPER, *, limit: int = 1_000) -> list[Intent]:
    """Every intent of the account, the oldest first."""
    return list(reversed(journal_of(world, store, account).latest(limit)))


def sent_by(world: EscrowWorld, account: int = KEEPER) -> list[dict[str, Any]]:
    """Every transaction of an account that is in a block, in order, with its receipt's fields."""
    address = world.node.accounts[account].address
    found = []
    for number in range(world.node.w3.eth.block_number + 1):
        block = world.node.request("eth_getBlockByNumber", hex(number), True)
        for transaction in block["transactions"]:
            if transaction["from"].lower() == address.lower():
                receipt = world.node.request("eth_getTransactionReceipt", transaction["hash"])
                found.append({**transaction, **receipt})
    return found


def pooled(world: EscrowWorld, account: int = KEEPER) -> list[dict[str, Any]]:
    """The account's transactions that wait in the node's pool, by nonce."""
    content = world.node.request("txpool_content")
    address = world.node.accounts[account].address.lower()
    waiting = [
        transaction
        for part in ("pending", "queued")
        for sender, by_nonce in content[part].items()
        if sender.lower() == address
        for transaction in by_nonce.values()
    ]
    return sorted(waiting, key=lambda transaction: int(transaction["nonce"], 16))


def assert_journal_is_true(world: EscrowWorld, store: Store, account: int = KEEPER) -> None:
    """Every transaction of the account that is on the chain was written down, and what became of it is known."""
    written = {attempt.hash: intent for intent in intents(world, store, account) for attempt in intent.attempts}
    on_chain = sent_by(world, account)
    for transaction in on_chain:
        intent = written[transaction["hash"]]
        assert intent.nonce == int(transaction["nonce"], 16)
        assert intent.inclusion is not None
        assert intent.inclusion.hash == transaction["hash"]
        assert intent.inclusion.block_hash == transaction["blockHash"]
        assert intent.inclusion.gas_used == int(transaction["gasUsed"], 16)
        price = int(transaction["effectiveGasPrice"], 16)
        assert intent.inclusion.cost == intent.inclusion.gas_used * price
        assert intent.inclusion.succeeded == (transaction["status"] == "0x1")
    mined = {transaction["hash"] for transaction in on_chain}
    assert {one.inclusion.hash for one in intents(world, store, account) if one.inclusion} == mined


def until(condition: Callable[[], bool], seconds: float = 60, *, pause_seconds: float = 0.02) -> None:
    """Looks again and again until it is so."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(pause_seconds)


def all_mined(world: EscrowWorld, store: Store, account: int = KEEPER) -> bool:
    """Whether the journal knows a block for each of its transactions."""
    return all(one.inclusion or one.stage.has_ended for one in intents(world, store, account))


@contextmanager
def held(node: AnvilNode) -> Iterator[None]:
    """Anvil mines only when told."""
    node.request("evm_setAutomine", False)
    try:
        yield
    finally:
        node.request("evm_setAutomine", True)


@contextmanager
def following(keeper: Keeper, *, poll: float = 0.05, listener: Listener | None = None) -> Iterator[threading.Thread]:
    """The keeper follows in a thread of its own; an error of it is the test's."""
    stop = threading.Event()
    failures: list[BaseException] = []
    heard = listener or Listener()

    def work() -> None:
        try:
            keeper.follow(stop, poll_seconds=poll, trouble=lambda error: heard.troubles.append(error.code))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(60)
    assert failures == []


def foreign(world: EscrowWorld, account: LocalAccount, nonce: int, *, price: int = 10**11) -> str:
    """Somebody else sends from an account; the transaction's hash."""
    fields = {
        "chainId": world.deployment.chain_id,
        "nonce": nonce,
        "to": account.address,
        "value": 1,
        "gas": 30_000,
        "maxFeePerGas": price,
        "maxPriorityFeePerGas": price,
    }
    raw = account.sign_transaction(fields).raw_transaction
    return str(world.node.request("eth_sendRawTransaction", "0x" + bytes(raw).hex()))


def final(world: EscrowWorld, store: Store) -> Callable[[], bool]:
    """Whether every intent has ended; mines a block each time it is asked."""

    def ended() -> bool:
        world.node.mine()
        return all(one.stage.has_ended for one in intents(world, store))

    return ended
