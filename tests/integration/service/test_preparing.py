"""A wallet is given what the caller may do now, and nobody else is."""

from dataclasses import replace
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from kameng_escrow.domain.lifecycle import Move
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.policy import Policy
from tests.integration.escrow_world import COMMITMENT, DAY, EscrowWorld

from .conftest import Service


def terms_body(terms: OrderTerms) -> dict[str, Any]:
    return {
        **{name: getattr(terms, name) for name in terms.__dataclass_fields__},
        "price": str(terms.price),
    }


def send_all(world: EscrowWorld, transactions: list[dict[str, Any]]) -> None:
    """What a wallet does."""
    for transaction in transactions:
        fields = {name: value for name, value in transaction.items() if name != "chainId"}
        fields.setdefault("gas", hex(1_500_000))
        sent = world.node.request("eth_sendTransaction", fields)
        assert int(world.node.request("eth_getTransactionReceipt", sent)["status"], 16) == 1


def prepare(service: Service, who: LocalAccount, terms: OrderTerms, **wanted: Any) -> Any:
    return service.signed_in(who).post(f"/v1/orders/{service.id_of(terms)}/prepare", json=wanted)


# ----------------------------------------------------------------------------------------------------------- refusals


def test_nobody_and_strangers_are_given_nothing(service: Service, newcomer: LocalAccount) -> None:
    terms = service.world.delivered()
    service.mirror()
    path = f"/v1/orders/{service.id_of(terms)}/prepare"
    assert service.visitor().post(path, json={"move": "confirm"}).status_code == 401
    assert service.signed_in(newcomer).post(path, json={"move": "confirm"}).status_code == 403
    assert (
        service.with_key(service.world.platform, "orders:read").post(path, json={"move": "confirm"}).status_code == 403
    )
    for path in ("/v1/prepare/opening", "/v1/prepare/deed", "/v1/relays", "/v1/deposits"):
        assert service.visitor().post(path, json={}).status_code == 401


def test_the_contracts_refusal_is_the_answer(service: Service) -> None:
    terms = service.world.delivered()
    service.mirror()
    answer = prepare(service, service.world.seller, terms, move="confirm")
    assert answer.status_code == 409
    assert answer.json()["code"] == "unauthorized"
    assert answer.json()["values"]["required"] == terms.buyer
    answer = prepare(service, service.world.buyer, terms, move="accept")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_possible")


