"""A buyer with nothing but a key in a file: from a plain transfer to the confirmation, and what may go wrong."""

from dataclasses import replace
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from fastapi.testclient import TestClient

from kameng_escrow.chain.signing import sign_offer, sign_terms
from kameng_escrow.delivery.backup import make_backup, new_key, open_backup
from kameng_escrow.domain.lifecycle import LIFECYCLE, Move, Who
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.signed import Offer
from kameng_escrow.domain.walletless import WEAKER
from kameng_escrow.keeper.rules import Rules
from kameng_escrow.relay import Limits, Relayer
from kameng_escrow.store.service import relays
from tests.integration.escrow_world import COMMITMENT, HOUR

from .conftest import Service
from .test_preparing import terms_body

RELAYER = 9  # among the node's accounts
PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def buyer() -> LocalAccount:
    """A key that has never had a coin."""
    return new_key()


@pytest.fixture
def terms(service: Service, buyer: LocalAccount) -> OrderTerms:
    """Under rules without a dispute bond; refunds go to an address of the buyer's friend."""
    world = service.world
    policy_id = world.register(world.policy(dispute_bond_bps=0, mediation_fee_bps=0))
    service.mirror()
    return world.terms(buyer=buyer.address, refund_to=world.stranger.address, policy_id=policy_id)


def offered(service: Service, terms: OrderTerms, seconds: int = HOUR) -> Offer:
    world = service.world
    return sign_offer(
        world.seller,
        service.id_of(terms),
        seller=terms.seller,
        revision=0,
        expiry=world.now() + seconds,
        domain=world.domain,
    )


def offer_body(offer: Offer) -> dict[str, Any]:
    return {"expiry": offer.expiry, "signature": "0x" + offer.signature.hex()}


def register(service: Service, person: TestClient, terms: OrderTerms, **more: Any) -> Any:
    return person.post("/v1/deposits", json={"terms": terms_body(terms), **more})


def transfer(service: Service, to: str, amount: int) -> None:
    """An exchange that has never heard of the escrow."""
    fields = {"from": service.world.platform.address, "to": to, "value": hex(amount), "gas": hex(30_000)}
    service.world.node.request("eth_sendTransaction", fields)


def bring(service: Service, blocks: int = 3) -> None:
    """The relayer has worked, and its work is final."""
    for _ in range(blocks):
        service.world.node.mine()
    rules = Rules(worker="relayer", confirmations=2, retry_seconds=0.05, budget=None, low_balance=0)
    account = service.world.node.accounts[RELAYER]
    for _ in range(2):
        with Relayer(
            service.store,
            service.world.node,
            service.world.deployment,
            account,
            rules,
            Limits(platform_budget=None, new_budget=None),
            confirmations=2,
        ) as relayer:
            relayer.run_once(patience_seconds=1)
        for _ in range(blocks):
            service.world.node.mine()
    service.mirror()


def state(service: Service, terms: OrderTerms) -> str:
    return service.parts.book.order(service.id_of(terms)).order.state.label


def act(service: Service, person: TestClient, account: LocalAccount, terms: OrderTerms, **wanted: Any) -> Any:
    """Prepares a move, signs it with the key, has it relayed."""
    papers = person.post(f"/v1/orders/{service.id_of(terms)}/prepare", json=wanted).json()
    signature = bytes(account.sign_typed_data(full_message=papers["typed_data"]).signature)
    body = {
        "kind": "Action",
        "order_id": service.id_of(terms),
        "action": papers["action"],
        "signature": "0x" + signature.hex(),
    }
    return person.post("/v1/relays", json=body)


# ---------------------------------------------------------------------------------------------------------- end to end


