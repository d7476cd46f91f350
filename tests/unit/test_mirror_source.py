"""What nodes say, and what a mirror makes of it."""

from typing import Any

import pytest
from web3 import EthereumTesterProvider, Web3
from web3.providers.base import JSONBaseProvider

from kameng_escrow.chain.errors import NodeError, NodeRefused
from kameng_escrow.mirror import Web3Source
from kameng_escrow.mirror.errors import RangeTooLarge

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


def test_gateways_that_do_not_say_whether_they_sync_do_not() -> None:
    assert not refusing("method not found", -32_601).is_syncing()
    assert not saying(result=False).is_syncing()
    assert saying(result={"currentBlock": "0x1"}).is_syncing()


def test_needs_a_provider_that_speaks_json_rpc() -> None:
    with pytest.raises(TypeError, match="EthereumTesterProvider"):
        Web3Source(Web3(EthereumTesterProvider()))
