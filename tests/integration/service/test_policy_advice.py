"""Reports of advice: made when they are due, kept with their time, and shown to the platform that they are about."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from kameng_escrow.domain.order import NATIVE, Order
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import State
from kameng_escrow.simulate import keeping
from kameng_escrow.simulate.advice import Advice, advise
from kameng_escrow.simulate.keeping import refresh_advice
from kameng_escrow.simulate.parameters import Parameters
from kameng_escrow.store.models import PolicyRow
from kameng_escrow.store.service import policy_advice

from ..mirrors import mirror_of
from .conftest import Service

WEEK = 7 * 86_400
LEAST = 5  # ended orders, in place of those that advice would need


class Desk:
    """Advises in this process and in small, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __call__(
        self, _: threading.Event, history: Sequence[Order], policy: Policy, priors: Parameters, **options: Any
    ) -> Advice | None:
        self.asked.append({"orders": history, "policy": policy, **options})
        return advise(history, policy, priors, **options, replays=1, orders=3)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(keeping, "ENOUGH", LEAST)
    return Desk()


@pytest.fixture
def final(service: Service) -> Service:
    mirror_of(service.world, service.store, final_depth=0).run_once()
    return service


def refresh(service: Service, desk: Desk, **options: Any) -> int:
    return refresh_advice(
        service.store, service.parts.contract_id, **{"period": WEEK, "yuan": {}, "advising": desk, **options}
    )


def path(service: Service) -> str:
    return f"/v1/platforms/{service.world.platform.address}/policy-advice"


def test_a_report_is_made_when_it_is_due_and_the_platform_compares_it(service_on_each: Service, desk: Desk) -> None:
    service = service_on_each
    world, store = service.world, service.store
    mirror_of(world, store, final_depth=0).run_once()
    assert refresh(service, desk) == 1
    [asked] = desk.asked
    history = asked["orders"]
    assert all(one.state is State.Closed and one.terms.policy_id == world.policy_id for one in history)
    assert len(history) >= LEAST
    assert [one.opened_at for one in history] == sorted(one.opened_at for one in history)
    assert refresh(service, desk) == 0  # it has just been made
    world.wait(WEEK)
    world.opened()
    mirror_of(world, store, final_depth=0).run_once()
    assert refresh(service, desk) == 0  # nothing has ended since
    world.cancelled()
    mirror_of(world, store, final_depth=0).run_once()
    assert refresh(service, desk) == 1

    client = service.signed_in(world.platform)
    page = client.get(path(service)).json()
    later, earlier = page["reports"]
    assert (page["platform"], page["before"]) == (world.platform.address, None)
    assert later["made_at"] >= earlier["made_at"] + WEEK
    assert (later["orders"], earlier["orders"]) == (len(history) + 1, len(history))
    assert (later["policy_id"], later["category"]) == (world.policy_id, None)
    assert (later["price_fen"], later["price_known"], later["enough"]) == (10_000, False, False)
    assert "历史太少" in later["basis"]["zh"]
    assert later["verdict"]["en"]
    assert {one["field"] for one in later["tried"]} >= {"deliver_window", "seller_bond_bps"}
    costs = [one["cost_fen"]["mean"] for one in later["tried"]]
    assert costs == sorted(costs)
    for one in later["tried"]:
        assert one["before"] == getattr(history[0].policy, one["field"])
        assert "→" in one["sentence"]["zh"]
    assert (later["advised"] is None) == (later["changes"] == []) == (later["effects"] == [])


def test_reports_are_read_page_by_page_and_by_policy_and_category(final: Service) -> None:
    world = final.world
    with final.store.writing() as session:
        for number, category in enumerate(("", "game-card", "game-card"), start=1):
            session.add(report(final, number, category))
        session.add(report(final, 9, "game-card", platform=world.deployer.address))
    key = final.with_key(world.platform, "records")

    def made(**query: Any) -> list[int]:
        answer = key.get(path(final), params=query)
        assert answer.status_code == 200, answer.text
        return [one["made_at"] for one in answer.json()["reports"]]

    assert made() == [3, 2, 1]
    assert made(category="game-card") == [3, 2]
    assert made(policy=world.policy_id) == [3, 2, 1]
    assert made(policy="0x" + "00" * 32) == []
    first = key.get(path(final), params={"limit": 2}).json()
    assert made(limit=2, before=first["before"]) == [1]
    [shown] = key.get(path(final), params={"before": first["before"]}).json()["reports"]
    assert shown == {**DOCUMENT, "id": 1, "made_at": 1, "policy_id": world.policy_id, "category": None}


