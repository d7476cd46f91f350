"""A process that asks nodes for logs and reads them, for another that has enough to do: see `mirror.help`.

    python -m kameng_escrow.chain.log_helper

Questions come in on standard input and answers go out on standard output, each as its length and a value of
`marshal`'s, which both ends have from the same interpreter. Whatever is out of the ordinary is not answered but given
back, for the other process to ask itself: it knows what to do about it. It ends as soon as its input does, however that
came about.
"""

import gc
import marshal
import os
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

import orjson
import requests

from .logs import read_logs
from .posts import open_session, post

AT_ONCE = 4  # questions
READY = "ready"  # the first word
_LENGTH = 8  # bytes of it before each value

Question = tuple[int, str, float, str, int, int]  # number, URL, its timeout in seconds, contract, first and last block
Block = tuple[int, str, list[Any]]  # as `logs.BlockLogs`
Answer = tuple[int, list[Block] | None, float]  # number, blocks unless given back, seconds of processor time


def send(pipe: IO[bytes], value: Any) -> None:
    """Writes a value. Raises OSError where nobody is there to read it."""
    content = marshal.dumps(value)
    pipe.write(len(content).to_bytes(_LENGTH))
    pipe.write(content)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next value. Raises EOFError at the end."""
    content = _exactly(pipe, int.from_bytes(_exactly(pipe, _LENGTH)))
    return marshal.loads(content)


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    content = pipe.read(length)
    if len(content) < length:
        raise EOFError
    return content


class _Helper:
    """Answers from several threads, one at a time."""

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers = answers
        self._turn = threading.Lock()
        self._session = open_session()

    def answer(self, question: Question) -> None:
        number, url, timeout_seconds, address, first, last = question
        began = time.thread_time()
        try:
            found = _read(self._session, url, timeout_seconds, address, first, last)
        except Exception:  # whatever it was: the mirror asks again by itself, and hears why
            found = None
        with self._turn:
            send(self._answers, (number, found, time.thread_time() - began))
        del found
        gc.collect()  # finds what HTTP's libraries leave; of ours there is nothing left to look through


def _read(
    session: requests.Session, url: str, timeout_seconds: float, address: str, first: int, last: int
) -> list[Block]:
    wanted = {"address": address, "fromBlock": hex(first), "toBlock": hex(last)}
    body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [wanted]})
    said: Mapping[str, Any] = post(session, url, body, timeout_seconds)
    if said.get("error") is not None:
        raise ValueError("it refuses")
    return [(block.number, block.hash, block.logs) for block in read_logs(said["result"], address)]


def main() -> None:
    gc.disable()  # there are no cycles in what goes through here, only very many values
    gc.freeze()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody else has a word in there
    send(answers, READY)
    helper = _Helper(answers)
    threads = ThreadPoolExecutor(AT_ONCE)
    try:
        while True:
            threads.submit(helper.answer, receive(sys.stdin.buffer))
    except EOFError:
        os._exit(0)  # whatever a thread still waits for


if __name__ == "__main__":
    main()
