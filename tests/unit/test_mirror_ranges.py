"""How many blocks a mirror asks for at once."""

from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.mirror.ranges import START, RangeSize


@given(limit=st.integers(1, 100_000), node=st.integers(1, 100_000), says=st.booleans())
def test_settles_near_what_the_node_takes(limit: int, node: int, says: bool) -> None:
    """It is never more than asked for, and once it fits it stays within a step of the node's limit."""
    size = RangeSize(limit)
    step = max(1, limit // 20)
    refusals = 0
    for _ in range(200):
        assert 1 <= size.blocks <= limit
        if size.blocks > node:
            size.refused(node if says else None)
            refusals += 1
        else:
            size.read(size.blocks, 0)
    assert size.blocks >= min(limit, max(1, node // 2 - step))
    if limit <= node:
        assert refusals == 0
        assert size.blocks == limit
    elif says and limit > START:
        assert (refusals, size.blocks) == (1, node)


def test_a_limit_that_makes_no_sense_is_not_believed() -> None:
    size = RangeSize(100)
    for nonsense in (0, -5, 64, 10**9):
        before = size.blocks
        size.refused(nonsense)
        assert size.blocks == max(1, before // 2)


def test_shrinks_to_the_events_that_a_transaction_takes() -> None:
    size = RangeSize(1_000, target_events=500)
    size.read(64, 5_000)
    assert size.blocks == 6
    size.read(6, 250)
    assert size.blocks == 12
    size.read(12, 500)
    assert size.blocks == 12


def test_begins_small_and_doubles() -> None:
    size = RangeSize(1_000)
    grown = []
    for _ in range(6):
        grown.append(size.blocks)
        size.read(size.blocks, 0)
    assert grown == [64, 128, 256, 512, 1_000, 1_000]


def test_a_short_last_range_says_nothing_about_the_node() -> None:
    size = RangeSize(100)
    size.refused()
    size.read(3, 0)
    assert size.blocks == START // 2


def test_a_single_block_is_the_least() -> None:
    size = RangeSize(10, target_events=1)
    size.read(1, 10_000)
    assert size.blocks == 1
    size.refused()
    assert size.blocks == 1
