"""What the caller may do, and with what: unsigned transactions, typed data, and what it does to the money."""

from fastapi import Request

from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.chain.sender import UnsignedTransaction, wallet_json
from kameng_escrow.domain.actions import roles_now
from kameng_escrow.domain.consequences import consequence, opening
from kameng_escrow.domain.lifecycle import Move, Who, row_of
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.payments import Payment
from kameng_escrow.domain.refusals import NotPossible
from kameng_escrow.domain.signed import Action, Split
from kameng_escrow.relay.deeds import CONSEQUENCES, prepare_deed
from kameng_escrow.relay.moves import Wish, bond_payment, prepare, price_payment

from ..callers import EVERYONE, Scope, account, order
from ..relaying import currency_of, policy_of, spoken
from ..routing import Router, TheCaller, TheOrder, TheParts
from ..schemas.papers import ActionBody, PaymentBody, SplitBody
from ..schemas.preparing import (
    PapersView,
    PaymentPapersView,
    PrepareDeed,
    PrepareMove,
    PrepareOpening,
    RegisterPolicy,
    TransactionView,
    deed_of,
)

routes = Router("preparing")


@routes.post(
    "/v1/orders/{order_id}/prepare", access=order(EVERYONE, Scope.OrdersWrite), response_model_exclude_none=True
)
def prepare_move(
    order_id: str, body: PrepareMove, request: Request, caller: TheCaller, access: TheOrder, parts: TheParts
) -> PapersView:
    """What the caller needs for a move of the order. It is tried on the chain first: what the contract would refuse is
    the answer. For a move that others may bring, the action to sign is there too.
    """
    del order_id
    found, move, wish = access.mirrored.order, _move(body.move), body.wish()
    if found.terms is None or row_of(move, found.state) is None:
        raise NotPossible(found.id, found.state)
    client = parts.client.acting_as(caller.known)
    papers = prepare(client, found.terms, move, wish)
    payment = None
    if move is Move.Dispute and body.bond is not None:
        payment = _payment_view(*bond_payment(client, found.terms, wish.needed("units"), body.bond))
    return PapersView(
        transactions=[_transaction(one) for one in papers.transactions],
        consequence=spoken(
            consequence(
                found,
                move,
                _capacity(found, move, caller.known, parts.chain_now()),
                currency_of(request, found.terms.token),
                now=parts.chain_now(),
                units=wish.units,
                to_buyer=wish.to_buyer if papers.split is None else papers.split.to_buyer,
            )
        ),
        action=None if papers.action is None else _action_view(papers.action),
        split=None if papers.split is None else _split_view(papers.split),
        typed_data=None if papers.typed_data is None else dict(papers.typed_data),
        payment=payment,
    )


@routes.post("/v1/prepare/opening", access=account(Scope.OrdersWrite), response_model_exclude_none=True)
def prepare_opening(body: PrepareOpening, request: Request, caller: TheCaller, parts: TheParts) -> PapersView:
    """What the caller needs to open and pay for an order: as its buyer or for it. With `pay_by` the payment to sign."""
    terms = body.terms.value()
    offer = None if body.offer is None else body.offer.value()
    policy = policy_of(parts, terms)
    client = parts.client.acting_as(caller.known)
    told = spoken(opening(terms, policy, currency_of(request, terms.token), offered=offer is not None))
    if body.pay_by is not None:
        payment = _payment_view(*price_payment(client, terms, body.pay_by))
        return PapersView(transactions=[], consequence=told, payment=payment)
    move = Move.Open if offer is None else Move.OpenWithOffer
    papers = prepare(client, terms, move, Wish(offer=offer))
    return PapersView(transactions=[_transaction(one) for one in papers.transactions], consequence=told)


@routes.post("/v1/prepare/deed", access=account(Scope.OrdersWrite), response_model_exclude_none=True)
def prepare_a_deed(body: PrepareDeed, caller: TheCaller, parts: TheParts) -> PapersView:
    """What the caller needs for something beside orders: bonds, credits, fees, operators, policies, deposits."""
    deed = deed_of(body)
    client = parts.client.acting_as(caller.known)
    if isinstance(body, RegisterPolicy):
        transactions = prepare_deed(client, deed, body.policy(caller.known), review_by=body.review_by)
    else:
        values, given = body.arguments()
        transactions = prepare_deed(client, deed, *values, **given)
    return PapersView(transactions=[_transaction(one) for one in transactions], consequence=spoken(CONSEQUENCES[deed]))


def _move(name: str) -> Move:
    try:
        return Move(name)
    except ValueError:
        moves = ", ".join(move.value for move in Move)
        raise InvalidInput(
            f"move must be one of {moves}, not {name[:32]!r}.", f"move 应为 {moves} 之一，不能是 {name[:32]!r}。"
        ) from None


def _capacity(found: Order, move: Move, who: str, now: int) -> Who:
    """In what capacity the account makes the move."""
    row = row_of(move, found.state)
    roles = roles_now(found, who, now)
    mine = [one for one in (row.who if row else ()) if one in roles]
    return mine[0] if mine else Who.Operator


def _transaction(transaction: UnsignedTransaction) -> TransactionView:
    return TransactionView.model_validate(wallet_json(transaction))


def _payment_view(payment: Payment, typed_data: dict[str, object]) -> PaymentPapersView:
    body = PaymentBody(
        method=payment.method,
        payer=payment.payer,
        token=payment.token,
        amount=str(payment.amount),
        nonce=str(payment.nonce),
        deadline=str(payment.deadline),
    )
    return PaymentPapersView(payment=body, typed_data=typed_data)


def _action_view(action: Action) -> ActionBody:
    return ActionBody(
        verb=action.verb.label,
        state=action.state.label,
        role=action.role.label,
        signer=action.signer,
        number=str(action.number),
        content=action.content,
        expiry=action.expiry,
    )


def _split_view(split: Split) -> SplitBody:
    return SplitBody(
        state=split.state.label,
        disputed_units=split.disputed_units,
        revision=split.revision,
        to_buyer=str(split.to_buyer),
        expiry=split.expiry,
    )
