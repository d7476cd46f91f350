"""Many rows at once, on each database: they come out as they went in, and nothing else is touched."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import Policy
from kameng_escrow.store import Store
from kameng_escrow.store.bulk import bulk_of
from kameng_escrow.store.loading import load_orders
from kameng_escrow.store.models import ChainRow, ContractRow, EventRow, OrderRow
from kameng_escrow.store.order_rows import (
    COURSE,
    DISPUTE,
    OPENING,
    course_values,
    dispute_values,
    opening_values,
    restore_order,
)
from tests.drawn import values_of

PLACES = ("first_block", "first_log_index", "last_block", "last_log_index")
KEYS = ("contract_id", "order_id")
EVENTS = ("contract_id", "block_number", "log_index", "transaction_hash", "name", "subject", "fields", "order_block")


@pytest.fixture
def empty(store: Store) -> Store:
    """A store with a contract in it, and nothing else."""
    store.migrate()
    with store.writing() as session:
        session.add(ChainRow(chain_id=1, genesis_hash="0x"))
        session.flush()
        session.add(ContractRow(id=1, chain_id=1, address="0x", first_block=1))
    return store


def whole(order: Order, policy: Policy) -> Order:
    """With a policy exactly where there are terms."""
    return replace(order, policy=policy if order.terms else None)


@given(order=values_of(Order), later=values_of(Order), policy=values_of(Policy))
@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
def test_every_order_survives_its_row(empty: Store, order: Order, later: Order, policy: Policy) -> None:
    """As written at first, and as changed later on."""
    order, later = whole(order, policy), whole(later, policy)
    known = {one.terms.policy_id: policy for one in (order, later) if one.terms}
    with empty.writing() as session:
        bulk = bulk_of(session)
        course = (*course_values(order, bulk.values), *dispute_values(order, bulk.values))
        row = (1, order.id, *opening_values(order, bulk.values), *course, 2, 3, 4, 5)
        bulk.insert("orders", (*KEYS, *OPENING, *COURSE, *DISPUTE, *PLACES), [row])
        [found] = load_orders(session, 1, {order.id})
        assert restore_order(found, known) == order
        assert tuple(getattr(found, name) for name in PLACES) == (2, 3, 4, 5)
        course = (*course_values(later, bulk.values), *dispute_values(later, bulk.values))
        bulk.update("orders", KEYS, (*COURSE, *DISPUTE), [(1, order.id, *course)])
        [found] = load_orders(session, 1, {order.id})
        opening: dict[str, Any] = {name: getattr(order, name) for name in ("id", "terms", "policy", "payer")}
        assert restore_order(found, known) == replace(later, **opening, opened_at=order.opened_at)
        session.execute(delete(OrderRow))


def event(number: int, fields: str = "{}") -> tuple[Any, ...]:
    return (1, number, 0, f"0x{number:064x}", "OrderAccepted", f"0x{number:064x}", fields, None)


@pytest.mark.parametrize("count", [0, 1, 2, 70, 455, 4_096, 9_001])
def test_any_number_of_rows_arrives_in_its_order(empty: Store, count: int) -> None:
    with empty.writing() as session:
        bulk_of(session).insert("events", EVENTS, [event(number) for number in range(count)])
    with empty.reading() as session:
        found = session.execute(select(EventRow.block_number, EventRow.subject).order_by(EventRow.block_number)).all()
    assert [tuple(row) for row in found] == [(number, f"0x{number:064x}") for number in range(count)]


def test_only_the_named_rows_change(empty: Store) -> None:
    keys = ("contract_id", "block_number", "log_index")
    with empty.writing() as session:
        bulk = bulk_of(session)
        bulk.insert("events", EVENTS, [event(number) for number in range(10)])
        bulk.update("events", keys, ("order_block", "subject"), [(1, 3, 0, 7, "three"), (1, 5, 0, None, "five")])
        bulk.update("events", keys, ("order_block",), [])
    with empty.reading() as session:
        rows = session.execute(select(EventRow.block_number, EventRow.order_block, EventRow.subject)).all()
    changed = {row[0]: tuple(row[1:]) for row in rows if row[2] != f"0x{row[0]:064x}"}
    assert changed == {3: (7, "three"), 5: (None, "five")}


@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 1_500])
def test_only_the_named_rows_go(empty: Store, count: int) -> None:
    keys = ("contract_id", "log_index", "block_number")
    with empty.writing() as session:
        bulk = bulk_of(session)
        bulk.insert("events", EVENTS, [event(number) for number in range(2 * count + 1)])
        bulk.delete("events", keys, [(1, 0, 2 * number + 1) for number in range(count)] + [(2, 0, 0), (1, 1, 0)])
    with empty.reading() as session:
        left = session.scalars(select(EventRow.block_number).order_by(EventRow.block_number)).all()
    assert left == list(range(0, 2 * count + 1, 2))


@pytest.mark.parametrize("text", ['{"a":"tab\\tline\\nslash\\\\ quote\\""}', '{"玩家":"\\u0001"}', '{"a":null}'])
def test_json_comes_back_as_it_was(empty: Store, text: str) -> None:
    with empty.writing() as session:
        bulk_of(session).insert("events", EVENTS, [event(1, text), event(2)])
    with empty.reading() as session:
        found = session.scalars(select(EventRow.fields).order_by(EventRow.block_number)).all()
    assert found == [json.loads(text), {}]


def test_a_row_that_can_not_be_takes_all_others_with_it(empty: Store) -> None:
    """The same error from both databases, and nothing written."""
    spoiled = (*event(5)[:4], "NoEvent", *event(5)[5:])
    for rows in ([event(1), event(2), event(1)], [event(1), spoiled]):
        with pytest.raises(IntegrityError), empty.writing() as session:
            bulk_of(session).insert("events", EVENTS, rows)
        with empty.reading() as session:
            assert session.scalars(select(EventRow.block_number)).all() == []
