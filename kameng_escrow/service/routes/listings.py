"""Listings: shown to everybody, written by their sellers, accepted by platforms; and what a contract comes to."""

from typing import Annotated, Any

from fastapi import Query, Request
from sqlalchemy.orm import Session

from kameng_escrow.domain.categories import CATEGORY_LABELS
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.inputs import parse_address, parse_hash
from kameng_escrow.domain.listing import MAX_SYMBOL, parse_document, verify_document
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.refusals import PolicyUnknown
from kameng_escrow.domain.summary import summarize
from kameng_escrow.domain.summary_text import lines
from kameng_escrow.domain.terms import check_terms
from kameng_escrow.domain.typed_data import Domain, order_id
from kameng_escrow.store.models import PolicyRow
from kameng_escrow.store.order_rows import restore_policy
from kameng_escrow.store.service import inventory, listings
from kameng_escrow.store.service.audit import audit
from kameng_escrow.store.service.trade_errors import NotYours, UnknownListing
from kameng_escrow.store.service.trade_rows import Acceptance, ListingRow, ListingState

from ..callers import PUBLIC, Scope, account
from ..currencies import Currencies
from ..errors import BadRequest
from ..parts import Parts
from ..routing import Router, TheCaller, TheParts, also
from ..schemas.trade import (
    CategoriesView,
    Decision,
    DocumentCheck,
    DocumentView,
    ListingChanges,
    ListingsView,
    ListingView,
    NewListing,
    Sketch,
    StockChange,
    SummaryView,
    TradeDesk,
    TradeDeskView,
)
from ..trade_views import listing_view, summary_view

routes = Router("listings")

SUMMARIES_PER_MINUTE = 120  # of one network address
_ZERO = "0x" + "00" * 32
_SHOWN = frozenset({ListingState.Published, ListingState.Paused})

Text = Annotated[str | None, Query(max_length=200, description="Words that title or description have.")]
AnAddress = Annotated[str | None, Query(pattern=r"^0x[0-9a-fA-F]{40}$")]
AHash = Annotated[str | None, Query(pattern=r"^0x[0-9a-fA-F]{64}$")]
ACategory = Annotated[str | None, Query(max_length=32)]
AnAmount = Annotated[str | None, Query(pattern=r"^[0-9]{1,39}$", description="Base units for one.")]
Limit = Annotated[int, Query(ge=1, le=listings.LARGEST_PAGE)]
Cursor = Annotated[str | None, Query(max_length=80, description="Of the page before.")]


@routes.get("/v1/categories", access=PUBLIC)
def list_categories() -> CategoriesView:
    """What kinds of goods there are."""
    found = [{"category": one, "label": {"zh": label.zh, "en": label.en}} for one, label in CATEGORY_LABELS.items()]
    return CategoriesView.model_validate({"categories": found})


