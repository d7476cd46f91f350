"""Signatures of the cast, made with eth_account's own EIP-712: independent of the package's."""

from typing import Any

from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.signed import Action, Split

ORDER_TERMS = (
    "address buyer,address refundTo,address seller,address payTo,address token,uint128 price,uint16 units,"
    "bytes32 policyId,bytes32 listing,uint40 openBy,bytes32 salt"
)
OFFER = "bytes32 orderId,uint24 revision,uint40 expiry"
SPLIT = "bytes32 orderId,uint8 state,uint16 disputedUnits,uint24 revision,uint256 toBuyer,uint40 expiry"
ACTION = "bytes32 orderId,uint8 verb,uint8 state,uint8 role,address signer,uint256 number,bytes32 content,uint40 expiry"


class TypedData:
    """What is signed under one escrow's domain: messages for `LocalAccount.sign_message`."""

    def __init__(self, escrow: str, chain_id: int) -> None:
        self._domain = {
            "name": "KamengEscrow",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": escrow,
        }

    def terms(self, terms: OrderTerms) -> Any:
        values = (
            terms.buyer,
            terms.refund_to,
            terms.seller,
            terms.pay_to,
            terms.token,
            terms.price,
            terms.units,
            terms.policy_id,
            terms.listing,
            terms.open_by,
            terms.salt,
        )
        return self._message("OrderTerms", ORDER_TERMS, values)

    def offer(self, order_id: str, revision: int, expiry: int) -> Any:
        return self._message("Offer", OFFER, (order_id, revision, expiry))

    def split(self, order_id: str, split: Split) -> Any:
        values = (
            order_id,
            int(split.state),
            split.disputed_units,
            split.revision,
            split.to_buyer,
            split.expiry,
        )
        return self._message("Split", SPLIT, values)

    def action(self, order_id: str, action: Action) -> Any:
        values = (
            order_id,
            int(action.verb),
            int(action.state),
            int(action.role),
            action.signer,
            action.number,
            action.content,
            action.expiry,
        )
        return self._message("Action", ACTION, values)

    def _message(self, name: str, fields: str, values: tuple[Any, ...]) -> Any:
        parts = [dict(zip(("type", "name"), field.split(" "), strict=True)) for field in fields.split(",")]
        named = {part["name"]: value for part, value in zip(parts, values, strict=True)}
        return encode_typed_data(self._domain, {name: parts}, named)


def digest(message: Any) -> str:
    """What the chain sees of a message: 32 bytes."""
    return "0x" + keccak(b"\x19\x01" + message.header + message.body).hex()


def sign(message: Any, account: LocalAccount) -> bytes:
    return bytes(account.sign_message(message).signature)
