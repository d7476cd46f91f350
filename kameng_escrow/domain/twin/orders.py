"""What an order goes through inside the contract: guards, steps and endings."""

from collections.abc import Collection

from .. import shares
from ..endings import ending, is_allowed
from ..events import (
    Event,
    MediationFeeCredited,
    OrderAccepted,
    OrderClosed,
    OrderDelivered,
    OrderDisputed,
    OrderEvent,
    OrderOpened,
    OrderRecommitted,
    OrderRevised,
)
from ..fold import apply
from ..lifecycle import Clock, Move, mediator_now, negotiation_end, right_for, roles_of, row_of
from ..order import Order, OrderTerms
from ..policy import Policy
from ..refusals import (
    CancelNotAllowed,
    ConflictOfInterest,
    EmptyCommitment,
    Expired,
    NotPossible,
    TooEarly,
    TooLate,
    Unauthorized,
    UnitsOutOfRange,
    WrongRevision,
    WrongRole,
    WrongState,
)
from ..reverts import Panicked
from ..shares import Closing
from ..signed import Action
from ..states import Outcome, Role, State, Verb
from ..typed_data import Domain, order_id
from .sellers import Sellers
from .treasury import Treasury

_MAX_REVISION = 2**24 - 1
_OVERFLOW = 0x11
ZERO_HASH = "0x" + "00" * 32


