"""Detectors on attacks whose truth is known, and what holds of all of them."""

from dataclasses import replace
from functools import cache

import pytest

from kameng_escrow.domain.events import OrderDelivered
from kameng_escrow.risk.anomalies import (
    Alarm,
    Kind,
    OrderFacts,
    Repeat,
    Role,
    Severity,
    StateUnreadable,
    Step,
    Watch,
    alarm_from_json,
    alarm_json,
    sentence,
)
from kameng_escrow.risk.anomalies.bounded import Bounded
from tests.unit.event_market import CATEGORIES, DAY, HOUR, START, TOKEN, Attack, Market, opened

BEGINS = START + 4 * DAY + 3 * HOUR


def market(**changes: object) -> Market:
    return Market(**{"seed": 3, "days": 6, "orders_per_day": 250, "sellers": 15, "buyers": 600, **changes})  # type: ignore[arg-type]


@cache
def quiet_steps() -> tuple[Step, ...]:
    """A market in which nobody means harm."""
    return tuple(market().steps())


def alarms_of(attack: Attack, **changes: object) -> list[Alarm]:
    return list(Watch().learn_all(market(attacks=(attack,), **changes).steps()).values())


def middling(place: int = 5) -> str:
    """A seller who is neither large nor small."""
    return sorted(market().people, key=lambda one: -one.size)[place].account


def puppets(count: int) -> tuple[str, ...]:
    return tuple(market().account("puppet", number) for number in range(count))


def test_a_market_without_attacks_raises_no_alarm() -> None:
    alarms = Watch().learn_all(quiet_steps())
    assert [sentence(one)[0] for one in alarms.values()] == []


# ------------------------------------------------------------------------------------------------------ the detectors

