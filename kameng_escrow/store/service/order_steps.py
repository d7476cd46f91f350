"""Events about orders as detectors learn from them: each with its order's facts, and with codes that were delivered
before. Only final events, in the chain's order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from kameng_escrow.domain.states import State

from ..loading import parts
from ..models import BlockRow, EventRow, OrderRow, PolicyRow
from ..values import Position
from .deliveries import DeliveryRow, FingerprintRow
from .trade_rows import ListingRow, QuoteRow

LEARNED = ("OrderOpened", "OrderDelivered", "OrderRecommitted", "OrderDisputed", "OrderRuled", "OrderClosed")
DELIVERIES = ("OrderDelivered", "OrderRecommitted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A code of a delivery that was in another one before."""

    unit: int  # of this delivery
    order_id: str  # the other
    seller: str | None  # likewise
    was_read: bool  # whether the other's buyer has had it


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStep:
    """An event with its order's row."""

    position: Position
    at: int  # Unix seconds of the block
    name: str  # of the event
    fields: dict[str, Any]  # of the event as JSON, but for the order's id
    order: Any  # the columns of the order's row, as they are now: what came later than the step is in them, too
    platform: str
    category: str  # of the listing; where that is unknown, the policy's id
    title: str  # of the listing; empty: unknown
    seen: tuple[Seen, ...]


def read_steps(
    session: Session, contract_id: int, *, after: Position, up_to: int, limit: int = 1_000
) -> list[OrderStep]:
    """The events after a place, up to a block, at most so many."""
    later = or_(
        EventRow.block_number > after.block_number,
        and_(EventRow.block_number == after.block_number, EventRow.log_index > after.log_index),
    )
    of_order = (
        (OrderRow.contract_id == EventRow.contract_id)
        & (OrderRow.first_block == EventRow.order_block)
        & (OrderRow.first_log_index == EventRow.order_log_index)
    )
    of_policy = (PolicyRow.contract_id == OrderRow.contract_id) & (PolicyRow.policy_id == OrderRow.policy_id)
    of_quote = (QuoteRow.contract_id == OrderRow.contract_id) & (QuoteRow.order_id == OrderRow.order_id)
    of_block = (BlockRow.contract_id == EventRow.contract_id) & (BlockRow.number == EventRow.block_number)
    query: Any = (
        select(
            EventRow.block_number,
            EventRow.log_index,
            EventRow.name,
            EventRow.fields,
            BlockRow.timestamp,
            OrderRow,
            PolicyRow.platform,
            ListingRow.category,
            ListingRow.title,
        )
        .join(BlockRow, of_block)
        .join(OrderRow, of_order)
        .join(PolicyRow, of_policy)
        .outerjoin(QuoteRow, of_quote)
        .outerjoin(ListingRow, ListingRow.id == QuoteRow.listing_id)
        .where(
            EventRow.contract_id == contract_id,
            EventRow.block_number >= after.block_number,  # where to begin in the index, which `later` can't tell
            EventRow.block_number <= up_to,
            later,
            EventRow.name.in_(LEARNED),
        )
        .order_by(EventRow.block_number, EventRow.log_index)
        .limit(limit)
    )
    rows = session.execute(query).all()
    seen = _codes_again(
        session, contract_id, {(row[5].order_id, row[3]["commitment"]): row[4] for row in rows if row[2] in DELIVERIES}
    )
    return [
        OrderStep(
            position=Position(block_number=block, log_index=index),
            at=at,
            name=name,
            fields=said,
            order=order,
            platform=platform,
            category=category or order.policy_id,
            title=title or "",
            seen=seen.get((order.order_id, said["commitment"]), ()) if name in DELIVERIES else (),
        )
        for block, index, name, said, at, order, platform, category, title in rows
    ]


def _codes_again(
    session: Session, contract_id: int, deliveries: dict[tuple[str, str], int]
) -> dict[tuple[str, str], tuple[Seen, ...]]:
    """By order and commitment, the codes in it that were delivered in another order before. A delivery that nobody read
    and whose buyer has all the money back counts for nothing: its codes may be sold.
    """
    mine, print_, twin, other = DeliveryRow, FingerprintRow, aliased(FingerprintRow), aliased(DeliveryRow)
    found: dict[tuple[str, str], list[Seen]] = {}
    ids = sorted({order_id for order_id, _ in deliveries})
    for part in parts(ids):
        query: Any = (
            select(
                mine.order_id,
                mine.commitment,
                print_.unit,
                other.order_id,
                other.read_at,
                OrderRow.seller,
                OrderRow.delivered_at,
                OrderRow.state,
                OrderRow.shares_to_seller,
            )
            .join(print_, print_.delivery_id == mine.id)
            .join(twin, (twin.key_id == print_.key_id) & (twin.fingerprint == print_.fingerprint))
            .join(other, other.id == twin.delivery_id)
            .join(OrderRow, (OrderRow.contract_id == other.contract_id) & (OrderRow.order_id == other.order_id))
            .where(
                mine.contract_id == contract_id,
                mine.order_id.in_(part),
                other.contract_id == contract_id,
                other.order_id != mine.order_id,
                OrderRow.delivered_at.is_not(None),
            )
            .order_by(mine.order_id, print_.unit, other.stored_at, other.order_id)
        )
        for order_id, commitment, unit, other_id, read_at, seller, delivered_at, state, paid in session.execute(query):
            at = deliveries.get((order_id, commitment))
            if at is None or delivered_at > at:
                continue
            if read_at is None and state is State.Closed and paid == 0:
                continue
            seen = Seen(unit=unit, order_id=other_id, seller=seller, was_read=read_at is not None)
            known = found.setdefault((order_id, commitment), [])
            if all((one.unit, one.order_id) != (unit, other_id) for one in known):
                known.append(seen)
    return {key: tuple(several) for key, several in found.items()}


def platforms_with_orders(session: Session, contract_id: int) -> Sequence[str]:
    """The platforms under whose policies there are orders."""
    used = exists().where(  # asked for each policy by an index: there are few of them, and many orders
        OrderRow.contract_id == PolicyRow.contract_id, OrderRow.policy_id == PolicyRow.policy_id
    )
    query = select(PolicyRow.platform).where(PolicyRow.contract_id == contract_id, used)
    return session.scalars(query.distinct().order_by(PolicyRow.platform)).all()