@routes.get("/v1/listings", access=PUBLIC)
def list_listings(
    caller: TheCaller,
    parts: TheParts,
    q: Text = None,
    category: ACategory = None,
    seller: AnAddress = None,
    platform: AnAddress = None,
    policy_id: AHash = None,
    token: AnAddress = None,
    at_most: AnAmount = None,
    in_stock: Annotated[bool, Query(description="Only where enough for an order is free.")] = False,
    sort: Annotated[listings.ListingSorting, Query(description="cheapest: in base units, of one token.")] = (
        listings.ListingSorting.Newest
    ),
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ListingsView:
    """What is on sale. Listings made meanwhile don't shift the pages."""
    wanted = listings.ListingFilter(
        text=q,
        category=category,
        seller=None if seller is None else parse_address(seller, "seller"),
        platform=None if platform is None else parse_address(platform, "platform"),
        policy_id=None if policy_id is None else parse_hash(policy_id, "policy_id"),
        token=None if token is None else parse_address(token, "token"),
        at_most=None if at_most is None else int(at_most),
        in_stock=in_stock,
        sorting=sort,
    )
    return _page(parts, wanted, caller.account, limit, cursor)


@routes.get("/v1/my/listings", access=account(Scope.Trade))
def list_my_listings(
    caller: TheCaller,
    parts: TheParts,
    role: Annotated[str, Query(pattern="^(seller|platform)$", description="Those that it sells, or decides on.")] = (
        "seller"
    ),
    state: Annotated[list[str] | None, Query(max_length=4)] = None,
    acceptance: Annotated[list[str] | None, Query(max_length=3)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ListingsView:
    """The caller's own listings, or those under its policies, in whatever state; the newest first."""
    states = None if state is None else frozenset(_word(ListingState, one) for one in state)
    acceptances = None if acceptance is None else frozenset(_word(Acceptance, one) for one in acceptance)
    wanted = listings.ListingFilter(**{role: caller.known}, states=states, acceptances=acceptances)  # type: ignore[arg-type]  # seller or platform
    return _page(parts, wanted, caller.known, limit, cursor)


@routes.get("/v1/listings/{listing_id}", access=PUBLIC, responses=also(404))
def read_listing(listing_id: str, caller: TheCaller, parts: TheParts) -> ListingView:
    """One listing. Drafts, and what a platform has not accepted, only its seller and platform see."""
    with parts.store.reading() as session:
        row = listings.listing(session, parts.contract_id, listing_id)
        shown = row.state in _SHOWN and row.acceptance is Acceptance.Accepted
        if not shown and caller.account not in (row.seller, row.platform):
            raise UnknownListing(listing_id)
        return _view(session, row, caller.account)


@routes.post("/v1/listings", access=account(Scope.Trade), status_code=201)
def create_listing(body: NewListing, request: Request, caller: TheCaller, parts: TheParts) -> ListingView:
    """Makes a listing of the caller's, as a draft or on sale at once."""
    currencies: Currencies = request.app.state.currencies
    token = parse_address(body.token, "token")
    wanted = listings.NewListing(
        seller=caller.known,
        pay_to=None if body.pay_to is None else parse_address(body.pay_to, "pay_to"),
        policy_id=parse_hash(body.policy_id, "policy_id"),
        title=body.title,
        category=body.category,
        description=body.description,
        currency=_currency(currencies, token),
        unit_price=int(body.unit_price),
        units=body.units,
        min_units=body.min_units,
        max_units=body.max_units,
        buyer_cap=body.buyer_cap,
        state=ListingState.Published if body.publish else ListingState.Draft,
    )
    with parts.store.writing() as session:
        row, stock = listings.create_listing(session, parts.contract_id, wanted, parts.clock())
        return ListingView.model_validate(listing_view(row, stock, caller.known))


@routes.patch("/v1/listings/{listing_id}", access=account(Scope.Trade), responses=also(404))
def change_listing(listing_id: str, body: ListingChanges, caller: TheCaller, parts: TheParts) -> ListingView:
    """Changes a listing of the caller's, puts it on sale, pauses or withdraws it."""
    changes: dict[str, Any] = body.model_dump(exclude_unset=True, exclude={"revision"})
    if unset := [name for name, value in changes.items() if value is None and name != "buyer_cap"]:
        raise BadRequest(
            f"{', '.join(unset)} can't be null: leave it out.", f"{', '.join(unset)} 不能为 null：请省略。"
        )
    if "unit_price" in changes:
        changes["unit_price"] = int(changes["unit_price"])
    if "pay_to" in changes:
        changes["pay_to"] = parse_address(changes["pay_to"], "pay_to")
    if "state" in changes:
        changes["state"] = ListingState[changes["state"]]
    with parts.store.writing() as session:
        row = _own(session, parts, listing_id, caller.known)
        listings.expect_revision(row, body.revision)
        listings.change_listing(session, row, changes, parts.clock())
        return _view(session, row, caller.known)


@routes.post("/v1/listings/{listing_id}/stock", access=account(Scope.Trade), responses=also(404))
def change_stock(listing_id: str, body: StockChange, caller: TheCaller, parts: TheParts) -> ListingView:
    """Puts units of a listing of the caller's on the shelf, or takes free ones off. Orders that are short get theirs
    first.
    """
    if (body.by is None) == (body.available is None):
        raise BadRequest("Give either `by` or `available`.", "`by` 和 `available` 请只给一个。")
    with parts.store.writing() as session:
        row = _own(session, parts, listing_id, caller.known)
        now = inventory.now_of(session, parts.contract_id, parts.clock())
        if body.by is not None:
            inventory.change_stock(session, row.id, body.by, now)
        elif body.available is not None:
            inventory.set_available(session, row.id, body.available, now)
        return _view(session, row, caller.known)


@routes.post("/v1/listings/{listing_id}/decision", access=account(Scope.Trade), responses=also(404))
def decide_listing(listing_id: str, body: Decision, caller: TheCaller, parts: TheParts) -> ListingView:
    """Accepts a listing under a policy of the caller's, or refuses it: then it is not shown."""
    with parts.store.writing() as session:
        row = listings.listing(session, parts.contract_id, listing_id, lock=True)
        if caller.known != row.platform:
            raise NotYours(caller.known, f"the platform {row.platform}", f"平台 {row.platform}")
        listings.decide(session, row, Acceptance[body.acceptance], body.reason, parts.clock())
        details = {"acceptance": body.acceptance, "reason": body.reason}
        audit(session, caller.name, "listing.decide", row.id, details, platform=caller.known)
        return _view(session, row, caller.known)


@routes.get("/v1/trade-desk", access=account(Scope.Trade))
def read_trade_desk(caller: TheCaller, parts: TheParts) -> TradeDeskView:
    """Whether the caller, as a platform, looks at listings before they are shown."""
    with parts.store.reading() as session:
        reviews = listings.desk_of(session, parts.contract_id, caller.known)
    return TradeDeskView(platform=caller.known, reviews=reviews)


@routes.put("/v1/trade-desk", access=account(Scope.Trade))
def set_trade_desk(body: TradeDesk, caller: TheCaller, parts: TheParts) -> TradeDeskView:
    """Says so. What is shown already stays."""
    with parts.store.writing() as session:
        listings.set_desk(session, parts.contract_id, caller.known, reviews=body.reviews, now=parts.clock())
        audit(session, caller.name, "desk.set", "trade", {"reviews": body.reviews}, platform=caller.known)
    return TradeDeskView(platform=caller.known, reviews=body.reviews)


# ------------------------------------------------------------------------------------------------------------- papers


@routes.post("/v1/summaries", access=PUBLIC, per_minute=SUMMARIES_PER_MINUTE)
def summarize_terms(body: Sketch, request: Request, parts: TheParts) -> SummaryView:
    """What terms and their policy come to, before anybody agrees to them. Nothing is kept."""
    buyer, seller = parse_address(body.buyer, "buyer"), parse_address(body.seller, "seller")
    terms = OrderTerms(
        buyer=buyer,
        refund_to=buyer if body.refund_to is None else parse_address(body.refund_to, "refund_to"),
        seller=seller,
        pay_to=seller if body.pay_to is None else parse_address(body.pay_to, "pay_to"),
        token=parse_address(body.token, "token"),
        price=int(body.price),
        units=body.units,
        policy_id=parse_hash(body.policy_id, "policy_id"),
        listing=_ZERO,
        open_by=body.open_by,
        salt=_ZERO,
    )
    check_terms(terms, parts.deployment.address)
    currencies: Currencies = request.app.state.currencies
    summary = summarize(terms, policy_of(parts, terms.policy_id))
    return SummaryView.model_validate(summary_view(summary, *lines(summary, _currency(currencies, terms.token))))


@routes.post("/v1/listing-documents/check", access=PUBLIC, per_minute=SUMMARIES_PER_MINUTE)
def check_listing_document(body: DocumentCheck, parts: TheParts) -> DocumentView:
    """Whether a listing document is the one of an order's terms, and tells nothing else than its rules. Nothing is
    kept.
    """
    sent = body.terms.model_dump()
    for name in ("buyer", "refund_to", "seller", "pay_to", "token"):
        sent[name] = parse_address(sent[name], name)
    for name in ("policy_id", "listing", "salt"):
        sent[name] = parse_hash(sent[name], name)
    terms = OrderTerms(**{**sent, "price": int(sent["price"])})
    domain = Domain(parts.deployment.chain_id, parts.deployment.address)
    name = order_id(terms, domain)
    document = parse_document(body.document)
    verify_document(document, terms, policy_of(parts, terms.policy_id), domain)
    return DocumentView(order_id=name, listing=document.hash(), document=document.to_json())


def policy_of(parts: Parts, policy_id: str) -> Policy:
    """A registered policy. Raises `PolicyUnknown`."""
    with parts.store.reading() as session:
        row = session.get(PolicyRow, (parts.contract_id, policy_id))
        if row is None:
            raise PolicyUnknown(policy_id)
        return restore_policy(row)


def _page(
    parts: Parts, wanted: listings.ListingFilter, who: str | None, limit: int, cursor: str | None
) -> ListingsView:
    with parts.store.reading() as session:
        page = listings.listings(session, parts.contract_id, wanted, limit=limit, cursor=cursor)
        found = [listing_view(row, stock, who) for row, stock in page.listings]
    return ListingsView.model_validate({"listings": found, "cursor": page.cursor})


def _own(session: Session, parts: Parts, listing_id: str, who: str) -> ListingRow:
    row = listings.listing(session, parts.contract_id, listing_id, lock=True)
    if who != row.seller:
        raise NotYours(who, f"the seller {row.seller}", f"卖家 {row.seller}")
    return row


def _view(session: Session, row: ListingRow, who: str | None) -> ListingView:
    return ListingView.model_validate(listing_view(row, listings.stock_of(session, row.id), who))


def _currency(currencies: Currencies, token: str) -> Currency:
    found = currencies.of(token)
    if found.symbol is None or found.decimals is None or not 0 < len(found.symbol) <= MAX_SYMBOL:
        raise BadRequest(
            f"The token at {token} does not say how its amounts are written: use another.",
            f"{token} 上的代币没有说明金额如何书写：请换一种代币。",
            token=token,
        )
    return Currency(token, found.symbol, found.decimals)


def _word(kind: Any, label: str) -> Any:
    if label not in kind.__members__:
        names = ", ".join(kind.__members__)
        raise BadRequest(f"{label!r} is none of {names}.", f"{label!r} 应为 {names} 之一。")
    return kind[label]
