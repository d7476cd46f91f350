"""Characters that PostgreSQL can't keep get past no route: looked for in one place, before any of them."""

import pytest

from kameng_escrow.domain.states import Outcome

from .conftest import Service
from .test_access import filled, operations

BODIES = [b'{"a": "x\\u0000"}', b'[["\\u0000"]]', b'{"\\u0000": 1}', b'"\\u0000"']


def test_no_route_takes_a_nul_in_its_address(service: Service) -> None:
    order_id = service.id_of(service.orders[Outcome.Ruled])
    browser = service.signed_in(service.world.buyer)
    for method, path, _ in operations(service):
        parts = path.split("/")
        named = [number for number, part in enumerate(parts) if part.startswith("{")]
        addresses = [filled(path, order_id) + "?limit=1&any=a%00b", filled(path, order_id) + "?a%00b=1"]
        for number in named:
            bad = [part if place != number else "a%00b" for place, part in enumerate(parts)]
            addresses.append(filled("/".join(bad), order_id))
        for address in addresses:
            answer = browser.request(method, address)
            assert (answer.status_code, answer.json()["code"]) == (422, "unfit_characters"), f"{method} {address}"


def test_no_route_takes_a_nul_in_its_body(service: Service) -> None:
    browser = service.signed_in(service.world.buyer)
    document = service.client.get("/openapi.json").json()
    order_id = service.id_of(service.orders[Outcome.Ruled])
    tried = 0
    for method, path, admitted in operations(service):
        body = document["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
        if "application/json" not in body or not admitted & {"anyone", "account", "buyer"}:
            continue
        tried += 1
        answer = browser.request(
            method, filled(path, order_id), content=BODIES[tried % 4], headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "unfit_characters"), f"{method} {path}"
        assert answer.json()["values"] == {"place": "body"}
    assert tried > 20


@pytest.mark.parametrize("text", ["\\u0000", "卡\ufffd\U0001f600"])
def test_what_only_looks_like_it_is_taken(service: Service, text: str) -> None:
    browser = service.signed_in(service.world.buyer)
    made = browser.post("/v1/api-keys", json={"name": text, "scopes": ["trade"]})
    assert made.status_code == 201, made.text
    assert made.json()["key"]["name"] == text


@pytest.mark.parametrize("lone", [b'"\\ud800"', b'"\\udc00x"'])
def test_half_a_pair_is_no_json(service: Service, lone: bytes) -> None:
    browser = service.signed_in(service.world.buyer)
    answer = browser.post("/v1/api-keys", content=lone, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")
