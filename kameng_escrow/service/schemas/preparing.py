"""What an account's wallet is given to sign and send."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from kameng_escrow.domain.inputs import parse_address, parse_hash
from kameng_escrow.domain.lifecycle import Move
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.payments import PaymentMethod
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.signed import OperatorGrant
from kameng_escrow.domain.states import State
from kameng_escrow.relay.deeds import Deed
from kameng_escrow.relay.moves import Wish

from .common import Address, Amount, ChainSeconds, Hash, Hex, Model, View, Words, labelled
from .papers import (
    ZERO_HASH,
    ActionBody,
    OfferBody,
    PaymentBody,
    SplitBody,
    TermsBody,
    signature,
    word,
)


class PrepareMove(Model):
    """A move of an order, and what it needs: see the contract's function of that name."""

    move: str = labelled([move for move in Move if move not in (Move.Open, Move.OpenWithOffer)])
    units: int | None = Field(default=None, ge=1, lt=2**16, description="Of a dispute.")
    evidence: Hash = Field(default=ZERO_HASH, description="Of a dispute: a hash of the evidence.")
    commitment: Hash | None = Field(default=None, description="Of a delivery, or of one that takes its place.")
    to_buyer: Amount | None = Field(default=None, description="Of a ruling or a split.")
    grounds: Hash = Field(default=ZERO_HASH, description="Of a ruling: a hash of the written grounds.")
    split: SplitBody | None = Field(default=None, description="Of an agreement that somebody has signed.")
    buyer_signature: Hex = "0x"
    seller_signature: Hex = "0x"
    expected: str | None = Field(
        default=None,
        description="The state that the caller takes the order to be in; left out, the one it is in.",
        json_schema_extra={"enum": [*(member.label for member in State), None]},
    )
    expiry: ChainSeconds | None = Field(default=None, description="Of what is signed; left out, an hour, a split 23.")
    bond: PaymentMethod | None = Field(
        default=None, description="Of a dispute in a token: how its bond is to be paid by signature, if at all."
    )

    def wish(self) -> Wish:
        """What the move is made with. Raises `Malformed`, `InvalidInput`."""
        return Wish(
            units=self.units,
            evidence=parse_hash(self.evidence, "evidence"),
            commitment=None if self.commitment is None else parse_hash(self.commitment, "commitment"),
            to_buyer=None if self.to_buyer is None else int(self.to_buyer),
            grounds=parse_hash(self.grounds, "grounds"),
            split=None if self.split is None else self.split.value(),
            buyer_signature=signature(self.buyer_signature),
            seller_signature=signature(self.seller_signature),
            expected=None if self.expected is None else word(State, self.expected, "expected"),
            expiry=self.expiry,
        )


class PrepareOpening(Model):
    """An order to be opened."""

    terms: TermsBody
    offer: OfferBody | None = Field(default=None, description="With it the order opens as Accepted.")
    pay_by: PaymentMethod | None = Field(
        default=None, description="By which signature the caller wants to pay; left out, by allowance or coins."
    )


# ------------------------------------------------------------------------------------------------------------ deeds


class FundBond(Model):
    """Adds to a seller's bond balance."""

    deed: Literal["fund_bond"]
    amount: Amount
    token: Address = NATIVE
    seller: Address | None = Field(default=None, description="Left out, the caller.")

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """What the SDK's method takes; likewise below. Raises `Malformed`."""
        return [], {"amount": int(self.amount), "token": self.token, "seller": self.seller}


class WithdrawBond(Model):
    """Takes from the caller's bond balance."""

    deed: Literal["withdraw_bond"]
    amount: Amount
    token: Address = NATIVE
    to: Address | None = Field(default=None, description="Left out, the caller.")

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        return [], {"amount": int(self.amount), "token": self.token, "to": self.to}


class RegisterPayTo(Model):
    """Registers where operators may let the caller's money go."""

    deed: Literal["register_pay_to"]
    pay_to: Address

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        return [self.pay_to], {}


class SetOperator(Model):
    """Grants, changes or takes away what an operator may do."""

    deed: Literal["set_operator"]
    operator: Address
    policy_id: Hash
    token: Address = NATIVE
    rights: int = Field(ge=0, le=15, description="A sum of 1 accept, 2 deliver, 4 decline, 8 refund; 0: none.")
    expiry: ChainSeconds
    max_price: Amount

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        grant = OperatorGrant(rights=self.rights, expiry=self.expiry, max_price=int(self.max_price))
        return [self.operator], {"policy_id": self.policy_id, "token": self.token, "grant": grant}


class PayCredit(Model):
    """Tries again to pay an account what it is owed."""

    deed: Literal["pay_credit"]
    account: Address
    token: Address = NATIVE

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        return [], {"account": self.account, "token": self.token}


class WithdrawCredit(Model):
    """Pays what the caller is owed elsewhere."""

    deed: Literal["withdraw_credit"]
    token: Address = NATIVE
    to: Address | None = Field(default=None, description="Left out, the caller.")

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        return [], {"token": self.token, "to": self.to}


class ClaimFees(Model):
    """Pays a policy's fees to its fee receiver."""

    deed: Literal["claim_fees"]
    policy_id: Hash
    token: Address = NATIVE

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        return [self.policy_id], {"token": self.token}


