"""Transactions into blocks of a local node at a given second: many in one on Anvil, one in each in this process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.errors import NodeRefused
from kameng_escrow.chain.nodes import LocalNode
from kameng_escrow.chain.transport import answer_of


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction in its block."""

    receipt: Mapping[str, Any]  # as the node's JSON has it
    timestamp: int  # Unix seconds of the block

    @property
    def succeeded(self) -> bool:
        """Whether it did what it was for."""
        return int(self.receipt["status"], 16) == 1

    @property
    def gas(self) -> int:
        """That it used."""
        return int(self.receipt["gasUsed"], 16)


_BATCH = 200  # requests in one post


class Blocks(Protocol):
    """How a node takes a tick's transactions."""

    def include(self, at: int, raws: Sequence[str]) -> list[Mined]:
        """Mines the signed transactions (0x-hex) in this order at the Unix second `at` or the first after the latest
        block's, and says what became of them, in the same order.

        Raises:
            NodeRefused: the node does not take one of them.
        """

    def reach(self, at: int) -> None:
        """Makes the latest block's time at least the Unix second `at`."""

    def hands_off(self, free: bool) -> None:
        """Whether blocks are mined without us, while others send."""


class AnvilBlocks:
    """One block a tick."""

    def __init__(self, node: AnvilNode) -> None:
        self._node = node
        self._latest = node.now()
        node.request("evm_setAutomine", False)

    def include(self, at: int, raws: Sequence[str]) -> list[Mined]:
        """All in one block."""
        hashes: list[str] = []
        for start in range(0, len(raws), _BATCH):
            hashes += self._batch([("eth_sendRawTransaction", [raw]) for raw in raws[start : start + _BATCH]])
        self._mine(at)
        mined = {one["transactionHash"]: one for one in self._node.request("eth_getBlockReceipts", "latest")}
        if missing := [one for one in hashes if one not in mined]:
            raise NodeRefused(
                f"{len(missing)} of {len(hashes)} transactions are not in the block that was to have them"
            )
        return [Mined(mined[one], self._latest) for one in hashes]

    def reach(self, at: int) -> None:
        """By an empty block."""
        if self._latest < at:
            self._mine(at)

    def hands_off(self, free: bool) -> None:
        """By Anvil's own switch."""
        self._node.request("evm_setAutomine", free)
        if not free:
            self._latest = self._node.now()

    def _mine(self, at: int) -> None:
        self._latest = max(at, self._latest + 1)
        self._node.request("evm_mine", {"timestamp": self._latest, "blocks": 1})

    def _batch(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        provider = cast(JSONBaseProvider, self._node.w3.provider)
        if len(requests) == 1:
            [(method, params)] = requests
            return [self._node.request(method, *params)]
        answers = provider.make_batch_request([(RPCEndpoint(method), params) for method, params in requests])
        if not isinstance(answers, list) or len(answers) != len(requests):
            raise NodeRefused("it does not answer several requests at once")
        return [answer_of(answer) for answer in answers]


class SingleBlocks:
    """A block for each transaction, the first at the tick, each other a second later."""

    def __init__(self, node: LocalNode) -> None:
        self._node = node
        self._latest = node.now()

    def include(self, at: int, raws: Sequence[str]) -> list[Mined]:
        """One after the other."""
        mined = []
        for raw in raws:
            self._latest = max(at, self._latest + 1)
            self._node.request("evm_setNextBlockTimestamp", self._latest)
            sent = self._node.request("eth_sendRawTransaction", raw)
            mined.append(Mined(self._node.request("eth_getTransactionReceipt", sent), self._latest))
        return mined

    def reach(self, at: int) -> None:
        """By an empty block."""
        if self._latest < at:
            self._node.warp(at)
            self._latest = at

    def hands_off(self, free: bool) -> None:
        """Whoever sends gets a block, always."""
        if not free:
            self._latest = self._node.now()
