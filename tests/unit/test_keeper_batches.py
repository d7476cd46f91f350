"""Which orders go together, and what a transaction that was signed says when it is read again."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.chain.codec import functions
from kameng_escrow.chain.dev_accounts import dev_account
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.states import State
from kameng_escrow.keeper import Rules
from kameng_escrow.keeper.batches import batches, neighbours, receiver, rotated
from kameng_escrow.keeper.eye import _of_many
from kameng_escrow.keeper.signing import Content, content_of, sign
from kameng_escrow.store import Due
from kameng_escrow.store.keeping import Fee, Payload

TOKENS = [NATIVE, "0x5FbDB2315678afecb367f032d93F642f64180aa3"]
PEOPLE = [dev_account(index).address for index in range(4)]
PLAIN = OrderTerms(
    buyer=PEOPLE[0],
    refund_to=PEOPLE[0],
    seller=PEOPLE[1],
    pay_to=PEOPLE[1],
    token=NATIVE,
    price=1_000,
    units=1,
    policy_id="0x" + "aa" * 32,
    listing="0x" + "11" * 32,
    open_by=10**10,
    salt="0x" + "00" * 32,
)


def due(number: int, *, state: State = State.Opened, **changes: object) -> Due:
    return Due(order_id=f"0x{number:064x}", terms=replace(PLAIN, **changes), state=state, due_at=1_000)


@st.composite
def orders(draw: st.DrawFn) -> list[Due]:
    count = draw(st.integers(0, 60))
    return [
        due(
            number,
            state=draw(st.sampled_from([State.Opened, State.Accepted, State.Delivered, State.Disputed])),
            token=draw(st.sampled_from(TOKENS)),
            refund_to=draw(st.sampled_from(PEOPLE)),
            pay_to=draw(st.sampled_from(PEOPLE)),
        )
        for number in range(count)
    ]


@given(orders())
def test_who_is_paid_the_same_coin_stands_together(made: list[Due]) -> None:
    arranged = neighbours(made)
    assert sorted(one.order_id for one in arranged) == sorted(one.order_id for one in made)
    pairs = [(one.terms.token, receiver(one)) for one in arranged]
    changes = sum(before != after for before, after in pairwise(pairs))
    assert changes == max(0, len(set(pairs)) - 1)


def test_the_seller_is_paid_after_the_inspection_and_the_buyer_before() -> None:
    assert receiver(due(1, state=State.Delivered)) == PLAIN.pay_to
    assert receiver(due(1, state=State.Accepted)) == PLAIN.refund_to


@given(orders(), st.dictionaries(st.integers(0, 59), st.integers(1, 9)), st.integers(1, 20))
def test_every_order_is_in_one_batch_and_failures_halve_it(made: list[Due], failed: dict[int, int], size: int) -> None:
    failures = {f"0x{number:064x}": count for number, count in failed.items()}
    cut = batches(made, failures, size=size, spare_gas=7)
    assert sorted(order_id for batch in cut for order_id in batch.order_ids) == sorted(one.order_id for one in made)
    for batch in cut:
        [count] = {failures.get(order_id, 0) for order_id in batch.order_ids}
        assert len(batch.orders) <= max(1, size >> count)
        assert batch.extra_gas == (7 * len(batch.orders) if count else 0)
    assert sorted(batch.order_ids for batch in rotated(cut, PEOPLE[0])) == sorted(batch.order_ids for batch in cut)


@given(orders().filter(lambda made: len(made) > 1))
def test_halves_lose_nobody(made: list[Due]) -> None:
    [batch] = batches(made, {}, size=100, spare_gas=0)
    first, second = batch.halves()
    assert first.orders
    assert second.orders
    assert first.orders + second.orders == batch.orders


@given(data=st.binary(max_size=400), gas=st.integers(21_000, 2**40), nonce=st.integers(0, 2**40), legacy=st.booleans())
def test_a_signed_transaction_says_what_it_was_signed_for(data: bytes, gas: int, nonce: int, legacy: bool) -> None:
    content = Content(to=TOKENS[1], data=data, gas=gas)
    fee = Fee(highest=10**9, tip=None if legacy else 10**6)
    signed = sign(
        dev_account(0), chain_id=31_337, nonce=nonce, payload=Payload.Batch, content=content, fee=fee, now_ms=5
    )
    assert content_of(signed.raw) == content
    assert (signed.gas, signed.fee, signed.signed_ms) == (gas, fee, 5)


def test_rules_that_make_no_sense_are_refused() -> None:
    for name in ("batch", "in_flight", "confirmations", "attempts", "page", "gas_limit"):
        with pytest.raises(ValueError, match=f"{name} is at least"):
            Rules(**{name: 0})
    for name in ("stuck_seconds", "max_fee", "low_balance", "spread_seconds"):
        with pytest.raises(ValueError, match=f"{name} can't be negative"):
            Rules(**{name: -1})


def test_what_fails_is_tried_again_ever_later_and_in_the_end_given_up() -> None:
    rules = Rules(retry_seconds=3, attempts=4)
    assert [rules.next_try_ms(failures, 1_000) for failures in range(1, 6)] == [4_000, 7_000, 13_000, None, None]
    assert Rules(attempts=50).next_try_ms(40, 0) == 3_600_000


@given(orders())
def test_calls_about_many_orders_are_encoded_as_the_abi_says(made: list[Due]) -> None:
    terms = [one.terms for one in made]
    for artifact, name in (("KamengEscrow", "settleMany"), ("KamengLens", "nextAction")):
        function = functions(artifact)[name]
        assert _of_many(function, terms) == function.encode(terms)
