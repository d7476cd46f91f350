"""What is paid for gas: enough to be mined and to replace, never more than may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.keeper.fees import is_too_dear, market_fee, raised
from kameng_escrow.store.keeping import Fee

AMOUNTS = st.integers(0, 10**14)
CAPS = st.integers(1, 10**14)


def test_the_base_fee_may_double() -> None:
    assert market_fee(100, 3, 10**6) == Fee(highest=203, tip=3)
    assert market_fee(100, 3, 150) == Fee(highest=150, tip=3)
    assert market_fee(100, 300, 150) == Fee(highest=150, tip=150)


def test_a_legacy_chain_is_paid_the_gas_price() -> None:
    assert market_fee(None, 30, 10**6) == Fee(highest=30, tip=None)
    assert market_fee(None, 30, 20) == Fee(highest=20, tip=None)


@pytest.mark.parametrize(
    ("base_fee", "suggested", "dear"), [(100, 50, False), (101, 0, True), (None, 100, False), (None, 101, True)]
)
def test_too_dear(base_fee: int | None, suggested: int, dear: bool) -> None:
    assert is_too_dear(base_fee, suggested, 100) is dear


@given(highest=AMOUNTS, tip=AMOUNTS, base_fee=AMOUNTS, suggested=AMOUNTS, cap=CAPS, legacy=st.booleans())
def test_a_replacement_pays_an_eighth_more_and_never_above_the_cap(
    highest: int, tip: int, base_fee: int, suggested: int, cap: int, legacy: bool
) -> None:
    before = Fee(highest=highest, tip=None if legacy else min(tip, highest))
    market = market_fee(None if legacy else base_fee, suggested, cap)
    after = raised(before, market, cap)
    if after is None:
        assert highest * 9 > cap * 8 or highest + 1 > cap
        return
    assert highest < after.highest <= cap
    assert after.highest * 8 >= highest * 9
    assert after.highest >= min(market.highest, cap)
    if legacy:
        assert after.tip is None
    else:
        assert after.tip is not None
        assert after.tip <= after.highest
        assert after.tip == after.highest or after.tip * 8 >= (before.tip or 0) * 9
