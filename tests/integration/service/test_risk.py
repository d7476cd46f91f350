"""Risk over HTTP: to each no more than is fair, and nothing where there is none."""

from typing import Any

from kameng_escrow.store.service import risk

from .conftest import Service

REASONS = [
    {"feature": "seller_late_week", "value": 0.31, "zh": "该卖家近 7 天 31% 超时未发货", "en": "late in 31%"},
    {"feature": "buyer_dispute", "value": 0.5, "zh": "该买家约 50% 的订单有争议", "en": "disputed in 50%"},
]


def written(service: Service, order_id: str) -> None:
    """A score and three warnings of an order, one of which came true."""
    contract_id, world = service.parts.contract_id, service.world
    with service.store.writing() as session:
        session.add(
            risk.RiskScoreRow(
                contract_id=contract_id,
                order_id=order_id,
                stage="opened",
                at=1_000,
                model_id=None,
                buyer=0.1,
                seller=0.3,
                dispute=0.2,
                reasons=REASONS,
            )
        )
        for kind in (risk.CONFIRM_STOCK, risk.CAUTION, risk.MEDIATOR):
            session.add(
                risk.RiskWarningRow(
                    contract_id=contract_id,
                    order_id=order_id,
                    kind=kind,
                    platform=world.platform.address,
                    seller=world.seller.address,
                    risk=0.3,
                    raised_at=1_000,
                    details={},
                )
            )
        session.flush()
        risk.settle(session, contract_id, order_id, (risk.CONFIRM_STOCK,), 1_000 + 7_200)
        risk.settle(session, contract_id, order_id, (risk.MEDIATOR,), None)


def opened(service: Service) -> str:
    terms = service.world.opened()
    service.mirror()
    return service.id_of(terms)


def seen(service: Service, account: Any, order_id: str) -> dict[str, Any]:
    answer = service.signed_in(account).get(f"/v1/orders/{order_id}/risk")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_who_is_told_what(service: Service) -> None:
    world = service.world
    order_id = opened(service)
    assert seen(service, world.buyer, order_id) == {"order_id": order_id, "score": None, "stages": [], "warnings": []}
    written(service, order_id)
    for account in (world.platform, world.mediator):
        told = seen(service, account, order_id)
        assert (told["score"]["buyer"], told["score"]["seller"], told["score"]["dispute"]) == (0.1, 0.3, 0.2)
        assert [one["feature"] for one in told["score"]["reasons"]] == ["seller_late_week", "buyer_dispute"]
        assert {one["kind"] for one in told["warnings"]} == {"confirm_stock", "caution", "mediator"}
    for account in (world.seller, world.buyer):
        told = seen(service, account, order_id)
        assert (told["score"]["buyer"], told["score"]["seller"], told["score"]["dispute"]) == (None, 0.3, None)
        assert [one["feature"] for one in told["score"]["reasons"]] == ["seller_late_week"]
        assert {one["kind"] for one in told["warnings"]} == {"confirm_stock", "caution"}


def test_a_seller_answers_and_a_platform_sees_what_warnings_are_worth(service: Service) -> None:
    world = service.world
    order_id = opened(service)
    seller = service.signed_in(world.seller)
    path = f"/v1/orders/{order_id}/stock-answer"
    assert seller.post(path, json={"answer": "in_stock"}).status_code == 404
    written(service, order_id)
    assert seller.post(path, json={"answer": "maybe"}).status_code == 422
    assert seller.post(path, json={"answer": "out_of_stock"}).json()["answer"] == "out_of_stock"
    assert service.signed_in(world.buyer).post(path, json={"answer": "in_stock"}).status_code == 403
    own = f"/v1/platforms/{world.platform.address}/warnings"
    found = service.signed_in(world.platform).get(own, params={"limit": 2}).json()
    assert [one["kind"] for one in found["warnings"]] == ["mediator", "caution"]
    worth = {one["kind"]: one for one in found["worth"]}
    assert (worth["confirm_stock"]["precision"], worth["confirm_stock"]["lead_hours"]) == (1.0, 2.0)
    assert (worth["mediator"]["precision"], worth["mediator"]["lead_hours"]) == (0.0, None)
    assert (worth["caution"]["raised"], worth["caution"]["precision"]) == (1, None)
    rest = service.signed_in(world.platform).get(own, params={"before": found["before"]}).json()
    assert [(one["kind"], one["answer"]) for one in rest["warnings"]] == [("confirm_stock", "out_of_stock")]
    assert service.signed_in(world.seller).get(own).status_code == 403
