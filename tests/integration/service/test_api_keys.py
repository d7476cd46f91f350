"""Keys act for their account, within their scopes, until they end."""

from typing import Any

import pytest

from .conftest import Service

READ = "orders:read"


def test_a_key_acts_for_its_account(service: Service) -> None:
    program = service.with_key(service.world.platform, READ)
    me = program.get("/v1/me").json()
    assert (me["account"], me["by"], me["scopes"]) == (service.world.platform.address, "key", [READ])
    assert me["key_id"].startswith("key_")


def test_a_key_does_what_its_scopes_say_and_no_more(service: Service) -> None:
    program = service.with_key(service.world.platform, "webhooks")
    answer = program.get("/v1/orders")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert answer.json()["values"] == {"scope": READ}


def test_a_key_makes_no_keys(service: Service) -> None:
    program = service.with_key(service.world.platform, READ)
    for call in (
        lambda: program.get("/v1/api-keys"),
        lambda: program.post("/v1/api-keys", json={"name": "x", "scopes": [READ]}),
    ):
        assert (call().status_code, call().json()["code"]) == (403, "forbidden")


def test_a_rotated_key_is_taken_for_the_overlap(service: Service) -> None:
    owner = service.signed_in(service.world.platform)
    made = owner.post("/v1/api-keys", json={"name": "shop", "scopes": [READ]}).json()
    fresh = owner.post(f"/v1/api-keys/{made['key']['id']}/rotate", json={"overlap_seconds": 60}).json()
    assert fresh["key"]["name"] == "shop"

    def works(secret: str) -> bool:
        answer = service.client.get("/v1/me", headers={"Authorization": f"Bearer {secret}"})
        return bool(answer.status_code == 200)

    service.clock.now += 59
    assert (works(made["secret"]), works(fresh["secret"])) == (True, True)
    service.clock.now += 1
    assert (works(made["secret"]), works(fresh["secret"])) == (False, True)
    listed = {one["id"]: one for one in owner.get("/v1/api-keys").json()["keys"]}
    assert listed[made["key"]["id"]]["replaced_by"] == fresh["key"]["id"]
    assert [listed[one["key"]["id"]]["active"] for one in (made, fresh)] == [False, True]


def test_a_revoked_key_ends_at_once_and_is_not_revoked_again(service: Service) -> None:
    owner = service.signed_in(service.world.platform)
    made = owner.post("/v1/api-keys", json={"name": "shop", "scopes": [READ], "days": 1}).json()
    url = f"/v1/api-keys/{made['key']['id']}"
    assert owner.delete(url).json()["active"] is False
    assert service.client.get("/v1/me", headers={"Authorization": f"Bearer {made['secret']}"}).status_code == 401
    assert owner.delete(url).status_code == 404


def test_a_key_lives_as_long_as_it_was_to(service: Service) -> None:
    owner = service.signed_in(service.world.platform)
    secret = owner.post("/v1/api-keys", json={"name": "shop", "scopes": [READ], "days": 1}).json()["secret"]
    headers = {"Authorization": f"Bearer {secret}"}
    service.clock.now += 86_399
    assert service.client.get("/v1/me", headers=headers).status_code == 200
    service.clock.now += 1
    assert service.client.get("/v1/me", headers=headers).status_code == 401


def test_nobody_touches_anothers_key(service: Service) -> None:
    made = service.signed_in(service.world.platform).post("/v1/api-keys", json={"name": "a", "scopes": [READ]}).json()
    other = service.signed_in(service.world.seller)
    url = f"/v1/api-keys/{made['key']['id']}"
    assert other.delete(url).status_code == 404
    assert other.post(f"{url}/rotate", json={}).status_code == 404
    assert other.get("/v1/api-keys").json() == {"keys": []}


@pytest.mark.parametrize(
    "value",
    ["kmk_", "kmk_x_y", "Bearer", "kmk_" + "0" * 26 + "_" + "A" * 43, "x" * 5_000, "kmk_" + "é" * 26 + "_x"],
)
def test_a_key_that_is_none_is_refused(service: Service, value: str) -> None:
    answer = service.client.get("/v1/me", headers={"Authorization": f"Bearer {value}".encode()})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    basic = service.client.get("/v1/me", headers={"Authorization": "Basic YTpi"})
    assert basic.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "scopes": [READ]},
        {"name": "x\n", "scopes": [READ]},
        {"name": "x" * 101, "scopes": [READ]},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["everything"]},
        {"name": "x", "scopes": [READ], "days": 0},
        {"name": "x", "scopes": [READ], "scope": "more"},
    ],
)
def test_keys_that_make_no_sense_are_refused(service: Service, body: dict[str, Any]) -> None:
    answer = service.signed_in(service.world.platform).post("/v1/api-keys", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")
    assert answer.json()["errors"]


def test_when_a_key_was_last_used_is_known_to_the_minute(service: Service) -> None:
    owner = service.signed_in(service.world.platform)
    secret = owner.post("/v1/api-keys", json={"name": "shop", "scopes": [READ]}).json()["secret"]
    assert owner.get("/v1/api-keys").json()["keys"][0]["last_used_at"] is None
    service.client.get("/v1/me", headers={"Authorization": f"Bearer {secret}"})
    used = owner.get("/v1/api-keys").json()["keys"][0]["last_used_at"]
    assert used is not None
    service.clock.now += 59
    service.client.get("/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert owner.get("/v1/api-keys").json()["keys"][0]["last_used_at"] == used
    service.clock.now += 1
    service.client.get("/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert owner.get("/v1/api-keys").json()["keys"][0]["last_used_at"] != used
