"""The tables of trading: listings and their stock, quotes and what they hold, offers.

Times are Unix seconds: `created_at`, `updated_at` and `expires_at` of our clock; `open_by` and the expiry of offers of
the chain's.
"""

from enum import IntEnum
from typing import Any, Self

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from kameng_escrow.domain.listing import MAX_PLATFORM_ORDER, MAX_SYMBOL, MAX_TITLE

from ..models import ORDER_DIGITS, Base
from ..types import Address, Amount, Hash, Json, Label, labels, one_of
from .ids import LENGTH

REASON_LENGTH = 500
KEY_LENGTH = 80
CATEGORY_LENGTH = 32


class _Word(IntEnum):
    @property
    def label(self) -> str:
        """As in SQL and JSON."""
        return self.name

    @classmethod
    def from_label(cls, label: str) -> Self:
        """The member of this label. Raises `KeyError`."""
        return cls[label]


class ListingState(_Word):
    """What its seller makes of a listing."""

    Draft = 0
    Published = 1
    Paused = 2  # for a while: nobody gets a quote
    Withdrawn = 3  # for good


class Acceptance(_Word):
    """What the policy's platform says of a listing."""

    Pending = 0
    Accepted = 1
    Refused = 2


class Hold(_Word):
    """What a quote's units are for. It follows from where its order stands on the chain, and from nothing else once
    there is one.
    """

    Held = 0  # for a quote that may still be paid
    Reserved = 1  # for an order that is paid and not delivered
    Spent = 2  # delivered, or taken to have been
    Released = 3  # nothing: back on the shelf


# The columns of a stock in which a hold's units are counted.
COUNTED = {Hold.Held: "held", Hold.Reserved: "reserved", Hold.Spent: "spent"}
WAITING = "hold = 'Held'"  # conditions of indexes that few rows are in
SHORT = "hold IN ('Held', 'Reserved') AND NOT backed"


class DeskRow(Base):
    """How a platform wants sellers to list under its policies. No row: without being asked."""

    __tablename__ = "trade_desks"

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    platform: Mapped[str] = mapped_column(Address(), primary_key=True)
    reviews: Mapped[bool]  # whether it accepts listings one by one
    updated_at: Mapped[int] = mapped_column(BigInteger)


class ListingRow(Base):
    """What a seller offers."""

    __tablename__ = "listings"
    __table_args__ = (
        CheckConstraint(one_of("state", labels(ListingState)), "state"),
        CheckConstraint(one_of("acceptance", labels(Acceptance)), "acceptance"),
        CheckConstraint("0 < min_units AND min_units <= max_units AND max_units <= 65535", "units"),
        Index(None, "contract_id", "seller", "id"),
        Index(None, "contract_id", "platform", "acceptance", "id"),
        Index(None, "contract_id", "state", "category", "id"),
    )

    id: Mapped[str] = mapped_column(String(LENGTH), primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    seller: Mapped[str] = mapped_column(Address())
    pay_to: Mapped[str] = mapped_column(Address())  # where the seller's money goes
    platform: Mapped[str] = mapped_column(Address())  # of the policy
    policy_id: Mapped[str] = mapped_column(Hash())
    revision: Mapped[int]  # grows with every change of what buyers are told
    state: Mapped[ListingState] = mapped_column(Label(ListingState))
    acceptance: Mapped[Acceptance] = mapped_column(Label(Acceptance))
    acceptance_reason: Mapped[str | None] = mapped_column(String(REASON_LENGTH))  # of a refusal
    title: Mapped[str] = mapped_column(String(MAX_TITLE))
    category: Mapped[str] = mapped_column(String(CATEGORY_LENGTH))
    description: Mapped[str] = mapped_column(Text())
    haystack: Mapped[str] = mapped_column(Text())  # title and description, folded: what is searched
    token: Mapped[str] = mapped_column(Address())
    symbol: Mapped[str] = mapped_column(String(MAX_SYMBOL))  # as the token said when it was listed
    decimals: Mapped[int]
    unit_price: Mapped[int] = mapped_column(Amount(ORDER_DIGITS))  # base units
    min_units: Mapped[int]  # of one order
    max_units: Mapped[int]
    buyer_cap: Mapped[int | None]  # units to one buyer, ever; NULL: no limit
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)


