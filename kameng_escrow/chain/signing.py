"""EIP-712 signatures: made with a local key, checked against a key or, through a node, an ERC-1271 contract."""

from typing import Any

from eth_abi.abi import encode
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from kameng_escrow.domain.deposits import DepositRefund
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.refusal_base import Refusal
from kameng_escrow.domain.signed import Action, Offer, Split
from kameng_escrow.domain.typed_data import (
    Domain,
    action_typed_data,
    offer_typed_data,
    refund_typed_data,
    split_typed_data,
    terms_typed_data,
)

from . import rpc
from .calls import Call
from .errors import NodeRefused
from .steps import Steps

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0  # of secp256k1: larger s are twins
ERC1271_MAGIC = bytes.fromhex("1626ba7e")  # isValidSignature's selector, and its yes


def sign_terms(account: LocalAccount, terms: OrderTerms, domain: Domain) -> bytes:
    """The account's signature of the order's id: 65 bytes r ‖ s ‖ v, likewise below. Raises `Malformed`."""
    return sign_typed_data(account, terms_typed_data(terms, domain))


def sign_offer(
    account: LocalAccount, order_id: str, *, seller: str, revision: int, expiry: int, domain: Domain
) -> Offer:
    """The account's promise to accept the order; as the seller's operator where it is not the seller itself.

    Raises `Malformed` for values that the contract could not read, likewise below.
    """
    typed = offer_typed_data(order_id, revision=revision, expiry=expiry, domain=domain)
    operator = ZERO_ADDRESS if account.address == seller else str(account.address)
    return Offer(expiry=expiry, signature=sign_typed_data(account, typed), operator=operator)


def sign_split(account: LocalAccount, order_id: str, split: Split, domain: Domain) -> bytes:
    """The account's consent to the division."""
    return sign_typed_data(account, split_typed_data(order_id, split, domain))


def sign_action(account: LocalAccount, order_id: str, action: Action, domain: Domain) -> bytes:
    """The account's order to whoever relays the action."""
    return sign_typed_data(account, action_typed_data(order_id, action, domain))


def sign_refund(account: LocalAccount, order_id: str, *, expiry: int, domain: Domain) -> DepositRefund:
    """The account's will to have everything back from the order's deposit address; `domain`: `deposits_domain`."""
    typed = refund_typed_data(order_id, expiry=expiry, domain=domain)
    return DepositRefund(expiry=expiry, signature=sign_typed_data(account, typed))


def recovered(digest: str, signature: bytes) -> str | None:
    """The address whose key signed the digest (0x-hex); None where the contract would recover none."""
    if len(signature) != 65:
        return None
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    if v not in (27, 28) or s > HALF_ORDER:
        return None
    try:
        key = Signature(vrs=(v - 27, r, s)).recover_public_key_from_msg_hash(bytes.fromhex(digest[2:]))
    except (BadSignature, ValidationError):
        return None
    return str(key.to_checksum_address())


def is_signed_by(signer: str, digest: str, signature: bytes) -> Steps[bool]:
    """Whether the contract would take the signature as the signer's: its key's, else its ERC-1271 contract's.

    Raises `NodeError`.
    """
    if recovered(digest, signature) == signer:
        return True
    question = encode(["bytes32", "bytes"], [bytes.fromhex(digest[2:]), signature])
    try:
        answer = yield from rpc.eth_call(Call(to=signer, data=ERC1271_MAGIC + question))
    except (Refusal, NodeRefused):
        return False
    return answer[:32] == ERC1271_MAGIC + bytes(28)


def typed_data_digest(typed_data: dict[str, Any]) -> str:
    """The EIP-712 digest of typed data as a wallet gets it: what is signed, 0x-hex."""
    message = encode_typed_data(full_message=typed_data)
    return "0x" + keccak(b"\x19" + message.version + message.header + message.body).hex()


def sign_typed_data(account: LocalAccount, typed_data: dict[str, Any]) -> bytes:
    """The account's signature of typed data: 65 bytes r ‖ s ‖ v."""
    return bytes(account.sign_typed_data(full_message=typed_data).signature)