def test_from_a_plain_transfer_to_the_confirmation(service: Service, buyer: LocalAccount, terms: OrderTerms) -> None:
    world = service.world
    buyer, _ = open_backup(make_backup(buyer, PASSPHRASE), PASSPHRASE)
    person = service.signed_in(buyer)
    made = register(service, person, terms, offer=offer_body(offered(service, terms)))
    assert made.status_code == 201, made.text
    deposit = made.json()
    assert deposit["opens_with"] == ["offer"]
    assert any(terms.refund_to in one["en"] for one in deposit["warnings"])
    transfer(service, deposit["address"], terms.price)
    bring(service)
    assert state(service, terms) == "Accepted"
    world.send(world.seller, "deliver", terms, COMMITMENT)
    service.mirror()
    before = world.node.w3.eth.get_balance(world.seller.address)
    relay = act(service, person, buyer, terms, move="confirm")
    assert relay.status_code == 202, relay.text
    assert relay.json()["stage"] == "Accepted"
    bring(service)
    told = person.get(relay.headers["location"]).json()
    assert (told["stage"], told["ended"], told["verb"]) == ("Done", True, "Confirm")
    assert int(told["cost"]) > 0
    assert told["transaction_url"].endswith(told["transaction_hash"])
    assert state(service, terms) == "Closed"
    assert world.node.w3.eth.get_balance(world.seller.address) > before
    assert world.node.w3.eth.get_balance(buyer.address) == 0
    listed = person.get(f"/v1/orders/{service.id_of(terms)}/relays").json()["relays"]
    assert [one["kind"] for one in listed] == ["Action", "DepositOpening"]


def test_a_dispute_and_an_agreement_take_no_wallet_either(
    service: Service, buyer: LocalAccount, terms: OrderTerms
) -> None:
    world, person = service.world, service.signed_in(buyer)
    deposit = register(service, person, terms, offer=offer_body(offered(service, terms))).json()
    transfer(service, deposit["address"], terms.price)
    bring(service)
    world.send(world.seller, "deliver", terms, COMMITMENT)
    service.mirror()
    assert act(service, person, buyer, terms, move="dispute", units=2).status_code == 202
    bring(service)
    assert state(service, terms) == "Disputed"
    papers = person.post(
        f"/v1/orders/{service.id_of(terms)}/prepare", json={"move": "agree", "to_buyer": "1000"}
    ).json()
    signed = [
        "0x" + bytes(who.sign_typed_data(full_message=papers["typed_data"]).signature).hex()
        for who in (buyer, world.seller)
    ]
    body = {
        "kind": "Agreement",
        "order_id": service.id_of(terms),
        "split": papers["split"],
        "buyer_signature": signed[0],
        "seller_signature": signed[1],
    }
    before = world.node.w3.eth.get_balance(terms.refund_to)
    assert person.post("/v1/relays", json=body).status_code == 202
    bring(service)
    assert state(service, terms) == "Closed"
    assert world.node.w3.eth.get_balance(terms.refund_to) == before + 1_000


def test_a_buyer_takes_its_money_back_before_it_is_used(
    service: Service, buyer: LocalAccount, terms: OrderTerms
) -> None:
    world, person = service.world, service.signed_in(buyer)
    deposit = register(service, person, terms, offer=offer_body(offered(service, terms))).json()
    transfer(service, deposit["address"], terms.price - 1)
    bring(service)
    seen = person.get(f"/v1/deposits/{service.id_of(terms)}").json()
    assert (seen["balance"], seen["missing"]) == (str(terms.price - 1), "1")
    will = seen["refund_typed_data"]
    signature = "0x" + bytes(buyer.sign_typed_data(full_message=will).signature).hex()
    body = {
        "kind": "DepositRefund",
        "order_id": service.id_of(terms),
        "expiry": will["message"]["expiry"],
        "signature": signature,
    }
    before = world.node.w3.eth.get_balance(terms.refund_to)
    assert person.post("/v1/relays", json=body).status_code == 202
    bring(service)
    assert world.node.w3.eth.get_balance(terms.refund_to) == before + terms.price - 1


