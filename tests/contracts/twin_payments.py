"""Orders and dispute bonds that are paid for by a signature, in random histories."""

from eth_account.messages import encode_typed_data
from hypothesis import strategies as st
from hypothesis.stateful import rule

from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.payments import (
    Payment,
    PaymentMethod,
    TokenDomain,
    dispute_nonce,
    opening_nonce,
    payment_typed_data,
    permit2_domain,
)
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.shares import held_in
from kameng_escrow.domain.signed import Action, Offer
from kameng_escrow.domain.states import Role, State, Verb
from kameng_escrow.domain.typed_data import action_digest, offer_digest
from tests.contracts.harness.cast import CAST, KEYS
from tests.contracts.harness.world import DAY
from tests.contracts.twin_drafts import Draft, drafts, indices, kinds, lives, names, slips, sound_drafts
from tests.contracts.twin_history import EVIDENCE, History
from tests.contracts.twins import TOKEN_NAME

NO_OFFER = Offer(expiry=0, signature=b"")

methods = st.sampled_from(PaymentMethod)


class PaidBySignature(History):
    """What payers sign, and who brings it. A permit counts only for who calls."""

    @rule(
        draft=drafts,
        payer=names,
        relayer=names,
        method=methods,
        offered=st.booleans(),
        kind=kinds,
        life=lives,
        nonce=st.integers(0, 2),
        slip=slips,
    )
    def open_by_signature(
        self,
        draft: Draft,
        payer: str,
        relayer: str,
        method: PaymentMethod,
        offered: bool,
        kind: str,
        life: int,
        nonce: int,
        slip: int,
    ) -> None:
        self._open_signed(self._draft(draft), payer, relayer, method, offered, kind, life, nonce, slip)

    @rule(draft=sound_drafts, payer=names, method=methods, offered=st.booleans(), nonce=indices)
    def open_soundly_by_signature(
        self, draft: Draft, payer: str, method: PaymentMethod, offered: bool, nonce: int
    ) -> None:
        """Nothing is wrong with these, but that a wallet may be asked for what only keys can sign."""
        self._open_signed(self._draft(draft), payer, "relayer", method, offered, "right", DAY, nonce, 0)

    @rule(
        which=indices,
        method=st.sampled_from([PaymentMethod.Permit, PaymentMethod.Authorization]),
        verb=st.sampled_from([Verb.Dispute] * 5 + [Verb.Confirm]),
        relayer=names,
        permille=st.integers(1, 1_000),
        signed=st.sampled_from(["right"] * 5 + ["of another"]),
        kind=kinds,
        life=lives,
        slip=slips,
    )
    def dispute_by_signature(
        self,
        which: int,
        method: PaymentMethod,
        verb: Verb,
        relayer: str,
        permille: int,
        signed: str,
        kind: str,
        life: int,
        slip: int,
    ) -> None:
        order = self._pick_open(which, State.Delivered)
        terms = order.terms
        assert terms is not None
        action = Action(
            verb=verb,
            state=order.state,
            role=Role.Buyer,
            signer=terms.buyer,
            expiry=self._mark(self.twins.now + DAY),
            number=max(1, terms.units * permille // 1_000),
            content=EVIDENCE,
        )
        digest = action_digest(order.id, action, self.twins.domain)
        signature = self._sign(signed, terms.buyer, digest, digest)
        payment = self._payment(method, terms, terms.buyer, self._bond(terms, action.number) + slip, life)
        payment_signature, accepted = self._payment_signed(payment, terms, kind)
        self.twins.do(
            "act_with_permit" if method is PaymentMethod.Permit else "act_with_authorization",
            self._address(relayer),
            terms,
            action,
            signatures=[signature, payment.deadline, payment_signature],
            signed=signed == "right",
            accepted=accepted and not slip,
        )

    # ---------------------------------------------------------------------------------------------------------- signing

    def _open_signed(
        self,
        terms: OrderTerms,
        payer: str,
        relayer: str,
        method: PaymentMethod,
        offered: bool,
        kind: str,
        life: int,
        nonce: int,
        slip: int,
    ) -> None:
        """`slip`: by how much the amount that is signed is off."""
        twins, account = self.twins, self._address(payer)
        payment = self._payment(method, terms, account, max(terms.price + slip, 0), life, nonce)
        signature, accepted = self._payment_signed(payment, terms, kind)
        offer, told = self._offer(terms) if offered else (NO_OFFER, True)
        told_of_both = {"signed": told, "accepted": accepted and payment.amount == terms.price}
        brought = [payment.deadline, signature]
        if method is PaymentMethod.Permit:
            twins.do("open_with_permit", account, terms, offer, signatures=brought, **told_of_both)
        elif method is PaymentMethod.Authorization:
            caller = self._address(relayer)
            twins.do("open_with_authorization", caller, terms, offer, account, signatures=brought, **told_of_both)
        else:
            caller, brought = self._address(relayer), [payment.nonce, *brought]
            twins.do("open_with_permit2", caller, terms, offer, account, signatures=brought, **told_of_both)

    def _offer(self, terms: OrderTerms) -> tuple[Offer, bool]:
        """The seller's, and whether it could sign it."""
        order, expiry = self.twins.twin.order_of(terms), self.twins.now + DAY
        digest = offer_digest(order.id, revision=order.revision, expiry=expiry, domain=self.twins.domain)
        signature = self._sign("right", terms.seller, digest, digest)
        return Offer(expiry=expiry, operator=ZERO_ADDRESS, signature=signature), bool(signature)

    def _bond(self, terms: OrderTerms, units: int) -> int:
        policy = self._policy(terms)
        assert policy is not None
        return held_in(State.Disputed, policy, price=terms.price, units=terms.units, disputed_units=units).dispute_bond

    def _payment(
        self, method: PaymentMethod, terms: OrderTerms, payer: str, amount: int, life: int, nonce: int = 0
    ) -> Payment:
        order = self.twins.twin.order_of(terms)
        if method is PaymentMethod.Permit:
            nonce = self.twins.authorized.nonces(payer)
        elif method is PaymentMethod.Authorization:
            nonce = opening_nonce(order.id) if order.state is State.Nothing else dispute_nonce(order.id)
        return Payment(
            method=method,
            payer=payer,
            token=terms.token,
            amount=max(amount, 0),
            nonce=nonce,
            deadline=self._mark(self.twins.now + life),
        )

    def _payment_signed(self, payment: Payment, terms: OrderTerms, kind: str) -> tuple[bytes, bool]:
        """A signature of some kind, and whether the token, or Permit2, takes it. Which is said here anew: keys sign
        permits and authorizations, of the one token that knows them; Permit2 asks contracts whether they signed."""
        twins, payer = self.twins, payment.payer
        owner = CAST["seller"] if payer == twins.wallet else payer
        another = CAST["relayer" if owner == CAST["stranger"] else "stranger"]
        signer = {"right": owner, "over another": owner, "of another": another}.get(kind)
        if signer is None:
            return b"", False
        over = terms if kind != "over another" else self._pick(0)
        stated = payment if kind != "over another" else _with_more(payment)
        domain = permit2_domain(twins.evm.chain_id)
        if payment.method is not PaymentMethod.Permit2:
            domain = TokenDomain(
                name=TOKEN_NAME, version="1", chain_id=twins.evm.chain_id, contract=twins.authorized.address
            )
        document = payment_typed_data(stated, escrow=twins.escrow.address, domain=domain, terms=over)
        signature = bytes(KEYS[signer].sign_message(encode_typed_data(full_message=document)).signature)
        return signature, kind == "right" and self._takes(payment)

    def _takes(self, payment: Payment) -> bool:
        twins, has_code = self.twins, bool(self.twins.evm.code(payment.payer))
        if payment.method is PaymentMethod.Permit2:
            unused = not twins.permit2.nonceBitmap(payment.payer, 0) >> payment.nonce & 1
            by_key = not has_code or payment.payer == twins.wallet
            return unused and by_key and twins.now <= payment.deadline
        live = payment.deadline - (payment.method is PaymentMethod.Authorization)
        return payment.token == twins.authorized.address and payment.payer != twins.wallet and twins.now <= live


def _with_more(payment: Payment) -> Payment:
    """Another payment: two base units more, so that it is not the right one where `slips` has taken one off."""
    return Payment(
        method=payment.method,
        payer=payment.payer,
        token=payment.token,
        amount=payment.amount + 2,
        nonce=payment.nonce,
        deadline=payment.deadline,
    )
