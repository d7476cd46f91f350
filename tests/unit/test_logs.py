"""A node's logs, read into plain values: in the chain's order, or not at all."""

import random
from typing import Any

import pytest

from kameng_escrow.chain.codec import decode_log
from kameng_escrow.chain.errors import UndecodableLog
from kameng_escrow.chain.logs import BlockLogs, OddLogs, read_logs
from kameng_escrow.domain.event_values import values_of
from tests.unit.test_codec import ALICE, BOB, raw_log

Log = dict[str, Any]


def log(number: int, index: int, **overrides: Any) -> Log:
    values = {"account": ALICE, "token": BOB, "amount": number * 1_000 + index}
    place = {"blockNumber": hex(number), "logIndex": hex(index), "blockHash": hash_of(number)}
    return raw_log("Credited", values, **{**place, **overrides})


def hash_of(number: int) -> str:
    return f"0x{number:064x}"


def shape(blocks: list[BlockLogs]) -> list[tuple[int, list[int]]]:
    """Block numbers with the indexes of their logs."""
    return [(block.number, [read[0] for read in block.logs]) for block in blocks]


def test_logs_are_read_block_by_block() -> None:
    blocks = read_logs([log(7, 0), log(7, 3), log(9, 1)], ALICE)
    assert shape(blocks) == [(7, [0, 3]), (9, [1])]
    assert [block.hash for block in blocks] == [hash_of(7), hash_of(9)]
    decoded = decode_log(log(7, 3), 0)
    assert decoded is not None
    assert blocks[0].logs[1] == (3, decoded.transaction_hash, "Credited", values_of(decoded.event))


def test_no_logs_are_no_blocks() -> None:
    assert read_logs([], ALICE) == []


def test_whatever_order_they_come_in_they_are_read_in_the_chains() -> None:
    logs = [log(number, index) for number in (3, 4, 8) for index in range(5)]
    expected = read_logs(logs, ALICE)
    for seed in range(10):
        mixed = list(logs)
        random.Random(seed).shuffle(mixed)
        assert read_logs(mixed, ALICE) == expected


def test_spelling_does_not_matter() -> None:
    spelt = log(7, 0, address=ALICE.lower(), blockHash=hash_of(171).upper().replace("0X", "0x"))
    assert read_logs([spelt], ALICE)[0].hash == hash_of(171)
    assert read_logs([{**log(7, 0), "address": ALICE.upper().replace("0X", "0x")}], ALICE) == read_logs(
        [log(7, 0)], ALICE
    )


@pytest.mark.parametrize(
    ("logs", "says"),
    [
        ([log(7, 0, address=BOB)], "another contract, at block 7"),
        ([log(7, 0), log(7, 1, removed=True)], "removed, at block 7"),
        ([log(7, 0), log(8, 0), log(7, 0)], "block 7 twice"),
        ([log(7, 0), log(7, 1, blockHash=hash_of(8))], "another block of that number"),
        ([log(7, 0, blockNumber=None)], "without a place"),
        ([log(7, 0, blockNumber="seven")], "without a place"),
        ([log(7, 0, logIndex=None)], "without a place"),
        ([log(7, 0, blockHash=None)], "without a place"),
        ([{}], "without a place"),
        ([log(7, 0, data=None)], "half a log, at block 7"),
        ([log(7, 0, topics=None)], "half a log, at block 7"),
        ([log(7, 0, transactionHash=None)], "half a log, at block 7"),
    ],
)
def test_logs_that_one_chain_can_not_have_are_odd(logs: list[Log], says: str) -> None:
    with pytest.raises(OddLogs, match=says):
        read_logs(logs, ALICE)


@pytest.mark.parametrize("spoiled", [{"topics": []}, {"topics": ["0x" + "99" * 32]}, {"data": "0x"}, {"data": "0xzz"}])
def test_a_log_of_no_event_of_ours_is_refused(spoiled: Log) -> None:
    with pytest.raises(UndecodableLog):
        read_logs([log(7, 0, **spoiled)], ALICE)
