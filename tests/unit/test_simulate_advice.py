"""Advice finds what is known to be better, says how sure it is, and claims nothing that the history does not show."""

import random
import threading
from dataclasses import fields, replace
from functools import cache
from math import log
from statistics import NormalDist, fmean, pvariance

import pytest

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import NO_CANCEL, ZERO_ADDRESS, Policy, validate_policy
from kameng_escrow.domain.policy_check import check_policy
from kameng_escrow.domain.policy_warnings import Severity
from kameng_escrow.simulate.advice import ENOUGH, Advice, advise
from kameng_escrow.simulate.advice_documents import advice_json, report_json
from kameng_escrow.simulate.advice_words import basis_text, change_text, effect_lines, number_text, verdict_text
from kameng_escrow.simulate.apart import advise_apart
from kameng_escrow.simulate.candidates import Change, changes_of
from kameng_escrow.simulate.errors import NoHistory, ReplayLost
from kameng_escrow.simulate.fitting import fit, fit_timing
from kameng_escrow.simulate.market import run
from kameng_escrow.simulate.parameters import Delay, Parameters, load_parameters
from kameng_escrow.simulate.replays import interval, measure, replay
from kameng_escrow.simulate.twin_venue import TwinVenue
from tests.unit.histories import POLICY

PRICE = 50_00  # fen
SHORT = 5 * 60  # seconds: the shortest deliver window that there is


@cache
def priors() -> Parameters:
    return load_parameters()


@cache
def history() -> tuple[Order, ...]:
    """Orders of a platform whose deliver window is too short for honest sellers."""

    def short(platform: str, category: str, policy: Policy) -> Policy:
        return replace(policy, deliver_window=SHORT)

    only = {name: {"share": float(name == "steady")} for name in ("steady", "lax", "hasty")}
    cards = {name: {"share": float(name == "game-card")} for name in priors().categories}
    parameters = load_parameters(overrides={"platforms": only, "categories": cards})
    market = run(parameters, orders=200, seed=4, venue=TwinVenue(), change=short)
    return tuple(market.orders.values())


def policy() -> Policy:
    [one] = {order.policy for order in history()}
    assert one is not None
    return one


@cache
def advised(seed: int = 1) -> Advice:
    return advise(history(), policy(), priors(), group="game-card", price_fen=PRICE, replays=5, orders=40, seed=seed)


def test_a_window_that_is_known_to_be_too_short_is_found() -> None:
    advice = advised()
    assert advice.enough
    assert advice.effect is not None
    changed = {change.field: change for change in advice.effect.changes}
    assert changed["deliver_window"].before == SHORT
    assert advice.advised.deliver_window == changed["deliver_window"].after > SHORT
    assert advice.tried[0].changes[0].field == "deliver_window"
    assert advice.effect.differences["cost_fen"].high < 0
    assert advice.effect.differences["failed"].high < 0
    assert advice.review_days == 90
    # And it was really so: of the same people, fewer are late under the advised policy.
    failed = fmean(order.delivered_at is None for order in history())
    assert advice.now.failed == pytest.approx(failed, abs=0.12)


def test_same_seed_gives_the_same_advice() -> None:
    def small(seed: int) -> Advice:
        few = history()[:60]
        return advise(few, policy(), priors(), group="game-card", price_fen=PRICE, replays=2, orders=10, seed=seed)

    assert small(1) == small(1)
    assert small(1).tried != small(2).tried


def test_nothing_is_advised_against_what_makes_honesty_pay() -> None:
    before = {one.code for one in check_policy(policy(), PRICE) if one.severity >= Severity.Caution}
    for change in changes_of(policy(), PRICE, instant=True):
        after = change.applied(policy())
        found = {one.code for one in check_policy(after, PRICE) if one.severity >= Severity.Caution}
        assert found <= before, change
        validate_policy(after, "0x" + "22" * 20, 0, 0)
        assert getattr(after, change.field) == change.after != change.before


def test_a_policy_without_a_mediator_gets_no_changes_of_mediation() -> None:
    bare = replace(POLICY, mediator=ZERO_ADDRESS, backup_mediator=ZERO_ADDRESS, mediate_window=0, mediation_fee_bps=0)
    fields_ = {change.field for change in changes_of(bare, PRICE, instant=True)}
    assert not fields_ & {"mediate_window", "dispute_bond_bps", "silence_share_bps", "negotiate_window"}


def test_little_history_is_called_so_and_leans_on_the_parameters() -> None:
    few = history()[:3]
    advice = advise(few, policy(), priors(), group="game-card", price_fen=PRICE, replays=4, orders=20)
    assert (advice.orders, advice.enough, advice.review_days) == (3, False, 30)
    assert "only 3 orders" in basis_text(advice).en
    assert "历史太少" in basis_text(advice).zh
    expected = fit([], policy(), priors(), price_fen=PRICE).shares
    for name, share in advice.fit.shares.items():
        assert share == pytest.approx(expected[name], abs=0.15), name


def test_no_history_is_refused() -> None:
    still_open = replace(history()[0], state=history()[0].state.Opened)
    for none in ((), (still_open,)):
        with pytest.raises(NoHistory) as raised:
            advise(none, policy(), priors(), group="game-card", price_fen=PRICE)
        assert raised.value.group == "game-card"


def test_the_same_luck_makes_differences_clearer() -> None:
    """Common random numbers: without them the same comparison is far noisier."""
    world = fit(history(), policy(), priors(), price_fen=PRICE).parameters
    longer = replace(policy(), deliver_window=20 * 60)
    weights = priors().advice

    def failed(rules: Policy, seed: int) -> float:
        return measure(replay(world, rules, orders=40, seed=seed), weights).failed

    before = [failed(policy(), seed) for seed in range(8)]
    after = [failed(longer, seed) for seed in range(8)]
    paired = [new - old for old, new in zip(before, after, strict=True)]
    apart = [new - old for old, new in zip(before, [*after[1:], after[0]], strict=True)]
    assert pvariance(paired) < pvariance(apart)
    assert fmean(paired) < 0


