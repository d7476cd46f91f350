"""Merkle trees as OpenZeppelin's `StandardMerkleTree` builds them: its library and its `MerkleProof` check them too.

A leaf is hashed twice, keccak256(keccak256(ABI encoding)), and a node is keccak256 of its two children, the smaller
first. What a leaf's outer hash is made of has 32 bytes and a node's has 64: neither can be passed off as the other.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

from eth_abi.abi import encode
from eth_utils.crypto import keccak


def fast_keccak() -> Callable[[bytes], bytes]:
    """Keccak in C where its library is installed (py-evm brings it), which is ten times as fast."""
    try:
        from eth_hash.backends.pysha3 import keccak256
    except ImportError:
        return keccak
    return cast(Callable[[bytes], bytes], keccak256)


_keccak = fast_keccak()


def leaf_hash(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """The leaf of some values, 32 bytes: keccak256 of keccak256 of their ABI encoding."""
    return _keccak(_keccak(encode(types, values)))


class MerkleTree:
    """A tree over the hashes of at least one leaf. They are sorted within: their order does not change the root."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Raises `ValueError` where there is no leaf, or one that has not 32 bytes."""
        if not leaves or any(len(leaf) != 32 for leaf in leaves):
            raise ValueError("a tree needs leaves of 32 bytes")
        places = sorted(range(len(leaves)), key=leaves.__getitem__)
        last = 2 * len(leaves) - 2
        self._nodes = [b""] * (last + 1)
        self._places = [0] * len(leaves)
        for back, index in enumerate(places):
            self._nodes[last - back] = leaves[index]
            self._places[index] = last - back
        for node in range(last - len(leaves), -1, -1):
            self._nodes[node] = hash_pair(self._nodes[2 * node + 1], self._nodes[2 * node + 2])

    @property
    def root(self) -> bytes:
        """32 bytes."""
        return self._nodes[0]

    def proof(self, index: int) -> tuple[bytes, ...]:
        """The siblings on the way from the leaf at `index`, as it was given, up to the root."""
        node, siblings = self._places[index], []
        while node > 0:
            siblings.append(self._nodes[node + 1 if node % 2 else node - 1])
            node = (node - 1) // 2
        return tuple(siblings)


def hash_pair(left: bytes, right: bytes) -> bytes:
    """The node above two others, whichever is named first."""
    return _keccak(left + right if left < right else right + left)


def root_of(leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that a leaf and its proof lead to. It proves the leaf if it is the root that was committed to."""
    node = leaf
    for sibling in proof:
        node = hash_pair(node, sibling)
    return node
