"""What a mirror says about itself: every number of the dashboard, honest probes, one JSON object a line."""

import io
import json
import logging
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from kameng_escrow.chain.errors import NodeUnreachable
from kameng_escrow.keeper import KeeperMetrics
from kameng_escrow.mirror import AuditReport, Drift, Endpoints, Web3Source
from kameng_escrow.mirror.metrics import MirrorMetrics
from kameng_escrow.store import Store
from kameng_escrow.telemetry import Health, log_to, serve

from .escrow_world import EscrowWorld
from .mirrors import logged_on_chain, mirror_of
from .test_mirror_trust import Bent, without_block

ROOT = Path(__file__).resolve().parents[2]
DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))


def values(metrics: MirrorMetrics) -> dict[str, float]:
    """Every sample without labels, by name; those with labels by name and labels."""
    found = {}
    for family in text_string_to_metric_families(generate_latest(metrics.registry).decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_a_mirror_counts_what_it_does(anvil_world: EscrowWorld, store: Store) -> None:
    world, metrics = anvil_world, MirrorMetrics()
    world.confirmed()
    world.disputed()
    mirror = mirror_of(world, store, observer=metrics, range_blocks=3)
    first = mirror.run_once()
    world.node.request("anvil_reorg", 5, [])
    world.opened()
    second = mirror.run_once()
    found = values(metrics)
    assert found["kameng_mirror_events_total"] == first.events + second.events
    assert found["kameng_mirror_blocks_total"] == first.blocks + second.blocks
    assert (found["kameng_mirror_reorgs_total"], found["kameng_mirror_reorg_blocks_total"]) == (1, 5)
    assert found["kameng_mirror_reorgs_below_final_total"] == 1  # with three blocks to finality
    assert found["kameng_mirror_seen_block"] == found["kameng_mirror_head_block"] == second.seen
    assert found["kameng_mirror_lag_blocks"] == 0
    assert 0 <= found["kameng_mirror_lag_seconds"] < 60
    assert (found["kameng_mirror_leader"], found["kameng_mirror_term"]) == (1, 2)


class DyingOnce(Web3Source):
    """A node that goes away in the middle of a run."""

    answers = 6

    def logs(self, address: str, first: int, last: int) -> Sequence[Mapping[str, Any]]:
        self.answers -= 1
        if self.answers == 0:
            raise NodeUnreachable("http://here")
        return super().logs(address, first, last)


def test_a_run_that_ended_in_the_middle_is_counted_too(world: EscrowWorld, store: Store) -> None:
    for _ in range(4):
        world.confirmed()
    metrics = MirrorMetrics()
    mirror = mirror_of(world, store, source=DyingOnce(world.node.w3), observer=metrics, range_blocks=3)
    with pytest.raises(NodeUnreachable):
        mirror.run_once()
    counted = values(metrics)["kameng_mirror_events_total"]
    rest = mirror.run_once()
    assert rest.events > 0
    assert values(metrics)["kameng_mirror_events_total"] == counted + rest.events == len(logged_on_chain(world))


def test_failing_nodes_are_counted_by_name_and_kind(world: EscrowWorld, store: Store) -> None:
    world.confirmed()
    metrics = MirrorMetrics()
    number = int(world.node.request("eth_blockNumber"), 16)
    bent = Bent(world, without_block(number))
    source = Endpoints([("bent", bent), ("right", Web3Source(world.node.w3))])
    mirror_of(world, store, source=source, observer=metrics, patience_seconds=60).run_once()
    assert values(metrics)["kameng_mirror_troubles_total{code=logs_missing}"] == 1


def test_probes_tell_a_mirror_that_keeps_up_from_one_that_does_not(world: EscrowWorld, store: Store) -> None:
    metrics = MirrorMetrics()
    with serve(metrics.registry, alive=metrics.alive, ready=metrics.ready, port=0) as url:
        standing_by = requests.get(f"{url}/readyz", timeout=10)
        assert (standing_by.status_code, standing_by.json()["leader"]) == (200, False)
        world.opened()
        stop = threading.Event()
        mirror_of(world, store, observer=metrics, range_blocks=1).run_once(lambda _: stop.set(), stop=stop)
        behind = requests.get(f"{url}/readyz", timeout=10)
        assert (behind.status_code, behind.json()["ok"]) == (503, False)
        mirror_of(world, store, observer=metrics).run_once()
        level = requests.get(f"{url}/readyz", timeout=10)
        assert (level.status_code, level.json()["seen_block"]) == (200, level.json()["head_block"])
        drift = Drift(what="0x" + "0d" * 32, field="state", mirrored=1, on_chain=2)
        metrics.audited(AuditReport(block=1, orders=1, balances=0, tokens=0, drifts=(drift,)))
        wrong = requests.get(f"{url}/readyz", timeout=10)
        assert (wrong.status_code, wrong.json()["drifts"]) == (503, 1)
        assert requests.get(f"{url}/healthz", timeout=10).status_code == 200
        text = requests.get(f"{url}/metrics", timeout=10).text
        assert 'kameng_mirror_drift{kind="order"} 1.0' in text
        assert requests.get(f"{url}/secrets", timeout=10).status_code == 404


def test_a_port_that_is_taken_is_told_of() -> None:
    metrics = MirrorMetrics()
    with serve(metrics.registry, alive=metrics.alive, ready=metrics.ready, port=0) as url:
        port = int(url.rpartition(":")[2])
        with (
            pytest.raises(OSError, match="in use"),
            serve(metrics.registry, alive=lambda: Health(True), ready=lambda: Health(True), port=port),
        ):
            pass


def test_logs_are_lines_of_json(world: EscrowWorld, store: Store) -> None:
    stream = io.StringIO()
    with log_to(stream):
        world.opened()
        mirror_of(world, store, observer=MirrorMetrics()).run_once()
        logging.getLogger("kameng_escrow.mirror").error("a 汉字\nand a second line", extra={"order": 7})
        logging.getLogger("elsewhere").error("not ours")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["leading", "mirrored", "a 汉字\nand a second line"]
    assert lines[1]["events"] > 0
    assert (lines[2]["level"], lines[2]["order"]) == ("error", 7)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", lines[0]["time"])


def offered() -> set[str]:
    """The names of all series that mirror and keeper offer."""
    names = set()
    for registry in (MirrorMetrics().registry, KeeperMetrics().registry):
        for family in registry.collect():
            names.add(f"{family.name}_total" if family.type == "counter" else family.name)
    return names


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_every_number_of_a_dashboard_exists(path: Path) -> None:
    used: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("expr"), str):
                used.update(re.findall(r"kameng_\w+", node["expr"]))
            for below in node.values():
                walk(below)
        elif isinstance(node, list):
            for below in node:
                walk(below)

    walk(json.loads(path.read_text("utf-8")))
    assert used
    assert used <= offered()


def test_every_number_of_the_mirror_is_on_a_dashboard() -> None:
    text = "".join(path.read_text("utf-8") for path in DASHBOARDS)
    mirrors = {name for name in offered() if name.startswith("kameng_mirror_")}
    assert {name for name in mirrors if name not in text} == set()


def test_labels_take_few_values() -> None:
    for family in MirrorMetrics().registry.collect():
        for sample in family.samples:
            assert set(sample.labels) <= {"code", "node", "kind"}
