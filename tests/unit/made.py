"""Terms and policies that are right as they are; a test overrides what matters to it."""

from typing import Any

from eth_utils.address import to_checksum_address

from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import NO_CANCEL, Policy

ADDRESSES = [to_checksum_address(bytes([0xA0 + n] * 20)) for n in range(16)]
HASH = "0x" + "ab" * 32
HOUR = 60 * 60


def make_terms(**overrides: Any) -> OrderTerms:
    """Native coin, one unit, everybody another address."""
    terms: dict[str, Any] = {
        "buyer": ADDRESSES[0],
        "refund_to": ADDRESSES[1],
        "seller": ADDRESSES[2],
        "pay_to": ADDRESSES[3],
        "token": "0x" + "00" * 20,
        "price": 1_000_000,
        "units": 1,
        "policy_id": HASH,
        "listing": HASH,
        "open_by": 2_000_000_000,
        "salt": HASH,
    }
    return OrderTerms(**terms | overrides)


def make_policy(**overrides: Any) -> Policy:
    """Within every bound."""
    policy: dict[str, Any] = {
        "platform": ADDRESSES[4],
        "accept_window": HOUR // 2,
        "deliver_window": HOUR // 2,
        "inspect_window": 24 * HOUR,
        "negotiate_window": 24 * HOUR,
        "mediate_window": 48 * HOUR,
        "platform_fee_bps": 50,
        "cancel_fee_bps": NO_CANCEL,
        "seller_bond_bps": 2_500,
        "dispute_bond_bps": 2_000,
        "mediation_fee_bps": 300,
        "silence_share_bps": 4_000,
        "mediator": ADDRESSES[5],
        "backup_mediator": ADDRESSES[6],
        "fee_receiver": ADDRESSES[7],
        "effective_from": 0,
    }
    return Policy(**policy | overrides)
