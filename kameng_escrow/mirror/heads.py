"""Hears of new blocks as they come, over a node's WebSocket.

Only that there may be one: what is in it is asked for by range, as after every pause. So nothing that the line loses,
repeats or gets wrong can do harm, and while it is down the mirror looks as often as it would without it.
"""

import json
import threading
import time
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

_FIRST_PAUSE = 0.5  # seconds before connecting again, doubled with every failure
_LONGEST_PAUSE = 30.0
_SILENCE = 60.0  # seconds without a word after which the line is taken for dead: chains are not so slow
_SLICE = 0.1  # seconds after which `wait` looks whether it is told to stop
_SUBSCRIBE = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})


class HeadBell:
    """Rings with every new block. A context manager: listens in a thread of its own until it is left.

    Args:
        url: ws:// or wss://. Keys in it are kept out of messages.
        silence_seconds: how long the line may say nothing before it is made anew.
    """

    def __init__(self, url: str, *, silence_seconds: float = _SILENCE) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise ValueError("a WebSocket's URL begins with ws:// or wss:// and names a host")
        self._url = url
        self._silence = silence_seconds
        self._rung = threading.Event()
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="new-heads", daemon=True)
        self.connected = False
        self.rings = 0  # since it was made

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Returns when it has rung since the last time, when `stop` is set, or after so many seconds."""
        ends = time.monotonic() + seconds
        while not stop.is_set() and (left := ends - time.monotonic()) > 0:
            if self._rung.wait(min(left, _SLICE)):
                break
        self._rung.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._enough.set()
        self._thread.join(timeout=5)  # a connection that is just being made ends with the process

    def _listen(self) -> None:
        pause = _FIRST_PAUSE
        while not self._enough.is_set():
            try:
                self._hear()
                pause = _FIRST_PAUSE
            except (OSError, TimeoutError, ValueError, WebSocketException):
                pass  # the mirror goes on by itself meanwhile
            self.connected = False
            self._enough.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _hear(self) -> None:
        """Listens until the line is dead or nobody wants to hear any more."""
        with connect(self._url, open_timeout=10, close_timeout=1, max_size=2**20) as line:
            line.send(_SUBSCRIBE)
            heard = time.monotonic()
            while not self._enough.is_set():
                try:
                    message = json.loads(line.recv(timeout=1.0))
                except TimeoutError:
                    if time.monotonic() - heard > self._silence:
                        return
                    continue
                heard = time.monotonic()
                if not isinstance(message, dict) or "error" in message:
                    return  # it offers no subscriptions
                self.connected = True
                self.rings += 1
                self._rung.set()  # also at the first answer: blocks may have come while there was no line