def test_nobody_else_sees_a_platforms_reports(final: Service) -> None:
    world = final.world
    with final.store.writing() as session:
        session.add(report(final, 1, ""))
    others = [final.signed_in(who) for who in (world.mediator, world.seller, world.buyer)]
    for client in (*others, final.with_key(world.deployer, "records")):
        answer = client.get(path(final))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert final.visitor().get(path(final)).status_code == 401
    assert final.with_key(world.platform, "orders:read").get(path(final)).status_code == 403
    assert others[0].get(f"/v1/platforms/{world.mediator.address}/policy-advice").json()["reports"] == []
    client = final.signed_in(world.platform)
    for query in ({"limit": 0}, {"limit": 101}, {"before": 0}, {"policy": "0x12"}):
        assert client.get(path(final), params=query).status_code == 422, query


def test_prices_are_told_in_yuan_where_somebody_said_what_a_token_is_worth(final: Service, desk: Desk) -> None:
    orders = history_of(final)
    token = max((one.terms.token for one in orders if one.terms), key=[o.terms.token for o in orders if o.terms].count)
    prices = sorted(one.terms.price for one in orders if one.terms and one.terms.token == token)
    assert refresh(final, desk, yuan={token: 1_000}) == 1
    middle = (prices[(len(prices) - 1) // 2] + prices[len(prices) // 2]) // 2
    assert desk.asked[0]["price_fen"] == max(1, middle * 100 // 1_000)
    assert keeping.median_fen([], {NATIVE: 1}) is None
    first = orders[0]
    assert first.terms is not None
    large = [replace(first, terms=replace(first.terms, price=10**30 + more)) for more in (1, 3)]
    assert keeping.median_fen(large, {first.terms.token: 1}) == 100 * (10**30 + 2)  # no float is that exact


def test_what_fails_or_is_told_to_stop_leaves_no_report(final: Service, desk: Desk) -> None:
    def fails(*_: Any, **__: Any) -> Advice:
        raise RuntimeError("a market")

    stop = threading.Event()

    def stopped(*_: Any, **__: Any) -> None:
        stop.set()

    assert refresh(final, desk, advising=fails) == 0
    assert refresh(final, desk, advising=stopped, stop=stop) == 0
    assert refresh(final, desk, stop=stop) == 0  # and asks nobody
    assert desk.asked == []
    with final.store.writing() as session:
        session.execute(update(PolicyRow).values(retired=True))
    assert refresh(final, desk) == 0  # it takes no orders any more: there is nothing to review
    assert final.signed_in(final.world.platform).get(path(final)).json()["reports"] == []


def history_of(service: Service) -> tuple[Order, ...]:
    with service.store.reading() as session:
        [group, *_] = policy_advice.ended_groups(session, service.parts.contract_id, least=LEAST)
        return policy_advice.ended_orders_of(session, service.parts.contract_id, group, most=1_000)


def report(service: Service, number: int, category: str, platform: str = "") -> policy_advice.PolicyAdviceRow:
    return policy_advice.PolicyAdviceRow(
        contract_id=service.parts.contract_id,
        platform=platform or service.world.platform.address,
        policy_id=service.world.policy_id,
        category=category,
        made_at=number,
        until=number,
        document=DOCUMENT,
    )


WORDS = {"zh": "改", "en": "change"}
CHANGE = {"field": "deliver_window", "before": 300, "after": 1_200, "sentence": WORDS}
BETTER = {"mean": -2.5, "low": -3.0, "high": -2.0}
DOCUMENT: dict[str, Any] = {
    "orders": 200,
    "enough": True,
    "price_fen": 5_000,
    "price_known": True,
    "replays": 12,
    "seed": 1,
    "basis": WORDS,
    "verdict": WORDS,
    "changes": [CHANGE],
    "effects": [{"measure": "failed", "name": WORDS, "sentence": WORDS, **BETTER}],
    "advised": {
        "accept_window": 600,
        "deliver_window": 1_200,
        "inspect_window": 86_400,
        "negotiate_window": 86_400,
        "mediate_window": 172_800,
        "platform_fee_bps": 100,
        "cancel_fee_bps": 16_383,
        "seller_bond_bps": 2_500,
        "dispute_bond_bps": 1_000,
        "mediation_fee_bps": 300,
        "silence_share_bps": 4_000,
    },
    "warnings": [
        {"code": "short", "severity": "Notice", "field": "deliver_window", "recommended": None, "sentence": WORDS}
    ],
    "now": {
        "failed": 0.2,
        "harm_fen": 1.5,
        "refund_hours": 2.0,
        "paid_hours": 20.0,
        "frozen_fen_days": 3_000.0,
        "mediated": 0.01,
        "cost_fen": 60.5,
    },
    "tried": [{**CHANGE, "cost_fen": BETTER, "better": True}],
    "review_by": 1_800_000_000,
    "next_review_days": 90,
}
