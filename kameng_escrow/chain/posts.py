"""Questions to a node over HTTP, without any of web3: one attempt, one timeout."""

from typing import Any

import orjson
import requests
import urllib3

HEADERS = {"Content-Type": "application/json", "User-Agent": "kameng-escrow"}


def open_session() -> requests.Session:
    """A pool of connections. Whoever opens it closes it."""
    session = requests.Session()
    session.headers.update(HEADERS)
    return session


def post(session: requests.Session, url: str, body: bytes, timeout_seconds: float) -> Any:
    """What the node answers, parsed. Raises what requests raises, and `ValueError` for an answer that is no JSON."""
    # A redirect could carry the key in the URL elsewhere.
    with session.post(url, data=body, timeout=timeout_seconds, allow_redirects=False, stream=True) as response:
        content = _content(response)
        if not says_why(response.status_code, content):
            response.raise_for_status()
        return orjson.loads(content)


def says_why(status: int, content: bytes) -> bool:
    """Whether an answer with an error status is JSON-RPC all the same, which tells more than the status."""
    if status < 400 or not content.lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(orjson.loads(content).get("error"), dict)
    except ValueError:
        return False


def _content(response: requests.Response) -> bytes:
    """The body in one piece: requests itself puts it together from thousands, which takes longer than to parse it."""
    try:
        content: bytes = response.raw.read(decode_content=True)
    except urllib3.exceptions.TimeoutError as error:
        raise requests.ReadTimeout(error) from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(error) from error
    return content
