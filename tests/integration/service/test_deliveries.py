"""Codes over the service: stored before they are delivered, read by their buyer alone, and not before that is final."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from kameng_escrow.client.receipt import parse_receipt
from kameng_escrow.delivery import Delivery, Parcel, new_nonce, pack, prepare, seal, secret_of_account
from kameng_escrow.delivery.fingerprints import FingerprintKey, tag_of
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.signed import Offer, OperatorGrant
from kameng_escrow.domain.states import Right, Role, State
from kameng_escrow.service import deliveries as desk
from kameng_escrow.store import Store
from kameng_escrow.store.service import deliveries as kept
from kameng_escrow.store.service.deliveries import DisclosureRow
from tests.integration.escrow_world import HOUR, EscrowWorld
from tests.integration.mirrors import mirror_of

from .conftest import Service, _serving

NONCE = new_nonce()
CODES = [f"CARD-{number}" for number in range(10)]  # an order of the world's has ten units
KEYS = (FingerprintKey(id="new", secret=b"\x01" * 32), FingerprintKey(id="old", secret=b"\x02" * 32))


class Sale:
    """An order that is accepted, and a delivery for it."""

    def __init__(self, service: Service, codes: list[str] = CODES, **terms: Any) -> None:
        self.service, self.world = service, service.world
        self.terms = self.world.accepted(**terms)
        self.order_id = service.id_of(self.terms)
        service.mirror()
        self.identity = secret_of_account(self.world.buyer).identity(NONCE)
        self.parcel = pack(self.order_id, codes)
        self.delivery = self.sealed(self.parcel)
        self.seller = service.signed_in(self.world.seller)
        self.buyer = service.signed_in(self.world.buyer)
        self.path = f"/v1/orders/{self.order_id}/deliveries"

    def sealed(self, parcel: Parcel) -> Delivery:
        return seal(parcel, secret_of_account(self.world.buyer).recipient(NONCE))

    def body(self, delivery: Delivery | None = None, **more: Any) -> dict[str, Any]:
        delivery = delivery or self.delivery
        return {"root": delivery.root, "payload": base64.b64encode(delivery.payload).decode(), **more}

    def store(self, delivery: Delivery | None = None, **more: Any) -> dict[str, Any]:
        answer = self.seller.post(self.path, json=self.body(delivery, **more))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def deliver(self, delivery: Delivery | None = None) -> None:
        self.world.send(self.world.seller, "deliver", self.terms, (delivery or self.delivery).commitment)
        self.service.mirror()

    def finally_(self) -> None:
        """Until what has happened is final."""
        self.world.node.mine(80)
        self.service.mirror()

    def dispute(self, units: int = 2) -> None:
        price, all_units = self.terms.price, self.terms.units
        bond = (price - price * (all_units - units) // all_units) * 1_500 // 10_000
        self.world.send(self.world.buyer, "dispute", self.terms, units, "0x" + "e1" * 32, value=bond)
        self.service.mirror()

    def read(self, delivery_id: str, who: TestClient | None = None) -> Any:
        return (who or self.buyer).get(f"{self.path}/{delivery_id}/payload")

    def tags(self, codes: list[str] = CODES) -> list[dict[str, Any]]:
        offered = self.seller.get(f"/v1/orders/{self.order_id}/tag-keys").json()["keys"]
        return [
            {"key_id": one["id"], "tags": [tag_of(code, bytes.fromhex(one["key"][2:])).hex() for code in codes]}
            for one in offered
        ]


@pytest.fixture
def sale(service: Service) -> Sale:
    return Sale(service)


@pytest.fixture
def sale_on_each(service_on_each: Service) -> Sale:
    """On each database in turn."""
    return Sale(service_on_each)


def assert_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["detail_zh"]
    return answer.json()


# -------------------------------------------------------------------------------------------------------------- access


def test_everybody_else_is_kept_out(sale: Sale) -> None:
    world, service = sale.world, sale.service
    delivery_id = sale.store()["id"]
    sale.deliver()
    sale.finally_()
    sale.dispute()
    unit = sale.parcel.disclose(1, sale.delivery.payload_hash)
    disclosure = {
        "payload_hash": unit.payload_hash,
        "unit": {
            "unit": 1,
            "code": unit.code,
            "salt": "0x" + unit.salt.hex(),
            "proof": [f"0x{p.hex()}" for p in unit.proof],
        },
    }
    people = {
        name: service.signed_in(getattr(world, name))
        for name in ("buyer", "seller", "platform", "mediator", "stranger")
    }
    calls = {
        "store": ("POST", sale.path, sale.body(), {"seller"}),
        "list": ("GET", sale.path, None, {"buyer", "seller", "platform", "mediator"}),
        "read": ("GET", f"{sale.path}/{delivery_id}/payload", None, {"buyer"}),
        "erase": ("POST", f"{sale.path}/erase", {}, {"buyer"}),
        "keys": ("GET", f"/v1/orders/{sale.order_id}/tag-keys", None, {"seller"}),
        "check": ("POST", f"{sale.path}/check-codes", {"tags": [{"key_id": "new", "tags": ["00" * 16]}]}, {"seller"}),
        "disclose": ("POST", f"/v1/orders/{sale.order_id}/disclosures", disclosure, {"buyer", "seller"}),
        "disclosures": ("GET", f"/v1/orders/{sale.order_id}/disclosures", None, {"buyer", "seller", "mediator"}),
    }
    for name, (method, path, body, allowed) in calls.items():
        assert service.visitor().request(method, path, json=body).status_code == 401, name
        for who, browser in people.items():
            status = browser.request(method, path, json=body).status_code
            assert (status != 403) == (who in allowed), (name, who, status)


def test_an_api_key_needs_the_scope(sale: Sale) -> None:
    without = sale.service.with_key(sale.world.seller, "trade")
    assert_problem(without.post(sale.path, json=sale.body()), 403, "forbidden")
    assert sale.service.with_key(sale.world.seller, "delivery").post(sale.path, json=sale.body()).status_code == 201


def test_an_operator_needs_the_right_to_deliver(sale: Sale) -> None:
    world = sale.world
    operator = sale.service.signed_in(world.operator)
    for rights, status in ((Right.Accept, 403), (Right.Accept | Right.Deliver, 201)):
        grant = OperatorGrant(rights=int(rights), expiry=world.now() + HOUR, max_price=10**12)
        world.send(world.seller, "setOperator", world.operator.address, sale.terms.token, world.policy_id, grant)
        sale.service.mirror()
        assert operator.post(sale.path, json=sale.body()).status_code == status


# ------------------------------------------------------------------------------------------------------------- storing


@pytest.mark.parametrize("payload", ["AAAA", "not base64!", base64.b64encode(b"age-encryption.org/v2\n").decode()])
def test_what_is_no_delivery_is_not_kept(sale: Sale, payload: str) -> None:
    answer = sale.seller.post(sale.path, json={**sale.body(), "payload": payload})
    assert answer.status_code == 422
    assert sale.seller.get(sale.path).json()["deliveries"] == []


def test_what_is_too_large_is_not_kept(sale: Sale) -> None:
    large = base64.b64encode(b"age-encryption.org/v1\n" + bytes(8 * 1024 * 1024)).decode()
    answer = sale.seller.post(sale.path, json={**sale.body(), "payload": large})
    assert answer.status_code in (413, 422)


def test_an_order_takes_codes_when_it_is_their_turn(sale: Sale) -> None:
    opened = sale.world.opened()
    sale.service.mirror()
    path = f"/v1/orders/{sale.service.id_of(opened)}/deliveries"
    assert_problem(sale.seller.post(path, json=sale.body()), 409, "conflict")
    sale.deliver()
    other = sale.sealed(pack(sale.order_id, CODES))
    assert_problem(sale.seller.post(sale.path, json=sale.body(other)), 409, "conflict")
    assert sale.store()["stage"] == "Pending"  # late, but what the chain knows


def test_the_same_again_is_the_same(sale_on_each: Sale) -> None:
    sale = sale_on_each
    first, again = sale.store(), sale.store()
    assert first["id"] == again["id"]
    assert first["commitment"] == sale.delivery.commitment
    assert (first["stage"], first["current"]) == ("Stored", False)


def test_deliveries_that_are_not_on_the_chain_give_way(sale_on_each: Sale) -> None:
    sale = sale_on_each
    sale.store()
    sale.deliver()
    sale.dispute()
    for _ in range(kept.MOST_WAITING + 2):
        sale.store(sale.sealed(pack(sale.order_id, CODES)))
    found = sale.seller.get(sale.path).json()["deliveries"]
    assert len(found) == kept.MOST_WAITING + 1
    assert sale.delivery.commitment in [one["commitment"] for one in found]


# ------------------------------------------------------------------------------------------------------------- reading


def test_the_buyer_reads_once_it_is_final_and_not_before(sale_on_each: Sale) -> None:
    sale = sale_on_each
    delivery_id = sale.store()["id"]
    problem = assert_problem(sale.read(delivery_id), 409, "not_released")
    assert problem["values"]["stage"] == "Stored"
    sale.deliver()
    answer = sale.read(delivery_id)
    problem = assert_problem(answer, 409, "not_released")
    assert problem["values"]["stage"] == "Pending"
    assert int(problem["values"]["blocks_left"]) > 0
    assert answer.headers["retry-after"]
    assert "more blocks" in problem["detail_en"]
    sale.finally_()
    payload = sale.read(delivery_id).json()
    delivery = Delivery(
        order_id=payload["order_id"], root=payload["root"], payload=base64.b64decode(payload["payload"])
    )
    assert sale.service.parts.client.open_delivery(sale.terms, delivery, sale.identity) == sale.parcel
    [listed] = sale.seller.get(sale.path).json()["deliveries"]
    assert listed["stage"] == "Released"
    assert listed["read_at"] is not None
    assert_problem(sale.read("dlv_none"), 404, "not_found")


def test_every_block_up_to_the_final_one_withholds_it(sale: Sale) -> None:
    delivery_id = sale.store()["id"]
    sale.deliver()
    block = sale.seller.get(sale.path).json()["deliveries"][0]["block_number"]
    while True:
        final = sale.service.parts.marks().final
        assert (sale.read(delivery_id).status_code == 200) == (final >= block)
        if final >= block:
            break
        sale.world.node.mine(7)
        sale.service.mirror()


@pytest.fixture
def anvil_service(anvil_world: EscrowWorld, store: Store, tmp_path: Path) -> Iterator[Service]:
    """A service over a chain that can change its mind; on each database in turn."""
    store.migrate()
    mirror_of(anvil_world, store).run_once()
    yield from _serving(anvil_world, store, {}, tmp_path)


def test_a_reorg_in_between_withholds_it(anvil_service: Service) -> None:
    """Nobody reads, then sees the delivery undone, then cancels."""
    sale = Sale(anvil_service)
    delivery_id = sale.store()["id"]
    sale.deliver()
    assert_problem(sale.read(delivery_id), 409, "not_released")
    sale.world.node.request("anvil_reorg", 1, [])
    sale.finally_()
    problem = assert_problem(sale.read(delivery_id), 409, "not_released")
    assert problem["values"]["stage"] == "Stored"
    sale.world.send(sale.world.buyer, "cancel", sale.terms, State.Accepted)
    sale.finally_()
    assert_problem(sale.read(delivery_id), 409, "not_released")


def test_a_delivery_that_a_reorg_moved_waits_for_its_new_block(anvil_service: Service) -> None:
    sale = Sale(anvil_service)
    delivery_id = sale.store()["id"]
    sale.deliver()
    before = sale.seller.get(sale.path).json()["deliveries"][0]["block_number"]
    sale.world.node.request("anvil_reorg", 1, [])
    sale.world.node.mine(40)
    sale.deliver()
    moved = sale.seller.get(sale.path).json()["deliveries"][0]
    assert moved["block_number"] > before
    assert sale.service.parts.marks().final >= before  # where it was is final by now, and tells nothing
    assert_problem(sale.read(delivery_id), 409, "not_released")
    sale.finally_()
    assert sale.read(delivery_id).status_code == 200


def test_what_was_refunded_unread_stays_closed(sale: Sale) -> None:
    delivery_id = sale.store()["id"]
    sale.deliver()
    sale.world.send(sale.world.seller, "refund", sale.terms, State.Delivered)
    sale.finally_()
    problem = assert_problem(sale.read(delivery_id), 409, "not_released")
    assert problem["values"]["stage"] == "Withheld"


def concede(sale: Sale) -> None:
    sale.world.wait(24 * 3_600)  # until it is time to mediate
    sale.world.send(sale.world.seller, "concede", sale.terms, Role.Seller)


@pytest.mark.parametrize("ending", ["conceded", "agreed"])
def test_whoever_disputes_unread_codes_gets_the_money_or_the_codes(sale: Sale, ending: str) -> None:
    delivery_id = sale.store()["id"]
    sale.deliver()
    sale.dispute(sale.terms.units)
    if ending == "conceded":
        concede(sale)
    else:
        sale.world.agree(sale.terms, State.Disputed, sale.terms.price, sale.terms.units)
    sale.finally_()
    problem = assert_problem(sale.read(delivery_id), 409, "not_released")
    assert problem["values"]["stage"] == "Withheld"


def test_units_that_were_not_disputed_were_paid_for_and_may_be_read(sale: Sale) -> None:
    delivery_id = sale.store()["id"]
    sale.deliver()
    sale.dispute(2)
    concede(sale)
    sale.finally_()
    assert sale.read(delivery_id).status_code == 200


def test_what_was_read_stays_readable(sale_on_each: Sale) -> None:
    sale = sale_on_each
    delivery_id = sale.store()["id"]
    sale.deliver()
    sale.finally_()
    assert sale.read(delivery_id).status_code == 200
    sale.world.send(sale.world.seller, "refund", sale.terms, State.Delivered)
    sale.service.mirror()
    assert sale.read(delivery_id).status_code == 200


def test_replacements_are_read_too_and_wait_for_their_own_block(sale: Sale) -> None:
    first = sale.store()["id"]
    sale.deliver()
    sale.finally_()
    sale.dispute()
    fresh = sale.sealed(pack(sale.order_id, [f"NEW-{code}" for code in CODES]))
    second = sale.store(fresh)["id"]
    sale.world.send(sale.world.seller, "recommit", sale.terms, 0, fresh.commitment)
    sale.service.mirror()
    assert_problem(sale.read(second), 409, "not_released")
    sale.finally_()
    assert sale.read(second).status_code == 200
    assert sale.read(first).status_code == 200
    assert [one["current"] for one in sale.buyer.get(sale.path).json()["deliveries"]] == [False, True]


# -------------------------------------------------------------------------------------------------------- fingerprints


def with_keys(service: Service) -> Service:
    """The same service with fingerprint keys."""
    service.client.app.state.parts = service.parts = replace(service.parts, fingerprint_keys=KEYS)
    return service


def test_without_keys_nobody_looks_for_duplicates(sale: Sale) -> None:
    assert_problem(sale.seller.get(f"/v1/orders/{sale.order_id}/tag-keys"), 501, "not_offered")


def test_the_same_code_sold_twice_is_told_before_it_is_stored(service_on_each: Service) -> None:
    service = service_on_each
    first = Sale(with_keys(service))
    assert first.store(tags=first.tags())["duplicates"] == []
    first.deliver()
    second = Sale(service)
    again = [*CODES[:9], "new"]
    tags = second.tags([" card 0 ", *again[1:]])
    found = second.seller.post(f"{second.path}/check-codes", json={"tags": tags}).json()["duplicates"]
    assert [one["unit"] for one in found] == list(range(1, 10))
    assert {one["order_id"] for one in found} == {first.order_id}
    problem = assert_problem(second.seller.post(second.path, json=second.body(tags=tags)), 409, "codes_sold_before")
    assert "1, 2, 3" in problem["detail_en"]
    assert second.seller.get(second.path).json()["deliveries"] == []
    stored = second.store(tags=tags, allow_duplicates=True)
    assert len(stored["duplicates"]) == 9
    assert second.store(tags=second.tags(), allow_duplicates=True)["id"] == stored["id"]


def test_codes_of_an_order_that_was_never_delivered_may_be_sold(service_on_each: Service) -> None:
    service = service_on_each
    first = Sale(with_keys(service))
    first.store(tags=first.tags())
    second = Sale(service)
    assert_problem(second.seller.post(second.path, json=second.body(tags=second.tags())), 409, "codes_sold_before")
    service.world.send(service.world.seller, "decline", first.terms, State.Accepted)
    service.mirror()
    assert second.store(tags=second.tags())["duplicates"] == []


def test_keys_rotate(service_on_each: Service) -> None:
    service = service_on_each
    service.client.app.state.parts = service.parts = replace(service.parts, fingerprint_keys=KEYS[1:])
    first = Sale(service)
    first.store(tags=first.tags())
    second = Sale(with_keys(service))
    assert_problem(second.seller.post(second.path, json=second.body(tags=second.tags())), 409, "codes_sold_before")
    with service.store.writing() as session:
        kept.drop_fingerprints(session, ["new"])
    assert second.store(tags=second.tags())["duplicates"] == []


def test_tags_must_be_for_every_unit_by_every_key(service: Service) -> None:
    sale = Sale(with_keys(service))
    tags = sale.tags()
    for wrong in (tags[:1], [*tags, tags[0]], sale.tags(CODES[:9]), [{**tags[0], "key_id": "none"}, tags[1]]):
        assert_problem(sale.seller.post(sale.path, json=sale.body(tags=wrong)), 422, "bad_request")


def test_no_code_is_in_the_store(service: Service) -> None:
    sale = Sale(with_keys(service))
    sale.store(tags=sale.tags())
    with service.store.reading() as session:
        rows = [*session.query(kept.FingerprintRow), *session.query(kept.DeliveryRow)]
        assert len(rows) == 11
        for row in rows:
            text = str({column: getattr(row, column) for column in row.__mapper__.columns.keys()})  # noqa: SIM118 - no dict
            assert not any(code in text for code in CODES)


# --------------------------------------------------------------------------------------------------------- disclosures


def shown(sale: Sale, number: int, **changes: Any) -> dict[str, Any]:
    one = sale.parcel.disclose(number, sale.delivery.payload_hash)
    fields = {
        "unit": number,
        "code": one.code,
        "salt": "0x" + one.salt.hex(),
        "proof": [f"0x{p.hex()}" for p in one.proof],
    }
    return {"payload_hash": one.payload_hash, "unit": {**fields, **changes}}


def test_a_mediator_sees_one_unit_and_that_it_matches(sale_on_each: Sale) -> None:
    sale = sale_on_each
    path = f"/v1/orders/{sale.order_id}/disclosures"
    sale.store()
    sale.deliver()
    assert_problem(sale.buyer.post(path, json=shown(sale, 3)), 409, "conflict")  # there is no dispute
    sale.dispute()
    for changes in ({"code": "CARD-9"}, {"unit": 4}, {"salt": "0x" + "00" * 32}, {"proof": []}):
        assert_problem(sale.buyer.post(path, json=shown(sale, 3, **changes)), 409, "disclosure_false")
    assert sale.buyer.post(path, json={"payload_hash": sale.delivery.payload_hash}).status_code == 422
    assert sale.buyer.post(path, json=shown(sale, 3)).status_code == 201
    mediator = sale.service.signed_in(sale.world.mediator)
    [seen] = mediator.get(path).json()["disclosures"]
    assert (seen["unit"], seen["code"], seen["matches"], seen["current"]) == (3, "CARD-2", True, True)
    assert seen["account"] == sale.world.buyer.address
    fresh = sale.sealed(pack(sale.order_id, CODES))
    sale.world.send(sale.world.seller, "recommit", sale.terms, 0, fresh.commitment)
    sale.service.mirror()
    [seen] = mediator.get(path).json()["disclosures"]
    assert (seen["matches"], seen["current"]) == (True, False)


def test_a_mediator_sees_that_garbage_was_delivered(service: Service) -> None:
    sale = Sale(service, CODES[:9])  # one too few
    path = f"/v1/orders/{sale.order_id}/disclosures"
    whole = {"payload_hash": sale.delivery.payload_hash, "identity": sale.identity}
    sale.deliver()
    sale.dispute(10)
    assert_problem(sale.buyer.post(path, json=whole), 404, "not_found")
    sale.store()
    assert sale.buyer.post(path, json={**whole, "identity": "AGE-SECRET-KEY-1" + "Q" * 58}).status_code == 422
    made = sale.buyer.post(path, json=whole).json()
    assert (made["matches"], made["reason"]) == (False, "delivery_false")
    [seen] = service.signed_in(sale.world.mediator).get(path).json()["disclosures"]
    assert seen["delivery_key"] == secret_of_account(sale.world.buyer).recipient(NONCE)
    assert (seen["matches"], seen["reason"]) == (False, "delivery_false")


def test_what_was_disclosed_is_looked_at_once_and_before_anything_is_written(
    sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/orders/{sale.order_id}/disclosures"
    whole = {"payload_hash": sale.delivery.payload_hash, "identity": sale.identity}
    sale.store()
    sale.deliver()
    sale.dispute()
    looks: list[int] = []  # how many transactions were writing at each
    writers = 0
    looked_at, writing = desk._looked_at, Store.writing

    def counted(*given: Any, **named: Any) -> Any:
        looks.append(writers)
        return looked_at(*given, **named)

    @contextmanager
    def told(store: Store) -> Iterator[Any]:
        nonlocal writers
        with writing(store) as session:
            writers += 1
            yield session
        writers -= 1

    monkeypatch.setattr(desk, "_looked_at", counted)
    monkeypatch.setattr(Store, "writing", told)
    assert sale.buyer.post(path, json=whole).json()["matches"] is True
    assert sale.buyer.post(path, json=shown(sale, 3)).json()["matches"] is True
    assert looks == [0, 0]
    looks.clear()
    for browser in (sale.buyer, sale.service.signed_in(sale.world.mediator)):
        seen = browser.get(path).json()["disclosures"]
        assert [(one["matches"], one["current"], one["reason"]) for one in seen] == [(True, True, None)] * 2
    assert looks == []
    with sale.service.store.writing() as session:  # as an earlier version of the package left them
        session.execute(update(DisclosureRow).values(commitment=None, flaw=None))
    seen = sale.buyer.get(path).json()["disclosures"]
    assert [one["matches"] for one in seen] == [True, True]
    assert looks == [0, 0]


def to_erase(sale: Sale) -> list[str]:
    """Of which orders the codes are old enough."""
    with sale.service.store.reading() as session:
        later = sale.world.now() + 1
        return list(kept.orders_to_erase(session, sale.service.parts.contract_id, later))


def test_codes_are_not_erased_by_an_end_that_a_reorg_takes_back(anvil_service: Service) -> None:
    sale = Sale(anvil_service)
    delivery_id = sale.store()["id"]
    sale.deliver()
    sale.finally_()
    sale.world.send(sale.world.buyer, "confirm", sale.terms, State.Delivered)
    sale.service.mirror()
    assert_problem(sale.buyer.post(f"{sale.path}/erase", json={}), 409, "conflict")
    sale.world.node.request("anvil_reorg", 1, [])
    sale.finally_()
    assert sale.read(delivery_id).status_code == 200


def test_what_was_erased_is_taken_again_while_the_order_is_open(sale_on_each: Sale) -> None:
    """Deeper than the final mark a reorganisation may still be: whoever kept the payload helps the order out."""
    sale = sale_on_each
    delivery_id = sale.store()["id"]
    sale.deliver()
    sale.finally_()
    with sale.service.store.writing() as session:
        kept.erase_deliveries(session, sale.service.parts.contract_id, sale.order_id, sale.world.now())
    assert_problem(sale.read(delivery_id), 409, "not_released")
    again = sale.store()
    assert (again["id"], again["stage"]) == (delivery_id, "Released")
    assert sale.read(delivery_id).json()["payload"] == sale.body()["payload"]
    sale.world.send(sale.world.buyer, "confirm", sale.terms, State.Delivered)
    sale.finally_()
    assert sale.buyer.post(f"{sale.path}/erase", json={}).json() == {"erased": 1}
    assert sale.store()["stage"] == "Erased"


def test_erasing_leaves_hashes_and_nothing_else(sale_on_each: Sale) -> None:
    sale = sale_on_each
    delivery_id = sale.store()["id"]
    sale.deliver()
    sale.finally_()
    sale.dispute()
    sale.buyer.post(f"/v1/orders/{sale.order_id}/disclosures", json=shown(sale, 1))
    assert_problem(sale.buyer.post(f"{sale.path}/erase", json={}), 409, "conflict")
    sale.world.send(sale.world.buyer, "confirm", sale.terms, State.Disputed)
    sale.service.mirror()
    assert_problem(sale.buyer.post(f"{sale.path}/erase", json={}), 409, "conflict")
    assert to_erase(sale) == []
    sale.finally_()
    assert to_erase(sale) == [sale.order_id]
    assert sale.buyer.post(f"{sale.path}/erase", json={}).json() == {"erased": 1}
    problem = assert_problem(sale.read(delivery_id), 409, "not_released")
    assert problem["values"]["stage"] == "Erased"
    [listed] = sale.seller.get(sale.path).json()["deliveries"]
    assert (listed["stage"], listed["commitment"]) == ("Erased", sale.delivery.commitment)
    [seen] = sale.seller.get(f"/v1/orders/{sale.order_id}/disclosures").json()["disclosures"]
    assert (seen["unit"], seen["code"], seen["salt"], seen["proof"]) == (1, None, None, None)


# ---------------------------------------------------------------------------------------------------------- many orders


def many(*sales: Sale) -> dict[str, Any]:
    return {"deliveries": [{"order_id": one.order_id, "commitment": one.delivery.commitment} for one in sales]}


def test_many_orders_are_delivered_in_one_transaction(service: Service) -> None:
    first, second = Sale(service), Sale(service)
    first.store()
    path = "/v1/deliveries/prepare"
    problem = assert_problem(first.seller.post(path, json=many(first, second)), 409, "conflict")
    assert problem["values"]["order_id"] == second.order_id  # nothing is stored for it
    second.store()
    assert_problem(first.buyer.post(path, json=many(first)), 403, "forbidden")
    assert_problem(first.seller.post(path, json=many(first, first)), 422, "bad_request")
    prepared = first.seller.post(path, json=many(first, second)).json()
    transaction = prepared["transaction"]
    assert transaction["from"] == service.world.seller.address
    service.world.node.request("eth_sendTransaction", transaction)
    service.mirror()
    for one in (first, second):
        assert one.seller.get(one.path).json()["deliveries"][0]["stage"] == "Pending"
    assert_problem(first.seller.post(path, json=many(first)), 409, "conflict")


# ------------------------------------------------------------------------------------------------------- the whole way


def test_from_a_quote_to_a_ruling(service: Service) -> None:
    """The buyer makes its key of a nonce that the quote takes over; the receipt has listing and offer."""
    world = service.world
    seller, buyer = service.signed_in(world.seller), service.signed_in(world.buyer)
    goods = {
        **{"title": "点卡", "category": "game-card", "description": "", "policy_id": world.policy_id, "token": NATIVE},
        **{"unit_price": "1000003", "units": 5, "publish": True},
    }
    listing_id = seller.post("/v1/listings", json=goods).json()["id"]
    secret, nonce = secret_of_account(world.buyer), new_nonce()
    wish = {
        **{"listing_id": listing_id, "units": 2, "buyer": world.buyer.address},
        **{"delivery_key": secret.recipient(nonce), "nonce": nonce},
    }
    quote = buyer.post("/v1/quotes", json=wish).json()
    assert quote["document"]["nonce"] == nonce
    prepared = seller.get(f"/v1/quotes/{quote['id']}/offer", params={"seconds": 300}).json()
    signature = bytes(world.seller.sign_typed_data(full_message=prepared["typed_data"]).signature)
    made = {"expiry": prepared["expiry"], "signature": "0x" + signature.hex()}
    assert seller.post(f"/v1/quotes/{quote['id']}/offers", json=made).status_code == 201
    terms = OrderTerms(**{**quote["terms"], "price": int(quote["terms"]["price"])})
    promise = Offer(expiry=made["expiry"], signature=signature)
    world.send(world.buyer, "openWithOffer", terms, promise, value=terms.price)
    service.mirror()

    path = f"/v1/orders/{quote['order_id']}"
    receipt = parse_receipt(buyer.get(f"{path}/receipt").json())
    service.parts.client.verify_receipt(receipt)
    assert receipt.listing is not None
    assert receipt.offer is not None
    assert (receipt.listing.nonce, receipt.offer.offer.signature) == (nonce, signature)

    parcel = pack(quote["order_id"], ["A1", "B2"])
    delivery = prepare(parcel, receipt.listing.delivery_key, units=2)
    sent = {"root": delivery.root, "payload": base64.b64encode(delivery.payload).decode()}
    stored = seller.post(f"{path}/deliveries", json=sent).json()
    world.send(world.seller, "deliver", terms, stored["commitment"])
    world.node.mine(80)
    service.mirror()
    told = buyer.get(f"{path}/deliveries/{stored['id']}/payload").json()
    received = Delivery(order_id=told["order_id"], root=told["root"], payload=base64.b64decode(told["payload"]))
    opened = service.parts.client.open_delivery(terms, received, secret.identity(receipt.listing.nonce))
    assert opened.codes == ("A1", "B2")

    world.send(
        world.buyer, "dispute", terms, 1, "0x" + "e1" * 32, value=(terms.price - terms.price // 2) * 1_500 // 10_000
    )
    service.mirror()
    one = opened.disclose(2, received.payload_hash)
    unit = {"unit": 2, "code": one.code, "salt": "0x" + one.salt.hex(), "proof": [f"0x{p.hex()}" for p in one.proof]}
    disclosed = buyer.post(f"{path}/disclosures", json={"payload_hash": one.payload_hash, "unit": unit})
    assert disclosed.json()["matches"] is True
    [seen] = service.signed_in(world.mediator).get(f"{path}/disclosures").json()["disclosures"]
    assert (seen["code"], seen["matches"], seen["current"]) == ("B2", True, True)


def test_two_who_store_the_same_at_once_store_it_once(service_on_each: Service) -> None:
    sale = Sale(service_on_each)
    browsers = [sale.service.signed_in(sale.world.seller) for _ in range(4)]
    body = sale.body()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda browser: browser.post(sale.path, json=body), browsers))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(sale.seller.get(sale.path).json()["deliveries"]) == 1
