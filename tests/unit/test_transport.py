"""What nodes and HTTP libraries say, understood alike."""

import json

import aiohttp
import pytest
import requests
from yarl import URL

from kameng_escrow.chain.errors import InvalidInput, NodeError, NodeRefused, NodeTimeout, NodeUnreachable
from kameng_escrow.chain.transport import answer_of, revert_data, shown_provider, shown_url, transport_error

SECRET = "https://user:hunter2@node.example:8443/v3/hunter2?key=hunter2#hunter2"


# ----------------------------------------------------------------------------------------------------------------- URLs


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (SECRET, "https://node.example:8443"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("HTTP://Node.Example/abc", "http://node.example"),
        ("http://[::1]:8545/", "http://[::1]:8545"),
    ],
)
def test_a_shown_url_keeps_no_secret(url: str, shown: str) -> None:
    assert shown_url(url) == shown


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8545", "ws://node.example", "file:///etc/passwd", "http://", "http://node:port", "http://["]
)
def test_what_is_no_url_of_a_node_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InvalidInput, match="begins with http:// or https://") as refused:
        shown_url(url)
    assert "passwd" not in str(refused.value)


def test_a_provider_without_a_url_is_in_this_process() -> None:
    assert shown_provider(object()) == "this process"


def test_a_provider_is_shown_without_its_secrets() -> None:
    class Provider:
        endpoint_uri = SECRET

    class Odd:
        endpoint_uri = "ipc:hunter2"

    assert shown_provider(Provider()) == "https://node.example:8443"
    assert "hunter2" not in shown_provider(Odd())


# -------------------------------------------------------------------------------------------------------------- answers


def test_a_result_is_returned_even_if_it_is_null() -> None:
    assert answer_of({"jsonrpc": "2.0", "id": 1, "result": "0x1"}) == "0x1"
    assert answer_of({"jsonrpc": "2.0", "id": 1, "result": None}) is None
    assert answer_of({"jsonrpc": "2.0", "id": 1, "result": 5, "error": None}) == 5


@pytest.mark.parametrize("response", [None, [], "no", {}, {"jsonrpc": "2.0"}])
def test_what_is_no_json_rpc_is_refused(response: object) -> None:
    with pytest.raises(NodeRefused, match="not JSON-RPC"):
        answer_of(response)


def test_an_error_keeps_its_code_message_and_data() -> None:
    with pytest.raises(NodeRefused, match="The node refused: header not found") as refused:
        answer_of({"error": {"code": -32000, "message": "header not found"}})
    assert (refused.value.rpc_code, refused.value.rpc_message, refused.value.data) == (
        -32000,
        "header not found",
        None,
    )
    with pytest.raises(NodeRefused, match="rate limited"):
        answer_of({"error": "rate limited"})


@pytest.mark.parametrize(
    ("error", "data"),
    [
        ({"code": 3, "message": "execution reverted", "data": "0x1234"}, b"\x12\x34"),
        ({"code": 3, "message": "execution reverted", "data": "0x"}, b""),
        ({"code": 3, "message": "execution reverted"}, b""),
        ({"code": -32015, "message": "VM execution error.", "data": "Reverted 0x1234"}, b"\x12\x34"),
        ({"code": -32603, "message": "Error: reverted", "data": {"data": "0x1234"}}, b"\x12\x34"),
        ({"code": -32603, "message": "Error", "data": {"originalError": 1, "data": {"result": "0xff"}}}, b"\xff"),
        ({"code": -32000, "message": "VM Exception while processing transaction: revert"}, b""),
        ({"code": -32000, "message": "nonce too low"}, None),
        ({"code": -32000, "message": "nonce too low", "data": {"account": 1}}, None),
        ({"code": -32000, "message": "odd", "data": "0xzz"}, None),
        ({"code": -32000, "message": "odd", "data": "words"}, None),
    ],
)
def test_the_data_of_a_revert_is_found_wherever_a_node_puts_it(error: dict[str, object], data: bytes | None) -> None:
    assert revert_data(error) == data


# ------------------------------------------------------------------------------------------------------------ transport


def http_error(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(f"{status} for url: {SECRET}", response=response)


def aiohttp_error(status: int) -> aiohttp.ClientResponseError:
    info = aiohttp.RequestInfo(URL(SECRET), "POST", headers=None, real_url=URL(SECRET))  # type: ignore[arg-type]
    return aiohttp.ClientResponseError(info, (), status=status, message=SECRET)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (requests.ConnectTimeout(SECRET), NodeTimeout, "did not answer in time"),
        (requests.ReadTimeout(SECRET), NodeTimeout, "did not answer in time"),
        (TimeoutError(), NodeTimeout, "did not answer in time"),
        (aiohttp.ServerTimeoutError(SECRET), NodeTimeout, "did not answer in time"),
        (requests.ConnectionError(SECRET), NodeUnreachable, "No node answers at https://node.example:8443"),
        (aiohttp.ClientConnectionError(SECRET), NodeUnreachable, "No node answers"),
        (aiohttp.ServerDisconnectedError(SECRET), NodeUnreachable, "No node answers"),
        (ConnectionResetError(SECRET), NodeUnreachable, "No node answers"),
        (http_error(401), NodeError, "HTTP 401: check the key"),
        (aiohttp_error(403), NodeError, "HTTP 403: check the key"),
        (http_error(404), NodeError, "HTTP 404: check the URL"),
        (aiohttp_error(429), NodeError, "HTTP 429: it wants fewer requests"),
        (http_error(502), NodeError, "HTTP 502: try again later"),
        (json.JSONDecodeError("not JSON", SECRET, 0), NodeError, "does not speak JSON-RPC"),
        (requests.JSONDecodeError("not JSON", SECRET, 0), NodeError, "does not speak JSON-RPC"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, SECRET), NodeError, "does not speak JSON-RPC"),
    ],
)
def test_every_failure_of_the_transport_has_a_name_and_keeps_no_secret(
    error: Exception, kind: type[NodeError], says: str
) -> None:
    meaning = transport_error(error, shown_url(SECRET))
    assert type(meaning) is kind
    assert says in str(meaning)
    assert "hunter2" not in f"{meaning} {meaning.message_zh} {vars(meaning)}"


def test_a_mistake_of_ours_stays_what_it_is() -> None:
    mistake = AttributeError("no such thing")
    assert transport_error(mistake, "x") is mistake