ATTACKS = {
    "burst": (Kind.Velocity, Role.Seller, middling, (), 1.0),
    "buyer_burst": (Kind.Velocity, Role.Buyer, lambda: market().crowd[50].account, (), 2.0),
    "ring": (Kind.Ring, Role.Seller, middling, (middling(7), middling(9)), 40.0),
    "one_purse": (Kind.Ring, Role.Seller, middling, puppets(3), 12.0),
    "one_hand": (Kind.Ring, Role.Seller, middling, puppets(6), 24.0),
    "pumping": (Kind.Ring, Role.Seller, middling, puppets(3), 24.0),
    "price": (Kind.Price, Role.Seller, middling, (), 12.0),
    "codes": (Kind.CodeReuse, Role.Seller, middling, (), 24.0),
    "collapse": (Kind.Failure, Role.Seller, middling, (), 36.0),
    "category": (Kind.Failure, Role.Category, lambda: CATEGORIES[0], (), 24.0),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_found_in_time(attack: str) -> None:
    kind, role, who, others, hours = ATTACKS[attack]
    subject = who()
    found = [
        one
        for one in alarms_of(Attack(kind=attack, who=subject, at=BEGINS, others=others))
        if one.kind is kind and one.role is role and subject in (one.who, *one.with_whom)
    ]
    assert found, f"{attack} was not found"
    first = min(found, key=lambda one: one.raised_at)
    assert BEGINS <= first.raised_at <= BEGINS + hours * HOUR
    assert first.orders
    assert len(first.orders) <= 20
    english, chinese = sentence(first)
    assert first.who in english or role is Role.Category
    assert english.endswith(".")
    assert chinese.endswith("。")


def test_a_busy_seller_is_held_against_its_own_pace() -> None:
    """Thirty orders an hour are its usual ones, forty are nothing, and three hundred are a burst."""
    watch, number = Watch(), 0

    def hour(begins: int, count: int) -> list[Alarm]:
        nonlocal number
        found = []
        for at in range(begins, begins + HOUR, HOUR // count):
            number += 1
            name = f"0x{number:040x}"
            order = facts(order_id=name, buyer=name, refund_to=name)
            found += watch.learn(Step(at=at, event=opened(order), order=order))
        return found

    assert [hour(START + place * HOUR, 30) for place in range(72)] == [[]] * 72
    assert hour(START + 72 * HOUR, 40) == []
    alarms = hour(START + 80 * HOUR, 300)
    assert {(one.kind, one.who) for one in alarms} == {(Kind.Velocity, "0xS")}
    assert alarms[-1].numbers["orders_in_an_hour"] >= 290  # type: ignore[operator]
    assert START + 79 * HOUR < alarms[0].since <= START + 80 * HOUR


def test_a_serial_disputer_is_found_among_many_sellers() -> None:
    bad = market().account("bad", 1)
    found = [one for one in alarms_of(Attack(kind="disputer", who=bad, at=START + DAY)) if one.kind is Kind.Disputer]
    assert [one.who for one in found] == [bad] * len(found)
    assert found[0].numbers["sellers"] >= 2  # type: ignore[operator]
    assert found[0].numbers["disputed"] > 3 * found[0].numbers["expected"]  # type: ignore[operator]


def rulings(mediator: str, wins: str, count: int, *, seller: str = "0xS", start: int = 0) -> list[Step]:
    """Rulings of a mediator: `wins` says for whom, over and over; "b", "s", or "-" for neither."""
    from kameng_escrow.domain.events import OrderRuled

    steps = []
    for number in range(start, start + count):
        order = facts(seller=seller, order_id=f"0x{mediator}{number}", disputed_units=1)
        share = {"b": order.price, "s": 0, "-": order.price // 2}[wins[number % len(wins)]]
        event = OrderRuled(order_id=order.order_id, mediator=mediator, to_buyer=share, grounds="0x")
        steps.append(Step(at=START + number * HOUR, event=event, order=order))
    return steps


def facts(**changes: object) -> OrderFacts:
    plain = {
        "order_id": "0x01",
        "buyer": "0xB",
        "refund_to": "0xB",
        "seller": "0xS",
        "pay_to": "0xS",
        "payer": "0xB",
        "token": TOKEN,
        "price": 1_000_000,
        "units": 1,
        "platform": "0xP",
        "category": "game-card",
    }
    return OrderFacts(**{**plain, **changes})  # type: ignore[arg-type]


def test_a_mediator_who_rules_for_one_side_only_is_told_of_and_few_rulings_are_not() -> None:
    assert Watch().learn_all(rulings("0xM", "b", 7)) == {}
    watch = Watch()
    watch.learn_all(rulings("0xFair", "bs", 60))
    alarms = [one for step in rulings("0xM", "s", 60) for one in watch.learn(step)]
    first = alarms[0]
    assert (first.kind, first.who, first.about) == (Kind.MediatorBias, "0xM", "seller")
    assert 8 <= first.numbers["rulings"] <= 40  # type: ignore[operator]
    assert "for sellers" in sentence(first)[0]
    assert "判卖家胜" in sentence(first)[1]


@pytest.mark.parametrize("wins", ["bs", "bbs", "ssb", "-"])
def test_a_mediator_with_whom_both_sides_win_raises_no_alarm(wins: str) -> None:
    assert Watch().learn_all(rulings("0xM", wins, 400)) == {}


def test_a_mediator_who_favours_one_seller_is_told_of_with_that_seller() -> None:
    watch = Watch()
    watch.learn_all(rulings("0xM", "bsb", 90, seller="0xOther"))
    alarms = watch.learn_all(rulings("0xM", "s", 60, seller="0xFriend", start=90))
    paired = [one for one in alarms.values() if one.about == "0xFriend"]
    assert paired
    assert paired[0].severity is Severity.High
    assert "0xFriend" in sentence(paired[0])[0]


def test_code_reuse_says_which_codes_and_whether_they_were_read() -> None:
    order = facts(order_id="0x02", delivered_at=START)
    repeats = (
        Repeat(unit=1, order_id="0x01", seller="0xOther", was_read=True),
        Repeat(unit=2, order_id="0x01", seller="0xOther", was_read=True),
    )
    event = OrderDelivered(order_id="0x02", commitment="0x")
    [alarm] = Watch().learn(Step(at=START, event=event, order=order, repeats=repeats))
    assert (alarm.kind, alarm.who, alarm.severity) == (Kind.CodeReuse, "0xS", Severity.High)
    assert alarm.orders == ("0x01", "0x02")
    assert alarm.with_whom == ("0xOther",)
    assert (alarm.numbers["codes_again"], alarm.numbers["other_orders"]) == (2, 1)
    assert Watch().learn(Step(at=START, event=event, order=order)) == []


# ---------------------------------------------------------------------------------------------- what holds of all


def test_the_same_again_is_one_alarm_brought_up_to_date_until_a_week_of_quiet() -> None:
    watch, told = Watch(), []
    for number, at in enumerate((0, HOUR, 20 * HOUR, 20 * HOUR + 7 * DAY, 21 * HOUR + 14 * DAY)):
        order = facts(order_id=f"0x1{number}")
        repeats = (Repeat(unit=1, order_id="0x01", seller="0xS", was_read=False),)
        event = OrderDelivered(order_id=order.order_id, commitment="0x")
        told += watch.learn(Step(at=START + at, event=event, order=order, repeats=repeats))
    assert [one.findings for one in told] == [1, 2, 3, 4, 1]
    assert len({one.id for one in told}) == 2
    assert told[3].raised_at == START
    assert told[3].updated_at == START + 20 * HOUR + 7 * DAY
    assert told[2].orders == ("0x01", "0x10", "0x11", "0x12")


def busy_steps() -> tuple[Step, ...]:
    """A market in which much happens at once."""
    attacks = tuple(
        Attack(kind=kind, who=ATTACKS[kind][2](), at=START + 2 * DAY, others=ATTACKS[kind][3])  # type: ignore[operator]
        for kind in ("burst", "ring", "price", "codes", "category", "one_hand")
    )
    return tuple(market(days=4, attacks=attacks).steps())


def test_a_watch_that_was_written_down_goes_on_where_it_was() -> None:
    steps = busy_steps()
    whole = Watch()
    expected = [[alarm_json(one) for one in whole.learn(step)] for step in steps]
    assert sum(map(len, expected)) > 20
    watch, found = Watch(), []
    cuts = {len(steps) * part // 7 for part in range(1, 7)}
    for number, step in enumerate(steps):
        if number in cuts:
            watch = Watch.restore(watch.dump())
        found.append([alarm_json(one) for one in watch.learn(step)])
    assert found == expected
    for one in (one for told in expected for one in told):
        assert alarm_json(alarm_from_json(one)) == one
    assert Watch.restore(watch.dump()).dump() == whole.dump()


def test_which_of_unrelated_orders_comes_first_does_not_matter() -> None:
    """Of sellers in different categories with different buyers, as long as each one's own order stays."""
    here = rulings("0xM", "s", 60, seller="0xA")
    there = [replace(step, order=replace(step.order, category="gift-card")) for step in rulings("0xN", "b", 3)]
    mixed = [step for pair in zip(there, here[:3], strict=True) for step in pair] + here[3:]
    one_after_the_other = there + here

    def told(steps: list[Step]) -> list[tuple[str, str, int]]:
        return [(one.who, one.about, one.findings) for one in Watch().learn_all(steps).values()]

    assert told(mixed) == told(one_after_the_other) != []


def test_memory_does_not_grow_with_made_up_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Bounded.__init__
    monkeypatch.setattr(Bounded, "__init__", lambda self, most, kind: made(self, min(most, 50), kind))
    watch, sizes = Watch(), []
    for number in range(400):
        name = f"0x{number:040x}"
        order = facts(
            order_id=name,
            buyer=name,
            refund_to=f"0xA{number}",
            seller=f"0xS{number}",
            pay_to=f"0xC{number}",
            category=f"x-{number}",
            title=name,
        )
        watch.learn(Step(at=START + number, event=opened(order), order=order))
        event = OrderDelivered(order_id=name, commitment="0x")
        watch.learn(Step(at=START + number, event=event, order=order))
        if number in (199, 399):
            sizes.append(len(watch.dump()))
    assert sizes[1] < sizes[0] * 1.05


@pytest.mark.parametrize(
    "state", [b"", b"{}", b"[]", b'{"version": 0}', b'{"version": 1, "detectors": {"velocity": 5}}']
)
def test_a_state_that_is_none_is_refused(state: bytes) -> None:
    with pytest.raises(StateUnreadable):
        Watch.restore(state)
