"""What alarms and outlooks say, their documents and pictures, and the words that commands know."""

import json
from pathlib import Path

import pytest

from kameng_escrow.cli.risk_anomalies import KINDS, SEVERITIES
from kameng_escrow.cli.risk_trends import CLOCKS, MEASURES
from kameng_escrow.risk.anomalies import Finding, Kind, Role, Severity, sentence
from kameng_escrow.risk.trends import Clock, Measure, Outlook, make_outlook
from kameng_escrow.risk.trends.documents import outlook_json
from kameng_escrow.risk.trends.plotting import plot_outlook
from tests.unit.test_trends import drawn


@pytest.fixture(scope="module")
def outlook() -> Outlook:
    return make_outlook(drawn(2, 60, 60, 0.1, change=35), origins=6)


def test_commands_know_the_words_that_there_are() -> None:
    assert tuple(Kind) == KINDS
    assert tuple(Severity) == SEVERITIES
    assert tuple(Clock) == CLOCKS
    assert tuple(Measure) == MEASURES


def test_a_category_without_a_listing_is_told_as_its_policy() -> None:
    finding = Finding(
        kind=Kind.Failure,
        role=Role.Category,
        who="0x" + "ab" * 32,
        since=1,
        at=2,
        severity=Severity.High,
        orders=(),
        numbers={"failed": 8, "orders": 9, "allowed_share": 0.12, "category": "", "sellers": 3},
    )
    english, chinese = sentence(finding)
    assert english == (
        f"Of the last 9 orders of the policy 0x{'ab' * 32}, 8 failed with 3 sellers, where at most 12 % were to be "
        "expected."
    )
    assert chinese == f"规则 0x{'ab' * 32} 最近 9 笔订单中有 8 笔失败，涉及 3 个卖家，预期至多 12%。"


def test_an_outlook_as_json_says_in_both_languages_what_changed(outlook: Outlook) -> None:
    document = json.loads(json.dumps(outlook_json(outlook, Clock.Shanghai)))
    [change] = document["changes"]
    assert document["since"] <= change["earliest"] <= change["date"]
    assert len(document["forecast"]) == 7
    assert document["forecast"][0]["date"] > document["until"]
    assert any(change["date"] in said and "cancellations" in said for said in document["remarks_en"])
    assert any(change["date"] in said and "取消" in said for said in document["remarks_zh"])
    assert len(document["remarks_en"]) == len(document["remarks_zh"])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_picture_is_an_svg_with_text_and_the_same_each_time(outlook: Outlook, tmp_path: Path, lang: str) -> None:
    document = outlook_json(outlook, Clock.Utc)
    for name in ("one.svg", "two.svg"):
        plot_outlook(document, tmp_path / name, title="取消 · game-card", lang=lang)
    drawn_ = (tmp_path / "one.svg").read_text("utf-8")
    assert drawn_ == (tmp_path / "two.svg").read_text("utf-8")
    assert "取消 · game-card" in drawn_
    assert ("changed" if lang == "en" else "变化") in drawn_
