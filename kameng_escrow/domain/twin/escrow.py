"""The lifecycle, as in ``contracts/KamengEscrow.sol``."""

from collections.abc import Sequence
from itertools import groupby

from .. import shares
from ..endings import ending, timeout
from ..events import OrderOpened, OrderRuled
from ..lifecycle import Move, row_of
from ..order import OrderTerms
from ..policy import ZERO_ADDRESS, Policy
from ..refusals import (
    AmountOutOfRange,
    ExpiryTooFar,
    InvalidSignature,
    LengthMismatch,
    NoPaymentDue,
    NotPossible,
    TooEarly,
    TooLate,
    Unauthorized,
    WrongDisputedUnits,
    WrongValue,
)
from ..signed import Action, Offer, Split
from ..states import Outcome, Right, Role, State, Verb
from ..terms import check_terms
from ..typed_data import action_digest, offer_digest, split_digest
from .books import transaction
from .orders import ZERO_HASH, Orders

MAX_SPLIT_LIFE = 24 * 60 * 60  # seconds


class Escrow(Orders):
    """The contract: the same calls, guards in the same order, the same events and refusals, the same money.

    Every call takes who calls (the contract's ``msg.sender``) and the block's Unix second first, and returns the events
    it would log, or raises the ``Refusal`` with which the contract would revert and leaves everything as it was. Who
    signed what is told by the caller, and not verified. Gas is not counted.
    """

    # ------------------------------------------------------------------------------------------------------ opening

    @transaction
    def open(self, terms: OrderTerms, *, value: int = 0) -> None:
        """Row 1."""
        self._open(terms, self._sender)
        self._collect(terms.token, self._sender, terms.price, value)

    @transaction
    def open_with_offer(self, terms: OrderTerms, offer: Offer, *, signed: bool = True, value: int = 0) -> None:
        """Row 2. `signed`: whether the offer's signature is that of the seller, or of its operator; likewise below."""
        self._open_with_offer(terms, offer, self._sender, signed)
        self._collect(terms.token, self._sender, terms.price, value)

    @transaction
    def open_with_permit(self, terms: OrderTerms, offer: Offer, *, signed: bool = True, accepted: bool = True) -> None:
        """Rows 1 and 2. `accepted`: whether the token, or Permit2, takes what the payer signed; likewise below."""
        self._open_either(terms, offer, self._sender, signed)
        self._collect_permitted(terms.token, self._sender, terms.price, accepted)

    @transaction
    def open_with_authorization(
        self, terms: OrderTerms, offer: Offer, payer: str, *, signed: bool = True, accepted: bool = True
    ) -> None:
        """Rows 1 and 2."""
        self._open_either(terms, offer, payer, signed)
        self._collect_signed(terms.token, payer, terms.price, accepted)

    @transaction
    def open_with_permit2(
        self, terms: OrderTerms, offer: Offer, payer: str, *, signed: bool = True, accepted: bool = True
    ) -> None:
        """Rows 1 and 2, on a chain that has Permit2."""
        self._open_either(terms, offer, payer, signed)
        self._collect_signed(terms.token, payer, terms.price, accepted)

    def _open_either(self, terms: OrderTerms, offer: Offer, payer: str, signed: bool) -> None:
        if offer.expiry == 0:
            self._open(terms, payer)
        else:
            self._open_with_offer(terms, offer, payer, signed)

    def _open(self, terms: OrderTerms, payer: str) -> None:
        order = self._expect(terms, State.Nothing)
        self._check_terms(terms)
        self._emit(OrderOpened(order_id=order.id, terms=terms, payer=payer, state=State.Opened))

    def _open_with_offer(self, terms: OrderTerms, offer: Offer, payer: str, signed: bool) -> None:
        order = self._expect(terms, State.Nothing)
        policy = self._check_terms(terms)
        self._require_live(offer.expiry)
        signer = terms.seller if offer.operator == ZERO_ADDRESS else offer.operator
        if signer != terms.seller:
            self._require_right(terms, signer, Right.Accept)
        if not signed:
            digest = offer_digest(order.id, revision=order.revision, expiry=offer.expiry, domain=self.domain)
            raise InvalidSignature(signer, digest)
        self._lock_bond(terms.seller, terms.token, shares.bps(terms.price, policy.seller_bond_bps))
        self._emit(OrderOpened(order_id=order.id, terms=terms, payer=payer, state=State.Accepted))

    def _check_terms(self, terms: OrderTerms) -> Policy:
        check_terms(terms, self.address)
        if self._now > terms.open_by:
            raise TooLate(self._now, terms.open_by + 1)
        return self._live_policy(terms.policy_id)

    # ------------------------------------------------------------------------------------------- verbs of the parties

    @transaction
    def accept(self, terms: OrderTerms) -> None:
        """Row 3."""
        self._perform(terms, self._step(Verb.Accept, State.Opened, self._seller_side(terms)))

    @transaction
    def deliver(self, terms: OrderTerms, commitment: str) -> None:
        """Row 6."""
        self._perform(terms, self._step(Verb.Deliver, State.Accepted, self._seller_side(terms), content=commitment))

    @transaction
    def confirm(self, terms: OrderTerms, expected: State) -> None:
        """Rows 11 and 15."""
        self._perform(terms, self._step(Verb.Confirm, expected, Role.Buyer))

    @transaction
    def cancel(self, terms: OrderTerms, expected: State) -> None:
        """Rows 4 and 7."""
        self._perform(terms, self._step(Verb.Cancel, expected, Role.Buyer))

    @transaction
    def decline(self, terms: OrderTerms, expected: State) -> None:
        """Rows 4 and 8."""
        self._perform(terms, self._step(Verb.Decline, expected, self._seller_side(terms)))

    @transaction
    def refund(self, terms: OrderTerms, expected: State) -> None:
        """Rows 12 and 14."""
        self._perform(terms, self._step(Verb.Refund, expected, self._seller_side(terms)))

    @transaction
    def dispute(self, terms: OrderTerms, units: int, evidence: str, *, value: int = 0) -> None:
        """Row 13."""
        step = self._step(Verb.Dispute, State.Delivered, Role.Buyer, number=units, content=evidence)
        self._perform(terms, step, value)

    @transaction
    def recommit(self, terms: OrderTerms, revision: int, commitment: str) -> None:
        """Row 20."""
        role = self._seller_side(terms)
        self._perform(terms, self._step(Verb.Recommit, State.Disputed, role, number=revision, content=commitment))

    @transaction
    def concede(self, terms: OrderTerms, role: Role) -> None:
        """Row 16."""
        self._perform(terms, self._step(Verb.Concede, State.Disputed, role))

    @transaction
    def revise(self, terms: OrderTerms, revision: int) -> None:
        """Row 19."""
        role = Role.Buyer if self._sender == terms.buyer else Role.Seller
        self._perform(terms, self._step(Verb.Revise, self.order_of(terms).state, role, number=revision))

    @transaction
    def act(self, terms: OrderTerms, action: Action, *, signed: bool = True, value: int = 0) -> None:
        """What a party or operator signed. `signed`: whether the signature is that of the action's signer."""
        self._require_signed(terms, action, signed)
        if value and action.verb is not Verb.Dispute:
            raise WrongValue(value, 0)
        self._perform(terms, action, value)

    @transaction
    def act_with_permit(self, terms: OrderTerms, action: Action, *, signed: bool = True, accepted: bool = True) -> None:
        """Row 13, with a permit for the dispute bond."""
        bond, to_seller = self._dispute_signed(terms, action, signed)
        self._collect_permitted(terms.token, terms.buyer, bond, accepted)
        self._push_or_credit(terms.token, terms.pay_to, to_seller)

    @transaction
    def act_with_authorization(
        self, terms: OrderTerms, action: Action, *, signed: bool = True, accepted: bool = True
    ) -> None:
        """Row 13, with an authorization of the dispute bond."""
        bond, to_seller = self._dispute_signed(terms, action, signed)
        self._collect_signed(terms.token, terms.buyer, bond, accepted)
        self._push_or_credit(terms.token, terms.pay_to, to_seller)

    def _require_signed(self, terms: OrderTerms, action: Action, signed: bool) -> None:
        self._require_live(action.expiry)
        if not signed:
            digest = action_digest(self.id_of(terms), action, self.domain)
            raise InvalidSignature(action.signer, digest)

    def _dispute_signed(self, terms: OrderTerms, action: Action, signed: bool) -> tuple[int, int]:
        self._require_signed(terms, action, signed)
        if action.verb is not Verb.Dispute:
            raise NoPaymentDue(action.verb)
        order = self.order_of(terms)
        self._check_step(terms, order, action)
        return self._dispute(order, terms, action.number, action.content)

    def _step(self, verb: Verb, expected: State, role: Role, *, number: int = 0, content: str = ZERO_HASH) -> Action:
        """A call, in the words of a signed action."""
        return Action(
            verb=verb, state=expected, role=role, signer=self._sender, expiry=0, number=number, content=content
        )

    def _seller_side(self, terms: OrderTerms) -> Role:
        return Role.Seller if self._sender == terms.seller else Role.Operator

    # ------------------------------------------------------------------------ mediator, agreement, platform, clocks

    @transaction
    def rule(self, terms: OrderTerms, to_buyer: int, grounds: str) -> None:
        """Row 16."""
        order = self._expect(terms, State.Disputed)
        mediator = self._mediator(order)
        if self._sender != mediator:
            raise Unauthorized(self._sender, mediator)
        self._require_no_party(terms)
        held = shares.held(order).amount
        if to_buyer > held:
            raise AmountOutOfRange(to_buyer, held)
        self._emit(OrderRuled(order_id=order.id, mediator=mediator, to_buyer=to_buyer, grounds=grounds))
        self._close_by_ruling(order, terms, to_buyer, Outcome.Ruled, mediator)

    @transaction
    def agree(
        self, terms: OrderTerms, split: Split, *, buyer_signed: bool = False, seller_signed: bool = False
    ) -> None:
        """Row 18. A party that calls need not have signed."""
        order = self._expect(terms, split.state)
        if not split.state.is_open:
            raise NotPossible(order.id, split.state)
        if split.disputed_units != order.disputed_units:
            raise WrongDisputedUnits(split.disputed_units, order.disputed_units)
        self._require_revision(order, split.revision)
        self._require_live(split.expiry)
        if split.expiry > self._now + MAX_SPLIT_LIFE:
            raise ExpiryTooFar(split.expiry, self._now + MAX_SPLIT_LIFE)
        for party, signed in ((terms.buyer, buyer_signed), (terms.seller, seller_signed)):
            if self._sender != party and not signed:
                raise InvalidSignature(party, split_digest(order.id, split, self.domain))
        held = shares.held(order).amount
        if split.to_buyer > held:
            raise AmountOutOfRange(split.to_buyer, held)
        self._close(order, terms, ending(order, Outcome.Agreed, split.to_buyer))

    @transaction
    def intervene(self, terms: OrderTerms, expected: State) -> None:
        """Rows 5 and 9."""
        order = self._expect(terms, expected)
        if row_of(Move.Intervene, expected) is None:
            raise NotPossible(order.id, expected)
        platform = self.books.policies[terms.policy_id].policy.platform
        if self._sender != platform:
            raise Unauthorized(self._sender, platform)
        self._require_no_party(terms)
        self._require_before(order.deadline)
        self._close(order, terms, ending(order, Outcome.Intervened))

    @transaction
    def settle(self, terms: OrderTerms) -> None:
        """Rows 4, 10, 11 and 17."""
        order = self.order_of(terms)
        if order.deadline is None or not order.state.is_open:
            raise NotPossible(order.id, order.state)
        if self._now < order.deadline:
            raise TooEarly(self._now, order.deadline)
        self._close(order, terms, timeout(order))

    # ------------------------------------------------------------------------------------------------------ batches

    @transaction
    def settle_many(self, many: Sequence[OrderTerms]) -> None:
        """Settles what is due and skips the rest; neighbours with the same token and receiver are paid in one."""
        payouts: list[tuple[str, str, int]] = []
        for terms in many:
            order = self.order_of(terms)
            if not order.state.is_open or order.deadline is None or self._now < order.deadline:
                continue
            closing = timeout(order)
            self._record(order, closing)
            paid = closing.shares
            self._accrue_fee(terms.policy_id, terms.token, paid.platform_fee)
            self._return_bond(terms.seller, terms.token, paid.bond_returned)
            payouts += [
                (terms.token, to, amount)
                for to, amount in ((terms.refund_to, paid.to_buyer), (terms.pay_to, paid.to_seller))
                if amount
            ]
        for (token, to), neighbours in groupby(payouts, key=lambda payout: payout[:2]):
            self._push_or_credit(token, to, sum(amount for _, _, amount in neighbours))

    @transaction
    def deliver_many(self, many: Sequence[OrderTerms], commitments: Sequence[str]) -> None:
        """Delivers what is Accepted and in time, and skips the rest."""
        if len(many) != len(commitments):
            raise LengthMismatch(len(many), len(commitments))
        for terms, commitment in zip(many, commitments, strict=True):
            order = self.order_of(terms)
            if order.state is not State.Accepted or order.deadline is None or self._now >= order.deadline:
                continue
            if self._sender != terms.seller:
                self._require_right(terms, self._sender, Right.Deliver)
            self._mark_delivered(order, commitment)
