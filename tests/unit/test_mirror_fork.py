"""Where two chains part is found with a few questions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.mirror import Header, ReorgTooDeep
from kameng_escrow.mirror.reorg import Anchor, find_fork


class Chain:
    """A chain that is ours up to a block, and its own above."""

    def __init__(self, *, same_up_to: int, head: int) -> None:
        self._same, self._head = same_up_to, head
        self.asked = 0

    def header(self, block: int) -> Header | None:
        self.asked += 1
        if block > self._head:
            return None
        return Header(block, ours(block) if block <= self._same else f"theirs {block}", "", block)


def ours(number: int) -> str:
    return f"ours {number}"


numbers = st.integers(0, 400)


@given(remembered=st.sets(numbers, min_size=1, max_size=129), same=numbers, more=st.integers(0, 50))
def test_the_last_shared_block_is_found(remembered: set[int], same: int, more: int) -> None:
    anchors = [Anchor(number, ours(number)) for number in sorted(remembered)]
    chain = Chain(same_up_to=same, head=same + more)
    shared = [number for number in remembered if number <= same]
    if not shared:
        with pytest.raises(ReorgTooDeep):
            find_fork(chain.header, anchors)
        return
    fork = find_fork(chain.header, anchors)
    assert fork.number == max(shared)
    above = [number for number in sorted(remembered) if number > same]
    assert fork.cut == (not above or above[0] > same + more)
    assert chain.asked <= 9
