"""Platforms without a past share one sum, and those who have one are not held up by them."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.states import Fault, Outcome, State
from kameng_escrow.domain.typed_data import policy_id
from kameng_escrow.relay.budgets import NEW_BUDGET, PAST_ORDERS, PAST_SECONDS, SHARES, purses_of
from kameng_escrow.store import Store
from kameng_escrow.store.models import OrderRow, PolicyRow
from kameng_escrow.store.relaying import NewRelay, RelayKind
from kameng_escrow.store.service import relays
from tests.integration.shelf import NOW, SELLER, Shelf
from tests.unit.histories import PLATFORM, account

EACH = 2 * 10**16
NOW_MS = 1_000 * NOW
NEWCOMER, OTHER = account(81), account(82)


@pytest.fixture
def shelf(store: Store) -> Shelf:
    return Shelf(store)


def closed(shelf: Shelf, count: int, *, at: int, outcome: Outcome = Outcome.Released, buyers: int = 10**6) -> None:
    """Orders of the shelf's platform that ended so."""
    with shelf.store.writing() as session:
        [policy] = session.query(PolicyRow).all()
        for number in range(count):
            session.add(
                OrderRow(
                    contract_id=shelf.contract_id,
                    order_id=f"0x{number + 1:064x}",
                    policy_id=policy.policy_id,
                    buyer=account(100 + number % buyers),
                    seller=SELLER,
                    state=State.Closed,
                    outcome=outcome,
                    fault=Fault.Nobody,
                    disputed_units=0,
                    mediation_fee=0,
                    revision=0,
                    first_block=1,
                    first_log_index=number,
                    last_block=1,
                    last_log_index=number,
                    closed_at=at,
                )
            )


def accepted(shelf: Shelf, platform: str, number: int, gas: int = 100_000) -> None:
    """A relay for the platform, which waits."""
    with shelf.store.writing() as session:
        new = NewRelay(
            kind=RelayKind.Action,
            order_id=f"0x{number:064x}",
            verb="Confirm",
            platform=platform,
            account=None,
            to=account(90),
            data=b"",
            gas=gas,
        )
        relays.accept(session, shelf.contract_id, new, f"0x{number:064x}", NOW_MS)


def limits(shelf: Shelf, platform: str, *, new: int | None = NEW_BUDGET, each: int | None = EACH) -> list[int | None]:
    with shelf.store.reading() as session:
        purses = purses_of(session, shelf.contract_id, platform, each=each, new=new, now_ms=NOW_MS)
    return [purse.has.limit for purse in purses]


def test_a_platform_is_new_until_twenty_buyers_paid_and_a_week_has_passed(shelf: Shelf) -> None:
    assert policy_id(shelf.policy) == shelf.policy_id
    new = [NEW_BUDGET // SHARES, NEW_BUDGET]
    assert limits(shelf, PLATFORM) == new
    closed(shelf, PAST_ORDERS, at=NOW - PAST_SECONDS - 1)
    assert limits(shelf, PLATFORM) == [EACH]
    assert limits(shelf, NEWCOMER) == new
    assert limits(shelf, NEWCOMER, new=None) == [EACH]
    assert limits(shelf, NEWCOMER, each=None) == new
    assert limits(shelf, NEWCOMER, each=7) == [7, NEW_BUDGET]


@pytest.mark.parametrize(
    "orders",
    [
        {"count": PAST_ORDERS - 1, "at": NOW - PAST_SECONDS - 1},
        {"count": PAST_ORDERS, "at": NOW - PAST_SECONDS},
        {"count": PAST_ORDERS, "at": NOW - PAST_SECONDS - 1, "outcome": Outcome.Refunded},
        {"count": 2 * PAST_ORDERS, "at": NOW - PAST_SECONDS - 1, "buyers": PAST_ORDERS - 1},
    ],
)
def test_what_is_no_past(shelf: Shelf, orders: dict[str, int]) -> None:
    closed(shelf, **orders)  # type: ignore[arg-type]  # as its parameters are
    assert limits(shelf, PLATFORM) == [NEW_BUDGET // SHARES, NEW_BUDGET]


def test_whoever_runs_it_may_say_otherwise(shelf: Shelf) -> None:
    with shelf.store.writing() as session:
        relays.set_budget(session, shelf.contract_id, NEWCOMER, 5)
    assert limits(shelf, NEWCOMER) == [5]


def test_new_platforms_wear_out_their_own_sum_and_nobody_elses(shelf: Shelf) -> None:
    closed(shelf, PAST_ORDERS, at=NOW - PAST_SECONDS - 1)
    for number, platform in enumerate((NEWCOMER, NEWCOMER, OTHER, PLATFORM), 1):
        accepted(shelf, platform, number)
    with shelf.store.reading() as session:
        own, together = purses_of(session, shelf.contract_id, NEWCOMER, each=EACH, new=NEW_BUDGET, now_ms=NOW_MS)
        assert (own.waiting_gas, own.together) == (200_000, False)
        assert (together.waiting_gas, together.together) == (300_000, True)
        [old] = purses_of(session, shelf.contract_id, PLATFORM, each=EACH, new=NEW_BUDGET, now_ms=NOW_MS)
    assert together.short(NEW_BUDGET - 5, waiting=5) is None
    short = together.short(NEW_BUDGET - 5, waiting=6)
    assert short is not None
    assert (short.limit, short.used, short.needed, short.together) == (NEW_BUDGET, 6, NEW_BUDGET - 5, True)
    assert "all platforms that are new here" in short.message
    assert old.short(EACH) is None
    assert replace(old, has=replace(old.has, limit=None)).short(10**30) is None
