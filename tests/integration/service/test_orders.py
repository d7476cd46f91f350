"""Orders as the service tells them are the orders that the chain has."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from kameng_escrow.domain.actions import next_action
from kameng_escrow.domain.states import Outcome

from .conftest import Service


def pages(client: TestClient, **params: Any) -> list[dict[str, Any]]:
    """Every order of a list, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        page = client.get("/v1/orders", params={"limit": 3, **params}).json()
        assert len(page["orders"]) <= 3
        found += page["orders"]
        if page["cursor"] is None:
            return found
        params["cursor"] = page["cursor"]


def ids(orders: list[dict[str, Any]]) -> list[str]:
    return [order["order_id"] for order in orders]


def test_an_order_is_told_whole(service: Service) -> None:
    terms = service.orders[Outcome.Ruled]
    seen = service.signed_in(service.world.buyer).get(f"/v1/orders/{service.id_of(terms)}").json()
    order = service.parts.book.order(service.id_of(terms)).order
    assert order.shares is not None
    assert order.undisputed is not None
    assert (seen["state"], seen["outcome"], seen["fault"]) == ("Closed", "Ruled", order.fault.label)
    assert seen["outcome_label"] == {"zh": "仲裁裁决", "en": "Ruled"}
    assert seen["terms"]["price"] == str(terms.price)
    assert seen["currency"] == {"token": service.world.token, "symbol": "TUSD", "decimals": 6}
    assert seen["shares"]["to_buyer"] == str(order.shares.to_buyer)
    assert seen["undisputed"]["to_seller"] == str(order.undisputed.to_seller)
    assert seen["awarded"] == "100001"
    assert seen["times"]["closed_at"] == order.closed_at
    assert seen["clock"] == {"due_at": None, "due": False, "closing": None}
    assert seen["possible"] == []
    assert seen["roles"] == ["buyer"]


def test_a_clock_says_what_happens_when_by_itself(service: Service) -> None:
    terms = service.world.delivered()
    service.mirror()
    service.clock.now = service.world.now()
    order = service.parts.book.order(service.id_of(terms)).order
    url = f"/v1/orders/{service.id_of(terms)}"
    buyer = service.signed_in(service.world.buyer)
    clock = buyer.get(url).json()["clock"]
    expected = next_action(order, service.clock.now)
    assert expected.closing is not None
    assert order.deadline is not None
    assert (clock["due_at"], clock["due"]) == (order.deadline, False)
    assert (clock["closing"]["outcome"], clock["closing"]["fault"]) == ("Released", "None")
    assert clock["closing"]["shares"]["to_seller"] == str(expected.closing.shares.to_seller)
    service.clock.now = order.deadline - 1
    assert buyer.get(url).json()["clock"]["due"] is False
    service.clock.now = order.deadline
    assert buyer.get(url).json()["clock"]["due"] is True


def test_everybody_is_told_what_they_may_do(service: Service) -> None:
    terms = service.world.accepted()
    service.mirror()
    service.clock.now = service.world.now()
    url = f"/v1/orders/{service.id_of(terms)}"

    def moves(who: Any) -> set[tuple[str, str]]:
        seen = service.signed_in(who).get(url).json()
        return {(one["move"], one["who"]) for one in seen["possible"]}

    world = service.world
    assert moves(world.buyer) >= {("cancel", "buyer"), ("confirm", "buyer"), ("agree", "both parties")}
    assert moves(world.seller) >= {("deliver", "seller"), ("decline", "seller")}
    assert moves(world.platform) == {("intervene", "platform")}
    assert moves(world.mediator) == set()
    assert moves(world.operator) == {("deliver", "operator"), ("decline", "operator")}


def test_the_history_has_every_event_with_its_transaction(service: Service) -> None:
    terms = service.orders[Outcome.Conceded]
    told = service.signed_in(service.world.seller).get(f"/v1/orders/{service.id_of(terms)}/history").json()
    logged = service.parts.book.history(service.id_of(terms))
    assert [one["name"] for one in told["events"]] == [type(one.event).__name__ for one in logged]
    first = told["events"][0]
    assert first["transaction_hash"] == logged[0].transaction_hash
    assert first["transaction_url"] == f"https://explorer.example/tx/{logged[0].transaction_hash}"
    assert first["fields"]["terms"]["price"] == str(terms.price)
    assert first["final"] is True


