"""Signatures by the Standard Webhooks spec (https://www.standardwebhooks.com), version 1.0.0: HMAC-SHA256, ``v1``.

The HMAC is that of the spec's own library. Reading headers is ours: the library's reader knows one secret and its own
clock, lets other exceptions than its own through where a header is malformed, and can't be asked for the raw id.
"""

import base64
import binascii
import secrets as randomness
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from .errors import BadSecret

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # bytes, by the spec
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def new_secret() -> str:
    """A fresh secret of 32 bytes, from the system's randomness."""
    return PREFIX + base64.b64encode(randomness.token_bytes(32)).decode("ascii")


def key_of(secret: str) -> bytes:
    """The bytes that a secret stands for.

    Raises:
        BadSecret: it is none.
    """
    text = secret.strip()
    if not text.startswith(PREFIX):
        raise BadSecret("does not begin with whsec_", "不是以 whsec_ 开头")
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret("is not base64 after whsec_", "在 whsec_ 之后不是 base64") from None
    if not SHORTEST <= len(key) <= LONGEST:
        raise BadSecret(
            f"has {len(key)} bytes, and {SHORTEST} to {LONGEST} are right",
            f"有 {len(key)} 字节，应为 {SHORTEST} 到 {LONGEST} 字节",
        )
    return key


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """``v1,`` and the base64 of the HMAC. `timestamp`: Unix seconds. Raises `UnicodeDecodeError` for no UTF-8."""
    return str(Webhook(key).sign(message_id, datetime.fromtimestamp(timestamp, UTC), body.decode("utf-8")))


def signed_headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a message, with one signature for each secret.

    Args:
        secrets: the current one first; during a rotation the one before too.
        message_id: without full stops, which part what is signed.
        timestamp: of this attempt, Unix seconds.

    Raises:
        BadSecret: one of them is none.
        ValueError: the id has a full stop.
    """
    if "." in message_id:
        raise ValueError(f"a webhook's id has no full stops: {message_id!r}")
    signatures = (signature(key_of(secret), message_id, timestamp, body) for secret in secrets)
    return {ID: message_id, TIMESTAMP: str(timestamp), SIGNATURE: " ".join(signatures)}
