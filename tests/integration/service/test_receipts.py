"""Terms receipts over the service: true, for all who are on the order, and signed by the buyer for a watchtower."""

from typing import Any

import pytest
from eth_account import Account

from kameng_escrow.client.receipt import parse_receipt
from kameng_escrow.domain.states import State
from tests.integration.escrow_world import COMMITMENT

from .conftest import Service


def test_everybody_on_the_order_takes_a_receipt_home_and_nobody_else(service: Service) -> None:
    world = service.world
    terms = world.opened()
    service.mirror()
    path = f"/v1/orders/{service.id_of(terms)}/receipt"
    assert service.visitor().get(path).status_code == 401
    assert service.signed_in(world.stranger).get(path).status_code == 403
    for who in (world.buyer, world.seller, world.platform, world.mediator):
        answer = service.signed_in(who).get(path)
        receipt = parse_receipt(answer.json())
        service.parts.client.verify_receipt(receipt)
        assert receipt.terms == terms
        assert (receipt.listing, receipt.offer, receipt.dispute) == (None, None, None)
    for who in (world.seller, world.platform, world.mediator):
        browser = service.signed_in(who)
        assert browser.get(f"{path}/dispute", params={"units": 1}).status_code == 403
        assert browser.post(path, json={"units": 1, "expiry": 1, "signature": "0x"}).status_code == 403


def signed(service: Service, path: str, number: int, **changes: Any) -> Any:
    """What the buyer's browser sends."""
    buyer = service.signed_in(service.world.buyer)
    asked = buyer.get(f"{path}/dispute", params={"units": number}).json()
    signature = Account.sign_typed_data(service.world.buyer.key, full_message=asked["typed_data"]).signature
    body = {"units": number, "expiry": asked["expiry"], "signature": "0x" + bytes(signature).hex(), **changes}
    return buyer.post(path, json=body)


def test_a_watchtower_gets_what_the_buyer_signed(service: Service) -> None:
    world = service.world
    terms = world.accepted(token=world.token)
    service.mirror()
    path = f"/v1/orders/{service.id_of(terms)}/receipt"
    receipt = parse_receipt(signed(service, path, 3).json())
    assert receipt.dispute is not None
    world.send(world.seller, "deliver", terms, COMMITMENT)
    watchtower = service.parts.client.acting_as(world.stranger)
    watchtower.act(receipt.terms, action=receipt.dispute.action, signature=receipt.dispute.signature)
    status = service.parts.client.status(receipt.order_id)
    assert (status.state, status.disputed_units) == (State.Disputed, 3)


@pytest.mark.parametrize(
    "changes", [{"units": 2}, {"expiry": 5}, {"signature": "0x00"}, {"evidence": "0x" + "11" * 32}]
)
def test_what_the_buyer_did_not_sign_is_refused(service: Service, changes: dict[str, Any]) -> None:
    terms = service.world.opened()
    service.mirror()
    answer = signed(service, f"/v1/orders/{service.id_of(terms)}/receipt", 3, **changes)
    assert (answer.status_code, answer.json()["code"]) == (409, "receipt_false")


def test_units_are_the_orders(service: Service) -> None:
    terms = service.world.opened()
    service.mirror()
    buyer = service.signed_in(service.world.buyer)
    path = f"/v1/orders/{service.id_of(terms)}/receipt/dispute"
    assert buyer.get(path, params={"units": 11}).status_code == 422
    assert buyer.get(path, params={"units": 0}).status_code == 422
