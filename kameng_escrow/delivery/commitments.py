"""What a delivery puts on the chain, and how a single code is shown against it.

Everything is keccak256 over ABI encodings, so that a contract, a browser or another SDK does the same:

* salt of unit i = keccak256(abi.encode(bytes32 seed, uint256 i))
* leaf of unit i = keccak256(keccak256(abi.encode(uint256 i, bytes32 salt, string code)))
* root           = OpenZeppelin's `StandardMerkleTree` over the leaves of the units 1 … N
* payload hash   = keccak256(the encrypted bytes)
* commitment     = keccak256(abi.encode(bytes32 orderId, bytes32 root, bytes32 payloadHash))

Units are counted from 1. The order's id already binds chain and contract. A disclosed salt tells nothing of the seed,
and so nothing of the other units; without its salt, no code can be guessed from the root.
"""

from dataclasses import dataclass

from eth_abi.abi import encode

from kameng_escrow.domain.inputs import check_hash
from kameng_escrow.domain.merkle import fast_keccak, leaf_hash, root_of
from kameng_escrow.domain.terms import MAX_UNITS

from .errors import DisclosureFalse

SEED_BYTES = 32

_LEAF = ("uint256", "bytes32", "string")
_keccak = fast_keccak()


def salt_of(seed: bytes, unit: int) -> bytes:
    """The salt of a unit, 1 … N: 32 bytes."""
    return _keccak(seed + unit.to_bytes(32, "big"))


def leaf_of(unit: int, salt: bytes, code: str) -> bytes:
    """The leaf of a unit, 1 … N: 32 bytes."""
    return leaf_hash(_LEAF, [unit, salt, code])


def payload_hash(payload: bytes) -> str:
    """The hash of an encrypted payload, 0x-hex."""
    return "0x" + _keccak(payload).hex()


def commitment_of(order_id: str, root: str, hashed: str) -> str:
    """What `deliver` or `recommit` takes, 0x-hex, from three hashes in 0x-hex.

    Raises:
        Malformed: one of them is no hash.
    """
    words = {"order_id": order_id, "root": root, "payload_hash": hashed}
    for field, word in words.items():
        check_hash(word, field)
    return "0x" + _keccak(encode(["bytes32"] * 3, [bytes.fromhex(word[2:]) for word in words.values()])).hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One unit of a delivery, shown without the others."""

    order_id: str
    unit: int  # 1 … N
    code: str
    salt: bytes  # 32
    proof: tuple[bytes, ...]  # siblings up to the root, 32 bytes each
    payload_hash: str

    @property
    def commitment(self) -> str:
        """The commitment that it leads to."""
        root = root_of(leaf_of(self.unit, self.salt, self.code), self.proof)
        return commitment_of(self.order_id, "0x" + root.hex(), self.payload_hash)


def check_disclosure(disclosure: Disclosure, *, order_id: str, commitment: str | None, units: int) -> None:
    """Passes a unit that is part of what was committed to.

    It proves that the seller committed to this code as this unit, and nothing of whether the code works or when it was
    used.

    Args:
        disclosure: what somebody shows.
        order_id: of the order in question.
        commitment: that the chain has for it; None: none yet.
        units: of the order's terms.

    Raises:
        DisclosureFalse: it is of another order, of a unit that was not ordered, or not what was committed to.
        Malformed: a hash in it is none.
    """
    if disclosure.order_id != order_id:
        raise DisclosureFalse(
            f"This discloses a unit of order {disclosure.order_id}, not of {order_id}.",
            f"这份披露是订单 {disclosure.order_id} 的，不是 {order_id} 的。",
        )
    if not 1 <= disclosure.unit <= min(units, MAX_UNITS):
        raise DisclosureFalse(
            f"The order has units 1 to {units}, and this discloses unit {disclosure.unit}.",
            f"订单只有第 1 到第 {units} 张，而这里披露的是第 {disclosure.unit} 张。",
        )
    if commitment is None or disclosure.commitment != commitment:
        raise DisclosureFalse(
            f"This is not what was committed to as unit {disclosure.unit}: the code, its number, the salt, the proof "
            "or the payload's hash was changed, or it is of a delivery that was replaced.",
            f"这不是链上承诺的第 {disclosure.unit} 张：卡密、序号、盐、证明或密文哈希被改过，"
            "或者属于已被补发替换的交付。",
        )
