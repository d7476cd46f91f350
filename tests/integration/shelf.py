"""A store with a contract, a policy and listings in it, and orders put there as a mirror would: for tests of trading
that need no chain.
"""

import threading
from dataclasses import fields
from typing import Any

import bech32

from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import Fault, Outcome, Right, State
from kameng_escrow.domain.typed_data import Domain, policy_id
from kameng_escrow.store import BalanceKind, Store
from kameng_escrow.store.models import (
    BalanceRow,
    ChainRow,
    CheckpointRow,
    ContractRow,
    OperatorRow,
    OrderRow,
    OutboxRow,
    PolicyRow,
)
from kameng_escrow.store.service import inventory, listings, quotes
from kameng_escrow.store.service.trade_rows import Hold, ListingState, QuoteRow, StockRow
from kameng_escrow.trade.desk import Desk, Wish
from tests.unit.histories import POLICY, account

NOW = 1_800_000_000  # Unix seconds
ESCROW = account(91)
BUYER, OTHER, SELLER, OPERATOR, STRANGER = (account(number) for number in (1, 2, 3, 4, 5))
KEY, OTHER_KEY = (
    "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
    "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg",
)
DOMAIN = Domain(31_337, ESCROW)
COIN = Currency(NATIVE, "ETH", 18)
PRICE = 1_000_003  # base units for one
HASH = "0x" + "ab" * 32


def key(number: int) -> str:
    """Another recipient for each number."""
    words = bech32.convertbits(number.to_bytes(32, "big"), 8, 5)
    assert words is not None
    return str(bech32.bech32_encode("age", words))