class RegisterPolicy(Model):
    """Registers rules of the caller's platform, for ever."""

    deed: Literal["register_policy"]
    accept_window: int = Field(ge=0, lt=2**32, description="Seconds, likewise the other windows.")
    deliver_window: int = Field(ge=0, lt=2**32)
    inspect_window: int = Field(ge=0, lt=2**32)
    negotiate_window: int = Field(ge=0, lt=2**32)
    mediate_window: int = Field(ge=0, lt=2**32)
    platform_fee_bps: int = Field(ge=0, lt=2**16)
    cancel_fee_bps: int = Field(ge=0, lt=2**16, description="16383: no cancelling once accepted.")
    seller_bond_bps: int = Field(ge=0, lt=2**16)
    dispute_bond_bps: int = Field(ge=0, lt=2**16)
    mediation_fee_bps: int = Field(ge=0, lt=2**16)
    silence_share_bps: int = Field(ge=0, lt=2**16)
    mediator: Address
    backup_mediator: Address = NATIVE
    fee_receiver: Address
    effective_from: ChainSeconds = 0
    review_by: ChainSeconds | None = Field(default=None, description="Left out, a year from now.")

    def policy(self, platform: str) -> Policy:
        """The domain's. Raises `Malformed`."""
        values = self.model_dump(exclude={"deed", "review_by"})
        for name in ("mediator", "backup_mediator", "fee_receiver"):
            values[name] = parse_address(values[name], name)
        return Policy(platform=platform, **values)


class ReviewPolicy(Model):
    """Moves a policy's review date forward."""

    deed: Literal["review_policy"]
    policy_id: Hash
    review_by: ChainSeconds | None = Field(default=None, description="Left out, a year from now.")

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        return [self.policy_id], {"review_by": self.review_by}


class RetirePolicy(Model):
    """Takes no new orders under a policy."""

    deed: Literal["retire_policy"]
    policy_id: Hash

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        return [self.policy_id], {}


class ApprovePermit2(Model):
    """Lets Permit2 take a token wherever the caller signs for it."""

    deed: Literal["approve_permit2"]
    token: Address

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        return [self.token], {}


class Revise(Model):
    """The seller voids what it has promised for terms that nobody opened yet."""

    deed: Literal["revise"]
    terms: TermsBody

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        return [self.terms.value()], {}


class OpenFromDeposit(Model):
    """Opens an order with what lies at its deposit address."""

    deed: Literal["open_from_deposit"]
    terms: TermsBody
    offer: OfferBody | None = None
    signature: Hex = Field(default="0x", description="The buyer's, of the terms; empty where the caller is the buyer.")

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        offer = None if self.offer is None else self.offer.value()
        return [self.terms.value()], {"offer": offer, "signature": signature(self.signature)}


class RefundDeposit(Model):
    """The buyer takes back what lies at an order's deposit address."""

    deed: Literal["refund_deposit"]
    terms: TermsBody

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        return [self.terms.value()], {}


class SweepDeposit(Model):
    """Sends back what lies at a deposit address and does not wait for the order."""

    deed: Literal["sweep_deposit"]
    terms: TermsBody
    token: Address | None = Field(default=None, description="Left out, the order's.")

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        return [self.terms.value()], {"token": self.token}


PrepareDeed = Annotated[
    FundBond
    | WithdrawBond
    | RegisterPayTo
    | SetOperator
    | PayCredit
    | WithdrawCredit
    | ClaimFees
    | RegisterPolicy
    | ReviewPolicy
    | RetirePolicy
    | ApprovePermit2
    | Revise
    | OpenFromDeposit
    | RefundDeposit
    | SweepDeposit,
    Field(discriminator="deed"),
]


def deed_of(body: Any) -> Deed:
    """Which deed a body is of."""
    return Deed(body.deed)


# ------------------------------------------------------------------------------------------------------------ answers


class TransactionView(View):
    """An unsigned transaction as a wallet takes it for `eth_sendTransaction`: quantities as 0x-hex."""

    model_config = ConfigDict(populate_by_name=True)

    sender: Address = Field(alias="from")
    to: Address
    data: str
    value: str
    chain_id: str = Field(alias="chainId")
    gas: str | None = Field(
        default=None, description="Absent where it can't be known before the transaction in front of it."
    )


class PaymentPapersView(View):
    """A payment for the account to sign, and its typed data."""

    payment: PaymentBody
    typed_data: dict[str, Any]


class PapersView(View):
    """What an account needs for a move, an opening or a deed. Nobody but its wallet has its key."""

    transactions: list[TransactionView] = Field(
        description="To be sent in this order by the account itself; none: it takes more signatures first."
    )
    consequence: Words = Field(description="What happens to the money.")
    action: ActionBody | None = Field(
        default=None, description="To be signed instead, so that others may bring it: see `POST /v1/relays`."
    )
    split: SplitBody | None = Field(default=None, description="To be signed by both parties.")
    typed_data: dict[str, Any] | None = Field(
        default=None, description="Of the action or the split, for `eth_signTypedData_v4`."
    )
    payment: PaymentPapersView | None = Field(
        default=None, description="To be signed too: the price, or the bond of a dispute."
    )