@pytest.mark.parametrize(
    "body",
    [
        {"move": "vanish"},
        {"move": "dispute"},
        {"move": "dispute", "units": 0},
        {"move": "dispute", "units": 70_000},
        {"move": "confirm", "expected": "Lost"},
        {"move": "confirm", "evidence": "0x12"},
        {"move": "confirm", "surprise": 1},
        {"move": "agree"},
        {"move": "agree", "to_buyer": "-1"},
        {},
    ],
)
def test_what_makes_no_sense_is_refused(service: Service, body: dict[str, Any]) -> None:
    terms = service.world.delivered()
    service.mirror()
    answer = prepare(service, service.world.buyer, terms, **body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


# ---------------------------------------------------------------------------------------------------------- successes


def test_a_buyer_is_given_a_confirmation_and_told_what_it_pays(service: Service) -> None:
    world, terms = service.world, service.world.delivered()
    service.mirror()
    papers = prepare(service, world.buyer, terms, move="confirm").json()
    assert papers["action"]["verb"] == "Confirm"
    assert papers["action"]["signer"] == terms.buyer
    assert papers["typed_data"]["domain"]["verifyingContract"] == world.address
    assert "Confirmed" in papers["consequence"]["en"]
    assert "买家确认收货" in papers["consequence"]["zh"]
    [transaction] = papers["transactions"]
    assert transaction["from"] == terms.buyer
    assert transaction["chainId"] == hex(world.deployment.chain_id)
    send_all(world, papers["transactions"])
    service.mirror()
    assert service.parts.book.order(service.id_of(terms)).order.outcome.label == "Confirmed"


def test_every_possibility_can_be_prepared(service: Service) -> None:
    """What an order's page says is possible, the wallet can do."""
    world = service.world
    needs: dict[str, dict[str, Any]] = {
        Move.Dispute: {"units": 2},
        Move.Deliver: {"commitment": COMMITMENT},
        Move.Recommit: {"commitment": COMMITMENT},
        Move.Agree: {"to_buyer": "1000"},
        Move.Rule: {"to_buyer": "1000"},
    }
    orders = [world.opened(), world.accepted(), world.delivered(), world.disputed()]
    service.mirror()
    people = [service.signed_in(one) for one in (world.buyer, world.seller, world.platform, world.mediator)]
    prepared = set()
    for terms in orders:
        path = f"/v1/orders/{service.id_of(terms)}"
        for person in people:
            for one in person.get(path).json()["possible"]:
                answer = person.post(f"{path}/prepare", json={"move": one["move"], **needs.get(one["move"], {})})
                assert answer.status_code == 200, (one, answer.text)
                papers = answer.json()
                assert papers["transactions"] or papers["split"]
                assert papers["consequence"]["zh"]
                prepared.add(one["move"])
    assert prepared >= {"accept", "cancel", "decline", "confirm", "deliver", "dispute", "refund", "agree", "intervene"}


def test_an_opening_in_a_token_is_an_allowance_and_an_order(service: Service) -> None:
    world = service.world
    terms = world.terms(token=world.token)
    world.send_token(world.buyer, "approve", world.address, 0)
    answer = service.signed_in(world.buyer).post("/v1/prepare/opening", json={"terms": terms_body(terms)})
    assert answer.status_code == 200, answer.text
    papers = answer.json()
    assert [one["to"] for one in papers["transactions"]] == [world.token, world.address]
    assert terms.refund_to in papers["consequence"]["en"]
    send_all(world, papers["transactions"])
    service.mirror()
    assert service.parts.book.order(service.id_of(terms)).order.state.label == "Opened"


def test_an_opening_under_an_unknown_policy_is_refused(service: Service) -> None:
    terms = service.world.terms(policy_id="0x" + "77" * 32)
    answer = service.signed_in(service.world.buyer).post("/v1/prepare/opening", json={"terms": terms_body(terms)})
    assert (answer.status_code, answer.json()["code"]) == (409, "policy_unknown")


def policy_body(policy: Policy) -> dict[str, Any]:
    fields = {name: getattr(policy, name) for name in policy.__dataclass_fields__ if name != "platform"}
    return {"deed": "register_policy", **fields}


def test_deeds_beside_orders_are_given_to_whoever_may(service: Service) -> None:
    world = service.world
    seller, platform = service.signed_in(world.seller), service.signed_in(world.platform)
    funded = {"deed": "fund_bond", "amount": "5", "token": NATIVE}
    operator = {
        "deed": "set_operator",
        "operator": world.operator.address,
        "policy_id": world.policy_id,
        "rights": 3,
        "expiry": world.now() + DAY,
        "max_price": "7",
    }
    registered = policy_body(replace(world.policy(), platform_fee_bps=11))
    for person, body in (
        (seller, funded),
        (seller, {"deed": "withdraw_bond", "amount": "5"}),
        (seller, {"deed": "register_pay_to", "pay_to": world.stranger.address}),
        (seller, operator),
        (seller, {"deed": "revise", "terms": terms_body(world.terms())}),
        (platform, registered),
        (platform, {"deed": "review_policy", "policy_id": world.policy_id, "review_by": world.now() + 200 * DAY}),
        (platform, {"deed": "retire_policy", "policy_id": world.policy_id}),
    ):
        answer = person.post("/v1/prepare/deed", json=body)
        assert answer.status_code == 200, (body, answer.text)
        assert answer.json()["consequence"]["zh"]
        send_all(world, answer.json()["transactions"])
    answer = seller.post("/v1/prepare/deed", json={"deed": "retire_policy", "policy_id": world.policy_id})
    assert answer.json()["code"] == "unauthorized"
    assert seller.post("/v1/prepare/deed", json={"deed": "mint"}).status_code == 422
