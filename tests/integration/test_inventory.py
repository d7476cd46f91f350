"""Units are held, reserved, spent and given back as orders go; never is one promised that is not there."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from kameng_escrow.domain.states import Outcome, State
from kameng_escrow.store import Store
from kameng_escrow.store.models import OutboxRow
from kameng_escrow.store.service import inventory, listings
from kameng_escrow.store.service.trade_errors import (
    BuyerCapReached,
    SoldOut,
    StockCommitted,
    TooManyQuotes,
    UnknownListing,
)
from kameng_escrow.store.service.trade_rows import Hold, QuoteRow, StockCursorRow, StockRow
from kameng_escrow.trade.desk import QUOTE_SECONDS
from kameng_escrow.trade.stockkeeper import Stockkeeper
from tests.integration.shelf import BUYER, KEY, NOW, OTHER, OTHER_KEY, Shelf, key
from tests.unit.histories import account

HAMMERING = Path(__file__).with_name("hammering.py")


@pytest.fixture
def shelf(store: Store) -> Shelf:
    return Shelf(store)


# ----------------------------------------------------------------------------------------------------------- refusals


def test_more_than_is_left_is_refused_and_nothing_changes(shelf: Shelf) -> None:
    listing = shelf.listing(3)
    shelf.quote(listing, 2)
    with pytest.raises(SoldOut) as raised:
        shelf.quote(listing, 2, buyer=OTHER, delivery_key=OTHER_KEY)
    assert raised.value.fields == {"wanted": 2, "available": 1}
    assert shelf.stock(listing) == (1, 2, 0, 0)


@pytest.mark.parametrize(
    "who",
    [
        {"buyer": BUYER, "delivery_key": OTHER_KEY, "refund_to": account(50)},
        {"buyer": OTHER, "delivery_key": KEY, "refund_to": account(50)},
        {"buyer": OTHER, "delivery_key": OTHER_KEY, "refund_to": BUYER},
    ],
    ids=["the buyer", "the delivery key", "the refund address"],
)
def test_a_buyer_s_cap_counts_every_name_that_it_goes_by(shelf: Shelf, who: dict[str, str]) -> None:
    listing = shelf.listing(10, buyer_cap=3)
    shelf.quote(listing, 2)
    with pytest.raises(BuyerCapReached) as raised:
        shelf.quote(listing, 2, **who)
    assert raised.value.fields == {"cap": 3, "had": 2, "wanted": 2}
    shelf.quote(listing, 1, **who)
    shelf.quote(listing, 3, buyer=account(60), delivery_key=key(60), refund_to=account(61))


@pytest.mark.parametrize("kind", ["refund_to", "delivery_key"])
def test_nobody_uses_up_another_s_share_by_its_names(shelf: Shelf, kind: str) -> None:
    listing = shelf.listing(20, buyer_cap=4)
    shelf.quote(listing, 1)
    names = {"refund_to": {"refund_to": BUYER}, "delivery_key": {"delivery_key": KEY}}[kind]
    for number in (60, 61, 62):
        who = {"buyer": account(number), "delivery_key": key(number), "refund_to": account(number), **names}
        with suppress(BuyerCapReached, TooManyQuotes):
            while True:
                bought = shelf.quote(listing, 1, **who)
                shelf.chain(bought.id, State.Opened)
                shelf.follow()
    shelf.quote(listing, 3)
    with pytest.raises(BuyerCapReached):
        shelf.quote(listing, 1)


def test_a_foreign_refund_address_is_not_spoilt_by_others_either(shelf: Shelf) -> None:
    """Such as an exchange's, which many have their refunds sent to."""
    listing = shelf.listing(20, buyer_cap=2)
    shared = account(50)
    for _ in range(2):
        shelf.quote(listing, 1, buyer=OTHER, delivery_key=OTHER_KEY, refund_to=shared)
    shelf.quote(listing, 2, refund_to=shared)


def test_the_cap_counts_what_was_bought_and_not_what_was_given_up(shelf: Shelf) -> None:
    listing = shelf.listing(10, buyer_cap=2)
    first = shelf.quote(listing, 2)
    shelf.desk.give_up(first.id, BUYER)
    bought = shelf.quote(listing, 2)
    shelf.chain(bought.id, State.Delivered, delivered_at=NOW)
    shelf.follow()
    shelf.now += 100 * 86_400
    with pytest.raises(BuyerCapReached):
        shelf.quote(listing, 1)