def test_the_buyers_signature_opens_without_an_offer(service: Service, buyer: LocalAccount, terms: OrderTerms) -> None:
    person = service.signed_in(buyer)
    papers = person.post("/v1/prepare/deposit", json={"terms": terms_body(terms)}).json()
    assert terms.refund_to in papers["consequence"]["en"]
    assert len(papers["warnings"]) == 1 + len(WEAKER)
    signature = "0x" + bytes(buyer.sign_typed_data(full_message=papers["typed_data"]).signature).hex()
    deposit = register(service, person, terms, buyer_signature=signature).json()
    assert (deposit["address"], deposit["order_id"]) == (papers["address"], papers["order_id"])
    transfer(service, deposit["address"], terms.price)
    bring(service)
    assert state(service, terms) == "Opened"


# ------------------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize("where", ["zero", "escrow", "deposits", "seller", "token"])
def test_refunds_must_not_go_where_they_are_lost(
    service: Service, buyer: LocalAccount, terms: OrderTerms, where: str
) -> None:
    world = service.world
    lost = {
        "zero": NATIVE,
        "escrow": world.address,
        "deposits": world.deployment.periphery["KamengDeposits"],
        "seller": world.seller.address,
        "token": world.token,
    }[where]
    changed = replace(terms, refund_to=lost, token=world.token if where == "token" else terms.token)
    answer = register(service, service.signed_in(buyer), changed, offer=offer_body(offered(service, changed)))
    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_address"), answer.text
    assert answer.json()["values"]["attempted"] == lost
    prepared = service.signed_in(buyer).post("/v1/prepare/deposit", json={"terms": terms_body(changed)})
    assert prepared.json()["code"] == "invalid_address"


def test_a_deposit_that_nothing_would_open_is_refused(service: Service, buyer: LocalAccount, terms: OrderTerms) -> None:
    person = service.signed_in(buyer)
    assert register(service, person, terms).json()["code"] == "deposit_not_openable"
    other = offered(service, replace(terms, price=5))
    assert register(service, person, terms, offer=offer_body(other)).json()["code"] == "invalid_signature"
    late = replace(offered(service, terms), expiry=1)
    assert register(service, person, terms, offer=offer_body(late)).json()["code"] == "expired"
    forged = "0x" + sign_terms(service.world.seller, terms, service.world.domain).hex()
    assert register(service, person, terms, buyer_signature=forged).json()["code"] == "invalid_signature"


def test_rules_with_a_dispute_bond_take_no_deposits(service: Service, buyer: LocalAccount, terms: OrderTerms) -> None:
    with_bond = replace(terms, policy_id=service.world.policy_id)
    answer = register(service, service.signed_in(buyer), with_bond, offer=offer_body(offered(service, with_bond)))
    assert answer.json()["code"] == "dispute_bond_not_allowed"


