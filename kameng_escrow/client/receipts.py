"""Terms receipts: made, checked against the chain, and what a watchtower does with one."""

from dataclasses import dataclass, replace
from enum import StrEnum

from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.chain.signing import is_signed_by, sign_action, sign_typed_data
from kameng_escrow.chain.steps import Steps
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.inputs import check_uint, parse_hash
from kameng_escrow.domain.listing import ListingDocument
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.payments import PaymentMethod, dispute_nonce, payment_typed_data
from kameng_escrow.domain.policy import ZERO_ADDRESS, Policy
from kameng_escrow.domain.shares import bps, sum_in_dispute
from kameng_escrow.domain.signed import Action, Offer
from kameng_escrow.domain.states import Role, State, Verb
from kameng_escrow.domain.summary import summarize
from kameng_escrow.domain.typed_data import action_digest, offer_digest

from .operations import read
from .orders import ZERO_HASH
from .papers import PaperOperations
from .reading import ReadOperations
from .receipt import ReceiptFalse, SignedDispute, SignedOffer, TermsReceipt, make_receipt
from .results import OrderStatus


class Watch(StrEnum):
    """What a watchtower has to do for an order."""

    Wait = "Wait"  # the buyer may still confirm or dispute, or nothing was delivered yet
    Post = "Post"  # the buyer's time to inspect is about to end: post the dispute
    Done = "Done"  # confirmed, in dispute, or over
    Missed = "Missed"  # the time to inspect has ended, or the signature has: it can't be posted any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """What to do, and when to look again."""

    what: Watch
    look_at: int | None = None  # Unix seconds of the chain: not needed before; None: nobody can say, or never


def watch(dispute: SignedDispute, status: OrderStatus, now: int, *, margin: int) -> Watching:
    """What a watchtower has to do with a dispute at the chain's Unix second `now`.

    Args:
        dispute: of the receipt.
        status: of the order.
        now: the chain's clock.
        margin: seconds before the end of the inspection from which on it is posted.
    """
    if status.state in (State.Disputed, State.Closed):
        return Watching(what=Watch.Done)
    if now >= dispute.action.expiry:
        return Watching(what=Watch.Missed)
    if status.state is not State.Delivered or status.deadline is None:
        return Watching(what=Watch.Wait)
    if now >= status.deadline:
        return Watching(what=Watch.Missed)
    post_at = status.deadline - margin
    return Watching(what=Watch.Post) if now >= post_at else Watching(what=Watch.Wait, look_at=post_at)


def dispute_to_sign(terms: OrderTerms, policy: Policy, *, units: int, evidence: str = ZERO_HASH) -> Action:
    """A dispute for the buyer to sign beforehand, good as long as the order can be Delivered at all.

    Args:
        terms: the order's.
        policy: the one that they name.
        units: 1 … terms.units.
        evidence: a hash; zero: none.

    Raises:
        InvalidInput: the order has not so many units.
        Malformed: the evidence is no hash.
    """
    check_uint(units, 16, "units")
    if not 1 <= units <= terms.units:
        raise InvalidInput(
            f"The order has {terms.units} units: dispute 1 to {terms.units} of them.",
            f"订单有 {terms.units} 张：争议数量应为 1 到 {terms.units}。",
        )
    stages = {stage.state: stage for stage in summarize(terms, policy).stages}
    return Action(
        verb=Verb.Dispute,
        state=State.Delivered,
        role=Role.Buyer,
        signer=terms.buyer,
        expiry=stages[State.Delivered].latest_end,
        number=units,
        content=parse_hash(evidence, "evidence"),
    )


