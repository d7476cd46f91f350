"""The receiver's side: is this request ours, fresh, and not handled before?"""

import base64
import binascii
import hmac
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson

from .errors import (
    AlreadyHandled,
    BadSecret,
    BodyMalformed,
    HeaderMalformed,
    HeaderMissing,
    SignatureWrong,
    TimestampOff,
)
from .events import WebhookEvent
from .memory import InMemory, Memory
from .signing import ID, SIGNATURE, TIMESTAMP, key_of, signature

TOLERANCE = 300  # seconds between the sender's clock and ours, either way

_ID = re.compile(r"[!-\-/-~]{1,256}")  # printable, without spaces and full stops
_SECONDS = re.compile(r"[0-9]{1,12}")
_MOST_SIGNATURES = 16


class WebhookReceiver:
    """Verifies webhooks of one endpoint. May be used from several threads.

    Args:
        secrets: the endpoint's, as ``whsec_…``; during a rotation the old and the new one.
        tolerance_seconds: how old a signature may be, and how far in the future.
        memory: where handled ids are remembered (`handling`); left out, in this process.
        clock: Unix seconds.

    Raises:
        BadSecret: a secret is none, or there is none.
    """

    def __init__(
        self,
        secrets: str | Sequence[str],
        *,
        tolerance_seconds: int = TOLERANCE,
        memory: Memory | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        given = [secrets] if isinstance(secrets, str) else list(secrets)
        if not given:
            raise BadSecret("is missing", "没有给出")
        self._keys = [key_of(secret) for secret in given]
        self._tolerance = tolerance_seconds
        self._memory = InMemory() if memory is None else memory
        self._clock = clock

    def verify(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        """The event, if the request is ours and fresh.

        Args:
            body: the raw bytes as they came in: JSON that was read and written again is other bytes.
            headers: of any framework; case does not matter.

        Raises:
            WebhookRefused: answer with a status of 4xx. Its members say why.
        """
        given = {name.lower(): value for name, value in headers.items()}
        message_id, seconds, signatures = (_header(given, name) for name in (ID, TIMESTAMP, SIGNATURE))
        if not _ID.fullmatch(message_id):
            raise HeaderMalformed(ID)
        if not _SECONDS.fullmatch(seconds):
            raise HeaderMalformed(TIMESTAMP)
        sent_at = int(seconds)
        age = int(self._clock()) - sent_at
        if abs(age) > self._tolerance:
            raise TimestampOff(age, self._tolerance)
        self._check(_macs(signatures), message_id, sent_at, body)
        return _event(message_id, sent_at, body)

    @contextmanager
    def handling(self, body: bytes, headers: Mapping[str, str]) -> Iterator[WebhookEvent]:
        """As `verify`, for a block that does what the message asks for, once. Where the block fails, the next attempt
        is handled again: answer with a status of 5xx then.

        Raises:
            AlreadyHandled: it was handled before: answer 2xx.
            WebhookRefused: as `verify`.
        """
        event = self.verify(body, headers)
        if not self._memory.claim(event.id, self._clock()):
            raise AlreadyHandled(event.id)
        try:
            yield event
        except BaseException:
            self._memory.release(event.id)
            raise

    def _check(self, macs: list[bytes], message_id: str, sent_at: int, body: bytes) -> None:
        try:
            expected = [_mac(signature(key, message_id, sent_at, body)) for key in self._keys]
        except UnicodeDecodeError:
            raise SignatureWrong from None  # what we send is UTF-8
        # Every pair is compared, so that time tells nothing of which one fits.
        fits = [hmac.compare_digest(mine, theirs) for mine in expected for theirs in macs]
        if not any(fits):
            raise SignatureWrong


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise HeaderMissing(name)
    return value


def _macs(header: str) -> list[bytes]:
    """The signatures of our kind; other kinds may stand beside them."""
    parts = header.split(" ")
    if len(parts) > _MOST_SIGNATURES:
        raise HeaderMalformed(SIGNATURE)
    found = []
    for part in parts:
        version, comma, _ = part.partition(",")
        if not comma or not version:
            raise HeaderMalformed(SIGNATURE)
        if version == "v1":
            found.append(_mac(part))
    if not found:
        raise SignatureWrong
    return found


def _mac(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix("v1,"), validate=True)
    except (binascii.Error, ValueError):
        raise HeaderMalformed(SIGNATURE) from None


def _event(message_id: str, sent_at: int, body: bytes) -> WebhookEvent:
    try:
        document: Any = orjson.loads(body)
        when = datetime.fromisoformat(document["timestamp"])
        if when.tzinfo is None or not isinstance(document["data"], dict) or not isinstance(document["final"], bool):
            raise ValueError
        return WebhookEvent(
            id=message_id,
            type=str(document["type"]),
            timestamp=when.astimezone(UTC),
            data=document["data"],
            final=document["final"],
            retracts=document.get("retracts"),
            chain_id=int(document["chain_id"]),
            contract=str(document["contract"]),
            sent_at=sent_at,
        )
    except (ValueError, TypeError, KeyError):
        raise BodyMalformed from None
