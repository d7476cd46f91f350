"""What every request passes: sizes, limits, answers that come again, tags, headers."""

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from kameng_escrow.service.identity import Identity
from kameng_escrow.store.errors import StoreBusy, StoreUnavailable
from kameng_escrow.store.service import accounts, idempotency
from kameng_escrow.store.service.accounts import ApiKeyRow
from kameng_escrow.store.service.idempotency import ABANDONED_SECONDS, KEPT_SECONDS, begin

from .conftest import Service

SIGN_OUT = {"everywhere": False}


def names_of(service: Service) -> list[str]:
    with service.store.reading() as session:
        return list(session.scalars(select(ApiKeyRow.name)))


# ------------------------------------------------------------------------------------------------------------- refusals


def test_a_body_over_the_limit_is_refused_however_it_is_sent(service: Service) -> None:
    def in_pieces() -> Any:
        for _ in range(300):
            yield b"x" * 1024

    browser = service.signed_in(service.world.buyer)
    for answer in (
        browser.post("/v1/api-keys", content=b"x" * (256 * 1024 + 1)),
        browser.post("/v1/api-keys", content=in_pieces()),
        browser.post("/v1/api-keys", content=in_pieces(), headers={"Idempotency-Key": "large"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert answer.json()["values"] == {"limit": str(256 * 1024)}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"name":', b"\xff\xfe", b"[" * 100_000, b'{"name": NaN}'])
def test_a_body_that_is_not_what_is_described_is_refused(service: Service, body: bytes) -> None:
    browser = service.signed_in(service.world.buyer)
    answer = browser.post("/v1/api-keys", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")
    assert names_of(service) == []


def test_too_many_requests_are_told_when_to_come_back(strict_service: Callable[..., Service]) -> None:
    service = strict_service(rate_limit=5, rate_limit_anonymous=3)
    for _ in range(3):
        assert service.client.get("/v1/about").status_code == 200
    answer = service.client.get("/v1/about")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_an_account_has_a_limit_of_its_own(strict_service: Callable[..., Service]) -> None:
    service = strict_service(rate_limit=4, rate_limit_anonymous=100)
    buyer, seller = (service.signed_in(who) for who in (service.world.buyer, service.world.seller))
    assert [buyer.get("/v1/me").status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    assert seller.get("/v1/me").status_code == 200


def test_behind_a_proxy_the_visitor_is_who_it_says(strict_service: Callable[..., Service]) -> None:
    service = strict_service(rate_limit_anonymous=1, proxies=1)

    def ask(forwarded: str) -> int:
        return service.client.get("/v1/about", headers={"X-Forwarded-For": forwarded}).status_code

    assert ask("198.51.100.1") == 200
    assert ask("198.51.100.1") == 429
    assert ask("203.0.113.9, 198.51.100.1") == 429  # what stands further left anybody may have written
    assert ask("198.51.100.2") == 200
    assert ask("2001:db8::1") == 200
    assert ask("2001:db8::2") == 429  # one household


def test_without_a_proxy_nobody_may_claim_another_address(strict_service: Callable[..., Service]) -> None:
    service = strict_service(rate_limit_anonymous=1)
    answers = [
        service.client.get("/v1/about", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in range(2)
    ]
    assert answers == [200, 429]


def test_unknown_addresses_and_methods_are_problems_too(service: Service) -> None:
    for answer, status in (
        (service.client.get("/nothing"), 404),
        (service.client.put("/v1/about"), 405),
        (service.client.get("/docs/files/../../../etc/passwd"), 404),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) >= {"type", "title", "status", "detail", "code", "detail_zh", "detail_en", "instance"}


@pytest.mark.parametrize(
    ("accept", "zh"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", True),
        ("en-GB,zh;q=0.5", False),
        ("fr, zh;q=0.1", True),
        ("fr", False),
        ("", False),
        ("zh;q=x,en", False),
    ],
)
def test_a_problem_is_told_in_the_language_asked_for(service: Service, accept: str, zh: bool) -> None:
    problem = service.client.get("/v1/me", headers={"Accept-Language": accept}).json()
    assert problem["detail"] == problem["detail_zh" if zh else "detail_en"]
    assert problem["detail_zh"] != problem["detail_en"]


def test_a_problems_type_explains_it(service: Service) -> None:
    problem = service.client.get("/v1/me").json()
    kind = service.client.get(problem["type"]).json()
    assert (kind["code"], kind["title"], kind["status"]) == ("unauthenticated", "Unauthenticated", 401)
    assert kind["description"].startswith("Nobody is signed in")
    assert service.client.get("/v1/problems/bond_short").json()["status"] == 409
    assert service.client.get("/v1/problems/nothing").status_code == 404


# ------------------------------------------------------------------------------------------------------------ only once


def test_the_same_request_with_the_same_key_is_answered_again_and_done_once(service_on_each: Service) -> None:
    service = service_on_each
    browser = service.signed_in(service.world.buyer)
    made = browser.post("/v1/api-keys", json={"name": "a", "scopes": ["trade"]}, headers={"Idempotency-Key": "1"})
    assert made.status_code == 201
    again = browser.post("/v1/api-keys", json={"name": "a", "scopes": ["trade"]}, headers={"Idempotency-Key": "1"})
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_conflict")  # a secret is shown once
    assert names_of(service) == ["a"]
    key = made.json()["key"]["id"]
    refused = [browser.post(f"/v1/api-keys/{key}x/rotate", json={}, headers={"Idempotency-Key": "2"}) for _ in range(2)]
    assert [one.status_code for one in refused] == [404, 404]
    assert refused[0].content == refused[1].content
    assert "Idempotent-Replayed" not in refused[0].headers
    assert refused[1].headers["Idempotent-Replayed"] == "true"


def test_a_key_is_for_one_request_of_one_caller(service: Service) -> None:
    buyer, seller = (service.signed_in(who) for who in (service.world.buyer, service.world.seller))
    headers = {"Idempotency-Key": "mine"}
    body = {"name": "a", "scopes": ["trade"]}
    assert buyer.post("/v1/api-keys", json=body, headers=headers).status_code == 201
    other = buyer.post("/v1/api-keys", json={**body, "name": "b"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert seller.post("/v1/api-keys", json=body, headers=headers).status_code == 201
    service.clock.now += KEPT_SECONDS
    assert buyer.post("/v1/api-keys", json=body, headers=headers).status_code == 201


def test_of_many_at_once_one_is_done(service_on_each: Service) -> None:
    service = service_on_each
    browser = service.signed_in(service.world.buyer)
    cookies = dict(browser.cookies)
    found: list[int] = []

    def ask() -> None:
        mine = service.visitor()
        mine.cookies.update(cookies)
        answer = mine.post("/v1/api-keys", json={"name": "a", "scopes": ["trade"]}, headers={"Idempotency-Key": "k"})
        found.append(answer.status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [201] + [409] * 7
    with service.store.reading() as session:
        assert session.scalar(select(func.count()).select_from(ApiKeyRow)) == 1


def test_a_request_that_never_got_its_answer_is_not_carried_out_again(service: Service) -> None:
    browser = service.signed_in(service.world.buyer)
    sent = b'{"name": "a", "scopes": ["trade"]}'
    with service.store.writing() as session:
        begin(
            session,
            caller=service.world.buyer.address,
            key="lost",
            request_hash=hashlib.sha256(b"POST /v1/api-keys?\n" + sent).hexdigest(),
            now=service.clock.now,
        )
    headers = {"Idempotency-Key": "lost", "Content-Type": "application/json"}
    waits = browser.post("/v1/api-keys", content=sent, headers=headers)
    assert (waits.status_code, waits.json()["code"], waits.headers["Retry-After"]) == (409, "still_under_way", "1")
    service.clock.now += ABANDONED_SECONDS
    unknown = browser.post("/v1/api-keys", content=sent, headers=headers)
    assert (unknown.status_code, unknown.json()["code"]) == (409, "outcome_unknown")
    assert "Retry-After" not in unknown.headers
    assert names_of(service) == []
    service.clock.now += KEPT_SECONDS
    assert browser.post("/v1/api-keys", content=sent, headers=headers).status_code == 201


def test_a_slow_request_still_writes_its_answer_down(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = service.signed_in(service.world.buyer)
    headers = {"Idempotency-Key": "slow"}
    again = service.signed_in(service.world.buyer)
    seen: list[Any] = []

    def slowly(*_: Any) -> None:
        service.clock.now += ABANDONED_SECONDS
        seen.append(again.post("/v1/sign-out", json=SIGN_OUT, headers=headers).json()["code"])

    monkeypatch.setattr(Identity, "clear_cookie", slowly)
    assert browser.post("/v1/sign-out", json=SIGN_OUT, headers=headers).status_code == 200
    assert seen == ["outcome_unknown"]
    replayed = again.post("/v1/sign-out", json=SIGN_OUT, headers=headers)
    assert (replayed.status_code, replayed.headers["Idempotent-Replayed"]) == (200, "true")


def test_an_answer_that_could_not_be_written_down_is_given_and_not_made_twice(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("gone")

    browser = service.signed_in(service.world.buyer)
    body, headers = {"name": "a", "scopes": ["trade"]}, {"Idempotency-Key": "k"}
    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "finish", away)
        assert browser.post("/v1/api-keys", json=body, headers=headers).status_code == 201
    assert browser.post("/v1/api-keys", json=body, headers=headers).json()["code"] == "still_under_way"
    service.clock.now += ABANDONED_SECONDS
    assert browser.post("/v1/api-keys", json=body, headers=headers).json()["code"] == "outcome_unknown"
    assert names_of(service) == ["a"]


@pytest.mark.parametrize(
    ("error", "status", "code", "names"),
    [
        (StoreUnavailable("gone in the middle of a commit"), 503, "outcome_unknown", []),
        (RuntimeError("after the commit"), 500, "outcome_unknown", []),
        (StoreBusy("locked"), 503, None, ["a"]),  # which is known to have done nothing
    ],
)
def test_a_failure_is_carried_out_again_only_where_it_did_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str | None, names: list[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    browser = service.signed_in(service.world.buyer)
    body, headers = {"name": "a", "scopes": ["trade"]}, {"Idempotency-Key": "k"}
    with monkeypatch.context() as patched:
        patched.setattr(accounts, "create_key", fail)
        assert browser.post("/v1/api-keys", json=body, headers=headers).status_code == status
    again = browser.post("/v1/api-keys", json=body, headers=headers)
    assert (again.status_code, again.json().get("code")) == (201 if code is None else 409, code)
    assert names_of(service) == names


def test_who_is_first_does_nothing_just_as_the_second_looks(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """It took its note back between the second's attempt to leave one and its look at it."""
    there = iter([False, True])
    monkeypatch.setattr(idempotency, "insert_unless_there", lambda *_, **__: next(there))
    with service.store.writing() as session:
        assert begin(session, caller="c", key="k", request_hash="00" * 32, now=service.clock.now) is None
    there = iter([False] * 5)
    with service.store.writing() as session:
        before = begin(session, caller="c", key="k", request_hash="00" * 32, now=service.clock.now)
    assert before is not None
    assert before.became is idempotency.Became.UnderWay


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_a_key_that_is_none_is_refused(service: Service, key: str) -> None:
    browser = service.signed_in(service.world.buyer)
    answer = browser.post("/v1/api-keys", json={"name": "a", "scopes": ["trade"]}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")


# ----------------------------------------------------------------------------------------------------- tags and headers


def test_what_has_not_changed_is_not_sent_again(service: Service) -> None:
    browser = service.signed_in(service.world.buyer)
    first = browser.get("/v1/orders")
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = browser.get("/v1/orders", headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    service.world.opened()
    service.mirror()
    assert browser.get("/v1/orders", headers={"If-None-Match": tag}).status_code == 200


def test_every_answer_keeps_browsers_careful(service: Service) -> None:
    for path in ("/v1/about", "/nothing", "/v1/me", "/openapi.json"):
        headers = service.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["Strict-Transport-Security"].startswith("max-age=")


@pytest.mark.parametrize("number", ["a" * 65, "short", "abcd efgh", "abcdefgh\x0b", "<script>alert"])
def test_a_requests_number_is_a_plain_one(service: Service, number: str) -> None:
    given = service.client.get("/v1/about", headers={"X-Request-Id": "0123abcd-KK"})
    assert given.headers["X-Request-Id"] == "0123abcd-KK"
    made = service.client.get("/v1/about", headers={"X-Request-Id": number.encode()}).headers["X-Request-Id"]
    assert number not in made
    assert len(made) == 16


def test_the_manual_comes_from_this_machine_and_runs_no_other_script(service: Service) -> None:
    page = service.client.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self' 'sha256-" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2]
    assert service.client.get("/docs/files/swagger-ui-bundle.js").status_code == 200
