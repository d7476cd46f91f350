"""A market on the real contract: what the twin says, what the mirror writes, and what the chain has are the same."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from kameng_escrow.cli import main
from kameng_escrow.cli.policies import read_policy
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import State
from kameng_escrow.simulate.holding import Held, Place, hold
from kameng_escrow.simulate.parameters import load_parameters
from kameng_escrow.simulate.result import MarketRun
from kameng_escrow.store import Store
from kameng_escrow.store.service.listings import categories_of
from tests.integration.shelf import Shelf

ORDERS, SEED = 30, 5


def told(market: MarketRun) -> dict[int, tuple[object, ...]]:
    """What became of each order, by its number."""
    return {
        truth.number: (order.outcome, order.fault, order.shares, order.undisputed, order.disputed_units)
        for name, truth in market.truths.items()
        for order in (market.orders[name],)
    }


# Bad codes throughout, so that in few orders there are disputes of every kind.
BAD = {"sellers": {"prompt": {"bad_tempted": 0.6, "bad_untempted": 0.6}}, "market": {"native_share": 0.4}}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Held, Path]:
    """A market on a chain in this process, and the store that its mirror wrote."""
    store = tmp_path_factory.mktemp("market") / "kept.sqlite"
    return hold(load_parameters(overrides=BAD), orders=ORDERS, seed=SEED, place=Place.InProcess, keep=store), store


def test_market_on_a_chain_is_the_market_in_the_twin(kept: tuple[Held, Path]) -> None:
    chain, _ = kept
    twin = hold(load_parameters(overrides=BAD), orders=ORDERS, seed=SEED, place=Place.Twin)
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


def test_rules_are_advised_from_what_the_mirror_wrote(
    kept: tuple[Held, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held, store = kept
    counts = Counter(terms.policy_id for terms in held.market.terms.values())
    [(policy_id, orders)] = counts.most_common(1)
    words = ["policy", "advise", "--store", str(store), "--policy", policy_id, "--replays", "4", "--orders", "20"]
    output = tmp_path / "policy.json"
    with pytest.raises(SystemExit) as end:
        main([*words, "--output", str(output), "--json"])
    said = capsys.readouterr()
    assert end.value.code == 0, said.err
    [advice] = json.loads(said.out)["advice"]
    assert (advice["policy_id"], advice["orders"], advice["category"]) == (policy_id, orders, None)
    assert advice["enough"] is False
    assert advice["next_review_days"] == 30
    assert {change["field"] for one in advice["tried"] for change in one["changes"]} >= {"inspect_window"}
    # What it writes is a policy that can be registered by the same platform.
    policy = read_policy(output, None)
    assert policy.platform == held.market.policies[policy_id].platform
    assert (advice["advised"] is None) == (replace(policy, effective_from=0) == without_start(held, policy_id))


def without_start(held: Held, policy_id: str) -> Policy:
    return replace(held.market.policies[policy_id], effective_from=0)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--category", "fuel-card"], "no order under a live policy"),
        (["--output", "{folder}/policy.json"], "one group"),
        (["--policy", "0x12"], "0x12"),
        (["--price", "0"], "zero"),
    ],
)
def test_advice_is_refused_where_it_makes_no_sense(
    kept: tuple[Held, Path], words: list[str], text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.format(folder=tmp_path) for word in words]
    with pytest.raises(SystemExit) as end:
        main(["policy", "advise", "--lang", "en", "--store", str(kept[1]), *given])
    assert end.value.code == 3
    assert text in capsys.readouterr().err


def test_orders_have_the_category_of_the_listing_that_they_were_quoted_from(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "store.sqlite")) as store:
        shelf = Shelf(store)
        cards, fuel = shelf.quote(shelf.listing()), shelf.quote(shelf.listing(category="fuel-card"))
        asked = [cards.order_id, fuel.order_id, "0x" + "00" * 32]
        with store.reading() as session:
            found = categories_of(session, shelf.contract_id, asked)
    assert found == {cards.order_id: "game-card", fuel.order_id: "fuel-card"}