def test_a_buyer_can_t_keep_a_shelf_empty_with_quotes(shelf: Shelf) -> None:
    listing = shelf.listing(10)
    for _ in range(inventory.LIVE_QUOTES):
        shelf.quote(listing)
    with pytest.raises(TooManyQuotes):
        shelf.quote(listing)
    shelf.now += QUOTE_SECONDS
    shelf.quote(listing)
    assert shelf.stock(listing) == (9, 1, 0, 0)


def test_what_is_held_can_t_be_taken_off_the_shelf(shelf: Shelf) -> None:
    listing = shelf.listing(5)
    shelf.quote(listing, 3)
    with pytest.raises(StockCommitted) as raised:
        shelf.restock(listing, -3)
    assert raised.value.fields == {"available": 2, "wanted": 3}
    shelf.restock(listing, -2)
    assert shelf.stock(listing) == (0, 3, 0, 0)
    with pytest.raises(UnknownListing):
        shelf.restock("lst_nothing", 1)


def test_the_database_itself_refuses_a_stock_that_does_not_add_up(shelf: Shelf) -> None:
    listing = shelf.listing(5)
    for values in ({"available": 6}, {"available": -1, "held": 6}, {"stocked": 4}):
        with pytest.raises(IntegrityError), shelf.store.writing() as session:
            session.execute(update(StockRow).where(StockRow.listing_id == listing).values(**values))
    assert shelf.stock(listing) == (5, 0, 0, 0)


# ----------------------------------------------------------------------------------------------- the way of an order


def test_units_go_the_way_of_their_order(shelf: Shelf) -> None:
    listing = shelf.listing(5)
    quote = shelf.quote(listing, 2)
    assert shelf.stock(listing) == (3, 2, 0, 0)
    for state, stock in (
        (State.Opened, (3, 0, 2, 0)),
        (State.Accepted, (3, 0, 2, 0)),
        (State.Delivered, (3, 0, 0, 2)),
        (State.Disputed, (3, 0, 0, 2)),
    ):
        shelf.chain(quote.id, state)
        shelf.follow()
        assert shelf.stock(listing) == stock, state


PAID_BACK = (3, 0, 0, 0)
GONE = (1, 0, 0, 2)


@pytest.mark.parametrize(
    ("outcome", "delivered", "to_seller", "stock"),
    [
        (Outcome.Expired, False, 0, PAID_BACK),
        (Outcome.Cancelled, False, 0, PAID_BACK),
        (Outcome.Cancelled, False, 50, PAID_BACK),  # the cancel fee is for the wait
        (Outcome.Declined, False, 0, PAID_BACK),
        (Outcome.Intervened, False, 0, PAID_BACK),
        (Outcome.Undelivered, False, 0, PAID_BACK),
        (Outcome.Confirmed, False, 100, GONE),  # handed over in some other way
        (Outcome.Agreed, False, 0, PAID_BACK),
        (Outcome.Agreed, False, 1, GONE),
        (Outcome.Agreed, True, 0, GONE),
        (Outcome.Confirmed, True, 100, GONE),
        (Outcome.Released, True, 100, GONE),
        (Outcome.Refunded, True, 0, GONE),  # the code was sent, and may be known
        (Outcome.Ruled, True, 0, GONE),
        (Outcome.Conceded, True, 0, GONE),
        (Outcome.Defaulted, True, 60, GONE),
    ],
)
def test_which_endings_give_units_back(
    shelf: Shelf, outcome: Outcome, delivered: bool, to_seller: int, stock: tuple[int, ...]
) -> None:
    listing = shelf.listing(3)
    quote = shelf.quote(listing, 2)
    shelf.chain(
        quote.id,
        State.Closed,
        outcome=outcome,
        delivered_at=NOW if delivered else None,
        shares_to_seller=to_seller,
        closed_at=NOW,
    )
    shelf.follow()
    assert shelf.stock(listing) == stock


def test_every_outcome_is_decided() -> None:
    told = {case[0] for case in test_which_endings_give_units_back.pytestmark[0].args[1]}  # type: ignore[attr-defined]
    assert told == set(Outcome) - {Outcome.Nothing}


def test_a_quote_that_nobody_pays_runs_out(shelf: Shelf) -> None:
    listing = shelf.listing(2)
    quote = shelf.quote(listing, 2)
    shelf.now += QUOTE_SECONDS - 1
    shelf.follow()
    assert shelf.hold(quote.id) == (Hold.Held, True)
    shelf.now += 1
    shelf.follow()
    assert shelf.hold(quote.id) == (Hold.Released, False)
    assert shelf.stock(listing) == (2, 0, 0, 0)


