"""An order: what the parties agreed on, and where it stands."""

from dataclasses import dataclass

from .policy import Policy
from .states import Fault, Outcome, State

NATIVE = "0x0000000000000000000000000000000000000000"  # as a token: the chain's native coin


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTerms:
    """The contract's ``OrderTerms``: what the parties agreed on. Its EIP-712 digest is the order's id."""

    buyer: str
    refund_to: str  # where the buyer's money goes back
    seller: str
    pay_to: str  # where the seller's money goes
    token: str  # an ERC-20, or NATIVE
    price: int  # base units of the token; 0 < price < 2^127
    units: int  # identical card lines, 1 … 65,535
    policy_id: str
    listing: str  # hash of listing, platform order number, the buyer's delivery key and 32 random bytes
    open_by: int  # Unix seconds; the last second at which the order may be opened
    salt: str  # 32 bytes; makes equal orders different


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What an ending, or the undisputed part of a dispute, paid. Base units."""

    to_buyer: int  # to refund_to
    to_seller: int  # to pay_to
    platform_fee: int  # accrued to the policy
    bond_returned: int  # to the seller's bond balance
    mediation_fee: int = 0  # credited to the mediator


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as its events tell it. ``fold`` makes it; nothing else does."""

    id: str
    state: State
    revision: int
    terms: OrderTerms | None = None  # None only in State.Nothing, where a revision may be raised before the opening
    policy: Policy | None = None  # None only with the terms
    payer: str | None = None
    opened_at: int | None = None  # Unix seconds, likewise the other times
    accepted_at: int | None = None
    delivered_at: int | None = None
    disputed_at: int | None = None
    closed_at: int | None = None
    deadline: int | None = None  # when the clock of the current state runs out; None when no clock runs
    commitment: str | None = None  # of what was delivered; replaced by a recommit
    disputed_units: int = 0
    evidence: str | None = None  # the buyer's, with the dispute
    grounds: str | None = None  # the mediator's, with the ruling
    mediator: str | None = None  # who ruled, or earned the fee of a concession
    awarded: int | None = None  # by the ruling, to the buyer out of the sum in dispute; base units
    mediation_fee: int = 0  # credited to the mediator; base units
    undisputed: Shares | None = None  # what the units not in dispute paid when the dispute began
    outcome: Outcome = Outcome.Nothing
    fault: Fault = Fault.Nobody
    shares: Shares | None = None  # what the ending paid; None while open
