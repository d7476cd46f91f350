"""Every route, called by everyone who may not: a route that is added is tried here by itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kameng_escrow.domain.states import Outcome
from kameng_escrow.service.callers import OrderRole, Scope
from kameng_escrow.service.errors import ServiceError

from .conftest import Service

Operation = tuple[str, str, frozenset[str]]  # method, path, who is admitted


def operations(service: Service) -> list[Operation]:
    """As the description has them."""
    document: dict[str, Any] = service.client.get("/openapi.json").json()
    return [
        (method.upper(), path, frozenset(operation["x-access"]))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def filled(path: str, order_id: str) -> str:
    """The path with the order's id, and names of nothing for the rest."""
    return "/".join(
        order_id if part == "{order_id}" else "nothing" if part.startswith("{") else part for part in path.split("/")
    )


def ask(client: TestClient, method: str, path: str) -> tuple[int, str]:
    with client.stream(method, path, **({"json": {}} if method in ("POST", "PUT", "PATCH") else {})) as answer:
        if answer.status_code < 400:
            return answer.status_code, ""
        answer.read()
        return answer.status_code, answer.json()["code"]


@pytest.fixture
def everybody(service: Service) -> dict[str, TestClient]:
    """One signed-in browser for each role on an order, and for somebody with none."""
    world = service.world
    return {
        "buyer": service.signed_in(world.buyer),
        "seller": service.signed_in(world.seller),
        "platform": service.signed_in(world.platform),
        "mediator": service.signed_in(world.mediator),
        "operator": service.signed_in(world.operator),
        "stranger": service.signed_in(world.deployer),
    }


def test_every_route_says_who_may_call_it(service: Service) -> None:
    words = {"anyone", "account", *OrderRole} | {f"key:{scope}" for scope in Scope}
    found = operations(service)
    assert len(found) > 10
    for method, path, admitted in found:
        assert admitted, f"{method} {path}"
        assert admitted <= words, f"{method} {path}"


def test_nobody_gets_in_without_having_signed_in(service: Service) -> None:
    order_id = service.id_of(service.orders[Outcome.Ruled])
    for method, path, admitted in operations(service):
        found = ask(service.visitor(), method, filled(path, order_id))
        assert (found == (401, "unauthenticated")) == ("anyone" not in admitted), f"{method} {path}: {found}"


def test_only_those_with_a_role_on_the_order_get_at_it(service: Service, everybody: dict[str, TestClient]) -> None:
    order_id = service.id_of(service.orders[Outcome.Ruled])  # in a token that the operator has no grant for
    for method, path, admitted in operations(service):
        if "{order_id}" not in path:
            continue
        for name, client in everybody.items():
            if name not in admitted or name == "operator":
                found = ask(client, method, filled(path, order_id))
                assert found == (403, "forbidden"), f"{name}: {method} {path}: {found}"


def test_a_key_without_the_scope_gets_nowhere(service: Service) -> None:
    order_id = service.id_of(service.orders[Outcome.Ruled])
    for scope in Scope:
        key = service.with_key(service.world.platform, scope)
        for method, path, admitted in operations(service):
            if "anyone" in admitted or f"key:{scope}" in admitted:
                continue
            found = ask(key, method, filled(path, order_id))
            assert found == (403, "forbidden"), f"{scope}: {method} {path}: {found}"


def test_a_key_with_the_scope_is_held_to_its_platforms_orders(service: Service) -> None:
    order_id = service.id_of(service.orders[Outcome.Ruled])
    key = service.with_key(service.world.deployer, *Scope)  # of a platform that has nothing to do with it
    for method, path, _ in operations(service):
        if "{order_id}" in path:
            assert ask(key, method, filled(path, order_id)) == (403, "forbidden"), f"{method} {path}"


def test_an_operator_gets_at_orders_that_its_grant_covers(service: Service, everybody: dict[str, TestClient]) -> None:
    covered = next(terms for terms in service.orders.values() if terms.token == service.world.terms().token)
    operator = everybody["operator"]
    order_id = service.id_of(covered)
    assert operator.get(f"/v1/orders/{order_id}").json()["roles"] == ["operator"]
    service.clock.now += 86_400  # and its grant is over
    assert ask(operator, "GET", f"/v1/orders/{order_id}") == (403, "forbidden")


@pytest.mark.parametrize("name", ["0x" + "00" * 32, "0x" + "FF" * 32])
def test_an_order_that_is_none_is_not_found(service: Service, everybody: dict[str, TestClient], name: str) -> None:
    for path in (f"/v1/orders/{name}", f"/v1/orders/{name}/history", f"/v1/orders/{name}/stream"):
        assert ask(everybody["buyer"], "GET", path) == (404, "unknown_order")


@pytest.mark.parametrize("name", ["0x", "1", "0x" + "0" * 63, "0x" + "g" * 64, "..%2f..%2fetc", "0x" + "00" * 33])
def test_an_id_that_is_none_is_refused(service: Service, everybody: dict[str, TestClient], name: str) -> None:
    status, code = ask(everybody["buyer"], "GET", f"/v1/orders/{name}")
    assert (status, code) in {(422, "malformed_hash"), (404, "not_found")}


def subclasses(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def test_every_refusal_of_the_service_has_a_code_of_its_own() -> None:
    codes = [one.code for one in subclasses(ServiceError)]
    assert len(codes) == len(set(codes))
    assert "service_error" not in codes
