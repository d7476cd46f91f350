"""What can be done with an order: every arrow of the lifecycle, as a method of both clients."""

from collections.abc import Sequence

from kameng_escrow.chain.calls import Call
from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.chain.steps import Steps
from kameng_escrow.domain.inputs import check_hash, check_uint
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.payments import Payment, PaymentMethod, dispute_nonce, opening_nonce
from kameng_escrow.domain.signed import Action, Offer, Split
from kameng_escrow.domain.states import Role, State, Verb
from kameng_escrow.domain.terms import check_terms

from .allowance import Allowance
from .operations import prepared, write
from .payments import PaymentOperations, dispute_bond

ZERO_HASH = "0x" + "00" * 32
NO_OFFER = Offer(expiry=0, signature=b"")  # as the contract's functions that take a payment know it

_OPENINGS = {
    PaymentMethod.Permit: "openWithPermit",
    PaymentMethod.Authorization: "openWithAuthorization",
    PaymentMethod.Permit2: "openWithPermit2",
}
_PAID_ACTIONS = {
    PaymentMethod.Permit: "actWithPermit",
    PaymentMethod.Authorization: "actWithAuthorization",
}


class OrderOperations(Allowance, PaymentOperations):
    """Opening, fulfilling, ending.

    Every method simulates before it sends. It raises the contract's `Refusal` with its values, `UnknownOrder` where
    nobody opened an order under the terms, `InsufficientFunds` where the account can't pay, `Malformed` or
    `InvalidInput` for what can't be right, `NodeError` and `DeploymentError`: in all these cases nothing was sent.
    Once sent, it raises a `TransactionError`. Amounts are base units, times Unix seconds. `expected` is the state that
    you take the order to be in, so that a cancel meant for Opened does nothing in Accepted; left out, it is read first.
    """

    # -------------------------------------------------------------------------------------------------------- opening

    @write
    def open(
        self,
        terms: OrderTerms,
        *,
        offer: Offer | None = None,
        payment: Payment | None = None,
        approve: bool = True,
    ) -> Steps[Sequence[Call]]:
        """Rows 1 and 2. Pays for an order from the client's account, which need not be the buyer's; or brings what
        another signed to pay for it.

        Args:
            terms: see `terms`.
            offer: the seller's promise; with it the order opens as Accepted.
            payment: what the payer signed (see `payment` and `sign_payment`); left out, the client's account pays by
                allowance, or with the native coin.
            approve: without a payment, allows the escrow to take exactly the price of the token first, where it may
                not yet: a transaction of its own, which replaces any smaller allowance.

        Raises:
            InvalidSignature: another than the payer signed the payment, or than the seller the offer.
        """
        place = yield from self._place()
        check_terms(terms, place.address)
        if payment is not None:
            return ((yield from self._opening_paid(terms, offer, payment)),)
        identity = yield from self._order_id(terms)
        value = terms.price if terms.token == NATIVE else 0
        arguments = (terms,) if offer is None else (terms, offer)
        function = "open" if offer is None else "openWithOffer"
        call = yield from self._call(function, *arguments, value=value, order_id=identity)
        before = (yield from self._allowing(terms.token, terms.price)) if approve else ()
        return (*before, call)

    prepare_open = prepared(open)  # noqa: A003 - the method above is meant

    # ------------------------------------------------------------------------------------------------------ fulfilling

    @write
    def accept(self, terms: OrderTerms) -> Steps[Sequence[Call]]:
        """Row 3. The seller, or an operator, takes the order on, while t < deadline; its bond balance must cover the
        bond (see `fund_bond`).
        """
        return (yield from self._on(terms, "accept"))

    prepare_accept = prepared(accept)

    @write
    def deliver(self, terms: OrderTerms, *, commitment: str) -> Steps[Sequence[Call]]:
        """Row 6. The seller, or an operator, has delivered what `commitment` (32 bytes, 0x-hex, not zero) binds."""
        check_hash(commitment, "commitment")
        return (yield from self._on(terms, "deliver", commitment))

    prepare_deliver = prepared(deliver)

    @write
    def confirm(self, terms: OrderTerms, *, expected: State | None = None) -> Steps[Sequence[Call]]:
        """Rows 11 and 15. The buyer is content: the seller is paid."""
        return (yield from self._on(terms, "confirm", (yield from self._expected(terms, expected))))

    prepare_confirm = prepared(confirm)

    # ----------------------------------------------------------------------------------------------------- withdrawing

    @write
    def cancel(self, terms: OrderTerms, *, expected: State | None = None) -> Steps[Sequence[Call]]:
        """Rows 4 and 7. The buyer withdraws: free in Opened, at the cancel fee in Accepted."""
        return (yield from self._on(terms, "cancel", (yield from self._expected(terms, expected))))

    prepare_cancel = prepared(cancel)

    @write
    def decline(self, terms: OrderTerms, *, expected: State | None = None) -> Steps[Sequence[Call]]:
        """Rows 4 and 8. The seller, or an operator, withdraws: free in Opened, at half the bond in Accepted."""
        return (yield from self._on(terms, "decline", (yield from self._expected(terms, expected))))

    prepare_decline = prepared(decline)

    @write
    def refund(self, terms: OrderTerms, *, expected: State | None = None) -> Steps[Sequence[Call]]:
        """Rows 12 and 14. The seller, or an operator, gives the money and half the bond back after delivering."""
        return (yield from self._on(terms, "refund", (yield from self._expected(terms, expected))))

    prepare_refund = prepared(refund)

    @write
    def intervene(self, terms: OrderTerms, *, expected: State | None = None) -> Steps[Sequence[Call]]:
        """Rows 5 and 9. The platform refunds the buyer in full, before delivery and before the deadline."""
        return (yield from self._on(terms, "intervene", (yield from self._expected(terms, expected))))

    prepare_intervene = prepared(intervene)

    # ------------------------------------------------------------------------------------------------------- disputing

    @write
    def dispute(
        self, terms: OrderTerms, *, units: int, evidence: str = ZERO_HASH, approve: bool = True
    ) -> Steps[Sequence[Call]]:
        """Row 13. The buyer disputes `units` of the units, with the policy's dispute bond on their part of the price.

        Args:
            terms: the order's.
            units: 1 … terms.units.
            evidence: a hash of the evidence; zero: none.
            approve: allows the escrow to take exactly the dispute bond of the token first, where it may not yet.
        """
        check_hash(evidence, "evidence")
        check_uint(units, 16, "units")
        _, slot = yield from self._slot(terms)
        bond = dispute_bond(terms, slot, units)
        value = bond if terms.token == NATIVE else 0
        calls = yield from self._on(terms, "dispute", units, evidence, value=value)
        before = (yield from self._allowing(terms.token, bond)) if approve else ()
        return (*before, *calls)

    prepare_dispute = prepared(dispute)

    @write
    def recommit(self, terms: OrderTerms, *, commitment: str, revision: int | None = None) -> Steps[Sequence[Call]]:
        """Row 20. The seller, or an operator, replaces the codes while the parties negotiate; raises the revision.

        `revision` is the current one; left out, it is read first.
        """
        check_hash(commitment, "commitment")
        _, slot = yield from self._slot(terms)
        current = slot.revision if revision is None else revision
        return (yield from self._on(terms, "recommit", current, commitment))

    prepare_recommit = prepared(recommit)

    @write
    def rule(self, terms: OrderTerms, *, to_buyer: int, grounds: str = ZERO_HASH) -> Steps[Sequence[Call]]:
        """Row 16. The mediator whose half it is awards `to_buyer` of the sum in dispute to the buyer; `grounds` is a
        hash of the written grounds, zero: none.
        """
        check_hash(grounds, "grounds")
        check_uint(to_buyer, 256, "to_buyer")
        return (yield from self._on(terms, "rule", to_buyer, grounds))

    prepare_rule = prepared(rule)

    @write
    def concede(self, terms: OrderTerms, *, role: Role | None = None) -> Steps[Sequence[Call]]:
        """Row 16. A party gives in while the mediator is in charge: as the buyer the sum in dispute goes to the seller,
        as the seller or an operator to the buyer. `role` left out: what the account is.
        """
        return (yield from self._on(terms, "concede", self._role(terms, self.address) if role is None else role))

    prepare_concede = prepared(concede)

    @write
    def agree(
        self, terms: OrderTerms, *, split: Split, buyer_signature: bytes = b"", seller_signature: bytes = b""
    ) -> Steps[Sequence[Call]]:
        """Row 18. Pays a split that both parties signed (see `split` and `sign_split`). The signature of a party that
        calls this itself may be left out.
        """
        return (yield from self._on(terms, "agree", split, buyer_signature, seller_signature))

    prepare_agree = prepared(agree)

    @write
    def revise(self, terms: OrderTerms, *, revision: int | None = None) -> Steps[Sequence[Call]]:
        """Row 19. The buyer or the seller voids every offer and split signed for `revision`; before the opening the
        seller. Left out, the current revision is read first.
        """
        _, slot = yield from self._any_slot(terms)
        return (yield from self._on(terms, "revise", slot.revision if revision is None else revision))

    prepare_revise = prepared(revise)

    # ----------------------------------------------------------------------------------------------------------- clocks

    @write
    def settle(self, terms: OrderTerms) -> Steps[Sequence[Call]]:
        """Rows 4, 10, 11 and 17. Anyone ends an order whose deadline has passed."""
        return (yield from self._on(terms, "settle"))

    prepare_settle = prepared(settle)

    @write
    def settle_many(self, terms: Sequence[OrderTerms]) -> Steps[Sequence[Call]]:
        """Ends every order that is due and skips the others: the receipt's events tell which."""
        return ((yield from self._call("settleMany", terms)),)

    prepare_settle_many = prepared(settle_many)

    @write
    def deliver_many(self, deliveries: Sequence[tuple[OrderTerms, str]]) -> Steps[Sequence[Call]]:
        """Delivers every order (terms and commitment) that is Accepted and in time, and skips the others."""
        for _, commitment in deliveries:
            check_hash(commitment, "commitment")
        terms, commitments = [terms for terms, _ in deliveries], [commitment for _, commitment in deliveries]
        return ((yield from self._call("deliverMany", terms, commitments)),)

    prepare_deliver_many = prepared(deliver_many)

    # --------------------------------------------------------------------------------------------------------- relaying

    @write
    def act(
        self, terms: OrderTerms, *, action: Action, signature: bytes, payment: Payment | None = None
    ) -> Steps[Sequence[Call]]:
        """Relays an action that a party or operator signed (see `action` and `sign_action`). The client's account pays
        the gas, and in the native coin the dispute bond; in a token the buyer does, by allowance or with the `payment`
        that it signed beside a dispute (see `dispute_payment`).
        """
        if payment is not None:
            return ((yield from self._dispute_paid(terms, action, signature, payment)),)
        value = 0
        if action.verb is Verb.Dispute and terms.token == NATIVE:
            _, slot = yield from self._slot(terms)
            value = dispute_bond(terms, slot, action.number)
        return (yield from self._on(terms, "act", action, signature, value=value))

    prepare_act = prepared(act)

    # ---------------------------------------------------------------------------------------------------------- helpers

    def _on(self, terms: OrderTerms, function: str, *arguments: object, value: int = 0) -> Steps[Sequence[Call]]:
        identity = yield from self._order_id(terms)
        return ((yield from self._call(function, terms, *arguments, value=value, order_id=identity)),)

    def _opening_paid(self, terms: OrderTerms, offer: Offer | None, payment: Payment) -> Steps[Call]:
        identity = yield from self._order_id(terms)
        yield from self._check_payment(terms, payment, terms.price, opening_nonce(identity))
        if payment.method is PaymentMethod.Permit and payment.payer != self.address:
            raise InvalidInput(
                f"A permit pays for its signer only: open the order as {payment.payer}.",
                f"permit 只能由签名人自己使用：请以 {payment.payer} 的身份下单。",
            )
        promise = NO_OFFER if offer is None else offer
        arguments: tuple[object, ...] = (terms, promise)
        if payment.method is not PaymentMethod.Permit:
            arguments += (payment.payer,)
        if payment.method is PaymentMethod.Permit2:
            arguments += (payment.nonce,)
        arguments += (payment.deadline, payment.signature)
        return (yield from self._call(_OPENINGS[payment.method], *arguments, order_id=identity))

    def _dispute_paid(self, terms: OrderTerms, action: Action, signature: bytes, payment: Payment) -> Steps[Call]:
        function = _PAID_ACTIONS.get(payment.method)
        if function is None:
            raise InvalidInput(
                "A dispute bond is paid by permit or authorization: Permit2 pays prices only.",
                "争议押金只能用 permit 或 authorization 支付，Permit2 只能付货款。",
            )
        identity, slot = yield from self._slot(terms)
        bond = dispute_bond(terms, slot, action.number)
        yield from self._check_payment(terms, payment, bond, dispute_nonce(identity))
        arguments = (terms, action, signature, payment.deadline, payment.signature)
        return (yield from self._call(function, *arguments, order_id=identity))

    def _expected(self, terms: OrderTerms, expected: State | None) -> Steps[State]:
        if expected is not None:
            return expected
        _, slot = yield from self._slot(terms)
        return slot.state

    def _role(self, terms: OrderTerms, account: str) -> Role:
        if account == terms.buyer:
            return Role.Buyer
        return Role.Seller if account == terms.seller else Role.Operator
