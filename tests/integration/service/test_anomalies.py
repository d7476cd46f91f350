"""Alarms and outlooks: learned from the store, kept in it, and shown to the platform that they are about."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from kameng_escrow.cli.entry import run
from kameng_escrow.domain.states import Outcome
from kameng_escrow.risk.anomalies import Kind, Severity
from kameng_escrow.risk.anomalies.following import AnomalyFollower, step_of
from kameng_escrow.risk.trends import Clock, make_outlook
from kameng_escrow.risk.trends.documents import outlook_json
from kameng_escrow.risk.trends.keeping import refresh_outlooks
from kameng_escrow.store import Store
from kameng_escrow.store.models import EventRow, OrderRow
from kameng_escrow.store.service import anomalies, deliveries, trends
from kameng_escrow.store.service.order_steps import LEARNED, platforms_with_orders, read_steps
from kameng_escrow.store.values import Position
from tests.unit.test_trends import drawn

from ..mirrors import mirror_of
from .conftest import Service

START = Position(block_number=-1, log_index=-1)


def settle(service: Service) -> None:
    """All that happened is final."""
    mirror_of(service.world, service.store, final_depth=0).run_once()


@pytest.fixture
def final(service: Service) -> Service:
    settle(service)
    return service


def alarm(number: int, **changes: Any) -> dict[str, Any]:
    plain = {
        "id": f"alm_{number:026x}",
        "kind": "velocity",
        "role": "seller",
        "who": "0x" + f"{number:040d}",
        "about": "",
        "severity": "medium",
        "since": 1_000 + number,
        "raised_at": 2_000 + number // 2,
        "updated_at": 3_000 + number,
        "findings": 1,
        "with_whom": [],
        "orders": ["0x" + "ab" * 32],
        "numbers": {"orders_in_an_hour": 12, "expected": 1.5},
        "sentence_en": "Twelve orders.",
        "sentence_zh": "十二笔订单。",
    }
    return {**plain, **changes}


def keep(service: Service, *alarms: dict[str, Any], platform: str = "") -> None:
    with service.store.writing() as session:
        whose = platform or service.world.platform.address
        anomalies.keep_anomalies(session, service.parts.contract_id, whose, alarms)


def path(service: Service, what: str = "anomalies") -> str:
    return f"/v1/platforms/{service.world.platform.address}/{what}"


# ----------------------------------------------------------------------------------------------------------- following


def test_a_follower_learns_each_final_event_once_and_remembers(service_on_each: Service) -> None:
    service = service_on_each
    store, contract_id = service.store, service.parts.contract_id
    settle(service)
    with store.reading() as session:
        all_of_them = session.scalar(select(func.count()).where(EventRow.name.in_(LEARNED)))
        [platform] = platforms_with_orders(session, contract_id)
    follower = AnomalyFollower(store, contract_id, page=7)
    assert follower.look().events == all_of_them
    assert follower.look().events == 0
    with store.reading() as session:
        cursor, state = (
            anomalies.read_cursor(session, contract_id),
            anomalies.read_watch(session, contract_id, platform),
        )
    service.world.cancelled()
    settle(service)
    assert AnomalyFollower(store, contract_id).look().events == 2  # another process: opened, closed
    with store.reading() as session:
        assert anomalies.read_cursor(session, contract_id) > cursor
        told_apart = anomalies.read_watch(session, contract_id, platform)
    with store.writing() as session:
        anomalies.forget_watches(session, contract_id)
    assert AnomalyFollower(store, contract_id).look().events == all_of_them + 2
    with store.reading() as session:
        assert anomalies.read_watch(session, contract_id, platform) == told_apart != state


def test_nothing_is_learned_that_is_not_final(service: Service) -> None:
    mirror_of(service.world, service.store, final_depth=10**6).run_once()
    with service.store.reading() as session:
        final = anomalies.final_block(session, service.parts.contract_id)
        events = session.scalar(select(func.count()).where(EventRow.name.in_(LEARNED), EventRow.block_number <= final))
    assert AnomalyFollower(service.store, service.parts.contract_id).look().events == events


def test_a_page_that_can_not_be_written_is_learned_again(final: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    store, contract_id = final.store, final.parts.contract_id
    platform = final.world.platform.address
    follower = AnomalyFollower(store, contract_id, page=5)

    def broken(*_: object) -> None:
        raise RuntimeError("the disk")

    with monkeypatch.context() as patch:
        patch.setattr(anomalies, "keep_cursor", broken)
        with pytest.raises(RuntimeError, match="the disk"):
            follower.look()
    with store.reading() as session:
        assert anomalies.read_cursor(session, contract_id) == START
        assert anomalies.read_watch(session, contract_id, platform) is None
    assert follower.look().events > 5
    with store.reading() as session:
        first = anomalies.read_watch(session, contract_id, platform)
    with store.writing() as session:
        anomalies.forget_watches(session, contract_id)
    AnomalyFollower(store, contract_id).look()
    with store.reading() as session:
        assert anomalies.read_watch(session, contract_id, platform) == first


def test_a_memory_of_another_version_begins_anew(final: Service) -> None:
    store, contract_id = final.store, final.parts.contract_id
    with store.writing() as session:
        anomalies.keep_watch(session, contract_id, final.world.platform.address, b'{"version": 0}', 1)
    assert AnomalyFollower(store, contract_id).look().events > 0


def test_a_step_tells_nothing_of_what_came_later(final: Service) -> None:
    with final.store.reading() as session:
        stored = read_steps(session, final.parts.contract_id, after=START, up_to=10**9, limit=10_000)
        steps = [step_of(one) for one in stored]
        rows = {row.order_id: row for row in session.scalars(select(OrderRow))}
    assert len(steps) == len(stored) > 20
    for step in steps:
        order, row = step.order, rows[step.order.order_id]
        assert (order.buyer, order.seller, order.price, order.payer) == (row.buyer, row.seller, row.price, row.payer)
        assert order.platform == final.world.platform.address
        assert order.category == row.policy_id  # no listing is known of it
        assert all(time is None or time <= step.at for time in (order.delivered_at, order.disputed_at))
    opened = next(step for step in steps if step.order.order_id == final.id_of(final.orders[Outcome.Ruled]))
    assert (opened.order.delivered_at, opened.order.disputed_units) == (None, 0)


def store_codes(
    store: Store, contract_id: int, order_id: str, commitment: str, prints: list[bytes], *, read: bool
) -> None:
    with store.writing() as session:
        row, _ = deliveries.store_delivery(
            session,
            contract_id=contract_id,
            order_id=order_id,
            commitment=commitment,
            root="0x" + "01" * 32,
            payload_hash="0x" + "02" * 32,
            payload=b"sealed",
            account="0x" + "00" * 20,
            now=1,
        )
        deliveries.keep_fingerprints(session, row.id, "key", prints)
        if read:
            deliveries.mark_read(session, row.id, 2)


def test_the_same_code_in_two_deliveries_raises_an_alarm_with_both_orders(final: Service) -> None:
    store, contract_id = final.store, final.parts.contract_id
    with store.reading() as session:
        rows = session.scalars(
            select(OrderRow)
            .where(OrderRow.commitment.is_not(None))
            .order_by(OrderRow.delivered_at, OrderRow.first_block)
        ).all()
        found = {row.order_id: row.commitment for row in rows if row.delivered_at is not None}
    (first, of_first), *_, (last, of_last) = found.items()
    store_codes(store, contract_id, first, str(of_first), [b"a" * 16, b"b" * 16], read=True)
    store_codes(store, contract_id, last, str(of_last), [b"c" * 16, b"b" * 16], read=False)
    AnomalyFollower(store, contract_id).look()
    with store.reading() as session:
        page = anomalies.anomalies(session, contract_id, final.world.platform.address, kinds=[Kind.CodeReuse])
    [alarm_] = page.anomalies
    assert (alarm_.severity, alarm_.orders) == (Severity.High, [first, last])
    assert alarm_.numbers["codes_again"] == 1
    assert "此前已出现在另外 1 笔订单中，且已被买家读取" in alarm_.sentence_zh


# ---------------------------------------------------------------------------------------------------------------- HTTP


def test_a_platform_reads_its_own_alarms_page_by_page(final: Service) -> None:
    keep(final, *(alarm(number) for number in range(5)))
    keep(final, alarm(9), platform=final.world.deployer.address)
    client = final.signed_in(final.world.platform)
    answer = client.get(path(final), params={"limit": 2})
    assert answer.status_code == 200
    first = answer.json()
    assert [one["id"] for one in first["anomalies"]] == [alarm(4)["id"], alarm(3)["id"]]
    assert first["learned_to_block"] is None
    names, cursor = [one["id"] for one in first["anomalies"]], first["cursor"]
    while cursor is not None:
        page = client.get(path(final), params={"limit": 2, "cursor": cursor}).json()
        names, cursor = names + [one["id"] for one in page["anomalies"]], page["cursor"]
    assert names == [alarm(number)["id"] for number in (4, 3, 2, 1, 0)]
    same = client.get(path(final), params={"limit": 2}, headers={"If-None-Match": answer.headers["ETag"]})
    assert same.status_code == 304


def test_alarms_are_chosen_by_kind_severity_subject_and_time(final: Service) -> None:
    keep(
        final,
        alarm(0),
        alarm(1, kind="price", severity="low", numbers={"unit_price": "1" * 30}),
        alarm(2, kind="ring", severity="high", about="round", with_whom=["0x" + "11" * 20]),
    )
    key = final.with_key(final.world.platform, "records")

    def names(**query: Any) -> list[int]:
        found = key.get(path(final), params=query).json()["anomalies"]
        return [int(one["id"][4:], 16) for one in found]

    assert names() == [2, 1, 0]
    assert names(kind=["price", "ring"]) == [2, 1]
    assert names(severity="high") == [2]
    assert names(who=alarm(1)["who"]) == [1]
    assert names(updated_since=3_001) == [2, 1]
    [shown] = key.get(path(final), params={"kind": "price"}).json()["anomalies"]
    assert (shown["numbers"]["unit_price"], shown["about"]) == ("1" * 30, None)
    assert shown["since"] == "1970-01-01T00:16:41Z"


def test_nobody_else_sees_a_platforms_alarms_and_outlooks(final: Service) -> None:
    others = [final.signed_in(who) for who in (final.world.mediator, final.world.seller, final.world.buyer)]
    for client in (*others, final.with_key(final.world.deployer, "records")):
        for what in ("anomalies", "trends"):
            answer = client.get(path(final, what))
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert others[0].get(f"/v1/platforms/{final.world.mediator.address}/anomalies").json()["anomalies"] == []


def test_what_makes_no_sense_is_refused(final: Service) -> None:
    client = final.signed_in(final.world.platform)
    for query in ({"cursor": "5"}, {"cursor": "x-alm_1"}, {"kind": "other"}, {"limit": 0}, {"limit": 201}):
        assert client.get(path(final), params=query).status_code == 422, query
    assert client.get("/v1/platforms/0x12/anomalies").status_code == 422


def test_outlooks_are_made_once_a_day_and_served(service_on_each: Service) -> None:
    service = service_on_each
    settle(service)
    store, contract_id = service.store, service.parts.contract_id
    clock = Clock.Shanghai
    made = refresh_outlooks(store, contract_id, clocks=(clock,))
    assert made >= 2  # cancellations and disputes of all orders
    assert refresh_outlooks(store, contract_id, clocks=(clock,)) == 0
    with store.reading() as session:
        ended = trends.ended_orders(
            session, contract_id, service.world.platform.address, offset=clock.offset, since=0, before=2**40
        )
        closed = session.scalar(select(func.count()).where(OrderRow.closed_at.is_not(None)))
    assert sum(one.count for one in ended) == closed
    client = service.signed_in(service.world.platform)
    [found] = client.get(path(service, "trends"), params={"clock": "Asia/Shanghai"}).json()["outlooks"]
    days = [one for one in ended if one.day <= clock.day_of(service.parts.marks().seen_at) - 1]
    assert sum(found["orders"]) == sum(one.count for one in days)
    assert (found["by"], found["name"], found["measure"]) == ("all", "", "cancelled")
    assert found["remarks_zh"]
    assert client.get(path(service, "trends"), params={"clock": "UTC"}).json()["outlooks"] == []


def test_an_outlook_makes_way_for_the_next_days(final: Service) -> None:
    store, contract_id = final.store, final.parts.contract_id
    assert refresh_outlooks(store, contract_id, clocks=(Clock.Utc,)) >= 2
    platform = final.world.platform.address
    with store.reading() as session:
        until = trends.last_outlook(session, contract_id, platform, "UTC")
    final.world.wait(86_400)
    final.world.cancelled()
    settle(final)
    assert refresh_outlooks(store, contract_id, clocks=(Clock.Utc,)) >= 2
    with store.reading() as session:
        assert trends.last_outlook(session, contract_id, platform, "UTC") == (until or 0) + 1
        rows = trends.outlooks(session, contract_id, platform, clock="UTC", measure="cancelled", by="all")
    assert len(rows) == 1
    assert final.parts.marks().seen_at >= rows[0].made_at


def test_an_outlook_is_served_with_all_that_it_has(final: Service) -> None:
    platform, contract_id = final.world.platform.address, final.parts.contract_id
    document = outlook_json(make_outlook(drawn(2, 60, 60, 0.1, change=35), origins=5), Clock.Utc)
    row = trends.OutlookRow(
        contract_id=contract_id,
        platform=platform,
        clock="UTC",
        measure="cancelled",
        by="category",
        name="game-card",
        place=0,
        until_day=20_059,
        made_at=1_700_000_000,
        document={**document, "by": "category", "name": "game-card"},
    )
    with final.store.writing() as session:
        trends.keep_outlooks(session, contract_id, platform, "UTC", [row])
    client = final.with_key(final.world.platform, "records")
    query = {"clock": "UTC", "by": "category", "name": "game-card"}
    [shown] = client.get(path(final, "trends"), params=query).json()["outlooks"]
    assert shown == {**document, "by": "category", "name": "game-card", "made_at": "2023-11-14T22:13:20Z"}
    assert client.get(path(final, "trends"), params={**query, "name": "other"}).json()["outlooks"] == []


# ------------------------------------------------------------------------------------------------------------- commands


def test_commands_show_both_from_the_store(final: Service, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    store = str(final.store.path)

    def answer(*words: str) -> tuple[int, str]:
        code = run(["risk", *words, "--store", store, "--lang", "en"])
        return code, capsys.readouterr().out

    assert "Nothing was learned yet" in answer("anomalies")[1]
    code, text = answer("anomalies", "--learn", "--json")
    data = json.loads(text)
    assert (code, data["platform"]) == (0, final.world.platform.address)
    assert data["learned_to_block"] > 0
    keep(final, alarm(1, severity="high"))
    assert "[high] burst: Twelve orders." in answer("anomalies", "--severity", "high")[1]
    assert "Twelve" not in answer("anomalies", "--kind", "ring")[1]
    code, text = answer("trends", "--clock", "UTC", "--plot", str(tmp_path / "picture.svg"))
    assert code == 0
    assert "orders ended" in text
    assert (tmp_path / "picture.svg").read_text("utf-8").startswith("<?xml")
    assert "no such orders" in answer("trends", "--category", "game-card")[1]
    for wrong in (("anomalies", "--kind", "x"), ("trends", "--measure", "x"), ("trends", "--clock", "Mars")):
        assert answer(*wrong)[0] == 3, wrong
