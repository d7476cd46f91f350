"""How good the risk model is, what its warnings are worth, how fast it is; and what detectors and outlooks come to.

A market is held in the contract's twin. Orders' stages of its first three quarters are learnt from, those that came
later are foretold when orders come to them: by the model, and by three baselines on the same features (a constant,
logistic regression, a random forest). What looking again brings is what the same stages' last scores are worth, against
those at their beginning (the baselines learn from beginnings only, which is what they are asked about). Warnings are
raised as the worker would raise them, by the model that was made at the cut, and held against what happened to the
order. The speed of fitting is that of a made-up table of 120,000 rows and 30 columns.

Run it with `make bench-risk`: prints what it measures and writes `bench/results/risk.json`. Figures of parts that are
not run stay as they are in that file.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from kameng_escrow.risk.baselines import BASELINES, predict_with, simple_table
from kameng_escrow.risk.metrics import scores
from kameng_escrow.risk.model import CancellationModel
from kameng_escrow.risk.orders.alerts import Thresholds, alerts, came
from kameng_escrow.risk.orders.chronicle import Chronicle, Finished, Snapshot
from kameng_escrow.risk.orders.endings import Ending
from kameng_escrow.risk.orders.following import seller_risk
from kameng_escrow.risk.orders.scoring import Example, Examples, OrderModel, table_of
from kameng_escrow.simulate.market import run
from kameng_escrow.simulate.parameters import load_parameters
from kameng_escrow.simulate.result import MarketRun
from kameng_escrow.simulate.twin_venue import TwinVenue

RESULTS = Path(__file__).parent / "results" / "risk.json"
PARTS = ("model", "speed", "anomalies", "trends")
LEARNT = 0.75  # of the market's time


def market_of(orders: int, seed: int) -> MarketRun:
    """A market of sixty days."""
    return run(load_parameters(overrides={"market": {"days": 60}}), orders=orders, seed=seed, venue=TwinVenue())


def model_figures(orders: int, seed: int) -> dict[str, Any]:
    """The model against the baselines, the warnings against the truth, and the speed of scoring."""
    market = market_of(orders, seed)
    told, examples = _told(market)
    cut = int(np.quantile([one.snapshot.at for one in examples if one.snapshot.is_new], LEARNT))
    learnt = [one for one in examples if one.closed_at <= cut]  # what had ended by then, and no more
    later = [one for one in examples if one.snapshot.at > cut]
    unseen = [one for one in later if one.snapshot.is_new]
    model = OrderModel.fit(learnt)
    assert model is not None, "the market is too small"
    ours = np.array([one.bad for one in model.score([one.snapshot for one in unseen])])
    figures = {
        "stages_learnt": sum(one.snapshot.is_new for one in learnt),
        "looks_learnt": len(learnt),
        "stages_foretold": len(unseen),
        **_compared(model, [one for one in learnt if one.snapshot.is_new], unseen, ours),
        "looked_again": _again(model, later),
    }
    return {**figures, **_scoring_speed(model, [one.snapshot for one in unseen]), **_warnings(model, told, cut)}


def _told(market: MarketRun) -> tuple[list[Snapshot | Finished], list[Example]]:
    chronicle, examples = Chronicle(lambda order_id: market.truths[order_id].category), Examples()
    told = []
    for logged in market.events:
        for found in (*chronicle.looks(logged.timestamp), chronicle.follow(logged)):
            examples.add(found)
            if found is not None:
                told.append(found)
    return told, examples.closed


def _compared(
    model: OrderModel, learnt: Sequence[Example], unseen: Sequence[Example], ours: "np.ndarray[Any, Any]"
) -> dict[str, Any]:
    before, after = (np.array([one.ending is not Ending.Well for one in part]).astype(int) for part in (learnt, unseen))
    known = simple_table(table_of([one.snapshot for one in learnt]), model.model.columns)
    asked = simple_table(table_of([one.snapshot for one in unseen]), model.model.columns)
    found = {"kameng": scores(after, np.column_stack([1 - ours, ours]))}
    for name in BASELINES:
        found[name] = scores(after, predict_with(name, known, before, asked, 2))
    others = [found[name] for name in BASELINES]
    return {
        "auc_minus_best_baseline": round(found["kameng"].auc - max(one.auc for one in others), 4),
        "brier_minus_best_baseline": round(found["kameng"].brier - min(one.brier for one in others), 5),
        "models": {
            name: {"auc": round(one.auc, 4), "brier": round(one.brier, 5), "ece": round(one.calibration_error, 4)}
            for name, one in found.items()
        },
    }


def _again(model: OrderModel, later: Sequence[Example]) -> dict[str, Any]:
    """Of stages that orders stayed in long enough to be looked at again: how good the first score was, and the last."""
    first, last = {}, {}
    for one in later:
        place = (one.snapshot.order_id, one.snapshot.stage)
        if one.snapshot.is_new:
            first[place] = one
        elif place in first:
            last[place] = one
    ended = np.array([one.ending is not Ending.Well for one in last.values()]).astype(int)
    found: dict[str, Any] = {"stages": len(last)}
    for name, examples in (("first", [first[place] for place in last]), ("last", list(last.values()))):
        bad = np.array([one.bad for one in model.score([one.snapshot for one in examples])])
        one = scores(ended, np.column_stack([1 - bad, bad]))
        found[name] = {"auc": round(one.auc, 4), "brier": round(one.brier, 5)}
    return found


def _scoring_speed(model: OrderModel, snapshots: Sequence[Snapshot]) -> dict[str, float]:
    model.score_one(snapshots[0])
    took = []
    for snapshot in snapshots[:300]:
        begun = time.perf_counter()
        model.score_one(snapshot)
        took.append(time.perf_counter() - begun)
    many = (list(snapshots) * (10_000 // len(snapshots) + 1))[:10_000]
    begun = time.perf_counter()
    model.score(many)
    return {
        "score_one_ms": round(float(np.median(took)) * 1_000, 2),
        "score_10000_s": round(time.perf_counter() - begun, 3),
    }


def _warnings(model: OrderModel, told: Sequence[Snapshot | Finished], cut: int) -> dict[str, Any]:
    """What warnings after the cut are worth. An order is warned of once for each kind, at the first stage that calls
    for it.
    """
    snapshots = [one for one in told if isinstance(one, Snapshot) and one.at > cut]
    said = dict(zip(map(id, snapshots), model.score(snapshots), strict=True))
    raised: dict[tuple[str, str], int] = {}
    hits: dict[str, list[float | None]] = {}
    for one in told:
        if isinstance(one, Snapshot) and one.at > cut:
            for alert in alerts(one, said[id(one)], Thresholds(), seller_risk=seller_risk(one)):
                raised.setdefault((one.order_id, alert.kind), one.at)
        elif isinstance(one, Finished):
            for kind, bad in came(one).items():
                at = raised.pop((one.order_id, kind), None)
                if at is not None:
                    hits.setdefault(kind, []).append((one.bad_at - at) / 3_600 if bad else None)
    every = [lead for leads in hits.values() for lead in leads]
    return {
        "warnings": len(every),
        "precision": _precision(every),
        "lead_time_h": _lead(every),
        "by_warning": {
            kind: {"warnings": len(leads), "precision": _precision(leads), "lead_time_h": _lead(leads)}
            for kind, leads in sorted(hits.items())
        },
    }


def _precision(leads: Sequence[float | None]) -> float | None:
    return round(sum(one is not None for one in leads) / len(leads), 4) if leads else None


def _lead(leads: Sequence[float | None]) -> float | None:
    hours = [one for one in leads if one is not None]
    return round(float(np.mean(hours)), 2) if hours else None


def made_up(rows: int, seed: int) -> pd.DataFrame:
    """Thirty columns of every kind, in which a few decide."""
    random = np.random.default_rng(seed)
    shop, country = random.zipf(1.5, rows) % 400, random.zipf(1.7, rows) % 150
    ahead = random.exponential(60, rows).round()
    plan = random.choice(["free", "part", "none"], rows, p=[0.6, 0.3, 0.1])
    odds = -1.3 + 0.8 * np.sin(shop) + 0.5 * np.cos(country) + 0.006 * ahead + 1.5 * (plan == "none")
    columns: dict[str, Any] = {
        "shop": [f"shop {one}" for one in shop],
        "country": [f"C{one}" for one in country],
        "ahead": np.where(random.uniform(size=rows) < 0.05, np.nan, ahead),
        "plan": plan,
        "placed": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(random.uniform(0, 700, rows)), unit="D"),
    }
    for number in range(12):
        columns[f"number {number}"] = random.normal(size=rows).round(3)
        columns[f"word {number}"] = random.choice([f"w{one}" for one in range(4 + number)], rows)
    columns["cancelled"] = random.uniform(size=rows) < 1 / (1 + np.exp(-odds))
    return pd.DataFrame(columns)


def speed_figures(rows: int) -> dict[str, Any]:
    """How long fitting takes."""
    table = made_up(rows, 1)
    begun = time.perf_counter()
    CancellationModel().fit(table, "cancelled", time="placed")
    return {"fit_120k_s" if rows == 120_000 else f"fit_{rows}_s": round(time.perf_counter() - begun, 1)}


def measure(parts: Sequence[str], *, orders: int, rows: int, seed: int) -> dict[str, Any]:
    """The figures of these parts."""
    found: dict[str, Any] = {}
    if "model" in parts:
        found |= model_figures(orders, seed)
    if "speed" in parts:
        found |= speed_figures(rows)
    if "anomalies" in parts:
        from .risk_anomalies import measure as anomalies

        found |= anomalies(orders=orders)
    if "trends" in parts:
        from .risk_trends import measure as trends

        found |= trends(orders=orders)
    return found


def main() -> None:
    """Measures, prints, and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=120_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=Path, default=RESULTS)
    given = parser.parse_args()
    found = measure(given.parts.split(","), orders=given.orders, rows=given.rows, seed=given.seed)
    Console().print_json(data=found)
    kept = json.loads(given.output.read_text("utf-8")) if given.output.exists() else {}
    given.output.write_text(json.dumps({**kept, **found}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
