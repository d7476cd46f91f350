"""Encrypted deliveries, what is known of their codes, and what was disclosed of them."""

from typing import Annotated, Final, Self

from pydantic import Field, StrictBool, model_validator

from kameng_escrow.delivery.codes import LONGEST_CODE
from kameng_escrow.delivery.release import Stage
from kameng_escrow.delivery.sealing import LARGEST_PAYLOAD
from kameng_escrow.domain.terms import MAX_UNITS

from .common import Address, Hash, Model, View, labelled

MOST_AT_ONCE: Final = 100  # orders in one transaction
_BASE64 = (LARGEST_PAYLOAD + 2) // 3 * 4

Tag = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="16 bytes in hex.")]
KeyName = Annotated[str, Field(pattern="^[A-Za-z0-9._-]{1,16}$")]


class TagSet(Model):
    """The tags of a delivery's codes, made with one key (see `tag-keys`)."""

    key_id: KeyName
    tags: list[Tag] = Field(min_length=1, max_length=MAX_UNITS, description="Unit 1 first.")


class NewDelivery(Model):
    """Codes, encrypted to their buyer. Store them before they are delivered on the chain."""

    root: Hash = Field(description="Of the Merkle tree over the units.")
    payload: str = Field(min_length=4, max_length=_BASE64, description="An age file, in base64.")
    tags: list[TagSet] = Field(default=[], max_length=8, description="By each key; none: nobody looks for duplicates.")
    allow_duplicates: StrictBool = Field(default=False, description="Store it although a code was delivered elsewhere.")


class CodeCheck(Model):
    """Tags to compare with what was delivered."""

    tags: list[TagSet] = Field(min_length=1, max_length=8)


class DuplicateView(View):
    """A code that was delivered, or is about to be, in another order."""

    unit: int
    order_id: Hash | None = Field(description="The other order, where it is the same seller's.")
    stored_at: str


class DuplicatesView(View):
    duplicates: list[DuplicateView]


class TagKeyView(View):
    id: KeyName
    key: Hash = Field(description="Make a tag of each code with it; see the manual on card delivery.")


class TagKeysView(View):
    """The keys of the order's platform, newest first: send tags by each of them."""

    keys: list[TagKeyView]


class DeliveryView(View):
    """A stored delivery: what everybody on the order may know of it."""

    id: str
    order_id: Hash
    commitment: Hash
    root: Hash
    payload_hash: Hash
    size: int = Field(description="Bytes of the payload.")
    stored_by: Address
    stored_at: str
    read_at: str | None = Field(description="When the buyer had it first.")
    erased_at: str | None
    stage: str = labelled(Stage, "Released: the buyer may read it.")
    block_number: int | None = Field(description="Of its commitment on the chain.")
    blocks_left: int | None = Field(description="Until that is final, about; null: it is, or it is not on the chain.")
    current: bool = Field(description="Whether its commitment is the order's last.")


class StoredView(DeliveryView):
    """A delivery just stored. Put its commitment on the chain with `deliver` or `recommit`."""

    duplicates: list[DuplicateView] = Field(description="Codes that were delivered elsewhere, and allowed here.")


class DeliveriesView(View):
    deliveries: list[DeliveryView]


class PayloadView(View):
    """What the buyer opens with the order's key."""

    chain_id: int
    contract: Address
    order_id: Hash
    root: Hash
    payload_hash: Hash
    commitment: Hash
    payload: str = Field(description="An age file, in base64.")


class UnitDisclosure(Model):
    """One unit, shown without the others."""

    unit: int = Field(ge=1, le=MAX_UNITS)
    code: str = Field(min_length=1, max_length=LONGEST_CODE)
    salt: Hash
    proof: list[Hash] = Field(max_length=16)


class NewDisclosure(Model):
    """What a party shows the mediator: one unit, or the order's key. Whoever runs the service can read it then."""

    payload_hash: Hash
    unit: UnitDisclosure | None = None
    identity: str | None = Field(
        default=None, pattern="^AGE-SECRET-KEY-1[A-Z0-9]{58}$", description="The order's key: opens every unit."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.unit is None) == (self.identity is None):
            raise ValueError("give either a unit or an identity")
        return self


class DisclosureView(View):
    """What a party disclosed, and whether the chain bears it out."""

    id: str
    account: Address = Field(description="Who disclosed it.")
    disclosed_at: str
    erased_at: str | None
    payload_hash: Hash
    unit: int | None = Field(description="Null: the whole delivery.")
    code: str | None
    salt: Hash | None
    proof: list[Hash] | None
    identity: str | None
    delivery_key: str | None = Field(description="The public half of the identity: compare it with the listing's.")
    matches: bool = Field(description="Whether it is what was committed to, and as much as was ordered.")
    current: bool = Field(description="Whether that is the order's last commitment.")
    reason: str | None = Field(description="The code of what is wrong; null: it matches, or is erased.")


class DisclosuresView(View):
    disclosures: list[DisclosureView]


class OneDelivery(Model):
    order_id: Hash
    commitment: Hash


class ManyDeliveries(Model):
    """Orders to deliver in one transaction. Their deliveries must be stored."""

    deliveries: list[OneDelivery] = Field(min_length=1, max_length=MOST_AT_ONCE)


class DeliverManyView(View):
    """An unsigned transaction for the caller's wallet."""

    transaction: dict[str, str] = Field(description="As eth_sendTransaction takes it.")
    order_ids: list[Hash]


class ErasedView(View):
    erased: int = Field(description="Payloads that are gone now.")
