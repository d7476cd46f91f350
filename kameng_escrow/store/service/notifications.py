"""What is asked of the tables of notifications."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kameng_escrow.domain.order import Order
from kameng_escrow.store.loading import load_policies, parts
from kameng_escrow.store.models import CheckpointRow, OrderRow
from kameng_escrow.store.order_rows import restore_order

from ..unless_there import insert_unless_there
from .notification_rows import ChannelRow, MessageRow, PersonRow
from .notifying import Stage

_OPEN = (ChannelRow.verified_ms.is_not(None), ChannelRow.stopped_for.is_(None))

# ------------------------------------------------------------------------------------------------- people and channels


def person_of(session: Session, account: str) -> PersonRow | None:
    """How an account wants to be told; None: it has said nothing."""
    return session.get(PersonRow, account)


def channels_of(session: Session, account: str) -> Sequence[ChannelRow]:
    """An account's channels, the oldest first."""
    return session.scalars(select(ChannelRow).filter_by(account=account).order_by(ChannelRow.id)).all()


def locked_person(session: Session, account: str, *, language: str, time_zone: str, now_ms: int) -> PersonRow:
    """How an account wants to be told: as it said, or with these, where it has not. Nobody else changes it until the
    transaction ends.
    """
    usual = {"language": language, "time_zone": time_zone, "muted": [], "codes": 0, "codes_since_ms": now_ms}
    insert_unless_there(session, PersonRow, account=account, **usual)
    return session.get_one(PersonRow, account, with_for_update=True)


def channel_of(session: Session, account: str, channel_id: str) -> ChannelRow | None:
    """An account's channel of that id, which nobody else changes until the transaction ends."""
    return session.scalar(select(ChannelRow).filter_by(id=channel_id, account=account).with_for_update())


def channel(session: Session, channel_id: str) -> ChannelRow | None:
    """A channel, whosever it is: for links that prove themselves."""
    return session.get(ChannelRow, channel_id, with_for_update=True)


def anybody_listens(session: Session) -> bool:
    """Whether there is a channel that may be used."""
    return session.scalar(select(ChannelRow.id).where(*_OPEN).limit(1)) is not None


def channels_for(session: Session, accounts: Iterable[str]) -> Sequence[ChannelRow]:
    """The channels of these accounts that may be used."""
    return [
        row
        for part in parts(sorted(accounts))
        for row in session.scalars(
            select(ChannelRow).where(*_OPEN, ChannelRow.account.in_(part)).order_by(ChannelRow.id)
        )
    ]


def forget_channel(session: Session, channel_id: str) -> None:
    """Deletes a channel and all that was ever sent there."""
    session.execute(delete(MessageRow).where(MessageRow.channel_id == channel_id))
    session.execute(delete(ChannelRow).where(ChannelRow.id == channel_id))


# ------------------------------------------------------------------------------------------------------------ messages


