"""What a node's answer is worth: filters of logs, and who is right where nodes disagree."""

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_escrow.mirror.source import Header
from kameng_escrow.mirror.trust import BLOOM_BITS, BloomFilter, Standing, Verdict, View, bloom_mask, judge

ESCROW = "0x" + "e5" * 20
OTHER = "0x" + "0a" * 20
OPENED, CLOSED, TRANSFER = ("0x" + digit * 64 for digit in "123")
FILTER = BloomFilter(ESCROW, [OPENED, CLOSED])

items = st.binary(min_size=20, max_size=32)


def bloom_of(*logs: tuple[str, Sequence[str]]) -> int:
    """The filter that a block with these logs has: address and topics of each."""
    bloom = 0
    for address, topics in logs:
        for item in (address, *topics):
            bloom |= bloom_mask(bytes.fromhex(item[2:]))
    return bloom


def header(number: int, bloom: int | None) -> Header:
    shown = None if bloom is None else f"0x{bloom:0512x}"
    return Header(number=number, hash="0x", parent_hash="0x", timestamp=0, logs_bloom=shown)


@given(items, st.integers(min_value=0, max_value=2**BLOOM_BITS - 1))
def test_what_was_put_in_is_never_denied(item: bytes, others: int) -> None:
    mask = bloom_mask(item)
    assert 1 <= mask.bit_count() <= 3
    assert (others | mask) & mask == mask


def test_the_bits_are_those_of_the_yellow_paper() -> None:
    """Its example: keccak of 0x0f572e5295c57f15886f9b263e2f6d2d6c7b5ec6 sets bits 1323, 431 and 1319."""
    found = bloom_mask(bytes.fromhex("0f572e5295c57f15886f9b263e2f6d2d6c7b5ec6"))
    assert found == 1 << 1323 | 1 << 431 | 1 << 1319


def test_a_log_that_its_blocks_filter_does_not_know_is_foreign() -> None:
    headers = [header(1, bloom_of((OTHER, [TRANSFER]))), header(2, bloom_of((ESCROW, [OPENED])))]
    suspicion = FILTER.examine(headers, {1: {OPENED}, 2: {OPENED}})
    assert (suspicion.foreign, suspicion.silent) == ((1,), ())
    assert FILTER.examine(headers[1:], {2: {OPENED, CLOSED}}).foreign == (2,)


def test_a_block_without_logs_whose_filter_knows_some_is_silent() -> None:
    headers = [
        header(1, 0),
        header(2, bloom_of((OTHER, [OPENED]))),
        header(3, bloom_of((ESCROW, [TRANSFER]))),
        header(4, bloom_of((OTHER, [TRANSFER]), (ESCROW, [CLOSED]))),
    ]
    suspicion = FILTER.examine(headers, {})
    assert (suspicion.foreign, suspicion.silent) == ((), (4,))


def test_a_filter_that_says_perhaps_of_everything_says_nothing() -> None:
    full = 2**BLOOM_BITS - 1
    assert FILTER.examine([header(1, full)], {}).silent == ()
    assert FILTER.examine([header(1, full)], {1: {OPENED}}).foreign == ()


def test_headers_without_a_filter_are_passed_over() -> None:
    suspicion = FILTER.examine([header(1, None), header(2, None)], {1: {OPENED}})
    assert (suspicion.foreign, suspicion.silent) == ((), ())


# ------------------------------------------------------------------------------------------------------------- chains


def agrees(node: str, head: int = 100) -> View:
    return View(node=node, standing=Standing.Agrees, head=head)


def differs(node: str, head: int = 100, *, fork: int = 95, block: str = "0xbb") -> View:
    return View(node=node, standing=Standing.Differs, head=head, fork=fork, block_hash=block)


def behind(node: str) -> View:
    return View(node=node, standing=Standing.Behind, head=90)


def without_voice() -> list[View]:
    return [
        behind("late"),
        View(node="other chain", standing=Standing.Elsewhere),
        View(node="mute", standing=Standing.Silent),
    ]


@pytest.mark.parametrize("patient", [True, False])
@pytest.mark.parametrize(
    ("views", "verdict", "trusted", "forked"),
    [
        ([differs("a")], Verdict.Reorg, "a", ()),  # nobody says otherwise
        ([differs("a"), differs("b", 101)], Verdict.Reorg, "b", ()),
        ([agrees("a"), differs("b"), differs("c")], Verdict.Reorg, "b", ("a",)),
        ([agrees("a", 102), agrees("b"), differs("c", 200)], Verdict.Switch, "a", ("c",)),
        ([agrees("a")], Verdict.Switch, "a", ()),  # it was asked again, and has our block after all
    ],
)
def test_more_voices_are_believed(
    views: list[View], verdict: Verdict, trusted: str | None, forked: tuple[str, ...], patient: bool
) -> None:
    found = judge([*views, *without_voice()], patient=patient)
    assert (found.verdict, found.trusted, found.forked) == (verdict, trusted, forked)
    assert (found.behind, found.elsewhere, found.silent) == (("late",), ("other chain",), ("mute",))


def test_as_many_voices_wait_and_then_the_longer_chain_is_believed() -> None:
    even = [agrees("a", 100), differs("b", 101)]
    assert judge(even, patient=True).verdict is Verdict.Wait
    reorg = judge(even, patient=False)
    assert (reorg.verdict, reorg.trusted, reorg.forked) == (Verdict.Reorg, "b", ("a",))
    kept = judge([agrees("a", 101), differs("b", 101)], patient=False)
    assert (kept.verdict, kept.trusted, kept.forked) == (Verdict.Switch, "a", ("b",))


def test_three_chains_wait_too() -> None:
    three = [differs("a", 100), differs("b", 103, block="0xcc"), differs("c", 101, block="0xdd")]
    assert judge(three, patient=True).verdict is Verdict.Wait
    last = judge(three, patient=False)
    assert (last.verdict, last.trusted, last.forked) == (Verdict.Reorg, "b", ("a", "c"))


def test_nodes_that_only_lag_undo_nothing_while_there_is_patience() -> None:
    assert judge([behind("a"), behind("b")], patient=True).verdict is Verdict.Wait
    assert judge([behind("a"), behind("b"), agrees("c")], patient=False).verdict is Verdict.Switch
    shorter = judge([behind("a"), behind("b")], patient=False)
    assert (shorter.verdict, shorter.trusted) == (Verdict.Reorg, "a")


def test_who_speaks_first_does_not_matter() -> None:
    views = [agrees("a", 100), agrees("b", 101), differs("c", 104), behind("d")]
    assert {judge(order, patient=False) for order in permutations(views)} == {judge(views, patient=False)}


@given(st.integers(0, 5), st.integers(0, 5), st.booleans())
def test_the_smaller_side_never_undoes(ours: int, others: int, patient: bool) -> None:
    views = [agrees(f"a{n}") for n in range(ours)] + [differs(f"b{n}", 10_000) for n in range(others)]
    if judge(views, patient=patient).verdict is Verdict.Reorg:
        assert others >= ours