class Shelf:
    """One contract's trade, on a clock that the test turns."""

    def __init__(self, store: Store, policy: Policy = POLICY, *, contract_id: int | None = None) -> None:
        """`contract_id`: of one that another has put into the store."""
        self.store, self.policy = store, policy
        self.policy_id = policy_id(policy)
        self.now = NOW
        self._mirror = threading.Lock()  # there is one for a contract: the outbox's ids commit in their order
        self.contract_id = self._enrol() if contract_id is None else contract_id
        self.desk = Desk(
            store=store,
            contract_id=self.contract_id,
            domain=DOMAIN,
            clock=lambda: self.now,
            is_signed_by=lambda *_: False,
        )

    def _enrol(self) -> int:
        self.store.migrate()
        with self.store.writing() as session:
            session.add(ChainRow(chain_id=DOMAIN.chain_id, genesis_hash=HASH))
            session.flush()
            contract = ContractRow(chain_id=DOMAIN.chain_id, address=ESCROW, first_block=0)
            session.add(contract)
            session.flush()
            mark = {"seen_number": 1, "seen_hash": HASH, "seen_at": NOW, "final_number": 0}
            session.add(CheckpointRow(contract_id=contract.id, **mark))
            session.add(
                PolicyRow(
                    contract_id=contract.id,
                    policy_id=self.policy_id,
                    review_by=NOW + 300 * 86_400,
                    retired=False,
                    **{field.name: getattr(self.policy, field.name) for field in fields(Policy)},
                )
            )
            return contract.id

    # -------------------------------------------------------------------------------------------------------- trading

    def listing(self, units: int = 10, **changes: Any) -> str:
        """A published listing's id."""
        values: dict[str, Any] = {
            "seller": SELLER,
            "pay_to": SELLER,
            "policy_id": self.policy_id,
            "title": "点卡 100 元",
            "category": "game-card",
            "description": "即时发货",
            "currency": COIN,
            "unit_price": PRICE,
            "units": units,
            "state": ListingState.Published,
        }
        with self.store.writing() as session:
            row, _ = listings.create_listing(
                session, self.contract_id, listings.NewListing(**{**values, **changes}), self.now
            )
            return row.id

    def wish(self, listing_id: str, units: int = 1, **changes: Any) -> Wish:
        values: dict[str, Any] = {"buyer": BUYER, "delivery_key": KEY}
        return Wish(listing_id=listing_id, units=units, **{**values, **changes})

    def quote(self, listing_id: str, units: int = 1, *, by: str | None = None, **changes: Any) -> QuoteRow:
        wish = self.wish(listing_id, units, **changes)
        return self.desk.quote(wish, by or wish.buyer)

    def stock(self, listing_id: str) -> tuple[int, int, int, int]:
        """Available, held, reserved, spent."""
        with self.store.reading() as session:
            row = session.get_one(StockRow, listing_id)
            return row.available, row.held, row.reserved, row.spent

    def row(self, quote_id: str) -> QuoteRow:
        with self.store.reading() as session:
            row = session.get_one(QuoteRow, quote_id)
            session.expunge(row)
            return row

    def hold(self, quote_id: str) -> tuple[Hold, bool]:
        row = self.row(quote_id)
        return row.hold, row.backed

    def restock(self, listing_id: str, by: int) -> None:
        with self.store.writing() as session:
            inventory.change_stock(session, listing_id, by, inventory.now_of(session, self.contract_id, self.now))

    # --------------------------------------------------------------------------------------------------- the chain

    def seen(self, at: int) -> None:
        """The mirror has come to a block of that second."""
        with self.store.writing() as session:
            session.get_one(CheckpointRow, self.contract_id).seen_at = at

    def chain(self, quote_id: str, state: State | None, **changes: Any) -> None:
        """The order of a quote stands so; None: there is no such order (any more). The outbox tells."""
        with self._mirror, self.store.writing() as session:
            quote = session.get_one(QuoteRow, quote_id)
            row = session.get(OrderRow, (self.contract_id, quote.order_id))
            if state is None:
                if row is not None:
                    session.delete(row)
            else:
                if row is None:
                    row = self._order(quotes.terms_of(quote), quote.order_id)
                    session.add(row)
                row.state = state
                row.deadline = None if state in (State.Closed, State.Nothing) else self.now + 600
                for name, value in changes.items():
                    setattr(row, name, value)
            session.add(
                OutboxRow(
                    contract_id=self.contract_id,
                    order_id=quote.order_id,
                    name="OrderOpened",
                    block_number=1,
                    log_index=0,
                    created_ms=0,
                )
            )

    def _order(self, terms: OrderTerms, order_id: str) -> OrderRow:
        return OrderRow(
            contract_id=self.contract_id,
            order_id=order_id,
            state=State.Opened,
            outcome=Outcome.Nothing,
            fault=Fault.Nobody,
            revision=0,
            disputed_units=0,
            mediation_fee=0,
            first_block=int(order_id[-7:], 16),
            first_log_index=int(order_id[2:9], 16),
            last_block=1,
            last_log_index=0,
            **{field.name: getattr(terms, field.name) for field in fields(OrderTerms)},
        )

    def grant(self, *, rights: int = Right.Accept, expiry: int = NOW + 86_400, max_price: int = 10**12) -> None:
        """What the operator may do for the seller."""
        with self.store.writing() as session:
            session.merge(
                OperatorRow(
                    contract_id=self.contract_id,
                    seller=SELLER,
                    operator=OPERATOR,
                    token=NATIVE,
                    policy_id=self.policy_id,
                    rights=rights,
                    expiry=expiry,
                    max_price=max_price,
                )
            )

    def bond(self, amount: int, seller: str = SELLER) -> None:
        with self.store.writing() as session:
            session.merge(
                BalanceRow(
                    contract_id=self.contract_id,
                    kind=BalanceKind.Bond,
                    holder=seller,
                    token=NATIVE,
                    amount=amount,
                )
            )

    def follow(self) -> None:
        """What a stockkeeper does in one step."""
        with self.store.writing() as session:
            inventory.follow(session, self.contract_id, self.now)
        with self.store.writing() as session:
            inventory.lapse(session, self.contract_id, self.now)
