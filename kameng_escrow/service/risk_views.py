"""Risk as it is shown: to each no more than is fair.

Platforms and mediators see all. A seller sees what is said of itself, and nothing of its buyer: it might refuse an
honest one for a figure. A buyer sees what is said of its seller, and nothing of itself.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Final

from fastapi import Path
from sqlalchemy.orm import Session

from kameng_escrow.domain.inputs import parse_address
from kameng_escrow.store.service import risk

from .callers import Caller, OrderRole
from .errors import Forbidden
from .schemas.common import Words, moment
from .schemas.risk import CauseView, CautionView, RiskWarningView, ScoreView, WorthView

ThePlatform = Annotated[str, Path(max_length=64, description="The platform's account: the caller's own.")]

_ABOUT_BUYER: Final = ("buyer_", "pair_", "paid_by_other")
_SEES_ALL: Final = frozenset({OrderRole.Platform, OrderRole.Mediator, OrderRole.Backup})
_TOLD_PARTIES: Final = frozenset({risk.CONFIRM_STOCK, risk.CAUTION})


def own_platform(platform: str, caller: Caller) -> str:
    """The platform's account, which must be the caller's. Raises `Forbidden`."""
    wanted = parse_address(platform, "platform")
    if wanted != caller.known:
        raise Forbidden(
            f"This is for the platform {wanted} alone, and {caller.known} calls.",
            f"这里只对平台 {wanted} 自己开放，而请求来自 {caller.known}。",
        )
    return wanted


def sees_all(roles: Iterable[OrderRole]) -> bool:
    """Whether these roles are told everything."""
    return bool(_SEES_ALL & set(roles))


def score_view(row: risk.RiskScoreRow, *, everything: bool) -> ScoreView:
    """A score, with what is about the buyer or not."""
    return ScoreView(
        stage=row.stage,
        at=str(moment(row.at)),
        by_model=row.model_id is not None,
        seller=round(row.seller, 4),
        buyer=round(row.buyer, 4) if everything else None,
        dispute=round(row.dispute, 4) if everything else None,
        reasons=[_cause(one) for one in row.reasons if everything or not one["feature"].startswith(_ABOUT_BUYER)],
    )


def warning_view(row: risk.RiskWarningRow) -> RiskWarningView:
    """A warning."""
    return RiskWarningView(
        id=row.id,
        kind=row.kind,
        order_id=row.order_id,
        seller=row.seller,
        risk=round(row.risk, 4),
        raised_at=str(moment(row.raised_at)),
        details=row.details,
        answer=row.answer,
        answered_at=moment(row.answered_at),
        came=row.came,
        lead_seconds=row.lead_seconds,
    )


def told_parties(row: risk.RiskWarningRow) -> bool:
    """Whether a warning is for the parties' eyes, too."""
    return row.kind in _TOLD_PARTIES


def worth_view(one: risk.Worth) -> WorthView:
    """What a kind of warning has been worth."""
    return WorthView(
        kind=one.kind,
        raised=one.raised,
        ended=one.ended,
        came=one.came,
        precision=None if one.precision is None else round(one.precision, 4),
        lead_hours=None if one.lead_seconds is None else round(one.lead_seconds / 3_600, 2),
    )


def caution_view(session: Session, contract_id: int, seller: str) -> CautionView | None:
    """What a buyer is to be told of a seller before paying; None: nothing calls for it."""
    row = risk.outlook(session, contract_id, seller)
    if row is None or row.risk < risk.CAUTION_FROM:
        return None
    share = f"{row.risk:.0%}"
    return CautionView(
        risk=round(row.risk, 4),
        orders=row.orders,
        sentence=Words(
            zh=f"提醒：该卖家的订单约 {share} 会因卖家失败或发生争议。付款仍由合约保管，超时自动退款。",
            en=f"Caution: about {share} of this seller's orders fail by it or are disputed. The contract holds your "
            "money all the same, and gives it back when time runs out.",
        ),
        reasons=[_cause(one) for one in row.reasons],
        as_of=str(moment(row.at)),
    )


def _cause(one: dict[str, Any]) -> CauseView:
    return CauseView(feature=one["feature"], value=one["value"], sentence=Words(zh=one["zh"], en=one["en"]))
