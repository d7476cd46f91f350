"""What is true at the end: the chain's words against the store's, the outbox's readers' and the journal's."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from kameng_escrow.domain.events import Logged, OrderClosed, OrderEvent
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.states import State
from kameng_escrow.mirror import reconcile
from kameng_escrow.store import Store
from kameng_escrow.store.keeping import Intent, Payload
from kameng_escrow.store.news import News

from ..integration.escrow_world import EscrowWorld
from ..integration.keepers import intents, sent_by
from ..integration.mirrors import all_news, book_of, logged_on_chain, mirrored_orders, orders_on_chain
from .reader import Heard


@dataclass(slots=True)
class Verdict:
    """What was found. All but `orders`, `events` and the like should be nothing."""

    orders: int = 0
    events: int = 0
    entries: int = 0  # of the outbox
    retractions: int = 0
    intents: int = 0
    transactions: int = 0  # the keeper's, on the chain
    found: dict[str, list[str]] = field(default_factory=dict)  # by kind, in words

    def add(self, kind: str, words: Iterable[str]) -> None:
        self.found.setdefault(kind, []).extend(words)

    def count(self, kind: str) -> int:
        return len(self.found[kind])

    @property
    def innocent(self) -> bool:
        return not any(self.found.values())


def judge(world: EscrowWorld, store: Store, *, heard: Sequence[Heard], sent: set[str], moved: set[int]) -> Verdict:
    """Compares everything. The chain stands still meanwhile.

    Args:
        heard: what a reader of the outbox was told, in order.
        sent: hashes of all transactions that a node was ever given by a keeper.
        moved: nonces of the keeper's transactions that a reorg has taken out of their block.
    """
    verdict = Verdict()
    on_chain = logged_on_chain(world)
    orders = orders_on_chain(world)
    verdict.orders, verdict.events = len(orders), len(on_chain)
    verdict.add("differences", differences(world, store, on_chain, orders))
    news = all_news(store, limit=10**9)
    verdict.entries, verdict.retractions = len(news), sum(one.retracts is not None for one in news)
    _judge_outbox(verdict, news, [one for one in on_chain if isinstance(one.event, OrderEvent)])
    verdict.add("outbox_untrue", _heard_otherwise(heard, news))
    journal = intents(world, store, limit=10**9)
    on_block = sent_by(world)
    verdict.intents, verdict.transactions = len(journal), len(on_block)
    verdict.add("intents_lost", _lost(journal, on_block, sent))
    verdict.add("paid_twice", _paid_twice(journal, on_block, on_chain, moved))
    verdict.add("unsettled", (one for one, order in orders.items() if order.state is not State.Closed))
    return verdict


def differences(
    world: EscrowWorld, store: Store, on_chain: Sequence[Logged], orders: Mapping[str, Order]
) -> Iterable[str]:
    """Every field of every order, every event, and what an audit of slots and balances finds."""
    book = book_of(world, store)
    mirrored = mirrored_orders(book, limit=200)
    for order_id in orders.keys() ^ mirrored.keys():
        yield f"{order_id} is only {'on the chain' if order_id in orders else 'in the store'}"
    for order_id in orders.keys() & mirrored.keys():
        ours, theirs = mirrored[order_id], orders[order_id]
        for one in fields(Order):
            if getattr(ours, one.name) != getattr(theirs, one.name):
                yield f"{order_id}.{one.name}: {getattr(ours, one.name)} here, {getattr(theirs, one.name)} on chain"
    histories: dict[str, list[Logged]] = {}
    for logged in on_chain:
        if isinstance(logged.event, OrderEvent):
            histories.setdefault(logged.event.order_id, []).append(logged)
    for order_id in histories.keys() & mirrored.keys():
        if book.history(order_id) != histories[order_id]:
            yield f"{order_id} has another history"
    for drift in reconcile(book, world.node.w3, world.deployment.lens):
        yield f"{drift.what}, {drift.field}: {drift.mirrored} here, {drift.on_chain} on chain"


# --------------------------------------------------------------------------------------------------------------- outbox


def _judge_outbox(verdict: Verdict, news: Sequence[News], on_chain: Sequence[Logged]) -> None:
    """Replays it: what stands in the end is what is on the chain, each once; at no time is an order's out of order."""
    standing: dict[int, News] = {}
    last: dict[str, list[News]] = {}  # by order: what stands of it, the newest last
    doubled, lost, disordered = [], [], []
    for one in news:
        stack = last.setdefault(one.order_id, [])
        if one.retracts is None:
            if stack and (stack[-1].block_number, stack[-1].log_index) >= (one.block_number, one.log_index):
                disordered.append(f"{one.id} comes after {stack[-1].id}")
            standing[one.id] = one
            stack.append(one)
            continue
        taken = standing.pop(one.retracts, None)
        if taken is None:
            doubled.append(f"{one.id} takes back {one.retracts}, which does not stand")
            continue
        if stack.pop() is not taken:
            disordered.append(f"{one.id} takes back {taken.id}, which is not the order's last")
        if _said(one) != _said(taken) or taken.retracted_by != one.id:
            disordered.append(f"{one.id} takes back something else than {taken.id}")
    said = Counter(map(_said, standing.values()))
    true = Counter(map(_logged, on_chain))
    doubled += [f"{what} stands {count} times too often" for what, count in (said - true).items()]
    lost += [f"{what} was never told" for what in true - said]
    verdict.add("outbox_doubled", doubled)
    verdict.add("outbox_lost", lost)
    verdict.add("outbox_disordered", disordered)


