"""Mirrors for tests, and what to compare them with."""

from typing import Any

from sqlalchemy import select

from kameng_escrow.chain.codec import decode_log
from kameng_escrow.domain.events import Logged, OrderEvent, PolicyRegistered
from kameng_escrow.domain.fold import fold
from kameng_escrow.domain.order import Order
from kameng_escrow.mirror import ChainSource, Mirror, Web3Source, reconcile
from kameng_escrow.store import Book, Store
from kameng_escrow.store.models import Base, ContractRow
from kameng_escrow.store.news import News, read_news

from .escrow_world import EscrowWorld


def mirror_of(world: EscrowWorld, store: Store, *, source: ChainSource | None = None, **options: Any) -> Mirror:
    """A mirror of the world's escrow. It believes a shorter chain at once, unless told otherwise."""
    record = world.deployment
    settings: dict[str, Any] = {
        "chain_id": record.chain_id,
        "address": record.address,
        "first_block": record.block,
        "genesis": record.genesis,
        "final_depth": 3,
        "patience_seconds": 0.0,
    }
    return Mirror(store, source or Web3Source(world.node.w3), **{**settings, **options})


def book_of(world: EscrowWorld, store: Store) -> Book:
    return Book(store, world.deployment.chain_id, world.address)


def logged_on_chain(world: EscrowWorld) -> list[Logged]:
    """Every event of the escrow, straight from the node."""
    ask = world.node.request
    wanted = {"address": world.address, "fromBlock": "0x0", "toBlock": "latest"}
    found = []
    times: dict[str, int] = {}
    for log in ask("eth_getLogs", wanted):
        number = log["blockNumber"]
        if number not in times:
            times[number] = int(ask("eth_getBlockByNumber", number, False)["timestamp"], 16)
        logged = decode_log(log, times[number])
        assert logged is not None
        found.append(logged)
    return found


def orders_on_chain(world: EscrowWorld) -> dict[str, Order]:
    """Every order as folded from the node's logs, by id."""
    orders: dict[str, Order] = {}
    policies = {}
    for logged in logged_on_chain(world):
        event = logged.event
        if isinstance(event, PolicyRegistered):
            policies[event.policy_id] = event.policy
        elif isinstance(event, OrderEvent):
            orders[event.order_id] = fold(orders.get(event.order_id), logged, policies)
    return orders


def mirrored_orders(book: Book, limit: int = 7) -> dict[str, Order]:
    """Every order that the book has, by id, page by page."""
    orders: dict[str, Order] = {}
    cursor = None
    while True:
        page = book.orders(limit=limit, cursor=cursor)
        orders |= {mirrored.order.id: mirrored.order for mirrored in page.orders}
        if (cursor := page.cursor) is None:
            return orders


def assert_mirrors(world: EscrowWorld, store: Store) -> None:
    """Every order, event and balance in the store is what the chain says."""
    book = book_of(world, store)
    assert mirrored_orders(book) == orders_on_chain(world)
    assert reconcile(book, world.node.w3, world.deployment.lens) == []
    by_order: dict[str, list[Logged]] = {}
    for logged in logged_on_chain(world):
        if isinstance(logged.event, OrderEvent):
            by_order.setdefault(logged.event.order_id, []).append(logged)
    assert {order_id: book.history(order_id) for order_id in by_order} == by_order


def rows(store: Store, *, without: tuple[str, ...] = ()) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table (but those named, and whose turn it is), sorted; without our own clock's times."""
    found = {}
    with store.reading() as session:
        for table in Base.metadata.sorted_tables:
            if table.name in (*without, "leaders"):
                continue
            columns = [column for column in table.columns if column.name != "created_ms"]
            result = session.execute(select(*columns).order_by(*table.primary_key.columns))
            found[table.name] = [dict(row._mapping) for row in result]
    return found


def all_news(store: Store, limit: int = 1_000) -> list[News]:
    """The outbox of the only contract in the store, as its readers get it."""
    with store.reading() as session:
        return read_news(session, session.scalars(select(ContractRow.id)).one(), limit=limit)


def news(store: Store) -> list[tuple[str, int, int]]:
    """What the outbox says still holds: name, block and log index of each event, in order."""
    standing: dict[int, tuple[str, int, int]] = {}
    for row in rows(store)["outbox"]:
        if row["retracts"] is None:
            standing[row["id"]] = (row["name"], row["block_number"], row["log_index"])
        else:
            del standing[row["retracts"]]
    return list(standing.values())


def news_on_chain(world: EscrowWorld) -> list[tuple[str, int, int]]:
    """What it should say."""
    return [
        (type(logged.event).__name__, logged.block_number, logged.log_index)
        for logged in logged_on_chain(world)
        if isinstance(logged.event, OrderEvent)
    ]
