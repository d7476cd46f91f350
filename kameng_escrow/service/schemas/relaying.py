"""Relays and deposit addresses."""

from typing import Annotated, Any, Literal

from pydantic import Field

from kameng_escrow.store.relaying import RelayKind, RelayStage

from .common import Address, Amount, ChainSeconds, Hash, Hex, Model, View, Words, labelled
from .papers import ActionBody, OfferBody, PaymentBody, SplitBody, TermsBody


class RelayAction(Model):
    """An action that a party or operator signed."""

    kind: Literal["Action"]
    order_id: Hash
    action: ActionBody
    signature: Hex
    payment: PaymentBody | None = Field(default=None, description="Of a dispute's bond, signed by the buyer.")


class RelayAgreement(Model):
    """A split that both parties signed."""

    kind: Literal["Agreement"]
    order_id: Hash
    split: SplitBody
    buyer_signature: Hex
    seller_signature: Hex


class RelayOpening(Model):
    """An order, with the payment that its payer signed (EIP-3009 or Permit2)."""

    kind: Literal["Opening"]
    terms: TermsBody
    payment: PaymentBody
    offer: OfferBody | None = None


class RelayDepositRefund(Model):
    """The buyer's will to have back what lies at the deposit address of a registered order."""

    kind: Literal["DepositRefund"]
    order_id: Hash
    expiry: ChainSeconds
    signature: Hex


class RelayDepositSweep(Model):
    """What lies at the deposit address of a registered order and does not wait for it goes to refundTo."""

    kind: Literal["DepositSweep"]
    order_id: Hash
    token: Address | None = Field(default=None, description="Left out, the order's.")


NewRelayBody = Annotated[
    RelayAction | RelayAgreement | RelayOpening | RelayDepositRefund | RelayDepositSweep, Field(discriminator="kind")
]


class RelayView(View):
    """Something that was accepted to be brought to the chain."""

    id: str
    kind: str = labelled([kind.label for kind in RelayKind])
    verb: str | None = Field(description="Of an action.")
    order_id: Hash
    stage: str = labelled(
        [stage.label for stage in RelayStage],
        "Accepted, Sent and Mined may still change; Done, Failed and Refused are ends.",
    )
    ended: bool
    created_at: str
    transaction_hash: Hash | None = Field(description="In a block, or the last that was signed.")
    transaction_url: str | None
    cost: Amount = Field(description="Wei that were paid for it so far, by the platform's budget.")
    code: str | None = Field(description="Of the error that keeps it from the chain.")
    reason: Words | None


class RelaysView(View):
    """The relays of an order, the newest first."""

    relays: list[RelayView]


class PrepareDeposit(Model):
    """Terms that are to be paid by a plain transfer."""

    terms: TermsBody


class DepositPapersView(View):
    """Where such an order is paid, and what its buyer may sign so that it opens without the seller's offer."""

    order_id: Hash
    address: Address = Field(description="Where the price is to be sent, once the address is registered.")
    chain_id: int
    token: Address
    price: Amount
    open_by: ChainSeconds
    refund_to: Address
    consequence: Words
    typed_data: dict[str, Any] = Field(description="The terms, for the buyer's `eth_signTypedData_v4`.")
    warnings: list[Words]


class NewDeposit(Model):
    """An order that is to be paid by a plain transfer, and what opens it once that has come."""

    terms: TermsBody
    offer: OfferBody | None = Field(default=None, description="The seller's: the order opens as Accepted.")
    buyer_signature: Hex = Field(default="0x", description="Of the terms: the order opens and waits for the seller.")


class DepositView(View):
    """A deposit address, and what has come there. Amounts in base units of the order's token."""

    order_id: Hash
    address: Address = Field(description="Where the price is to be sent, on this chain, in this token.")
    chain_id: int
    token: Address
    price: Amount
    balance: Amount = Field(description="At the last look.")
    confirmed: Amount = Field(description="Likewise, under as many blocks as it takes.")
    confirmations: int = Field(description="Blocks that a deposit must lie under.")
    missing: Amount
    open_by: ChainSeconds
    refund_to: Address
    opens_with: list[str] = Field(description="offer, signature, or both.")
    watched: bool = Field(description="Whether the service still looks.")
    code: str | None = Field(description="Of what keeps the order from being opened.")
    reason: Words | None
    refund_typed_data: dict[str, Any] = Field(
        description="What the buyer signs to have everything back, for `eth_signTypedData_v4`."
    )
    warnings: list[Words]


class WarningsView(View):
    """What is weaker for a buyer without a wallet."""

    warnings: list[Words]