class ReceiptOperations(PaperOperations, ReadOperations):
    """Nothing here sends a transaction. A watchtower posts a receipt's dispute with `act`."""

    @read
    def receipt(
        self,
        terms: OrderTerms,
        *,
        currency: Currency,
        listing: ListingDocument | None = None,
        offer: Offer | None = None,
        dispute: SignedDispute | None = None,
    ) -> Steps[TermsReceipt]:
        """The terms receipt of an order, checked as `verify_receipt` does.

        Args:
            terms: the order's.
            currency: of its token.
            listing: the document that the order was made with.
            offer: the seller's, of the current revision.
            dispute: see `sign_dispute`.
        """
        deployment = yield from self._receipt_deployment()
        registered = yield from self._registered(terms.policy_id)
        signed = None
        if offer is not None:
            _, slot = yield from self._any_slot(terms)
            signed = SignedOffer(offer=offer, revision=slot.revision)
        made = make_receipt(deployment, terms, registered, currency, listing=listing, offer=signed, dispute=dispute)
        yield from self._verify_receipt(made)
        return made

    @read
    def sign_dispute(
        self,
        terms: OrderTerms,
        *,
        units: int,
        evidence: str = ZERO_HASH,
        bond_by: PaymentMethod | None = None,
    ) -> Steps[SignedDispute]:
        """A dispute that the account signs as the buyer beforehand, for a watchtower to post if the buyer falls silent.

        It is good as long as the order can be Delivered at all, and whoever has it can post it at any time in
        that state: give it to whom you trust with that. Confirming ends it.

        Args:
            terms: the order's.
            units: that are in dispute then, 1 … terms.units.
            evidence: a hash of the evidence; zero: none.
            bond_by: how the policy's dispute bond is paid in a token: by a signed Permit or Authorization. Left out, by
                an allowance, or in the native coin by whoever posts it.

        Raises:
            InvalidInput: the account is not the buyer, its key is not here, or the token can't be paid like that.
            UnitsOutOfRange and the like: no such dispute.
        """
        signer = self._signer
        if self.address != terms.buyer:
            raise InvalidInput(
                f"Only the buyer, {terms.buyer}, can sign this dispute, and this client acts as {self.address}.",
                f"只有买家 {terms.buyer} 能签这份争议，而这个客户端代表 {self.address}。",
            )
        place = yield from self._place()
        identity = yield from self._order_id(terms)
        policy = yield from self._registered(terms.policy_id)
        action = dispute_to_sign(terms, policy, units=units, evidence=evidence)
        signature = sign_action(signer, identity, action, place.domain)
        bond = bps(sum_in_dispute(terms.price, terms.units, units), policy.dispute_bond_bps)
        if bond_by is None or bond == 0 or terms.token == NATIVE:
            return SignedDispute(action=action, signature=signature)
        if bond_by is PaymentMethod.Permit2:
            raise InvalidInput(
                "A dispute bond is paid by permit or authorization: Permit2 pays prices only.",
                "争议押金只能用 permit 或 authorization 支付，Permit2 只能付货款。",
            )
        nonce = dispute_nonce(identity)
        payment = yield from self._payment(terms, bond_by, terms.buyer, bond, nonce, action.expiry, None)
        domain = yield from self._domain_of(payment)
        typed = payment_typed_data(payment, escrow=place.address, domain=domain, terms=terms)
        paid = replace(payment, signature=sign_typed_data(signer, typed))
        return SignedDispute(action=action, signature=signature, payment=paid)

    @read
    def verify_receipt(self, receipt: TermsReceipt) -> Steps[None]:
        """Passes a receipt that the chain and every signature in it bear out; `parse_receipt` has compared its parts.

        Raises:
            ReceiptFalse: another contract or chain than this one's, or a signature that is another's.
            PolicyUnknown: the policy is not registered.
        """
        yield from self._verify_receipt(receipt)

    # ---------------------------------------------------------------------------------------------------------- helpers

    def _verify_receipt(self, receipt: TermsReceipt) -> Steps[None]:
        place = yield from self._place()
        if receipt.domain != place.domain:
            raise ReceiptFalse(
                "deployment",
                f"it is for {receipt.deployment.address} on chain {receipt.deployment.chain_id}, and {place.address} "
                f"on chain {place.chain_id} is in use",
                f"它属于链 {receipt.deployment.chain_id} 上的 {receipt.deployment.address}，"
                f"现在用的是链 {place.chain_id} 上的 {place.address}",
            )
        if place.deployment is not None and receipt.deployment.genesis != place.deployment.genesis:
            raise ReceiptFalse("deployment", "its chain has another first block", "它的链首块不同")
        yield from self._registered(receipt.terms.policy_id)  # refuses what is not
        order_id, terms = receipt.order_id, receipt.terms
        if receipt.offer is not None:
            offer = receipt.offer.offer
            digest = offer_digest(order_id, revision=receipt.offer.revision, expiry=offer.expiry, domain=place.domain)
            signer = terms.seller if offer.operator == ZERO_ADDRESS else offer.operator
            if not (yield from is_signed_by(signer, digest, offer.signature)):
                raise ReceiptFalse("offer", f"{signer} did not sign it", f"不是 {signer} 签的")
        if receipt.dispute is not None:
            dispute = receipt.dispute
            digest = action_digest(order_id, dispute.action, place.domain)
            if not (yield from is_signed_by(terms.buyer, digest, dispute.signature)):
                raise ReceiptFalse("dispute", f"{terms.buyer} did not sign it", f"不是 {terms.buyer} 签的")

    def _registered(self, policy_id: str) -> Steps[Policy]:
        fields, _, _ = yield from self._lens_view("policyOf", policy_id)
        return Policy(**fields)

    def _receipt_deployment(self) -> Steps[Deployment]:
        place = yield from self._place()
        if place.deployment is None:
            raise InvalidInput(
                f"Of the contract at {place.address} only the address is known: a receipt needs its deployment record.",
                f"只知道合约地址 {place.address}：凭据需要它的部署记录。",
            )
        return place.deployment
