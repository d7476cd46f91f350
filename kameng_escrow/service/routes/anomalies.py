"""What is out of the ordinary among a platform's orders, and where they are heading: for that platform alone."""

from typing import Annotated, Any, Literal

from fastapi import Query

from kameng_escrow.store.service import anomalies, trends

from ..callers import Scope, account
from ..risk_views import ThePlatform, own_platform
from ..routing import Router, TheCaller, TheParts
from ..schemas.anomalies import AnomaliesView, AnomalyView, OutlooksView, OutlookView
from ..schemas.common import moment

routes = Router("risk")

AKind = Literal["velocity", "ring", "price", "disputer", "code_reuse", "mediator_bias", "failure"]
ASeverity = Literal["low", "medium", "high"]


@routes.get("/v1/platforms/{platform}/anomalies", access=account(Scope.Records))
def list_anomalies(
    platform: ThePlatform,
    caller: TheCaller,
    parts: TheParts,
    kind: Annotated[list[AKind] | None, Query(description="Only of these kinds; may be given several times.")] = None,
    severity: Annotated[
        list[ASeverity] | None, Query(description="Only of these severities; may be given several times.")
    ] = None,
    who: Annotated[str | None, Query(max_length=66, description="Only about this account or category.")] = None,
    updated_since: Annotated[
        int | None, Query(ge=0, lt=2**53, description="Only with a finding at or after this Unix second of the chain.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=60, description="From the page before.")] = None,
) -> AnomaliesView:
    """Alarms about the platform's own orders, those raised last first. The same finding again brings its alarm up to
    date. They say what was seen; what it means is for people to find out.
    """
    own = own_platform(platform, caller)
    with parts.store.reading() as session:
        page = anomalies.anomalies(
            session,
            parts.contract_id,
            own,
            kinds=kind or (),
            severities=severity or (),
            who=who,
            updated_since=updated_since,
            limit=limit,
            cursor=cursor,
        )
        learned = anomalies.read_cursor(session, parts.contract_id).block_number
    return AnomaliesView(
        platform=own,
        learned_to_block=None if learned < 0 else learned,
        anomalies=[_anomaly(one) for one in page.anomalies],
        cursor=page.cursor,
    )


@routes.get("/v1/platforms/{platform}/trends", access=account(Scope.Records))
def list_trends(
    platform: ThePlatform,
    caller: TheCaller,
    parts: TheParts,
    measure: Annotated[
        Literal["cancelled", "disputed"], Query(description="Deals that did not come about, or disputes.")
    ] = "cancelled",
    by: Annotated[
        Literal["all", "category", "seller", "policy"], Query(description="What orders are parted by.")
    ] = "all",
    name: Annotated[
        str | None, Query(max_length=66, description="Only of this category, seller or policy, as `by` says.")
    ] = None,
    clock: Annotated[
        Literal["UTC", "Asia/Shanghai"], Query(description="Whose midnight parts the days.")
    ] = "Asia/Shanghai",
) -> OutlooksView:
    """Counts by day, what is to be expected with intervals, and what changed since when; made anew once a day is over.
    Empty before the first day is.
    """
    own = own_platform(platform, caller)
    with parts.store.reading() as session:
        found = trends.outlooks(session, parts.contract_id, own, clock=clock, measure=measure, by=by, name=name)
    return OutlooksView(platform=own, outlooks=[_outlook(one) for one in found])


def _anomaly(one: anomalies.AnomalyRow) -> AnomalyView:
    return AnomalyView(
        id=one.id,
        kind=one.kind,
        severity=one.severity,
        role=one.role,
        who=one.who,
        about=one.about or None,
        with_whom=one.with_whom,
        since=str(moment(one.since)),
        raised_at=str(moment(one.raised_at)),
        updated_at=str(moment(one.updated_at)),
        findings=one.findings,
        orders=one.orders,
        numbers=one.numbers,
        sentence_en=one.sentence_en,
        sentence_zh=one.sentence_zh,
    )


def _outlook(one: trends.OutlookRow) -> OutlookView:
    document: dict[str, Any] = one.document
    return OutlookView(made_at=str(moment(one.made_at)), **document)
