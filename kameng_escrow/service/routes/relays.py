"""Bringing what others signed to the chain, and deposit addresses that open their orders by themselves."""

from typing import Any

from fastapi import Request as HttpRequest
from fastapi import Response

from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.signing import is_signed_by
from kameng_escrow.chain.steps import run
from kameng_escrow.domain.consequences import opening
from kameng_escrow.domain.deposits import DepositRefund
from kameng_escrow.domain.inputs import parse_address
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.refusals import Expired, InvalidSignature, TooLate
from kameng_escrow.domain.signed import Offer
from kameng_escrow.domain.typed_data import Domain, offer_digest, terms_typed_data
from kameng_escrow.domain.walletless import WEAKER, check_refund_to, refund_to_warning
from kameng_escrow.keeper.rules import DAY_MS
from kameng_escrow.keeper.working import now_ms
from kameng_escrow.relay import (
    Act,
    Agreement,
    DepositNotOpenable,
    DepositRefunding,
    DepositSweeping,
    Opening,
    RelayLimitReached,
    Request,
    UnknownDeposit,
    UnknownRelay,
)
from kameng_escrow.relay.moves import domain_of
from kameng_escrow.store import UnknownOrder
from kameng_escrow.store.service import deposits, relays
from kameng_escrow.store.service.deposits import WatchedDeposit

from ..callers import EVERYONE, PUBLIC, Caller, Scope, account, order
from ..errors import Forbidden
from ..parts import Parts
from ..relaying import (
    address_of,
    check_concerned,
    check_on_order,
    contracts_around,
    currency_of,
    deposit_view,
    intake,
    policy_of,
    registered,
    relay_view,
    spoken,
)
from ..routing import Router, TheCaller, TheOrder, TheParts
from ..schemas.papers import signature
from ..schemas.relaying import (
    DepositPapersView,
    DepositView,
    NewDeposit,
    NewRelayBody,
    PrepareDeposit,
    RelayAction,
    RelayAgreement,
    RelayDepositRefund,
    RelayDepositSweep,
    RelayOpening,
    RelaysView,
    RelayView,
    WarningsView,
)

routes = Router("relays")

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemView"}}}
_MISSING: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is nothing of that name.", "content": _PROBLEM}
}


@routes.post("/v1/relays", access=account(Scope.OrdersWrite), status_code=202, responses=_MISSING)
def create_relay(body: NewRelayBody, response: Response, caller: TheCaller, parts: TheParts) -> RelayView:
    """Takes on what somebody signed, to be brought to the chain at the platform's cost. It is tried first: what the
    contract would refuse is the answer, and costs nothing. `Location` tells what became of it. The same signed thing
    again is the same relay while it is under way.
    """
    relay = intake(parts).accept(_request(body, caller, parts), account=caller.known)
    response.headers["Location"] = f"/v1/relays/{relay.id}"
    return relay_view(parts, relay)


@routes.get("/v1/relays/{relay_id}", access=account(Scope.OrdersRead), responses=_MISSING)
def read_relay(relay_id: str, caller: TheCaller, parts: TheParts) -> RelayView:
    """Where a relay stands: for who asked for it, the platform that pays, and those who have to do with its order."""
    with parts.store.reading() as session:
        found = relays.relay(session, parts.contract_id, relay_id)
    if found is None:
        raise UnknownRelay(relay_id)
    if caller.account not in (found.account, found.platform) and not _is_concerned(parts, caller, found.order_id):
        raise UnknownRelay(relay_id)
    return relay_view(parts, found)


@routes.get("/v1/orders/{order_id}/relays", access=order(EVERYONE, Scope.OrdersRead))
def list_order_relays(order_id: str, access: TheOrder, parts: TheParts) -> RelaysView:
    """What was taken on for an order, the newest first."""
    del order_id
    with parts.store.reading() as session:
        found = relays.of_order(session, parts.contract_id, access.id)
    return RelaysView(relays=[relay_view(parts, one) for one in found])


@routes.post("/v1/prepare/deposit", access=account(Scope.OrdersWrite))
def prepare_deposit(
    body: PrepareDeposit, request: HttpRequest, caller: TheCaller, parts: TheParts
) -> DepositPapersView:
    """What it takes to pay for terms by a plain transfer: the address, what the buyer may sign, what to be careful of.
    Terms that nothing could open from there are refused.
    """
    terms = body.terms.value()
    policy = policy_of(parts, terms)
    check_concerned(caller, terms, policy)
    order_id = _check_terms(parts, terms)
    currency = currency_of(request, terms.token)
    return DepositPapersView(
        order_id=order_id,
        address=address_of(parts, order_id),
        chain_id=parts.deployment.chain_id,
        token=terms.token,
        price=str(terms.price),
        open_by=terms.open_by,
        refund_to=terms.refund_to,
        consequence=spoken(opening(terms, policy, currency, offered=False)),
        typed_data=terms_typed_data(terms, domain_of(parts.client)),
        warnings=[spoken(label) for label in (refund_to_warning(terms), *WEAKER)],
    )


