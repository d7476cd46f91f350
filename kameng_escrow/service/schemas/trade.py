"""Listings, quotes, offers, and what a contract comes to."""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool

from kameng_escrow.domain.listing import MAX_DESCRIPTION, MAX_PLATFORM_ORDER, MAX_TITLE
from kameng_escrow.domain.states import State
from kameng_escrow.domain.terms import MAX_UNITS
from kameng_escrow.store.service.inventory import LARGEST_STOCK
from kameng_escrow.store.service.trade_rows import REASON_LENGTH, Acceptance, Hold, ListingState
from kameng_escrow.trade.desk import LONGEST_OPEN, QUOTE_SECONDS, SHORTEST_OPEN

from .common import Address, Amount, ChainSeconds, Currency, Hash, Hex, Model, View, Words, labelled
from .orders import ClosingView, TermsView
from .risk import CautionView

_STATES = [member.label for member in State]

Title = Annotated[str, Field(max_length=4 * MAX_TITLE, description="120 characters.", examples=["点卡 100 元"])]
Description = Annotated[str, Field(max_length=4 * MAX_DESCRIPTION, description="4,000 characters, several lines.")]
Category = Annotated[str, Field(max_length=32, description="One of /v1/categories, or your own: x-…")]
UnitPrice = Annotated[Amount, Field(description="Of one unit, in base units.")]
Units = Annotated[int, Field(ge=1, le=MAX_UNITS)]
Cap = Annotated[int | None, Field(ge=1, le=LARGEST_STOCK, description="Units to one buyer, ever; null: no limit.")]


# ----------------------------------------------------------------------------------------------------------- listings


class CategoryView(View):
    """A category of goods."""

    category: str
    label: Words


class CategoriesView(View):
    """The categories that everybody shares. A platform's own begin with ``x-``."""

    categories: list[CategoryView]


class NewListing(Model):
    """What a seller is going to offer. The caller is the seller."""

    title: Title
    category: Category
    description: Description = ""
    policy_id: Hash
    token: Address = Field(description="The zero address: the chain's native coin.")
    unit_price: UnitPrice
    units: int = Field(ge=0, le=LARGEST_STOCK, description="Free from the start.")
    min_units: Units = 1
    max_units: Units = MAX_UNITS
    buyer_cap: Cap = None
    pay_to: Address | None = Field(
        default=None, description="Where the money goes; null: to the address that the seller registered, or itself."
    )
    publish: StrictBool = Field(default=False, description="At once, and not as a draft.")


class ListingChanges(Model):
    """What is to be different; the rest stays. Quotes that were given keep what they say."""

    revision: int | None = Field(default=None, description="Refused where the listing is at another by now.")
    title: Title | None = None
    category: Category | None = None
    description: Description | None = None
    unit_price: UnitPrice | None = None
    pay_to: Address | None = None
    min_units: Units | None = None
    max_units: Units | None = None
    buyer_cap: Cap = Field(default=None, description="Sent as null: no limit any more.")
    state: Literal["Published", "Paused", "Withdrawn"] | None = None


class StockChange(Model):
    """Units put on the shelf, or taken off. Exactly one of the two."""

    by: int | None = Field(default=None, ge=-LARGEST_STOCK, le=LARGEST_STOCK, description="So many more, or fewer.")
    available: int | None = Field(default=None, ge=0, le=LARGEST_STOCK, description="So many are free.")


class Decision(Model):
    """What the platform says of a listing under its policy."""

    acceptance: Literal["Accepted", "Refused"]
    reason: str | None = Field(default=None, max_length=4 * REASON_LENGTH, description="Of a refusal.")


class StockView(View):
    """How many units are where."""

    stocked: int = Field(description="The sum: ever put on the shelf, less what was taken off.")
    available: int = Field(description="Free.")
    held: int = Field(description="For live quotes.")
    reserved: int = Field(description="For orders that are paid and not delivered.")
    spent: int


class ListingView(View):
    """What a seller offers."""

    id: str
    seller: Address
    pay_to: Address
    platform: Address
    policy_id: Hash
    revision: int
    state: str = labelled(ListingState.__members__)
    acceptance: str = labelled(Acceptance.__members__)
    acceptance_reason: str | None
    title: str
    category: str
    category_label: Words
    description: str
    currency: Currency
    unit_price: Amount
    min_units: int
    max_units: int
    buyer_cap: int | None
    available: int
    stock: StockView | None = Field(description="For its seller and its platform only.")
    created_at: str
    updated_at: str


class ListingsView(View):
    """A page of listings."""

    listings: list[ListingView]
    cursor: str | None = Field(description="Of the next page; null: this was the last.")


class TradeDesk(Model):
    """How a platform wants sellers to list under its policies."""

    reviews: StrictBool = Field(description="Whether it looks at listings before they are shown.")


class TradeDeskView(View):
    """How a platform wants sellers to list under its policies."""

    platform: Address
    reviews: bool


# ------------------------------------------------------------------------------------------------------------ summary


class OptionView(View):
    """Something that somebody may do in a stage. Seconds are counted from its beginning."""

    who: str
    by_operator: bool
    move: str
    after: int
    until: int | None = Field(description="Null: as long as the stage lasts.")
    closing: ClosingView | None


