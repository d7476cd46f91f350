"""What the contract refuses: one class per error of ``IKamengEscrow.sol``, in branches by what the caller should do.

Refusal
├── MustFix                           the same request is refused again: change what the message names
│   ├── WrongState, NotPossible         read the order again, then decide
│   ├── TooLate, Expired, ExpiryTooFar, WrongRevision, WrongDisputedUnits
│   ├── Unauthorized, WrongRole, ConflictOfInterest, InvalidSignature
│   ├── InvalidAddress, PriceOutOfRange, UnitsOutOfRange, AmountOutOfRange, WrongValue
│   ├── CancelNotAllowed, EmptyCommitment, LengthMismatch, UnknownRights
│   ├── TokenHasNoCode, NoPaymentDue, NothingToPay
│   ├── PolicyExists, PolicyUnknown, PolicyIsRetired, PolicyOutOfBounds
│   └── Malformed (inputs.py)           never reaches the contract: no address, hash, number or text that fits the field
├── MustWait                          the same request succeeds by itself, from the second `ready_at` on
│   └── TooEarly, PolicyNotEffective
├── MayRetry                          the same request succeeds after what the message says: more funds, gas or time
│   └── BondShort, PullFailed, PushFailed, InsufficientGas
└── NeedsHuman                        somebody must decide or repair something first
    ├── NoRight, PriceAboveGrant, PayToNotRegistered       the seller
    ├── PolicyReviewOverdue                                the platform
    ├── WrongAmountReceived, ReentrancyGuardReentrantCall  a token or receiver misbehaves
    └── Panicked, RevertedWithText, RevertedSilently, RevertedUnknown (reverts.py)   no error of the contract's own

What they say is in ``refusal_sentences.py``; ``reverts.py`` finds the refusal in a revert's data.
"""

from .refusal_base import Address, Amount, Bytes32, Refusal, Rights, Time, Token, Uint8, Uint256
from .refusal_sentences import Kind
from .states import PolicyField, Role, State, Verb


class MustFix(Refusal):
    """The same request is refused again: change what the message names."""


class MustWait(Refusal):
    """The same request succeeds by itself, later."""

    @property
    def ready_at(self) -> int:
        """The first Unix second at which it does."""
        return int(self.values[-1])


class MayRetry(Refusal):
    """The same request succeeds after what the message says."""


class NeedsHuman(Refusal):
    """Somebody must decide or repair something first."""


# ------------------------------------------------------------------------------------------------------------- orders


class WrongState(MustFix):
    """The order is in another state than the action needs, or than its caller expected."""

    order_id: Bytes32
    actual: State
    expected: State


class NotPossible(MustFix):
    """What was asked for can't be done in this state, expected or not."""

    order_id: Bytes32
    state: State


class TooEarly(MustWait):
    """Allowed from the second `allowed_from` on."""

    timestamp: Time
    allowed_from: Time


class TooLate(MustFix):
    """Allowed strictly before the second `allowed_before`."""

    timestamp: Time
    allowed_before: Time


class Unauthorized(MustFix):
    """`account` is not the one that may do this; `required` is."""

    account: Address
    required: Address


class WrongRole(MustFix):
    """`verb` can't be done in the role of `role`."""

    verb: Verb
    role: Role


class ConflictOfInterest(MustFix):
    """`account` decides about an order to which it is a party."""

    account: Address


class InvalidAddress(MustFix):
    """An address of the terms, policy or call is zero, the escrow, the token, or equal to one it must differ from."""

    attempted: Address


class PriceOutOfRange(MustFix):
    """The price is zero or 2^127 and more."""

    price: Amount
    max: Amount


class UnitsOutOfRange(MustFix):
    """Units are zero, or more are disputed than ordered."""

    units: Uint256
    max: Uint256


class AmountOutOfRange(MustFix):
    """More was awarded than is held."""

    amount: Amount
    max: Amount


class CancelNotAllowed(MustFix):
    """The policy forbids cancelling once accepted."""

    order_id: Bytes32


class EmptyCommitment(MustFix):
    """A delivery needs a commitment other than zero."""


class WrongRevision(MustFix):
    """The revision named is not the current one: what was signed has been voided."""

    attempted: Uint256
    current: Uint256


