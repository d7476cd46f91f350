"""What the contract says happened. Each class is the event of the same name in ``IKamengEscrow.sol``."""

from dataclasses import dataclass

from .order import OrderTerms
from .policy import Policy
from .states import Fault, Outcome, State


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOpened:
    order_id: str
    terms: OrderTerms
    payer: str
    state: State  # Opened, or Accepted with an offer


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAccepted:
    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDelivered:
    order_id: str
    commitment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDisputed:
    order_id: str
    units: int
    evidence: str
    dispute_bond: int  # base units, likewise the other amounts
    to_seller: int
    platform_fee: int
    bond_returned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecommitted:
    order_id: str
    commitment: str
    revision: int  # the new one


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRevised:
    order_id: str
    revision: int  # the new one


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRuled:
    order_id: str
    mediator: str
    to_buyer: int
    grounds: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MediationFeeCredited:
    order_id: str
    mediator: str
    token: str
    fee: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderClosed:
    order_id: str
    outcome: Outcome
    fault: Fault
    to_buyer: int
    to_seller: int
    platform_fee: int
    bond_returned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BondFunded:
    seller: str
    token: str
    sender: str  # the contract's ``from``
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BondWithdrawn:
    seller: str
    token: str
    to: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PayToRegistered:
    seller: str
    pay_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSet:
    seller: str
    operator: str
    token: str
    policy_id: str
    rights: int
    expiry: int
    max_price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRegistered:
    policy_id: str
    platform: str
    policy: Policy
    review_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyReviewed:
    policy_id: str
    review_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRetired:
    policy_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    account: str
    token: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditPaid:
    account: str
    token: str
    to: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeesClaimed:
    policy_id: str
    token: str
    receiver: str
    amount: int


OrderEvent = (
    OrderOpened
    | OrderAccepted
    | OrderDelivered
    | OrderDisputed
    | OrderRecommitted
    | OrderRevised
    | OrderRuled
    | MediationFeeCredited
    | OrderClosed
)
PolicyEvent = PolicyRegistered | PolicyReviewed | PolicyRetired
LedgerEvent = BondFunded | BondWithdrawn | Credited | CreditPaid | FeesClaimed
SellerEvent = PayToRegistered | OperatorSet
Event = OrderEvent | PolicyEvent | LedgerEvent | SellerEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """An event and where the chain has it."""

    event: Event
    block_number: int
    block_hash: str
    timestamp: int  # Unix seconds of the block
    transaction_hash: str
    log_index: int  # within the block