class WatchView(View):
    """Whose turn it is to rule."""

    mediator: Address
    after: int
    until: int


class StageView(View):
    """One open state of an order; Disputed with every unit in dispute."""

    state: str = labelled(_STATES)
    state_label: Words
    lasts: int = Field(description="Seconds until anyone may settle.")
    latest_end: ChainSeconds
    timeout: ClosingView
    options: list[OptionView]
    watches: list[WatchView]


class LeavingView(View):
    """What it costs a party to give the order up."""

    state: str = labelled(_STATES)
    who: str
    move: str | None = Field(description="Null: it can't.")
    until: int | None
    cost: Amount


class SummaryView(View):
    """What the parties of an order agree to: the facts, and the same in words, line by line."""

    text_version: int
    latest: ChainSeconds = Field(description="From when on anyone can have all the money paid out, whatever happened.")
    stages: list[StageView]
    leavings: list[LeavingView]
    en: list[str] = Field(description='Titles begin with "# ".')
    zh: list[str]


class Sketch(Model):
    """Terms as far as a summary needs them."""

    seller: Address
    buyer: Address
    refund_to: Address | None = None
    pay_to: Address | None = None
    token: Address
    price: Amount
    units: Units
    policy_id: Hash
    open_by: ChainSeconds


class TermsSent(Model):
    """The terms of an order, whole."""

    buyer: Address
    refund_to: Address
    seller: Address
    pay_to: Address
    token: Address
    price: Amount
    units: Units
    policy_id: Hash
    listing: Hash
    open_by: ChainSeconds
    salt: Hash


class DocumentCheck(Model):
    """A listing document, and the terms of the order that it is said to be of."""

    document: dict[str, Any]
    terms: TermsSent


class DocumentView(View):
    """A listing document that is the order's, and tells nothing else than its rules."""

    order_id: Hash
    listing: Hash
    document: dict[str, Any]


# ------------------------------------------------------------------------------------------------------------- quotes


class NewQuote(Model):
    """What somebody wants quoted: for itself, or as a platform for its buyer."""

    listing_id: str = Field(max_length=40)
    units: Units = 1
    buyer: Address
    refund_to: Address | None = Field(default=None, description="Where money goes back; null: to the buyer.")
    delivery_key: str = Field(max_length=80, description="The buyer's age recipient, age1…")
    nonce: Hash | None = Field(
        default=None, description="The 32 random bytes that the buyer made its delivery key of; null: fresh ones."
    )
    platform_order: str = Field(default="", max_length=4 * MAX_PLATFORM_ORDER, description="The platform's number.")
    open_seconds: int = Field(
        default=QUOTE_SECONDS, ge=SHORTEST_OPEN, le=LONGEST_OPEN, description="That the terms may be opened."
    )


class OfferView(View):
    """A seller's signed promise to accept the order."""

    id: str
    expiry: ChainSeconds
    revision: int
    operator: Address = Field(description="Who signed it; the zero address: the seller.")
    signature: Hex
    created_at: str


class QuoteView(View):
    """Terms that can be opened as they are, what they come to, and what the units are for."""

    id: str
    listing_id: str
    listing_revision: int
    order_id: Hash
    account: Address = Field(description="Who asked.")
    units: int
    currency: Currency
    terms: TermsView
    policy: dict[str, Any] = Field(description="The policy that the terms name, field by field; shares in bps.")
    document: dict[str, Any] = Field(description="Hashed (RFC 8785, keccak256) it is the terms' listing.")
    summary: SummaryView
    created_at: str
    expires_at: str = Field(description="Until then the units are held, and the seller may make an offer.")
    hold: str = labelled(Hold.__members__)
    backed: bool = Field(description="Whether the stock has the units: an order that is opened late may find none.")
    offer_expiry: ChainSeconds | None = Field(description="Until when an offer can be used; null: there is none.")
    offers: list[OfferView] = Field(description="The latest first.")
    caution: CautionView | None = Field(
        default=None, description="To be shown to the buyer before it pays; null: nothing is known that calls for it."
    )


class QuotesView(View):
    """A page of quotes."""

    quotes: list[QuoteView]
    cursor: str | None = Field(description="Of the next page; null: this was the last.")


class OfferRequestView(View):
    """A live quote that wants an offer, and what to sign for it."""

    quote: QuoteView
    revision: int
    typed_data: dict[str, Any] = Field(description="For eth_signTypedData_v4, with the longest expiry that is of use.")


class OfferRequestsView(View):
    """Quotes that the caller may make offers for, the earliest first."""

    requests: list[OfferRequestView]


class NewOffer(Model):
    """An offer as it was signed."""

    expiry: ChainSeconds
    signature: Hex = Field(description="65 bytes; of a contract wallet: whatever it takes (ERC-1271).")
    operator: Address | None = Field(default=None, description="Who signed it; null: the seller.")


class TypedDataView(View):
    """For a wallet's eth_signTypedData_v4."""

    revision: int
    expiry: ChainSeconds
    typed_data: dict[str, Any]
