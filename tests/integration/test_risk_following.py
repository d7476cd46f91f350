"""The risk worker: scores and warnings from the mirror's rows, models kept and mistrusted, nothing twice."""

import threading
from functools import cache

import pytest
from sqlalchemy import func, select, update

from kameng_escrow.domain.events import Logged, OrderClosed, OrderEvent
from kameng_escrow.risk.orders import following
from kameng_escrow.risk.orders.alerts import Thresholds
from kameng_escrow.risk.orders.following import RiskFollower
from kameng_escrow.risk.worker import RiskWorker
from kameng_escrow.simulate.market import run
from kameng_escrow.simulate.parameters import load_parameters
from kameng_escrow.simulate.result import MarketRun
from kameng_escrow.simulate.twin_venue import TwinVenue
from kameng_escrow.store import Store
from kameng_escrow.store.event_json import stored_fields, subject_of
from kameng_escrow.store.models import BlockRow, ChainRow, CheckpointRow, ContractRow, EventRow
from kameng_escrow.store.service import risk

CONTRACT = 1
MOST = 860  # events, of which enough orders have ended


@cache
def market() -> MarketRun:
    return run(load_parameters(), orders=320, seed=11, venue=TwinVenue())


def fill(store: Store, first: int, last: int) -> None:
    """Events of the market, as a mirror would write them, each in a block of its own."""
    with store.writing() as session:
        if first == 0:
            session.add(ChainRow(chain_id=1, genesis_hash="0x" + "00" * 32))
            session.flush()
            session.add(ContractRow(id=CONTRACT, chain_id=1, address="0x" + "11" * 20, first_block=1))
            session.flush()
        for number, logged in enumerate(market().events[first:last], start=first + 1):
            order = isinstance(logged.event, OrderEvent)
            session.add(
                BlockRow(
                    contract_id=CONTRACT,
                    number=number,
                    hash=f"0x{number:064x}",
                    parent_hash=f"0x{number - 1:064x}",
                    timestamp=logged.timestamp,
                    has_events=True,
                )
            )
            session.add(
                EventRow(
                    contract_id=CONTRACT,
                    block_number=number,
                    log_index=0,
                    transaction_hash=logged.transaction_hash,
                    name=type(logged.event).__name__,
                    subject=subject_of(logged.event),
                    fields=stored_fields(logged.event),
                    order_block=1 if order else None,
                    order_log_index=0 if order else None,
                )
            )


def count(store: Store, row: type) -> int:
    with store.reading() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


@pytest.fixture
def follower(sqlite_store: Store) -> RiskFollower:
    sqlite_store.migrate()
    fill(sqlite_store, 0, MOST)
    return RiskFollower(sqlite_store, CONTRACT, clock=lambda: 5)


def test_orders_are_scored_warned_of_and_settled(sqlite_store: Store, follower: RiskFollower) -> None:
    asked: list[str] = []
    follower._on_alert = lambda session, alert: asked.append(alert.kind)
    first = follower.look()
    assert (first.events, first.trained) == (MOST, True)  # by rates: the model comes after
    fill(sqlite_store, MOST, MOST + 60)
    second = follower.look()
    assert second.events == 60
    assert second.scored > 0
    with sqlite_store.reading() as session:
        newest = session.scalars(select(risk.RiskScoreRow).where(risk.RiskScoreRow.model_id.is_not(None))).all()
        assert newest
        assert all(0 <= row.seller + row.buyer + row.dispute <= 1.000001 for row in newest)
        warnings = session.scalars(select(risk.RiskWarningRow)).all()
        assert len(warnings) == len(asked) == first.warned + second.warned
    assert (again := follower.look()).events == again.scored == again.warned == 0
    fill(sqlite_store, MOST + 60, len(market().events))
    follower.look()
    orders = market().orders
    closed = {one.event.order_id for one in market().events if isinstance(one.event, OrderClosed)}
    with sqlite_store.reading() as session:
        for row in session.scalars(select(risk.RiskWarningRow)).all():
            order = orders[row.order_id]
            assert row.order_id in closed
            if order.outcome.label != "Intervened":
                assert row.came is not None
            if row.came and order.disputed_at is not None:
                assert row.lead_seconds == order.disputed_at - row.raised_at
        worth = {one.kind: one for one in risk.worth(session, CONTRACT)}
    assert sum(one.raised for one in worth.values()) == len(asked)


def clock(store: Store, at: int) -> None:
    """The mirror has seen a block of that time."""
    with store.writing() as session:
        row = session.get(CheckpointRow, CONTRACT)
        if row is None:
            row = CheckpointRow(contract_id=CONTRACT, seen_number=MOST, seen_hash="0x" + "00" * 32, final_number=0)
            session.add(row)
        row.seen_at = at


