"""What nodes say, and what a mirror makes of it."""

from collections.abc import Callable
from typing import Any

import pytest
from requests import HTTPError, Response
from web3 import EthereumTesterProvider, Web3
from web3.providers.base import JSONBaseProvider

from kameng_escrow.chain.errors import NodeError, NodeRefused
from kameng_escrow.mirror import NodeInconsistent, Web3Source
from kameng_escrow.mirror.errors import RangeTooLarge
from kameng_escrow.mirror.web3_source import rest_of

ADDRESS = "0x" + "11" * 20


class Saying(JSONBaseProvider):
    """A node that always answers the same."""

    def __init__(self, **answer: Any) -> None:
        super().__init__()
        self._answer = {"jsonrpc": "2.0", "id": 1, **answer}

    def make_request(self, *_: Any) -> Any:
        return self._answer


def saying(**answer: Any) -> Web3Source:
    return Web3Source(Web3(Saying(**answer)), patience_seconds=0)


def refusing(words: str, code: int = -32_000) -> Web3Source:
    return saying(error={"code": code, "message": words})


def test_too_large_a_range_is_told_from_other_refusals() -> None:
    source = refusing("exceed maximum block range: 5000")
    with pytest.raises(RangeTooLarge) as caught:
        source.logs(ADDRESS, 1, 100)
    assert caught.value.blocks == 5_000
    with pytest.raises(NodeRefused) as single:
        source.logs(ADDRESS, 1, 1)
    assert not isinstance(single.value, RangeTooLarge)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("daily request count exceeded, request rate limited", -32_005),
        ("Your app has exceeded its compute units per second capacity", 429),
        ("Too Many Requests", -32_000),
        ("the method eth_getLogs does not exist", -32_601),
        ("execution reverted", 3),
    ],
)
def test_asking_too_often_is_no_reason_to_ask_more_often(words: str, code: int) -> None:
    with pytest.raises(NodeRefused) as caught:
        refusing(words, code).logs(ADDRESS, 1, 100)
    assert not isinstance(caught.value, RangeTooLarge)


def test_a_node_without_finality_has_no_finalized_block() -> None:
    assert refusing("finalized block not found", -39_001).header("finalized") is None
    with pytest.raises(NodeRefused):
        refusing("finalized block not found", -39_001).header("latest")


def test_a_block_that_is_not_there_is_none() -> None:
    assert saying(result=None).header(7) is None
    assert saying(result=None).headers([7, 8]) == [None, None]


@pytest.mark.parametrize("block", [{}, {"number": "0x1"}, "0x1", {"number": None, "hash": "0x", "parentHash": "0x"}])
def test_half_a_block_is_refused(block: Any) -> None:
    with pytest.raises(NodeError):
        saying(result=block).header(1)


@pytest.mark.parametrize("nonsense", [None, 7, "0x", "banana", {}, [[]], True])
def test_nonsense_is_the_nodes_fault(nonsense: Any) -> None:
    source = saying(result=nonsense)
    questions: list[Callable[[], object]] = [
        source.chain_id,
        lambda: source.header("latest"),
        lambda: source.logs(ADDRESS, 1, 2),
        lambda: source.receipt_logs(ADDRESS, "0x" + "22" * 32),
        lambda: source.has_code(ADDRESS),
        lambda: source.call(ADDRESS, b"", 1),
        lambda: source.balance(ADDRESS, 1),
    ]
    refused = 0
    for question in questions:
        try:
            question()
        except (NodeError, NodeInconsistent):
            refused += 1
    assert refused >= 3  # what may be an answer is one: null for a block that is not there


def throttled(**headers: str) -> float | None:
    response = Response()
    response.status_code = 429
    response.headers.update(headers)
    return rest_of(response)


def test_a_rest_is_as_long_as_the_node_means_it() -> None:
    """A date is one of the node's clock, and not of ours."""
    assert throttled(**{"Retry-After": "17"}) == 17.0
    before, after = "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:30 GMT"
    assert throttled(**{"Retry-After": after, "Date": before}) == 30.0
    assert throttled(**{"Retry-After": before, "Date": after}) == 0.0
    assert throttled(**{"Retry-After": after}) == 0.0  # it is long ago
    assert throttled(**{"Retry-After": "soon"}) is None
    assert throttled() is None


class Throttling(JSONBaseProvider):
    """A node that has had enough of us for a day."""

    asked = 0

    def make_request(self, *_: Any) -> Any:
        self.asked += 1
        response = Response()
        response.status_code = 429
        response.headers["Retry-After"] = "86400"
        raise HTTPError(response=response)


def test_a_rest_of_a_day_is_told_of_and_not_slept_through() -> None:
    provider = Throttling()
    source = Web3Source(Web3(provider), patience_seconds=5)
    for _ in range(3):
        with pytest.raises(NodeError, match="HTTP 429"):
            source.chain_id()
    assert provider.asked == 1  # and the node has its rest


def test_gateways_that_do_not_say_whether_they_sync_do_not() -> None:
    assert not refusing("method not found", -32_601).is_syncing()
    assert not saying(result=False).is_syncing()
    assert saying(result={"currentBlock": "0x1"}).is_syncing()


def test_needs_a_provider_that_speaks_json_rpc() -> None:
    with pytest.raises(TypeError, match="EthereumTesterProvider"):
        Web3Source(Web3(EthereumTesterProvider()))
