"""Terms receipts, and the dispute that a buyer signs beforehand."""

from typing import Any

from pydantic import Field

from kameng_escrow.domain.terms import MAX_UNITS

from .common import ChainSeconds, Hash, Hex, Model, View


class ReceiptView(View):
    """All that a party needs to act without this service; see the manual on card delivery. Keep it as it is: it has a
    digest.
    """

    kind: str
    version: int
    order_id: Hash
    deployment: dict[str, Any]
    terms: dict[str, Any]
    policy: dict[str, Any]
    policy_id: Hash
    currency: dict[str, Any]
    summary: dict[str, Any] = Field(description="The rules in plain words, in both languages.")
    listing: dict[str, Any] | None = Field(description="The listing document, where this service has it.")
    offer: dict[str, Any] | None = Field(description="The seller's last offer, where this service has it.")
    dispute: dict[str, Any] | None
    digest: Hash


class DisputeToSignView(View):
    """What the buyer's wallet signs, so that a watchtower may dispute for it."""

    units: int
    evidence: Hash
    expiry: ChainSeconds
    typed_data: dict[str, Any] = Field(description="For eth_signTypedData_v4.")


class SignedDispute(Model):
    """A dispute as the buyer has signed it."""

    units: int = Field(ge=1, le=MAX_UNITS)
    evidence: Hash = Field(default="0x" + "00" * 32)
    expiry: ChainSeconds
    signature: Hex
