"""Committed figures are of the contract as it is."""

import json
from pathlib import Path

import pytest

from kameng_escrow.chain.artifacts import load_artifact
from kameng_escrow.mirror import WINDOW
from tests.chaos.schedule import Trouble

RESULTS = Path(__file__).resolve().parents[2] / "bench" / "results"

GAS = {
    "erc20_open_confirm",
    "native_open_confirm",
    "eip3009_open_confirm",
    "open_timeout_refund",
    "open_deliver_dispute_rule",
    "settle_many_same_seller_each",
    "settle_many_distinct_sellers_each",
    "deliver_many_each",
    "erc20_open_confirm_cold_receiver",
    "native_open_confirm_cold_receiver",
    "eip3009_open_confirm_cold_receiver",
    "erc20_open_confirm_after_10_orders",
    "erc20_open_confirm_after_10000_orders",
}
LOOSE_BYTES = 10 * 12  # gas: bytes of a signature that happened to be zero


@pytest.fixture(scope="module")
def figures():
    return json.loads((RESULTS / "gas.json").read_text("utf-8"))


def test_gas_figures_are_of_the_shipped_contract(figures):
    artifact = load_artifact("KamengEscrow")
    assert figures["source_hash"] == artifact.source_hash, "run `make bench-gas` and commit what it writes"
    assert figures["core_bytes"] == len(artifact.deployed_bytecode) // 2 - 1


def test_gas_figures_are_complete(figures):
    assert figures.keys() == GAS | {"core_bytes", "floor", "source_hash"}
    assert figures["floor"].keys() == {"erc20_open_confirm", "native_open_confirm"}


def test_a_keeper_misses_nothing():
    figures = json.loads((RESULTS / "keeper.json").read_text("utf-8"))
    assert (figures["orders"], figures["missed"]) == (10_000, 0)
    assert figures["transactions"] <= 250
    assert figures["orders_per_s"] > 0


def test_chaos_has_left_everything_right():
    figures = json.loads((RESULTS / "chaos.json").read_text("utf-8"))
    for what in ("faults", "kills", "reorgs", "orders", "seed"):
        assert isinstance(figures[what], int)
        assert figures[what] > 0, what
    wrong = {"differences", "outbox_doubled", "outbox_lost", "outbox_disordered", "outbox_untrue"}
    wrong |= {"intents_lost", "paid_twice", "unsettled", "unforeseen"}
    assert {what: figures[what] for what in wrong} == dict.fromkeys(wrong, 0), "run `make chaos MINUTES=12`, and mend"
    assert figures["stores"] == ["postgresql", "sqlite"]
    assert figures["seconds"] >= 600, "commit figures of ten minutes or more"
    assert figures["deepest_reorg"] == WINDOW
    assert sum(figures["faults_by_kind"].values()) == figures["faults"]
    assert figures["faults_by_kind"].keys() >= {trouble.value for trouble in Trouble}


def test_orders_do_not_make_orders_dearer(figures):
    few, many = (figures[f"erc20_open_confirm_after_{orders}_orders"] for orders in (10, 10_000))
    assert many - few <= LOOSE_BYTES


def test_figures_of_the_operations_are_of_the_shipped_contract():
    figures = json.loads((RESULTS / "operations.json").read_text("utf-8"))
    artifact = load_artifact("KamengEscrow")
    assert figures["source_hash"] == artifact.source_hash, "run `make bench-gas`, then `make docs`"
    writes = {one["name"] for one in artifact.abi if one.get("stateMutability") in ("nonpayable", "payable")}
    assert set(figures["operations"]) == writes
    payable = {one["name"] for one in artifact.abi if one.get("stateMutability") == "payable"}
    for name, gas in figures["operations"].items():
        assert gas.keys() in ({"any"}, {"erc20"}, {"erc20", "native"})
        assert "native" in gas or name not in payable


def test_a_mirror_catches_up_as_fast_as_promised():
    figures = json.loads((RESULTS / "mirror.json").read_text("utf-8"))
    assert min(figures["sqlite_events_per_s"], figures["postgres_events_per_s"]) >= 25_000
    assert figures["ratio_to_web3py"] >= 15
    assert figures.keys() >= {"ratio_to_bare_loop", "head_p99_ms"}


def test_a_simulated_market_closes_its_books():
    figures = json.loads((RESULTS / "simulate.json").read_text("utf-8"))
    assert figures["orders"] >= 10_000
    assert figures["seconds"] <= 15 * 60
    assert [figures[name] for name in ("conserved", "mirror_equals_chain", "twin_equals_chain")] == [True] * 3


def test_what_is_measured_of_risk_is_complete():
    figures = json.loads((RESULTS / "risk.json").read_text("utf-8"))
    seconds = {"score_one_ms", "score_10000_s", "fit_120k_s"}
    model = {"auc_minus_best_baseline", "brier_minus_best_baseline", "precision", "lead_time_h"}
    assert figures.keys() >= seconds | model | {"false_alarms_per_1000", "delay_h", "coverage"}
    assert figures["auc_minus_best_baseline"] > 0
    assert figures["brier_minus_best_baseline"] < 0


def test_reads_through_the_service_are_measured_with_a_million_orders():
    figures = json.loads((RESULTS / "api.json").read_text("utf-8"))
    assert figures.keys() >= {"rps", "p99_ms", "p95_growth"}
    assert (figures["orders"], figures["offered_rps"]) == (1_000_000, 500)
