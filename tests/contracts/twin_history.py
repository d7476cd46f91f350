"""What the rules of a random history have in common: picking, signing, sending, and the end."""

import sys
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from kameng_escrow.domain import shares
from kameng_escrow.domain.lifecycle import Move, Who, mediator_now, row_of
from kameng_escrow.domain.order import NATIVE, Order, OrderTerms
from kameng_escrow.domain.policy import ZERO_ADDRESS, Policy
from kameng_escrow.domain.refusals import Refusal
from kameng_escrow.domain.signed import Action, Offer, Split
from kameng_escrow.domain.states import State, Verb
from kameng_escrow.domain.typed_data import action_digest, offer_digest, split_digest
from tests.contracts.harness.cast import CAST
from tests.contracts.harness.world import DAY, POLICY
from tests.contracts.twin_drafts import Draft, address_of, terms_of
from tests.contracts.twins import Twins

EVIDENCE, COMMITMENT, UNKNOWN = ("0x" + byte * 32 for byte in ("e1", "c0", "ee"))
USUAL = Draft("buyer", None, "seller", "pay_to", 0, 10_001, 10, 0, DAY, None)


class History(RuleBasedStateMachine):
    """A history without rules."""

    twins: ClassVar[Twins]
    agreed: ClassVar[int] = 0  # histories that came to their end without a difference

    def __init__(self) -> None:
        super().__init__()
        self.twins.reset()
        self.terms: list[OrderTerms] = []  # of orders that somebody tried to open
        self.marks: list[int] = []  # Unix seconds at which something lapses, besides the clocks of orders

    def teardown(self) -> None:
        """In the end the clock alone brings every order home, and every balance is as in Python."""
        if sys.exc_info()[0] is None:  # nothing has failed yet
            self._bring_home()
            self.twins.compare_everything()
            type(self).agreed += 1

    def _bring_home(self) -> None:
        twins = self.twins
        waiting = [order for order in twins.twin.books.orders.values() if order.state.is_open]
        twins.evm.warp(max([twins.now, *(order.deadline or 0 for order in waiting)]))
        for order in waiting:
            assert not isinstance(twins.do("settle", CAST["keeper"], order.terms), Refusal)

    # ---------------------------------------------------------------------------------------------------------- picking

    def _draft(self, draft: Draft) -> OrderTerms:
        terms = terms_of(draft, self.twins, len(self.terms))
        self.terms.append(terms)
        self._mark(terms.open_by)
        return terms

    def _pick(self, which: int) -> OrderTerms:
        """Any terms that there are."""
        return self.terms[which % len(self.terms)] if self.terms else self._draft(USUAL)

    def _pick_open(self, which: int, state: State | None = None) -> Order:
        """Any order that is open, in this state if one is; a new one if there is none."""
        opened = [order for order in self.twins.twin.books.orders.values() if order.state.is_open]
        if orders := [order for order in opened if order.state is state] or opened:
            return orders[which % len(orders)]
        order = self._opened(USUAL)
        if order.state is not State.Nothing:
            return order
        # The policy takes no orders any more: one that does.
        policy = replace(POLICY, accept_window=POLICY.accept_window + len(self.twins.policies))
        self.twins.register(policy.platform, policy, self.twins.now + DAY)
        return self._opened(replace(USUAL, policy=len(self.twins.policies) - 1))

    def _opened(self, draft: Draft) -> Order:
        terms = self._draft(draft)
        self.twins.do("open", terms.buyer, terms, value=terms.price)
        return self.twins.twin.order_of(terms)

    def _pick_fitting(self, which: int, verb: Verb) -> OrderTerms:
        """Terms of an order in a state where the verb is possible; any if there is none."""
        orders = self.twins.twin.books.orders.values()
        fitting = [order.terms for order in orders if order.terms and row_of(Move[verb.name], order.state)]
        return fitting[which % len(fitting)] if fitting else self._pick(which)

    def _nth_policy(self, which: int) -> Policy:
        return self.twins.policies[which % len(self.twins.policies)]

    def _policy(self, terms: OrderTerms) -> Policy | None:
        registered = self.twins.twin.books.policies.get(terms.policy_id)
        return registered.policy if registered else None

    def _mark(self, at: int) -> int:
        self.marks.append(at)
        return at

    def _address(self, name: str) -> str:
        return address_of(name, self.twins)

    def _receiver(self, name: str, token: str) -> str:
        return {"escrow": self.twins.escrow.address, "coin": token}.get(name) or self._address(name)

    def _refuse(self, account: str, blocking: bool, refuses: bool) -> None:
        self.twins.refuse(CAST[account], self.twins.blocking.address if blocking else NATIVE, refuses)

    def _credit(self, account: str, coin: int) -> tuple[str, str]:
        """Somebody's credit, if anybody has one."""
        owed = sorted(self.twins.twin.books.credits)
        return owed[coin % len(owed)] if owed else (self._address(account), self.twins.coins[coin])

    def _actor(self, order: Order, who: Who) -> str:
        """An account that has the role."""
        assert order.terms is not None
        assert order.policy is not None
        holders = {
            Who.Buyer: order.terms.buyer,
            Who.Seller: order.terms.seller,
            Who.Operator: CAST["operator"],
            Who.Platform: order.policy.platform,
            Who.Mediator: mediator_now(order, self.twins.now),
        }
        return holders.get(who) or CAST["keeper"]

    # ---------------------------------------------------------------------------------------------------------- sending

    def _value(self, terms: OrderTerms, amount: int, slip: int = 0) -> int:
        """The coins to send along; `slip`: how many too many."""
        return max((amount if terms.token == NATIVE else 0) + slip, 0)

    def _dispute_value(self, terms: OrderTerms, units: int) -> int:
        policy = self._policy(terms)
        if policy is None or terms.token != NATIVE or not 0 < units <= terms.units:
            return 0
        held = shares.held_in(State.Disputed, policy, price=terms.price, units=terms.units, disputed_units=units)
        return held.dispute_bond

    def _sign(self, kind: str, signer: str, digest: str, other: str) -> bytes:
        """A signature of some kind: right, of another account, over another digest, or none. Nobody's has no key."""
        stranger = CAST["stranger" if signer == CAST["relayer"] else "relayer"]
        match kind:
            case "right" if signer in self.twins.accounts:
                return self.twins.sign(signer, digest)
            case "of another":
                return self.twins.sign(stranger, digest)
            case "over another" if signer in self.twins.accounts:
                return self.twins.sign(signer, other)
        return b""

    def _offered(
        self,
        terms: OrderTerms,
        payer: str,
        *,
        by: str = "seller",
        kind: str = "right",
        life: int = DAY,
        revision: int = 0,
        slip: int = 0,
    ) -> None:
        """Opens with an offer; `revision`: by how much the signed one is off."""
        twins, order = self.twins, self.twins.twin.order_of(terms)
        signer = terms.seller if by == "seller" else CAST[by]
        expiry = self._mark(twins.now + life)
        signed = max(order.revision + revision, 0)
        right, other = (
            offer_digest(order.id, revision=signed, expiry=end, domain=twins.domain) for end in (expiry, expiry + 1)
        )
        signature = self._sign(kind, signer, right, other)
        offer = Offer(expiry=expiry, operator=ZERO_ADDRESS if by == "seller" else signer, signature=signature)
        told = kind == "right" and signed == order.revision and signer in twins.accounts
        value = self._value(terms, terms.price, slip)
        twins.do("open_with_offer", self._address(payer), terms, offer, value=value, signed=told)

    def _act(self, terms: OrderTerms, action: Action, kind: str | None, relayer: str, value: int) -> None:
        """An action signed in some way and relayed; without a kind, its signer calls."""
        twins, order_id = self.twins, self.twins.twin.id_of(terms)
        if kind is None:
            sent = value if action.verb is Verb.Dispute else 0
            self._call(terms, action, sent)
            return
        other = action_digest(order_id, replace(action, number=action.number ^ 1), twins.domain)
        signature = self._sign(kind, action.signer, action_digest(order_id, action, twins.domain), other)
        twins.do(
            "act",
            self._address(relayer),
            terms,
            action,
            signatures=[signature],
            value=value,
            signed=kind == "right" and action.signer in twins.accounts,
        )

    def _call(self, terms: OrderTerms, action: Action, value: int) -> None:
        """The action called by its signer. What the call has no room for is left out."""
        revision, units = action.number % 2**24, action.number % 2**16
        arguments: dict[Verb, tuple[Any, ...]] = {
            Verb.Accept: (),
            Verb.Deliver: (action.content,),
            Verb.Dispute: (units, action.content),
            Verb.Concede: (action.role,),
            Verb.Revise: (revision,),
            Verb.Recommit: (revision, action.content),
        }
        method = action.verb.name.lower()
        self.twins.do(method, action.signer, terms, *arguments.get(action.verb, (action.state,)), value=value)

    def _agree(
        self, terms: OrderTerms, split: Split, caller: str, buyers: str = "right", sellers: str = "right"
    ) -> None:
        twins, order_id = self.twins, self.twins.twin.id_of(terms)
        right = split_digest(order_id, split, twins.domain)
        other = split_digest(order_id, replace(split, to_buyer=split.to_buyer ^ 1), twins.domain)
        signatures = [
            self._sign(kind, party, right, other) for kind, party in ((buyers, terms.buyer), (sellers, terms.seller))
        ]
        twins.do(
            "agree",
            caller,
            terms,
            split,
            signatures=signatures,
            buyer_signed=buyers == "right",
            seller_signed=sellers == "right",
        )
