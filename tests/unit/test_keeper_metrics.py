"""What a keeper says of itself: numbers with few labels, and honest probes."""

import json
import logging
from io import StringIO
from typing import Any

from prometheus_client import generate_latest

from kameng_escrow.keeper import AccountLow, KeeperMetrics, News, NewsKind, OrderGivenUp
from kameng_escrow.store import Backlog
from kameng_escrow.telemetry import log_to

from .test_keeper_machine import MINED, intent


def looked(metrics: KeeperMetrics, **changes: Any) -> None:
    plain: dict[str, Any] = {
        "block": 7,
        "chain_time": 1_000,
        "balance": 10**18,
        "spent": 5,
        "budget": 10**17,
        "waiting": [intent()],
        "backlog": Backlog(orders=3, oldest=940),
        "given_up": 1,
        "conditions": (),
    }
    metrics.looked(**{**plain, **changes})


def values(metrics: KeeperMetrics) -> dict[str, float]:
    lines = [line for line in generate_latest(metrics.registry).decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines) if "_created" not in name}


def test_a_look_is_in_the_numbers() -> None:
    metrics = KeeperMetrics()
    metrics.leading(True)
    looked(metrics)
    found = values(metrics)
    assert found["kameng_keeper_leader"] == 1
    assert (found["kameng_keeper_due_orders"], found["kameng_keeper_oldest_due_seconds"]) == (3, 60)
    assert (found["kameng_keeper_in_flight"], found["kameng_keeper_given_up_orders"]) == (1, 1)
    assert (found["kameng_keeper_balance_wei"], found["kameng_keeper_budget_wei"]) == (1e18, 1e17)
    looked(metrics, budget=None, backlog=Backlog(orders=0, oldest=None))
    found = values(metrics)
    assert found["kameng_keeper_budget_wei"] != found["kameng_keeper_budget_wei"]  # NaN: without limit
    assert found["kameng_keeper_oldest_due_seconds"] == 0


def test_what_happens_is_counted_under_its_step() -> None:
    metrics = KeeperMetrics()
    mined = intent().included(MINED)
    for news in (News(kind=NewsKind.Sent, intent=intent()), News(kind=NewsKind.Mined, intent=mined)):
        metrics.news(news)
    found = values(metrics)
    assert found['kameng_keeper_transactions_total{step="sent"}'] == 1
    assert found['kameng_keeper_transactions_total{step="mined"}'] == 1
    assert found['kameng_keeper_transactions_total{step="reverted"}'] == 0
    assert found["kameng_keeper_cost_wei_total"] == MINED.cost
    steps = [name for name in found if name.startswith("kameng_keeper_transactions_total")]
    assert len(steps) == 9  # and no other, whatever happens


def test_probes_are_honest() -> None:
    metrics = KeeperMetrics()
    assert metrics.alive().good
    assert not metrics.ready().good  # it has not looked yet
    metrics.leading(False)
    assert metrics.ready().good  # it stands by
    metrics.leading(True)
    assert not metrics.ready().good
    looked(metrics)
    assert metrics.ready().good
    looked(metrics, conditions=(AccountLow("0xabc", 1, 2),))
    assert not metrics.ready().good
    assert metrics.ready().details["conditions"] == ["account_low"]
    looked(metrics)
    assert metrics.ready().good


def test_what_stands_in_the_way_is_logged_once_and_counted_each_time() -> None:
    metrics = KeeperMetrics()
    stream = StringIO()
    with log_to(stream):
        for _ in range(3):
            looked(metrics, conditions=(AccountLow("0xabc", 1, 2),))
        metrics.news(News(kind=NewsKind.GivenUp, error=OrderGivenUp("0xdef", 8, "out of gas")))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["level"] for line in lines] == ["warning", "warning"]
    assert lines[0]["code"] == "account_low"
    assert "giving up" in lines[1]["message"]
    assert values(metrics)['kameng_keeper_troubles_total{code="account_low"}'] == 3
    assert not logging.getLogger("kameng_escrow").handlers