class Orders(Treasury, Sellers):
    """The inside of ``contracts/KamengEscrow.sol``. Orders change by their events alone."""

    def __init__(self, domain: Domain, tokens: Collection[str] = ()) -> None:
        """`domain`: the chain and the contract's address. `tokens`: the addresses at which there is an ERC-20."""
        super().__init__(domain.contract, tokens)
        self.domain = domain
        self._ids: dict[OrderTerms, str] = {}

    def id_of(self, terms: OrderTerms) -> str:
        """The id of these terms on this contract."""
        if terms not in self._ids:
            self._ids[terms] = order_id(terms, self.domain)
        return self._ids[terms]

    def order_of(self, terms: OrderTerms) -> Order:
        """The order of these terms; in State.Nothing if there is none."""
        name = self.id_of(terms)
        return self.books.orders.get(name) or Order(id=name, state=State.Nothing, revision=0)

    def _emit(self, event: Event) -> None:
        super()._emit(event)
        if isinstance(event, OrderEvent):
            before = self.books.orders.get(event.order_id)
            self.books.orders[event.order_id] = apply(before, event, self._now, self._policies_for(event))

    def _policies_for(self, event: OrderEvent) -> dict[str, Policy]:
        if not isinstance(event, OrderOpened):
            return {}
        name = event.terms.policy_id
        return {name: self.books.policies[name].policy}

    # ---------------------------------------------------------------------------------------------------- one step

    def _perform(self, terms: OrderTerms, step: Action, value: int = 0) -> None:
        """One action of a party or operator, called or signed."""
        order = self.order_of(terms)
        self._check_step(terms, order, step)
        match step.verb:
            case Verb.Accept:
                self._lock_bond(terms.seller, terms.token, shares.bps(terms.price, _policy(order).seller_bond_bps))
                self._emit(OrderAccepted(order_id=order.id))
            case Verb.Deliver:
                self._mark_delivered(order, step.content)
            case Verb.Dispute:
                bond, to_seller = self._dispute(order, terms, step.number, step.content)
                self._collect(terms.token, terms.buyer, bond, value)
                self._push_or_credit(terms.token, terms.pay_to, to_seller)
            case Verb.Concede:
                mediator = self._mediator(order)
                to_buyer = 0 if step.role is Role.Buyer else shares.held(order).amount
                self._close_by_ruling(order, terms, to_buyer, Outcome.Conceded, mediator)
            case Verb.Revise | Verb.Recommit:
                self._raise_revision(order, step)
            case Verb.Confirm:
                self._close(order, terms, ending(order, Outcome.Confirmed))
            case Verb.Refund:
                self._close(order, terms, ending(order, Outcome.Refunded))
            case Verb.Decline:
                self._close(order, terms, ending(order, Outcome.Declined))
            case Verb.Cancel:
                if not is_allowed(order, Outcome.Cancelled):
                    raise CancelNotAllowed(order.id)
                self._close(order, terms, ending(order, Outcome.Cancelled))

    def _check_step(self, terms: OrderTerms, order: Order, step: Action) -> None:
        """State, actor, time: by the table of the lifecycle."""
        if order.state is not step.state:
            raise WrongState(order.id, order.state, step.state)
        row = row_of(Move[step.verb.name], step.state)
        if row is None:
            raise NotPossible(order.id, step.state)
        if step.role not in roles_of(step.verb):
            raise WrongRole(step.verb, step.role)
        if step.role is Role.Operator:
            right = right_for(step.verb)
            assert right is not None  # operators are in no row without one
            self._require_right(terms, step.signer, right)
        else:
            required = terms.buyer if step.role is Role.Buyer else terms.seller
            if step.signer != required:
                raise Unauthorized(step.signer, required)
            # Only who will be bound may void an offer: before the opening that is the seller.
            if step.role is Role.Buyer and step.state is State.Nothing:
                raise Unauthorized(step.signer, terms.seller)
        if row.clock in (Clock.BeforeDeadline, Clock.Mediation):
            self._require_before(order.deadline)
        elif row.clock is Clock.BeforeMediation:
            self._require_before(negotiation_end(order))

    def _mark_delivered(self, order: Order, commitment: str) -> None:
        if commitment == ZERO_HASH:
            raise EmptyCommitment()
        self._emit(OrderDelivered(order_id=order.id, commitment=commitment))

    def _dispute(self, order: Order, terms: OrderTerms, units: int, evidence: str) -> tuple[int, int]:
        """Row 13 up to its transfers: the dispute bond still to be collected, what the seller is still to be paid."""
        if not 0 < units <= terms.units:
            raise UnitsOutOfRange(units, terms.units)
        policy = _policy(order)
        sums = {"price": terms.price, "units": terms.units, "disputed_units": units}
        paid = shares.undisputed(policy, **sums)
        dispute_bond = shares.held_in(State.Disputed, policy, **sums).dispute_bond
        self._emit(
            OrderDisputed(
                order_id=order.id,
                units=units,
                evidence=evidence,
                dispute_bond=dispute_bond,
                to_seller=paid.to_seller,
                platform_fee=paid.platform_fee,
                bond_returned=paid.bond_returned,
            )
        )
        self._accrue_fee(terms.policy_id, terms.token, paid.platform_fee)
        self._return_bond(terms.seller, terms.token, paid.bond_returned)
        return dispute_bond, paid.to_seller

    def _raise_revision(self, order: Order, step: Action) -> None:
        self._require_revision(order, step.number)
        if step.verb is Verb.Recommit and step.content == ZERO_HASH:
            raise EmptyCommitment()
        if order.revision == _MAX_REVISION:
            raise Panicked(_OVERFLOW)
        if step.verb is Verb.Recommit:
            self._emit(OrderRecommitted(order_id=order.id, commitment=step.content, revision=order.revision + 1))
        else:
            self._emit(OrderRevised(order_id=order.id, revision=order.revision + 1))

    # ------------------------------------------------------------------------------------------------------- closing

    def _record(self, order: Order, closing: Closing) -> None:
        paid = closing.shares
        self._emit(
            OrderClosed(
                order_id=order.id,
                outcome=closing.outcome,
                fault=closing.fault,
                to_buyer=paid.to_buyer,
                to_seller=paid.to_seller,
                platform_fee=paid.platform_fee,
                bond_returned=paid.bond_returned,
            )
        )

    def _close(self, order: Order, terms: OrderTerms, closing: Closing) -> None:
        self._record(order, closing)
        paid = closing.shares
        self._accrue_fee(terms.policy_id, terms.token, paid.platform_fee)
        self._return_bond(terms.seller, terms.token, paid.bond_returned)
        self._push_or_credit(terms.token, terms.refund_to, paid.to_buyer)
        self._push_or_credit(terms.token, terms.pay_to, paid.to_seller)

    def _close_by_ruling(self, order: Order, terms: OrderTerms, to_buyer: int, outcome: Outcome, mediator: str) -> None:
        closing = ending(order, outcome, to_buyer)
        fee = closing.shares.mediation_fee
        if fee:
            self._credit(mediator, terms.token, fee)
            self._emit(MediationFeeCredited(order_id=order.id, mediator=mediator, token=terms.token, fee=fee))
        self._close(order, terms, closing)

    # -------------------------------------------------------------------------------------------------------- guards

    def _expect(self, terms: OrderTerms, expected: State) -> Order:
        order = self.order_of(terms)
        if order.state is not expected:
            raise WrongState(order.id, order.state, expected)
        return order

    def _mediator(self, order: Order) -> str:
        """Whose half of the mediate window it is."""
        start = negotiation_end(order)
        assert start is not None  # only asked in Disputed
        if self._now < start:
            raise TooEarly(self._now, start)
        self._require_before(order.deadline)
        mediator = mediator_now(order, self._now)
        assert mediator is not None  # within [n, d) there is one
        return mediator

    def _require_no_party(self, terms: OrderTerms) -> None:
        if self._sender in (terms.buyer, terms.seller):
            raise ConflictOfInterest(self._sender)

    def _require_before(self, end: int | None) -> None:
        assert end is not None  # every open order has a clock
        if self._now >= end:
            raise TooLate(self._now, end)

    def _require_live(self, expiry: int) -> None:
        if self._now >= expiry:
            raise Expired(self._now, expiry)

    def _require_revision(self, order: Order, revision: int) -> None:
        if revision != order.revision:
            raise WrongRevision(revision, order.revision)


def _policy(order: Order) -> Policy:
    assert order.policy is not None  # every order beyond State.Nothing has one
    return order.policy
