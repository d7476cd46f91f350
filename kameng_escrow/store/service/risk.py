"""Scores of orders, the warnings that came of them, and the models that made them.

A warning belongs to the platform under whose policy its order is. Nothing here decides over an order: rows are written
by the risk worker, and where there are none nothing is missing but a figure. Times are Unix seconds of the chain, but
where they are called of our clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.states import State

from ..loading import load_policies
from ..models import Base, OrderRow, PolicyRow
from ..order_rows import restore_order
from ..types import Address, Hash, Json
from ..unless_there import insert_unless_there
from .trade_rows import ListingRow, QuoteRow
from .webhook_rows import Id

LARGEST_PAGE: Final = 200
CONFIRM_STOCK, CAUTION, STRICTER_POLICY, MEDIATOR = "confirm_stock", "caution", "stricter_policy", "mediator"
KINDS: Final = (CONFIRM_STOCK, CAUTION, STRICTER_POLICY, MEDIATOR)
CAUTION_FROM: Final = 0.2  # the risk of a seller from which on buyers are cautioned
WAITING: Final = "came IS NULL"  # condition of an index that few rows are in
ANSWERS: Final = ("in_stock", "out_of_stock")


class RiskModelRow(Base):
    """A model that scored, or scores, and what was known of it when it was made."""

    __tablename__ = "risk_models"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    sha256: Mapped[str] = mapped_column(String(64))  # of the body: what is loaded is held against it
    body: Mapped[bytes] = mapped_column(LargeBinary())
    trained_until: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[int] = mapped_column(BigInteger)  # of our clock
    facts: Mapped[dict[str, Any]] = mapped_column(Json())


class RiskScoreRow(Base):
    """What was last said of an order at a stage: when it came to it, or while it stayed there."""

    __tablename__ = "risk_scores"

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    order_id: Mapped[str] = mapped_column(Hash(), primary_key=True)
    stage: Mapped[str] = mapped_column(String(16), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    model_id: Mapped[int | None]  # NULL: by the rates of its category, before there was a model
    buyer: Mapped[float] = mapped_column(Float)
    seller: Mapped[float] = mapped_column(Float)
    dispute: Mapped[float] = mapped_column(Float)
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(Json())


class RiskWarningRow(Base):
    """A risk over its threshold, what was asked, and what came of it."""

    __tablename__ = "risk_warnings"
    __table_args__ = (
        UniqueConstraint("contract_id", "order_id", "kind"),
        Index(None, "contract_id", "platform", "id"),
        Index(
            "ix_risk_warnings_waiting",
            *("contract_id", "platform", "kind"),
            sqlite_where=text(WAITING),
            postgresql_where=text(WAITING),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    order_id: Mapped[str] = mapped_column(Hash())
    kind: Mapped[str] = mapped_column(String(16))
    platform: Mapped[str] = mapped_column(Address())
    seller: Mapped[str] = mapped_column(Address())
    risk: Mapped[float] = mapped_column(Float)
    raised_at: Mapped[int] = mapped_column(BigInteger)
    details: Mapped[dict[str, Any]] = mapped_column(Json())
    answer: Mapped[str | None] = mapped_column(String(16))  # the seller's, where it was asked
    answered_at: Mapped[int | None] = mapped_column(BigInteger)  # of our clock
    came: Mapped[bool | None]  # whether what was feared came; NULL: the order is open
    lead_seconds: Mapped[int | None] = mapped_column(BigInteger)  # from the warning until it came


class RiskOutlookRow(Base):
    """What a buyer should know of a seller before paying."""

    __tablename__ = "risk_outlooks"

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    seller: Mapped[str] = mapped_column(Address(), primary_key=True)
    risk: Mapped[float] = mapped_column(Float)  # that an order fails by the seller, or is disputed
    orders: Mapped[int]  # that ended, of which this is known
    at: Mapped[int] = mapped_column(BigInteger)
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(Json())


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """How good a kind of warning has been."""

    kind: str
    raised: int
    ended: int  # of those whose orders have ended
    came: int  # of those that ended: what was feared came
    precision: float | None  # came ÷ ended; None before any ended
    lead_seconds: float | None  # on average, of those that came


def keep_score(session: Session, *, contract_id: int, order_id: str, stage: str, at: int, **said: Any) -> bool:
    """Writes down what is said of an order at a stage, unless there is what was said then or later; whether it did.

    `said`: the other columns of `RiskScoreRow`.
    """
    key = {"contract_id": contract_id, "order_id": order_id, "stage": stage}
    if insert_unless_there(session, RiskScoreRow, **key, at=at, **said):
        return True
    row = RiskScoreRow
    older = update(row).filter_by(**key).where(row.at < at).values(at=at, **said).returning(row.at)
    return session.execute(older).first() is not None


def scores(session: Session, contract_id: int, order_id: str) -> Sequence[RiskScoreRow]:
    """What was said of an order, the latest first."""
    query = select(RiskScoreRow).filter_by(contract_id=contract_id, order_id=order_id)
    return session.scalars(query.order_by(RiskScoreRow.at.desc())).all()


def warnings_of(session: Session, contract_id: int, order_id: str) -> Sequence[RiskWarningRow]:
    """An order's warnings, the first one first."""
    query = select(RiskWarningRow).filter_by(contract_id=contract_id, order_id=order_id)
    return session.scalars(query.order_by(RiskWarningRow.id)).all()


