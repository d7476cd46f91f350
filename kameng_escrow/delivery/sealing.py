"""A parcel, encrypted to its buyer: what is stored, what is put on the chain, and how the buyer opens and checks it.

The encryption is age's (age-encryption.org/v1) with X25519 recipients, in its binary form, so that every age program
opens a payload too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from .commitments import commitment_of, payload_hash
from .errors import DeliveryFalse, DeliveryKeyUnusable, PayloadTooLarge, PayloadUnreadable
from .parcels import Parcel, check_units

if TYPE_CHECKING:
    from pyrage.x25519 import Identity, Recipient

LARGEST_PAYLOAD = 8 * 1024 * 1024  # bytes; 65,535 codes of 100 characters have 7 MB
_MAGIC = b"age-encryption.org/v1\n"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """An encrypted parcel as it travels and is stored. Tells nobody but the buyer what is in it."""

    order_id: str
    root: str  # of the tree over the units, 0x-hex
    payload: bytes = field(repr=False)  # an age file

    @cached_property
    def payload_hash(self) -> str:
        """keccak256 of the payload, 0x-hex."""
        return payload_hash(self.payload)

    @property
    def commitment(self) -> str:
        """What the seller puts on the chain, 0x-hex. Raises `Malformed` where order id or root is no hash."""
        return commitment_of(self.order_id, self.root, self.payload_hash)


def seal(parcel: Parcel, recipient: str, *, also_to: Sequence[str] = ()) -> Delivery:
    """Encrypts a parcel to its buyer's recipient, `age1…`.

    Args:
        parcel: see `pack`.
        recipient: the buyer's, of this order.
        also_to: others who shall be able to open it, such as the seller's own key. They see everything.

    Raises:
        DeliveryKeyUnusable: a recipient is none.
        PayloadTooLarge: the codes are too long together.
    """
    import pyrage

    keys = [parse_recipient(one) for one in (recipient, *also_to)]
    payload = pyrage.encrypt(parcel.to_bytes(), keys)
    check_payload(payload)
    return Delivery(order_id=parcel.order_id, root=parcel.root(), payload=payload)


def check_payload(payload: bytes) -> None:
    """Passes what may be an encrypted delivery, as far as one can see who has no key.

    Raises:
        PayloadTooLarge: it has more bytes than a delivery may have.
        PayloadUnreadable: it is no age file.
    """
    if len(payload) > LARGEST_PAYLOAD:
        raise PayloadTooLarge(len(payload), LARGEST_PAYLOAD)
    if not payload.startswith(_MAGIC):
        raise PayloadUnreadable(
            "This is no encrypted delivery: it is not an age file.", "这不是加密的交付内容：不是 age 文件。"
        )


def open_delivery(delivery: Delivery, identity: str, *, units: int, commitment: str | None) -> Parcel:
    """Decrypts a delivery and checks that it is what the chain says was delivered, and as much as was ordered.

    Args:
        delivery: as it was received.
        identity: the order's key, `AGE-SECRET-KEY-1…`.
        units: of the order's terms.
        commitment: that the chain has for the order; None: the order was not delivered.

    Raises:
        DeliveryKeyUnusable: the identity is none.
        PayloadUnreadable: it does not open with this key, or is no parcel.
        DeliveryFalse: it opens, and is another payload, another order's, has another root or another number of codes.
    """
    if delivery.commitment != commitment:
        raise DeliveryFalse(
            f"This is not the delivery that the chain knows of for order {delivery.order_id}: its commitment is "
            f"{delivery.commitment}, on chain is {commitment or 'none'}. "
            "Get the payload again; if it stays so, dispute.",
            f"这不是链上记录的那份交付：它的承诺是 {delivery.commitment}，链上是 {commitment or '无'}。"
            "请重新获取；仍然如此就提出争议。",
        )
    parcel = decrypt(delivery.payload, identity)
    if parcel.order_id != delivery.order_id:
        raise DeliveryFalse(
            f"The codes inside are packed for order {parcel.order_id}, not for {delivery.order_id}: dispute.",
            f"里面的卡密是给订单 {parcel.order_id} 的，不是 {delivery.order_id} 的：请提出争议。",
        )
    if len(parcel.codes) != units:
        raise DeliveryFalse(
            f"There are {len(parcel.codes)} codes inside, and {units} were ordered: dispute.",
            f"里面有 {len(parcel.codes)} 个卡密，而订单要 {units} 个：请提出争议。",
        )
    if parcel.root() != delivery.root:
        raise DeliveryFalse(
            "The codes inside are not those that were committed to, so that none could be shown to a mediator alone: "
            "dispute.",
            "里面的卡密不是链上承诺的那些，无法单独向仲裁员出示：请提出争议。",
        )
    return parcel


def decrypt(payload: bytes, identity: str) -> Parcel:
    """What is in a payload, whoever packed it: nothing is compared with any order.

    Raises:
        DeliveryKeyUnusable: the identity is none.
        PayloadTooLarge, PayloadUnreadable: as `open_delivery`.
    """
    import pyrage

    key = parse_identity(identity)
    check_payload(payload)
    try:
        plaintext = pyrage.decrypt(payload, [key])
    except pyrage.DecryptError as error:
        raise PayloadUnreadable(
            "The delivery does not open with this key: it was damaged on the way, or encrypted to another key. Get it "
            "again, and check that the key is the one the order names; if both are right, dispute.",
            "用这把密钥打不开交付内容：传输中损坏了，或是加密给了别的密钥。请重新获取，并核对是不是本单的密钥；"
            "都没错就提出争议。",
        ) from error
    return Parcel.from_bytes(plaintext)


def prepare(parcel: Parcel, recipient: str, *, units: int, also_to: Sequence[str] = ()) -> Delivery:
    """`seal`, after checking that there is a code for each unit of the terms. Raises `CodesUnusable` too."""
    check_units(parcel.codes, units)
    return seal(parcel, recipient, also_to=also_to)


def parse_recipient(text: str) -> "Recipient":
    """The key to encrypt to. Raises `DeliveryKeyUnusable`."""
    import pyrage

    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise DeliveryKeyUnusable(
            "The buyer's delivery key is no age recipient: it begins with age1 and has 62 characters.",
            "买家的交付公钥不对：应是 age1 开头、共 62 个字符的 age 公钥。",
        ) from error


def parse_identity(text: str) -> "Identity":
    """The key to open with. Raises `DeliveryKeyUnusable`, which does not quote it."""
    import pyrage

    try:
        return pyrage.x25519.Identity.from_str(text.strip())
    except pyrage.IdentityError:
        raise DeliveryKeyUnusable(
            "The delivery key is no age identity: it begins with AGE-SECRET-KEY-1 and has 74 characters.",
            "交付密钥不对：应是 AGE-SECRET-KEY-1 开头、共 74 个字符的 age 私钥。",
        ) from None
