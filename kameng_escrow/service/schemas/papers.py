"""What is signed off the chain, as it is sent: terms, offers, actions, splits, payments."""

from typing import TypeVar

from pydantic import Field

from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.domain.inputs import parse_address, parse_hash
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.payments import Payment, PaymentMethod
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.signed import Action, Offer, Split
from kameng_escrow.domain.states import Role, State, Verb

from .common import Address, Amount, ChainSeconds, Hash, Hex, Model, labelled

W = TypeVar("W", State, Role, Verb)

ZERO_HASH = "0x" + "00" * 32
_STATES = [member.label for member in State]


class TermsBody(Model):
    """What the parties agree on; its EIP-712 digest is the order's id."""

    buyer: Address
    refund_to: Address = Field(description="Where the buyer's money goes back.")
    seller: Address
    pay_to: Address = Field(description="Where the seller's money goes.")
    token: Address = Field(description="An ERC-20, or the zero address: the chain's native coin.")
    price: Amount
    units: int = Field(ge=0, lt=2**16, description="Identical card lines.")
    policy_id: Hash
    listing: Hash
    open_by: ChainSeconds
    salt: Hash

    def value(self) -> OrderTerms:
        """The domain's. Raises `Malformed`."""
        return OrderTerms(
            buyer=parse_address(self.buyer, "buyer"),
            refund_to=parse_address(self.refund_to, "refund_to"),
            seller=parse_address(self.seller, "seller"),
            pay_to=parse_address(self.pay_to, "pay_to"),
            token=parse_address(self.token, "token"),
            price=int(self.price),
            units=self.units,
            policy_id=parse_hash(self.policy_id, "policy_id"),
            listing=parse_hash(self.listing, "listing"),
            open_by=self.open_by,
            salt=parse_hash(self.salt, "salt"),
        )


class OfferBody(Model):
    """The seller's signed promise to accept one order."""

    expiry: ChainSeconds = Field(description="It lives while t < expiry.")
    signature: Hex
    operator: Address = Field(default=ZERO_ADDRESS, description="Who signed, where the seller did not itself.")

    def value(self) -> Offer:
        """The domain's. Raises `Malformed`."""
        return Offer(
            expiry=self.expiry, signature=signature(self.signature), operator=parse_address(self.operator, "operator")
        )


class ActionBody(Model):
    """What a party or operator signs for others to bring (EIP-712 `Action`, but for the order's id)."""

    verb: str = labelled([member.label for member in Verb])
    state: str = labelled(_STATES, "The state that the signer takes the order to be in.")
    role: str = labelled([member.label for member in Role])
    signer: Address
    number: Amount = Field(default="0", description="Units of a dispute, revision of a Revise or Recommit, else 0.")
    content: Hash = Field(default=ZERO_HASH, description="Commitment, or evidence.")
    expiry: ChainSeconds = Field(description="It may be brought while t < expiry.")

    def value(self) -> Action:
        """The domain's. Raises `Malformed`, `InvalidInput`."""
        return Action(
            verb=word(Verb, self.verb, "verb"),
            state=word(State, self.state, "state"),
            role=word(Role, self.role, "role"),
            signer=parse_address(self.signer, "signer"),
            expiry=self.expiry,
            number=int(self.number),
            content=parse_hash(self.content, "content"),
        )


class SplitBody(Model):
    """A division of what is held, to be signed by both parties (EIP-712 `Split`, but for the order's id)."""

    state: str = labelled(_STATES)
    disputed_units: int = Field(ge=0, lt=2**16)
    revision: int = Field(ge=0, lt=2**24)
    to_buyer: Amount = Field(description="Of the price, or of the sum in dispute.")
    expiry: ChainSeconds = Field(description="t < expiry ≤ t + 24 hours.")

    def value(self) -> Split:
        """The domain's. Raises `InvalidInput`."""
        return Split(
            state=word(State, self.state, "state"),
            disputed_units=self.disputed_units,
            revision=self.revision,
            to_buyer=int(self.to_buyer),
            expiry=self.expiry,
        )


class PaymentBody(Model):
    """A payment, signed by its payer or to be."""

    method: PaymentMethod
    payer: Address
    token: Address
    amount: Amount
    nonce: Amount
    deadline: Amount = Field(description="Unix seconds.")
    signature: Hex = "0x"

    def value(self) -> Payment:
        """The domain's. Raises `Malformed`."""
        return Payment(
            method=self.method,
            payer=parse_address(self.payer, "payer"),
            token=parse_address(self.token, "token"),
            amount=int(self.amount),
            nonce=int(self.nonce),
            deadline=int(self.deadline),
            signature=signature(self.signature),
        )


def signature(text: str) -> bytes:
    """The bytes of what was matched as hex."""
    return bytes.fromhex(text[2:])


def word(kind: type[W], label: str, field: str) -> W:
    """The contract's word. Raises `InvalidInput`."""
    try:
        return kind.from_label(label)
    except ValueError:
        words = ", ".join(member.label for member in kind)
        raise InvalidInput(
            f"{field} must be one of {words}, not {label[:32]!r}.",
            f"{field} 应为 {words} 之一，不能是 {label[:32]!r}。",
        ) from None
