"""What may be brought to the chain for somebody who signed it, and the one call that each of them is."""

from dataclasses import dataclass

from kameng_escrow.chain.calls import Call
from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.deposits import DepositRefund
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.payments import Payment
from kameng_escrow.domain.signed import Action, Offer, Split
from kameng_escrow.store.relaying import RelayKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a party or operator signed; beside a dispute the payment of its bond, where the token takes one."""

    terms: OrderTerms
    action: Action
    signature: bytes
    payment: Payment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A split that both parties signed."""

    terms: OrderTerms
    split: Split
    buyer_signature: bytes
    seller_signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An order that a payer signed to pay for, by EIP-3009 or Permit2; with the seller's offer it opens as Accepted."""

    terms: OrderTerms
    payment: Payment
    offer: Offer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositOpening:
    """An order that is paid at its deposit address, with the seller's offer or the buyer's signature of the terms."""

    terms: OrderTerms
    offer: Offer | None = None
    signature: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositRefunding:
    """The buyer's will to have everything back from the deposit address."""

    terms: OrderTerms
    refund: DepositRefund


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositSweeping:
    """What lies at the deposit address and does not wait for the order goes to refundTo; nobody needs to sign that."""

    terms: OrderTerms
    token: str | None = None  # None: the order's


Request = Act | Agreement | Opening | DepositOpening | DepositRefunding | DepositSweeping

KINDS: dict[type[Request], RelayKind] = {
    Act: RelayKind.Action,
    Agreement: RelayKind.Agreement,
    Opening: RelayKind.Opening,
    DepositOpening: RelayKind.DepositOpening,
    DepositRefunding: RelayKind.DepositRefund,
    DepositSweeping: RelayKind.DepositSweep,
}


def verb_of(request: Request) -> str | None:
    """The label of an action's verb; None: it is no action."""
    return request.action.verb.label if isinstance(request, Act) else None


def call_of(client: EscrowClient, request: Request) -> Call:
    """The call that brings it. Asks the chain where it must; sends nothing, and does not try it.

    Raises:
        Refusal, InvalidInput, Malformed, UnknownOrder: what can't be right, before the contract is asked.
        NodeError, DeploymentError: the chain can't be asked.
    """
    match request:
        case Act():
            calls = client.plan(
                EscrowClient.act,
                request.terms,
                action=request.action,
                signature=request.signature,
                payment=request.payment,
            )
        case Agreement():
            calls = client.plan(
                EscrowClient.agree,
                request.terms,
                split=request.split,
                buyer_signature=request.buyer_signature,
                seller_signature=request.seller_signature,
            )
        case Opening():
            calls = client.plan(EscrowClient.open, request.terms, offer=request.offer, payment=request.payment)
        case DepositOpening():
            calls = client.plan(
                EscrowClient.open_from_deposit, request.terms, offer=request.offer, signature=request.signature
            )
        case DepositRefunding():
            calls = client.plan(EscrowClient.refund_deposit, request.terms, refund=request.refund)
        case DepositSweeping():
            calls = client.plan(EscrowClient.sweep_deposit, request.terms, token=request.token)
    [call] = calls
    return call
