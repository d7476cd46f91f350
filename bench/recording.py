"""A chain as long as you like, played from a recording of a short one.

The recording is of blocks that an Anvil mined with real transactions of the real contract. Played again and again it
gives each round its own block numbers, times and hashes, order ids and buyers; amounts, sellers and the way of each
order are the recorded ones. So what a mirror reads is as large, as varied and as badly sorted as on a chain where all
of that happened, and nobody has to mine ten million events first.

A round's ids are the recorded ones with their hexadecimal digits exchanged for one another: as random as before, and
never those of another round.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from typing import Any

import orjson

from kameng_escrow.chain.codec import event_topics
from kameng_escrow.domain.events import OrderEvent, OrderOpened

from .mill import Mill

_DIGITS = b"0123456789abcdef"
_ROUND_SECONDS = 86_400  # between the end of a round and the beginning of the next
_CHUNK = 100  # headers to ask for at once


@dataclass(frozen=True, slots=True)
class Block:
    """A recorded block: its header's fields, and its logs cut into what stays and what a round changes."""

    header: dict[str, Any]
    pieces: tuple[bytes, ...]  # of the logs' JSON, one more than there are changing places
    changing: bytes  # the digits at these places, one after another
    lengths: tuple[int, ...]  # how many digits each place has
    events: int


@dataclass(frozen=True, slots=True)
class Recording:
    """What an Anvil said."""

    chain_id: int
    address: str
    first_block: int
    genesis: str
    code: str
    opening: tuple[Block, ...]  # from block 0 on; played once: deployment, policies, bonds
    round: tuple[Block, ...]  # played again and again
    round_seconds: int


def record(mill: Mill, events: int) -> Recording:
    """Has the mill make at least so many events, and records them."""
    ask = mill.node.request
    begun = int(ask("eth_blockNumber"), 16)
    mill.fill(mill.events + events)
    head = int(ask("eth_blockNumber"), 16)
    blocks = [_block(mill, number) for number in range(head + 1)]
    times = [int(block.header["timestamp"], 16) for block in blocks]
    address = mill.deployment.address
    return Recording(
        chain_id=mill.deployment.chain_id,
        address=address,
        first_block=mill.deployment.block,
        genesis=mill.deployment.genesis,
        code=str(ask("eth_getCode", address, "latest")),
        opening=tuple(blocks[: begun + 1]),
        round=tuple(blocks[begun + 1 :]),
        round_seconds=times[head] - times[begun + 1] + _ROUND_SECONDS,
    )


def _block(mill: Mill, number: int) -> Block:
    header = dict(mill.node.request("eth_getBlockByNumber", hex(number), False))
    header["transactions"] = []
    wanted = {"address": mill.deployment.address, "fromBlock": hex(number), "toBlock": hex(number)}
    logs = mill.node.request("eth_getLogs", wanted)
    pieces, changing, lengths = [b""], b"", []
    for log in logs:
        log["blockHash"], log["blockNumber"], log["blockTimestamp"] = "@hash", "@number", "@time"
        text = orjson.dumps(log)
        for place in _changing(log):
            before, text = text.split(place, 1)
            pieces[-1] += before
            pieces.append(b"")
            changing += place
            lengths.append(len(place))
        pieces[-1] += text + b","
    return Block(header, tuple(pieces), changing, tuple(lengths), len(logs))


def _changing(log: dict[str, Any]) -> list[bytes]:
    """The digits in a log that differ from round to round, in their order in its JSON."""
    kind = event_topics()[log["topics"][0]]
    if not issubclass(kind, OrderEvent):
        return []
    places = [log["topics"][1][2:]]
    if kind is OrderOpened:
        places += [log["data"][2:66][24:], log["data"][66:130][24:]]  # buyer and refundTo, the first two words
    return [place.encode() for place in places]


class Player:
    """Answers as a node would whose chain is the recording, played until it has so many events."""

    def __init__(self, recording: Recording, events: int) -> None:
        self._recording = recording
        in_round = sum(block.events for block in recording.round)
        missing = events - sum(block.events for block in recording.opening)
        self._rounds = max(1, -(-missing // in_round))
        self.events = in_round * self._rounds + events - missing
        self.head = len(recording.opening) + len(recording.round) * self._rounds - 1

    def answer(self, method: str, params: list[Any]) -> bytes:
        """The result as JSON."""
        recording = self._recording
        match method:
            case "eth_chainId":
                return orjson.dumps(hex(recording.chain_id))
            case "eth_blockNumber":
                return orjson.dumps(hex(self.head))
            case "eth_getCode":
                return orjson.dumps(recording.code)
            case "eth_syncing":
                return b"false"
            case "eth_getBlockByNumber":
                number = self.head if params[0] in ("latest", "finalized") else int(params[0], 16)
                return orjson.dumps(self._header(number)) if number <= self.head else b"null"
            case "eth_getLogs":
                first, last = int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)
                logs = b"".join(self._logs(number) for number in range(first, min(last, self.head) + 1))
                return b"[" + logs[:-1] + b"]"
        raise ValueError(f"nobody recorded {method}")

    def _find(self, number: int) -> tuple[Block, int]:
        """The block that is played as this number, and in which round; the opening is round −1."""
        opening, length = len(self._recording.opening), len(self._recording.round)
        if number < opening:
            return self._recording.opening[number], -1
        played, index = divmod(number - opening, length)
        return self._recording.round[index], played

    def _hash(self, number: int) -> str:
        block, played = self._find(number)
        recorded: str = block.header["hash"]
        return recorded if played <= 0 else f"0x{number:016x}{recorded[18:]}"

    def _time(self, number: int) -> str:
        block, played = self._find(number)
        return hex(int(block.header["timestamp"], 16) + max(0, played) * self._recording.round_seconds)

    def _header(self, number: int) -> dict[str, Any]:
        block, _ = self._find(number)
        changed = {"number": hex(number), "hash": self._hash(number), "timestamp": self._time(number)}
        return {**block.header, **changed, "parentHash": self._hash(number - 1) if number else "0x" + "00" * 32}

    def _logs(self, number: int) -> bytes:
        block, played = self._find(number)
        digits = block.changing if played <= 0 else block.changing.translate(_exchange(played))
        parts, start = [block.pieces[0]], 0
        for piece, length in zip(block.pieces[1:], block.lengths, strict=True):
            parts += (digits[start : start + length], piece)
            start += length
        text = b"".join(parts).replace(b"@hash", self._hash(number).encode())
        return text.replace(b"@number", hex(number).encode()).replace(b"@time", self._time(number).encode())


def _exchange(played: int) -> bytes:
    """The round's digit for each digit."""
    mixed = list(_DIGITS)
    random.Random(played).shuffle(mixed)
    return bytes.maketrans(_DIGITS, bytes(mixed))


@contextmanager
def playing(recording: Recording, events: int) -> Iterator[str]:
    """A process of its own that plays the recording until it has so many events; its URL."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(recording, events, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(recording: Recording, events: int, pipe: Any) -> None:
    player = Player(recording, events)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are two writes

        def do_POST(self) -> None:
            asked = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
            several = isinstance(asked, list)
            answers = [
                b'{"jsonrpc":"2.0","id":%d,"result":%s}' % (one["id"], player.answer(one["method"], one["params"]))
                for one in (asked if several else [asked])
            ]
            body = b"[" + b",".join(answers) + b"]" if several else answers[0]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        pipe.send(server.server_address[1])
        server.serve_forever()
