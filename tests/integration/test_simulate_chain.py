"""A market on the real contract: what the twin says, what the mirror writes, and what the chain has are the same."""

import json
import re
from pathlib import Path

import pytest

from kameng_escrow.cli import main
from kameng_escrow.domain.states import State
from kameng_escrow.simulate.holding import Place, hold
from kameng_escrow.simulate.parameters import load_parameters
from kameng_escrow.simulate.result import MarketRun

ORDERS, SEED = 30, 5


def told(market: MarketRun) -> dict[int, tuple[object, ...]]:
    """What became of each order, by its number."""
    return {
        truth.number: (order.outcome, order.fault, order.shares, order.undisputed, order.disputed_units)
        for name, truth in market.truths.items()
        for order in (market.orders[name],)
    }


def test_market_on_a_chain_is_the_market_in_the_twin() -> None:
    # Bad codes throughout, so that in few orders there are disputes of every kind.
    bad = {"sellers": {"prompt": {"bad_tempted": 0.6, "bad_untempted": 0.6}}, "market": {"native_share": 0.4}}
    parameters = load_parameters(overrides=bad)
    chain = hold(parameters, orders=ORDERS, seed=SEED, place=Place.InProcess)
    twin = hold(parameters, orders=ORDERS, seed=SEED, place=Place.Twin)
    assert told(chain.market) == told(twin.market)
    assert chain.market.refusals == twin.market.refusals
    assert chain.figures.mirror_equals_chain is True
    assert chain.figures.conserved
    assert chain.good
    assert all(order.state is State.Closed for order in chain.market.orders.values())
    assert any(order.disputed_at for order in chain.market.orders.values())
    assert len({terms.token for terms in chain.market.terms.values()}) == 2
    assert chain.figures.settled_by_keeper > 0
    settled = next(one for one in chain.figures.gas if one.function == "settleMany")
    assert settled.orders == chain.figures.settled_by_keeper
    assert chain.figures.gas_per_order > 100_000
    # Who suffered is the same, too, whatever the orders are called.
    assert chain.figures.suffering == twin.figures.suffering


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_command_shows_a_market_and_writes_it_down(
    lang: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, figures, own = (tmp_path / name for name in ("report.html", "figures.json", "own.toml"))
    own.write_text("[market]\ndays = 3\n", "utf-8")
    words = ["simulate", "--node", "twin", "--orders", "60", "--seed", "9", "--lang", lang]
    with pytest.raises(SystemExit) as end:
        main([*words, "--parameters", str(own), "--report", str(report), "--json", str(figures)])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert ("进 = 出 + 存" if lang == "zh" else "in = out + held") in out
    data = json.loads(figures.read_text("utf-8"))
    assert data["conserved"] is True
    assert data["mirror_equals_chain"] is None
    assert sum(data["outcomes"].values()) == data["orders"] == 60 - data["lost_payments"]
    page = report.read_text("utf-8")
    # Nothing is fetched from anywhere: what looks like an address is the name of a vocabulary.
    assert not re.search(r"""(src|href)=["']https?://""", page)
    for text in ("谁受了损失", "Who suffered", "验货期满", "Released", "<svg"):
        assert text in page


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--node", "moon"], 3, "anvil"),
        (["--node", "twin", "--parameters", "{folder}/bad.toml"], 3, "market.days"),
        (["--node", "twin", "--parameters", "{folder}/none.toml"], 3, "none.toml"),
        (["--node", "twin", "--json", "{folder}/no/where.json"], 3, "where.json"),
    ],
)
def test_command_refuses_before_it_begins(
    words: list[str], code: int, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.toml").write_text("[market]\ndays = 0\n", "utf-8")
    with pytest.raises(SystemExit) as end:
        main(["simulate", *(word.format(folder=tmp_path) for word in words)])
    said = capsys.readouterr()
    assert text in said.err
    assert "Traceback" not in said.err
    assert "Simulating" not in said.out
    assert end.value.code == code


def test_command_prints_its_parameters_as_a_file_that_it_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["simulate", "--show-parameters"])
    assert end.value.code == 0
    own = tmp_path / "own.toml"
    own.write_text(capsys.readouterr().out, "utf-8")
    assert load_parameters(own) == load_parameters()