def test_what_is_not_final_yet_says_so(service: Service) -> None:
    terms = service.world.opened()
    service.mirror()
    buyer = service.signed_in(service.world.buyer)
    url = f"/v1/orders/{service.id_of(terms)}"
    assert buyer.get(url).json()["final"] is False
    assert buyer.get(f"{url}/history").json()["events"][0]["final"] is False


@pytest.mark.parametrize("sort", ["newest", "oldest", "deadline"])
def test_a_list_has_every_order_once_in_its_order(service_on_each: Service, sort: str) -> None:
    service = service_on_each
    listed = pages(service.signed_in(service.world.buyer), sort=sort)
    known = {order.order.id: order for order in service.parts.book.orders(limit=1_000).orders if order.order.terms}
    if sort == "deadline":
        known = {name: one for name, one in known.items() if one.order.deadline is not None}
        expected = sorted(known, key=lambda name: (known[name].order.deadline, known[name].first))
    else:
        expected = sorted(known, key=lambda name: known[name].first, reverse=sort == "newest")
    assert ids(listed) == expected
    assert len(expected) > 3


def test_whoever_is_several_things_to_an_order_has_it_once(service: Service) -> None:
    world = service.world
    terms = world.opened(seller=world.platform.address, pay_to=world.platform.address)
    service.mirror()
    platform = service.signed_in(world.platform)
    assert ids(pages(platform)).count(service.id_of(terms)) == 1
    (seen,) = pages(platform, role="seller")
    assert (seen["order_id"], seen["roles"]) == (service.id_of(terms), ["platform", "seller"])


def test_a_list_is_narrowed_by_state_and_role(service_on_each: Service) -> None:
    service = service_on_each
    world = service.world
    buyer = service.signed_in(world.buyer)
    open_ones = pages(buyer, state=["Opened", "Accepted"])
    assert {one["state"] for one in open_ones} == {"Opened", "Accepted"}
    assert ids(pages(buyer, role="seller")) == []
    assert len(pages(buyer, role=["buyer", "seller"])) == len(pages(buyer))
    mediated = pages(service.signed_in(world.mediator))
    assert mediated
    assert all(one["times"]["disputed_at"] is not None for one in mediated)
    assert pages(service.signed_in(world.deployer)) == []


def test_orders_opened_meanwhile_dont_shift_the_pages(service: Service) -> None:
    buyer = service.signed_in(service.world.buyer)
    before = ids(pages(buyer))
    first = buyer.get("/v1/orders", params={"limit": 3}).json()
    service.world.opened()
    service.mirror()
    rest = pages(buyer, cursor=first["cursor"])
    assert ids(first["orders"]) + ids(rest) == before


@pytest.mark.parametrize(
    "params",
    [
        {"state": "Lost"},
        {"role": "king"},
        {"sort": "price"},
        {"limit": 0},
        {"limit": 201},
        {"cursor": "x"},
        {"cursor": "newest-1"},
        {"cursor": "oldest-1-1"},
        {"cursor": "newest-1-1-1"},
        {"cursor": "newest-" + "9" * 16 + "-1"},
        {"cursor": "newest-1-1'; DROP TABLE orders"},
    ],
)
def test_what_can_not_be_listed_is_refused(service: Service, params: dict[str, Any]) -> None:
    answer = service.signed_in(service.world.buyer).get("/v1/orders", params=params)
    assert answer.status_code == 422
    assert answer.json()["code"] in ("bad_request", "invalid_cursor")


def test_a_token_that_says_nothing_of_itself_does_not_hide_its_orders(service: Service) -> None:
    from tests.compiled import compiled
    from tests.integration.sdk_cast import deploy_code

    silent = deploy_code(service.world.node, compiled("Wallet"), service.world.buyer.address)
    assert service.client.app.state.currencies.of(silent).model_dump() == {  # type: ignore[attr-defined]
        "token": silent,
        "symbol": None,
        "decimals": None,
    }
