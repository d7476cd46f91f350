"""Any history of quotes, payments, deliveries, endings, reorganisations and restocking leaves a ledger that adds up."""

from contextlib import suppress
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from kameng_escrow.domain.states import Outcome, State
from kameng_escrow.store import Store
from kameng_escrow.store.models import OrderRow
from kameng_escrow.store.service import inventory
from kameng_escrow.store.service.trade_errors import BuyerCapReached, SoldOut, StockCommitted, TooManyQuotes
from kameng_escrow.store.service.trade_rows import Hold, QuoteRow, StockRow
from tests.integration.shelf import Shelf, key
from tests.unit.histories import account

CAP = 6
STATES = [State.Opened, State.Accepted, State.Delivered, State.Disputed, None]
picks = st.integers(0, 30)


class Ledger(RuleBasedStateMachine):
    """One listing; up to a dozen quotes; the chain may say anything of their orders, in any order."""

    shelf: ClassVar[Shelf]

    @initialize(units=st.integers(0, 8))
    def begin(self, units: int) -> None:
        self.listing = self.shelf.listing(units, buyer_cap=CAP)
        self.quotes: list[str] = []

    def pick(self, which: int) -> str:
        return self.quotes[which % len(self.quotes)]

    # ------------------------------------------------------------------------------------------------------------ rules

    @rule(units=st.integers(1, 4), buyer=st.integers(1, 4))
    def ask(self, units: int, buyer: int) -> None:
        who = account(500 + buyer)
        try:
            quote = self.shelf.quote(self.listing, units, buyer=who, delivery_key=key(500 + buyer))
        except (SoldOut, BuyerCapReached, TooManyQuotes):
            return
        assert (quote.hold, quote.backed) == (Hold.Held, True)
        self.quotes.append(quote.id)

    @precondition(lambda self: self.quotes)
    @rule(which=picks, lives=st.integers(1, 2_000))
    def offer(self, which: int, lives: int) -> None:
        with self.shelf.store.writing() as session:
            row = session.get_one(QuoteRow, self.pick(which))
            inventory.lock_stock(session, self.listing)
            if row.hold is Hold.Held:
                inventory.extend_hold(session, row, self.shelf.now + lives)

    @precondition(lambda self: self.quotes)
    @rule(which=picks)
    def give_up(self, which: int) -> None:
        row = self.shelf.row(self.pick(which))
        self.shelf.desk.give_up(row.id, row.buyer)

    @precondition(lambda self: self.quotes)
    @rule(which=picks, state=st.sampled_from(STATES))
    def the_chain_goes_on_or_back(self, which: int, state: State | None) -> None:
        self.shelf.chain(self.pick(which), state)

    @precondition(lambda self: self.quotes)
    @rule(which=picks, outcome=st.sampled_from(list(Outcome)[1:]), delivered=st.booleans(), paid=st.booleans())
    def the_order_ends(self, which: int, outcome: Outcome, delivered: bool, paid: bool) -> None:
        ending: dict[str, Any] = {"outcome": outcome, "shares_to_seller": int(paid)}
        self.shelf.chain(self.pick(which), State.Closed, delivered_at=1 if delivered else None, **ending)

    @rule(by=st.integers(-4, 6))
    def restock(self, by: int) -> None:
        with suppress(StockCommitted):
            self.shelf.restock(self.listing, by)

    @rule(available=st.integers(0, 6))
    def count_the_shelf(self, available: int) -> None:
        with self.shelf.store.writing() as session:
            now = inventory.now_of(session, self.shelf.contract_id, self.shelf.now)
            inventory.set_available(session, self.listing, available, now)

    @rule(seconds=st.sampled_from([1, 300, 600, 3_000]), mirrored=st.booleans())
    def wait(self, seconds: int, mirrored: bool) -> None:
        self.shelf.now += seconds
        if mirrored:
            self.shelf.seen(self.shelf.now)

    @rule()
    def follow(self) -> None:
        self.shelf.follow()

    # ------------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def counters_are_the_sums_of_holds(self) -> None:
        with self.shelf.store.reading() as session:
            stock = session.get_one(StockRow, self.listing)
            rows = session.scalars(select(QuoteRow).where(QuoteRow.listing_id == self.listing)).all()
        counted = {hold: sum(row.units for row in rows if row.backed and row.hold is hold) for hold in Hold}
        assert (stock.held, stock.reserved, stock.spent) == (
            counted[Hold.Held],
            counted[Hold.Reserved],
            counted[Hold.Spent],
        )
        assert counted[Hold.Released] == 0
        assert stock.available >= 0
        assert stock.available + stock.held + stock.reserved + stock.spent == stock.stocked

    def teardown(self) -> None:
        """In the end everybody looks: every hold is what its order says, and nobody waits while there is enough."""
        shelf = self.shelf
        shelf.follow()
        with shelf.store.writing() as session:
            now = inventory.now_of(session, shelf.contract_id, shelf.now)
            ids = session.scalars(select(QuoteRow.order_id).where(QuoteRow.listing_id == self.listing)).all()
            inventory.refresh(session, shelf.contract_id, ids, now)
        self.counters_are_the_sums_of_holds()
        with shelf.store.reading() as session:
            rows = session.scalars(select(QuoteRow).where(QuoteRow.listing_id == self.listing)).all()
            for row in rows:
                order = session.get(OrderRow, (shelf.contract_id, row.order_id))
                assert row.hold is inventory.hold_of(row, order, now)
            short = [row for row in rows if not row.backed and row.hold in (Hold.Held, Hold.Reserved)]
            if short:
                assert session.get_one(StockRow, self.listing).available < min(short, key=lambda row: row.id).units


def test_the_ledger_adds_up_whatever_happens() -> None:
    with Store.open("sqlite://") as store:
        Ledger.shelf = Shelf(store)
        Ledger.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
        Ledger.TestCase().runTest()
