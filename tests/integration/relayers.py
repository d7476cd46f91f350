"""Relayers for tests: a store that mirrors the cast's escrow, who takes relays on, and who brings them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from kameng_escrow.chain.connection import Connection
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.keeper.report import News
from kameng_escrow.keeper.rules import Rules
from kameng_escrow.keeper.working import now_ms
from kameng_escrow.mirror import Mirror, Web3Source
from kameng_escrow.relay import Intake, Limits, Relayer
from kameng_escrow.store import Book, Journal, Store
from kameng_escrow.store.keeping import Intent
from kameng_escrow.store.relaying import Relay
from kameng_escrow.store.service import relays

from .sdk_cast import Cast

RELAYER = 9  # among the node's accounts: nobody else sends from it
RULES = Rules(
    worker="relayer",
    confirmations=3,
    stuck_seconds=0.2,
    resend_seconds=0.2,
    retry_seconds=0.05,
    budget=None,
    low_balance=0,
)
LIMITS = Limits(platform_budget=None, new_budget=None)


def mirror(cast: Cast, store: Store) -> None:
    """Brings the store up to date."""
    record = cast.deployment
    Mirror(
        store,
        Web3Source(cast.node.w3),
        chain_id=record.chain_id,
        address=record.address,
        first_block=record.block,
        genesis=record.genesis,
        final_depth=3,
        patience_seconds=0.0,
    ).run_once()


def book_of(cast: Cast, store: Store) -> Book:
    return Book(store, cast.deployment.chain_id, cast.deployment.address)


def intake_of(
    cast: Cast, store: Store, limits: Limits = LIMITS, *, clock_ms: Callable[[], int] = now_ms, **changes: Any
) -> Intake:
    """Who takes relays on."""
    return Intake(
        store,
        book_of(cast, store),
        cast.reader,
        Connection(cast.node.w3),
        replace(limits, **changes),
        clock_ms=clock_ms,
    )


@contextmanager
def relayer_of(
    cast: Cast,
    store: Store,
    *,
    account: int = RELAYER,
    limits: Limits = LIMITS,
    news: list[News] | None = None,
    confirmations: int = 2,
    least: int = 1,
    **rules: Any,
) -> Iterator[Relayer]:
    """A relayer of the cast's escrow that hurries."""
    heard: list[News] = [] if news is None else news
    with Relayer(
        store,
        cast.node,
        cast.deployment,
        cast.node.accounts[account],
        replace(RULES, **rules),
        limits,
        confirmations=confirmations,
        least_sweeps={NATIVE: least, cast.token: least},
        announce=heard.append,
    ) as relayer:
        yield relayer


def bring(cast: Cast, store: Store, *, patience: float = 3.0, **options: Any) -> Any:
    """One run of a relayer; its report."""
    with relayer_of(cast, store, **options) as relayer:
        return relayer.run_once(patience_seconds=patience)


def found(cast: Cast, store: Store, relay: Relay | str) -> Relay:
    """A relay as it is now."""
    wanted = relay if isinstance(relay, str) else relay.id
    with store.reading() as session:
        known = relays.relay(session, book_of(cast, store).info().id, wanted)
    assert known is not None
    return known


def intents_of(cast: Cast, store: Store, account: int = RELAYER) -> list[Intent]:
    """Every intent of the relayer, the oldest first."""
    journal = Journal(store, chain_id=cast.deployment.chain_id, account=cast.node.accounts[account].address)
    return list(reversed(journal.latest(1_000)))


def mine(cast: Cast, blocks: int) -> None:
    """Blocks in which nothing happens."""
    for _ in range(blocks):
        cast.node.mine()


def sent_by(cast: Cast, account: int = RELAYER) -> list[str]:
    """The hashes of the account's transactions that are in blocks, in order."""
    address = cast.node.accounts[account].address.lower()
    return [
        str(transaction["hash"])
        for number in range(cast.node.w3.eth.block_number + 1)
        for transaction in cast.node.request("eth_getBlockByNumber", hex(number), True)["transactions"]
        if transaction["from"].lower() == address
    ]