def _said(news: News) -> tuple[Any, ...]:
    return news.order_id, news.name, news.block_number, news.block_hash, news.log_index, news.transaction_hash


def _logged(logged: Logged) -> tuple[Any, ...]:
    event = logged.event
    assert isinstance(event, OrderEvent)
    place = logged.block_number, logged.block_hash, logged.log_index, logged.transaction_hash
    return event.order_id, type(event).__name__, *place


def _heard_otherwise(heard: Sequence[Heard], news: Sequence[News]) -> Iterable[str]:
    """A reader that goes by ids has heard all of it, in that order, and nothing was changed behind its back."""
    written = [Heard.of(one) for one in news]
    if list(heard) != written:
        for ours, theirs in zip(heard, written, strict=False):
            if ours != theirs:
                yield f"a reader heard {ours}, and now it says {theirs}"
                return
        yield f"a reader heard {len(heard)} entries of {len(written)}"


# -------------------------------------------------------------------------------------------------------------- journal


def _lost(journal: Sequence[Intent], on_block: Sequence[dict[str, Any]], sent: set[str]) -> Iterable[str]:
    """Whatever a node ever heard of was written down, and of each it is known what became of it."""
    written = {attempt.hash: intent for intent in journal for attempt in intent.attempts}
    for unknown in sorted(sent - written.keys()):
        yield f"{unknown} was sent and never written down"
    for intent in journal:
        if not intent.stage.has_ended:
            yield f"intent {intent.id} is still {intent.stage.label}"
    mined = {}
    for transaction in on_block:
        intent = written.get(transaction["hash"])
        if intent is None:
            yield f"{transaction['hash']} is on the chain and was never written down"
            continue
        mined[intent.id] = transaction
        known = intent.inclusion
        if known is None or (known.hash, known.block_hash, known.gas_used, known.succeeded) != (
            transaction["hash"],
            transaction["blockHash"],
            int(transaction["gasUsed"], 16),
            transaction["status"] == "0x1",
        ):
            yield f"intent {intent.id} knows of {known}, and on the chain is {transaction['hash']}"
    for intent in journal:
        if intent.inclusion is not None and intent.id not in mined:
            yield f"intent {intent.id} knows of a block that is not on the chain"


def _paid_twice(
    journal: Sequence[Intent], on_block: Sequence[dict[str, Any]], on_chain: Sequence[Logged], moved: set[int]
) -> Iterable[str]:
    """No order that a transaction of the keeper has ended is in a later one.

    Unless a reorg came in between: a transaction may pass an order over whose time has not come, another takes it on,
    both are undone, and in other blocks the first one ends it. Both had been signed for good.
    """
    written = {attempt.hash: (intent, attempt) for intent in journal for attempt in intent.attempts}
    ended_by = {one.event.order_id: one.transaction_hash for one in on_chain if isinstance(one.event, OrderClosed)}
    done: set[str] = set()
    for transaction in on_block:  # in the chain's order
        intent, attempt = written.get(transaction["hash"], (None, None))
        if intent is None or attempt is None or attempt.payload is Payload.Nothing:
            continue
        for order_id in intent.order_ids:
            if order_id in done:
                yield f"{order_id} was paid for again in {transaction['hash']}"
            elif ended_by.get(order_id) == transaction["hash"] and intent.nonce not in moved:
                done.add(order_id)
