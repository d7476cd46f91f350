"""Links that stop a channel, or one topic on it, without signing in: signed by the channel's own key."""

import base64
import hashlib
import hmac

from .errors import LinkWrong

ALL = "all"  # instead of a topic: the whole channel
PATH = "/opt-out"


def opt_out_path(channel_id: str, topic: str, key: bytes) -> str:
    """The path of a link."""
    return f"{PATH}/{channel_id}/{topic}/{_mac(channel_id, topic, key)}"


def check_link(channel_id: str, topic: str, mac: str, key: bytes) -> None:
    """Raises `LinkWrong` unless the link is ours."""
    if not hmac.compare_digest(mac.encode("utf-8"), _mac(channel_id, topic, key).encode("ascii")):
        raise LinkWrong


def _mac(channel_id: str, topic: str, key: bytes) -> str:
    digest = hmac.new(key, f"opt-out\n{channel_id}\n{topic}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode("ascii")
