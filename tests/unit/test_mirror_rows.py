"""Events and orders go into the store and come out the same."""

import json
import typing
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.domain import event_values
from kameng_escrow.domain.events import Event
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import State
from kameng_escrow.store.bulk import Values
from kameng_escrow.store.event_json import (
    AMOUNTS,
    event_names,
    from_json,
    from_stored,
    stored,
    stored_fields,
    subject_of,
    to_json,
)
from kameng_escrow.store.models import OrderRow, PolicyRow
from kameng_escrow.store.order_rows import (
    COURSE,
    DISPUTE,
    OPENING,
    UNDISPUTED,
    course_values,
    dispute_values,
    opening_values,
    policy_columns,
    restore_policy,
    undisputed_values,
)
from tests.drawn import values_of

EVENTS: tuple[type[Any], ...] = typing.get_args(Event)

# Integers that stay far below 2^53, so that every reader of JSON sees the number that was written.
SMALL = {
    *("accept_window", "deliver_window", "inspect_window", "negotiate_window", "mediate_window"),
    *("platform_fee_bps", "cancel_fee_bps", "seller_bond_bps", "dispute_bond_bps", "mediation_fee_bps"),
    *("silence_share_bps", "effective_from", "review_by", "expiry", "open_by", "revision", "rights", "units"),
}


def integers_of(kind: type[Any]) -> set[str]:
    """The names of all integers in a dataclass and those inside it."""
    hints = typing.get_type_hints(kind)
    found: set[str] = set()
    for field in fields(kind):
        if is_dataclass(hints[field.name]):
            found |= integers_of(hints[field.name])
        elif hints[field.name] is int:
            found.add(field.name)
    return found


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(deadline=None)  # the first example waits for strategies to be made of the types
def test_every_event_survives_json(kind: type[Any], data: st.DataObject) -> None:
    event = data.draw(values_of(kind))
    written = json.dumps(to_json(event))
    assert from_json(kind.__name__, json.loads(written)) == event
    values = event_values.values_of(event)
    assert event_values.event_of(kind.__name__, values) == event
    text = stored(kind.__name__, values)
    assert (values[0], json.loads(text)) == (subject_of(event), stored_fields(event))
    assert len(json.loads(text)) == len(fields(kind)) - 1
    assert from_stored(kind.__name__, values[0], json.loads(text)) == event


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_integer_is_known_to_be_small_or_money(kind: type[Any]) -> None:
    assert integers_of(kind) <= SMALL | AMOUNTS
    assert not SMALL & AMOUNTS


def test_every_event_has_a_name_of_its_own() -> None:
    assert len(set(event_names())) == len(EVENTS)


def test_events_are_about_what_their_rows_are_folded_by() -> None:
    expected = {
        "order_id": {name for name in event_names() if name.startswith("Order")} - {"OperatorSet"}
        | {"MediationFeeCredited"},
        "seller": {"BondFunded", "BondWithdrawn", "PayToRegistered", "OperatorSet"},
        "account": {"Credited", "CreditPaid"},
        "policy_id": {"PolicyRegistered", "PolicyReviewed", "PolicyRetired", "FeesClaimed"},
    }
    for kind in EVENTS:
        [field] = [field for field, names in expected.items() if kind.__name__ in names]
        assert subject_of(kind(**{f.name: f.name for f in fields(kind)})) == field


policies = st.builds(Policy)


@given(policy=policies)
def test_every_policy_survives_its_columns(policy: Policy) -> None:
    columns = policy_columns(policy)
    assert columns.keys() <= set(PolicyRow.__table__.columns.keys())
    assert restore_policy(PolicyRow(**columns)) == policy


def test_every_column_of_an_order_is_written() -> None:
    """Apart from where its contract and events are, which the mirror adds."""
    order = Order(id="0x", state=State.Nothing, revision=0)
    written = dict(zip(OPENING, opening_values(order, Values("sqlite")), strict=True))
    written |= dict(zip(COURSE, course_values(order, Values("sqlite")), strict=True))
    disputed = dict(zip(DISPUTE, dispute_values(order, Values("sqlite")), strict=True))
    at_first = dict(zip(UNDISPUTED, undisputed_values(Values("sqlite")), strict=True))
    assert disputed == dict.fromkeys(DISPUTE) | at_first
    written |= disputed
    places = {"first_block", "first_log_index", "last_block", "last_log_index"}
    assert set(OrderRow.__table__.columns.keys()) == {*written, "contract_id", "order_id"} | places
