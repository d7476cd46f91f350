"""`CancellationModel` learns from any table or says why not, and says the same of one row as of many."""

import numpy as np
import pandas as pd
import pytest

from kameng_escrow.risk.columns import Kind, find_columns
from kameng_escrow.risk.errors import ColumnsDiffer, TableUnusable, TargetUnusable
from kameng_escrow.risk.model import CancellationModel
from kameng_escrow.risk.statistics import at_random, in_time, learn

ROWS = 600


def orders(rows: int = ROWS, seed: int = 3) -> pd.DataFrame:
    """A table of every kind of column, in which sellers and waiting decide."""
    random = np.random.default_rng(seed)
    seller = random.integers(0, 40, rows)
    waited = random.exponential(10, rows)
    odds = -1.5 + 2.0 * (seller % 4 == 0) + 0.08 * waited
    bad = random.uniform(size=rows) < 1 / (1 + np.exp(-odds))
    placed = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.sort(random.uniform(0, 90, rows)), unit="D")
    return pd.DataFrame(
        {
            "seller": [f"s{one:02d}" for one in seller],
            "waited": np.where(random.uniform(size=rows) < 0.1, np.nan, waited),
            "placed": placed,
            "note": [f"please send {'fast' if one else 'soon'} to me {number}" for number, one in enumerate(bad)],
            "id": [f"order-{number}" for number in range(rows)],
            "currency": "CNY",
            "bad": bad,
        }
    )


@pytest.fixture(scope="module")
def fitted() -> CancellationModel:
    return CancellationModel().fit(orders(), "bad", time="placed")


def test_kinds_are_found_and_useless_columns_are_left_out_with_a_reason(fitted):
    assert {one.name: one.kind for one in fitted.columns} == {
        "seller": Kind.CATEGORY,
        "waited": Kind.NUMBER,
        "placed": Kind.DATE,
        "note": Kind.TEXT,
    }
    assert {one.name: one.reason for one in fitted.dropped} == {
        "id": "names its row: 600 different values in 600 cells",
        "currency": "constant: the same value everywhere",
    }
    assert fitted.classes == ["False", "True"]


def test_one_row_is_scored_as_it_is_among_many(fitted):
    table = orders(30, seed=8).drop(columns="bad")
    many = fitted.predict(table)
    assert many.sum(axis=1) == pytest.approx(np.ones(30))
    for place, row in enumerate(table.to_dict("records")):
        assert list(fitted.predict_one(row).values()) == pytest.approx(many[place].tolist(), abs=1e-9)


def test_levels_that_were_never_seen_and_holes_are_scored(fitted):
    table = orders(3, seed=1).drop(columns="bad").astype(object)
    table.loc[0, "seller"] = "nobody"
    table.loc[1, :] = None
    table.loc[2, "waited"] = 10**60
    said = fitted.predict(table)
    assert ((said > 0) & (said < 1)).all()


def test_other_columns_are_refused_by_name(fitted):
    table = orders(3).drop(columns=["bad", "seller"]).assign(more=1)
    with pytest.raises(ColumnsDiffer) as refusal:
        fitted.predict(table)
    assert (refusal.value.missing, refusal.value.extra) == (("seller",), ("more",))
    with pytest.raises(ColumnsDiffer):
        fitted.predict_one({"seller": "s01"})


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda table: table.assign(bad=1), TargetUnusable),
        (lambda table: table.assign(bad=range(len(table))), TargetUnusable),
        (lambda table: table.assign(bad=[True] * 2 + [False] * (len(table) - 2)), TargetUnusable),
        (lambda table: table.drop(columns="bad"), TargetUnusable),
        (lambda table: table.head(20), TableUnusable),
        (lambda table: table[["id", "currency", "bad"]], TableUnusable),
        (lambda table: pd.concat([table, table["seller"]], axis=1), TableUnusable),
    ],
    ids=["one ending", "too many endings", "a rare ending", "no target", "few rows", "no columns", "a name twice"],
)
def test_what_can_not_be_learnt_from_is_refused(change, error):
    with pytest.raises(error):
        CancellationModel().fit(change(orders(200)), "bad")


def test_three_endings_compete():
    table = orders(400)
    table["bad"] = np.where(table["bad"], np.where(table["seller"] < "s20", "seller fails", "dispute"), "ok")
    model = CancellationModel(members=("boosting", "line")).fit(table, "bad")
    assert model.classes == ["ok", "dispute", "seller fails"]
    said = model.predict(table.drop(columns="bad"))
    assert said.sum(axis=1) == pytest.approx(np.ones(400))
    late = said[(table["seller"] >= "s20").to_numpy()]
    assert late[:, 1].mean() > late[:, 2].mean() * 2


def test_rows_learn_of_their_level_from_others_only():
    classes = np.array([1, 0, 0, 0, 1, 1])
    codes = np.zeros(6, dtype=np.int64)
    partition = in_time(np.array([1.0, 2, 3, 4, 5, 5]))
    for changed in range(6):  # its own ending does not change what a row is told, nor does what comes later
        other = classes.copy()
        other[changed] = 1 - other[changed]
        _, told = learn(codes, 1, classes, np.array([1]), partition)
        _, told_other = learn(codes, 1, other, np.array([1]), partition)
        before = 5 if changed == 5 else changed + 1
        assert told[:before, 1].tolist() == told_other[:before, 1].tolist()
    groups = at_random(6, np.random.default_rng(0)).groups
    assert sorted(groups.tolist()) == [0, 0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", "¥1,300", None, "-3e4"] * 20, Kind.NUMBER),
        (["2026-01-02", "2026-13-45", *["2026-03-04"] * 40], Kind.DATE),
        (["2026年1月2日", "2026年11月30日"] * 30, Kind.DATE),
        (["31/12/2025", "01/02/2026"] * 30, Kind.DATE),
        (["1", "two", "3", True, 4.5] * 20, Kind.CATEGORY),
        ([[1], {"a": 2}, b"x", "y"] * 20, Kind.CATEGORY),
        ([str(10**25 * (number % 7)) for number in range(60)], Kind.NUMBER),
    ],
)
def test_kinds_of_strange_columns(cells, kind):
    used, dropped, _ = find_columns(pd.DataFrame({"x": pd.Series(cells, dtype=object)}))
    assert [one.kind for one in used] == [kind], dropped
