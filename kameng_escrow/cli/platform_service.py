"""`--service URL`: a platform's service, called as the owner of the key file."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .problems import BadInput
from .session import Session

if TYPE_CHECKING:
    from ..platform import PlatformClient

SECONDS = 60.0  # for megabytes
_NEAR = {"localhost", "127.0.0.1", "::1"}
_RETRIES = 2


@contextmanager
def at_service(session: Session, url: str, statement: str, *, largest: int) -> Iterator["PlatformClient"]:
    """The service, as the owner of the key file.

    Args:
        statement: what the sign-in is for, in a line.
        largest: bytes that an answer may have.

    Raises:
        BadInput: the URL is no service's.
    """
    from ..platform import PlatformClient, WalletSignIn

    check_url(url)
    account = session.signer()
    wallet = WalletSignIn(account=account, chain_id=session.deployment().chain_id, statement=statement)
    with PlatformClient(url, wallet=wallet, timeout_seconds=SECONDS, retries=_RETRIES, largest_bytes=largest) as client:
        yield client


def check_url(url: str) -> None:
    """An origin, over TLS unless it is this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    plain = parts.scheme == "http" and host in _NEAR
    if not host or parts.path.strip("/") or parts.query or not (parts.scheme == "https" or plain):
        raise BadInput(
            f"--service 应是像 https://shop.example 这样的地址，不能是 {url!r}。",
            f"--service must be an origin such as https://shop.example, not {url!r}.",
        )
