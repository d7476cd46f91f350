"""What the benchmarks of detectors and forecasts measure by: steps of a simulated market, and the truth about them."""

from functools import cache

from bench import risk_anomalies, risk_trends
from bench.risk_steps import steps_of
from kameng_escrow.domain.events import OrderClosed, OrderDelivered
from kameng_escrow.risk.anomalies import Kind
from kameng_escrow.simulate.market import run
from kameng_escrow.simulate.parameters import load_parameters
from kameng_escrow.simulate.result import MarketRun
from kameng_escrow.simulate.twin_venue import TwinVenue


@cache
def market() -> MarketRun:
    return run(load_parameters(overrides={"market": {"days": 30}}), orders=2_000, seed=4, venue=TwinVenue())


def test_steps_know_what_the_chain_knew_then() -> None:
    seen = 0
    for step in steps_of(market()):
        seen += 1
        order = market().orders[step.order.order_id]
        assert (step.order.delivered_at, step.order.disputed_at) == (
            order.delivered_at if order.delivered_at is not None and order.delivered_at <= step.at else None,
            order.disputed_at if order.disputed_at is not None and order.disputed_at <= step.at else None,
        )
        if step.repeats:
            assert isinstance(step.event, OrderDelivered)
    closed = sum(isinstance(step.event, OrderClosed) for step in steps_of(market()))
    assert closed == sum(order.closed_at is not None for order in market().orders.values())
    assert seen > 5_000


def test_code_reuse_is_found_wherever_the_truth_has_it() -> None:
    sellers = {attack.actors[0] for attack in market().attacks if attack.kind == "code-reuse"}
    alarms = risk_anomalies._alarms(list(steps_of(market())))
    told = {alarm.who for alarm in alarms if alarm.kind is Kind.CodeReuse}
    assert sellers <= told
    assert all(risk_anomalies._truth(market(), alarm) == "attack" for alarm in alarms if alarm.who in sellers)


def test_the_search_for_changes_is_measured_against_the_truth() -> None:
    found = risk_trends._changes(60)
    assert found["found"] >= 0.9 * found["doubled"]
    assert found["false"] <= 0.03 * found["unchanged"]
    assert found["within_its_interval"] >= 0.85