def latest_scores(session: Session, contract_id: int, order_ids: Sequence[str]) -> dict[str, RiskScoreRow]:
    """What was last said of orders, by id; those of which nothing was are left out. Some hundreds at once."""
    row = RiskScoreRow
    query = select(row).where(row.contract_id == contract_id, row.order_id.in_(order_ids))
    return {one.order_id: one for one in session.scalars(query.order_by(row.at))}


def warnings_among(session: Session, contract_id: int, order_ids: Sequence[str]) -> dict[str, list[RiskWarningRow]]:
    """Orders' warnings by their ids, the first one first; those without are left out. Some hundreds at once."""
    row = RiskWarningRow
    query = select(row).where(row.contract_id == contract_id, row.order_id.in_(order_ids))
    found: dict[str, list[RiskWarningRow]] = {}
    for one in session.scalars(query.order_by(row.id)):
        found.setdefault(one.order_id, []).append(one)
    return found


def likely_disputes(session: Session, contract_id: int, mediator: str, *, now: int, limit: int) -> list[Order]:
    """Delivered orders whose mediator or backup the account is, that were warned of and may still be disputed at the
    Unix second `now`; first those in which the time to dispute runs out first.
    """
    row = RiskWarningRow
    of_order = (OrderRow.contract_id == row.contract_id) & (OrderRow.order_id == row.order_id)
    of_policy = (PolicyRow.contract_id == OrderRow.contract_id) & (PolicyRow.policy_id == OrderRow.policy_id)
    platforms = select(PolicyRow.platform).where(PolicyRow.contract_id == contract_id, _mediates(mediator))
    query: Any = (
        select(*OrderRow.__table__.columns)
        .select_from(row)
        .join(OrderRow, of_order)
        .join(PolicyRow, of_policy)
        .where(
            row.contract_id == contract_id,
            row.platform.in_(platforms),
            row.kind == MEDIATOR,
            row.came.is_(None),
            _mediates(mediator),
            OrderRow.state == State.Delivered,
            OrderRow.deadline > now,
        )
        .order_by(OrderRow.deadline, OrderRow.order_id)
        .limit(limit)
    )
    found = session.execute(query).all()
    policies = load_policies(session, contract_id, {one.policy_id for one in found})
    return [restore_order(one, policies) for one in found]


