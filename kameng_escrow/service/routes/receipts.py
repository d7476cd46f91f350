"""Terms receipts: what a party takes home so that it needs nobody's service."""

from typing import Annotated

import orjson
from fastapi import Query, Request, Response

from kameng_escrow.client.receipt import ReceiptFalse, SignedDispute, SignedOffer, TermsReceipt, make_receipt
from kameng_escrow.client.receipts import dispute_to_sign
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.listing import ListingDocument, parse_document
from kameng_escrow.domain.typed_data import Domain, action_typed_data
from kameng_escrow.store.service import quotes

from ..callers import EVERYONE, OrderAccess, OrderRole, Scope, order
from ..currencies import Currencies
from ..deliveries import terms_of
from ..errors import Conflict
from ..parts import Parts
from ..routing import Router, TheOrder, TheParts, also
from ..schemas.common import Hash
from ..schemas.receipts import DisputeToSignView, ReceiptView
from ..schemas.receipts import SignedDispute as SentDispute

routes = Router("receipts")

_NONE = "0x" + "00" * 32


@routes.get(
    "/v1/orders/{order_id}/receipt",
    access=order(EVERYONE, Scope.OrdersRead),
    response_model=ReceiptView,
    responses=also(409),
)
def read_receipt(request: Request, held: TheOrder, parts: TheParts) -> Response:
    """The order's terms receipt: deployment, terms, policy, the rules in words, listing document and offer."""
    return _json(_receipt(request, held, parts))


@routes.get("/v1/orders/{order_id}/receipt/dispute", access=order({OrderRole.Buyer}, Scope.OrdersRead))
def prepare_dispute(
    held: TheOrder,
    parts: TheParts,
    units: Annotated[int, Query(ge=1, le=0xFFFF, description="That will be in dispute.")],
    evidence: Annotated[Hash, Query()] = _NONE,
) -> DisputeToSignView:
    """A dispute for the buyer to sign beforehand. Whoever has it can post it as soon as the order is Delivered."""
    terms, policy = terms_of(held), held.mirrored.order.policy
    assert policy is not None, "who has a role in an order has it from its policy too"
    action = dispute_to_sign(terms, policy, units=units, evidence=evidence.lower())
    return DisputeToSignView(
        units=action.number,
        evidence=action.content,
        expiry=action.expiry,
        typed_data=action_typed_data(held.id, action, _domain(parts)),
    )


@routes.post(
    "/v1/orders/{order_id}/receipt", access=order({OrderRole.Buyer}, Scope.OrdersRead), response_model=ReceiptView
)
def receive_dispute(body: SentDispute, request: Request, held: TheOrder, parts: TheParts) -> Response:
    """The receipt with the dispute that the buyer signed, for a watchtower. Nothing of it is kept here."""
    terms, policy = terms_of(held), held.mirrored.order.policy
    assert policy is not None, "who has a role in an order has it from its policy too"
    action = dispute_to_sign(terms, policy, units=body.units, evidence=body.evidence.lower())
    if action.expiry != body.expiry:
        raise ReceiptFalse("dispute", f"it has to expire at {action.expiry}", f"有效期应到 {action.expiry}")
    dispute = SignedDispute(action=action, signature=bytes.fromhex(body.signature[2:]))
    receipt = _receipt(request, held, parts, dispute)
    parts.client.verify_receipt(receipt)
    return _json(receipt)


def _receipt(request: Request, held: OrderAccess, parts: Parts, dispute: SignedDispute | None = None) -> TermsReceipt:
    terms, policy = terms_of(held), held.mirrored.order.policy
    assert policy is not None, "who has a role in an order has it from its policy too"
    currencies: Currencies = request.app.state.currencies
    shown = currencies.of(terms.token)
    listing, offer = _papers(held, parts)
    if listing is not None:
        currency = listing.currency
    elif shown.symbol is None or shown.decimals is None:
        raise Conflict(
            f"Nobody can say at the moment how amounts of {terms.token} are written: ask again in a minute.",
            f"暂时问不到代币 {terms.token} 的金额写法：请过一分钟再试。",
        )
    else:
        currency = Currency(terms.token, shown.symbol, shown.decimals)
    return make_receipt(parts.deployment, terms, policy, currency, listing=listing, offer=offer, dispute=dispute)


def _papers(held: OrderAccess, parts: Parts) -> tuple[ListingDocument | None, SignedOffer | None]:
    """The listing document and the last offer, where the order was quoted here."""
    with parts.store.reading() as session:
        row = quotes.quote_of_order(session, parts.contract_id, held.id)
        if row is None:
            return None, None
        offers = list(quotes.offers_for(session, row.id))
        last = max(offers, key=lambda one: one.expiry, default=None)
        signed = None if last is None else SignedOffer(offer=quotes.offer_of(last), revision=last.revision)
        return parse_document(row.document), signed


def _domain(parts: Parts) -> Domain:
    return Domain(parts.deployment.chain_id, parts.deployment.address)


def _json(receipt: TermsReceipt) -> Response:
    return Response(orjson.dumps(receipt.to_json()), media_type="application/json")
