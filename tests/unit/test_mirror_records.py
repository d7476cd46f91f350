"""The mirror's fold is the domain's: the same orders, the same refusals, on histories right and wrong."""

from dataclasses import fields, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.domain.endings import ending
from kameng_escrow.domain.event_values import values_of
from kameng_escrow.domain.events import (
    Logged,
    MediationFeeCredited,
    OrderAccepted,
    OrderClosed,
    OrderDelivered,
    OrderDisputed,
    OrderEvent,
    OrderOpened,
    OrderRecommitted,
    OrderRevised,
    OrderRuled,
)
from kameng_escrow.domain.fold import BrokenHistory, WrongShares, fold
from kameng_escrow.domain.lifecycle import ending_of, mediator_now, negotiation_end
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import NO_CANCEL
from kameng_escrow.domain.shares import bps, held, undisputed
from kameng_escrow.domain.states import Fault, Outcome, State
from kameng_escrow.mirror.memory import Memory
from kameng_escrow.mirror.records import Record, new_record
from tests.unit.histories import COMMITMENT, EVIDENCE, GROUNDS, MEDIATOR, OPENED, ORDER, PAYER, POLICY, POLICY_ID, TERMS

BLANK = Order(id=ORDER, state=State.Nothing, revision=0)
FIRST = (7, 3)


@st.composite
def events(draw: st.DrawFn, order: Order, now: int) -> OrderEvent:
    """An event that may follow, or looks like one."""
    usual = USUAL.get(order.state, ())
    kind = draw(st.sampled_from(usual)) if usual and draw(st.integers(0, 9)) else draw(st.sampled_from(list(FORMS)))
    event: OrderEvent = FORMS[kind](draw, order, now)
    if draw(st.integers(0, 9)) == 0:  # one in ten is spoiled
        name = draw(st.sampled_from([field.name for field in fields(event)]))
        value = getattr(event, name)
        if isinstance(value, int) and not isinstance(value, State | Outcome | Fault):
            event = replace(event, **{name: max(0, value + draw(st.sampled_from([-1, 1])))})  # type: ignore[arg-type]
        elif isinstance(value, State | Outcome | Fault):
            event = replace(event, **{name: draw(st.sampled_from(type(value)))})  # type: ignore[arg-type]
    return event


def opened(draw: st.DrawFn, _: Order, __: int) -> OrderOpened:
    state = draw(st.sampled_from([State.Opened, State.Accepted]))
    policy_id = draw(st.sampled_from([POLICY_ID, POLICY_ID, POLICY_ID, GROUNDS]))
    return OrderOpened(order_id=ORDER, terms=replace(TERMS, policy_id=policy_id), payer=PAYER, state=state)


def disputed(draw: st.DrawFn, order: Order, _: int) -> OrderDisputed:
    units = draw(st.integers(1, TERMS.units))
    paid = undisputed(POLICY, price=TERMS.price, units=TERMS.units, disputed_units=units)
    after = replace(order, terms=TERMS, policy=POLICY, state=State.Disputed, disputed_units=units)
    return OrderDisputed(
        order_id=ORDER,
        units=units,
        evidence=EVIDENCE,
        dispute_bond=held(after).dispute_bond,
        to_seller=paid.to_seller,
        platform_fee=paid.platform_fee,
        bond_returned=paid.bond_returned,
    )


def credited(_: st.DrawFn, order: Order, now: int) -> MediationFeeCredited:
    amount = held(order).amount if order.policy else 1
    mediator = mediator_now(order, now) or MEDIATOR
    fee = bps(amount, POLICY.mediation_fee_bps)
    return MediationFeeCredited(order_id=ORDER, mediator=mediator, token=TERMS.token, fee=fee)


def ruled(draw: st.DrawFn, order: Order, now: int) -> OrderRuled:
    award = draw(st.integers(0, held(order).amount if order.policy else 1))
    return OrderRuled(order_id=ORDER, mediator=mediator_now(order, now) or MEDIATOR, to_buyer=award, grounds=GROUNDS)


