"""A store with as many orders as one likes: real orders of an Anvil, each many times over.

What is multiplied was mirrored from real transactions of the real contract (`bench.mill`), so that rows, events and
their JSON are what a mirror writes. Each copy is an order of its own: id, salt, parties, policy, blocks and times. The
rows go in by the store's bulk writer; the indexes are there all the while, as they are for a mirror.

A seller has 500 orders and a buyer 5, however many there are; four platforms share all of them, so that what a platform
looks through grows with the store. The newest two in a hundred are open, the others closed.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from kameng_escrow.domain.typed_data import policy_id as id_of_policy
from kameng_escrow.store import Store
from kameng_escrow.store.bulk import Bulk, bulk_of
from kameng_escrow.store.engine import POSTGRESQL
from kameng_escrow.store.models import BlockRow, CheckpointRow, ClockRow, EventRow, OrderRow, PolicyRow
from kameng_escrow.store.order_rows import policy_columns, restore_policy

PLATFORMS = 4
PER_SELLER = 500
PER_BUYER = 5
KEYS = 10**6  # from this number on, secret numbers of people who sign in: keys of no value to anybody
_OPEN = 50  # one in so many orders is open
_GROUP = 100  # orders whose events share their blocks
_STAGES = 5  # blocks of a group: an order has at most so many events
_CHUNK = 10_000  # orders in a transaction
_SECONDS = 12  # between blocks

_ORDERS = tuple(column.name for column in OrderRow.__table__.columns)
_EVENTS = tuple(column.name for column in EventRow.__table__.columns)
_CLOCKS = tuple(column.name for column in ClockRow.__table__.columns)
_BLOCKS = tuple(column.name for column in BlockRow.__table__.columns)
_MOMENTS = ("opened_at", "accepted_at", "delivered_at", "closed_at")
_HAPPENS = {"OrderAccepted": "accepted_at", "OrderDelivered": "delivered_at", "OrderClosed": "closed_at"}


def person(kind: str, number: int) -> LocalAccount:
    """Somebody who can sign in: the seller, buyer or platform of that number."""
    offset = {"platform": 0, "seller": 1_000, "buyer": 500_000}[kind]
    account: LocalAccount = Account.from_key((KEYS + offset + number).to_bytes(32, "big"))
    return account


def order_id(number: int) -> str:
    """The id of the order of that number, counted from the oldest."""
    return _hash("order", number)


def _hash(*of: object) -> str:
    return "0x" + hashlib.sha256(repr(of).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Signers:
    """How many of the sellers and buyers have keys, and so can sign in; the others are mere addresses."""

    sellers: int
    buyers: int


@dataclass(frozen=True, slots=True)
class Template:
    """An order as it was mirrored, to be copied."""

    row: dict[str, Any]
    events: tuple[dict[str, Any], ...]  # in their order


class Filler:
    """Fills a store into which some of a mill's orders were mirrored."""

    def __init__(self, store: Store, orders: int, signers: Signers) -> None:
        self._store = store
        self._orders = orders
        self._signers = signers
        self._addresses: dict[tuple[str, int], str] = {}
        with store.reading() as session:
            self._closed, self._open = _templates(session)
            mark = session.scalars(select(CheckpointRow)).one()
            self._contract = mark.contract_id
            self._base = mark.seen_number + 1
            self._began = mark.seen_at - _SECONDS * _STAGES * -(-orders // _GROUP)
        self._platforms = [person("platform", number).address for number in range(PLATFORMS)]
        self._policies: list[str] = []

    def fill(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Adds the orders; `progress` is told how many there are by now."""
        with self._store.writing() as session:
            self._policies = _policies(session, self._platforms)
        for first in range(0, self._orders, _CHUNK):
            numbers = range(first, min(first + _CHUNK, self._orders))
            with self._store.writing() as session:
                self._add(bulk_of(session), numbers)
            progress(numbers.stop)
        with self._store.writing() as session:
            last = self._base + _STAGES * -(-self._orders // _GROUP) - 1
            final = last - 64
            session.execute(
                update(CheckpointRow).values(
                    seen_number=last, seen_hash=_hash("block", last), seen_at=self._time(last), final_number=final
                )
            )
        if self._store.engine.dialect.name == POSTGRESQL:
            with self._store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))  # as the server does by itself, a while later

    def _add(self, bulk: Bulk, numbers: range) -> None:
        blocks: dict[int, None] = {}
        orders, events = [], []
        for number in numbers:
            row, its_events = self._copy(number)
            orders.append([row[name] for name in _ORDERS])
            events += [[event[name] for name in _EVENTS] for event in its_events]
            blocks |= dict.fromkeys(event["block_number"] for event in its_events)
        bulk.insert("blocks", _BLOCKS, [self._block(number) for number in sorted(blocks)])
        bulk.insert("orders", _ORDERS, orders)
        bulk.insert("events", _EVENTS, events)
        running = [dict(zip(_ORDERS, row, strict=True)) for row in orders]
        bulk.insert("clocks", _CLOCKS, [[row[name] for name in _CLOCKS] for row in running if row["deadline"]])

    def _copy(self, number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        kinds = self._open if number >= self._orders - self._orders // _OPEN else self._closed
        template = kinds[number % len(kinds)]
        group, place = divmod(number, _GROUP)
        first = self._base + group * _STAGES
        row = dict(template.row)
        seller = self._address("seller", number // PER_SELLER, self._signers.sellers)
        buyer = self._address("buyer", number // PER_BUYER, self._signers.buyers)
        changed = {
            "buyer": buyer,
            "refund_to": buyer,
            "seller": seller,
            "pay_to": seller,
            "policy_id": self._policies[number % PLATFORMS],
            "salt": _hash("salt", number),
        }
        id_ = order_id(number)
        row |= changed | {"order_id": id_, "first_block": first, "first_log_index": place}
        events = []
        for stage, told in enumerate(template.events):
            block = first + stage
            event = told | {
                "subject": id_,
                "block_number": block,
                "log_index": place,
                "transaction_hash": _hash("transaction", block),
                "order_block": first,
                "order_log_index": place,
            }
            if told["name"] == "OrderOpened":
                fields = event["fields"]
                fields = {**fields, "terms": fields["terms"] | changed}
                row["opened_at"] = self._time(block)
                if fields["state"] == "Accepted":
                    row["accepted_at"] = self._time(block)
            else:
                fields = event["fields"]
                row[_HAPPENS[told["name"]]] = self._time(block)
            event["fields"] = json.dumps(fields, separators=(",", ":"))
            events.append(event)
        row |= {"last_block": events[-1]["block_number"], "last_log_index": place}
        if row["deadline"] is not None:
            row["deadline"] += self._time(row["last_block"]) - _last_moment(template.row)
        return row, events

    def _address(self, kind: str, number: int, signing: int) -> str:
        """Those who can sign in are spread over all the orders; each is asked for once."""
        known = self._addresses.get((kind, number))
        if known is None:
            every = max(1, self._orders // {"seller": PER_SELLER, "buyer": PER_BUYER}[kind] // signing)
            if number % every == 0 and number // every < signing:
                known = person(kind, number // every).address
            else:
                known = to_checksum_address(_hash(kind, number)[:42])
            self._addresses[kind, number] = known
        return known

    def _time(self, block: int) -> int:
        return self._began + _SECONDS * (block - self._base)

    def _block(self, number: int) -> Sequence[Any]:
        row = {
            "contract_id": self._contract,
            "number": number,
            "hash": _hash("block", number),
            "parent_hash": _hash("block", number - 1),
            "timestamp": self._time(number),
            "has_events": True,
        }
        return [row[name] for name in _BLOCKS]


def _last_moment(row: dict[str, Any]) -> int:
    return int(max(row[name] for name in _MOMENTS if row[name] is not None))


def _templates(session: Session) -> tuple[list[Template], list[Template]]:
    """The closed orders and the open ones, as the driver gives and takes them."""
    events: dict[str, list[dict[str, Any]]] = {}
    for found in session.execute(text("SELECT * FROM events ORDER BY block_number, log_index")):
        row = dict(found._mapping)
        row["fields"] = json.loads(row["fields"]) if isinstance(row["fields"], str) else row["fields"]
        events.setdefault(row["subject"], []).append(row)
    orders = [
        Template(_bulky(found._mapping), tuple(events[found.order_id]))
        for found in session.execute(text("SELECT * FROM orders ORDER BY first_block, first_log_index"))
    ]
    closed = [one for one in orders if one.row["state"] == "Closed"]
    still = [one for one in orders if one.row["state"] != "Closed"]
    return list(_interleaved(closed)), list(_interleaved(still))


def _bulky(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as `store.bulk` takes it: PostgreSQL's NUMERIC is the whole number that it holds."""
    return {str(name): int(value) if isinstance(value, Decimal) else value for name, value in row.items()}


def _interleaved(templates: Sequence[Template]) -> Iterator[Template]:
    """Mixed well: neighbours in the chain had the same fate, and everybody should have some of each."""
    yield from sorted(templates, key=lambda one: hashlib.sha256(one.row["order_id"].encode()).digest())


def _policies(session: Session, platforms: Sequence[str]) -> list[str]:
    """A policy of each platform, like the mill's but for its owner."""
    known = session.scalars(select(PolicyRow)).first()
    assert known is not None, "the mill has registered one"
    ids = []
    for platform in platforms:
        policy = replace(restore_policy(known), platform=platform)
        ids.append(id_of_policy(policy))
        columns = policy_columns(policy)
        session.add(
            PolicyRow(
                contract_id=known.contract_id,
                policy_id=ids[-1],
                review_by=known.review_by,
                retired=False,
                **columns,
            )
        )
    return ids


def main() -> None:
    """Fills the store of the command line, and says after each ten thousand how many there are."""
    url, orders, sellers, buyers = sys.argv[1], *map(int, sys.argv[2:])
    with Store.open(url) as store:
        Filler(store, orders, Signers(sellers, buyers)).fill(lambda done: print(done, flush=True))  # noqa: T201


if __name__ == "__main__":
    main()
