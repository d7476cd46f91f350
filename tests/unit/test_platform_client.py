"""The platform client by itself: what is sent, when it is sent again, what an answer means."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from siwe import SiweMessage

from kameng_escrow.platform import (
    AnswerTooLarge,
    PlatformClient,
    ServiceBusy,
    ServiceNonsense,
    ServiceProblem,
    ServiceUnreachable,
    WalletSignIn,
)
from kameng_escrow.platform.calls import LONGEST_WAIT, Answer, make_call, wait_before_again
from kameng_escrow.platform.errors import InvalidUrl
from kameng_escrow.platform.stream import Lines, StreamEvent
from kameng_escrow.service.description import description

URL = "https://escrow.example"


class Scripted(requests.Session):
    """Answers as it was told, and remembers what it was asked."""

    def __init__(self, *answers: tuple[int, Mapping[str, str], bytes] | Exception) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        self.asked.append((method, url, dict(options["headers"]), options["data"]))
        assert options["allow_redirects"] is False
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, response._content, response._content_consumed = answer[0], answer[2], True
        response.headers.update(answer[1])
        return response


def client_of(session: Scripted, waited: list[float] | None = None, **options: Any) -> PlatformClient:
    slept = waited if waited is not None else []
    return PlatformClient(URL, api_key="kmk_x", session=session, sleep=slept.append, **options)


def problem(status: int, **fields: Any) -> tuple[int, Mapping[str, str], bytes]:
    body = {"code": "bond_short", "detail_en": "Too little.", "detail_zh": "不够。", **fields}
    return status, {"Content-Type": "application/problem+json"}, json.dumps(body).encode()


OK = (200, {"Content-Type": "application/json"}, b'{"orders": [], "cursor": null}')


def test_a_problem_is_raised_with_its_code_and_both_sentences() -> None:
    with pytest.raises(ServiceProblem) as caught:
        client_of(Scripted(problem(409, values={"needed": "5"}))).list_orders()
    error = caught.value
    assert (error.status, error.code, error.message, error.message_zh) == (409, "bond_short", "Too little.", "不够。")
    assert error.values == {"needed": "5"}


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"<html>"),
        (500, {"Content-Type": "text/html"}, b"oops"),
        (302, {"Location": "https://evil.example"}, b""),
        (400, {"Content-Type": "application/problem+json"}, b"{"),
        (400, {"Content-Type": "application/problem+json"}, b"[]"),
        (200, {"Content-Type": "application/json"}, b"[]"),
        (200, {"Content-Type": "application/json"}, b"[" * 100_000),
    ],
)
def test_what_is_not_the_service_is_told_apart(answer: tuple[int, Mapping[str, str], bytes]) -> None:
    with pytest.raises(ServiceNonsense):
        client_of(Scripted(answer)).list_orders()


@pytest.mark.parametrize(("status", "stated", "seconds"), [(429, "90", 90), (503, "²", 0), (500, "", 0)])
def test_a_refusal_for_now_is_told_from_one_for_good(status: int, stated: str, seconds: int) -> None:
    kind, headers, body = problem(status)
    with pytest.raises(ServiceBusy) as caught:
        client_of(Scripted((kind, {**headers, "Retry-After": stated}, body)), retries=0).list_orders()
    assert (caught.value.status, caught.value.retry_after, caught.value.code) == (status, seconds, "bond_short")


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(AnswerTooLarge) as caught:
        client_of(Scripted((200, {}, b"x" * 101)), largest_bytes=100).list_orders()
    assert caught.value.limit == 100


def test_a_client_calls_with_a_key_or_a_wallet() -> None:
    wallet = WalletSignIn(account=Account.from_key(b"\x07" * 32), chain_id=1)
    with pytest.raises(TypeError, match="not both"):
        PlatformClient(URL, api_key="kmk_x", wallet=wallet)


def test_a_wallet_signs_for_the_service_that_was_asked_and_nothing_that_it_slips_in() -> None:
    wallet = WalletSignIn(account=Account.from_key(b"\x07" * 32), chain_id=137, statement="Sign in to test.")
    challenge = {"nonce": "abcdefgh1", "issued_at": "2026-01-01T00:00:00Z", "expiration_time": "2026-01-01T00:10:00Z"}
    told = json.dumps({**challenge, "domain": "evil.example", "uri": "https://evil.example"}).encode()
    refused = problem(401, code="sign_in_refused")
    session = Scripted((200, {}, told), (200, {}, b"{}"), OK, problem(401), (200, {}, told), (200, {}, b"{}"), refused)
    client = PlatformClient(URL, wallet=wallet, session=session)
    assert client.list_orders()["orders"] == []
    with pytest.raises(ServiceProblem):  # once more, and not for ever
        client.list_orders()
    assert session.answers == []
    _, url, headers, body = session.asked[1]
    message = SiweMessage.from_message(json.loads(body)["message"])
    assert (url, headers["Origin"]) == (f"{URL}/v1/sign-in", URL)
    assert (message.domain, str(message.uri), message.chain_id) == ("escrow.example", URL, 137)
    assert message.statement == "Sign in to test."
    message.verify(json.loads(body)["signature"], timestamp=datetime(2026, 1, 1, 0, 5, tzinfo=UTC))
    with pytest.raises(ServiceNonsense):
        wallet.answer(URL, {**challenge, "nonce": "a\nURI: https://bank.example"})


def test_nobody_answers() -> None:
    session = Scripted(*(requests.ConnectionError() for _ in range(5)))
    with pytest.raises(ServiceUnreachable, match="ConnectionError"):
        client_of(session).list_orders()
    assert len(session.asked) == 5


@pytest.mark.parametrize("url", ["escrow.example", "ftp://a", "https://", "https://key@escrow.example"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidUrl):
        PlatformClient(url)


def test_what_fails_for_a_while_is_sent_again_after_what_the_service_says() -> None:
    waited: list[float] = []
    limit = (429, {"Content-Type": "application/problem+json", "Retry-After": "7"}, problem(429)[2])
    session = Scripted(limit, requests.Timeout(), problem(503), OK)
    assert client_of(session, waited).list_orders()["orders"] == []
    assert waited[0] == 7.0
    assert len(waited) == 3
    assert {asked[:2] for asked in session.asked} == {("GET", f"{URL}/v1/orders")}


def test_a_post_is_sent_again_with_the_same_idempotency_key() -> None:
    session = Scripted(requests.Timeout(), (201, {}, b'{"id": "whk_1"}'))
    client_of(session).create_webhook({"url": "https://shop.example"})  # type: ignore[typeddict-item]
    (_, _, first, body), (_, _, second, again) = session.asked
    assert len(first["Idempotency-Key"]) == 32
    assert (first, body) == (second, again)
    own = Scripted((201, {}, b"{}"))
    client_of(own).create_webhook({"url": "https://shop.example"}, idempotency_key="mine")  # type: ignore[typeddict-item]
    assert own.asked[0][2]["Idempotency-Key"] == "mine"


@given(st.sampled_from(["GET", "PUT", "DELETE", "POST", "PATCH"]), st.booleans(), st.integers(1, 6), st.integers(0, 5))
def test_only_what_does_nothing_twice_is_sent_again_blindly(method: str, once: bool, attempt: int, most: int) -> None:
    call = make_call(method, "/x", once=once)
    wait = wait_before_again(call, None, attempt, most)
    assert (wait is not None) == (attempt <= most and (once or method in ("GET", "PUT", "DELETE")))
    assert wait is None or 0 <= wait <= 8
    refused = wait_before_again(call, Answer(status=409, headers={}, body=b""), attempt, most)
    assert refused is None


@pytest.mark.parametrize(("stated", "waits"), [("0", 0.0), (str(int(LONGEST_WAIT)), LONGEST_WAIT), ("61", None)])
def test_nobody_is_made_to_wait_longer_than_a_minute(stated: str, waits: float | None) -> None:
    answer = Answer(status=429, headers={"retry-after": stated}, body=b"")
    assert wait_before_again(make_call("POST", "/x"), answer, 1, 3) == waits


@given(st.text(min_size=1, max_size=20))
def test_a_name_in_a_path_stays_one_part_of_it(name: str) -> None:
    call = make_call("GET", "/v1/orders/{}/history", name)
    assert call.path.count("/") == 4
    assert "?" not in call.path
    assert "#" not in call.path


def test_queries_leave_out_what_is_none_and_repeat_lists() -> None:
    call = make_call("GET", "/x", query={"state": ["Opened", "Closed"], "cursor": None, "short": True, "q": "卡"})
    assert call.target == "/x?state=Opened&state=Closed&short=true&q=%E5%8D%A1"


def test_pages_go_on_until_the_last() -> None:
    pages = [
        (200, {}, json.dumps({"orders": [{"order_id": str(n)}], "cursor": cursor}).encode())
        for n, cursor in enumerate(["a", "b", None])
    ]
    session = Scripted(*pages)
    assert [order["order_id"] for order in client_of(session).orders(limit=1)] == ["0", "1", "2"]
    assert [url.partition("?")[2] for _, url, _, _ in session.asked] == [
        "limit=1",
        "limit=1&cursor=a",
        "limit=1&cursor=b",
    ]


def test_a_stream_is_read_as_the_standard_has_it() -> None:
    text = ': hello\nretry: 500\nid: 7\nevent: order\ndata: {"a":\ndata: 1}\n\nid: 8\n\ndata:2\n\n'
    lines = Lines()
    events = [event for line in text.split("\n")[:-1] for event in lines.read(line)]
    assert events == [
        StreamEvent(id="7", kind="order", data={"a": 1}),
        StreamEvent(id="8", kind="message", data=2),
    ]
    assert (lines.last_id, lines.retry_seconds) == ("8", 0.5)


def test_every_model_of_the_interface_has_a_name_of_its_own() -> None:
    names = list(description()["components"]["schemas"])
    assert [name for name in names if "__" in name] == []
