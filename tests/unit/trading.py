"""Terms and policies of every kind, and orders played on the twin: what a summary promises is held against them."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from kameng_escrow.domain import shares
from kameng_escrow.domain.actions import Possibility, possible
from kameng_escrow.domain.lifecycle import Move, Who, mediator_now
from kameng_escrow.domain.order import NATIVE, Order, OrderTerms
from kameng_escrow.domain.policy import (
    MAX_BPS,
    MAX_PLATFORM_FEE_BPS,
    MAX_WINDOW,
    MIN_ACTION_WINDOW,
    MIN_MEDIATE_WINDOW,
    MIN_TALK_WINDOW,
    NO_CANCEL,
    ZERO_ADDRESS,
    Policy,
)
from kameng_escrow.domain.signed import Offer, Split
from kameng_escrow.domain.states import Outcome, Role, State
from kameng_escrow.domain.twin import Escrow
from kameng_escrow.domain.typed_data import Domain, policy_id
from tests.unit.histories import BACKUP, BUYER, FEE_RECEIVER, MEDIATOR, PAY_TO, PLATFORM, REFUND_TO, SELLER, account

NOW = 1_800_000_000  # Unix seconds
DAY = 86_400
ESCROW = account(91)
DOMAIN = Domain(31_337, ESCROW)
KEEPER = account(92)
HASH = "0x" + "ab" * 32
RICH = 2**200


def _window(least: int) -> st.SearchStrategy[int]:
    return st.one_of(st.sampled_from([least, MAX_WINDOW]), st.integers(least, MAX_WINDOW))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Whatever a contract would register."""
    mediated = draw(st.booleans())
    bonds = draw(st.integers(0, MAX_BPS)), draw(st.integers(0, MAX_BPS))
    return Policy(
        platform=PLATFORM,
        accept_window=draw(_window(MIN_ACTION_WINDOW)),
        deliver_window=draw(_window(MIN_ACTION_WINDOW)),
        inspect_window=draw(_window(MIN_TALK_WINDOW)),
        negotiate_window=draw(_window(MIN_TALK_WINDOW)),
        mediate_window=draw(_window(MIN_MEDIATE_WINDOW)) if mediated else 0,
        platform_fee_bps=draw(st.integers(0, MAX_PLATFORM_FEE_BPS)),
        cancel_fee_bps=draw(st.one_of(st.just(NO_CANCEL), st.integers(0, MAX_BPS))),
        seller_bond_bps=bonds[0],
        dispute_bond_bps=bonds[1],
        mediation_fee_bps=draw(st.integers(0, min(bonds))) if mediated else 0,
        silence_share_bps=draw(st.integers(0, 10_000)),
        mediator=MEDIATOR if mediated else ZERO_ADDRESS,
        backup_mediator=draw(st.sampled_from([BACKUP, ZERO_ADDRESS])) if mediated else ZERO_ADDRESS,
        fee_receiver=FEE_RECEIVER,
        effective_from=0,
    )


@st.composite
def contracts(draw: st.DrawFn) -> tuple[OrderTerms, Policy]:
    """Terms in the native coin, and the policy that they name."""
    policy = draw(policies())
    terms = OrderTerms(
        buyer=BUYER,
        refund_to=REFUND_TO,
        seller=SELLER,
        pay_to=PAY_TO,
        token=NATIVE,
        price=draw(st.one_of(st.integers(1, 12), st.integers(1, 10**12), st.just(2**127 - 1))),
        units=draw(st.one_of(st.integers(1, 12), st.just(65_535))),
        policy_id=policy_id(policy),
        listing=HASH,
        open_by=NOW + draw(st.integers(0, DAY)),
        salt=HASH,
    )
    return terms, policy


class Play:
    """One order on a twin of its own, on which everybody has what it takes."""

    def __init__(self, terms: OrderTerms, policy: Policy) -> None:
        self.terms, self.policy = terms, policy
        self.twin = Escrow(DOMAIN)
        self.twin.register_policy(PLATFORM, NOW, policy, NOW + 300 * DAY)
        self.twin.books.balances = {(one, NATIVE): RICH for one in (BUYER, SELLER)}
        self.twin.fund_bond(SELLER, NOW, SELLER, NATIVE, 2**130, value=2**130)
        self.now = NOW

    @property
    def order(self) -> Order:
        return self.twin.order_of(self.terms)

    def open(self, at: int, *, offered: bool = False) -> None:
        self.now = at
        if offered:
            self.twin.open_with_offer(
                BUYER, at, self.terms, Offer(expiry=at + 1, signature=b""), value=self.terms.price
            )
        else:
            self.twin.open(BUYER, at, self.terms, value=self.terms.price)

    def options(self, at: int) -> list[Possibility]:
        """What anybody may do at the second `at`; parties that act together once."""
        found = [option for who in Who for option in possible(self.order, who, at)]
        return [option for option in found if option.who is not Who.Operator]  # who does nothing that the seller can't

    def take(self, option: Possibility, at: int, number: int = 0) -> None:
        """Does it. `number`: of units in dispute or of thousandths to the buyer, where one is to be named."""
        self.now = at
        move, terms, twin = option.move, self.terms, self.twin
        held = shares.held(self.order).amount
        actor = {
            Who.Buyer: terms.buyer,
            Who.Seller: terms.seller,
            Who.Parties: terms.buyer,
            Who.Platform: PLATFORM,
            Who.Mediator: mediator_now(self.order, at) or "",
            Who.Anyone: KEEPER,
        }[option.who]
        match move:
            case Move.Accept | Move.Settle:
                getattr(twin, move.value)(actor, at, terms)
            case Move.Deliver:
                twin.deliver(actor, at, terms, HASH)
            case Move.Dispute:
                units = 1 + number % terms.units
                twin.dispute(actor, at, terms, units, HASH, value=self.dispute_bond(units))
            case Move.Recommit:
                twin.recommit(actor, at, terms, self.order.revision, HASH)
            case Move.Revise:
                twin.revise(actor, at, terms, self.order.revision)
            case Move.Rule:
                twin.rule(actor, at, terms, held * (number % 1_001) // 1_000, HASH)
            case Move.Concede:
                twin.concede(actor, at, terms, Role.Buyer if option.who is Who.Buyer else Role.Seller)
            case Move.Agree:
                twin.agree(actor, at, terms, self.split(held * (number % 1_001) // 1_000), seller_signed=True)
            case _:
                getattr(twin, move.value)(actor, at, terms, self.order.state)

    def dispute_bond(self, units: int) -> int:
        sums: dict[str, Any] = {"price": self.terms.price, "units": self.terms.units, "disputed_units": units}
        return shares.held_in(State.Disputed, self.policy, **sums).dispute_bond

    def split(self, to_buyer: int) -> Split:
        order = self.order
        return Split(
            state=order.state,
            disputed_units=order.disputed_units,
            revision=order.revision,
            to_buyer=to_buyer,
            expiry=self.now + 60,
        )

    def paid(self, who: str) -> int:
        """What an account has got out of the order."""
        return self.twin.balance_of(who, NATIVE)

    def ended(self) -> Outcome:
        return self.order.outcome


def with_policy(terms: OrderTerms, policy: Policy) -> OrderTerms:
    return replace(terms, policy_id=policy_id(policy))