def test_orders_that_wait_are_scored_again_and_warned_of_later(
    sqlite_store: Store, follower: RiskFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> dict[tuple[str, str], int]:
        with sqlite_store.reading() as session:
            return {(row.order_id, row.stage): row.at for row in session.scalars(select(risk.RiskScoreRow))}

    follower.look()
    before, now = said(), market().events[MOST - 1].timestamp
    assert follower.look().again == 0  # no time has passed
    monkeypatch.setattr(following, "AGAIN", 3)
    follower._thresholds = Thresholds(confirm_stock=0.0, caution=2.0, stricter_policy=2.0, mediator=0.0)
    clock(sqlite_store, now + 7 * 86_400)
    looks = [follower.look() for _ in range(6)]
    again = [one.again for one in looks]
    assert again[0] == 3  # no more at once, however many wait
    assert again[-1] == 0
    assert {one.scored for one in looks} == {0}
    after = said()
    assert after.keys() == before.keys()
    moved = {place for place, at in after.items() if at > before[place]}
    assert len(moved) == sum(again) > 3
    assert all(now < after[place] < now + 7 * 86_400 for place in moved)
    with sqlite_store.reading() as session:
        warnings = session.scalars(select(risk.RiskWarningRow)).all()
        raised = {row.order_id: row.raised_at for row in warnings if row.raised_at > now}
    assert raised
    assert all(at in [after[place] for place in moved if place[0] == order_id] for order_id, at in raised.items())
    monkeypatch.setattr(following, "AGAIN", 500)
    other = RiskFollower(sqlite_store, CONTRACT, clock=lambda: 6).look()  # looks at all of it once more
    assert (other.events, other.scored, other.again, other.warned) == (MOST, 0, 0, 0)
    assert said() == after


def test_another_process_takes_up_the_model_and_writes_nothing_twice(
    sqlite_store: Store, follower: RiskFollower
) -> None:
    follower.look()
    before = [count(sqlite_store, row) for row in (risk.RiskScoreRow, risk.RiskWarningRow)]
    other = RiskFollower(sqlite_store, CONTRACT, clock=lambda: 6)
    assert other.look().events == MOST
    assert [count(sqlite_store, row) for row in (risk.RiskScoreRow, risk.RiskWarningRow)] == before
    assert other._model_id is not None


def test_a_broken_model_is_as_good_as_none(sqlite_store: Store, follower: RiskFollower) -> None:
    follower.look()
    with sqlite_store.writing() as session:
        session.execute(update(risk.RiskModelRow).values(body=b"cposix\nsystem\n(S'true'\ntR."))
    fill(sqlite_store, MOST, MOST + 30)
    other = RiskFollower(sqlite_store, CONTRACT, clock=lambda: 6)
    done = other.look()  # by rates, until the next model
    assert done.events == MOST + 30
    with sqlite_store.reading() as session:
        latest = session.scalars(select(risk.RiskScoreRow).order_by(risk.RiskScoreRow.at.desc()).limit(5)).all()
    assert all(row.model_id is None for row in latest)


def test_what_a_reorganisation_took_away_is_read_anew(sqlite_store: Store, follower: RiskFollower) -> None:
    follower.look()
    with sqlite_store.writing() as session:
        session.execute(update(BlockRow).where(BlockRow.number == MOST).values(hash="0x" + "ee" * 32))
    assert follower.look().events == MOST
    assert follower.look().events == 0


def test_a_reorganisation_between_two_pages_leaves_nothing_of_the_first(
    sqlite_store: Store, follower: RiskFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PAGE", 500)
    read, pages = follower._read, []

    def reading() -> tuple[list[Logged], int]:
        page, seen_at = read()
        if not pages:
            with sqlite_store.writing() as session:
                session.execute(update(BlockRow).where(BlockRow.number == 500).values(hash="0x" + "ee" * 32))
        pages.append(len(page))
        return page, seen_at

    monkeypatch.setattr(follower, "_read", reading)
    follower.look()
    assert pages == [500, 500, MOST - 500]
    undisturbed = RiskFollower(sqlite_store, CONTRACT)
    undisturbed.look()
    assert follower._chronicle.closed == undisturbed._chronicle.closed > 0


def test_a_look_that_fails_keeps_no_other_from_its_turn(sqlite_store: Store) -> None:
    sqlite_store.migrate()
    done: list[str] = []

    def fails(_: Store, stop: threading.Event) -> None:
        raise RuntimeError("a detector")

    worker = RiskWorker(sqlite_store, CONTRACT, [("bad", fails), ("good", lambda _, stop: done.append("good"))])
    assert worker.run(threading.Event(), once=True) is False
    assert done == ["good"]


def test_what_is_done_aside_keeps_no_round_waiting(sqlite_store: Store) -> None:
    sqlite_store.migrate()
    rounds, begun, stop = threading.Semaphore(0), threading.Event(), threading.Event()
    done: list[str] = []

    def aside(_: Store, told: threading.Event) -> None:
        begun.set()
        assert told.wait(60)
        done.append("aside")

    looks = [("good", lambda _, __: rounds.release())]
    worker = RiskWorker(sqlite_store, CONTRACT, looks, asides=[("long", aside)])
    thread = threading.Thread(target=worker.run, args=(stop,), kwargs={"poll_seconds": 0.01})
    thread.start()
    assert begun.wait(60)
    assert all(rounds.acquire(timeout=60) for _ in range(3))
    assert done == []
    stop.set()
    thread.join(60)
    assert done == ["aside"]  # begun once, told to stop, and waited for


def test_one_round_waits_for_what_is_done_aside(sqlite_store: Store) -> None:
    sqlite_store.migrate()

    def fails(_: Store, __: threading.Event) -> None:
        raise RuntimeError("a market")

    done: list[str] = []
    asides = [("bad", fails), ("good", lambda _, __: done.append("aside"))]
    worker = RiskWorker(sqlite_store, CONTRACT, [("look", lambda _, __: done.append("look"))], asides=asides)
    assert worker.run(threading.Event(), once=True) is False
    assert sorted(done) == ["aside", "look"]
