"""Who may hear what, and when."""

from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kameng_escrow.domain.events import OrderEvent
from kameng_escrow.notify.errors import ReleaseNeedsFinal, UnknownEvent
from kameng_escrow.notify.rules import RELEASING, check_events, check_purpose, wants
from kameng_escrow.notify.schedule import JITTER, LONGEST_WAIT, WEBHOOK_DELAYS, next_try, retry_after
from kameng_escrow.store.service.notifying import Delivery, Purpose
from kameng_escrow.webhooks import ORDER_TYPES, RETRACTED, SUBSCRIBABLE, TESTED, type_of

HARMLESS = {"order.disputed", "order.revised"}


def test_types_are_nouns_then_past_and_one_for_each_event() -> None:
    assert type_of("OrderOpened") == "order.opened"
    assert type_of("MediationFeeCredited") == "mediation_fee.credited"
    assert list(ORDER_TYPES) == [event.__name__ for event in get_args(OrderEvent)]
    assert len(set(SUBSCRIBABLE)) == len(SUBSCRIBABLE)
    assert not {RETRACTED, TESTED} & set(SUBSCRIBABLE)


def test_every_event_was_thought_about() -> None:
    """A new kind of event must say whether anybody lets goods or money go because of it."""
    assert set(RELEASING) | HARMLESS == set(SUBSCRIBABLE)
    assert not set(RELEASING) & HARMLESS


@pytest.mark.parametrize("name", ["order.shipped", RETRACTED, TESTED, "*", ""])
def test_what_nobody_can_subscribe_to_is_refused(name: str) -> None:
    with pytest.raises(UnknownEvent) as refused:
        check_events(["order.opened", name])
    assert (refused.value.name, refused.value.known) == (name, SUBSCRIBABLE)


def test_types_are_kept_once_and_in_their_order() -> None:
    assert check_events(["order.closed", "order.opened", "order.closed"]) == ("order.opened", "order.closed")
    assert check_events([]) == ()


@pytest.mark.parametrize("name", sorted(RELEASING))
def test_nothing_that_releases_goods_is_instant(name: str) -> None:
    for purpose in (None, Purpose.Release):
        with pytest.raises(ReleaseNeedsFinal) as refused:
            check_purpose([name], Delivery.Instant, purpose)
        assert refused.value.events == (name,)
    assert check_purpose([name], Delivery.Final, None) is Purpose.Release


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_releasing_because_of_anything_else_is_not_instant_either(name: str) -> None:
    with pytest.raises(ReleaseNeedsFinal):
        check_purpose([name], Delivery.Instant, Purpose.Release)
    assert check_purpose([name], Delivery.Instant, None) is Purpose.Inform


def test_all_events_are_some_that_release() -> None:
    with pytest.raises(ReleaseNeedsFinal):
        check_purpose([], Delivery.Instant, None)
    assert check_purpose([], Delivery.Instant, Purpose.Inform) is Purpose.Inform
    assert check_purpose([], Delivery.Final, None) is Purpose.Release


def test_a_subscription_hears_what_it_asked_for() -> None:
    assert wants([], "OrderOpened")
    assert wants(["order.opened"], "OrderOpened")
    assert not wants(["order.opened"], "OrderClosed")


# -------------------------------------------------------------------------------------------------------- the schedule


def test_the_schedule_is_the_specs() -> None:
    """Each attempt in seconds after the first, as the spec's table has them."""
    starts = [sum(WEBHOOK_DELAYS[:n]) for n in range(10)]
    table = ["0:00:00", "0:00:05", "0:05:05", "0:35:05", "2:35:05"]
    table += ["7:35:05", "17:35:05", "31:35:05", "51:35:05", "75:35:05"]
    assert starts == [int(h) * 3_600 + int(m) * 60 + int(s) for h, m, s in (text.split(":") for text in table)]


@pytest.mark.parametrize("failures", range(1, 10))
def test_chance_only_ever_adds(failures: int) -> None:
    delay = 1_000 * WEBHOOK_DELAYS[failures - 1]
    assert next_try(WEBHOOK_DELAYS, failures, 7, chance=lambda: 0.0) == 7 + delay
    assert next_try(WEBHOOK_DELAYS, failures, 7, chance=lambda: 1.0) == 7 + int(delay * (1 + JITTER))


def test_the_tenth_failure_is_the_last() -> None:
    assert next_try(WEBHOOK_DELAYS, 9, 0) is not None
    assert next_try(WEBHOOK_DELAYS, 10, 0) is None


def test_a_receiver_may_ask_for_longer_and_not_for_shorter_or_for_ever() -> None:
    def asked(seconds: float) -> int | None:
        return next_try(WEBHOOK_DELAYS, 2, 0, asked=seconds, chance=lambda: 0.0)

    assert asked(1) == 300_000
    assert asked(301) == 301_000
    assert asked(10**9) == 1_000 * LONGEST_WAIT


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("9" * 40, LONGEST_WAIT),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 60),
        ("Thu, 01 Jan 1970 00:00:30 GMT", 0),
        ("Fri, 01 Jan 2100 00:00:00 GMT", LONGEST_WAIT),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, 60_000) == seconds


_DATES = st.builds(
    "Mon, {} Jan {} {:02}:00:00 {}{}".format,
    st.integers(0, 10**3),
    st.integers(0, 10**30),
    st.integers(0, 99),
    st.sampled_from(["GMT ", "+", "-", ""]),
    st.integers(0, 10**30),
)


@given(st.text() | _DATES, st.integers(0, 2**42))
@example("Mon, 01 Jan 99999999999 00:00:00 GMT", 60_000)
@example("Mon, 01 Jan 2024 00:00:00 +99999999999", 60_000)
@example("Mon, 01 Jan 0001 00:00:00 +2359", 60_000)
@example("\u0663", 60_000)
def test_no_header_raises_anything(header: str, now_ms: int) -> None:
    """It is a stranger's, and read where everybody's answers are written down."""
    asked = retry_after(header, now_ms)
    assert asked is None or 0 <= asked <= LONGEST_WAIT
