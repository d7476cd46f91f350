"""What is left at a deposit address is swept by itself where that is worth it, and never kept from it by dust."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.states import State
from kameng_escrow.relay.watching import MOST_LARGE_SWEEPS, MOST_SWEEPS, SWEEP_GAS, Sight, Step, judge, least_of
from kameng_escrow.store.service.deposits import WatchedDeposit
from tests.unit.histories import BUYER, PLATFORM, TERMS, account

PRICE = 1_000_000
TOKEN = account(70)
OPEN_BY = TERMS.open_by


def terms(token: str = TOKEN, price: int = PRICE) -> OrderTerms:
    return replace(TERMS, token=token, price=price)


def deposit(sweeps: int) -> WatchedDeposit:
    return WatchedDeposit(
        order_id="0x" + "11" * 32,
        address=account(71),
        terms=terms(),
        platform=PLATFORM,
        account=BUYER,
        offer=None,
        signature=b"",
        created_ms=0,
        watched=True,
        look_ms=0,
        balance=0,
        confirmed=0,
        sweeps=sweeps,
        failures=0,
        code=None,
        reason=None,
        reason_zh=None,
    )


def step(there: int, sweeps: int, least: int = PRICE // 100) -> Step:
    sight = Sight(state=State.Nothing, balance=there, confirmed=there, now=OPEN_BY + 1, least=least)
    return judge(deposit(sweeps), sight)


@pytest.mark.parametrize(
    ("there", "sweeps", "expected"),
    [
        (0, 0, Step.Rest),
        (1, 0, Step.Rest),
        (PRICE // 100 - 1, 0, Step.Rest),
        (PRICE // 100, 0, Step.Sweep),
        (PRICE // 100, MOST_SWEEPS - 1, Step.Sweep),
        (PRICE // 2 - 1, MOST_SWEEPS, Step.Rest),
        (PRICE // 2, MOST_SWEEPS, Step.Sweep),  # whatever came before: this is a payment that came late
        (PRICE, MOST_LARGE_SWEEPS - 1, Step.Sweep),
        (PRICE, MOST_LARGE_SWEEPS, Step.Rest),
    ],
)
def test_dust_uses_up_nothing_that_a_late_payment_needs(there: int, sweeps: int, expected: Step) -> None:
    assert step(there, sweeps) is expected


@pytest.mark.parametrize(
    ("token", "price", "told", "least"),
    [
        (TOKEN, PRICE, {}, PRICE // 100),
        (TOKEN, 99, {}, 1),
        (TOKEN, PRICE, {TOKEN: 7}, 7),
        (TOKEN, PRICE, {NATIVE: 7}, PRICE // 100),
        (NATIVE, PRICE, {}, 5 * SWEEP_GAS),  # which is more than the hundredth
        (NATIVE, PRICE, {NATIVE: 7}, 7),
        (NATIVE, PRICE, {NATIVE: 10**9}, 10**9),
        (NATIVE, 10**18, {}, 10**16),
    ],
)
def test_nothing_is_swept_that_is_not_worth_it(token: str, price: int, told: dict[str, int], least: int) -> None:
    assert least_of(terms(token, price), told, 5) == least
