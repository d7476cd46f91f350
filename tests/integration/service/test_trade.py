"""From a listing to an order that is opened with its offer, over the interface, on a real chain."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from fastapi.testclient import TestClient
from httpx2 import Response

from kameng_escrow.chain.signing import typed_data_digest
from kameng_escrow.domain.listing import parse_document, verify_document
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.policy import ZERO_ADDRESS, Policy
from kameng_escrow.domain.signed import Offer, OperatorGrant
from kameng_escrow.domain.states import Right, State
from kameng_escrow.service.callers import Scope
from kameng_escrow.trade.desk import QUOTE_SECONDS
from kameng_escrow.trade.stockkeeper import Stockkeeper
from tests.integration.shelf import key

from .conftest import Service

KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
PRICE = 1_000_003


def listing_of(service: Service, **changes: Any) -> dict[str, Any]:
    return {
        "title": "点卡 100 元",
        "category": "game-card",
        "description": "即时发货",
        "policy_id": service.world.policy_id,
        "token": NATIVE,
        "unit_price": str(PRICE),
        "units": 5,
        "publish": True,
        **changes,
    }


@pytest.fixture
def seller(service: Service) -> TestClient:
    return service.signed_in(service.world.seller)


@pytest.fixture
def buyer(service: Service) -> TestClient:
    return service.signed_in(service.world.buyer)


@pytest.fixture
def platform(service: Service) -> TestClient:
    return service.signed_in(service.world.platform)


@pytest.fixture
def listed(service: Service, seller: TestClient) -> str:
    """A listing on sale."""
    return str(body(seller.post("/v1/listings", json=listing_of(service)), 201)["id"])


def body(answer: Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: Response, status: int, code: str) -> dict[str, Any]:
    found = body(answer, status)
    assert found["code"] == code, found
    assert found["detail_zh"]
    assert found["detail_en"]
    return found


def asked(service: Service, listing: str, **changes: Any) -> dict[str, Any]:
    return {"listing_id": listing, "buyer": service.world.buyer.address, "delivery_key": KEY, **changes}


def terms_of(view: dict[str, Any]) -> OrderTerms:
    return OrderTerms(**{**view["terms"], "price": int(view["terms"]["price"])})


def follow(service: Service) -> None:
    service.mirror()
    Stockkeeper(service.store, service.parts.contract_id, clock=service.clock).catch_up()


def sign(who: LocalAccount, typed_data: dict[str, Any]) -> str:
    return "0x" + bytes(who.sign_typed_data(full_message=typed_data).signature).hex()


# -------------------------------------------------------------------------------------------------- the whole way


def test_from_a_listing_to_an_accepted_order(
    service: Service, seller: TestClient, buyer: TestClient, listed: str
) -> None:
    world = service.world
    quote = body(buyer.post("/v1/quotes", json=asked(service, listed, units=2, platform_order="P-1")), 201)
    terms = terms_of(quote)
    assert (quote["hold"], quote["backed"], terms.price, terms.units) == ("Held", True, 2 * PRICE, 2)
    document = parse_document(quote["document"])
    verify_document(document, terms, Policy(**quote["policy"]), world.domain)
    assert quote["summary"]["zh"] == list(document.summary_zh)
    assert quote["order_id"] == world.id_of(terms)

    [wanted] = body(seller.get("/v1/offer-requests"))["requests"]
    assert wanted["quote"]["id"] == quote["id"]
    prepared = body(seller.get(f"/v1/quotes/{quote['id']}/offer", params={"seconds": 300}))
    assert typed_data_digest(prepared["typed_data"]) != typed_data_digest(wanted["typed_data"])  # another expiry
    signature = sign(world.seller, prepared["typed_data"])
    made = body(
        seller.post(f"/v1/quotes/{quote['id']}/offers", json={"expiry": prepared["expiry"], "signature": signature}),
        201,
    )
    assert body(seller.get("/v1/offer-requests"))["requests"] == []

    offered = body(buyer.get(f"/v1/quotes/{quote['id']}"))
    assert offered["offer_expiry"] == prepared["expiry"]
    [offer] = offered["offers"]
    assert offer == made
    promise = Offer(expiry=offer["expiry"], signature=bytes.fromhex(offer["signature"][2:]), operator=offer["operator"])
    world.send(world.buyer, "openWithOffer", terms, promise, value=terms.price)
    follow(service)
    assert service.parts.book.order(quote["order_id"]).order.state is State.Accepted
    assert stock(seller, listed) == {"stocked": 5, "available": 3, "held": 0, "reserved": 2, "spent": 0}
    world.send(world.seller, "deliver", terms, "0x" + "c0" * 32)
    follow(service)
    assert stock(seller, listed) == {"stocked": 5, "available": 3, "held": 0, "reserved": 0, "spent": 2}
    for who in (buyer, seller, service.signed_in(world.mediator), service.signed_in(world.platform)):
        told = body(who.get(f"/v1/orders/{quote['order_id']}/quote"))
        assert (told["document"], told["hold"]) == (quote["document"], "Spent")


def stock(seller: TestClient, listing: str) -> dict[str, int]:
    found: dict[str, int] = body(seller.get(f"/v1/listings/{listing}"))["stock"]
    return found


def test_an_unpaid_order_gives_its_units_back_and_a_reorganisation_too(
    service: Service, seller: TestClient, buyer: TestClient, listed: str
) -> None:
    world = service.world
    quote = body(buyer.post("/v1/quotes", json=asked(service, listed, units=2)), 201)
    follow(service)
    snapshot = world.node.snapshot()
    world.send(world.buyer, "open", terms_of(quote), value=2 * PRICE)
    follow(service)
    assert stock(seller, listed)["reserved"] == 2
    world.node.revert(snapshot)
    world.node.mine(2)
    follow(service)
    assert stock(seller, listed) == {"stocked": 5, "available": 3, "held": 2, "reserved": 0, "spent": 0}
    world.send(world.buyer, "open", terms_of(quote), value=2 * PRICE)
    world.send(world.buyer, "cancel", terms_of(quote), State.Opened)
    follow(service)
    assert stock(seller, listed) == {"stocked": 5, "available": 5, "held": 0, "reserved": 0, "spent": 0}


def test_an_operator_s_key_makes_offers_within_its_grant(service: Service, buyer: TestClient, listed: str) -> None:
    world = service.world
    grant = OperatorGrant(rights=int(Right.Accept), expiry=world.now() + 10**6, max_price=2 * PRICE)
    world.send(world.seller, "setOperator", world.operator.address, NATIVE, world.policy_id, grant)
    follow(service)
    operator = service.signed_in(world.operator)
    small, large = (
        body(buyer.post("/v1/quotes", json=asked(service, listed, units=units)), 201)["id"] for units in (2, 3)
    )
    found = body(operator.get("/v1/offer-requests"))["requests"]
    assert [one["quote"]["id"] for one in found] == [small, large]
    assert body(operator.get("/v1/offer-requests", params={"after": small}))["requests"][0]["quote"]["id"] == large
    for quote, status in ((small, 201), (large, 409)):
        prepared = body(operator.get(f"/v1/quotes/{quote}/offer"))
        signed = {"expiry": prepared["expiry"], "signature": sign(world.operator, prepared["typed_data"])}
        answer = operator.post(f"/v1/quotes/{quote}/offers", json={**signed, "operator": world.operator.address})
        found = body(answer, status)
        assert found.get("code") == (None if status == 201 else "price_above_grant")


def test_a_signature_that_is_none_is_told_from_one_that_nobody_can_judge(
    service: Service, seller: TestClient, buyer: TestClient, listed: str
) -> None:
    quote = body(buyer.post("/v1/quotes", json=asked(service, listed)), 201)
    prepared = body(seller.get(f"/v1/quotes/{quote['id']}/offer"))
    wrong = {"expiry": prepared["expiry"], "signature": sign(service.world.stranger, prepared["typed_data"])}
    found = refused(seller.post(f"/v1/quotes/{quote['id']}/offers", json=wrong), 409, "invalid_signature")
    assert found["values"]["signer"] == service.world.seller.address


def test_waiting_for_work_ends_when_there_is_some(
    service: Service, seller: TestClient, buyer: TestClient, listed: str
) -> None:
    answers: list[dict[str, Any]] = []
    waiting = threading.Thread(
        target=lambda: answers.append(body(seller.get("/v1/offer-requests", params={"wait": 20})))
    )
    waiting.start()
    quote = body(buyer.post("/v1/quotes", json=asked(service, listed)), 201)
    waiting.join(15)
    assert [one["quote"]["id"] for one in answers[0]["requests"]] == [quote["id"]]


def test_a_quote_that_is_asked_for_twice_with_one_key_is_one_quote(
    service: Service, seller: TestClient, buyer: TestClient, listed: str
) -> None:
    headers = {"Idempotency-Key": "once"}
    first, second = (buyer.post("/v1/quotes", json=asked(service, listed), headers=headers) for _ in range(2))
    assert body(first, 201) == body(second, 201)
    assert stock(seller, listed)["held"] == 1


def test_a_quote_is_given_up_or_runs_out(service: Service, seller: TestClient, buyer: TestClient, listed: str) -> None:
    first, second = (body(buyer.post("/v1/quotes", json=asked(service, listed)), 201)["id"] for _ in range(2))
    assert body(buyer.post(f"/v1/quotes/{first}/give-up"))["hold"] == "Released"
    assert stock(seller, listed)["held"] == 1
    service.clock.now += QUOTE_SECONDS
    follow(service)
    assert body(buyer.get(f"/v1/quotes/{second}"))["hold"] == "Released"
    refused(seller.get("/v1/quotes/nothing"), 404, "unknown_quote")


# ---------------------------------------------------------------------------------------------------- who sees what


def test_quotes_are_for_those_whom_they_concern(
    service: Service, seller: TestClient, buyer: TestClient, platform: TestClient, listed: str
) -> None:
    quote = body(buyer.post("/v1/quotes", json=asked(service, listed)), 201)["id"]
    stranger = service.signed_in(service.world.stranger)
    for who in (buyer, seller, platform):
        assert body(who.get(f"/v1/quotes/{quote}"))["id"] == quote
    paths = ("", "/offer")
    for path in paths:
        refused(stranger.get(f"/v1/quotes/{quote}{path}"), 404, "unknown_quote")
    refused(stranger.post(f"/v1/quotes/{quote}/give-up"), 404, "unknown_quote")
    offer = {"expiry": 1, "signature": "0x"}
    refused(stranger.post(f"/v1/quotes/{quote}/offers", json=offer), 404, "unknown_quote")
    refused(buyer.post(f"/v1/quotes/{quote}/offers", json=offer), 403, "not_yours")
    refused(seller.post(f"/v1/quotes/{quote}/give-up"), 403, "not_yours")
    refused(stranger.post("/v1/quotes", json=asked(service, listed)), 403, "not_yours")
    for who, count in ((buyer, 1), (seller, 1), (stranger, 0)):
        assert len(body(who.get("/v1/quotes"))["quotes"]) == count
    assert body(seller.get("/v1/quotes", params={"hold": "Spent"}))["quotes"] == []
    refused(seller.get("/v1/quotes", params={"hold": "spent"}), 422, "bad_request")
    refused(seller.get("/v1/quotes", params={"cursor": "x"}), 422, "invalid_cursor")


def test_a_platform_s_key_quotes_for_its_buyers(service: Service, listed: str) -> None:
    program = service.with_key(service.world.platform, Scope.Trade)
    quote = body(program.post("/v1/quotes", json=asked(service, listed, platform_order="卡单-7")), 201)
    assert (quote["account"], quote["document"]["platform_order"]) == (service.world.platform.address, "卡单-7")


def test_an_order_of_another_shop_has_no_quote(service: Service, buyer: TestClient) -> None:
    order_id = service.id_of(next(iter(service.orders.values())))
    refused(buyer.get(f"/v1/orders/{order_id}/quote"), 404, "not_found")


# ----------------------------------------------------------------------------------------------------------- listings


def test_what_is_on_sale_is_shown_to_anybody(service: Service, seller: TestClient, listed: str) -> None:
    visitor = service.visitor()
    [found] = body(visitor.get("/v1/listings", params={"q": "点卡", "category": "game-card"}))["listings"]
    assert (found["id"], found["available"], found["stock"], found["unit_price"]) == (listed, 5, None, str(PRICE))
    assert found["category_label"] == {"zh": "游戏点卡", "en": "game cards"}
    assert found["currency"] == {"token": NATIVE, "symbol": "ETH", "decimals": 18}
    answer = visitor.get(f"/v1/listings/{listed}")
    again = visitor.get(f"/v1/listings/{listed}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert {one["category"] for one in body(visitor.get("/v1/categories"))["categories"]} >= {"game-card", "other"}
    refused(visitor.get("/v1/listings", params={"cursor": "x"}), 422, "invalid_cursor")
    refused(visitor.get("/v1/listings", params={"seller": "x"}), 422, "bad_request")
    refused(visitor.get("/v1/listings/nothing"), 404, "unknown_listing")


def test_drafts_are_their_seller_s_and_its_platform_s(
    service: Service, seller: TestClient, buyer: TestClient, platform: TestClient
) -> None:
    draft = body(seller.post("/v1/listings", json=listing_of(service, publish=False)), 201)["id"]
    for who in (service.visitor(), buyer):
        refused(who.get(f"/v1/listings/{draft}"), 404, "unknown_listing")
    for who in (seller, platform):
        assert body(who.get(f"/v1/listings/{draft}"))["state"] == "Draft"
    assert body(buyer.get("/v1/listings"))["listings"] == []
    assert [one["id"] for one in body(seller.get("/v1/my/listings", params={"state": "Draft"}))["listings"]] == [draft]
    assert body(buyer.get("/v1/my/listings"))["listings"] == []
    refused(seller.get("/v1/my/listings", params={"state": "draft"}), 422, "bad_request")


def test_sellers_change_their_own_listings_and_no_others(
    service: Service, seller: TestClient, buyer: TestClient, listed: str
) -> None:
    path = f"/v1/listings/{listed}"
    for who in (buyer, service.signed_in(service.world.platform)):
        refused(who.patch(path, json={"title": "mine"}), 403, "not_yours")
        refused(who.post(f"{path}/stock", json={"by": 1}), 403, "not_yours")
    changed = body(seller.patch(path, json={"revision": 1, "title": "点卡 50 元", "unit_price": "7", "buyer_cap": 3}))
    assert (changed["revision"], changed["title"], changed["unit_price"], changed["buyer_cap"]) == (
        2,
        "点卡 50 元",
        "7",
        3,
    )
    assert body(seller.patch(path, json={"buyer_cap": None}))["buyer_cap"] is None
    refused(seller.patch(path, json={"revision": 1, "title": "x"}), 409, "listing_changed")
    refused(seller.patch(path, json={"title": None}), 422, "bad_request")
    refused(seller.patch(path, json={"seller": service.world.buyer.address}), 422, "bad_request")
    refused(seller.patch(path, json={"title": "a\u202eb"}), 422, "text_unfit")
    refused(seller.patch(path, json={"state": "Draft"}), 422, "bad_request")
    assert body(seller.patch(path, json={"state": "Withdrawn"}))["state"] == "Withdrawn"
    refused(seller.patch(path, json={"title": "x"}), 409, "listing_fixed")
    refused(buyer.post("/v1/quotes", json=asked(service, listed)), 409, "listing_not_open")


def test_stock_is_counted_up_and_down(service: Service, seller: TestClient, buyer: TestClient, listed: str) -> None:
    path = f"/v1/listings/{listed}/stock"
    body(buyer.post("/v1/quotes", json=asked(service, listed, units=3)), 201)
    assert body(seller.post(path, json={"by": 4}))["stock"]["available"] == 6
    assert body(seller.post(path, json={"available": 1}))["stock"] == {
        "stocked": 4,
        "available": 1,
        "held": 3,
        "reserved": 0,
        "spent": 0,
    }
    found = refused(seller.post(path, json={"by": -2}), 409, "stock_committed")
    assert found["values"] == {"available": "1", "wanted": "2"}
    for wrong in ({}, {"by": 1, "available": 1}, {"by": 10**10}, {"available": -1}):
        refused(seller.post(path, json=wrong), 422, "bad_request")


def test_a_platform_that_reviews_has_the_last_word(
    service: Service, seller: TestClient, buyer: TestClient, platform: TestClient
) -> None:
    assert body(platform.get("/v1/trade-desk"))["reviews"] is False
    assert body(platform.put("/v1/trade-desk", json={"reviews": True}))["reviews"] is True
    made = body(seller.post("/v1/listings", json=listing_of(service)), 201)
    path = f"/v1/listings/{made['id']}"
    assert made["acceptance"] == "Pending"
    refused(buyer.get(path), 404, "unknown_listing")
    refused(buyer.post("/v1/quotes", json=asked(service, made["id"])), 409, "listing_not_open")
    waiting = body(platform.get("/v1/my/listings", params={"role": "platform", "acceptance": "Pending"}))["listings"]
    assert [one["id"] for one in waiting] == [made["id"]]
    refused(seller.post(f"{path}/decision", json={"acceptance": "Accepted"}), 403, "not_yours")
    refused(platform.post(f"{path}/decision", json={"acceptance": "Refused"}), 422, "text_length")
    no = body(platform.post(f"{path}/decision", json={"acceptance": "Refused", "reason": "图文不符"}))
    assert (no["acceptance"], no["acceptance_reason"]) == ("Refused", "图文不符")
    assert body(platform.post(f"{path}/decision", json={"acceptance": "Accepted"}))["acceptance"] == "Accepted"
    assert body(buyer.get(path))["acceptance_reason"] is None
    body(buyer.post("/v1/quotes", json=asked(service, made["id"])), 201)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": ""}, "text_length"),
        ({"category": "weapons"}, "unknown_category"),
        ({"unit_price": "0"}, "price_out_of_range"),
        ({"unit_price": "1.5"}, "bad_request"),
        ({"min_units": 3, "max_units": 2}, "number_out_of_range"),
        ({"pay_to": ZERO_ADDRESS}, "invalid_address"),
        ({"policy_id": "0x" + "ee" * 32}, "listing_not_open"),
        ({"more": 1}, "bad_request"),
    ],
)
def test_what_can_be_no_listing_is_refused(
    service: Service, seller: TestClient, changes: dict[str, Any], code: str
) -> None:
    answer = seller.post("/v1/listings", json=listing_of(service, **changes))
    assert answer.json()["code"] == code
    assert answer.status_code in (409, 422)


def test_a_token_that_does_not_say_what_it_is_can_t_be_asked_for(service: Service, seller: TestClient) -> None:
    refused(seller.post("/v1/listings", json=listing_of(service, token=service.world.address)), 422, "bad_request")
    found = body(seller.post("/v1/listings", json=listing_of(service, token=service.world.token)), 201)
    assert found["currency"] == {"token": service.world.token, "symbol": "TUSD", "decimals": 6}


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"units": 6}, 409, "sold_out"),
        ({"units": 0}, 422, "bad_request"),
        ({"delivery_key": "age1x"}, 422, "malformed_delivery_key"),
        ({"delivery_key": KEY[:-1] + "q"}, 422, "delivery_key_unusable"),
        ({"buyer": "0x" + "00" * 20}, 409, "invalid_address"),
        ({"open_seconds": 100_000}, 422, "bad_request"),
        ({"listing_id": "lst_nothing"}, 404, "unknown_listing"),
        ({"platform_order": "a\nb"}, 422, "text_unfit"),
    ],
)
def test_what_can_t_be_quoted_is_refused(
    service: Service,
    buyer: TestClient,
    platform: TestClient,
    listed: str,
    changes: dict[str, Any],
    status: int,
    code: str,
) -> None:
    who = platform if "buyer" in changes else buyer
    refused(who.post("/v1/quotes", json=asked(service, listed, **changes)), status, code)


# ------------------------------------------------------------------------------------------------------------- papers


def test_anybody_may_ask_what_terms_come_to(service: Service) -> None:
    world = service.world
    sketch = {
        "seller": world.seller.address,
        "buyer": world.buyer.address,
        "token": NATIVE,
        "price": "1000007",
        "units": 10,
        "policy_id": world.policy_id,
        "open_by": 2_000_000_000,
    }
    visitor = service.visitor()
    found = body(visitor.post("/v1/summaries", json=sketch))
    assert [stage["state"] for stage in found["stages"]] == ["Opened", "Accepted", "Delivered", "Disputed"]
    assert found["latest"] == found["stages"][-1]["latest_end"]
    assert found["leavings"][2]["cost"] == "50000"
    assert any("1.00" not in line and "1000007" in line for line in found["zh"])
    refused(visitor.post("/v1/summaries", json={**sketch, "policy_id": "0x" + "ee" * 32}), 409, "policy_unknown")
    refused(visitor.post("/v1/summaries", json={**sketch, "seller": sketch["buyer"]}), 409, "invalid_address")


def test_anybody_may_hold_a_document_against_an_order(service: Service, buyer: TestClient, listed: str) -> None:
    quote = body(buyer.post("/v1/quotes", json=asked(service, listed)), 201)
    visitor = service.visitor()
    sent = {"document": quote["document"], "terms": quote["terms"]}
    found = body(visitor.post("/v1/listing-documents/check", json=sent))
    assert (found["order_id"], found["listing"]) == (quote["order_id"], quote["terms"]["listing"])
    changed = {**quote["document"], "platform_order": "another"}
    refused(visitor.post("/v1/listing-documents/check", json={**sent, "document": changed}), 422, "listing_mismatch")
    refused(visitor.post("/v1/listing-documents/check", json={**sent, "document": {}}), 422, "wrong_members")


def test_buyers_at_once_over_the_interface_never_get_more_than_there_is(
    service_on_each: Service, make_buyers: Callable[[Service, int], list[TestClient]]
) -> None:
    service = service_on_each
    seller = service.signed_in(service.world.seller)
    listing = body(seller.post("/v1/listings", json=listing_of(service, units=3)), 201)["id"]
    buyers = make_buyers(service, 6)
    answers: list[int] = []
    together = threading.Barrier(len(buyers))

    def buy(number: int, client: TestClient) -> None:
        who = body(client.get("/v1/me"))["account"]
        together.wait()
        wish = asked(service, listing, buyer=who, delivery_key=key(number + 1))
        answers.append(client.post("/v1/quotes", json=wish).status_code)

    threads = [threading.Thread(target=buy, args=one) for one in enumerate(buyers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 201, 201, 409, 409, 409]
    assert stock(seller, listing) == {"stocked": 3, "available": 0, "held": 3, "reserved": 0, "spent": 0}


@pytest.fixture
def make_buyers() -> Callable[[Service, int], list[TestClient]]:
    """Signed-in people whom the chain has never heard of."""
    from eth_account import Account

    return lambda service, count: [service.signed_in(Account.create()) for _ in range(count)]
