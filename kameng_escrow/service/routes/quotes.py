"""Quotes for buyers, offers of sellers."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import Query
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.signing import is_signed_by
from kameng_escrow.chain.steps import run
from kameng_escrow.domain.inputs import parse_address
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.signed import Offer
from kameng_escrow.domain.states import Right
from kameng_escrow.domain.typed_data import Domain, offer_typed_data
from kameng_escrow.store.models import OperatorRow, PolicyRow
from kameng_escrow.store.order_rows import restore_policy
from kameng_escrow.store.service import listings, quotes
from kameng_escrow.store.service.trade_errors import QuoteOver, UnknownQuote
from kameng_escrow.store.service.trade_rows import Hold, OfferRow, QuoteRow
from kameng_escrow.trade.desk import Desk, Wish

from ..callers import EVERYONE, Scope, account, order
from ..errors import BadRequest, NotFound
from ..parts import Parts
from ..risk_views import caution_view
from ..routing import Router, TheCaller, TheOrder, TheParts, also
from ..schemas.trade import (
    NewOffer,
    NewQuote,
    OfferRequestsView,
    OfferView,
    QuotesView,
    QuoteView,
    TypedDataView,
)
from ..trade_views import offer_request_view, offer_view, quote_view

routes = Router("quotes")

Lifetime = Annotated[int | None, Query(ge=10, le=86_400, description="That it lives; left out: as long as is of use.")]

LONGEST_WAIT: Final = 25  # seconds that a request for work stays open
_POLL_SECONDS: Final = 0.5


def desk_of(parts: Parts) -> Desk:
    """The contract's desk."""

    def judge(signer: str, digest: str, signature: bytes) -> bool:
        return run(is_signed_by(signer, digest, signature), Connection(parts.node.w3))

    return Desk(
        store=parts.store,
        contract_id=parts.contract_id,
        domain=_domain(parts),
        clock=parts.clock,
        is_signed_by=judge,
    )


@routes.post("/v1/quotes", access=account(Scope.Trade), status_code=201, responses=also(404))
def create_quote(body: NewQuote, caller: TheCaller, parts: TheParts) -> QuoteView:
    """Quotes units of a listing to a buyer, and holds them for ten minutes. The caller is the buyer, or the platform of
    the listing's policy.
    """
    wish = Wish(
        listing_id=body.listing_id,
        units=body.units,
        buyer=body.buyer,
        delivery_key=body.delivery_key,
        nonce=body.nonce,
        refund_to=body.refund_to,
        platform_order=body.platform_order,
        open_seconds=body.open_seconds,
    )
    return _told(parts, desk_of(parts).quote(wish, caller.known))


@routes.get("/v1/quotes", access=account(Scope.Trade))
def list_quotes(
    caller: TheCaller,
    parts: TheParts,
    hold: Annotated[list[str] | None, Query(max_length=4, description="Only with one of these holds.")] = None,
    short: Annotated[bool, Query(description="Only those whose units the stock does not have.")] = False,
    limit: Annotated[int, Query(ge=1, le=quotes.LARGEST_PAGE)] = 20,
    cursor: Annotated[str | None, Query(max_length=40, description="Of the page before.")] = None,
) -> QuotesView:
    """The quotes that the caller asked for, got as buyer, or gave as seller; the newest first."""
    holds = None if hold is None else frozenset(_hold(label) for label in hold)
    with parts.store.reading() as session:
        page = quotes.quotes(
            session, parts.contract_id, caller.known, holds=holds, short=short, limit=limit, cursor=cursor
        )
        found = [_view(session, parts, row) for row in page.quotes]
    return QuotesView.model_validate({"quotes": found, "cursor": page.cursor})


@routes.get("/v1/quotes/{quote_id}", access=account(Scope.Trade), responses=also(404))
def read_quote(quote_id: str, caller: TheCaller, parts: TheParts) -> QuoteView:
    """One quote, for the buyer, who asked, the seller and its operators, and the platform."""
    with parts.store.reading() as session:
        row = _visible(session, parts, quote_id, caller.known)
        return QuoteView.model_validate(_view(session, parts, row))


@routes.post("/v1/quotes/{quote_id}/give-up", access=account(Scope.Trade), responses=also(404))
def give_up_quote(quote_id: str, caller: TheCaller, parts: TheParts) -> QuoteView:
    """Lets a quote lapse, so that its units go back. With a live offer they stay until that has run out."""
    with parts.store.reading() as session:
        _visible(session, parts, quote_id, caller.known)
    return _told(parts, desk_of(parts).give_up(quote_id, caller.known))


@routes.get("/v1/quotes/{quote_id}/offer", access=account(Scope.Trade), responses=also(404, 409))
def prepare_offer(
    quote_id: str,
    caller: TheCaller,
    parts: TheParts,
    seconds: Annotated[
        int | None, Query(ge=10, le=86_400, description="That it lives; null: as long as is of use.")
    ] = None,
) -> TypedDataView:
    """What the seller, or an operator with the right to accept, signs to promise accepting the order."""
    with parts.store.reading() as session:
        row = _visible(session, parts, quote_id, caller.known)
        session.expunge(row)
    longest = row.open_by + 1
    expiry = longest if seconds is None else min(longest, parts.chain_now() + seconds)
    revision = desk_of(parts).revision(row)
    typed = offer_typed_data(row.order_id, revision=revision, expiry=expiry, domain=_domain(parts))
    return TypedDataView(revision=revision, expiry=expiry, typed_data=typed)