@routes.post("/v1/deposits", access=account(Scope.OrdersWrite), status_code=201)
def create_deposit(body: NewDeposit, response: Response, caller: TheCaller, parts: TheParts) -> DepositView:
    """Has the deposit address of an order watched: once the price lies there under enough blocks, the order opens with
    the seller's offer, or with the buyer's signature of the terms. What is too much or too late goes to refundTo.
    """
    terms = body.terms.value()
    policy = policy_of(parts, terms)
    check_concerned(caller, terms, policy)
    offer = None if body.offer is None else body.offer.value()
    signed = signature(body.buyer_signature)
    order_id = _check_deposit(parts, terms, offer, signed)
    at_ms = now_ms()
    with parts.store.writing() as session:
        limit = parts.config.limits.account_limit
        if deposits.watched_since(session, caller.known, at_ms - DAY_MS) >= limit:
            raise RelayLimitReached(caller.known, limit)
        found = deposits.watch(
            session,
            parts.contract_id,
            order_id,
            address=address_of(parts, order_id),
            terms=terms,
            platform=policy.platform,
            account=caller.known,
            offer=offer,
            signature=signed,
            now_ms=at_ms,
        )
    response.headers["Location"] = f"/v1/deposits/{order_id}"
    return deposit_view(parts, found)


@routes.get("/v1/deposits/{deposit_id}", access=account(Scope.OrdersRead), responses=_MISSING)
def read_deposit(deposit_id: str, caller: TheCaller, parts: TheParts) -> DepositView:
    """What has come to the deposit address of the order of that id, which need not be opened yet: for its parties and
    its platform.
    """
    return deposit_view(parts, _own_deposit(parts, caller, deposit_id))


@routes.get("/v1/walletless", access=PUBLIC)
def walletless() -> WarningsView:
    """What is weaker for a buyer without a wallet than for one who has one: to be said before it is too late."""
    return WarningsView(warnings=[spoken(label) for label in WEAKER])


# ----------------------------------------------------------------------------------------------------------- requests


def _request(body: NewRelayBody, caller: Caller, parts: Parts) -> Request:
    match body:
        case RelayAction():
            action = body.action.value()
            return Act(
                terms=check_on_order(parts, caller, body.order_id, action.signer),
                action=action,
                signature=signature(body.signature),
                payment=None if body.payment is None else body.payment.value(),
            )
        case RelayAgreement():
            return Agreement(
                terms=check_on_order(parts, caller, body.order_id),
                split=body.split.value(),
                buyer_signature=signature(body.buyer_signature),
                seller_signature=signature(body.seller_signature),
            )
        case RelayOpening():
            terms, payment = body.terms.value(), body.payment.value()
            check_concerned(caller, terms, policy_of(parts, terms), payment.payer)
            offer = None if body.offer is None else body.offer.value()
            return Opening(terms=terms, payment=payment, offer=offer)
        case RelayDepositRefund():
            found = _own_deposit(parts, caller, body.order_id)
            refund = DepositRefund(expiry=body.expiry, signature=signature(body.signature))
            return DepositRefunding(terms=found.terms, refund=refund)
        case RelayDepositSweep():
            found = _own_deposit(parts, caller, body.order_id)
            token = None if body.token is None else parse_address(body.token, "token")
            return DepositSweeping(terms=found.terms, token=token)


def _is_concerned(parts: Parts, caller: Caller, order_id: str) -> bool:
    """Whether the caller has to do with an order, opened or only registered."""
    try:
        check_on_order(parts, caller, order_id)
    except (UnknownOrder, Forbidden):
        with parts.store.reading() as session:
            found = deposits.deposit(session, parts.contract_id, order_id)
        return found is not None and caller.account in _readers(found)
    return True


def _readers(found: WatchedDeposit) -> tuple[str, ...]:
    return found.account, found.platform, found.terms.buyer, found.terms.seller


def _own_deposit(parts: Parts, caller: Caller, order_id: str) -> WatchedDeposit:
    """The deposit address of an order of the caller's. Raises `UnknownDeposit`, also for others'."""
    found = registered(parts, order_id)
    if caller.account not in _readers(found):
        raise UnknownDeposit(found.order_id)
    return found


def _check_deposit(parts: Parts, terms: OrderTerms, offer: Offer | None, signed: bytes) -> str:
    """The id of terms that a deposit can open, with what was brought for that.

    Raises:
        Refusal: the contract would refuse the terms, or refunds would go where they are lost.
        InvalidSignature, Expired: the offer is none, or the buyer's signature.
        DepositNotOpenable: neither was brought.
    """
    order_id = _check_terms(parts, terms)
    if offer is None and not signed:
        raise DepositNotOpenable(order_id)
    if offer is not None:
        now = parts.chain_now()
        if now >= offer.expiry:
            raise Expired(now, offer.expiry)
        domain = Domain(parts.deployment.chain_id, parts.deployment.address)
        revision = parts.client.status(order_id).revision
        digest = offer_digest(order_id, revision=revision, expiry=offer.expiry, domain=domain)
        promiser = terms.seller if offer.operator == ZERO_ADDRESS else offer.operator
        _check_signature(parts, promiser, digest, offer.signature)
    if signed:
        _check_signature(parts, terms.buyer, order_id, signed)
    return order_id


def _check_terms(parts: Parts, terms: OrderTerms) -> str:
    """The id of terms that could be opened from a deposit address. Raises the `Refusal`."""
    parts.client.deposit_address(terms)
    check_refund_to(terms, contracts_around(parts))
    now = parts.chain_now()
    if now > terms.open_by:
        raise TooLate(now, terms.open_by + 1)
    return parts.client.order_id(terms)


def _check_signature(parts: Parts, signer: str, digest: str, signed: bytes) -> None:
    if not run(is_signed_by(signer, digest, signed), Connection(parts.node.w3)):
        raise InvalidSignature(signer, digest)
