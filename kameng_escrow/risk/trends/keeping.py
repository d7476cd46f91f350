"""Outlooks of platforms' orders in the store: made once a day is over, and kept for whoever asks."""

import logging
import threading
from collections.abc import Iterator
from typing import Final

from numpy.linalg import LinAlgError

from kameng_escrow.store import Store
from kameng_escrow.store.service import trends as rows
from kameng_escrow.store.service.order_steps import platforms_with_orders
from kameng_escrow.store.service.reputation import last_final

from .documents import outlook_json
from .outlook import Outlook, make_outlook
from .series import By, Clock, Ended, Measure, Series, make_series

_log = logging.getLogger(__name__)

DAYS: Final = 180  # that are looked back
ORIGINS: Final = 28  # days whose forecasts are tested: fewer than when somebody asks for one series
MOST: Final = {By.All: 1, By.Category: 20, By.Policy: 10, By.Seller: 10}  # series of a kind that are kept
LEAST_ORDERS: Final = 50  # of a series that is kept, but for the one of all orders


def read_series(
    store: Store,
    contract_id: int,
    platform: str,
    *,
    clock: Clock,
    by: By,
    measure: Measure,
    days: int = DAYS,
) -> list[Series]:
    """A platform's series of final orders up to the last day that is over, those with the most orders first.

    Raises `StoreError`.
    """
    ended = _read(store, contract_id, platform, clock, days)
    return _series(ended, by, measure)


def refresh_outlooks(
    store: Store, contract_id: int, *, clocks: tuple[Clock, ...] = tuple(Clock), stop: threading.Event | None = None
) -> int:
    """Makes the outlooks of one platform by one clock, where the last day that is over is not in them yet; returns how
    many.

    A worker calls it again and again, and does in between what is more urgent: each series takes about half a second of
    the processor, once a day. Zero: all are made. Raises `StoreError`.
    """
    with store.reading() as session:
        platforms = platforms_with_orders(session, contract_id)
    for platform in platforms:
        for clock in clocks:
            made = _refresh(store, contract_id, platform, clock, stop)
            if made or (stop is not None and stop.is_set()):
                return made
    return 0


def _refresh(store: Store, contract_id: int, platform: str, clock: Clock, stop: threading.Event | None) -> int:
    with store.reading() as session:
        as_of = last_final(session, contract_id)
        known = rows.last_outlook(session, contract_id, platform, str(clock))
    if as_of is None or (known is not None and known >= clock.day_of(as_of.timestamp) - 1):
        return 0
    ended = _read(store, contract_id, platform, clock, DAYS)
    outlooks: list[rows.OutlookRow] = []
    for place, outlook in _outlooks(ended):
        if stop is not None and stop.is_set():
            return 0  # half of them would look like all
        series = outlook.series
        outlooks.append(
            rows.OutlookRow(
                contract_id=contract_id,
                platform=platform,
                clock=str(clock),
                measure=str(series.measure),
                by=str(series.by),
                name=series.name,
                place=place,
                until_day=series.first_day + len(series) - 1,
                made_at=as_of.timestamp,
                document=outlook_json(outlook, clock),
            )
        )
    if outlooks:
        with store.writing() as session:
            rows.keep_outlooks(session, contract_id, platform, str(clock), outlooks)
    return len(outlooks)


def _outlooks(ended: "_Ended") -> Iterator[tuple[int, Outlook]]:
    for by, most in MOST.items():
        for measure in Measure:
            for place, series in enumerate(_series(ended, by, measure)[:most]):
                if by is not By.All and sum(series.orders) < LEAST_ORDERS:
                    continue
                try:
                    yield place, make_outlook(series, origins=ORIGINS)
                except (ArithmeticError, ValueError, LinAlgError):  # the others have theirs all the same
                    _log.exception("no outlook of %s by %s %s", measure, by, series.name)


class _Ended:
    """Orders that ended on days that are over."""

    def __init__(self, orders: list[Ended], last_day: int) -> None:
        self.orders = orders
        self.first_day = min((one.day for one in orders), default=last_day + 1)
        self.last_day = last_day


def _read(store: Store, contract_id: int, platform: str, clock: Clock, days: int) -> _Ended:
    with store.reading() as session:
        as_of = last_final(session, contract_id)
        if as_of is None:
            return _Ended([], -1)
        today = clock.day_of(as_of.timestamp)
        found = rows.ended_orders(
            session,
            contract_id,
            platform,
            offset=clock.offset,
            since=clock.starts(today - days),
            before=clock.starts(today),
        )
    orders = [
        Ended(
            day=one.day,
            outcome=one.outcome,
            disputed=one.disputed,
            category=one.category,
            seller=one.seller,
            policy=one.policy,
            count=one.count,
        )
        for one in found
    ]
    return _Ended(orders, today - 1)


def _series(ended: _Ended, by: By, measure: Measure) -> list[Series]:
    made = make_series(ended.orders, by=by, measure=measure, first_day=ended.first_day, last_day=ended.last_day)
    return list(made.values())