def test_units_that_ran_out_are_quoted_again_before_anybody_swept(shelf: Shelf) -> None:
    listing = shelf.listing(2)
    first = shelf.quote(listing, 2)
    shelf.now += QUOTE_SECONDS
    second = shelf.quote(listing, 2, buyer=OTHER, delivery_key=OTHER_KEY)
    assert shelf.hold(first.id) == (Hold.Released, False)
    assert shelf.hold(second.id) == (Hold.Held, True)


def test_with_an_offer_units_stay_until_the_chain_is_past_it(shelf: Shelf) -> None:
    """Our own clock says nothing about which blocks were mirrored."""
    listing = shelf.listing(1)
    quote = shelf.quote(listing, 1)
    with shelf.store.writing() as session:
        row = session.get_one(QuoteRow, quote.id)
        inventory.lock_stock(session, listing)
        inventory.extend_hold(session, row, NOW + 1_000)
    shelf.now = NOW + 5_000
    shelf.seen(NOW + 999)
    shelf.follow()
    assert shelf.hold(quote.id) == (Hold.Held, True)
    with pytest.raises(SoldOut):
        shelf.quote(listing, 1, buyer=OTHER, delivery_key=OTHER_KEY)
    shelf.seen(NOW + 1_000)
    shelf.follow()
    assert shelf.hold(quote.id) == (Hold.Released, False)


# ---------------------------------------------------------------------------------------------------- late and short


def late(shelf: Shelf, listing: str, units: int = 1, buyer: str = BUYER, key: str = KEY) -> str:
    """A quote that ran out."""
    quote = shelf.quote(listing, units, buyer=buyer, delivery_key=key)
    shelf.now += QUOTE_SECONDS
    shelf.follow()
    assert shelf.hold(quote.id)[0] is Hold.Released
    return quote.id


def test_an_order_that_is_opened_late_takes_free_units(shelf: Shelf) -> None:
    listing = shelf.listing(2)
    quote = late(shelf, listing, 2)
    shelf.chain(quote, State.Opened)
    shelf.follow()
    assert shelf.hold(quote) == (Hold.Reserved, True)
    assert shelf.stock(listing) == (0, 0, 2, 0)


def test_an_order_that_finds_none_waits_and_is_first_in_line(shelf: Shelf) -> None:
    listing = shelf.listing(2)
    first = late(shelf, listing, 2)
    second = shelf.quote(listing, 2, buyer=OTHER, delivery_key=OTHER_KEY)
    shelf.chain(first, State.Opened)
    shelf.follow()
    assert shelf.hold(first) == (Hold.Reserved, False)
    assert shelf.stock(listing) == (0, 2, 0, 0)
    shelf.desk.give_up(second.id, OTHER)
    assert shelf.stock(listing) == (2, 0, 0, 0)  # until somebody looks, who serves it first
    with pytest.raises(SoldOut):
        shelf.quote(listing, 1, buyer=OTHER, delivery_key=OTHER_KEY)
    shelf.follow()
    shelf.restock(listing, 1)
    assert shelf.hold(first) == (Hold.Reserved, True)
    assert shelf.stock(listing) == (1, 0, 2, 0)


def test_a_large_order_that_waits_is_not_passed_by_a_small_one(shelf: Shelf) -> None:
    listing = shelf.listing(3)
    large = late(shelf, listing, 3)
    small = late(shelf, listing, 1, OTHER, OTHER_KEY)
    blocker = shelf.quote(listing, 3, buyer=account(70), delivery_key=KEY, refund_to=account(71))
    for quote in (large, small):
        shelf.chain(quote, State.Opened)
    shelf.follow()
    shelf.restock(listing, 2)
    assert (shelf.hold(large), shelf.hold(small)) == ((Hold.Reserved, False), (Hold.Reserved, False))
    shelf.restock(listing, 1)
    assert (shelf.hold(large), shelf.hold(small)) == ((Hold.Reserved, True), (Hold.Reserved, False))
    assert shelf.hold(blocker.id) == (Hold.Held, True)


def test_what_is_delivered_while_short_came_from_elsewhere(shelf: Shelf) -> None:
    listing = shelf.listing(1)
    quote = late(shelf, listing)
    shelf.quote(listing, 1, buyer=OTHER, delivery_key=OTHER_KEY)
    shelf.chain(quote, State.Accepted)
    shelf.follow()
    shelf.chain(quote, State.Delivered)
    shelf.follow()
    shelf.restock(listing, 1)
    assert shelf.hold(quote) == (Hold.Spent, False)
    assert shelf.stock(listing) == (1, 1, 0, 0)


