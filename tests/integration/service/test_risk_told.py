"""Where risks are told by the way: to mediators in their queue, to buyers in what they are quoted."""

from typing import Any

import pytest

from kameng_escrow.store.service import risk

from .conftest import Service
from .test_trade import asked, body, listing_of

QUEUE = "/v1/mediation/queue"
WHY = [
    {"feature": "seller_dispute", "value": 0.42, "zh": "该卖家历来约 42% 的订单有争议", "en": "42% disputed"},
    {"feature": "buyer_dispute", "value": 0.5, "zh": "该买家约 50% 的订单有争议", "en": "half disputed"},
]


def scored(service: Service, order_id: str, dispute: float, *, stage: str = "disputed", at: int = 1_000) -> None:
    with service.store.writing() as session:
        session.add(
            risk.RiskScoreRow(
                contract_id=service.parts.contract_id,
                order_id=order_id,
                stage=stage,
                at=at,
                model_id=None,
                buyer=0.1,
                seller=0.2,
                dispute=dispute,
                reasons=WHY,
            )
        )


def warned(service: Service, order_id: str, kind: str = risk.MEDIATOR, **changes: Any) -> None:
    plain = {"platform": service.world.platform.address, "seller": service.world.seller.address, "risk": 0.3}
    with service.store.writing() as session:
        session.add(
            risk.RiskWarningRow(
                contract_id=service.parts.contract_id,
                order_id=order_id,
                kind=kind,
                raised_at=1_000,
                details={},
                **{**plain, **changes},
            )
        )


def test_a_mediators_queue_goes_by_the_clock_and_says_what_was_foreseen(service: Service) -> None:
    world = service.world
    first, second, third = (service.id_of(world.disputed()) for _ in range(3))
    service.mirror()
    scored(service, second, 0.25, stage="delivered", at=900)
    scored(service, second, 0.9)
    warned(service, second)
    warned(service, second, risk.CAUTION)
    warned(service, third)
    mediator = service.signed_in(world.mediator)
    found = body(mediator.get(QUEUE))["cases"]
    names = [one["order_id"] for one in found]
    assert [names.index(one) for one in (first, second, third)] == sorted(
        names.index(o) for o in (first, second, third)
    )
    assert [one["rule_until"] for one in found] == sorted(one["rule_until"] for one in found)
    cases = {one["order_id"]: one for one in found}
    assert (cases[first]["score"], cases[first]["warnings"]) == (None, [])  # no model, no score: and in its place
    score = cases[second]["score"]
    assert (score["stage"], score["dispute"], score["buyer"]) == ("disputed", 0.9, 0.1)  # the last one said
    assert [one["feature"] for one in score["reasons"]] == ["seller_dispute", "buyer_dispute"]
    assert score["reasons"][0]["sentence"]["zh"] == "该卖家历来约 42% 的订单有争议"
    assert [one["kind"] for one in cases[second]["warnings"]] == ["mediator", "caution"]
    assert (cases[third]["score"], [one["risk"] for one in cases[third]["warnings"]]) == (None, [0.3])
    paged = body(mediator.get(QUEUE, params={"limit": 1}))
    assert paged["cases"][0] == found[0]


def test_a_mediator_sees_delivered_orders_that_were_warned_of(service_on_each: Service) -> None:
    service = service_on_each
    world = service.world
    calm, feared, later, disputed = (world.delivered(), world.delivered(), world.delivered(), world.disputed())
    service.mirror()
    names = {name: service.id_of(terms) for name, terms in zip("cfld", (calm, feared, later, disputed), strict=True)}
    for name in "lfd":
        warned(service, names[name])
    warned(service, names["c"], risk.CAUTION)
    scored(service, names["f"], 0.35, stage="delivered")
    mediator = service.signed_in(world.mediator)
    likely = body(mediator.get(QUEUE))["likely"]
    assert [one["order_id"] for one in likely] == [names["f"], names["l"]]  # whose clock runs out first
    assert (likely[0]["seat"], likely[0]["score"]["dispute"], likely[1]["score"]) == ("mediator", 0.35, None)
    assert (likely[0]["price"], likely[0]["units"]) == (str(feared.price), feared.units)
    assert likely[0]["deadline"] < likely[1]["deadline"]
    assert body(mediator.get(QUEUE, params={"over": True}))["likely"] == []
    assert body(mediator.get(QUEUE, params={"limit": 1, "cursor": "1-1-1"}))["likely"] == []

    body(mediator.post("/v1/mediation/conflicts", json={"subject": names["f"], "note": "我认识买家"}), 201)
    assert [one["order_id"] for one in body(mediator.get(QUEUE))["likely"]] == [names["l"]]
    with service.store.writing() as session:  # it went well after all
        risk.settle(session, service.parts.contract_id, names["l"], (risk.MEDIATOR,), None)
    assert body(mediator.get(QUEUE))["likely"] == []
    for other in (world.seller, world.buyer, world.platform, world.deployer):
        seen = body(service.signed_in(other).get(QUEUE))
        assert (seen["cases"], seen["likely"]) == ([], [])


@pytest.mark.parametrize(("feared", "cautioned"), [(None, False), (0.199, False), (0.2, True)])
def test_a_quote_cautions_of_a_seller_whose_orders_fail(
    service: Service, feared: float | None, cautioned: bool
) -> None:
    world, seller, buyer = (
        service.world,
        service.signed_in(service.world.seller),
        service.signed_in(service.world.buyer),
    )
    listing = body(seller.post("/v1/listings", json=listing_of(service)), 201)["id"]
    if feared is not None:
        with service.store.writing() as session:
            session.add(
                risk.RiskOutlookRow(
                    contract_id=service.parts.contract_id,
                    seller=world.seller.address,
                    risk=feared,
                    orders=57,
                    at=1_700_000_000,
                    reasons=WHY[:1],
                )
            )
    quote = body(buyer.post("/v1/quotes", json=asked(service, listing)), 201)
    assert body(buyer.get(f"/v1/quotes/{quote['id']}"))["caution"] == quote["caution"]
    if not cautioned:
        assert quote["caution"] is None
        return
    caution = quote["caution"]
    assert (caution["risk"], caution["orders"], caution["as_of"]) == (feared, 57, "2023-11-14T22:13:20Z")
    share = f"{feared:.0%}"
    assert caution["sentence"] == {
        "zh": f"提醒：该卖家的订单约 {share} 会因卖家失败或发生争议。付款仍由合约保管，超时自动退款。",
        "en": f"Caution: about {share} of this seller's orders fail by it or are disputed. The contract holds your "
        "money all the same, and gives it back when time runs out.",
    }
    assert [one["feature"] for one in caution["reasons"]] == ["seller_dispute"]
