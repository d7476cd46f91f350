"""A simulated market in the twin: reproducible, closed, and moved by nothing but its parameters."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.domain.events import OrderClosed, OrderOpened
from kameng_escrow.domain.policy import NO_CANCEL, Policy
from kameng_escrow.domain.states import State
from kameng_escrow.simulate.errors import BadParameter
from kameng_escrow.simulate.market import run
from kameng_escrow.simulate.parameters import ATTACKS, load_parameters
from kameng_escrow.simulate.result import MarketRun
from kameng_escrow.simulate.twin_venue import TwinVenue


def held(orders: int = 150, seed: int = 1, overrides: Mapping[str, Any] | None = None, **more: Any) -> MarketRun:
    return run(load_parameters(overrides=overrides), orders=orders, seed=seed, venue=TwinVenue(), **more)


@cache
def usual() -> MarketRun:
    return held()


@cache
def large() -> MarketRun:
    """Large enough for every attack."""
    return held(orders=2_000, seed=3)


def test_same_seed_gives_the_same_market() -> None:
    again = held()
    assert again.events == usual().events
    assert again.truths == usual().truths
    assert held(seed=2).events != usual().events


def test_every_order_ends_and_the_books_close() -> None:
    market = usual()
    opened = {one.event.order_id for one in market.events if isinstance(one.event, OrderOpened)}
    closed = [one.event.order_id for one in market.events if isinstance(one.event, OrderClosed)]
    assert sorted(closed) == sorted(opened) == sorted(market.terms) == sorted(market.truths)
    assert len(opened) + market.lost_payments == 150
    assert all(order.state is State.Closed for order in market.orders.values())
    assert set(market.closing.conserved.values()) == {True}


def test_events_come_as_the_mirror_records_them() -> None:
    places = [(one.block_number, one.log_index) for one in usual().events]
    assert places == sorted(set(places))
    times = [one.timestamp for one in usual().events]
    assert times == sorted(times)
    tick = usual().parameters.market.tick_seconds
    assert {at % tick for at in times} == {0}
    assert len({one.block_number for one in usual().events}) == len({one.block_hash for one in usual().events})


def test_another_policy_meets_the_same_people_with_the_same_luck() -> None:
    def longer(platform: str, category: str, policy: Policy) -> Policy:
        return replace(policy, deliver_window=2 * policy.deliver_window)

    other = held(change=longer)
    mine, theirs = usual().truths.values(), other.truths.values()
    assert [one.placed_at for one in mine] == [one.placed_at for one in theirs]
    assert [one.buyer_kind for one in mine] == [one.buyer_kind for one in theirs]
    assert usual().cast.buyers == other.cast.buyers
    assert usual().cast.sellers == other.cast.sellers
    assert set(usual().policies) != set(other.policies)
    assert usual().outcomes["Undelivered"] > other.outcomes["Undelivered"]


def test_attacks_are_planted_and_their_orders_told() -> None:
    market = large()
    assert {attack.kind for attack in market.attacks} == set(ATTACKS)
    numbers = {truth.number for truth in market.truths.values()}
    for attack in market.attacks:
        assert set(attack.order_numbers) <= numbers
        if attack.kind == "ring":
            touched = [one for one in market.truths.values() if one.number in attack.order_numbers]
            assert {one.attack for one in touched} == {attack.name}
            assert {market.terms[one.order_id].seller for one in touched} == {attack.actors[0]}
            assert {market.terms[one.order_id].buyer for one in touched} <= set(attack.actors[1:])
        if attack.kind == "code-reuse":
            codes = [one.fingerprint for one in market.truths.values() if one.attack == attack.name]
            assert len(codes) > 1
            assert len(set(codes)) == 1
        if attack.kind == "seller-failure":  # enough of it to be seen: a platform that bans the shop sends nobody soon
            touched = [one for one in market.truths.values() if one.number in attack.order_numbers]
            assert len(touched) >= 8
            assert {market.terms[one.order_id].seller for one in touched} == set(attack.actors)
        if attack.kind == "mediator-bias":  # of one who rules first, not of a backup who hardly ever rules
            assert attack.actors[0] in {one.mediator.address for one in market.cast.platforms.values() if one.mediator}
        if attack.kind == "price-outlier":
            [dear] = (one for one in market.truths.values() if one.attack == attack.name)
            same = [one.order_id for one in market.truths.values() if one.category == dear.category]
            terms = market.terms[dear.order_id]
            fen = [market.cast.money.fen(market.terms[one].price, market.terms[one].token) for one in same]
            assert market.cast.money.fen(terms.price, terms.token) > sorted(fen)[len(fen) // 2]


def test_kinds_of_people_differ_as_the_parameters_say() -> None:
    market = large()

    def share(kind: str, what: str) -> float:
        own = [one for one in market.truths.values() if one.seller_kind == kind]
        return sum(market.orders[one.order_id].outcome.label == what for one in own) / len(own)

    def disputed(kind: str) -> float:
        own = [one for one in market.truths.values() if one.seller_kind == kind]
        return sum(market.orders[one.order_id].disputed_at is not None for one in own) / len(own)

    assert share("overselling", "Undelivered") > 2 * share("prompt", "Undelivered")
    assert disputed("bad-codes") > 2 * disputed("prompt")


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    bad=st.floats(0, 1),
    lies=st.floats(0, 1),
    silent=st.floats(0, 1),
    native=st.floats(0, 1),
    windows=st.tuples(st.integers(5, 300), st.integers(5, 300), st.integers(60, 3_000), st.integers(60, 3_000)),
    bonds=st.tuples(st.integers(0, 5_000), st.integers(0, 5_000), st.integers(0, 5_000), st.integers(0, 1_000)),
)
def test_money_is_conserved_whatever_people_do(
    seed: int,
    bad: float,
    lies: float,
    silent: float,
    native: float,
    windows: tuple[int, int, int, int],
    bonds: tuple[int, int, int, int],
) -> None:
    names = ("accept_window", "deliver_window", "inspect_window", "negotiate_window")
    seller_bond, dispute_bond, cancel_fee, platform_fee = bonds
    policy = dict(zip(names, windows, strict=True)) | {
        "seller_bond_bps": seller_bond,
        "dispute_bond_bps": dispute_bond,
        "mediation_fee_bps": min(seller_bond, dispute_bond),
        "cancel_fee_bps": cancel_fee if cancel_fee % 2 else -1,
        "platform_fee_bps": platform_fee,
    }
    overrides = {
        "market": {"native_share": native, "days": 3},
        "sellers": {"prompt": {"bad_tempted": bad, "bad_untempted": bad}},
        "buyers": {"patient": {"false_tempted": lies, "false_untempted": lies}},
        "mediators": {"careful": {"silent": silent}},
        "platforms": {"steady": {"policy": policy}, "hasty": {"policy": policy}},
    }
    market = held(orders=25, seed=seed, overrides=overrides)
    assert set(market.closing.conserved.values()) == {True}
    assert all(order.state is State.Closed for order in market.orders.values())


def test_policies_are_the_platforms_own() -> None:
    market = usual()
    lax = market.cast.platforms["lax"].policies["game-card"]
    assert (lax.seller_bond_bps, lax.dispute_bond_bps, lax.cancel_fee_bps) == (800, 300, 0)
    assert market.cast.platforms["steady"].policies["game-card"].cancel_fee_bps == NO_CANCEL
    assert market.cast.platforms["hasty"].policies["membership"].accept_window == 10 * 60
    named = market.cast.platforms["steady"].policy_ids
    assert len(set(named.values())) == len(named)


@pytest.mark.parametrize(
    ("overrides", "path", "given"),
    [
        ({"market": {"days": 0.1}}, "market.days", 0.1),
        ({"market": {"days": float("nan")}}, "market.days", pytest.approx(float("nan"), nan_ok=True)),
        ({"market": {"tick_seconds": 1.5}}, "market.tick_seconds", 1.5),
        ({"market": {"orders_per_buyer": True}}, "market.orders_per_buyer", True),
        ({"market": {"weeks": 1}}, "market.weeks", 1),
        ({"buyers": {"patient": {"share": 0.9}}}, "buyers.*.share", 1.3),
        ({"buyers": {"patient": {"look": {"median": -1}}}}, "buyers.patient.look.median", -1),
        ({"buyers": {"new": {"share": 0.0}}}, "buyers.new.look", None),
        ({"buyers": 3}, "buyers", 3),
        ({"rhythm": {"hours": [1, 2]}}, "rhythm.hours", [1.0, 2.0]),
        ({"rhythm": {"awake_until": 5}}, "rhythm.awake_until", 5),
        ({"platforms": {"lax": {"mediator": "wise"}}}, "platforms.lax.mediator", "wise"),
        ({"platforms": {"lax": {"mediator": "", "backup": "slow"}}}, "platforms.lax.backup", "slow"),
        ({"attacks": {"flood": {"per_10000_orders": 1.0, "at_least": 0}}}, "attacks.flood", "flood"),
        ({"trouble": {"payment": {"lost_share": 0.99}}}, "trouble.payment.lost_share", 0.99),
        ({"categories": {"horses": {"share": 0.0}}}, "categories.horses.price_fen", None),
    ],
)
def test_nonsense_is_refused_with_its_place(overrides: Mapping[str, Any], path: str, given: object) -> None:
    with pytest.raises(BadParameter) as raised:
        load_parameters(overrides=overrides)
    assert (raised.value.path, raised.value.given) == (path, given)
    assert path in raised.value.message
    assert path in raised.value.message_zh


def test_a_policy_that_no_contract_takes_is_refused_before_anybody_trades() -> None:
    with pytest.raises(BadParameter) as raised:
        held(orders=5, overrides={"platforms": {"lax": {"policy": {"mediation_fee_bps": 900}}}})
    assert raised.value.path == "platforms.lax.policy"
    assert "300 bps" in str(raised.value.given)


def test_a_file_names_only_what_it_changes(tmp_path: Any) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[market]\ndays = 7.5\n[buyers.impulsive]\nregrets = 0.5\n", "utf-8")
    parameters, before = load_parameters(own), load_parameters()
    assert (parameters.market.days, parameters.buyers["impulsive"].regrets) == (7.5, 0.5)
    assert parameters.buyers["patient"] == before.buyers["patient"]
    own.write_text("[market\n", "utf-8")
    with pytest.raises(BadParameter) as raised:
        load_parameters(own)
    assert raised.value.path == "own.toml"