def test_strangers_register_read_and_bring_nothing(
    service: Service, buyer: LocalAccount, terms: OrderTerms, newcomer: LocalAccount
) -> None:
    world, person, stranger = service.world, service.signed_in(buyer), service.signed_in(newcomer)
    offer = offer_body(offered(service, terms))
    assert register(service, stranger, terms, offer=offer).status_code == 403
    deposit = register(service, person, terms, offer=offer).json()
    assert stranger.get(f"/v1/deposits/{service.id_of(terms)}").json()["code"] == "unknown_deposit"
    sweep = {"kind": "DepositSweep", "order_id": service.id_of(terms)}
    assert stranger.post("/v1/relays", json=sweep).json()["code"] == "unknown_deposit"
    transfer(service, deposit["address"], terms.price)
    bring(service)
    world.send(world.seller, "deliver", terms, COMMITMENT)
    service.mirror()
    path = f"/v1/orders/{service.id_of(terms)}/prepare"
    papers = person.post(path, json={"move": "confirm"}).json()
    signature = bytes(newcomer.sign_typed_data(full_message=papers["typed_data"]).signature)
    body = {
        "kind": "Action",
        "order_id": service.id_of(terms),
        "action": papers["action"],
        "signature": "0x" + signature.hex(),
    }
    assert stranger.post("/v1/relays", json=body).status_code == 403
    answer = person.post("/v1/relays", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_signature")
    right = bytes(buyer.sign_typed_data(full_message=papers["typed_data"]).signature)
    made = person.post("/v1/relays", json={**body, "signature": "0x" + right.hex()}).json()
    assert stranger.get(f"/v1/relays/{made['id']}").status_code == 404
    assert stranger.get(f"/v1/orders/{service.id_of(terms)}/relays").status_code == 403
    assert service.signed_in(world.seller).get(f"/v1/relays/{made['id']}").status_code == 200
    assert person.get("/v1/relays/rly_00000000000000000000000000").json()["code"] == "unknown_relay"


def test_the_same_key_and_the_same_signature_are_one_relay(
    service: Service, buyer: LocalAccount, terms: OrderTerms
) -> None:
    world, person = service.world, service.signed_in(buyer)
    deposit = register(service, person, terms, offer=offer_body(offered(service, terms))).json()
    transfer(service, deposit["address"], terms.price)
    bring(service)
    world.send(world.seller, "deliver", terms, COMMITMENT)
    service.mirror()
    papers = person.post(f"/v1/orders/{service.id_of(terms)}/prepare", json={"move": "confirm"}).json()
    signature = "0x" + bytes(buyer.sign_typed_data(full_message=papers["typed_data"]).signature).hex()
    body = {
        "kind": "Action",
        "order_id": service.id_of(terms),
        "action": papers["action"],
        "signature": signature,
    }
    first = person.post("/v1/relays", json=body, headers={"Idempotency-Key": "one"})
    again = person.post("/v1/relays", json=body, headers={"Idempotency-Key": "one"})
    other = service.signed_in(world.seller).post("/v1/relays", json=body)
    assert first.status_code == again.status_code == other.status_code == 202
    assert first.json()["id"] == again.json()["id"] == other.json()["id"]


def test_a_spent_budget_and_a_used_up_limit_say_so(service: Service, buyer: LocalAccount, terms: OrderTerms) -> None:
    world = service.world
    orders = [world.delivered() for _ in range(2)]
    service.mirror()
    with service.store.writing() as session:
        relays.set_budget(session, service.parts.contract_id, world.platform.address, 1)
    person = service.signed_in(world.buyer)
    answer = act(service, person, world.buyer, orders[0], move="confirm")
    assert (answer.status_code, answer.json()["code"]) == (429, "relay_budget_spent")
    assert answer.json()["values"]["limit"] == "1"
    with service.store.writing() as session:
        relays.forget_budget(session, service.parts.contract_id, world.platform.address)
    bond = act(service, person, world.buyer, orders[0], move="dispute", units=1)
    assert (bond.status_code, bond.json()["code"]) == (409, "native_bond_not_relayed")
    assert terms.buyer == buyer.address


# -------------------------------------------------------------------------------------------- what is said to be weaker


def test_the_list_of_what_is_weaker_is_offered_to_everybody(service: Service) -> None:
    told = service.visitor().get("/v1/walletless").json()["warnings"]
    assert [one["en"] for one in told] == [label.en for label in WEAKER]
    assert all(one["zh"] for one in told)


def test_nothing_that_a_buyer_does_takes_a_wallet() -> None:
    """Whatever row of the lifecycle is the buyer's, a signature of the buyer's suffices for it."""
    rows = [row for row in LIFECYCLE if {Who.Buyer, Who.Parties} & set(row.who)]
    assert {row.move for row in rows if row.move.verb is None} == {Move.Agree}  # which is signed by both anyway
    assert {row.move for row in rows} > {Move.Confirm, Move.Cancel, Move.Dispute, Move.Concede, Move.Revise}
