"""A node reached through web3.py, over HTTP or in this process."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeVar, cast

from requests import HTTPError, Response
from web3 import HTTPProvider, Web3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint

from kameng_escrow.chain.errors import NodeError, NodeRefused
from kameng_escrow.chain.http import HttpProvider
from kameng_escrow.chain.logs import Reading, read_logs
from kameng_escrow.chain.several import SeveralProvider
from kameng_escrow.chain.throttling import too_often
from kameng_escrow.chain.transport import answer_of, sense_demanded, shown_provider, transport_error

from .dialects import TooLarge, understand
from .errors import NodeInconsistent, RangeTooLarge
from .help import Helper
from .limiter import Limiter, Resting
from .source import Header, Tag

_Answer = TypeVar("_Answer")

BATCH = 100  # requests in one HTTP body; what most public nodes allow
PATIENCE = 30.0


class _Throttled(Exception):
    """The node wants a rest: `error`, as it would be raised, and `rest` in seconds where it says how long."""

    def __init__(self, error: NodeError, rest: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.rest = error, rest


class Web3Source:
    """A `ChainSource` on a `Web3` whose provider speaks JSON-RPC: `node.w3` of any of our nodes serves.

    Args:
        patience_seconds: how long a question waits for a node that is asked too often, before that is an error.
    """

    def __init__(self, w3: Web3, *, patience_seconds: float = PATIENCE) -> None:
        provider = w3.provider
        if not isinstance(provider, JSONBaseProvider):
            raise TypeError(f"{type(provider).__name__} does not speak JSON-RPC")
        self._provider = provider
        self._url = shown_provider(provider)
        self._batches = isinstance(provider, HTTPProvider | SeveralProvider)
        self._limiter = Limiter()
        self._why_resting: NodeError | None = None  # what the node said when it last wanted a rest
        self._patience = patience_seconds

    @property
    def concurrent(self) -> bool:
        return self._batches  # a chain in this process does one thing at a time

    def chain_id(self) -> int:
        with sense_demanded():
            return int(self._ask("eth_chainId"), 16)

    def header(self, block: int | Tag) -> Header | None:
        try:
            found = self._ask("eth_getBlockByNumber", _name(block), False)
        except NodeRefused:
            if block == "finalized":  # nodes without finality refuse the word, in as many ways as there are nodes
                return None
            raise
        return None if found is None else _header(found)

    def headers(self, numbers: Sequence[int]) -> list[Header | None]:
        if not self._batches or len(numbers) < 2:
            return [self.header(number) for number in numbers]
        found: list[Header | None] = []
        for start in range(0, len(numbers), BATCH):
            found += self._batch(numbers[start : start + BATCH])
        return found

    def read(self, address: str, first: int, last: int, helper: Helper | None = None) -> Reading:
        if helper is not None and isinstance(self._provider, HttpProvider):
            with suppress(Resting), self._limiter.turn(self._patience):
                found = helper.read(self._provider.url, self._provider.timeout_seconds, address, first, last)
                if found is not None:
                    self._limiter.answered()
                    return found
        return Reading(read_logs(self.logs(address, first, last), address))

    def logs(self, address: str, first: int, last: int) -> Sequence[Mapping[str, Any]]:
        """What `eth_getLogs` answers. Raises `RangeTooLarge`, `NodeError`."""
        try:
            logs = self._ask("eth_getLogs", {"address": address, "fromBlock": hex(first), "toBlock": hex(last)})
        except NodeRefused as error:
            match understand(error.rpc_message, error.rpc_code):
                case TooLarge(blocks) if first < last:
                    raise RangeTooLarge(error.rpc_message, error.rpc_code, blocks=blocks) from error
            raise
        if not isinstance(logs, list):
            raise NodeInconsistent("The node answered a question for logs with something else.")
        return logs

    def receipt_logs(self, address: str, block_hash: str) -> Sequence[Mapping[str, Any]] | None:
        try:
            receipts = self._ask("eth_getBlockReceipts", block_hash)
        except NodeRefused:  # many don't offer it
            return None
        if not isinstance(receipts, list):
            return None
        wanted = address.lower()
        with sense_demanded():
            return [log for receipt in receipts for log in receipt["logs"] if log["address"].lower() == wanted]

    def has_code(self, address: str) -> bool:
        with sense_demanded():
            return len(self._ask("eth_getCode", address, "latest")) > len("0x")

    def is_syncing(self) -> bool:
        try:
            return self._ask("eth_syncing") is not False
        except NodeRefused:  # many gateways don't offer it
            return False

    def call(self, to: str, data: bytes, block: int) -> bytes:
        """What a view returns at a block. Raises `NodeRefused` where it reverts, or the node forgot that block."""
        answer = self._ask("eth_call", {"to": to, "data": "0x" + data.hex()}, hex(block))
        with sense_demanded():
            return bytes.fromhex(answer.removeprefix("0x"))

    def calls(self, asked: Sequence[tuple[str, bytes]], block: int) -> list[bytes]:
        """What several views return at a block: contracts and calldata, answers in the same order. Raises likewise."""
        if not self._batches or len(asked) < 2:
            return [self.call(to, data, block) for to, data in asked]
        found: list[bytes] = []
        for start in range(0, len(asked), BATCH):
            part = asked[start : start + BATCH]
            requests = [
                (RPCEndpoint("eth_call"), [{"to": to, "data": "0x" + data.hex()}, hex(block)]) for to, data in part
            ]
            answers = self._patiently(partial(self._ask_batch, requests))
            if answers is None:  # the node takes no batches, or smaller ones
                found += [self.call(to, data, block) for to, data in part]
            else:
                with sense_demanded():
                    found += [bytes.fromhex(answer.removeprefix("0x")) for answer in answers]
        return found

    def balance(self, account: str, block: int) -> int:
        """What an account has of the native coin at a block, in base units. Raises likewise."""
        with sense_demanded():
            return int(self._ask("eth_getBalance", account, hex(block)), 16)

    def _ask(self, method: str, *params: Any) -> Any:
        return self._patiently(
            lambda: answer_of(self._send(lambda: self._provider.make_request(RPCEndpoint(method), list(params))))
        )

    def _patiently(self, ask: Callable[[], _Answer]) -> _Answer:
        """The answer, once the node has had its rest, if it asks for one."""
        ends = time.monotonic() + self._patience
        while True:
            try:
                with self._limiter.turn(max(0.0, ends - time.monotonic())):
                    found = self._ask_once(ask)
            except _Throttled as throttled:
                self._why_resting = throttled.error
                if time.monotonic() + self._limiter.refused(throttled.rest) > ends:
                    raise throttled.error from None
                continue
            except Resting:  # an hour, or a day: somebody has to know, and there may be another node
                assert self._why_resting is not None
                raise self._why_resting from None
            self._limiter.answered()
            return found

    @staticmethod
    def _ask_once(ask: Callable[[], _Answer]) -> _Answer:
        try:
            return ask()
        except NodeRefused as error:
            if too_often(error.rpc_message, error.rpc_code):
                raise _Throttled(error) from None
            raise

    def _batch(self, numbers: Sequence[int]) -> list[Header | None]:
        requests = [(RPCEndpoint("eth_getBlockByNumber"), [hex(number), False]) for number in numbers]
        found = self._patiently(partial(self._ask_batch, requests))
        if found is None:  # the node takes no batches, or smaller ones
            return [self.header(number) for number in numbers]
        return [None if result is None else _header(result) for result in found]

    def _ask_batch(self, requests: Sequence[tuple[RPCEndpoint, list[Any]]]) -> list[Any] | None:
        """The results, in the order of the requests; None where the node did not answer each."""
        answers = self._send(lambda: self._provider.make_batch_request(cast(Any, requests)))
        if not isinstance(answers, list) or len(answers) != len(requests):
            return None
        return [answer_of(answer) for answer in answers]

    def _send(self, request: Callable[[], Any]) -> Any:
        try:
            return request()
        except HTTPError as error:
            if error.response is not None and error.response.status_code == 413:
                raise RangeTooLarge("the answer would be too large (HTTP 413)") from None
            failure = transport_error(error, self._url)
            if isinstance(failure, NodeError) and error.response is not None and _wants_rest(error.response):
                raise _Throttled(failure, rest_of(error.response)) from None
            raise failure from None
        except Exception as error:
            raise transport_error(error, self._url) from None


def _wants_rest(response: Response) -> bool:
    return response.status_code == 429 or (response.status_code == 503 and "Retry-After" in response.headers)


def rest_of(response: Response) -> float | None:
    """Retry-After in seconds; it may also be a date (RFC 9110), by the node's clock: ours may be off by days."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    until, now = _date(said), _date(response.headers.get("Date", ""))
    return None if until is None else max(0.0, until - (time.time() if now is None else now))


def _date(text: str) -> float | None:
    """Unix seconds of an HTTP date; None where it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return None


def _name(block: int | Tag) -> str:
    return hex(block) if isinstance(block, int) else block


def _header(block: Mapping[str, Any]) -> Header:
    try:
        return Header(
            number=int(block["number"], 16),
            hash=block["hash"].lower(),
            parent_hash=block["parentHash"].lower(),
            timestamp=int(block["timestamp"], 16),
            logs_bloom=block.get("logsBloom") or None,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise NodeRefused("it answered a block without number, hash, parent or time") from error
