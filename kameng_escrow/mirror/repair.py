"""Puts right what an audit found wrong: mirrors the chain anew beside the store, and copies what differs.

Rows are a pure fold of the chain, so a fresh mirror up to the same block has what they should be. Only rows that differ
are touched, in one transaction and under a leader's term, so that readers see the store before or after. What the
outbox has told of events that never were is retracted, and events that were left out are told of.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Table, delete, insert, select, tuple_
from sqlalchemy.orm import Session

from kameng_escrow.store import Leadership, Store, StoreBusy
from kameng_escrow.store.models import (
    BalanceRow,
    BlockRow,
    CheckpointRow,
    ClockRow,
    ContractRow,
    EventRow,
    OperatorRow,
    OrderRow,
    OutboxRow,
    PayToRow,
    PolicyRow,
)
from kameng_escrow.store.types import Label

from .enrol import Target
from .errors import NodeInconsistent
from .follow import ROLE, OnProgress
from .outbox import now_ms
from .replay import replayed
from .source import ChainSource
from .writing import locked_checkpoint

_FOLDED = (EventRow, PolicyRow, OrderRow, ClockRow, BalanceRow, OperatorRow, PayToRow)  # what the chain alone decides
_PART = 500  # rows in a statement

_Row = TypeVar("_Row")
Place = tuple[int, int]  # block number, log index


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What was done to one table."""

    added: int
    changed: int
    removed: int

    @property
    def total(self) -> int:
        return self.added + self.changed + self.removed


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """What a repair did."""

    block: int  # up to which the chain was mirrored anew
    tables: Mapping[str, Changes]  # by name; those without changes included
    told: int  # entries that the outbox lacked
    retracted: int  # entries of the outbox that told of what never was

    @property
    def changes(self) -> int:
        """Rows that were wrong."""
        return sum(changes.total for changes in self.tables.values())


def repair(
    store: Store,
    source: ChainSource,
    target: Target,
    *,
    stop: threading.Event | None = None,
    progress: OnProgress | None = None,
) -> RepairReport:
    """Brings every row of a mirrored contract to what the chain says, as of the block that was seen.

    Args:
        stop: once set, the repair is given up, with nothing changed.
        progress: called while the chain is read.

    Raises:
        StoreBusy: another process mirrors the contract: stop it first.
        NodeInconsistent: the node has another block there than was mirrored: mirror first.
        As `Mirror.run_once`.
    """
    stop = stop or threading.Event()
    with Leadership(store, ROLE, f"{target.chain_id}:{target.address}") as leadership:
        term = leadership.take()
        if term is None:
            raise StoreBusy(
                "Another process mirrors this contract, and would write over what is repaired: stop it, repair, and "
                "start it again."
            )
        contract_id, mark = _mark(store, target)
        seen = source.header(mark.seen_number)
        if seen is None or seen.hash != mark.seen_hash:
            raise NodeInconsistent(
                f"The node has another block {mark.seen_number} than was mirrored: mirror again, then repair."
            )
        with replayed(source, target, seen, stop=stop, progress=progress) as fresh:
            fresh_id, _ = _mark(fresh, target)
            with fresh.reading() as true, store.under(term).writing() as session:
                locked_checkpoint(session, contract_id, mark.seen_number, mark.seen_hash)
                return _Copy(session, contract_id, true, fresh_id).run(seen.number)