class WrongDisputedUnits(MustFix):
    """The split was signed for another number of disputed units."""

    attempted: Uint256
    current: Uint256


class LengthMismatch(MustFix):
    """Two lists that belong together differ in length."""

    left: Uint256
    right: Uint256


# --------------------------------------------------------------------------------------------- signatures, operators


class InvalidSignature(MustFix):
    """The signature is not `signer`'s over `digest`."""

    signer: Address
    digest: Bytes32


class Expired(MustFix):
    """Live only before the second `expiry`."""

    timestamp: Time
    expiry: Time


class ExpiryTooFar(MustFix):
    """A split may live 24 hours at most."""

    expiry: Time
    max: Time


class NoRight(NeedsHuman):
    """The operator does not hold the right for this seller, token and policy."""

    operator: Address
    right: Rights


class PriceAboveGrant(NeedsHuman):
    """The price is above what the operator may act on."""

    price: Amount
    max: Amount


class UnknownRights(MustFix):
    """The grant names rights that don't exist; `known` is the sum of those that do."""

    rights: Uint8
    known: Uint8


class PayToNotRegistered(NeedsHuman):
    """Operators act only on terms that pay the seller's registered address."""

    pay_to: Address
    registered: Address


# ----------------------------------------------------------------------------------------------------------- policies


class PolicyExists(MustFix):
    """The policy is registered already, for ever."""

    policy_id: Bytes32


class PolicyUnknown(MustFix):
    """No policy is registered under this id."""

    policy_id: Bytes32


class PolicyIsRetired(MustFix):
    """The policy takes no new orders any more."""

    policy_id: Bytes32


class PolicyNotEffective(MustWait):
    """New orders from the second `effective_from` on."""

    timestamp: Time
    effective_from: Time


class PolicyReviewOverdue(NeedsHuman):
    """New orders up to and including the second `review_by`; the platform must review the policy first."""

    timestamp: Time
    review_by: Time


class PolicyOutOfBounds(MustFix):
    """A number of the policy is outside what the contract allows: seconds, bps or Unix seconds, as the field is."""

    field: PolicyField
    value: Uint256
    min: Uint256
    max: Uint256

    def kinds(self) -> dict[str, Kind]:
        """Seconds, bps or times, as the field is."""
        if self.field >= PolicyField.EffectiveFrom:
            kind = Kind.Time
        else:
            kind = Kind.Seconds if self.field <= PolicyField.MediateWindow else Kind.Bps
        return {"field": Kind.Plain, "value": kind, "min": kind, "max": kind}


# -------------------------------------------------------------------------------------------------------------- money


class WrongValue(MustFix):
    """The value sent is not exactly what is due in the native coin."""

    sent: Amount
    required: Amount


class TokenHasNoCode(MustFix):
    """There is no contract at the token's address, or at Permit2's."""

    token: Address


class PullFailed(MayRetry):
    """The token refused to move `amount` from `sender` (Solidity: ``from``): allowance, signature, balance or a
    block list.
    """

    token: Token
    sender: Address
    amount: Amount


class WrongAmountReceived(NeedsHuman):
    """The token moved another amount than asked for."""

    token: Token
    received: Amount
    required: Amount


class PushFailed(MayRetry):
    """The receiver or the token refused the payment."""

    token: Token
    to: Address
    amount: Amount


class BondShort(MayRetry):
    """The seller's bond balance does not cover the bond."""

    seller: Address
    token: Token
    available: Amount
    required: Amount


class NoPaymentDue(MustFix):
    """A payment was signed for an action that takes none."""

    verb: Verb


class NothingToPay(MustFix):
    """There is nothing to pay out."""


class InsufficientGas(MayRetry):
    """Too little gas to tell a refusing receiver from a starved one: send more."""

    available: Uint256
    required: Uint256


class ReentrancyGuardReentrantCall(NeedsHuman):
    """A token or receiver called back into the escrow while it was moving money (OpenZeppelin's guard)."""


# ------------------------------------------------------------------------------------------------------- the registry

REFUSALS: dict[str, type[Refusal]] = {
    cls.__name__: cls for branch in (MustFix, MustWait, MayRetry, NeedsHuman) for cls in branch.__subclasses__()
}
"""Every class that stands for an error in the contract's ABI, by the error's name."""
