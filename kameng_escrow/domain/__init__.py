"""The rules of an order as pure code: the twin of the contract.

Nothing here does I/O, reads a clock or imports another part of the package. Amounts are integers in base units, shares
are integers in bps (1/10,000), times are integers in Unix seconds of the chain's clock (UTC), every division rounds
down. Addresses are EIP-55 checksummed strings, hashes are lowercase ``0x`` strings of 32 bytes. Names are the
contract's, in Python's spelling: ``refundTo`` is ``refund_to``.

What this module offers is what most callers need. Beside it, by module: ``events`` (one class per event), ``refusals``
(one per error), ``shares`` (the money of every row), ``incentives`` (what each move pays), ``twin`` (the whole contract
without a chain).
"""

from .actions import NextAction, Possibility, next_action, possible
from .categories import CATEGORY_LABELS, Category, category_label
from .currency import Currency
from .events import Event, Logged, OrderEvent
from .fold import BrokenHistory, WrongShares, fold
from .inputs import Malformed, check_address, check_hash, check_uint, parse_address, parse_hash
from .labels import POLICY_LABELS, Label, label_of, rights_label
from .lifecycle import LIFECYCLE, Clock, Move, Row, Who
from .listing import (
    Goods,
    ListingDocument,
    ListingMismatch,
    make_document,
    parse_document,
    verify_document,
)
from .order import NATIVE, Order, OrderTerms, Shares
from .payments import Payment, PaymentMethod
from .policy import NO_CANCEL, ZERO_ADDRESS, Policy, recommended_policy, validate_policy, validate_review_by
from .policy_check import check_policy
from .policy_warnings import PolicyWarning, Severity
from .refusal_base import Refusal
from .refusals import REFUSALS, MayRetry, MustFix, MustWait, NeedsHuman
from .reverts import decode_refusal
from .shares import Closing, Held
from .signed import Action, Offer, OperatorGrant, Split
from .states import Fault, Outcome, PolicyField, Right, Role, State, Verb
from .summary import Summary, summarize
from .terms import check_terms
from .typed_data import (
    Domain,
    action_digest,
    action_typed_data,
    offer_digest,
    offer_typed_data,
    order_id,
    policy_id,
    split_digest,
    split_typed_data,
    terms_typed_data,
)

__all__ = [
    "CATEGORY_LABELS",
    "LIFECYCLE",
    "NATIVE",
    "NO_CANCEL",
    "POLICY_LABELS",
    "REFUSALS",
    "ZERO_ADDRESS",
    "Action",
    "BrokenHistory",
    "Category",
    "Clock",
    "Closing",
    "Currency",
    "Domain",
    "Event",
    "Fault",
    "Goods",
    "Held",
    "Label",
    "ListingDocument",
    "ListingMismatch",
    "Logged",
    "Malformed",
    "MayRetry",
    "Move",
    "MustFix",
    "MustWait",
    "NeedsHuman",
    "NextAction",
    "Offer",
    "OperatorGrant",
    "Order",
    "OrderEvent",
    "OrderTerms",
    "Outcome",
    "Payment",
    "PaymentMethod",
    "Policy",
    "PolicyField",
    "PolicyWarning",
    "Possibility",
    "Refusal",
    "Right",
    "Role",
    "Row",
    "Severity",
    "Shares",
    "Split",
    "State",
    "Summary",
    "Verb",
    "Who",
    "WrongShares",
    "action_digest",
    "action_typed_data",
    "category_label",
    "check_address",
    "check_hash",
    "check_policy",
    "check_terms",
    "check_uint",
    "decode_refusal",
    "fold",
    "label_of",
    "make_document",
    "next_action",
    "offer_digest",
    "offer_typed_data",
    "order_id",
    "parse_address",
    "parse_document",
    "parse_hash",
    "policy_id",
    "possible",
    "recommended_policy",
    "rights_label",
    "split_digest",
    "split_typed_data",
    "summarize",
    "terms_typed_data",
    "validate_policy",
    "validate_review_by",
    "verify_document",
]
