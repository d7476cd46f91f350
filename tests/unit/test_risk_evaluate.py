"""`kameng risk evaluate`: any CSV gets an honest report or a clear refusal."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from threadpoolctl import threadpool_info

from kameng_escrow.cli import main
from kameng_escrow.risk import baselines
from kameng_escrow.risk.errors import TableUnreadable
from kameng_escrow.risk.metrics import scores
from kameng_escrow.risk.reading import read_csv
from kameng_escrow.risk.threads import at_most, jobs
from tests.unit.test_risk_model import orders


@pytest.fixture
def table(tmp_path: Path) -> Path:
    frame = orders(500).drop(columns="note")
    frame["copy"] = frame["bad"].map({True: "yes", False: "no"})  # tells the ending
    path = tmp_path / "orders.csv"
    frame.to_csv(path, index=False)
    return path


def test_a_report_compares_on_rows_that_were_hidden(table, tmp_path, capsys, monkeypatch):
    out, page, asked = tmp_path / "out.json", tmp_path / "out.html", []

    def forest(*given, n_jobs, **options):
        asked.append(n_jobs)
        return RandomForestClassifier(*given, n_jobs=n_jobs, **options)

    monkeypatch.setattr(baselines, "RandomForestClassifier", forest)
    words = ["risk", "evaluate", "--csv", str(table), "--target", "bad", "--time", "placed", "--lang", "en"]
    words += ["--threads", "1"]
    with pytest.raises(SystemExit) as end:
        main([*words, "--json", str(out), "--report", str(page)])
    assert end.value.code == 0, capsys.readouterr().err
    found = json.loads(out.read_text("utf-8"))
    assert [split["split"] for split in found["splits"]] == ["time", "random"]
    for split in found["splits"]:
        assert (split["learnt"], split["hidden"]) == (400, 100)
        assert set(split["scores"]) == {"kameng", "constant", "logistic", "forest"}
        assert split["scores"]["constant"]["auc"] == 0.5
        best = max(split["scores"][name]["auc"] for name in ("constant", "logistic", "forest"))
        assert split["auc_minus_best_baseline"] == pytest.approx(split["scores"]["kameng"]["auc"] - best, abs=2e-6)
        assert sum(one["rows"] for one in split["reliability"]["True"]) == 100
    assert asked == [1, 1]
    assert "copy" not in found["columns"]
    assert any("copy" in warning["en"] and "left out" in warning["en"] for warning in found["warnings"])
    assert "<svg" in page.read_text("utf-8")
    assert "seller" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("raw", "encoding", "separator"),
    [
        ("订单,结果\n1,好\n2,坏\n".encode("gbk"), "gb18030", ","),
        ("订单;结果\n1;好\n".encode("utf-8-sig"), "utf-8-sig", ";"),
        ("订单\t结果\n1\t好\n".encode("utf-16"), "utf-16", "\t"),
    ],
)
def test_files_are_read_as_they_were_written(tmp_path, raw, encoding, separator):
    path = tmp_path / "a.csv"
    path.write_bytes(raw)
    found = read_csv(path)
    assert (found.encoding, found.separator) == (encoding, separator)
    assert list(found.frame.columns) == ["订单", "结果"]
    assert found.frame.iloc[0].tolist() == ["1", "好"]


def test_names_that_come_twice_or_not_at_all_are_told_apart(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,a,,b\n007,2,3,NA\n", "utf-8")
    found = read_csv(path)
    assert list(found.frame.columns) == ["a", "a (2)", "column 3", "b"]
    assert found.frame.loc[0, "a"] == "007"
    assert found.frame["b"].isna().all()
    assert len(found.notes) == 2


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"a,b\x00\n", b'a,b\n1,2,3,4\n5\n"', b"\x81\xff\xff\n"])
def test_what_is_no_table_is_refused(tmp_path, raw):
    path = tmp_path / "a.csv"
    path.write_bytes(raw)
    with pytest.raises(TableUnreadable) as refusal:
        read_csv(path)
    assert refusal.value.code == "table_unreadable"
    with pytest.raises(TableUnreadable):
        read_csv(tmp_path / "absent.csv")


def test_a_refusal_reaches_the_terminal_in_the_readers_language(table, capsys):
    with pytest.raises(SystemExit) as end:
        main(["risk", "evaluate", "--csv", str(table), "--target", "nothing", "--lang", "zh"])
    assert end.value.code == 3
    assert "没有名为 'nothing' 的列" in capsys.readouterr().err


def test_scores_of_known_probabilities():
    said = np.array([0.1, 0.2, 0.8, 0.9] * 5)
    found = scores(np.array([0, 0, 1, 1] * 5), np.column_stack([1 - said, said]))
    assert (found.auc, found.average_precision, found.lift) == (1.0, 1.0, 2.0)
    assert found.brier == pytest.approx(0.025)
    assert found.calibration_error == pytest.approx(0.15)
    guess = scores(np.array([0, 1] * 50), np.full((100, 2), 0.5))
    assert (guess.auc, guess.lift, guess.calibration_error) == (0.5, 1.0, 0.0)


def test_threads_are_limited_within_and_as_before_afterwards():
    def taken():
        return {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}

    before = taken()
    assert before
    assert jobs() == -1
    with at_most(1):
        assert (jobs(), set(taken().values())) == (1, {1})
        with at_most(None):  # whoever doesn't mind leaves what others asked for
            assert (jobs(), set(taken().values())) == (1, {1})
    assert (jobs(), taken()) == (-1, before)