class StockRow(Base):
    """How many units of a listing are where. Its row is what trades in the listing wait for each other on.

    No unit is ever in two places, and none is promised that is not there: the database refuses it.
    """

    __tablename__ = "listing_stocks"
    __table_args__ = (
        CheckConstraint("available >= 0 AND held >= 0 AND reserved >= 0 AND spent >= 0", "counts"),
        CheckConstraint("available + held + reserved + spent = stocked", "sum"),
    )

    listing_id: Mapped[str] = mapped_column(ForeignKey("listings.id"), primary_key=True)
    stocked: Mapped[int] = mapped_column(BigInteger)  # ever put on the shelf, less what was taken off
    available: Mapped[int] = mapped_column(BigInteger)  # free
    held: Mapped[int] = mapped_column(BigInteger)  # for live quotes
    reserved: Mapped[int] = mapped_column(BigInteger)  # for orders that are paid and not delivered
    spent: Mapped[int] = mapped_column(BigInteger)


class QuoteRow(Base):
    """What a buyer was quoted: the terms of an order that is to be, with their listing document."""

    __tablename__ = "quotes"
    __table_args__ = (
        CheckConstraint(one_of("hold", labels(Hold)), "hold"),
        UniqueConstraint("contract_id", "order_id"),
        Index(None, "listing_id", "buyer"),
        Index(None, "listing_id", "refund_to"),
        Index(None, "listing_id", "delivery_key"),
        Index(None, "contract_id", "account", "id"),
        Index(None, "contract_id", "buyer", "id"),
        Index(None, "contract_id", "seller", "id"),
        Index(None, "contract_id", "expires_at", sqlite_where=text(WAITING), postgresql_where=text(WAITING)),
        Index("ix_quotes_short", "listing_id", "id", sqlite_where=text(SHORT), postgresql_where=text(SHORT)),
    )

    id: Mapped[str] = mapped_column(String(LENGTH), primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    listing_id: Mapped[str] = mapped_column(ForeignKey("listings.id"))
    listing_revision: Mapped[int]
    order_id: Mapped[str] = mapped_column(Hash())
    account: Mapped[str] = mapped_column(Address())  # who asked: the buyer, or a platform for it
    seller: Mapped[str] = mapped_column(Address())
    buyer: Mapped[str] = mapped_column(Address())
    refund_to: Mapped[str] = mapped_column(Address())
    delivery_key: Mapped[str] = mapped_column(String(KEY_LENGTH))
    platform_order: Mapped[str] = mapped_column(String(MAX_PLATFORM_ORDER))
    units: Mapped[int]
    price: Mapped[int] = mapped_column(Amount(ORDER_DIGITS))
    open_by: Mapped[int] = mapped_column(BigInteger)
    terms: Mapped[dict[str, Any]] = mapped_column(Json())  # whole; the price as a decimal string
    document: Mapped[dict[str, Any]] = mapped_column(Json())  # the listing document
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)  # until then the units are held, and offers may be made
    offer_expiry: Mapped[int | None] = mapped_column(BigInteger)  # of the longest offer: the units are held until then
    hold: Mapped[Hold] = mapped_column(Label(Hold))
    backed: Mapped[bool]  # whether the stock has the units; an order that was opened late may find none


class OfferRow(Base):
    """A seller's signed promise to accept the order of a quote."""

    __tablename__ = "offers"
    __table_args__ = (Index(None, "quote_id", "id"),)

    id: Mapped[str] = mapped_column(String(LENGTH), primary_key=True)
    quote_id: Mapped[str] = mapped_column(ForeignKey("quotes.id"))
    account: Mapped[str] = mapped_column(Address())  # who brought it
    operator: Mapped[str] = mapped_column(Address())  # who signed it; zero: the seller
    revision: Mapped[int]
    expiry: Mapped[int] = mapped_column(BigInteger)
    signature: Mapped[bytes] = mapped_column(LargeBinary())
    created_at: Mapped[int] = mapped_column(BigInteger)


class StockCursorRow(Base):
    """How far the stocks of a contract's listings have followed its outbox."""

    __tablename__ = "stock_cursors"

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    outbox_id: Mapped[int] = mapped_column(BigInteger)