@pytest.mark.parametrize(("median", "never"), [(4.0, 0.02), (20.0, 0.1), (45.0, 0.3)])
def test_delays_are_found_behind_a_clock_that_cuts_them_off(median: float, never: float) -> None:
    luck, window = random.Random(7), 60.0
    happened, cut = [], []
    for _ in range(1_500):
        took = luck.lognormvariate(log(median), 0.8)
        if took < window and luck.random() >= never:
            happened.append(took)
        else:
            cut.append(window)
    found = fit_timing(happened, cut, Delay(10.0, 1.0), 0.05)
    # What was seen is met; late and never can be told apart as long as most are not late.
    by_window = (1 - found.never) * NormalDist(log(found.delay.median), found.delay.spread).cdf(log(window))
    assert by_window == pytest.approx(len(happened) / 1_500, abs=0.03)
    if median < window / 2:
        assert found.delay.median == pytest.approx(median, rel=0.3)
        assert found.never == pytest.approx(never, abs=0.1)


def test_without_any_order_a_delay_is_the_parameters_own() -> None:
    found = fit_timing([], [], Delay(10.0, 1.0), 0.05)
    assert (found.delay.median, found.delay.spread, found.never) == (pytest.approx(10.0), 1.0, 0.05)


def test_intervals_hold_the_mean_and_narrow_with_agreement() -> None:
    wide, narrow = interval([-3.0, 1.0, 4.0, -2.0], 1), interval([1.0, 1.1, 0.9, 1.0], 1)
    assert wide.low < wide.mean == 0.0 < wide.high
    assert not wide.sure
    assert narrow.sure
    assert narrow.high - narrow.low < wide.high - wide.low
    assert interval([1.0, 1.1, 0.9, 1.0], 1) == narrow


def test_advice_is_told_in_both_languages() -> None:
    advice = advised()
    assert advice.effect is not None
    for change in advice.effect.changes:
        label = change_text(change)
        assert "→" in label.en
        assert "→" in label.zh
    assert len(effect_lines(advice.effect)) == len(advice.effect.differences)
    assert "95 %" in verdict_text(advice).en
    assert verdict_text(replace(advice, effect=None)).zh.endswith("保持原规则")
    assert verdict_text(replace(advice, orders=ENOUGH - 1)).en.startswith("if your people")
    assert basis_text(advice).en == "from 200 orders that have ended" or advice.orders < 200


def test_every_change_that_may_be_tried_has_a_meaning() -> None:
    for name in ("accept", "deliver", "inspect", "negotiate", "mediate"):
        for after in (1, 3):
            assert change_text(Change(field=f"{name}_window", before=120, after=after * 60)).zh
    for name in ("seller_bond", "dispute_bond", "cancel_fee", "silence_share"):
        for after in (1, 3):
            assert change_text(Change(field=f"{name}_bps", before=200, after=after * 100)).en
    assert number_text("cancel_fee_bps", NO_CANCEL).en == "no cancel once accepted"
    assert number_text("deliver_window", 90 * 60).en == "90 min"
    assert number_text("inspect_window", 86_400).zh == "24 小时"
    assert number_text("mediate_window", 4 * 86_400).en == "4 days"
    assert number_text("seller_bond_bps", 1_250).en == "12.5%"


def test_fitted_markets_have_every_parameter() -> None:
    parameters = fit(history(), policy(), priors(), price_fen=PRICE).parameters
    assert {field.name for field in fields(parameters)} == {field.name for field in fields(priors())}
    [seller] = parameters.sellers.values()
    assert 0 <= seller.bad_untempted <= seller.bad_tempted <= 1
    assert not parameters.attacks


def test_advice_from_another_process_is_the_same() -> None:
    few = history()[:30]
    options = {"group": "game-card", "price_fen": PRICE, "replays": 1, "orders": 3}
    there = advise_apart(threading.Event(), few, policy(), priors(), **options)
    assert there == advise(few, policy(), priors(), **options)


def test_a_process_that_is_gone_is_told_and_one_that_is_not_wanted_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    stop.set()
    assert advise_apart(stop, history(), policy(), priors(), group="game-card", price_fen=PRICE) is None
    with pytest.raises(ReplayLost) as raised:  # the other has no order that has ended
        advise_apart(threading.Event(), (), policy(), priors(), group="game-card", price_fen=PRICE)
    assert raised.value.exit_code == 1
    assert "稍后会再试" in raised.value.message_zh


def test_a_report_has_the_advice_in_words_and_numbers() -> None:
    advice = advised()
    assert advice.effect is not None
    found = report_json(advice, price_known=True, review_by=7)
    assert (found["orders"], found["price_fen"], found["price_known"]) == (advice.orders, PRICE, True)
    assert found["advised"]["deliver_window"] == advice.advised.deliver_window
    assert [one["field"] for one in found["changes"]] == [one.field for one in advice.effect.changes]
    assert found["changes"][0]["sentence"]["zh"] == change_text(advice.effect.changes[0]).zh
    cost = next(one for one in found["effects"] if one["measure"] == "cost_fen")
    assert cost["high"] == round(advice.effect.differences["cost_fen"].high, 4) < 0
    assert "元" in cost["sentence"]["zh"]
    assert (found["tried"][0]["better"], found["review_by"], found["next_review_days"]) == (True, 7, 90)
    assert advice_json(advice)["effect"]["better"] is True
