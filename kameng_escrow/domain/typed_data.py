"""EIP-712: the hashes that name and bind things, and the JSON with which a wallet signs them.

The domain is name "KamengEscrow", version "1", the chain id and the contract; refunds from deposit addresses have one
of their own, with that contract's name and address. An order's id is the digest of its terms,
so that a wallet that signs the terms signs the id. Every field is one word, so a struct's hash is that of its type hash
and its fields' words.
"""

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from .deposits import DEPOSITS_NAME
from .inputs import check_address, check_hash, check_uint
from .order import OrderTerms
from .policy import Policy, check_policy_readable
from .signed import Action, Split
from .terms import check_terms_readable

NAME: Final = "KamengEscrow"
VERSION: Final = "1"

# Solidity's members in order. A domain class has the same ones in the same order, in snake_case.
_DOMAIN = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
TERMS_MEMBERS = (
    ("buyer", "address"),
    ("refundTo", "address"),
    ("seller", "address"),
    ("payTo", "address"),
    ("token", "address"),
    ("price", "uint128"),
    ("units", "uint16"),
    ("policyId", "bytes32"),
    ("listing", "bytes32"),
    ("openBy", "uint40"),
    ("salt", "bytes32"),
)
_OFFER = (
    ("orderId", "bytes32"),
    ("revision", "uint24"),
    ("expiry", "uint40"),
)
_SPLIT = (
    ("orderId", "bytes32"),
    ("state", "uint8"),
    ("disputedUnits", "uint16"),
    ("revision", "uint24"),
    ("toBuyer", "uint256"),
    ("expiry", "uint40"),
)
_ACTION = (
    ("orderId", "bytes32"),
    ("verb", "uint8"),
    ("state", "uint8"),
    ("role", "uint8"),
    ("signer", "address"),
    ("number", "uint256"),
    ("content", "bytes32"),
    ("expiry", "uint40"),
)
_REFUND = (
    ("orderId", "bytes32"),
    ("expiry", "uint40"),
)
_POLICY = ("address", *5 * ("uint32",), *6 * ("uint16",), *3 * ("address",), "uint40")

Members = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """What a signature or id is bound to. For an id: the chain id at deployment; for a signature: the current one."""

    chain_id: int
    contract: str
    name: str = NAME

    def separator(self) -> bytes:
        """The EIP-712 hash of the domain.

        Raises:
            Malformed: the address or the chain id is none.
        """
        check_uint(self.chain_id, 256, "chain_id")
        check_address(self.contract, "contract")
        hashed = (keccak(text=self.name), keccak(text=VERSION), self.chain_id, self.contract)
        types = ("bytes32", "bytes32", "bytes32", "uint256", "address")
        return keccak(encode(types, (type_hash("EIP712Domain", _DOMAIN), *hashed)))


# -------------------------------------------------------------------------------------------------------------- ids


def order_id(terms: OrderTerms, domain: Domain) -> str:
    """The order's id, as the contract's ``toId``. Does not tell whether the terms are valid: see `check_terms`.

    Raises:
        Malformed: a field that the contract could not read.
    """
    return _hex(_digest("OrderTerms", TERMS_MEMBERS, _terms_values(terms), domain))


def policy_id(policy: Policy) -> str:
    """The policy's id, keccak256 of its ABI encoding: the same on every contract and chain.

    Raises:
        Malformed: a field that the contract could not read.
    """
    check_policy_readable(policy)
    return _hex(keccak(encode(_POLICY, [getattr(policy, field.name) for field in fields(policy)])))


# ---------------------------------------------------------------------------------------------------------- digests


def offer_digest(order_id: str, *, revision: int, expiry: int, domain: Domain) -> str:
    """What the seller, or an operator, signs to promise accepting the order.

    Raises:
        Malformed: a field that the contract could not read; likewise the other digests and typed data.
    """
    return _hex(_digest("Offer", _OFFER, _offer_values(order_id, revision, expiry), domain))


def split_digest(order_id: str, split: Split, domain: Domain) -> str:
    """What both parties sign to divide what is held."""
    return _hex(_digest("Split", _SPLIT, _split_values(order_id, split), domain))


def action_digest(order_id: str, action: Action, domain: Domain) -> str:
    """What a party or operator signs for somebody else to relay."""
    return _hex(_digest("Action", _ACTION, _action_values(order_id, action), domain))


def refund_digest(order_id: str, *, expiry: int, domain: Domain) -> str:
    """What the buyer signs to have everything back from a deposit address, under `deposits_domain`."""
    return _hex(_digest("Refund", _REFUND, _checked(_REFUND, [order_id, expiry]), domain))


