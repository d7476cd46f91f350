"""`kameng demo` does what it says, and says what it did."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kameng_escrow.domain.states import Fault, Outcome, State
from tests.terminal import Terminal, interrupt

REQUIRED = {
    "confirmed": ("Confirmed", "None"),
    "released": ("Released", "None"),
    "expired": ("Expired", "None"),
    "undelivered": ("Undelivered", "Seller"),
    "cancelled_before_acceptance": ("Cancelled", "None"),
    "cancelled_after_acceptance": ("Cancelled", "Buyer"),
    "declined_before_acceptance": ("Declined", "None"),
    "declined_after_acceptance": ("Declined", "Seller"),
    "intervened": ("Intervened", "Platform"),
    "refunded": ("Refunded", "Seller"),
    "partial_dispute_agreed": ("Agreed", "None"),
    "recommitted_confirmed": ("Confirmed", "None"),
    "ruled": ("Ruled", "Seller"),
    "ruled_by_backup": ("Ruled", "Buyer"),
    "conceded": ("Conceded", "Seller"),
    "mediator_silent": ("Defaulted", "Mediator"),
    "no_mediator": ("Defaulted", "None"),
    "blocked_payout": ("Confirmed", "None"),
    "gasless_buyer": ("Confirmed", "None"),
    "operator": ("Confirmed", "None"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any], list[str]]:
    """What one run printed, what its file holds, and what it left in the folder."""
    terminal = Terminal(tmp_path_factory.mktemp("demo"))
    outcome = terminal.ok("demo", "--once", "--json", "out.json")
    report = json.loads((terminal.folder / "out.json").read_text("utf-8"))
    return outcome.out, report, terminal.files()


def test_every_order_ends_as_its_story_says(told: tuple[str, dict[str, Any], list[str]]) -> None:
    _, report, _ = told
    endings = {order["ending"]: (order["outcome"], order["fault"]) for order in report["orders"]}
    assert endings == REQUIRED
    assert {order["state"] for order in report["orders"]} == {State.Closed.label}


def test_every_outcome_and_fault_that_there_is_happens(told: tuple[str, dict[str, Any], list[str]]) -> None:
    _, report, _ = told
    assert {order["outcome"] for order in report["orders"]} == {o.label for o in Outcome if o is not Outcome.Nothing}
    assert {order["fault"] for order in report["orders"]} == {fault.label for fault in Fault}


def test_both_currencies_are_paid_in(told: tuple[str, dict[str, Any], list[str]]) -> None:
    _, report, _ = told
    assert len({order["token"] for order in report["orders"]}) == 2
    assert {flow["token"] for flow in report["money"]} == {order["token"] for order in report["orders"]}


def test_no_share_is_out_of_proportion(told: tuple[str, dict[str, Any], list[str]]) -> None:
    """What an order paid is its price and at most the bonds of both sides, a quarter and 15 % of it."""
    _, report, _ = told
    for order in report["orders"]:
        paid = sum(int(amount) for amount in order["shares"].values())
        assert int(order["price"]) <= paid <= int(order["price"]) * 140 // 100, order
        assert all(int(amount) >= 0 for amount in order["shares"].values())


def test_gas_and_waiting_are_plausible(told: tuple[str, dict[str, Any], list[str]]) -> None:
    _, report, _ = told
    waits = {order["ending"]: order["seconds_to_money"] for order in report["orders"]}
    assert all(50_000 < order["gas"] < 500_000 for order in report["orders"])
    assert 1800 <= waits["expired"] <= 1810  # the accept window, to the second but for the block
    assert waits["released"] > 86_400
    assert waits["mediator_silent"] > 3 * 86_400
    assert waits["blocked_payout"] > waits["operator"]  # the seller had to fetch it


def test_mirror_and_money_agree(told: tuple[str, dict[str, Any], list[str]]) -> None:
    _, report, _ = told
    assert report["mirror_equals_chain"] is True
    assert report["differences"] == []
    assert report["conserved"] is True
    for flow in report["money"]:
        assert int(flow["came_in"]) == int(flow["went_out"]) + int(flow["held"])
        assert flow["held"] == flow["owed"]


def test_it_is_fast(told: tuple[str, dict[str, Any], list[str]]) -> None:
    _, report, _ = told
    assert 0 < report["seconds"] < 60


def test_it_tells_every_story_and_the_verdict(told: tuple[str, dict[str, Any], list[str]]) -> None:
    out, report, _ = told
    assert f"{len(report['orders'])}/{len(report['orders'])}" in out
    assert "mirror = chain" in out
    assert out.count("in = out + held") == 2
    for order in report["orders"]:
        assert order["id"][:8] in out
    assert not re.search(r"\{\w+\}", out), "a story with a hole in it"


def test_it_leaves_nothing_but_the_file(told: tuple[str, dict[str, Any], list[str]]) -> None:
    assert told[2] == ["out.json"]


def test_it_speaks_chinese(tmp_path: Path) -> None:
    out = Terminal(tmp_path, LANG="zh_CN.UTF-8").ok("demo", "--once").out
    assert "镜像 = 链" in out
    assert "买家确认收货" in out
    assert not re.search(r"\{\w+\}", out)


def test_without_once_the_chain_stays_to_be_looked_at(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    with terminal.running("demo", until="kameng order confirm") as demo:
        said: str = demo.said  # type: ignore[attr-defined]
        settings = dict(re.findall(r"(KAMENG_\w+)=(\S+)", said))
        assert set(settings) == {"KAMENG_RPC_URL", "KAMENG_DEPLOYMENTS", "KAMENG_STORE"}
        orders = terminal.json("orders", **settings)["orders"]
        assert [order["state"] for order in orders[:3]] == ["Disputed", "Delivered", "Opened"]
        assert len(orders) == len(REQUIRED) + 3
        suggested = re.findall(r"kameng (order confirm .*)", said)[0].split()
        assert terminal.json(*suggested, **settings)["outcome"] == "Confirmed"
        folder = Path(settings["KAMENG_STORE"]).parent
        assert folder.exists()
        assert interrupt(demo) == 0
        assert not folder.exists()


def test_a_result_that_can_not_be_written_is_found_out_before_the_show(tmp_path: Path) -> None:
    outcome = Terminal(tmp_path).run("demo", "--once", "--json", tmp_path / "nowhere" / "out.json")
    assert outcome.code == 3
    assert "can't be written" in outcome.err
    assert "1/" not in outcome.out


def test_a_node_that_is_not_there_is_named(tmp_path: Path) -> None:
    outcome = Terminal(tmp_path).run("demo", "--once", "--node", "http://127.0.0.1:1")
    assert outcome.code == 5
    assert "http://127.0.0.1:1" in outcome.err
    assert "Traceback" not in outcome.text


def test_an_interrupted_demo_leaves_nothing(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, TMPDIR=str(tmp_path))
    with terminal.running("demo", "--once", "--json", "out.json", until="2/20") as demo:
        assert interrupt(demo) == 130
        assert demo.stdout is not None
        assert "Traceback" not in demo.stdout.read()
    assert terminal.files() == []
