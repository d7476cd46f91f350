"""What is known of orders at each stage, their scores and reasons, and models as bytes."""

import hashlib
import os
import pickle
from functools import cache

import pytest

from kameng_escrow.domain.events import OrderClosed, OrderEvent
from kameng_escrow.domain.states import Outcome
from kameng_escrow.risk.errors import ModelUntrusted
from kameng_escrow.risk.orders.alerts import Thresholds, alerts, came
from kameng_escrow.risk.orders.chronicle import FEATURES, LOOKS, Chronicle, Finished, Snapshot
from kameng_escrow.risk.orders.contest import contend, surprise
from kameng_escrow.risk.orders.endings import BAD, Ending, Stage
from kameng_escrow.risk.orders.reasons import reasons
from kameng_escrow.risk.orders.saving import load, save
from kameng_escrow.risk.orders.scoring import Examples, OrderModel, Score, drift, prior_score
from kameng_escrow.simulate.result import MarketRun
from tests.unit.test_simulate_market import held


@cache
def market() -> MarketRun:
    return held(orders=320, seed=11)


def told(run: MarketRun, events: int | None = None, *, until: int = 0) -> list[Snapshot | Finished]:
    """All that a chronicle says: of so many events, and afterwards until a Unix second."""
    chronicle = Chronicle(lambda order_id: run.truths[order_id].category)
    said: list[Snapshot | Finished | None] = []
    for logged in run.events[:events]:
        said += chronicle.looks(logged.timestamp)
        said.append(chronicle.follow(logged))
    said += chronicle.looks(until)
    return [one for one in said if one is not None]


@cache
def learnt() -> tuple[OrderModel, Examples]:
    examples = Examples()
    for one in told(market()):
        examples.add(one)
    model = OrderModel.fit(examples.closed)
    assert model is not None
    return model, examples


def test_a_history_that_is_cut_off_says_the_same_of_all_that_came_before() -> None:
    whole = told(market())
    events = market().events
    for cut in (37, 400, 711):
        cut_off = told(market(), cut)
        assert cut_off == whole[: len(cut_off)]
        waited = told(market(), cut, until=events[cut].timestamp)  # nothing happens, and orders are looked at again
        assert waited == whole[: len(waited)]
        assert len(waited) >= len(cut_off)
    assert len(whole) > 600


def test_it_does_not_matter_how_often_orders_are_looked_at() -> None:
    chronicle, often = Chronicle(lambda order_id: market().truths[order_id].category), []
    clock = 0
    for logged in market().events[:300]:
        while clock and clock < logged.timestamp:
            often += chronicle.looks(clock)
            clock += 3_600
        often += chronicle.looks(logged.timestamp)
        found = chronicle.follow(logged)
        often += [] if found is None else [found]
        clock = logged.timestamp
    assert often == told(market(), 300)


def test_orders_are_looked_at_again_as_their_clock_runs() -> None:
    run = market()
    looked: dict[tuple[str, Stage], list[Snapshot]] = {}
    for one in told(run):
        if isinstance(one, Snapshot):
            looked.setdefault((one.order_id, one.stage), []).append(one)
    most = max(looked.values(), key=len)
    assert [one.values["spent"] for one in most] == [0.0, *LOOKS]
    for (order_id, stage), several in looked.items():
        first, *again = several
        assert first.is_new
        assert first.deadline is not None
        assert [one.values["spent"] for one in again] == list(LOOKS[: len(again)])
        for one, part in zip(again, LOOKS, strict=False):
            assert not one.is_new
            assert one.at == first.at + int((first.deadline - first.at) * part)
            assert one.values["deadline_in"] == first.deadline - one.at
            assert one.values["waited"] == first.values["waited"] + one.at - first.at
        left = {  # when the order left the stage: it was looked at while it was there, and each time
            Stage.Opened: run.orders[order_id].accepted_at,
            Stage.Accepted: run.orders[order_id].delivered_at,
            Stage.Delivered: run.orders[order_id].disputed_at,
        }.get(stage) or run.orders[order_id].closed_at
        assert left is not None
        due = [first.at + int((first.deadline - first.at) * part) for part in LOOKS]
        assert [one.at for one in again] == [at for at in due if at < left]


def test_every_stage_is_told_once_with_every_feature() -> None:
    snapshots = [one for one in told(market()) if isinstance(one, Snapshot) and one.is_new]
    assert all(tuple(sorted(one.values)) == tuple(sorted(FEATURES)) for one in snapshots)
    places = [(one.order_id, one.stage) for one in snapshots]
    assert len(set(places)) == len(places)
    ended = {one.order_id: one for one in told(market()) if isinstance(one, Finished)}
    assert set(ended) == set(market().orders)
    for order in market().orders.values():
        seen = ended[order.id].endings
        if order.outcome is Outcome.Intervened:
            assert set(seen.values()) == {None}
        elif order.disputed_at is not None:
            assert seen[Stage.Delivered] is Ending.Dispute
            assert ended[order.id].bad_at == order.disputed_at
        elif order.outcome in (Outcome.Undelivered, Outcome.Declined, Outcome.Refunded, Outcome.Expired):
            assert set(seen.values()) == {Ending.Seller}
        elif order.outcome is Outcome.Cancelled:
            assert set(seen.values()) == {Ending.Buyer}


def test_counts_are_of_what_happened_before() -> None:
    run, seen = market(), {}
    closings = [one for one in run.events if isinstance(one.event, OrderEvent)]
    snapshots = {(one.order_id, one.at): one for one in told(run) if isinstance(one, Snapshot) and one.is_new}
    for logged in closings:
        snapshot = snapshots.get((logged.event.order_id, logged.timestamp))
        seller = run.terms[logged.event.order_id].seller
        if snapshot is not None and snapshot.stage is Stage.Opened:
            assert snapshot.values["seller_closed_week"] == len(
                [at for at in seen.get(seller, []) if at > snapshot.at - 7 * 86_400]
            )
        if isinstance(logged.event, OrderClosed):
            seen.setdefault(seller, []).append(logged.timestamp)


