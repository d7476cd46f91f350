"""What a payer signs so that the escrow takes exactly one amount for exactly one order, whoever brings it there.

The structs and domains are those of the standards: EIP-2612's ``Permit``, EIP-3009's ``ReceiveWithAuthorization``, and
Permit2's ``PermitWitnessTransferFrom`` with the order's terms as witness.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from .inputs import check_address, check_hash, check_uint
from .order import OrderTerms
from .states import Verb
from .terms import check_terms_readable
from .typed_data import TERMS_MEMBERS, Members, described, json_safe, type_hash

PERMIT2: Final = "0x000000000022D473030F116dDEE9F6B43aC78BA3"  # the same on every chain


class PaymentMethod(StrEnum):
    """How a payer lets the escrow take a token by signing."""

    Permit = "permit"  # EIP-2612: an allowance; for who pays its own call
    Authorization = "authorization"  # EIP-3009: one transfer; anyone may bring it
    Permit2 = "permit2"  # one transfer through Permit2; anyone may bring it


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment that is to be signed, or is."""

    method: PaymentMethod
    payer: str
    token: str
    amount: int  # base units; exactly what is taken
    nonce: int  # Permit: the token's counter of the payer · Authorization: see `opening_nonce` · Permit2: any unused
    deadline: int  # Unix seconds; Permit, Permit2: the last second · Authorization: live while t < deadline
    signature: bytes = b""  # 65 bytes r ‖ s ‖ v, or whatever the payer's ERC-1271 contract takes; empty: not signed yet


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDomain:
    """The EIP-712 domain under which a token's permits and authorizations are signed, as ERC-5267 describes it."""

    name: str
    version: str | None  # None: the domain has none
    chain_id: int
    contract: str

    def separator(self) -> bytes:
        """The EIP-712 hash of the domain."""
        return _separator(self)


def opening_nonce(order_id: str) -> int:
    """Under which the price of an order is authorized by EIP-3009: the order's id. Raises `Malformed`."""
    check_hash(order_id, "order_id")
    return int(order_id, 16)


def dispute_nonce(order_id: str) -> int:
    """Under which a buyer authorizes the dispute bond of an order: another than the price's. Raises `Malformed`."""
    check_hash(order_id, "order_id")
    return int.from_bytes(keccak(encode(["bytes32", "uint8"], [bytes.fromhex(order_id[2:]), int(Verb.Dispute)])), "big")


# ------------------------------------------------------------------------------------------------------- typed data

_PERMIT: Members = (
    ("owner", "address"),
    ("spender", "address"),
    ("value", "uint256"),
    ("nonce", "uint256"),
    ("deadline", "uint256"),
)
_AUTHORIZATION: Members = (
    ("from", "address"),
    ("to", "address"),
    ("value", "uint256"),
    ("validAfter", "uint256"),
    ("validBefore", "uint256"),
    ("nonce", "bytes32"),
)
_PERMISSIONS: Members = (("token", "address"), ("amount", "uint256"))
_TRANSFER: Members = (
    ("permitted", "TokenPermissions"),
    ("spender", "address"),
    ("nonce", "uint256"),
    ("deadline", "uint256"),
    ("witness", "OrderTerms"),
)


def payment_typed_data(
    payment: Payment, *, escrow: str, domain: TokenDomain, terms: OrderTerms | None = None
) -> dict[str, Any]:
    """For a wallet's ``eth_signTypedData_v4``.

    Args:
        payment: what is to be signed; a signature that it has is of no account.
        escrow: who may take it.
        domain: the token's; for Permit2, `permit2_domain`.
        terms: the order's, which only Permit2 needs.

    Raises:
        Malformed: a field that no contract could read.
        ValueError: Permit2 without the terms.
    """
    check_address(payment.payer, "payer")
    check_address(escrow, "escrow")
    for name in ("amount", "nonce", "deadline"):
        check_uint(getattr(payment, name), 256, name)
    if payment.method is PaymentMethod.Permit:
        values = [payment.payer, escrow, payment.amount, payment.nonce, payment.deadline]
        return _document("Permit", {"Permit": _PERMIT}, _message(_PERMIT, values), domain)
    if payment.method is PaymentMethod.Authorization:
        nonce = f"0x{payment.nonce:064x}"
        values = [payment.payer, escrow, payment.amount, 0, payment.deadline, nonce]
        name = "ReceiveWithAuthorization"
        return _document(name, {name: _AUTHORIZATION}, _message(_AUTHORIZATION, values), domain)
    if terms is None:
        raise ValueError("a Permit2 payment is signed over the order's terms")
    check_terms_readable(terms)
    permitted = _message(_PERMISSIONS, [payment.token, payment.amount])
    witness = _message(TERMS_MEMBERS, [getattr(terms, field.name) for field in fields(terms)])
    types = {
        "PermitWitnessTransferFrom": _TRANSFER,
        "TokenPermissions": _PERMISSIONS,
        "OrderTerms": TERMS_MEMBERS,
    }
    values = [permitted, escrow, payment.nonce, payment.deadline, witness]
    return _document("PermitWitnessTransferFrom", types, _message(_TRANSFER, values), domain)


def permit2_domain(chain_id: int) -> TokenDomain:
    """Permit2's own domain."""
    return TokenDomain(name="Permit2", version=None, chain_id=chain_id, contract=PERMIT2)


def _separator(domain: TokenDomain) -> bytes:
    members = _domain_members(domain)
    hashed: list[Any] = [keccak(text=domain.name)]
    if domain.version is not None:
        hashed.append(keccak(text=domain.version))
    kinds = ["bytes32" if kind == "string" else kind for _, kind in members]
    words = [type_hash("EIP712Domain", members), *hashed, domain.chain_id, domain.contract]
    return keccak(encode(["bytes32", *kinds], words))


def _domain_members(domain: TokenDomain) -> Members:
    version: Members = (("version", "string"),) if domain.version is not None else ()
    return (("name", "string"), *version, ("chainId", "uint256"), ("verifyingContract", "address"))


def _message(members: Members, values: list[Any]) -> dict[str, Any]:
    return {name: json_safe(kind, value) for (name, kind), value in zip(members, values, strict=True)}


def _document(primary: str, types: dict[str, Members], message: dict[str, Any], domain: TokenDomain) -> dict[str, Any]:
    stated: dict[str, Any] = {"name": domain.name}
    if domain.version is not None:
        stated["version"] = domain.version
    return {
        "types": {
            "EIP712Domain": described(_domain_members(domain)),
            **{name: described(members) for name, members in types.items()},
        },
        "primaryType": primary,
        "domain": {**stated, "chainId": domain.chain_id, "verifyingContract": domain.contract},
        "message": message,
    }
