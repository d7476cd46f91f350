# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""What can be done with an order: every arrow of the lifecycle, as a method of both clients."""

from collections.abc import Sequence

from kameng_escrow.chain.calls import Call
from kameng_escrow.chain.steps import Steps
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.signed import Action, Offer, Split
from kameng_escrow.domain.states import Role, State, Verb

from .operations import prepared, read, write
from .session import Session

ZERO_HASH = "0x" + "00" * 32


class OrderOperations(Session):
    """Opening, fulfilling, ending. Every write raises the contract's `Refusal` before anything is sent."""

    @read
    def terms(
        self,
        *,
        seller: str,
        price: int,
        policy_id: str,
        token: str = NATIVE,
        units: int = 1,
        buyer: str | None = None,
        refund_to: str | None = None,
        pay_to: str | None = None,
        listing: str | None = None,
        open_by: int | None = None,
        salt: str | None = None,
    ) -> Steps[OrderTerms]:
        """Terms with what was left out filled in: the account as buyer, refund_to = buyer, pay_to = seller, random
        listing and salt, open_by a day after the chain's clock. `price` in base units, `open_by` in Unix seconds.
        """
        raise NotImplementedError
        yield

    @read
    def order_id(self, terms: OrderTerms) -> Steps[str]:
        """The id of the terms on this contract and chain."""
        raise NotImplementedError
        yield

    @write
    def open(self, terms: OrderTerms, *, offer: Offer | None = None, approve: bool = True) -> Steps[Sequence[Call]]:
        """Rows 1 and 2."""
        raise NotImplementedError
        yield

    prepare_open = prepared(open)

    @write
    def accept(self, terms: OrderTerms) -> Steps[Sequence[Call]]:
        """Row 3."""
        raise NotImplementedError
        yield

    prepare_accept = prepared(accept)

    @write
    def deliver(self, terms: OrderTerms, *, commitment: str) -> Steps[Sequence[Call]]:
        """Row 6."""
        raise NotImplementedError
        yield

    prepare_deliver = prepared(deliver)

    @write
    def confirm(self, terms: OrderTerms, *, expected: State | None = None) -> Steps[Sequence[Call]]:
        """Rows 11 and 15."""
        raise NotImplementedError
        yield

    prepare_confirm = prepared(confirm)

    @write
    def cancel(self, terms: OrderTerms, *, expected: State | None = None) -> Steps[Sequence[Call]]:
        """Rows 4 and 7."""
        raise NotImplementedError
        yield

    prepare_cancel = prepared(cancel)

    @write
    def decline(self, terms: OrderTerms, *, expected: State | None = None) -> Steps[Sequence[Call]]:
        """Rows 4 and 8."""
        raise NotImplementedError
        yield

    prepare_decline = prepared(decline)

    @write
    def refund(self, terms: OrderTerms, *, expected: State | None = None) -> Steps[Sequence[Call]]:
        """Rows 12 and 14."""
        raise NotImplementedError
        yield

    prepare_refund = prepared(refund)

    @write
    def intervene(self, terms: OrderTerms, *, expected: State | None = None) -> Steps[Sequence[Call]]:
        """Rows 5 and 9."""
        raise NotImplementedError
        yield

    prepare_intervene = prepared(intervene)

    @write
    def dispute(
        self, terms: OrderTerms, *, units: int, evidence: str = ZERO_HASH, approve: bool = True
    ) -> Steps[Sequence[Call]]:
        """Row 13."""
        raise NotImplementedError
        yield

    prepare_dispute = prepared(dispute)

    @write
    def recommit(self, terms: OrderTerms, *, commitment: str, revision: int | None = None) -> Steps[Sequence[Call]]:
        """Row 20."""
        raise NotImplementedError
        yield

    prepare_recommit = prepared(recommit)

    @write
    def rule(self, terms: OrderTerms, *, to_buyer: int, grounds: str = ZERO_HASH) -> Steps[Sequence[Call]]:
        """Row 16."""
        raise NotImplementedError
        yield

    prepare_rule = prepared(rule)

    @write
    def concede(self, terms: OrderTerms, *, role: Role | None = None) -> Steps[Sequence[Call]]:
        """Row 16."""
        raise NotImplementedError
        yield

    prepare_concede = prepared(concede)

    @write
    def agree(
        self, terms: OrderTerms, *, split: Split, buyer_signature: bytes = b"", seller_signature: bytes = b""
    ) -> Steps[Sequence[Call]]:
        """Row 18."""
        raise NotImplementedError
        yield

    prepare_agree = prepared(agree)

    @write
    def revise(self, terms: OrderTerms, *, revision: int | None = None) -> Steps[Sequence[Call]]:
        """Row 19."""
        raise NotImplementedError
        yield

    prepare_revise = prepared(revise)

    @write
    def settle(self, terms: OrderTerms) -> Steps[Sequence[Call]]:
        """Rows 4, 10, 11, 17."""
        raise NotImplementedError
        yield

    prepare_settle = prepared(settle)

    @write
    def settle_many(self, terms: Sequence[OrderTerms]) -> Steps[Sequence[Call]]:
        """Settles what is due, skips the rest."""
        raise NotImplementedError
        yield

    prepare_settle_many = prepared(settle_many)

    @write
    def deliver_many(self, deliveries: Sequence[tuple[OrderTerms, str]]) -> Steps[Sequence[Call]]:
        """Pairs of terms and commitment."""
        raise NotImplementedError
        yield

    prepare_deliver_many = prepared(deliver_many)

    @write
    def act(self, terms: OrderTerms, *, action: Action, signature: bytes) -> Steps[Sequence[Call]]:
        """Relays what a party or operator signed."""
        raise NotImplementedError
        yield

    prepare_act = prepared(act)

    @read
    def sign_offer(self, terms: OrderTerms, *, expiry: int, revision: int | None = None) -> Steps[Offer]:
        """The account's promise to accept the order, as its seller or as an operator."""
        raise NotImplementedError
        yield

    @read
    def split(self, terms: OrderTerms, *, to_buyer: int, expiry: int | None = None) -> Steps[Split]:
        """A division of what is held now, to be signed by both parties; expires in 23 hours unless told."""
        raise NotImplementedError
        yield

    @read
    def sign_split(self, terms: OrderTerms, split: Split) -> Steps[bytes]:
        """65 bytes."""
        raise NotImplementedError
        yield

    @read
    def action(
        self,
        terms: OrderTerms,
        *,
        verb: Verb,
        role: Role | None = None,
        expected: State | None = None,
        number: int | None = None,
        content: str = ZERO_HASH,
        expiry: int | None = None,
        signer: str | None = None,
    ) -> Steps[Action]:
        """An action to be signed and relayed; expires in one hour unless told."""
        raise NotImplementedError
        yield

    @read
    def sign_action(self, terms: OrderTerms, action: Action) -> Steps[bytes]:
        """65 bytes."""
        raise NotImplementedError
        yield
