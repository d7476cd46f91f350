"""What can go wrong with a delivery.

DeliveryError
├── CodesUnusable        the list of codes can't be read, or is not what was ordered: fix the line it names
├── DeliveryKeyUnusable  no age key, or none that opens anything: use the buyer's
├── SignatureUnsuitable  a wallet's signature that no key can be made of: use a key of your own, wrapped
├── PayloadUnreadable    no delivery, or it does not open with this key: get it again, or use the key it was made for
├── PayloadTooLarge      more than a delivery may have: deliver fewer codes at once
├── DeliveryFalse        it opens, and is not what the chain says was delivered: dispute
├── DisclosureFalse      what was disclosed is not what was committed to: it proves nothing
├── CodesSoldBefore      some codes were delivered in another order: take them out, or say that it is meant
└── NotReleased          the buyer can't have it yet, or not any more: wait for as many blocks as it says
"""

from collections.abc import Sequence

from kameng_escrow.errors import EscrowError


class DeliveryError(EscrowError):
    """The root of the delivery's errors. None quotes a code or a key."""

    code = "delivery_error"

    def __init__(self, message: str, message_zh: str) -> None:
        super().__init__(message)
        self.message_zh = message_zh


class CodesUnusable(DeliveryError):
    """The seller's list of codes can't be read, or is not what was ordered. `line` names the place, where it is one."""

    code = "codes_unusable"

    def __init__(self, message: str, message_zh: str, *, line: int | None = None) -> None:
        super().__init__(message, message_zh)
        self.line = line


class DeliveryKeyUnusable(DeliveryError):
    """What should be an age key is none."""

    code = "delivery_key_unusable"


class SignatureUnsuitable(DeliveryError):
    """No delivery key can be made of the signature: it is a contract's, another account's, or different each time."""

    code = "signature_unsuitable"


class PayloadUnreadable(DeliveryError):
    """The payload is no delivery, is damaged, or was encrypted to another key."""

    code = "payload_unreadable"


class PayloadTooLarge(DeliveryError):
    """The payload has more bytes than a delivery may have."""

    code = "payload_too_large"

    def __init__(self, size: int, largest: int) -> None:
        super().__init__(
            f"The delivery has {size:,} bytes, and may have {largest:,}: deliver fewer or shorter codes.",
            f"交付内容有 {size:,} 字节，最多 {largest:,} 字节：请减少卡密的数量或长度。",
        )
        self.size = size
        self.largest = largest


class DeliveryFalse(DeliveryError):
    """The delivery opens, and is not what the order and the commitment on the chain say."""

    code = "delivery_false"


class DisclosureFalse(DeliveryError):
    """What somebody disclosed does not lead to the commitment on the chain."""

    code = "disclosure_false"


class CodesSoldBefore(DeliveryError):
    """Some codes of a delivery were delivered in another order already. `units` names them."""

    code = "codes_sold_before"

    def __init__(self, units: Sequence[int]) -> None:
        shown = ", ".join(str(unit) for unit in units[:10]) + (" …" if len(units) > 10 else "")
        super().__init__(
            f"The codes of units {shown} were delivered in another order: take them out, or allow it if it is meant.",
            f"第 {shown} 张的卡密在别的订单里交付过：请换掉它们；确实要重复交付，请明确允许。",
        )
        self.units = tuple(units)


class NotReleased(DeliveryError):
    """A stored delivery can't be read yet, or not any more. `stage` says why, `blocks_left` how long it may take."""

    code = "not_released"

    def __init__(self, stage: str, blocks_left: int | None = None) -> None:
        en, zh = _REASONS[stage]
        super().__init__(en.format(blocks=blocks_left), zh.format(blocks=blocks_left))
        self.stage = stage
        self.blocks_left = blocks_left
        self.retry_after = 15 if stage in ("Stored", "Pending") else None  # seconds


_REASONS = {
    "Stored": (
        "The seller has stored the delivery and not delivered it on the chain yet: ask again once the order is "
        "Delivered.",
        "卖家已存好交付内容，但还没有在链上发货：订单变为已发货后再来取。",
    ),
    "Pending": (
        "The delivery is on the chain, and not final yet: about {blocks} more blocks. Whoever read it now could still "
        "see it undone.",
        "链上已发货，但还不是最终的：大约还要 {blocks} 个区块。现在就给出，发货仍可能被撤销。",
    ),
    "Withheld": (
        "All the money went back to the buyer before the delivery was read: the codes stay closed.",
        "卡密被读取之前，货款已全部退回买家：卡密不再给出。",
    ),
    "Erased": (
        "The codes were erased, as asked or after the time that they are kept: only the hashes are left.",
        "卡密已按要求或到期抹去：只剩哈希。",
    ),
}