class _Copy:
    """Copies what differs from the fresh store's rows into the store's."""

    def __init__(self, session: Session, contract_id: int, true: Session, true_id: int) -> None:
        self._session = session
        self._contract_id = contract_id
        self._true = true
        self._true_id = true_id

    def run(self, block: int) -> RepairReport:
        untrue, untold = self._places()
        retracted = self._retract(untrue)
        tables = {model.__tablename__: self._table(model.__table__) for model in _FOLDED}
        tables[BlockRow.__tablename__] = self._table(BlockRow.__table__, only=BlockRow.__table__.c.has_events)
        return RepairReport(block=block, tables=tables, told=self._tell(untold), retracted=retracted)

    def _places(self) -> tuple[dict[Place, Any], set[Place]]:
        """Events as they are here and not on the chain, by place, and the places of those the other way round."""
        wrong: dict[Place, Any] = {}
        missing: set[Place] = set()
        for key, here, there in self._differences(EventRow.__table__):
            place = (key[0], key[1])
            if here is not None:
                wrong[place] = here
            if there is not None:
                missing.add(place)
        return wrong, missing

    def _table(self, table: Any, only: Any = None) -> Changes:
        added: list[dict[str, Any]] = []
        changed: list[dict[str, Any]] = []
        removed: list[tuple[Any, ...]] = []
        for key, here, there in self._differences(table, only):
            if there is None:
                removed.append(key)
                continue
            (added if here is None else changed).append(there)
            if here is not None:
                removed.append(key)
        keys = _keys(table)
        for gone in _parts(removed):
            self._session.execute(
                delete(table).where(table.c.contract_id == self._contract_id, tuple_(*keys).in_(gone))
            )
        for rows in _parts([{"contract_id": self._contract_id, **row} for row in (*added, *changed)]):
            self._session.execute(insert(table), rows)
        return Changes(added=len(added), changed=len(changed), removed=len(removed) - len(changed))

    def _differences(
        self, table: Any, only: Any = None
    ) -> Iterator[tuple[tuple[Any, ...], dict[str, Any] | None, dict[str, Any] | None]]:
        """Rows that are not the same here and there, with their keys; None where there is none."""
        here, there = (
            self._rows(session, table, contract_id, only)
            for session, contract_id in ((self._session, self._contract_id), (self._true, self._true_id))
        )
        yield from _merge(here, there)

    def _rows(
        self, session: Session, table: Any, contract_id: int, only: Any
    ) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
        columns = [column for column in table.columns if column.name != "contract_id"]
        keys = [column.name for column in _keys(table)]
        query = select(*columns).where(table.c.contract_id == contract_id)
        if only is not None:
            query = query.where(only)
        if any(isinstance(key.type, Label) for key in _keys(table)):  # a server sorts words by a language's rules
            found = session.execute(query).mappings()
            yield from sorted(((tuple(row[key] for key in keys), dict(row)) for row in found), key=_first)
            return
        streamed = session.execute(query.order_by(*_keys(table)).execution_options(yield_per=1_000))
        for row in streamed.mappings():
            yield tuple(row[key] for key in keys), dict(row)

    def _retract(self, wrong: Mapping[Place, Any]) -> int:
        """Takes back what was told of events that are not on the chain, the last first."""
        standing = [
            row
            for part in _parts(sorted(wrong))
            for row in self._session.scalars(
                select(OutboxRow)
                .where(OutboxRow.contract_id == self._contract_id)
                .where(tuple_(OutboxRow.block_number, OutboxRow.log_index).in_(part))
                .where(OutboxRow.retracts.is_(None), OutboxRow.retracted_by.is_(None))
            )
        ]
        for row in sorted(standing, key=lambda row: -row.id):
            said = wrong[row.block_number, row.log_index]
            block = self._session.get(BlockRow, (self._contract_id, row.block_number))
            row.withdrawn = {
                "block_hash": block.hash if block else "",
                "transaction_hash": said["transaction_hash"],
                "timestamp": block.timestamp if block else 0,
                "fields": said["fields"],
            }
            retraction = OutboxRow(
                contract_id=self._contract_id,
                order_id=row.order_id,
                name=row.name,
                block_number=row.block_number,
                log_index=row.log_index,
                retracts=row.id,
                created_ms=now_ms(),
                withdrawn=row.withdrawn,
            )
            self._session.add(retraction)
            self._session.flush()
            row.retracted_by = retraction.id
        self._session.flush()
        return len(standing)

    def _tell(self, places: set[Place]) -> int:
        """Adds the fresh mirror's entries about these events."""
        columns = [column for column in OutboxRow.__table__.columns if column.name not in ("id", "contract_id")]
        told = 0
        for part in _parts(sorted(places)):
            query = (
                select(*columns)
                .where(OutboxRow.contract_id == self._true_id)
                .where(tuple_(OutboxRow.block_number, OutboxRow.log_index).in_(part))
                .order_by(OutboxRow.id)
            )
            rows = [{**row, "contract_id": self._contract_id} for row in self._true.execute(query).mappings()]
            if rows:
                self._session.execute(insert(OutboxRow), rows)
            told += len(rows)
        return told


def _mark(store: Store, target: Target) -> tuple[int, CheckpointRow]:
    with store.reading() as session:
        found = session.scalar(select(ContractRow.id).filter_by(chain_id=target.chain_id, address=target.address))
        mark = session.get_one(CheckpointRow, found)
        session.expunge(mark)
        return mark.contract_id, mark


def _keys(table: Table) -> list[Any]:
    return [column for column in table.primary_key.columns if column.name != "contract_id"]


def _first(pair: tuple[tuple[Any, ...], Any]) -> tuple[Any, ...]:
    return pair[0]


def _merge(
    here: Iterator[tuple[tuple[Any, ...], dict[str, Any]]], there: Iterator[tuple[tuple[Any, ...], dict[str, Any]]]
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any] | None, dict[str, Any] | None]]:
    """Two lists sorted by the same keys, side by side; rows that are the same on both are left out."""
    left, right = next(here, None), next(there, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left[0] < right[0]):
            assert left is not None
            yield left[0], left[1], None
            left = next(here, None)
        elif left is None or right[0] < left[0]:
            yield right[0], None, right[1]
            right = next(there, None)
        else:
            if left[1] != right[1]:
                yield left[0], left[1], right[1]
            left, right = next(here, None), next(there, None)


def _parts(items: Sequence[_Row]) -> Iterator[list[_Row]]:
    left = iter(items)
    while part := list(islice(left, _PART)):
        yield part