@routes.post("/v1/quotes/{quote_id}/offers", access=account(Scope.Trade), status_code=201, responses=also(404))
def make_offer(quote_id: str, body: NewOffer, caller: TheCaller, parts: TheParts) -> OfferView:
    """Takes a signed offer of the seller's, after checking all that the contract will check."""
    operator = ZERO_ADDRESS if body.operator is None else parse_address(body.operator, "operator")
    with parts.store.reading() as session:
        row = _visible(session, parts, quote_id, caller.known)
        operator = ZERO_ADDRESS if operator == row.seller else operator
    offer = Offer(expiry=body.expiry, signature=bytes.fromhex(body.signature[2:]), operator=operator)
    return OfferView.model_validate(offer_view(desk_of(parts).offer(quote_id, offer, caller.known)))


@routes.get("/v1/offer-requests", access=account(Scope.Trade))
async def list_offer_requests(
    caller: TheCaller,
    parts: TheParts,
    wait: Annotated[int, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for one, if there is none.")] = 0,
    after: Annotated[str | None, Query(max_length=40, description="Only quotes after this one.")] = None,
) -> OfferRequestsView:
    """Live quotes without an offer that the caller could make one for: as their seller, or as its operator with the
    right to accept. For programs that make offers by themselves.
    """
    ends = asyncio.get_running_loop().time() + wait
    while True:
        found = await run_in_threadpool(_requests, parts, caller.known, after)
        if found or asyncio.get_running_loop().time() >= ends:
            return OfferRequestsView.model_validate({"requests": found})
        await asyncio.sleep(_POLL_SECONDS)


@routes.get("/v1/orders/{order_id}/quote", access=order(EVERYONE, Scope.OrdersRead))
def read_quote_of_order(held: TheOrder, parts: TheParts) -> QuoteView:
    """The quote that an order was made with, and its listing document."""
    with parts.store.reading() as session:
        row = quotes.quote_of_order(session, parts.contract_id, held.id)
        if row is None:
            raise NotFound(
                "This order was not made with a quote of this service.", "这个订单不是用本服务的询价单下的。"
            )
        return QuoteView.model_validate(_view(session, parts, row))


def _requests(parts: Parts, who: str, after: str | None) -> list[dict[str, Any]]:
    desk = desk_of(parts)
    with parts.store.reading() as session:
        rows = quotes.wanting_offers(session, parts.contract_id, who, clock=parts.clock(), after=after)
        found = []
        for row in rows:
            policy = session.get(PolicyRow, (parts.contract_id, row.terms["policy_id"]))
            if policy is None:
                continue
            try:
                revision = desk.revision_in(session, row)
            except QuoteOver:  # opened a moment ago
                continue
            found.append(offer_request_view(row, restore_policy(policy), revision, desk.domain))
        return found


def _visible(session: Session, parts: Parts, quote_id: str, who: str) -> QuoteRow:
    """A quote that concerns an account. Others hear that there is none."""
    row = quotes.quote(session, parts.contract_id, quote_id)
    if who in (row.account, row.buyer, row.seller):
        return row
    if who == listings.listing(session, parts.contract_id, row.listing_id).platform:
        return row
    place = (parts.contract_id, row.seller, who, row.terms["token"], row.terms["policy_id"])
    grant = session.get(OperatorRow, place)
    if grant is not None and grant.rights & Right.Accept and parts.clock() < grant.expiry:
        return row
    raise UnknownQuote(quote_id)


def _told(parts: Parts, row: QuoteRow) -> QuoteView:
    with parts.store.reading() as session:
        return QuoteView.model_validate(_view(session, parts, row))


def _view(session: Session, parts: Parts, row: QuoteRow) -> dict[str, Any]:
    policy = session.get(PolicyRow, (parts.contract_id, row.terms["policy_id"]))
    if policy is None:
        raise NotFound(
            "The quote's policy is not on the chain any more: ask for another quote.",
            "这个询价单的规则已不在链上：请重新询价。",
        )
    offers: list[OfferRow] = list(quotes.offers_for(session, row.id))
    return {
        **quote_view(row, restore_policy(policy), offers),
        "caution": caution_view(session, parts.contract_id, row.seller),
    }


def _domain(parts: Parts) -> Domain:
    return Domain(parts.deployment.chain_id, parts.deployment.address)


def _hold(label: str) -> Hold:
    if label not in Hold.__members__:
        names = ", ".join(Hold.__members__)
        raise BadRequest(
            f"{label!r} is no hold: it is one of {names}.", f"没有 {label!r} 这种状态：应为 {names} 之一。"
        )
    return Hold[label]
