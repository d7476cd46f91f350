"""What nodes say when they were asked for too much, or too often."""

import pytest

from kameng_escrow.mirror.dialects import DIALECTS, Dialect, TooLarge, TooOften, understand

BLOCKS = {
    "this block range should work": 128,
    "up to a 10 block range": 10,
    "Try with this block range": 4,
    "exceeds limit of 10000": 10_000,
    "limited to a 10,000 range": 10_000,
    "limited to 1024 block range": 1_024,
    "blocks distance: 3000": 3_000,
    "too wide (maximum 1024)": 1_024,
    "range is too wide": 3_000,
    "maximum block range: 50000": 50_000,
    "ranges over 10000": 10_000,
    "maximum is set to 2048": 2_048,
    "the limit is 100": 100,
    "at most 1,000 blocks": 1_000,
    "Max range: 800": 800,
    "requested blocks is 1000": 1_000,
    "plan (10000 > 3000)": 3_000,
    "max is 10k blocks": 10_000,
    "greater than 10000 max": 10_000,
    "range exceeds 1000": 1_000,
    "than size 1024": 1_024,
    "exceeds server limit, narrow your filter: 1000": 1_000,
    "max block range 100000": 100_000,
    "retry with the range": 100,
}
SILENT = {  # those that don't say how many blocks they take
    "query returned more than 10000 results",
    "query timeout exceeded",
    "limit exceeded",
    "Block range limit exceeded.",
    "query returns too many logs, narrow your filter: 20000",
    "Too many logs requested. Max logs per response is 20000.",
    "query exceeds max results 20000",
    "logs matched by query exceeds limit of 10000",
    "backend response too large",
    "response size should not greater than 10000000 bytes",
    "Block range is too large",
    "block range is bigger than maxBlockRange",
}


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: f"{dialect.who}: {dialect.says[:40]}")
@pytest.mark.parametrize("code", [-32_000, -32_005, -32_602, None])
def test_every_dialect_is_understood(dialect: Dialect, code: int | None) -> None:
    expected = None if dialect.says in SILENT else next(n for words, n in BLOCKS.items() if words in dialect.says)
    assert understand(dialect.says, code) == TooLarge(expected)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("eth_getLogs: the requested range is too big", -32_000),
        ("exceeded the maximum size", -32_000),
        ("too many blocks", -32_000),
        ("something nobody has seen", -32_005),
    ],
)
def test_what_nobody_has_seen_is_judged_by_its_words(words: str, code: int) -> None:
    assert understand(words, code) == TooLarge()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("daily request count exceeded, request rate limited", -32_005),
        ("Your app has exceeded its compute units per second capacity", 429),
        ("Too Many Requests", -32_000),
        ("limit exceeded", 429),
        ("you have reached your quota", -32_000),
    ],
)
def test_too_often_is_not_too_much(words: str, code: int) -> None:
    assert understand(words, code) == TooOften()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("the method eth_getLogs does not exist", -32_601),
        ("execution reverted", 3),
        ("header not found", -32_000),
        ("missing trie node", -32_000),
    ],
)
def test_other_refusals_are_neither(words: str, code: int) -> None:
    assert understand(words, code) is None
