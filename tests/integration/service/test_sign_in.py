"""Who signs in with a wallet is who it says it is; nobody else is."""

from .conftest import Service


def test_a_wallet_signs_in_and_out(service: Service) -> None:
    browser = service.signed_in(service.world.buyer)
    me = browser.get("/v1/me")
    assert me.json() == {"account": service.world.buyer.address, "by": "session", "key_id": None, "scopes": []}
    assert browser.post("/v1/sign-out", json={}).json() == {"ended": 1}
    assert browser.get("/v1/me").status_code == 401


def test_orders_as_seen_by_each(service: Service) -> None:
    world = service.world
    for who, role in ((world.buyer, "buyer"), (world.seller, "seller"), (world.platform, "platform")):
        page = service.signed_in(who).get("/v1/orders", params={"limit": 100}).json()
        assert len(page["orders"]) == 17
        assert all(role in one["roles"] for one in page["orders"])
