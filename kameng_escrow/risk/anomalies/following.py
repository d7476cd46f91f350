"""Follows the final events of a contract in the store, and writes down the alarms that come of them."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from kameng_escrow.domain.events import OrderEvent
from kameng_escrow.store import Store
from kameng_escrow.store.event_json import from_stored
from kameng_escrow.store.service import anomalies as rows
from kameng_escrow.store.service.order_steps import OrderStep, read_steps
from kameng_escrow.store.values import Position

from .alarms import Alarm, alarm_json
from .steps import OrderFacts, Repeat, Step
from .watch import StateUnreadable, Watch
from .words import sentence

PAGE: Final = 1_000  # events that are learned from in one transaction
MOST_HELD: Final = 32  # platforms whose watches stay in memory between two pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What a look brought."""

    events: int
    raised: int  # alarms that are new
    updated: int  # alarms that were there


class AnomalyFollower:
    """Learns from what became final since it last looked. One at a time works on a contract; where another has been at
    it, it takes up from there.

    Args:
        store: of this package's schema, with the contract's mirror.
        contract_id: the contract's, in the store.
        page: events that are learned from in one transaction.
    """

    def __init__(self, store: Store, contract_id: int, *, page: int = PAGE) -> None:
        self._store = store
        self._contract_id = contract_id
        self._page = page
        self._watches: OrderedDict[str, Watch] = OrderedDict()
        self._at: Position | None = None  # up to where the watches in memory have learned

    def look(self, stop: threading.Event | None = None) -> Learned:
        """Learns from all final events that there are. Whatever happens, what was written is whole.

        Raises:
            StoreError: as `Store.writing`.
        """
        events = raised = updated = 0
        while stop is None or not stop.is_set():
            try:
                count, new, known = self._learn_page()
            except _SomebodyElseLearns:  # and writes the same: the next look goes on from where that one is
                self._forget()
                break
            except BaseException:
                self._forget()  # may have learned what was not written down
                raise
            events, raised, updated = events + count, raised + new, updated + known
            if count < self._page:
                break
        return Learned(events=events, raised=raised, updated=updated)

    # ---------------------------------------------------------------------------------------------------------- a page

    def _learn_page(self) -> tuple[int, int, int]:
        with self._store.reading() as session:
            after = rows.read_cursor(session, self._contract_id)
            if after != self._at:
                self._forget()
            final = rows.final_block(session, self._contract_id)
            steps = read_steps(session, self._contract_id, after=after, up_to=final, limit=self._page)
            if not steps:
                self._at = after
                return 0, 0, 0
            for platform in {one.platform for one in steps} - set(self._watches):
                self._watches[platform] = _taken_up(rows.read_watch(session, self._contract_id, platform))
        alarms: dict[tuple[str, str], Alarm] = {}
        for one in steps:
            self._watches.move_to_end(one.platform)
            for alarm in self._watches[one.platform].learn(step_of(one)):
                alarms[one.platform, alarm.id] = alarm
        raised = self._write(after, steps, alarms)
        self._at = steps[-1].position
        while len(self._watches) > MOST_HELD:
            self._watches.popitem(last=False)
        return len(steps), raised, len(alarms) - raised

    def _write(self, after: Position, steps: list[OrderStep], alarms: dict[tuple[str, str], Alarm]) -> int:
        raised = 0
        with self._store.writing() as session:
            if rows.read_cursor(session, self._contract_id, lock=True) != after:
                raise _SomebodyElseLearns
            for (platform, name), alarm in alarms.items():
                raised += rows.anomaly(session, self._contract_id, platform, name) is None
                rows.keep_anomalies(session, self._contract_id, platform, [_columns(alarm)])
            for platform in sorted({one.platform for one in steps}):
                state = self._watches[platform].dump()
                rows.keep_watch(session, self._contract_id, platform, state, steps[-1].at)
            rows.keep_cursor(session, self._contract_id, steps[-1].position)
        return raised

    def _forget(self) -> None:
        self._watches.clear()
        self._at = None


class _SomebodyElseLearns(Exception):
    """Another process learned from the same events in the meantime: nothing is to be written."""


def step_of(stored: OrderStep) -> Step:
    """A stored event as detectors take it, without what came later."""
    order, at = stored.order, stored.at
    event = from_stored(stored.name, order.order_id, stored.fields)
    assert isinstance(event, OrderEvent), "steps are about orders"

    def known(moment: int | None) -> int | None:
        return moment if moment is not None and moment <= at else None

    disputed_at = known(order.disputed_at)
    return Step(
        at=at,
        event=event,
        order=OrderFacts(
            order_id=order.order_id,
            buyer=order.buyer,
            refund_to=order.refund_to,
            seller=order.seller,
            pay_to=order.pay_to,
            payer=order.payer,
            token=order.token,
            price=order.price,
            units=order.units,
            platform=stored.platform,
            category=stored.category,
            title=stored.title,
            opened_at=order.opened_at,
            delivered_at=known(order.delivered_at),
            disputed_at=disputed_at,
            disputed_units=order.disputed_units if disputed_at is not None else 0,
        ),
        repeats=tuple(
            Repeat(unit=one.unit, order_id=one.order_id, seller=one.seller, was_read=one.was_read)
            for one in stored.seen
        ),
    )


def _taken_up(state: bytes | None) -> Watch:
    """A watch with what is remembered; a new one where that is of another version."""
    if state is None:
        return Watch()
    try:
        return Watch.restore(state)
    except StateUnreadable:
        return Watch()


def _columns(alarm: Alarm) -> dict[str, object]:
    english, chinese = sentence(alarm)
    return {**alarm_json(alarm), "sentence_en": english, "sentence_zh": chinese}
