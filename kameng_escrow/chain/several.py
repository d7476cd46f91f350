"""Several nodes of one chain as one: who fails is set aside for a while, and the next is asked.

For whoever only needs an answer. What a mirror is told it holds against what others say before it undoes anything: see
`kameng_escrow.mirror.endpoints`, which keeps its nodes in the same order.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from web3 import AsyncWeb3, Web3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from kameng_escrow.errors import EscrowError

from .errors import NodeError, NodeRefused, WrongChain
from .nodes import Node, RpcNode
from .throttling import too_often
from .transport import answer_of, sense_demanded, transport_error

ASIDE = 5.0  # seconds that a node which failed is not asked, doubled with each failure in a row
LONGEST_ASIDE = 300.0

_Source = TypeVar("_Source")
_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class Endpoint(Generic[_Source]):
    """A node, and what we think of it. `name` is shown: no keys in it."""

    name: str
    source: _Source
    admitted: bool = False  # whether it was found to be of the right chain, and has not failed since
    failures: int = 0  # in a row
    aside_until: float = 0.0  # monotonic seconds
    reason: EscrowError | None = None  # why it was set aside last

    def set_aside(self, reason: EscrowError) -> None:
        """Not to be asked for a while, unless there is nobody else."""
        self.aside_until = time.monotonic() + min(ASIDE * 2**self.failures, LONGEST_ASIDE)
        self.failures = min(self.failures + 1, 10)
        self.admitted = False
        self.reason = reason


def in_turn(
    endpoints: Sequence[Endpoint[_Source]], current: Endpoint[_Source], now: float
) -> Iterator[Endpoint[_Source]]:
    """The present node, then the others; those set aside last, and of these who comes back soonest first.

    Args:
        now: monotonic seconds.
    """
    aside = sorted((one for one in endpoints if one.aside_until > now), key=lambda one: one.aside_until)
    ready = [one for one in endpoints if one.aside_until <= now]
    if current in ready:
        ready.remove(current)
        ready.insert(0, current)
    return iter([*ready, *aside])


class SeveralProvider(JSONBaseProvider):
    """web3's way to several nodes. Each is asked for its chain id first, and again after each failure.
    Safe in several threads.

    Args:
        nodes: the preferred one first.
        chain_id: what the chain calls itself; None: as the first node that answers says.
    """

    def __init__(self, nodes: Sequence[RpcNode], chain_id: int | None) -> None:
        super().__init__()
        self.endpoint_uri = nodes[0].url  # what messages show of all of them
        self._endpoints = [Endpoint(node.url or "a node", node) for node in nodes]
        self._current = self._endpoints[0]
        self._chain_id = chain_id
        self._turn = threading.RLock()

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """A node's answer, be it an error. Raises `NodeError` where all fail: what the first said."""
        response: RPCResponse
        response, asked = self._ask(lambda provider: provider.make_request(method, params))
        if method == "eth_getTransactionReceipt" and response.get("result", 0) is None:
            # What one node has not indexed may be known to another, if both speak of the same block.
            return self._known_to_another(asked, method, params) or response
        return response

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> Any:
        """A node's answer, likewise."""
        answer, _ = self._ask(lambda provider: provider.make_batch_request(requests))
        return answer

    def doubt(self) -> None:
        """Each node is to be asked for its chain once more before it is asked anything else."""
        with self._turn:
            for endpoint in self._endpoints:
                endpoint.admitted = False

    def _ask(self, question: Callable[[Any], _Answer]) -> tuple[_Answer, Endpoint[RpcNode]]:
        """An answer, and whose it is."""
        first: NodeError | None = None
        with self._turn:
            candidates = in_turn(self._endpoints, self._current, time.monotonic())
        for endpoint in candidates:
            try:
                answer = self._ask_one(endpoint, question)
            except NodeError as error:
                first = first or error
                with self._turn:
                    endpoint.set_aside(error)
                continue
            with self._turn:
                endpoint.failures = 0
                self._current = endpoint
            return answer, endpoint
        assert first is not None  # there is at least one node
        raise first

    def _ask_one(self, endpoint: Endpoint[RpcNode], question: Callable[[Any], _Answer]) -> _Answer:
        """Raises `NodeError` where another node should be asked."""
        if not endpoint.admitted:
            self._admit(endpoint)
        try:
            answer = question(endpoint.source.w3.provider)
        except Exception as error:
            raise transport_error(error, endpoint.name) from None
        for one in answer if isinstance(answer, list) else [answer]:
            try:
                answer_of(one)
            except NodeRefused as refused:
                if refused.rpc_code is None or too_often(refused.rpc_message, refused.rpc_code):
                    raise  # it is no answer of a node's, or not to this question
        return answer

    def _admit(self, endpoint: Endpoint[RpcNode]) -> None:
        with sense_demanded():
            served = int(endpoint.source.request("eth_chainId"), 16)
        with self._turn:
            expected = self._chain_id = self._chain_id or served
        if served != expected:
            raise WrongChain(expected, served)
        endpoint.admitted = True

    def _known_to_another(self, asked: Endpoint[RpcNode], method: RPCEndpoint, params: Any) -> RPCResponse | None:
        """What another node than the one that was asked knows; None: nothing, or it is of a block that the one that was
        asked does not have, or not by that hash: what it follows is another branch, or ends before.
        """
        with self._turn:
            now = time.monotonic()
            others = [one for one in self._endpoints if one is not asked and one.aside_until <= now]
        for endpoint in others:
            response = self._try(endpoint, method, params)
            if response is not None and self._is_of_its_chain(asked, response.get("result")):
                return response
        return None

    def _is_of_its_chain(self, judge: Endpoint[RpcNode], receipt: Any) -> bool:
        if not isinstance(receipt, Mapping):
            return False
        number, block_hash = receipt.get("blockNumber"), receipt.get("blockHash")
        if not isinstance(number, str) or not isinstance(block_hash, str):
            return False
        response = self._try(judge, RPCEndpoint("eth_getBlockByNumber"), [number, False])
        block = None if response is None else response.get("result")
        return isinstance(block, Mapping) and str(block.get("hash")).lower() == block_hash.lower()

    def _try(self, endpoint: Endpoint[RpcNode], method: RPCEndpoint, params: Any) -> RPCResponse | None:
        """Its answer; None where it fails, for which it is set aside."""
        try:
            response: RPCResponse = self._ask_one(endpoint, lambda provider: provider.make_request(method, params))
        except NodeError as error:
            with self._turn:
                endpoint.set_aside(error)
            return None
        return response


class SeveralNodes(Node):
    """Several nodes of one chain: what the first can't answer the next is asked. Closes them all on exit.

    `async_w3` is the first one's.

    Args:
        nodes: at least one, the preferred one first.
        chain_id: what the chain calls itself; None: as the first node that answers says.
    """

    def __init__(self, nodes: Sequence[RpcNode], chain_id: int | None = None) -> None:
        self.nodes = tuple(nodes)
        self.url = nodes[0].url
        self._provider = SeveralProvider(nodes, chain_id)
        self._w3 = Web3(self._provider)

    @property
    def w3(self) -> Web3:
        """For synchronous use."""
        return self._w3

    def async_w3(self) -> AsyncWeb3[Any]:
        """A new one for asynchronous use; it knows of the first node only."""
        return self.nodes[0].async_w3()

    def doubt(self) -> None:
        """See `Node.doubt`."""
        self._provider.doubt()

    def close(self) -> None:
        """Closes every node's connections."""
        for node in self.nodes:
            node.close()