# ----------------------------------------------------------------------------------------------------- reorganisations


def test_a_reorganisation_undoes_exactly_what_it_took_away(shelf: Shelf) -> None:
    listing = shelf.listing(5)
    quote = shelf.quote(listing, 2)
    seen: list[tuple[Any, ...]] = []
    ways = [None, State.Opened, State.Accepted, State.Delivered]
    for state in ways:
        shelf.chain(quote.id, state)
        shelf.follow()
        seen.append((shelf.stock(listing), shelf.hold(quote.id)))
    for state, before in zip(reversed(ways), reversed(seen), strict=True):
        shelf.chain(quote.id, state)
        shelf.follow()
        assert (shelf.stock(listing), shelf.hold(quote.id)) == before


def test_a_payment_that_is_taken_back_leaves_the_quote_as_it_would_be(shelf: Shelf) -> None:
    listing = shelf.listing(1)
    quote = shelf.quote(listing)
    shelf.chain(quote.id, State.Opened)
    shelf.follow()
    shelf.now += QUOTE_SECONDS
    shelf.chain(quote.id, None)
    shelf.follow()
    assert shelf.hold(quote.id) == (Hold.Released, False)
    shelf.chain(quote.id, State.Opened)  # and mined again
    shelf.follow()
    assert shelf.hold(quote.id) == (Hold.Reserved, True)


def test_a_raised_revision_is_no_order(shelf: Shelf) -> None:
    listing = shelf.listing(1)
    quote = shelf.quote(listing)
    shelf.chain(quote.id, State.Nothing, revision=1)
    shelf.follow()
    assert shelf.hold(quote.id) == (Hold.Held, True)


# ------------------------------------------------------------------------------------------------------- the follower


def test_the_follower_goes_on_where_it_was_left(shelf: Shelf) -> None:
    listing = shelf.listing(9)
    keeper = Stockkeeper(shelf.store, shelf.contract_id, clock=lambda: shelf.now, batch=2)
    keeper.catch_up()
    made = [shelf.quote(listing, buyer=account(100 + number), delivery_key=key(number + 1)) for number in range(5)]
    for quote in made:
        shelf.chain(quote.id, State.Opened)
    assert keeper.step()
    assert shelf.stock(listing) == (4, 3, 2, 0)
    Stockkeeper(shelf.store, shelf.contract_id, clock=lambda: shelf.now, batch=2).catch_up()
    assert shelf.stock(listing) == (4, 0, 5, 0)
    with shelf.store.reading() as session:
        last = session.scalars(select(OutboxRow.id).order_by(OutboxRow.id.desc())).first()
        assert session.get_one(StockCursorRow, shelf.contract_id).outbox_id == last


def test_a_follower_that_comes_late_finds_everything_in_the_orders(shelf: Shelf) -> None:
    listing = shelf.listing(4)
    quote = shelf.quote(listing, 2)
    shelf.chain(quote.id, State.Delivered, delivered_at=NOW)
    Stockkeeper(shelf.store, shelf.contract_id, clock=lambda: shelf.now).catch_up()
    assert shelf.stock(listing) == (2, 0, 0, 2)


def test_the_follower_runs_until_it_is_told_to_stop(shelf: Shelf) -> None:
    listing = shelf.listing(1)
    quote = shelf.quote(listing)
    stop, done = threading.Event(), threading.Event()

    def run() -> None:
        Stockkeeper(shelf.store, shelf.contract_id, clock=lambda: shelf.now).run(stop, poll_seconds=0.01)
        done.set()

    threading.Thread(target=run, daemon=True).start()
    shelf.chain(quote.id, State.Opened)
    wait_for(lambda: shelf.hold(quote.id) == (Hold.Reserved, True))
    stop.set()
    assert done.wait(10)


def wait_for(true: Callable[[], bool]) -> None:
    ticks = threading.Event()
    for _ in range(1_000):
        if true():
            return
        ticks.wait(0.01)
    raise AssertionError("it did not happen")


# --------------------------------------------------------------------------------------------- many at once, for real


