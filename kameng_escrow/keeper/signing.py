"""Signs the keeper's transactions, and reads again what one that it signed says."""

from dataclasses import dataclass
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from kameng_escrow.chain.rpc import to_hex
from kameng_escrow.store.keeping import Attempt, Fee, Payload

_DYNAMIC_FEE = 2  # EIP-1559's transaction type


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a transaction does, whatever it pays."""

    to: str
    data: bytes
    gas: int


def sign(
    account: LocalAccount, *, chain_id: int, nonce: int, payload: Payload, content: Content, fee: Fee, now_ms: int
) -> Attempt:
    """A signed transaction, of the kind that the fee is of. No node has heard of it."""
    fields: dict[str, Any] = {
        "chainId": chain_id,
        "nonce": nonce,
        "to": content.to,
        "value": 0,
        "data": content.data,
        "gas": content.gas,
    }
    if fee.tip is None:
        fields["gasPrice"] = fee.highest
    else:
        fields |= {"maxFeePerGas": fee.highest, "maxPriorityFeePerGas": fee.tip}
    signed = account.sign_transaction(fields)
    return Attempt(
        hash=to_hex(signed.hash),
        payload=payload,
        fee=fee,
        gas=content.gas,
        raw=bytes(signed.raw_transaction),
        signed_ms=now_ms,
    )


def content_of(raw: bytes) -> Content:
    """What a transaction that `sign` made does."""
    if raw[0] == _DYNAMIC_FEE:
        _chain, _nonce, _tip, _highest, gas, to, _value, data, *_ = rlp.decode(raw[1:])
    else:
        _nonce, _price, gas, to, _value, data, *_ = rlp.decode(raw)
    return Content(to=to_checksum_address(to), data=bytes(data), gas=int.from_bytes(gas))