def test_one_order_is_scored_as_it_is_among_many_and_endings_compete() -> None:
    model, examples = learnt()
    snapshots = [one.snapshot for one in examples.closed[:40]]
    many = model.score(snapshots)
    assert model.score([]) == []
    for score, snapshot in zip(many, snapshots, strict=True):
        one = model.score_one(snapshot)
        assert (one.buyer, one.seller, one.dispute) == pytest.approx((score.buyer, score.seller, score.dispute))
        assert 0 <= score.bad <= 1


def test_a_model_is_the_same_after_it_was_bytes_and_other_bytes_are_refused() -> None:
    model, examples = learnt()
    body, sha256 = save(model)
    snapshots = [one.snapshot for one in examples.closed[:5]]
    assert load(body, sha256).score(snapshots) == model.score(snapshots)
    with pytest.raises(ModelUntrusted, match="not those of SHA-256"):
        load(body + b"\0", sha256)
    for evil in (pickle.dumps(os.getcwd), pickle.dumps([eval]), b"cposix\nsystem\n(S'true'\ntR."):
        with pytest.raises(ModelUntrusted, match="names"):
            load(evil, hashlib.sha256(evil).hexdigest())
    for other in (b"", b"nonsense", pickle.dumps({})):
        with pytest.raises(ModelUntrusted):
            load(other, hashlib.sha256(other).hexdigest())


def test_before_there_is_a_model_the_categorys_rates_are_told() -> None:
    chronicle = Chronicle(lambda order_id: market().truths[order_id].category)
    last = None
    for logged in market().events:
        found = chronicle.follow(logged)
        last = found if isinstance(found, Snapshot) and found.stage is Stage.Accepted else last
    assert last is not None
    score = prior_score(chronicle, last)
    assert score.seller == chronicle.rate(Ending.Seller, last.category)
    assert chronicle.rate(Ending.Seller, "a new one") == pytest.approx(
        (chronicle._all.endings[Ending.Seller] + 8 * 0.08) / (chronicle.closed + 8)
    )
    assert OrderModel.fit(learnt()[1].closed[:50]) is None


def test_a_challenger_takes_over_only_where_it_is_better() -> None:
    model, examples = learnt()
    first = contend(None, examples.closed)
    assert first.new
    assert first.facts["examples"] == len(examples.closed)
    kept = contend(model, examples.closed)  # nothing has ended that it has not learnt from
    assert (kept.new, kept.model) == (False, model)
    assert surprise(model, examples.closed) < 0.7
    assert max(drift(model, [one.snapshot for one in examples.closed]).values()) < 0.01


def test_alerts_follow_their_thresholds() -> None:
    snapshot = next(one for one in told(market()) if isinstance(one, Snapshot) and one.stage is Stage.Opened)
    limits = Thresholds()

    def kinds(
        stage: Stage, buyer: float, seller: float, dispute: float, risk: float = 0.0, spent: float = 0.0
    ) -> list[str]:
        at = Snapshot(
            *(snapshot.order_id, stage, snapshot.at, snapshot.seller, snapshot.buyer, snapshot.platform),
            *(snapshot.category, snapshot.deadline, {**snapshot.values, "waited": 0.0, "spent": spent}),
        )
        score = Score(at.order_id, stage, at.at, buyer, seller, dispute)
        return [one.kind for one in alerts(at, score, limits, seller_risk=risk)]

    assert kinds(Stage.Opened, 0.0, limits.confirm_stock, 0.0) == ["confirm_stock"]
    assert kinds(Stage.Opened, 0.0, limits.confirm_stock - 0.01, 0.0) == []
    assert kinds(Stage.Delivered, 0.0, 0.9, limits.mediator) == ["mediator"]
    assert kinds(Stage.Opened, 0.0, 0.0, 0.0, limits.caution) == ["caution"]
    assert kinds(Stage.Delivered, 0.0, 0.0, 0.0, limits.caution) == []
    # While it waits, what can still be done about it is warned of; a buyer who has paid is not cautioned any more.
    assert kinds(Stage.Opened, 0.0, limits.confirm_stock, 0.0, limits.caution, 0.5) == ["confirm_stock"]
    assert kinds(Stage.Accepted, 0.0, 0.9, 0.0, limits.caution, 0.25) == ["confirm_stock"]
    assert kinds(Stage.Delivered, 0.0, 0.0, limits.mediator, 0.0, 0.75) == ["mediator"]
    ended = Finished("0x", 9, {Stage.Opened: Ending.Dispute, Stage.Disputed: Ending.Seller}, 5)
    assert came(ended) == {"confirm_stock": False, "caution": True, "stricter_policy": True, "mediator": True}
    assert came(Finished("0x", 9, {Stage.Opened: None}, 5)) == {}


def test_reasons_name_their_figures() -> None:
    model, examples = learnt()
    [one] = reasons(["seller_late_week"], {"seller_late_week": 0.314})
    assert one["zh"] == "该卖家近 7 天 31% 超时未接单或未发货"
    assert one["en"] == "the seller let clocks run out in 31% of orders in the last 7 days"
    worst = max((one.snapshot for one in examples.closed), key=lambda one: model.score_one(one).bad)
    why = reasons(model.causes(worst), worst.values)
    assert why
    assert all("{" not in one["zh"] + one["en"] for one in why)
    assert {one.value for one in BAD} == {"buyer", "seller", "dispute"}