def test_processes_that_hammer_the_last_units_never_oversell(postgres_url: str) -> None:
    with Store.open(postgres_url) as store:
        shelf = Shelf(store)
        listing = shelf.listing(25)
        command = [sys.executable, str(HAMMERING), postgres_url, str(shelf.contract_id), listing]
        workers = [
            subprocess.Popen([*command, str(start), "20"], stdout=subprocess.PIPE, text=True) for start in (0, 20, 40)
        ]
        watched = 0
        while any(worker.poll() is None for worker in workers):  # at every moment, not only in the end
            with store.reading() as session:
                row = session.get_one(StockRow, listing)
                assert row.held + row.reserved + row.spent <= 25
                watched += 1
        told: list[tuple[str, int]] = []
        for worker in workers:
            answer, _ = worker.communicate()
            assert worker.returncode == 0
            told += [tuple(one) for one in json.loads(answer)]
        assert ("sold out", 0) in told
        assert watched > 3
        assert_adds_up(shelf, listing, 25)
        taken = sum(units for what, units in told if what == "held") - sum(u for what, u in told if what == "given up")
        available, held, reserved, spent = shelf.stock(listing)
        assert (held + reserved + spent, available) == (taken, 25 - taken)


def test_threads_that_share_a_buyer_never_pass_its_cap(postgres_url: str) -> None:
    with Store.open(postgres_url) as store:
        shelf = Shelf(store)
        listing = shelf.listing(100, buyer_cap=2)
        together = threading.Barrier(8)
        made: list[str] = []
        refused: list[Exception] = []

        def buy() -> None:
            together.wait()
            try:
                made.append(shelf.quote(listing).id)
            except (BuyerCapReached, TooManyQuotes) as error:
                refused.append(error)

        threads = [threading.Thread(target=buy) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(made), len(refused)) == (2, 6)
        assert shelf.stock(listing) == (98, 2, 0, 0)


def test_quotes_and_the_follower_don_t_wait_for_each_other_for_ever(postgres_url: str) -> None:
    """Several listings at once, in whatever order: nobody holds one and waits for another's."""
    with Store.open(postgres_url) as store:
        shelf = Shelf(store)
        shelves = [shelf.listing(50) for _ in range(3)]
        failures: list[BaseException] = []

        def trade(number: int) -> None:
            try:
                for turn in range(8):
                    who = account(2_000 + 100 * number + turn)
                    listing = shelves[(number + turn) % 3]
                    quote = shelf.quote(
                        listing, 1, buyer=who, refund_to=who, delivery_key=key(2_000 + 100 * number + turn)
                    )
                    shelf.chain(quote.id, State.Opened)
                    if number == 0:
                        shelf.follow()
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=trade, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        shelf.follow()
        for listing in shelves:
            assert_adds_up(shelf, listing, 50)
        assert sum(shelf.stock(listing)[2] for listing in shelves) == 32


def test_sellers_who_restock_and_buyers_who_ask_don_t_lock_each_other_out(postgres_url: str) -> None:
    """A seller locks the listing first and its stock then; a quote locks the stock, and then names the listing."""
    with Store.open(postgres_url) as store:
        shelf = Shelf(store)
        listing = shelf.listing(500)
        failures: list[BaseException] = []

        def restock() -> None:
            try:
                for turn in range(25):
                    with store.writing() as session:
                        row = listings.listing(session, shelf.contract_id, listing, lock=True)
                        listings.change_listing(session, row, {"unit_price": 1 + turn}, shelf.now)
                        now = inventory.now_of(session, shelf.contract_id, shelf.now)
                        inventory.change_stock(session, listing, 1, now)
            except BaseException as error:
                failures.append(error)

        def ask(number: int) -> None:
            try:
                for turn in range(25):
                    who = account(3_000 + 100 * number + turn)
                    shelf.quote(listing, buyer=who, delivery_key=key(3_000 + 100 * number + turn))
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=restock), *(threading.Thread(target=ask, args=(n,)) for n in range(3))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert shelf.stock(listing) == (450, 75, 0, 0)


def assert_adds_up(shelf: Shelf, listing: str, stocked: int) -> None:
    """The counters are the sums of the holds, and these are what the orders say."""
    with shelf.store.reading() as session:
        stock = session.get_one(StockRow, listing)
        rows = session.scalars(select(QuoteRow).where(QuoteRow.listing_id == listing)).all()
        sums = {hold: sum(row.units for row in rows if row.backed and row.hold is hold) for hold in Hold}
        assert (stock.held, stock.reserved, stock.spent) == (sums[Hold.Held], sums[Hold.Reserved], sums[Hold.Spent])
        assert stock.available + stock.held + stock.reserved + stock.spent == stock.stocked == stocked
        assert sums[Hold.Released] == 0