def deposits_domain(chain_id: int, deposits: str) -> Domain:
    """What a refund's signature is bound to: the current chain id, and the contract `deposits`."""
    return Domain(chain_id, deposits, DEPOSITS_NAME)


# ------------------------------------------------------------------------------------------------------- typed data


def terms_typed_data(terms: OrderTerms, domain: Domain) -> dict[str, Any]:
    """For a wallet's ``eth_signTypedData_v4``: the terms. Signing them signs the order's id; likewise below."""
    return _typed_data("OrderTerms", TERMS_MEMBERS, _terms_values(terms), domain)


def offer_typed_data(order_id: str, *, revision: int, expiry: int, domain: Domain) -> dict[str, Any]:
    """For a wallet: an offer."""
    return _typed_data("Offer", _OFFER, _offer_values(order_id, revision, expiry), domain)


def split_typed_data(order_id: str, split: Split, domain: Domain) -> dict[str, Any]:
    """For a wallet: a split."""
    return _typed_data("Split", _SPLIT, _split_values(order_id, split), domain)


def action_typed_data(order_id: str, action: Action, domain: Domain) -> dict[str, Any]:
    """For a wallet: an action."""
    return _typed_data("Action", _ACTION, _action_values(order_id, action), domain)


def refund_typed_data(order_id: str, *, expiry: int, domain: Domain) -> dict[str, Any]:
    """For a wallet: the will to have everything back from a deposit address, under `deposits_domain`."""
    return _typed_data("Refund", _REFUND, _checked(_REFUND, [order_id, expiry]), domain)


# ---------------------------------------------------------------------------------------------------------- hashing


def _terms_values(terms: OrderTerms) -> list[Any]:
    check_terms_readable(terms)
    return [getattr(terms, field.name) for field in fields(terms)]


def _offer_values(order_id: str, revision: int, expiry: int) -> list[Any]:
    return _checked(_OFFER, [order_id, revision, expiry])


def _split_values(order_id: str, split: Split) -> list[Any]:
    return _checked(
        _SPLIT,
        [order_id, int(split.state), split.disputed_units, split.revision, split.to_buyer, split.expiry],
    )


def _action_values(order_id: str, action: Action) -> list[Any]:
    return _checked(
        _ACTION,
        [
            order_id,
            int(action.verb),
            int(action.state),
            int(action.role),
            action.signer,
            action.number,
            action.content,
            action.expiry,
        ],
    )


def _checked(members: Members, values: list[Any]) -> list[Any]:
    for (name, kind), value in zip(members, values, strict=True):
        field = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        if kind == "bytes32":
            check_hash(value, field)
        elif kind == "address":
            check_address(value, field)
        else:
            check_uint(value, int(kind.removeprefix("uint")), field)
    return values


def type_hash(name: str, members: Members) -> bytes:
    """keccak256 of a struct's type string, of a struct that holds no other."""
    return keccak(text=f"{name}({','.join(f'{kind} {member}' for member, kind in members)})")


def _digest(name: str, members: Members, values: list[Any], domain: Domain) -> bytes:
    words = b"".join(_word(kind, value) for (_, kind), value in zip(members, values, strict=True))
    return keccak(b"\x19\x01" + _separator(domain) + keccak(_type_hash(name, members) + words))


def _word(kind: str, value: Any) -> bytes:
    """One field as the ABI encodes it. By hand: eth_abi takes thirty times as long for what is a word each."""
    if kind == "bytes32":
        return bytes.fromhex(value[2:])
    number = int(value, 16) if kind == "address" else value
    return int(number).to_bytes(32, "big")


@lru_cache(maxsize=64)
def _separator(domain: Domain) -> bytes:
    return domain.separator()


@lru_cache(maxsize=64)
def _type_hash(name: str, members: Members) -> bytes:
    return type_hash(name, members)


def _typed_data(name: str, members: Members, values: list[Any], domain: Domain) -> dict[str, Any]:
    domain.separator()  # refuses what is no domain
    return {
        "types": {"EIP712Domain": described(_DOMAIN), name: described(members)},
        "primaryType": name,
        "domain": {
            "name": domain.name,
            "version": VERSION,
            "chainId": domain.chain_id,
            "verifyingContract": domain.contract,
        },
        "message": {member: json_safe(kind, value) for (member, kind), value in zip(members, values, strict=True)},
    }


def described(members: Members) -> list[dict[str, str]]:
    """A struct's members as typed data lists them."""
    return [{"name": name, "type": kind} for name, kind in members]


def json_safe(kind: str, value: Any) -> Any:
    """Amounts as decimal strings: JavaScript's numbers are exact up to 2^53 only."""
    return str(value) if kind in ("uint128", "uint256") else value


def _hex(digest: bytes) -> str:
    return "0x" + digest.hex()
