"""How likely orders are to end badly, what was warned of, and what the warnings have been worth.

Rows are read that the risk worker has written: no model is asked within a request, and where there is no row there is
no score.
"""

from typing import Annotated, Literal

from fastapi import Query

from kameng_escrow.store.service import risk

from ..callers import EVERYONE, SELLING, Scope, account, order
from ..errors import NotFound
from ..risk_views import ThePlatform, own_platform, score_view, sees_all, told_parties, warning_view, worth_view
from ..routing import Router, TheCaller, TheOrder, TheParts
from ..schemas.risk import NewStockAnswer, RiskView, RiskWarningsView, RiskWarningView

routes = Router("risk")

AKind = Literal["confirm_stock", "caution", "stricter_policy", "mediator"]


@routes.get("/v1/orders/{order_id}/risk", access=order(EVERYONE, Scope.OrdersRead))
def read_risk(held: TheOrder, parts: TheParts) -> RiskView:
    """An order's scores and warnings. Platform and mediators see all of it; seller and buyer what is said of the
    seller, and nothing of the buyer.
    """
    everything = sees_all(held.roles)
    with parts.store.reading() as session:
        found = risk.scores(session, parts.contract_id, held.id)
        stages = [score_view(row, everything=everything) for row in found]
        warnings = [
            warning_view(row)
            for row in risk.warnings_of(session, parts.contract_id, held.id)
            if everything or told_parties(row)
        ]
    return RiskView(order_id=held.id, score=stages[0] if stages else None, stages=stages, warnings=warnings)


@routes.post("/v1/orders/{order_id}/stock-answer", access=order(SELLING, Scope.OrdersWrite))
def answer_stock(body: NewStockAnswer, held: TheOrder, parts: TheParts) -> RiskWarningView:
    """The seller's answer when it is asked whether the goods are there. It binds nobody: who has none declines."""
    with parts.store.writing() as session:
        row = risk.answer(session, parts.contract_id, held.id, body.answer, parts.clock())
        if row is None:
            raise NotFound("Nobody asked whether the goods of this order are there.", "没有人问过这笔订单是否有货。")
        return warning_view(row)


@routes.get("/v1/platforms/{platform}/warnings", access=account(Scope.Records))
def list_warnings(
    platform: ThePlatform,
    caller: TheCaller,
    parts: TheParts,
    kind: Annotated[AKind | None, Query(description="Only of this kind.")] = None,
    before: Annotated[int | None, Query(ge=1, lt=2**53, description="Only those before this id.")] = None,
    limit: Annotated[int, Query(ge=1, le=risk.LARGEST_PAGE)] = 50,
) -> RiskWarningsView:
    """Warnings about orders under the platform's policies, the latest first, and how often each kind was right."""
    own = own_platform(platform, caller)
    with parts.store.reading() as session:
        page = risk.warnings(session, parts.contract_id, own, kind=kind, before=before, limit=limit)
        return RiskWarningsView(
            platform=own,
            worth=[worth_view(one) for one in risk.worth(session, parts.contract_id, own)],
            warnings=[warning_view(row) for row in page],
            before=page[-1].id if len(page) == limit else None,
        )
