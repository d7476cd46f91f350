"""The trees are OpenZeppelin's: the vectors come from its JavaScript library (@openzeppelin/merkle-tree 1.0.8)."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.domain.merkle import MerkleTree, hash_pair, leaf_hash, root_of

TYPES = ["uint256", "bytes32", "string"]  # values of leaf i: [i, i, "CODE-i-密"]
ROOTS = {
    1: "d5b84e98c40d14b866ceaadb732c293da317cc0ab61562cc1cdfdd0337e851f7",
    2: "d1bf298be99b3b1061a6b3fa415b1603da908977c9d543c2731d7e205da0cd87",
    3: "9924b78a91e150cd689cf7ffe401dd70bd9e22806ce27668ed99ef775331daaf",
    5: "d430ebf1fc2e8b9e0327d93cdb1a14123309cce60ff3a41ac496d84bb3de9720",
    8: "6eb7996bfb4f6b0803cffdd6eeea002bd31b494d8dc4e9a3a9c21aa9b404ce05",
    11: "776610659c51ee620a8d95f16ece6eaa794883b31e67a66d5990354f061955d3",
}
LAST_OF_ELEVEN = (
    "4b1fa6e04bbcc1d208498a4dfaed06c5472feab4060e0e7e71bbac2e5bdaa242",
    "d6a35ccc667b044f6d9d34cef62e648e4ed1dd9334b6073a4ca6c488689ff260",
    "75a73ea9099c27e7d1f26fb34dfc7496b9764b4713eef7d474cfa9ecc4df3b66",
    "47b5688a1055be93e11f423a047c1c53cf3f27548425bf375ae52fc8a541b1cb",
)

hashes = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(TYPES, [i, i.to_bytes(32, "big"), f"CODE-{i}-密"]) for i in range(1, count + 1)]


@pytest.mark.parametrize(("count", "root"), ROOTS.items())
def test_roots_are_those_of_openzeppelin(count: int, root: str) -> None:
    assert MerkleTree(leaves(count)).root.hex() == root


def test_proofs_are_those_of_openzeppelin() -> None:
    assert [one.hex() for one in MerkleTree(leaves(11)).proof(10)] == list(LAST_OF_ELEVEN)


@pytest.mark.parametrize("wrong", [[], [b"short"], [bytes(32), bytes(33)]])
def test_what_is_no_leaf_is_refused(wrong: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        MerkleTree(wrong)


@given(hashes)
def test_every_leaf_is_proved_and_nothing_else(given_leaves: list[bytes]) -> None:
    tree = MerkleTree(given_leaves)
    for index, leaf in enumerate(given_leaves):
        proof = tree.proof(index)
        assert root_of(leaf, proof) == tree.root
        changed = bytes([leaf[0] ^ 1]) + leaf[1:]
        assert root_of(changed, proof) != tree.root
        for place in range(len(proof)):
            assert root_of(leaf, proof[:place] + proof[place + 1 :]) != tree.root


@given(hashes, st.randoms(use_true_random=False))
def test_the_order_of_leaves_does_not_matter(given_leaves: list[bytes], chance: Random) -> None:
    shuffled = list(given_leaves)
    chance.shuffle(shuffled)
    assert MerkleTree(shuffled).root == MerkleTree(given_leaves).root


def test_a_node_is_no_leaf() -> None:
    """The preimage of a node, 64 bytes, can't be the values of a leaf, which are hashed twice."""
    left, right = leaves(2)
    node = hash_pair(left, right)
    assert leaf_hash(["bytes32", "bytes32"], sorted([left, right])) != node
    assert MerkleTree([left, right]).root == node
