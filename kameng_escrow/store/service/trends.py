"""Orders that ended, counted by day, and the outlooks that were made of them.

An outlook belongs to the platform whose orders it is about, and is shown to nobody else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, case, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kameng_escrow.domain.states import Outcome, State

from ..models import Base, CheckpointRow, OrderRow, PolicyRow
from ..types import Address, Hash, Json
from .trade_rows import ListingRow, QuoteRow

DAY = 86_400


class OutlookRow(Base):
    """What was last made of a platform's series."""

    __tablename__ = "trend_outlooks"

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    platform: Mapped[str] = mapped_column(Address(), primary_key=True)
    clock: Mapped[str] = mapped_column(String(16), primary_key=True)  # whose midnight parts the days
    measure: Mapped[str] = mapped_column(String(16), primary_key=True)
    by: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(Hash(), primary_key=True)  # the category, seller or policy; empty: all
    place: Mapped[int]  # among those of its kind: 0 has the most orders
    until_day: Mapped[int]  # the last one in it, days since 1970
    made_at: Mapped[int] = mapped_column(BigInteger)  # Unix seconds of the chain
    document: Mapped[dict[str, Any]] = mapped_column(Json())


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedOrders:
    """Orders that ended alike on one day."""

    day: int  # days since 1970, of a clock ahead of UTC by the offset that was asked for
    outcome: Outcome
    disputed: bool
    category: str  # of the listing; where that is unknown, the policy's id
    seller: str
    policy: str
    count: int


def ended_orders(
    session: Session, contract_id: int, platform: str, *, offset: int, since: int, before: int
) -> list[EndedOrders]:
    """A platform's orders that ended from one Unix second on and before another, as far as that is final.

    Args:
        offset: seconds that the clock whose days are meant is ahead of UTC.
    """
    of_policy = (PolicyRow.contract_id == OrderRow.contract_id) & (PolicyRow.policy_id == OrderRow.policy_id)
    of_quote = (QuoteRow.contract_id == OrderRow.contract_id) & (QuoteRow.order_id == OrderRow.order_id)
    final = select(CheckpointRow.final_number).where(CheckpointRow.contract_id == contract_id).scalar_subquery()
    day = ((OrderRow.closed_at + offset) // DAY).label("day")
    disputed = case((OrderRow.disputed_at.is_(None), 0), else_=1).label("disputed")
    category = func.coalesce(ListingRow.category, OrderRow.policy_id).label("category")
    query: Any = (
        select(day, OrderRow.outcome, disputed, category, OrderRow.seller, OrderRow.policy_id, func.count())
        .join(PolicyRow, of_policy)
        .outerjoin(QuoteRow, of_quote)
        .outerjoin(ListingRow, ListingRow.id == QuoteRow.listing_id)
        .where(
            OrderRow.contract_id == contract_id,
            PolicyRow.platform == platform,
            OrderRow.state == State.Closed,
            OrderRow.closed_at >= since,
            OrderRow.closed_at < before,
            OrderRow.last_block <= final,
        )
        .group_by("day", OrderRow.outcome, "disputed", "category", OrderRow.seller, OrderRow.policy_id)
        .order_by("day", OrderRow.outcome, "disputed", "category", OrderRow.seller, OrderRow.policy_id)
    )
    return [
        EndedOrders(
            day=int(number),
            outcome=outcome,
            disputed=bool(had),
            category=what,
            seller=seller,
            policy=policy,
            count=count,
        )
        for number, outcome, had, what, seller, policy, count in session.execute(query)
    ]


def keep_outlooks(
    session: Session, contract_id: int, platform: str, clock: str, outlooks: Iterable[OutlookRow]
) -> None:
    """Takes the place of a platform's outlooks by a clock."""
    session.execute(delete(OutlookRow).filter_by(contract_id=contract_id, platform=platform, clock=clock))
    session.add_all(outlooks)


def outlooks(
    session: Session,
    contract_id: int,
    platform: str,
    *,
    clock: str,
    measure: str | None = None,
    by: str | None = None,
    name: str | None = None,
) -> Sequence[OutlookRow]:
    """A platform's outlooks by a clock, the largest first."""
    query = select(OutlookRow).filter_by(contract_id=contract_id, platform=platform, clock=clock)
    for column, value in ((OutlookRow.measure, measure), (OutlookRow.by, by), (OutlookRow.name, name)):
        if value is not None:
            query = query.where(column == value)
    return session.scalars(query.order_by(OutlookRow.by, OutlookRow.place, OutlookRow.measure)).all()


def last_outlook(session: Session, contract_id: int, platform: str, clock: str) -> int | None:
    """The last day that is in a platform's outlooks; None: there are none."""
    query = select(func.max(OutlookRow.until_day)).filter_by(contract_id=contract_id, platform=platform, clock=clock)
    return session.scalar(query)
