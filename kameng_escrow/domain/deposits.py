"""Deposit addresses: where a plain transfer pays for an order. The rules are those of `KamengDeposits.sol`."""

from dataclasses import dataclass

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from .inputs import check_address, check_hash

DEPOSITS_NAME = "KamengDeposits"  # of the EIP-712 domain that refunds are signed under

# What creates a vault, around its maker's address; `Vault.sol` explains it byte by byte.
_BEFORE_MAKER = bytes.fromhex("603d8060095f395ff33373")
_AFTER_MAKER = bytes.fromhex("18603b57604036038060405f375f5f915f6020355f355af13d5f5f3e5f3d91603957fd5bf35b00")


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositRefund:
    """The buyer's will to have everything back from a deposit address; anyone may bring it."""

    expiry: int  # Unix seconds; live while t < expiry, for whatever lies there then
    signature: bytes


def deposit_address(order_id: str, deposits: str) -> str:
    """The order's deposit address under the contract `deposits`, as its ``addressOf``: it takes no chain to know it.

    Raises:
        Malformed: the id or the address is none.
    """
    check_hash(order_id, "order_id")
    check_address(deposits, "deposits")
    maker = bytes.fromhex(deposits[2:])
    code_hash = keccak(_BEFORE_MAKER + maker + _AFTER_MAKER)
    return to_checksum_address(keccak(b"\xff" + maker + bytes.fromhex(order_id[2:]) + code_hash)[12:])
