"""What a node answered, or why it did not: one place for every library between us and it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from json import JSONDecodeError
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import requests

from .errors import InvalidInput, NodeError, NodeRefused, NodeTimeout, NodeUnreachable


def answer_of(response: Any) -> Any:
    """The result in a JSON-RPC response. Raises `NodeRefused` where it is an error."""
    if not isinstance(response, Mapping) or ("result" not in response and "error" not in response):
        raise NodeRefused("the answer is not JSON-RPC: is this the URL of a node?")
    error = response.get("error")
    if error is None:
        return response.get("result")
    if not isinstance(error, Mapping):
        raise NodeRefused(str(error))
    raise NodeRefused(str(error.get("message", error)), error.get("code"), revert_data(error))


@contextmanager
def sense_demanded() -> Iterator[None]:
    """For whoever reads a node's answer: what can't be read is the node's fault (`NodeRefused`), and may be better next
    time.
    """
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise NodeRefused(f"its answer makes no sense ({type(error).__name__}: {error})") from error


def revert_data(error: Mapping[str, Any]) -> bytes | None:
    """The data that a reverted call returned, wherever this node puts it; None where it says nothing of a revert."""
    data = error.get("data")
    while isinstance(data, Mapping):  # nested by some, as {"data": {"data": "0x…"}} or {"data": {"result": "0x…"}}
        data = data.get("data", data.get("result"))
    if isinstance(data, str):
        text = data.removeprefix("Reverted ")  # so say others
        try:
            if text.startswith("0x"):
                return bytes.fromhex(text[2:])
        except ValueError:
            return None
    reverted = error.get("code") == 3 or "revert" in str(error.get("message", "")).lower()
    return b"" if reverted else None


def transport_error(error: Exception, url: str) -> Exception:
    """What an exception of an HTTP library means; any other exception as it is.

    Raise it `from None`: the library's words could hold the URL, and the keys in it.
    """
    match error:
        case requests.exceptions.Timeout() | TimeoutError():
            return NodeTimeout(url)
        case requests.exceptions.HTTPError(response=response) if response is not None:
            return _http_error(url, response.status_code)
        case aiohttp.ClientResponseError(status=status):
            return _http_error(url, status)
        case requests.exceptions.JSONDecodeError() | JSONDecodeError() | UnicodeDecodeError():
            return _uncertain(
                NodeError(
                    f"What answers at {url} does not speak JSON-RPC: is this the URL of a node?",
                    f"{url} 应答的不是 JSON-RPC：这是节点的网址吗？",
                )
            )
        case requests.exceptions.RequestException() | aiohttp.ClientError() | OSError():
            return NodeUnreachable(url)
    return error


def _http_error(url: str, status: int) -> NodeError:
    match status:
        case 401 | 403:
            advice, advice_zh = "check the key in its URL", "请核对网址里的密钥"
        case 404 | 405:
            advice, advice_zh = "check the URL", "请核对网址"
        case 429:
            advice, advice_zh = "it wants fewer requests, so wait a while", "请求太多，请稍候"
        case _:
            advice, advice_zh = "try again later", "请稍后重试"
    error = NodeError(
        f"The node at {url} answered with HTTP {status}: {advice}.",
        f"节点 {url} 应答 HTTP {status}：{advice_zh}。",
    )
    return _uncertain(error) if status >= 500 else error


def _uncertain(error: NodeError) -> NodeError:
    """A gateway that breaks may have passed the request on."""
    error.uncertain = True
    return error


def shown_url(url: str) -> str:
    """The URL as it may be shown: scheme, host and port, since keys hide in every other part.

    Raises `InvalidInput` where it is no http or https URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(
            "A node's URL begins with http:// or https:// and names a host, like http://127.0.0.1:8545.",
            "节点的网址以 http:// 或 https:// 开头并带有主机名，例如 http://127.0.0.1:8545。",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}"


def shown_provider(provider: object) -> str:
    """Whom a message names as the node: its URL as it may be shown, or that it is in this process."""
    url = getattr(provider, "endpoint_uri", None)
    if not url:
        return "this process"
    try:
        return shown_url(str(url))
    except InvalidInput:
        return "its URL"
