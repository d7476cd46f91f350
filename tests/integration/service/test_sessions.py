"""Sessions: where their token goes, how long they live, what happens when somebody takes one."""

import pytest

from kameng_escrow.store.service.accounts import GRACE_SECONDS, ROTATE_SECONDS

from .conftest import ORIGIN, Service, message_of, sign

COOKIE = "__Host-kameng"
WEEK = 7 * 86_400


def test_the_cookie_is_for_this_host_over_tls_and_for_no_script(service: Service) -> None:
    browser = service.signed_in(service.world.buyer)
    cookie = next(one for one in browser.cookies.jar if one.name == COOKIE)
    assert (cookie.secure, cookie.path, cookie.domain_initial_dot) == (True, "/", False)
    rest = {name.lower(): value for name, value in cookie._rest.items()}
    assert "httponly" in rest
    assert rest["samesite"].lower() == "lax"


def test_a_session_ends_after_a_week_without_use(service: Service) -> None:
    browser = service.signed_in(service.world.buyer)
    service.clock.now += WEEK - 1
    assert browser.get("/v1/me").status_code == 200  # which prolongs it
    service.clock.now += WEEK - 1
    assert browser.get("/v1/me").status_code == 200
    service.clock.now += WEEK
    answer = browser.get("/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_is_replaced_every_hour_and_the_old_one_is_taken_for_a_minute(service: Service) -> None:
    browser = service.signed_in(service.world.buyer)
    first = browser.cookies[COOKIE]
    service.clock.now += ROTATE_SECONDS
    browser.get("/v1/me")
    second = browser.cookies[COOKIE]
    assert first != second
    late = service.visitor()
    late.cookies.set(COOKIE, first)
    service.clock.now += GRACE_SECONDS
    assert late.get("/v1/me").status_code == 200
    assert browser.get("/v1/me").status_code == 200


def test_whoever_comes_with_an_old_token_ends_the_session_for_everybody(service: Service) -> None:
    browser = service.signed_in(service.world.buyer)
    stolen = browser.cookies[COOKIE]
    service.clock.now += ROTATE_SECONDS
    browser.get("/v1/me")
    service.clock.now += GRACE_SECONDS + 1
    thief = service.visitor()
    thief.cookies.set(COOKIE, stolen)
    assert thief.get("/v1/me").status_code == 401
    assert browser.get("/v1/me").status_code == 401


def test_signing_out_everywhere_ends_all_of_the_accounts_sessions_and_nobody_elses(service: Service) -> None:
    one, two = (service.signed_in(service.world.buyer) for _ in range(2))
    other = service.signed_in(service.world.seller)
    assert one.post("/v1/sign-out", json={"everywhere": True}).json() == {"ended": 2}
    assert [browser.get("/v1/me").status_code for browser in (one, two, other)] == [401, 401, 200]


@pytest.mark.parametrize("token", ["", "x", "x" * 4_000, "é"])
def test_a_token_that_is_none_is_refused(service: Service, token: str) -> None:
    answer = service.client.get("/v1/me", headers={"Cookie": f"{COOKIE}={token}".encode()})
    assert answer.status_code == 401


def test_a_token_is_kept_as_a_hash_only(service: Service) -> None:
    from sqlalchemy import text

    token = service.signed_in(service.world.buyer).cookies[COOKIE]
    with service.store.reading() as session:
        for row in session.execute(text("SELECT * FROM sessions")):
            assert token not in map(str, row)


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", ORIGIN + ".evil.example", "http://escrow.example"]
)
def test_a_browser_writes_from_the_services_own_pages_only(service: Service, origin: str | None) -> None:
    browser = service.signed_in(service.world.buyer)
    if origin is None:
        del browser.headers["Origin"]
    else:
        browser.headers["Origin"] = origin
    answer = browser.post("/v1/sign-out", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert browser.get("/v1/me").status_code == 200  # and is signed in still


def test_a_browser_whose_session_has_ended_signs_in_again(service: Service) -> None:
    browser = service.signed_in(service.world.buyer)
    service.clock.now += WEEK
    assert browser.get("/v1/about").status_code == 200
    assert COOKIE not in browser.cookies  # nobody sends a dead one twice
    browser = service.signed_in(service.world.buyer)
    service.clock.now += WEEK
    message = message_of(browser.post("/v1/sign-in/challenge").json(), service.world.buyer.address)
    body = {"message": message, "signature": sign(service.world.buyer, message)}
    assert browser.post("/v1/sign-in", json=body).status_code == 200
    assert browser.get("/v1/me").status_code == 200


def test_a_refused_request_brings_the_fresh_token_too(service: Service) -> None:
    browser = service.signed_in(service.world.buyer)
    first = browser.cookies[COOKIE]
    service.clock.now += ROTATE_SECONDS
    assert browser.post("/v1/api-keys", json={"nonsense": 1}).status_code == 422
    assert browser.cookies[COOKIE] != first
    service.clock.now += GRACE_SECONDS + 1
    assert browser.get("/v1/me").status_code == 200


def test_a_new_sign_in_replaces_the_session_that_the_browser_came_with(service: Service) -> None:
    browser = service.signed_in(service.world.buyer)
    before = browser.cookies[COOKIE]
    service.clock.now += ROTATE_SECONDS
    message = message_of(browser.post("/v1/sign-in/challenge").json(), service.world.seller.address)
    body = {"message": message, "signature": sign(service.world.seller, message)}
    assert browser.post("/v1/sign-in", json=body).json()["account"] == service.world.seller.address
    assert browser.get("/v1/me").json()["account"] == service.world.seller.address
    old = service.visitor()
    old.cookies.set(COOKIE, before)
    assert old.get("/v1/me").status_code == 401
