"""Reports on which rules would have served a platform better, and the ended orders that they are made from.

A report belongs to the platform whose policy it is about, and is shown to nobody else. Each is kept, so that reviews
can be compared. Times are Unix seconds of the chain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.states import State

from ..loading import load_policies
from ..models import Base, CheckpointRow, OrderRow, PolicyRow
from ..order_rows import restore_order
from ..types import Address, Hash, Json
from .trade_rows import CATEGORY_LENGTH, ListingRow, QuoteRow
from .webhook_rows import Id

LARGEST_PAGE: Final = 100


class PolicyAdviceRow(Base):
    """What the history of one category under one policy spoke for, at a time."""

    __tablename__ = "policy_advice"
    __table_args__ = (Index(None, "contract_id", "platform", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    platform: Mapped[str] = mapped_column(Address())
    policy_id: Mapped[str] = mapped_column(Hash())
    category: Mapped[str] = mapped_column(String(CATEGORY_LENGTH))  # of the listings; empty: not sold through one
    made_at: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[int] = mapped_column(BigInteger)  # when the last of the orders ended that it rests on
    document: Mapped[dict[str, Any]] = mapped_column(Json())


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedGroup:
    """Orders of one category under one policy that takes orders still, as far as their end is final."""

    platform: str
    policy_id: str
    category: str  # empty: not sold through a listing of the service
    orders: int
    until: int  # when the last of them ended


def ended_groups(session: Session, contract_id: int, *, least: int) -> list[EndedGroup]:
    """The groups with at least so many ended orders, those with the most first."""
    category = func.coalesce(ListingRow.category, "").label("category")
    count = func.count()
    columns = (PolicyRow.platform, OrderRow.policy_id, category, count, func.max(OrderRow.closed_at))
    query: Any = (
        _joined(select(*columns), contract_id)
        .where(PolicyRow.retired.is_(False))
        .group_by(PolicyRow.platform, OrderRow.policy_id, "category")
        .having(count >= least)
        .order_by(count.desc(), OrderRow.policy_id, "category")
    )
    return [
        EndedGroup(platform=platform, policy_id=policy_id, category=name, orders=orders, until=until)
        for platform, policy_id, name, orders, until in session.execute(query)
    ]


def ended_orders_of(session: Session, contract_id: int, group: EndedGroup, *, most: int) -> tuple[Order, ...]:
    """The group's latest ended orders, oldest first."""
    columns = OrderRow.__table__.columns
    query: Any = (
        _joined(select(*columns), contract_id)
        .where(OrderRow.policy_id == group.policy_id, func.coalesce(ListingRow.category, "") == group.category)
        .order_by(OrderRow.first_block.desc(), OrderRow.first_log_index.desc())
        .limit(most)
    )
    policies = load_policies(session, contract_id, [group.policy_id])
    return tuple(restore_order(row, policies) for row in reversed(session.execute(query).all()))


def group_policy(session: Session, contract_id: int, group: EndedGroup) -> tuple[Policy, int]:
    """The group's policy, and the Unix second by which its review is due."""
    row = session.get_one(PolicyRow, (contract_id, group.policy_id))
    return load_policies(session, contract_id, [group.policy_id])[group.policy_id], row.review_by


def latest_advice(session: Session, contract_id: int, group: EndedGroup) -> PolicyAdviceRow | None:
    """The last report about a group; None: there is none."""
    query = (
        select(PolicyAdviceRow)
        .filter_by(contract_id=contract_id, platform=group.platform, policy_id=group.policy_id, category=group.category)
        .order_by(PolicyAdviceRow.id.desc())
        .limit(1)
    )
    return session.scalar(query)


def advice(
    session: Session,
    contract_id: int,
    platform: str,
    *,
    policy_id: str | None = None,
    category: str | None = None,
    before: int | None = None,
    limit: int = 20,
) -> Sequence[PolicyAdviceRow]:
    """A platform's reports, the latest first; `before`: only with lower ids."""
    query = select(PolicyAdviceRow).filter_by(contract_id=contract_id, platform=platform)
    if policy_id is not None:
        query = query.where(PolicyAdviceRow.policy_id == policy_id)
    if category is not None:
        query = query.where(PolicyAdviceRow.category == category)
    if before is not None:
        query = query.where(PolicyAdviceRow.id < before)
    return session.scalars(query.order_by(PolicyAdviceRow.id.desc()).limit(min(limit, LARGEST_PAGE))).all()


def _joined(query: Any, contract_id: int) -> Any:
    """Ended orders with their policies and, where they were quoted here, their listings."""
    of_policy = (PolicyRow.contract_id == OrderRow.contract_id) & (PolicyRow.policy_id == OrderRow.policy_id)
    of_quote = (QuoteRow.contract_id == OrderRow.contract_id) & (QuoteRow.order_id == OrderRow.order_id)
    final = select(CheckpointRow.final_number).where(CheckpointRow.contract_id == contract_id).scalar_subquery()
    return (
        query.select_from(OrderRow)
        .join(PolicyRow, of_policy)
        .outerjoin(QuoteRow, of_quote)
        .outerjoin(ListingRow, ListingRow.id == QuoteRow.listing_id)
        .where(OrderRow.contract_id == contract_id, OrderRow.state == State.Closed, OrderRow.last_block <= final)
    )