def closed(draw: st.DrawFn, order: Order, _: int) -> OrderClosed:
    possible = [outcome for outcome in Outcome if ending_of(order.state, outcome)] or list(Outcome)[1:]
    outcome = Outcome.Ruled if order.awarded is not None else draw(st.sampled_from(possible))
    most = held(order).amount if order.policy and order.state.is_open else 0
    award = order.awarded if order.awarded is not None else draw(st.sampled_from([0, most // 3, most]))
    try:
        end = ending(order, outcome, award)
        fault, paid = end.fault, end.shares
    except ValueError:
        fault, paid = Fault.Nobody, undisputed(POLICY, price=TERMS.price, units=TERMS.units, disputed_units=1)
    return OrderClosed(
        order_id=ORDER,
        outcome=outcome,
        fault=draw(st.sampled_from([fault] * 4 + list(Fault))),
        to_buyer=paid.to_buyer,
        to_seller=paid.to_seller,
        platform_fee=paid.platform_fee,
        bond_returned=paid.bond_returned,
    )


FORMS: dict[str, Any] = {
    "opened": opened,
    "accepted": lambda *_: OrderAccepted(order_id=ORDER),
    "delivered": lambda *_: OrderDelivered(order_id=ORDER, commitment=COMMITMENT),
    "disputed": disputed,
    "credited": credited,
    "ruled": ruled,
    "closed": closed,
    "revised": lambda _, order, __: OrderRevised(order_id=ORDER, revision=order.revision + 1),
    "recommitted": lambda _, order, __: OrderRecommitted(
        order_id=ORDER, revision=order.revision + 1, commitment=COMMITMENT
    ),
}

USUAL = {
    State.Nothing: ["opened"],
    State.Opened: ["accepted", "accepted", "closed", "revised"],
    State.Accepted: ["delivered", "delivered", "closed"],
    State.Delivered: ["closed", "closed", "disputed"],
    State.Disputed: ["closed", "ruled", "credited", "recommitted"],
}


def times(order: Order, now: int) -> list[int]:
    """When things change, and the seconds around it."""
    marks = [now, now + 1, TERMS.open_by, order.deadline, negotiation_end(order)]
    return [mark + shift for mark in marks if mark is not None for shift in (-1, 0, 1) if mark + shift >= now]


@given(data=st.data(), no_cancel=st.booleans())
@settings(max_examples=500, deadline=None)
def test_records_fold_as_the_domain_does(data: st.DataObject, no_cancel: bool) -> None:
    policies = {POLICY_ID: replace(POLICY, cancel_fee_bps=NO_CANCEL) if no_cancel else POLICY}
    order, now = BLANK, OPENED - 10
    record = new_record(ORDER, FIRST)
    for number in range(data.draw(st.integers(1, 8))):
        now = data.draw(st.sampled_from(times(order, now)))
        logged = Logged(
            event=data.draw(events(order, now)),
            block_number=10 + number,
            block_hash=GROUNDS,
            timestamp=now,
            transaction_hash=GROUNDS,
            log_index=number,
        )
        told = expected(order, logged, policies)
        if isinstance(told, Order):
            advance(record, logged, policies)
            assert record.order() == told
            assert (record.first, record.last) == (FIRST, (10 + number, number))
            order = told
        else:
            assert refusal(record, logged, policies) == told
            assert record.order() == order


def expected(order: Order, logged: Logged, policies: Any) -> Order | tuple[type[Exception], str]:
    try:
        return fold(order, logged, policies)
    except (BrokenHistory, WrongShares) as error:
        return type(error), str(error)


def advance(record: Record, logged: Logged, policies: Any) -> None:
    place = logged.block_number, logged.log_index
    record.advance(type(logged.event).__name__, values_of(logged.event), place, logged.timestamp, policies)


def refusal(record: Record, logged: Logged, policies: Any) -> tuple[type[Exception], str]:
    try:
        advance(record, logged, policies)
    except (BrokenHistory, WrongShares) as error:
        return type(error), str(error)
    raise AssertionError(f"folded what the domain refuses: {logged}")


def test_a_new_record_is_an_order_of_which_nothing_is_known() -> None:
    assert new_record(ORDER, FIRST).order() == BLANK


# -------------------------------------------------------------------------------------------------------------- memory


def remembered(order_id: str, deadline: int | None) -> Record:
    state = State.Closed if deadline is None else State.Opened
    return Record.of(Order(id=order_id, state=state, revision=0, deadline=deadline), FIRST, FIRST, known=True)


def test_memory_is_of_one_block() -> None:
    memory = Memory()
    with memory.of("0xa"):
        memory.moved("0xb", {"1": remembered("1", 5)})
    with memory.of("0xb") as known:
        assert set(known.orders) == {"1"}
        memory.moved("0xc", {})
    with memory.of("0xb") as known:  # rolled back, or another store
        assert known.orders == {}


def test_memory_of_what_was_not_committed_is_none() -> None:
    memory = Memory()
    with memory.of("0xa"):
        memory.moved("0xb", {"1": remembered("1", 5)})
    try:
        with memory.of("0xb") as known:
            known.orders["1"].deadline = 99
            raise RuntimeError
    except RuntimeError:
        pass
    with memory.of("0xb") as known:
        assert known.orders == {}


def test_memory_keeps_the_open_orders_that_changed_last() -> None:
    memory = Memory(limit=2)
    with memory.of("0xa"):
        memory.moved("0xb", {name: remembered(name, 5) for name in "123"})
    with memory.of("0xb") as known:
        assert list(known.orders) == ["2", "3"]
        memory.moved("0xc", {"2": known.orders["2"], "4": remembered("4", 5), "3": remembered("3", None)})
    assert list(memory.orders) == ["2", "4"]