def _mediates(account: str) -> Any:
    return or_(PolicyRow.mediator == account, PolicyRow.backup_mediator == account)


def warnings(
    session: Session,
    contract_id: int,
    platform: str,
    *,
    kind: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[RiskWarningRow]:
    """A platform's warnings, the latest first; `before`: only with lower ids."""
    query = select(RiskWarningRow).filter_by(contract_id=contract_id, platform=platform)
    if kind is not None:
        query = query.where(RiskWarningRow.kind == kind)
    if before is not None:
        query = query.where(RiskWarningRow.id < before)
    return session.scalars(query.order_by(RiskWarningRow.id.desc()).limit(min(limit, LARGEST_PAGE))).all()


def worth(session: Session, contract_id: int, platform: str | None = None) -> list[Worth]:
    """How good each kind of warning has been, under one platform's policies or all."""
    row = RiskWarningRow
    query = select(
        row.kind,
        func.count(),
        func.count(row.came),
        func.count().filter(row.came.is_(True)),
        func.avg(row.lead_seconds).filter(row.came.is_(True)),
    ).where(row.contract_id == contract_id)
    if platform is not None:
        query = query.where(row.platform == platform)
    found = {kind: tuple(rest) for kind, *rest in session.execute(query.group_by(row.kind))}
    made = []
    for kind in KINDS:
        raised, ended, came, lead = found.get(kind, (0, 0, 0, None))
        made.append(
            Worth(
                kind=kind,
                raised=raised,
                ended=ended,
                came=came,
                precision=came / ended if ended else None,
                lead_seconds=None if lead is None else float(lead),
            )
        )
    return made


def answer(session: Session, contract_id: int, order_id: str, said: str, now: int) -> RiskWarningRow | None:
    """Writes down what the seller answers to whether the goods are there; None: it was not asked."""
    row = session.scalar(
        select(RiskWarningRow).filter_by(contract_id=contract_id, order_id=order_id, kind=CONFIRM_STOCK)
    )
    if row is not None:
        row.answer, row.answered_at = said, now
    return row


def settle(session: Session, contract_id: int, order_id: str, kinds: Sequence[str], bad_at: int | None) -> None:
    """An order has ended: whether what its warnings of these kinds feared came, and when (None: it did not)."""
    row = RiskWarningRow
    session.execute(
        update(row)
        .where(row.contract_id == contract_id, row.order_id == order_id, row.kind.in_(kinds), row.came.is_(None))
        .values(
            came=bad_at is not None,
            lead_seconds=None if bad_at is None else func.coalesce(bad_at - row.raised_at, 0),
        )
    )


def unsettled(session: Session, contract_id: int) -> list[tuple[str, str]]:
    """Order and kind of the warnings of which it is not known yet whether what they feared came."""
    row = RiskWarningRow
    query = select(row.order_id, row.kind).where(row.contract_id == contract_id, row.came.is_(None))
    return [(order_id, kind) for order_id, kind in session.execute(query.order_by(row.id))]


def champion(session: Session, contract_id: int) -> RiskModelRow | None:
    """The model that scores."""
    query = select(RiskModelRow).filter_by(contract_id=contract_id).order_by(RiskModelRow.id.desc()).limit(1)
    return session.scalar(query)


def outlook(session: Session, contract_id: int, seller: str) -> RiskOutlookRow | None:
    """What is known of a seller."""
    return session.get(RiskOutlookRow, (contract_id, seller))


def categories(session: Session, contract_id: int, order_ids: Sequence[str]) -> dict[str, str]:
    """Orders' categories, by id, of those that were quoted here."""
    query = (
        select(QuoteRow.order_id, ListingRow.category)
        .join(ListingRow, ListingRow.id == QuoteRow.listing_id)
        .where(QuoteRow.contract_id == contract_id, QuoteRow.order_id.in_(order_ids))
    )
    return {str(row.order_id): str(row.category) for row in session.execute(query)}
