"""Lines to a node that spoil what is said over them, as nodes and what is before them do."""

import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import requests
from eth_utils.crypto import keccak

from kameng_escrow.mirror.dialects import DIALECTS, Dialect

from ..integration.proxy import Answer, Forward, proxy
from .schedule import LineFault, Trouble

HIDDEN = 64  # blocks below the head whose logs a node may not have yet
_TAGS = ("latest", "pending", "finalized", "safe")
_NONSENSE: tuple[Any, ...] = ("0x", {}, 7, "banana", [[]], True)
_JSON = {"Content-Type": "application/json"}


class Line:
    """One node as it is reached over one line.

    Args:
        node: the node's URL.
        foreign: the URL of a node of another chain.
        patience: how long its askers wait for an answer, in seconds.
    """

    def __init__(self, node: str, foreign: str, *, seed: int, patience: float) -> None:
        self._node = node
        self._foreign = foreign
        self._patience = patience
        self._dice = random.Random(seed)
        self._turn = threading.Lock()
        self._fault: LineFault | None = None
        self._head = 0  # when the fault began
        self.spoiled: Counter[str] = Counter()  # answers, by kind of trouble
        self.sent: set[str] = set()  # hashes of the transactions that the node was given

    @contextmanager
    def open(self) -> Iterator[str]:
        """Its URL."""
        with proxy(self._node, self._respond) as url:
            yield url

    def begin(self, fault: LineFault, head: int) -> None:
        """From now on it misbehaves; `head`: the chain's last block."""
        with self._turn:
            self._fault = fault
            self._head = head

    def end(self, fault: LineFault | None = None) -> None:
        """It is well again, unless another fault than this one has begun."""
        with self._turn:
            if fault in (None, self._fault):
                self._fault = None

    @staticmethod
    def _pass_on(asked: Any, forward: Forward) -> Answer:
        return Answer(forward(asked), headers=_JSON)

    def _respond(self, asked: Any, forward: Forward) -> Answer | None:
        with self._turn:
            fault, roll = self._fault, self._dice.random()
        self._note(asked)
        if fault is None or roll >= fault.share:
            return self._pass_on(asked, forward)
        answer = self._spoil(fault, asked, forward)
        if answer is _AS_IT_IS:
            return self._pass_on(asked, forward)
        with self._turn:
            self.spoiled[fault.trouble.value] += 1
        return answer

    def _note(self, asked: Any) -> None:
        for call in _calls(asked):
            if call["method"] == "eth_sendRawTransaction":
                self.sent.add("0x" + keccak(hexstr=call["params"][0]).hex())

    def _spoil(self, fault: LineFault, asked: Any, forward: Forward) -> Answer | None:
        pick = random.Random(f"{fault.number}/{self._dice.random()}")
        match fault.trouble:
            case Trouble.Silence:
                time.sleep(self._patience * 1.3)  # it is the asker who has to have had enough
                return None
            case Trouble.HangUp:
                if pick.random() < 0.5:
                    forward(asked)  # it arrived all the same
                return None
            case Trouble.TooMany:
                return Answer(b"too many requests", status=429)
            case Trouble.RestSeconds:
                return Answer(b"", status=pick.choice((429, 503)), headers={"Retry-After": "1"})
            case Trouble.RestDate:
                at = datetime.now(UTC) + timedelta(seconds=1)
                return Answer(b"", status=429, headers={"Retry-After": format_datetime(at, usegmt=True)})
            case Trouble.TooManyCalls:
                return _refusing(
                    asked, pick.choice((-32005, 429, -32016)), "rate limit exceeded: 25 requests per second"
                )
            case Trouble.ServerError:
                if pick.random() < 0.3:
                    forward(asked)
                return Answer(b"<html>bad gateway</html>", status=pick.choice((500, 502, 503, 504)))
            case Trouble.Truncated:
                body = forward(asked)
                return Answer(body[: pick.randrange(1, len(body))], headers=_JSON)
            case Trouble.Broken:
                body = forward(asked)
                return Answer(body, headers=_JSON, cut=pick.randrange(len(body)))
            case Trouble.Nonsense:
                return _answering(asked, lambda _: pick.choice(_NONSENSE))
            case Trouble.WrongChain:
                return self._ask_elsewhere(asked)
            case Trouble.Stale:
                return self._stale(fault, asked, forward)
            case Trouble.MissingLogs | Trouble.RepeatedLogs:
                return self._other_logs(fault.trouble, pick, asked, forward)
            case Trouble.RangeLimit:
                return _limited(DIALECTS[fault.number % len(DIALECTS)], 1 + fault.number // 4, asked)

    def _ask_elsewhere(self, asked: Any) -> Answer:
        return Answer(requests.post(self._foreign, json=asked, timeout=30).content, headers=_JSON)

    # ------------------------------------------------------------------------------------------------------------ stale

    def _stale(self, fault: LineFault, asked: Any, forward: Forward) -> Answer:
        """As a node answers that has the chain up to a block of some time ago."""
        at = max(0, self._head - fault.number)
        answers = json.loads(forward(_each(asked, lambda call: _up_to(call, at))))
        by_id = {call["id"]: call for call in _calls(asked)}
        for answer in _calls(answers):
            if "result" in answer:
                answer["result"] = _known_by(by_id[answer["id"]], answer["result"], at)
        return Answer(json.dumps(answers).encode(), headers=_JSON)

    # ------------------------------------------------------------------------------------------------------------- logs

    def _other_logs(self, trouble: Trouble, pick: random.Random, asked: Any, forward: Forward) -> Answer | None:
        if isinstance(asked, list) or asked["method"] != "eth_getLogs":
            return _AS_IT_IS
        answer = json.loads(forward(asked))
        logs = answer.get("result")
        if not logs:
            return _AS_IT_IS
        if trouble is Trouble.RepeatedLogs:
            logs.insert(pick.randrange(len(logs) + 1), pick.choice(logs))
        else:
            recent = sorted({log["blockNumber"] for log in logs if int(log["blockNumber"], 16) > self._head - HIDDEN})
            if not recent:
                return _AS_IT_IS
            hidden = set(pick.sample(recent, pick.randint(1, len(recent))))
            answer["result"] = [log for log in logs if log["blockNumber"] not in hidden]
        return Answer(json.dumps(answer).encode(), headers=_JSON)


_AS_IT_IS = Answer()  # there is nothing in it to be spoiled


def _calls(asked: Any) -> list[Any]:
    return asked if isinstance(asked, list) else [asked]


def _each(asked: Any, change: Callable[[Any], Any]) -> Any:
    return [change(call) for call in asked] if isinstance(asked, list) else change(asked)


def _answering(asked: Any, result: Callable[[Any], Any]) -> Answer:
    answers = _each(asked, lambda call: {"jsonrpc": "2.0", "id": call["id"], "result": result(call)})
    return Answer(json.dumps(answers).encode(), headers=_JSON)


def _refusing(asked: Any, code: int, message: str) -> Answer:
    refused = {"code": code, "message": message}
    answers = _each(asked, lambda call: {"jsonrpc": "2.0", "id": call["id"], "error": refused})
    return Answer(json.dumps(answers).encode(), headers=_JSON)


def _limited(dialect: Dialect, most: int, asked: Any) -> Answer:
    """Refuses ranges of more than so many blocks in somebody's words, with that number where the words have one."""
    if isinstance(asked, list) or asked["method"] != "eth_getLogs":
        return _AS_IT_IS
    first, last = (int(asked["params"][0][name], 16) for name in ("fromBlock", "toBlock"))
    if last - first < most:
        return _AS_IT_IS
    return _refusing(asked, -32005 if most % 2 else -32602, words_of(dialect, first, most))


def words_of(dialect: Dialect, first: int, most: int) -> str:
    """What the dialect's node says that takes `most` blocks at once, of a range that begins at `first`."""
    match = re.search(dialect.pattern, dialect.says, re.IGNORECASE)
    assert match is not None
    numbers = [str(most)] if match.re.groups == 1 else [hex(first), hex(first + most - 1)]
    if match.re.groups == 2 and "0x" not in match[1]:
        numbers = [str(first), str(first + most - 1)]
    text = dialect.says
    for group in range(match.re.groups, 0, -1):
        start, end = match.span(group)
        text = text[:start] + numbers[group - 1] + text[end:]
    return text


def _up_to(call: Any, at: int) -> Any:
    """The same question, asked of the chain up to a block."""

    def named(block: Any) -> Any:
        return hex(at) if block in _TAGS or int(block, 16) > at else block

    params = list(call["params"])
    match call["method"]:
        case "eth_getBlockByNumber":
            if params[0] in _TAGS:
                params[0] = hex(at)
        case "eth_call" | "eth_estimateGas" | "eth_getTransactionCount" | "eth_getBalance" | "eth_getCode":
            params[1:2] = [named(params[1] if len(params) > 1 else "latest")]
        case "eth_getLogs":
            params[0] = {**params[0], "toBlock": named(params[0]["toBlock"])}
            if int(params[0]["fromBlock"], 16) > at:
                params[0] |= {"fromBlock": hex(at), "toBlock": hex(at), "topics": ["0x" + "00" * 32]}
    return {**call, "params": params}


def _known_by(call: Any, result: Any, at: int) -> Any:
    """What of an answer is known to a node that has come as far as a block."""
    match call["method"]:
        case "eth_blockNumber":
            return hex(min(at, int(result, 16)))
        case "eth_getBlockByNumber" if result is not None:
            return result if int(result["number"], 16) <= at else None
        case "eth_getTransactionReceipt" if result is not None:
            return result if int(result["blockNumber"], 16) <= at else None
        case "eth_getBlockReceipts" if result:
            return result if int(result[0]["blockNumber"], 16) <= at else None
    return result