def enqueue(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Adds messages; leaves out those that there are."""
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    for part in parts(rows):
        session.execute(dialect.insert(MessageRow).values(part).on_conflict_do_nothing())


def drop_codes(session: Session, channel_id: str, topic: str, now_ms: int) -> None:
    """Has a channel's messages on `topic` that were not sent yet not be sent any more, and forgets what they say."""
    session.execute(
        update(MessageRow)
        .filter_by(channel_id=channel_id, topic=topic, stage=Stage.Waiting)
        .values(stage=Stage.Dropped, next_try_ms=None, ended_ms=now_ms, details={})
    )


def told(session: Session, contract_id: int, order_id: str, key: str) -> list[tuple[MessageRow, ChannelRow]]:
    """The messages of that key about an order, with their channels."""
    query = (
        select(MessageRow, ChannelRow)
        .join(ChannelRow, ChannelRow.id == MessageRow.channel_id)
        .where(MessageRow.contract_id == contract_id, MessageRow.order_id == order_id, MessageRow.key == key)
    )
    return [(row, one) for row, one in session.execute(query)]


def channels_with_due(session: Session, now_ms: int, *, busy: Collection[str]) -> Sequence[ChannelRow]:
    """The channels for which something is to be sent now; `busy`: those that something is on its way to."""
    something = exists().where(
        MessageRow.channel_id == ChannelRow.id,
        MessageRow.stage == Stage.Waiting,
        MessageRow.next_try_ms <= now_ms,
    )
    query = select(ChannelRow).where(something, ChannelRow.id.not_in(busy))
    return session.scalars(query.order_by(ChannelRow.id)).all()


def due(session: Session, channel_id: str, contract_id: int, now_ms: int, *, limit: int) -> Sequence[MessageRow]:
    """What a channel is to be sent now, about this contract or none, the oldest first."""
    query = select(MessageRow).where(
        MessageRow.channel_id == channel_id,
        MessageRow.stage == Stage.Waiting,
        MessageRow.next_try_ms <= now_ms,
        or_(MessageRow.contract_id == contract_id, MessageRow.contract_id.is_(None)),
    )
    return session.scalars(query.order_by(MessageRow.id).limit(limit)).all()


def superseded(session: Session, row: MessageRow) -> bool:
    """Whether a later event of the same order waits for the same channel, or was sent there."""
    later = select(MessageRow.id).where(
        MessageRow.channel_id == row.channel_id,
        MessageRow.contract_id == row.contract_id,
        MessageRow.order_id == row.order_id,
        MessageRow.id > row.id,
        MessageRow.key.startswith("e:"),
        MessageRow.stage.in_((Stage.Waiting, Stage.Sent)),
    )
    return session.scalar(later.limit(1)) is not None


def messages_of(session: Session, account: str, *, before: int | None = None, limit: int = 50) -> Sequence[MessageRow]:
    """What an account was told, or will be, the newest first; `before`: only with smaller ids."""
    mine = select(ChannelRow.id).where(ChannelRow.account == account)
    query = select(MessageRow).where(MessageRow.channel_id.in_(mine))
    if before is not None:
        query = query.where(MessageRow.id < before)
    return session.scalars(query.order_by(MessageRow.id.desc()).limit(limit)).all()


def forget_old(session: Session, before_ms: int, limit: int) -> int:
    """Deletes at most `limit` messages that ended before then; returns how many there were."""
    query = select(MessageRow.id).where(MessageRow.ended_ms < before_ms).order_by(MessageRow.id).limit(limit)
    ids = session.scalars(query).all()
    for part in parts(ids):
        session.execute(delete(MessageRow).where(MessageRow.id.in_(part)))
    return len(ids)


# -------------------------------------------------------------------------------------------------------------- orders


def orders_now(session: Session, contract_id: int, order_ids: Collection[str]) -> dict[str, Order]:
    """These orders as the mirror has them, by id; those that there are none of are left out."""
    found: dict[str, Order] = {}
    for part in parts(sorted(order_ids)):
        query = select(OrderRow).where(OrderRow.contract_id == contract_id, OrderRow.order_id.in_(part))
        rows = session.scalars(query).all()
        policies = load_policies(session, contract_id, {row.policy_id for row in rows if row.policy_id})
        found |= {row.order_id: restore_order(row, policies) for row in rows}
    return found


def open_orders_of(session: Session, contract_id: int, account: str, limit: int = 1_000) -> list[Order]:
    """The open orders in which an account is buyer or seller."""
    query = select(OrderRow).where(
        OrderRow.contract_id == contract_id,
        OrderRow.deadline.is_not(None),
        or_(OrderRow.buyer == account, OrderRow.seller == account),
    )
    rows = session.scalars(query.limit(limit)).all()
    policies = load_policies(session, contract_id, {row.policy_id for row in rows if row.policy_id})
    return [restore_order(row, policies) for row in rows]


def chain_now(session: Session, contract_id: int, now_ms: int) -> int:
    """The Unix second that it is for the contract: our clock's, or the mirrored chain's where that is ahead."""
    seen = session.scalar(select(CheckpointRow.seen_at).filter_by(contract_id=contract_id))
    return max(now_ms // 1_000, seen or 0)
