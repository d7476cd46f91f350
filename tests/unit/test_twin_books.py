"""The twin by itself: a call happens as a whole or not at all."""

from dataclasses import replace

import pytest

from kameng_escrow.domain.events import OrderOpened, OrderRevised
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import PullFailed, Refusal, WrongValue
from kameng_escrow.domain.reverts import Panicked
from kameng_escrow.domain.states import State
from kameng_escrow.domain.twin import Escrow
from kameng_escrow.domain.twin.books import Book
from kameng_escrow.domain.typed_data import Domain, policy_id
from tests.unit.histories import BUYER, PAYER, PLATFORM, POLICY, SELLER, TERMS, account

NOW = 1_800_000_000  # Unix seconds
TOKEN = account(90)
ESCROW = account(91)


@pytest.fixture
def escrow() -> Escrow:
    """With the usual policy, and a payer who has just enough of two coins."""
    twin = Escrow(Domain(1, ESCROW), {TOKEN})
    twin.register_policy(PLATFORM, NOW, POLICY, NOW + 86_400)
    for coin in (NATIVE, TOKEN):
        twin.books.balances[PAYER, coin] = TERMS.price
    return twin


TERMS_HERE = replace(TERMS, policy_id=policy_id(POLICY), open_by=NOW + 86_400)


def test_opening_moves_the_money_and_tells_it(escrow: Escrow) -> None:
    [event] = escrow.open(PAYER, NOW, TERMS_HERE, value=TERMS.price)
    assert event == OrderOpened(order_id=escrow.id_of(TERMS_HERE), terms=TERMS_HERE, payer=PAYER, state=State.Opened)
    assert escrow.order_of(TERMS_HERE).state is State.Opened
    assert (escrow.balance_of(PAYER, NATIVE), escrow.balance_of(ESCROW, NATIVE)) == (0, TERMS.price)


@pytest.mark.parametrize(
    ("token", "value", "refusal"),
    [
        (NATIVE, TERMS.price - 1, WrongValue(TERMS.price - 1, TERMS.price)),
        (TOKEN, 0, PullFailed(TOKEN, PAYER, TERMS.price)),  # nothing was allowed
    ],
    ids=["native", "token"],
)
def test_refused_call_leaves_everything_as_it_was(escrow: Escrow, token: str, value: int, refusal: Refusal) -> None:
    before = escrow.books.copy()
    terms = replace(TERMS_HERE, token=token)
    with pytest.raises(type(refusal)) as raised:
        escrow.open(PAYER, NOW, terms, value=value)
    assert raised.value == refusal
    assert escrow.books == before
    assert escrow.order_of(terms).state is State.Nothing


def test_allowances_shrink_unless_they_are_unlimited(escrow: Escrow) -> None:
    terms = replace(TERMS_HERE, token=TOKEN)
    escrow.books.allowances[PAYER, TOKEN] = TERMS.price + 7
    escrow.open(PAYER, NOW, terms)
    assert escrow.books.allowances[PAYER, TOKEN] == 7
    escrow.books.balances[PAYER, TOKEN] = TERMS.price
    escrow.books.allowances[PAYER, TOKEN] = 2**256 - 1
    escrow.open(PAYER, NOW, replace(terms, salt="0x" + "33" * 32))
    assert escrow.books.allowances[PAYER, TOKEN] == 2**256 - 1


def test_nobody_sends_coins_that_it_does_not_have(escrow: Escrow) -> None:
    with pytest.raises(ValueError, match=f"{BUYER} has 0"):
        escrow.open(BUYER, NOW, TERMS_HERE, value=TERMS.price)
    assert escrow.books.orders == {}


def test_revisions_end_as_the_contracts_do(escrow: Escrow) -> None:
    """With an arithmetic panic, since the slot has 24 bits for them."""
    last = 2**24 - 1
    escrow.revise(SELLER, NOW, TERMS_HERE, 0)
    order = escrow.order_of(TERMS_HERE)
    escrow.books.orders[order.id] = replace(order, revision=last - 1)
    [event] = escrow.revise(SELLER, NOW, TERMS_HERE, last - 1)
    assert event == OrderRevised(order_id=order.id, revision=last)
    with pytest.raises(Panicked) as raised:
        escrow.revise(SELLER, NOW, TERMS_HERE, last)
    assert raised.value == Panicked(0x11)


def test_books_that_are_copied_are_apart(escrow: Escrow) -> None:
    copied = escrow.books.copy()
    escrow.retire_policy(PLATFORM, NOW, policy_id(POLICY))
    assert copied.policies[policy_id(POLICY)].retired is False
    assert escrow.books.policies[policy_id(POLICY)].retired is True


def test_a_book_takes_back_what_was_written_since_it_began() -> None:
    book = Book({"kept": 1, "changed": 2, "gone": 3})
    book["kept"] = 1
    book.begin()
    book["changed"] = 20
    book["changed"] = 21
    assert book.pop("gone", 0) == 3
    assert book.pop("never", 0) == 0
    book["new"] = 4
    assert book == {"kept": 1, "changed": 21, "new": 4}
    book.take_back()
    assert book == {"kept": 1, "changed": 2, "gone": 3}
    book.begin()
    book["changed"] = 5
    book.begin()  # what was written before is kept
    book.take_back()
    assert book["changed"] == 5
